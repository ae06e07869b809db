/* SPDX-License-Identifier: ISC */
/*
 * The supervisor from its first line to its last: start_steps[] in order, then
 * the loop, then the end. The functions in between are what the loop calls.
 */
#include "super/super.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "super/address_file.h"
#include "super/load.h"
#include "super/notify.h"
#include "super/reap.h"
#include "super/signals.h"

#define EXTEND_EVERY_MS 5000
#define EXTEND_BY_MS 15000
#define LOG_FILE "file:"

static const char *const kind_words[] = {
	[LOG_KIND_STREAM] = "stream",
	[LOG_KIND_SYSLOG] = "syslog",
	[LOG_KIND_JOURNAL] = "journal",
};

/* Saying what is wrong */

/* A line for the person who started the daemon, who may not see its log. The
 * text may be a handler's: no control byte reaches a terminal. */
static void
tell_starter(const struct super *super, const char *listener, const char *text)
{
	int fd = super->daemonize.terminal >= 0 ? super->daemonize.terminal : 2;
	char clean[sizeof(struct err)];
	size_t i;

	(void)snprintf(clean, sizeof(clean), "%s", text);
	for (i = 0; clean[i] != '\0'; i++)
		if ((unsigned char)clean[i] < ' ' || clean[i] == 0x7f)
			clean[i] = '?';
	if (listener != NULL)
		(void)dprintf(fd, "socketserverd: listener \"%s\": %s\n",
		    listener, clean);
	else
		(void)dprintf(fd, "socketserverd: %s\n", clean);
}

static void
complain(const struct super *super, const char *listener, const char *text)
{
	struct log_fields fields = { .listener = listener };

	log_write(LOG_LEVEL_ERROR, &fields, "%s", text);
	if (super->phase == SUPER_STARTING && !super->log_is_stderr)
		tell_starter(super, listener, text);
}

static void
complain_of_listener(void *arg, const struct listener_conf *conf,
    const char *text)
{
	complain(arg, conf->name, text);
}

static void
complain_of_generation(struct generation *gen, const char *text)
{
	complain(gen->env->arg, gen->conf->name, text);
}

static enum exit_code
fail(const struct super *super, const struct err *err)
{
	complain(super, NULL, err->text);
	return EXIT_SYSTEM;
}

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
	complain(super, NULL, "no listener serves; the reasons are above");
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

	if (strncmp(super->log_target, LOG_FILE, strlen(LOG_FILE)) != 0)
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

/* The start */

static enum exit_code
start_inherit(struct super *super)
{
	struct err err;

	return inherit_take(&super->inherit, &err) < 0 ? fail(super, &err) :
	    EXIT_OK;
}

static enum exit_code
start_program(struct super *super)
{
	struct err err;

	return program_open(&super->program, NULL, &err) < 0 ?
	    fail(super, &err) : EXIT_OK;
}

static enum exit_code
start_config(struct super *super)
{
	return load_checked(super->options, &super->program, &super->config);
}

/* How many listeners there are to serve. */
static enum exit_code
start_count(struct super *super)
{
	const struct config *config = super->config;
	size_t i;

	for (i = 0; i < config->listener_count; i++)
		super->listener_count += config->listeners[i].is_enabled;
	if (super->listener_count == 0) {
		fprintf(stderr, "%s: no listener is enabled, so there is "
		    "nothing to serve; enable one\n", config->file);
		return EXIT_CONFIG;
	}
	super->listeners = calloc(super->listener_count,
	    sizeof(*super->listeners));
	if (super->listeners == NULL)
		super->listener_count = 0;
	return super->listeners == NULL ? EXIT_SYSTEM : EXIT_OK;
}

/* prefix + path, made absolute: the supervisor's directory becomes "/". */
static const char *
absolute(struct super *super, const char *prefix, const char *path)
{
	char here[4096];

	if (path[0] == '/' || getcwd(here, sizeof(here)) == NULL)
		return arena_printf(&super->arena, "%s%s", prefix, path);
	return arena_printf(&super->arena, "%s%s/%s", prefix, here, path);
}

