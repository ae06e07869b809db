/* SPDX-License-Identifier: ISC */
/*
 * The start of the supervisor: start_steps[] at the end, one function each, in
 * this order. The first that fails ends the start with its exit status.
 */
#include "super/start.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "super/command.h"
#include "super/load.h"
#include "super/logging.h"
#include "super/reap.h"
#include "super/signals.h"
#include "super/super.h"
#include "super/tell.h"

static enum exit_code
start_program(struct super *super)
{
	struct err err;

	return program_open(&super->program, NULL, &err) < 0 ?
	    super_fail(super, &err) : EXIT_OK;
}

static enum exit_code
start_config(struct super *super)
{
	struct config *config;
	struct buf faults;
	enum exit_code code;

	buf_init(&faults, LOAD_FAULTS_MAX);
	code = load_checked(super->options, &super->program, &config, &faults);
	load_print_faults(&faults);
	if (code != EXIT_OK)
		return code;
	super->held = held_new(&config);
	return super->held == NULL ? EXIT_SYSTEM : EXIT_OK;
}

static enum exit_code
start_count(struct super *super)
{
	if (held_serves(super->held))
		return EXIT_OK;
	fprintf(stderr, "%s: %s\n", super->held->config->file, HELD_SERVES_NOT);
	return EXIT_CONFIG;
}

/* The supervisor's directory becomes "/": relative names are from here. */
static enum exit_code
start_paths(struct super *super)
{
	const char *pidfile = super->options->pidfile;

	loader_init(&super->reload.loader);
	upgrade_init(super);
	if (pidfile == NULL)
		return EXIT_OK;
	super->pidfile_path = super_absolute(super, "", pidfile);
	if (super->pidfile_path != NULL)
		return EXIT_OK;
	fputs("socketserverd: out of memory\n", stderr);
	return EXIT_SYSTEM;
}

static enum exit_code
start_log(struct super *super)
{
	struct err err;

	return logging_open(super, &err) < 0 ? super_fail(super, &err) :
	    EXIT_OK;
}

static enum exit_code
start_pidfile(struct super *super)
{
	struct err err;

	if (super->pidfile_path == NULL)
		return EXIT_OK;
	return pidfile_open(&super->pidfile, super->pidfile_path, &err) < 0 ?
	    super_fail(super, &err) : EXIT_OK;
}

/* What a service inherits, and who adopts what it leaves behind. Services set
 * their own limit, so all that is allowed is taken here. */
static enum exit_code
start_surroundings(struct super *super)
{
	struct rlimit nofile;

	earlier_take(&super->earlier);
	if (getrlimit(RLIMIT_NOFILE, &nofile) == 0) {
		nofile.rlim_cur = nofile.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &nofile);
	}
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (chdir("/") == 0)
		return EXIT_OK;
	super_complain(super, NULL, "cannot change to the directory /");
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
		return super_fail(super, &err);
	}
	notify_open(&super->notify, super->loop);
	return signals_open(super, &err) < 0 ? super_fail(super, &err) :
	    EXIT_OK;
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

static void
complain_of_listener(void *arg, const struct listener_conf *conf,
    const char *text)
{
	super_complain(arg, conf->name, text);
}

/* The listener with its sockets; the failures. */
static unsigned
bind_listener(struct super *super, const struct listener_conf *conf)
{
	const struct bound_source source = {
		.inherit = &super->inherit, .store = &super->store,
		.complain = complain_of_listener, .arg = super,
	};
	struct listener *listener;
	struct bound_list sockets;
	unsigned failures = bound_list_open(&sockets, conf, &source);

	listener = listener_new(&super->env, super->held, conf, &sockets);
	bound_list_clear(&sockets);
	if (listener != NULL && super_add_listener(super, listener) == 0)
		return failures;
	super_complain(super, conf->name, "out of memory");
	listener_free(&listener);
	return failures + 1;
}

/* All addresses of all listeners, so that every fault is told in one run. */
static enum exit_code
start_bind(struct super *super)
{
	const struct config *config = super->held->config;
	unsigned failures = 0;
	size_t i;

	store_open(&super->store, &super->inherit);
	for (i = 0; i < config->listener_count; i++)
		if (config->listeners[i].is_enabled)
			failures += bind_listener(super, &config->listeners[i]);
	if (failures == 0)
		store_sweep(&super->store);
	warn_of_leftovers(super);
	inherit_close(&super->inherit);
	return failures > 0 ? EXIT_SYSTEM : EXIT_OK;
}

/* Of the default path only: nobody asked for it, so a daemon that cannot have
 * it, such as a user's own, serves all the same. */
static bool
can_do_without(const struct config *config, int code)
{
	static const int codes[] = { -EACCES, -EPERM, -EROFS, -ENOENT,
	    -ENOTDIR, -EINVAL };
	size_t i;

	if (strcmp(config->control.socket, CONTROL_SOCKET) != 0)
		return false;
	for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (codes[i] == code)
			return true;
	return false;
}

static enum exit_code
start_control(struct super *super)
{
	const struct config *config = super->held->config;
	struct err err;
	int r;

	if (super->options->address != NULL ||
	    config->control.socket[0] == '\0')
		return EXIT_OK;
	r = control_open(&super->control, super->loop, config, command_run,
	    super, &err);
	if (r == 0)
		return EXIT_OK;
	if (!can_do_without(config, r))
		return super_fail(super, &err);
	log_warning("%s. Until then socketserverctl does not reach this daemon",
	    err.text);
	return EXIT_OK;
}

static enum exit_code
start_address_file(struct super *super)
{
	struct err err;

	return super_write_addresses(super, &err) < 0 ?
	    super_fail(super, &err) : EXIT_OK;
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
	    super->held->config->user;
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
	super->reload.applied = 1;
	for (i = 0; i < super->listener_count; i++) {
		struct listener *listener = super->listeners[i];

		tell_user(super, listener->conf);
		if (listener_begin(listener, super->held, listener->conf,
		    &listener->sockets, &err) < 0)
			return super_fail(super, &err);
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
	start_control,
	start_address_file,
	start_detach,
	start_listeners,
};

enum exit_code
super_start(struct super *super)
{
	enum exit_code code = EXIT_OK;
	size_t i;

	for (i = 0; i < sizeof(start_steps) / sizeof(start_steps[0]) &&
	    code == EXIT_OK; i++)
		code = start_steps[i](super);
	return code;
}
