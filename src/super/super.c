/* SPDX-License-Identifier: ISC */
/*
 * The supervisor at work: what a listener's change means, the loop,
 * the end. How it starts is in start.c.
 */
#include "super/super.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "super/address_file.h"
#include "super/signals.h"
#include "super/start.h"
#include "super/tell.h"

/* What a generation's change means */

static struct notify_counts
count_listeners(const struct super *super)
{
	struct notify_counts counts = { 0 };
	size_t i;

	for (i = 0; i < super->listener_count; i++) {
		const struct generation *gen = super->listeners[i]->current;

		counts.ready += gen != NULL && gen->state == GEN_SERVING;
		counts.failed += gen != NULL && gen->state == GEN_FAILED;
	}
	return counts;
}

static void
super_serve(struct super *super, const struct notify_counts *counts)
{
	size_t i;

	super->phase = SUPER_SERVING;
	for (i = 0; i < super->listener_count; i++)
		listener_log_addresses(super->listeners[i]);
	log_notice("serving: %u listener%s ready, %u failed", counts->ready,
	    counts->ready == 1 ? "" : "s", counts->failed);
	notify_ready(&super->notify, counts);
	daemonize_tell(&super->daemonize, EXIT_OK);
	reload_resume(&super->reload);
}

void
super_notify_ready(struct super *super)
{
	struct notify_counts counts = count_listeners(super);

	notify_ready(&super->notify, &counts);
}

/* Is every listener serving, or known to have failed? */
static void
super_check_ready(struct super *super)
{
	struct notify_counts counts;
	size_t i;

	for (i = 0; i < super->listener_count; i++)
		if (super->listeners[i]->current == NULL ||
		    !super->listeners[i]->current->has_settled)
			return;
	counts = count_listeners(super);
	if (counts.ready > 0) {
		super_serve(super, &counts);
		return;
	}
	super_complain(super, NULL,
	    "no listener serves; the reasons are above");
	super->code = EXIT_SYSTEM;
	super_stop(super, "a failed start");
}

void
super_check_finished(struct super *super)
{
	size_t i;

	for (i = 0; i < super->listener_count; i++)
		if (!listener_is_idle(super->listeners[i]))
			return;
	super->phase = SUPER_FINISHED;
}

/* Listeners */

int
super_add_listener(struct super *super, struct listener *listener)
{
	struct listener **more = realloc(super->listeners,
	    (super->listener_count + 1) * sizeof(struct listener *));

	if (more == NULL)
		return -ENOMEM;
	super->listeners = more;
	super->listeners[super->listener_count++] = listener;
	return 0;
}

struct listener *
super_listener(const struct super *super, const char *name)
{
	size_t i;

	for (i = 0; i < super->listener_count; i++)
		if (super->listeners[i]->mode != LISTENER_LEAVING &&
		    strcmp(super->listeners[i]->name, name) == 0)
			return super->listeners[i];
	return NULL;
}

int
super_write_addresses(struct super *super, struct err *err)
{
	const char *path = super->held->config->address_file;
	char *file = NULL;
	int r = 0;

	if (path[0] != '\0') {
		file = super_absolute(super, "", path);
		r = file == NULL ? err_errno(err, ENOMEM, "address file %s",
		    path) : address_file_write(file, super->listeners,
		    super->listener_count, err);
	}
	if (r < 0) {
		free(file);
		return r;
	}
	if (super->address_file != NULL &&
	    (file == NULL || strcmp(file, super->address_file) != 0))
		(void)unlink(super->address_file);
	free(super->address_file);
	super->address_file = file;
	return 0;
}

char *
super_absolute(const struct super *super, const char *prefix, const char *path)
{
	const char *slash = path[0] == '/' ? "" : "/";
	const char *directory = super->reload.loader.directory;
	char *text;

	if (path[0] == '/' || directory == NULL)
		directory = "";

	if (asprintf(&text, "%s%s%s%s", prefix, directory, slash, path) < 0)
		return NULL;
	return text;
}

static void
sweep(struct timer *timer)
{
	struct super *super = timer->arg;
	size_t i, kept = 0;

	for (i = 0; i < super->listener_count; i++) {
		struct listener *listener = super->listeners[i];

		if (listener_sweep(listener)) {
			listener_log_totals(listener);
			listener_free(&listener);
		} else {
			super->listeners[kept++] = listener;
		}
	}
	super->listener_count = kept;
}

/* Not now: whoever reports is still at work on it. */
void
super_sweep_later(struct super *super)
{
	super->sweep.arg = super;
	(void)timer_start(super->loop, &super->sweep, loop_now(super->loop),
	    sweep, super);
}

/* What a generation reports */

static void
generation_settled(struct super *super, const struct generation *gen,
    enum gen_state from)
{
	struct log_fields fields = {
		.listener = gen->listener->name, .generation = gen->number,
	};
	struct notify_counts counts = count_listeners(super);

	if (gen == gen->listener->current && gen->state == GEN_SERVING &&
	    (from == GEN_FAILED || gen->restarts > 0))
		log_write(LOG_LEVEL_NOTICE, &fields, "serves again");
	notify_status(&super->notify, &counts);
}

static void
generation_changed(struct generation *gen, enum gen_state from)
{
	struct super *super = gen->env->arg;

	listener_changed(gen->listener, gen);
	reload_review(&super->reload);
	wait_review(super);
	if (gen->state == GEN_GONE)
		super_sweep_later(super);
	if (super->phase == SUPER_STARTING)
		super_check_ready(super);
	else if (super->phase == SUPER_SERVING)
		generation_settled(super, gen, from);
	else if (super->phase == SUPER_STOPPING)
		super_check_finished(super);
}