static enum exit_code
start_paths(struct super *super)
{
	const char *target = super->config->log.target;
	const char *pidfile = super->options->pidfile;

	if (strncmp(target, LOG_FILE, strlen(LOG_FILE)) == 0)
		target = absolute(super, LOG_FILE, target + strlen(LOG_FILE));
	super->log_target = target;
	super->pidfile_path = "";
	if (pidfile != NULL)
		super->pidfile_path = absolute(super, "", pidfile);
	super->address_file = super->config->address_file;
	if (super->address_file[0] != '\0')
		super->address_file = absolute(super, "", super->address_file);
	if (target != NULL && super->pidfile_path != NULL &&
	    super->address_file != NULL)
		return EXIT_OK;
	fputs("socketserverd: out of memory\n", stderr);
	return EXIT_SYSTEM;
}

/* Is this descriptor the same file as standard error? */
static bool
is_stderr(int fd)
{
	struct stat log, standard;

	return fstat(fd, &log) == 0 && fstat(2, &standard) == 0 &&
	    log.st_dev == standard.st_dev && log.st_ino == standard.st_ino;
}

/* "auto" under -d is syslog: nobody reads a detached daemon's standard error.
 * Where there is no syslog it is better than nothing. */
static int
log_open(const struct super *super, enum log_kind *kind, struct err *err)
{
	int fd = -1;

	if (super->options->is_daemon &&
	    strcmp(super->log_target, "auto") == 0)
		fd = log_sink_open("syslog", kind, NULL);
	return fd >= 0 ? fd : log_sink_open(super->log_target, kind, err);
}

static enum exit_code
start_log(struct super *super)
{
	const struct config *config = super->config;
	enum log_kind kind;
	struct err err;
	int fd = log_open(super, &kind, &err);

	if (fd < 0)
		return fail(super, &err);
	log_use(fd, kind, (enum log_format)config->log.format,
	    (enum log_level)config->log.level, config->log.is_access_on);
	super->log_is_stderr = kind == LOG_KIND_STREAM && is_stderr(log_fd());
	super->env.log_kind = kind_words[kind];
	super->env.log_fd = log_fd();
	return EXIT_OK;
}

static enum exit_code
start_pidfile(struct super *super)
{
	struct err err;

	if (super->pidfile_path[0] == '\0')
		return EXIT_OK;
	return pidfile_open(&super->pidfile, super->pidfile_path, &err) < 0 ?
	    fail(super, &err) : EXIT_OK;
}

/* What a service inherits, and who adopts what it leaves behind. Services set
 * their own limit, so all that is allowed is taken here. */
static enum exit_code
start_surroundings(struct super *super)
{
	struct rlimit nofile;

	super->had_children = reap_has_children();
	if (getrlimit(RLIMIT_NOFILE, &nofile) == 0) {
		nofile.rlim_cur = nofile.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &nofile);
	}
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (chdir("/") == 0)
		return EXIT_OK;
	complain(super, NULL, "cannot change to the directory /");
	return EXIT_SYSTEM;
}

static enum exit_code
start_loop(struct super *super)
{
	struct err err;

	super->loop = loop_new();
	super->env.loop = super->loop;
	super->reap.arg = super;
	if (super->loop == NULL) {
		(void)err_errno(&err, errno, "cannot make an event loop");
		return fail(super, &err);
	}
	return signals_open(super, &err) < 0 ? fail(super, &err) : EXIT_OK;
}

static void
warn_of_leftovers(const struct super *super)
{
	size_t i;

	for (i = 0; i < super->inherit.count; i++)
		if (super->inherit.fds[i].fd >= 0)
			log_warning("a socket named \"%s\" was handed over, "
			    "but no listener has fd:%s",
			    super->inherit.fds[i].name,
			    super->inherit.fds[i].name);
}

