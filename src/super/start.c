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
#include "super/address_file.h"
#include "super/load.h"
#include "super/reap.h"
#include "super/signals.h"
#include "super/super.h"
#include "super/tell.h"

#define LOG_FILE "file:"

static const char *const kind_words[] = {
	[LOG_KIND_STREAM] = "stream",
	[LOG_KIND_SYSLOG] = "syslog",
	[LOG_KIND_JOURNAL] = "journal",
};

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
		return super_fail(super, &err);
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
	    super_fail(super, &err) : EXIT_OK;
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
		return super_fail(super, &err);
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
	for (i = 0; i < super->listener_count; i++) {
		tell_user(super, super->listeners[i].conf);
		if (listener_start(&super->listeners[i], &super->env,
		    &err) < 0)
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