static void
generation_progressed(struct generation *gen)
{
	struct super *super = gen->env->arg;

	listener_released(gen->listener);
	reload_review(&super->reload);
	wait_review(super);
}

static void
generation_crashed(struct generation *gen, const struct crash *crash)
{
	gen->listener->crash = *crash;
}

static void
complain_of_generation(struct generation *gen, const char *text)
{
	err_set(&gen->listener->complaint, "%s", text);
	super_complain(gen->env->arg, gen->conf->name, text);
}

/* Children that have ended */

static struct worker *
super_worker(const struct super *super, pid_t pid)
{
	struct worker *worker = NULL;
	size_t i;

	for (i = 0; i < super->listener_count && worker == NULL; i++)
		worker = listener_worker(super->listeners[i], pid);
	return worker;
}

static void
reap_again(struct timer *timer)
{
	super_reap(timer->arg);
}

static bool
reap_one(void *arg, pid_t pid)
{
	struct super *super = arg;
	struct worker *worker;

	if (loader_reap(&super->reload.loader, pid) ||
	    upgrade_reap(super, pid))
		return true;
	worker = super_worker(super, pid);
	if (worker == NULL)
		return false;
	worker_check(worker);
	return true;
}

void
super_reap(struct super *super)
{
	if (reap_ended(&super->earlier, reap_one, super))
		(void)timer_start(super->loop, &super->reap,
		    loop_now(super->loop), reap_again, super);
}

/* The loop and the end */

static void
super_loop(struct super *super)
{
	int r;

	while (super->phase != SUPER_FINISHED) {
		r = loop_turn(super->loop, -1);
		if (r >= 0 || r == -EINTR)
			continue;
		log_error("the event loop failed: %s", strerror(-r));
		super->code = EXIT_SYSTEM;
		return;
	}
}

static void
super_say_goodbye(const struct super *super)
{
	size_t i;

	for (i = 0; i < super->listener_count; i++)
		listener_log_totals(super->listeners[i]);
	log_notice("stopped");
}

/* Everything, in reverse. A start that failed early has less of it. */
static void
super_close(struct super *super)
{
	size_t i;

	for (i = 0; i < super->listener_count; i++)
		listener_kill(super->listeners[i]);
	if (super->loop != NULL)
		reap_strays(&super->earlier);
	for (i = 0; i < super->listener_count; i++)
		listener_free(&super->listeners[i]);
	store_close(&super->store);
	free(super->listeners);
	if (super->address_file != NULL)
		(void)unlink(super->address_file);
	free(super->address_file);
	notify_close(&super->notify);
	control_close(&super->control);
	if (super->loop != NULL)
		signals_close(super);
	loop_free(&super->loop);
	pidfile_close(&super->pidfile);
	free(super->pidfile_path);
	inherit_free(&super->inherit);
	reload_free(&super->reload);
	upgrade_free(&super->upgrade);
	held_put(&super->held);
	free(super->log_target);
	program_close(&super->program);
	log_flush();
	/* One that served has told so already; one that was stopped before it
	 * served is no success for who started it. */
	if (super->daemonize.status_pipe >= 0 && super->code == EXIT_OK) {
		super->code = EXIT_SYSTEM;
		super_tell_starter(super, NULL, "stopped before it served");
	}
	daemonize_tell(&super->daemonize, (int)super->code);
}

static void
super_init(struct super *super, const struct options *options)
{
	*super = (struct super){
		.options = options, .program.fd = -1, .pidfile.fd = -1,
		.signal_fd = -1, .signal_watch.fd = -1,
		.upgrade = UPGRADE_NONE,
		.started_at = clock_now(),
		.env = {
			.log_fd = -1, .changed = generation_changed,
			.progressed = generation_progressed,
			.complain = complain_of_generation, .arg = super,
			.crashed = generation_crashed, .gate = &super->gate,
			.id_blocks = &super->id_blocks,
		},
	};
	reload_init(&super->reload, super);
	arena_init(&super->program.arena, 64);
	daemonize_init(&super->daemonize);
}

/* First of all, under -d: becomes two. true: the daemon, or no daemon was
 * asked for; false: super->code is what the starter returns. */
static bool
super_become_daemon(struct super *super)
{
	struct err err;
	int status, r;

	/* Before the process changes: LISTEN_PID names this one. */
	if (inherit_take(&super->inherit, &err) < 0) {
		super->code = super_fail(super, &err);
		return true;
	}
	if (!super->options->is_daemon)
		return true;
	r = daemonize_start(&super->daemonize, &status, &err);
	if (r < 0)
		super->code = super_fail(super, &err);
	else if (r > 0)
		super->code = (enum exit_code)status;
	return r <= 0;
}

static void
super_serve_and_close(struct super *super)
{
	super_loop(super);
	super_say_goodbye(super);
	super_close(super);
}

/* Another program was this process, and left all that it had. What cannot be
 * taken over is not touched: the services live by it. */
static enum exit_code
super_go_on(struct super *super)
{
	enum exit_code code = upgrade_take_over(super);

	if (code != EXIT_OK)
		return code;
	super_serve_and_close(super);
	return super->code;
}

enum exit_code
super_try(const struct options *options)
{
	struct super super;

	super_init(&super, options);
	/* Nothing is closed in order: all of it is somebody else's. */
	_exit(upgrade_try(&super) ? EXIT_OK : EXIT_SYSTEM);
}

enum exit_code
super_run(const struct options *options)
{
	struct super super;

	super_init(&super, options);
	if (upgrade_is_due())
		return super_go_on(&super);
	if (!super_become_daemon(&super)) {
		inherit_free(&super.inherit);
		return super.code;
	}
	if (super.code == EXIT_OK)
		super.code = super_start(&super);
	if (super.code == EXIT_OK)
		super_serve_and_close(&super);
	else
		super_close(&super);
	return super.code;
}