/* All addresses of all listeners, so that every fault is told in one run. */
static enum exit_code
start_bind(struct super *super)
{
	const struct config *config = super->config;
	unsigned failures = 0;
	size_t i, n = 0;

	for (i = 0; i < config->listener_count; i++)
		if (config->listeners[i].is_enabled)
			failures += listener_open(&super->listeners[n++],
			    &config->listeners[i], &super->inherit,
			    complain_of_listener, super);
	warn_of_leftovers(super);
	inherit_free(&super->inherit);
	return failures > 0 ? EXIT_SYSTEM : EXIT_OK;
}

static enum exit_code
start_address_file(struct super *super)
{
	struct err err;

	if (super->address_file[0] == '\0')
		return EXIT_OK;
	if (address_file_write(super->address_file, super->listeners,
	    super->listener_count, &err) < 0)
		return fail(super, &err);
	super->has_address_file = true;
	return EXIT_OK;
}

static enum exit_code
start_detach(struct super *super)
{
	if (super->options->is_daemon)
		daemonize_detach(&super->daemonize, super->log_is_stderr);
	return EXIT_OK;
}

/* A daemon of root's runs handlers as somebody else; say as whom. */
static void
tell_user(const struct super *super, const struct listener_conf *conf)
{
	const char *user = conf->user[0] != '\0' ? conf->user :
	    super->config->user;
	struct log_fields fields = { .listener = conf->name };

	if (geteuid() != 0)
		return;
	if (user[0] == '\0')
		log_write(LOG_LEVEL_NOTICE, &fields, "no user is set: the "
		    "handler runs as nobody");
	else if (strcmp(user, "root") == 0)
		log_write(LOG_LEVEL_WARNING, &fields, "user = \"root\": the "
		    "handler runs with all privileges");
}

static enum exit_code
start_listeners(struct super *super)
{
	struct err err;
	size_t i;

	super->env.program = &super->program;
	super->env.config = super->config;
	super->env.changed = generation_changed;
	super->env.complain = complain_of_generation;
	super->env.arg = super;
	for (i = 0; i < super->listener_count; i++) {
		tell_user(super, super->listeners[i].conf);
		if (listener_start(&super->listeners[i], &super->env,
		    &err) < 0)
			return fail(super, &err);
	}
	return EXIT_OK;
}

static enum exit_code (*const start_steps[])(struct super *super) = {
	start_program,
	start_config,
	start_count,
	start_paths,
	start_log,
	start_pidfile,
	start_surroundings,
	start_loop,
	start_bind,
	start_address_file,
	start_detach,
	start_listeners,
};

static enum exit_code
super_start(struct super *super)
{
	enum exit_code code = EXIT_OK;
	size_t i;

	for (i = 0; i < sizeof(start_steps) / sizeof(start_steps[0]) &&
	    code == EXIT_OK; i++)
		code = start_steps[i](super);
	return code;
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
		tell_starter(super, NULL, "stopped before it served");
	}
	daemonize_tell(&super->daemonize, (int)super->code);
}

static void
super_init(struct super *super, const struct options *options)
{
	*super = (struct super){
		.options = options, .program.fd = -1, .pidfile.fd = -1,
		.signal_fd = -1, .signal_watch.fd = -1, .env.log_fd = -1,
	};
	arena_init(&super->arena, 1024);
	arena_init(&super->program.arena, 64);
	daemonize_init(&super->daemonize);
}

enum exit_code
super_run(const struct options *options)
{
	struct super super;
	struct err err;
	int status, r;

	super_init(&super, options);
	/* Before the process changes: LISTEN_PID names this one. */
	super.code = start_inherit(&super);
	if (super.code == EXIT_OK && options->is_daemon) {
		r = daemonize_start(&super.daemonize, &status, &err);
		if (r > 0)
			return (enum exit_code)status;
		if (r < 0)
			super.code = fail(&super, &err);
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
