/* SPDX-License-Identifier: ISC */
/*
 * The supervisor at work: what a listener's change and a signal mean, the loop,
 * the end. How it starts is in start.c.
 */
#include "super/super.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "super/notify.h"
#include "super/reap.h"
#include "super/signals.h"
#include "super/start.h"
#include "super/tell.h"

#define EXTEND_EVERY_MS 5000
#define EXTEND_BY_MS 15000

/* What a generation's change means */

static void
count_listeners(const struct super *super, unsigned *ready, unsigned *failed)
{
	size_t i;

	*ready = *failed = 0;
	for (i = 0; i < super->listener_count; i++) {
		const struct generation *gen = super->listeners[i].current;

		*ready += gen != NULL && gen->state == GEN_SERVING;
		*failed += gen != NULL && gen->state == GEN_FAILED;
	}
}

static void
super_serve(struct super *super, unsigned ready, unsigned failed)
{
	size_t i;

	super->phase = SUPER_SERVING;
	for (i = 0; i < super->listener_count; i++)
		listener_log_addresses(&super->listeners[i]);
	log_notice("serving: %u listener%s ready, %u failed", ready,
	    ready == 1 ? "" : "s", failed);
	notify_ready(ready, failed);
	daemonize_tell(&super->daemonize, EXIT_OK);
}

/* Is every listener serving, or known to have failed? */
static void
super_check_ready(struct super *super)
{
	unsigned ready, failed;
	size_t i;

	for (i = 0; i < super->listener_count; i++)
		if (super->listeners[i].current == NULL ||
		    !super->listeners[i].current->has_settled)
			return;
	count_listeners(super, &ready, &failed);
	if (ready > 0) {
		super_serve(super, ready, failed);
		return;
	}
	super_complain(super, NULL,
	    "no listener serves; the reasons are above");
	super->code = EXIT_SYSTEM;
	super_stop(super, "a failed start");
}

static void
super_check_finished(struct super *super)
{
	size_t i;

	for (i = 0; i < super->listener_count; i++)
		if (super->listeners[i].current != NULL &&
		    super->listeners[i].current->state != GEN_GONE)
			return;
	super->phase = SUPER_FINISHED;
}

static void
generation_changed(struct generation *gen, enum gen_state from)
{
	struct super *super = gen->env->arg;
	struct log_fields fields = {
		.listener = gen->conf->name, .generation = gen->number,
	};
	unsigned ready, failed;

	(void)from;
	if (super->phase == SUPER_STARTING) {
		super_check_ready(super);
	} else if (super->phase == SUPER_SERVING) {
		if (gen->state == GEN_SERVING)
			log_write(LOG_LEVEL_NOTICE, &fields, "serves again");
		count_listeners(super, &ready, &failed);
		notify_status(ready, failed);
	} else {
		super_check_finished(super);
	}
}

static void
complain_of_generation(struct generation *gen, const char *text)
{
	super_complain(gen->env->arg, gen->conf->name, text);
}

/* What signals ask for */

static void
extend_again(struct timer *timer)
{
	struct super *super = timer->arg;

	notify_extend(EXTEND_BY_MS);
	(void)timer_start(super->loop, timer,
	    loop_now(super->loop) + EXTEND_EVERY_MS * CLOCK_MS, extend_again,
	    super);
}

static void
super_stop_now(struct super *super, const char *who)
{
	size_t i;

	log_notice("%s while stopping: ending at once", who);
	for (i = 0; i < super->listener_count; i++)
		if (super->listeners[i].current != NULL)
			generation_kill(super->listeners[i].current);
}

void
super_stop(struct super *super, const char *who)
{
	size_t i;

	if (super->phase >= SUPER_STOPPING) {
		super_stop_now(super, who);
		return;
	}
	super->phase = SUPER_STOPPING;
	log_notice("stopping on %s", who);
	notify_stopping();
	super->extend.arg = super;
	extend_again(&super->extend);
	for (i = 0; i < super->listener_count; i++)
		listener_stop(&super->listeners[i]);
	super_check_finished(super);
}

void
super_reopen_log(struct super *super)
{
	enum log_kind kind;
	struct err err;
	size_t i;
	int fd;

	if (strncmp(super->log_target, "file:", 5) != 0)
		return;
	fd = log_sink_open(super->log_target, &kind, &err);
	if (fd < 0) {
		log_error("%s; the old file is still written", err.text);
		return;
	}
	log_replace_fd(fd);
	for (i = 0; i < super->listener_count; i++)
		if (super->listeners[i].current != NULL)
			generation_send_log(super->listeners[i].current,
			    log_fd());
	log_info("log file reopened");
}

static struct worker *
super_worker(const struct super *super, pid_t pid)
{
	struct worker *worker = NULL;
	size_t i;

	for (i = 0; i < super->listener_count && worker == NULL; i++)
		if (super->listeners[i].current != NULL)
			worker = generation_worker(super->listeners[i].current,
			    pid);
	return worker;
}

static void
reap_again(struct timer *timer)
{
	super_reap(timer->arg);
}

static void
reap_one(void *arg, pid_t pid)
{
	struct worker *worker = super_worker(arg, pid);

	if (worker != NULL)
		worker_check(worker);
}

void
super_reap(struct super *super)
{
	if (reap_ended(reap_one, super))
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
		listener_log_totals(&super->listeners[i]);
	log_notice("stopped");
}

/* Everything, in reverse. A start that failed early has less of it. */
static void
super_close(struct super *super)
{
	size_t i;

	for (i = 0; i < super->listener_count; i++)
		if (super->listeners[i].current != NULL)
			generation_kill(super->listeners[i].current);
	if (super->loop != NULL && !super->had_children)
		reap_strays();
	for (i = 0; i < super->listener_count; i++)
		listener_close(&super->listeners[i]);
	free(super->listeners);
	if (super->has_address_file)
		(void)unlink(super->address_file);
	if (super->loop != NULL)
		signals_close(super);
	loop_free(&super->loop);
	pidfile_close(&super->pidfile);
	inherit_free(&super->inherit);
	config_free(&super->config);
	program_close(&super->program);
	arena_free(&super->arena);
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
		.env = {
			.log_fd = -1, .changed = generation_changed,
			.complain = complain_of_generation, .arg = super,
		},
	};
	arena_init(&super->arena, 1024);
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

enum exit_code
super_run(const struct options *options)
{
	struct super super;

	super_init(&super, options);
	if (!super_become_daemon(&super)) {
		inherit_free(&super.inherit);
		return super.code;
	}
	if (super.code == EXIT_OK)
		super.code = super_start(&super);
	if (super.code == EXIT_OK) {
		super_loop(&super);
		super_say_goodbye(&super);
	}
	super_close(&super);
	return super.code;
}
