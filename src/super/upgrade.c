/* SPDX-License-Identifier: ISC */
/*
 * How the next program comes to be this process. What it is left stands in a
 * memory file (carry.h), whose descriptor and that of the program before it the
 * environment names:
 *
 *	SOCKETSERVERD_STATE=PID:STATE:PROGRAM
 *
 * so that the command line stays what it was. A trial has it on its standard
 * input, and answers on its standard output; what it, or whatever stands in its
 * place, says instead is the reason for the refusal.
 */
#include <config.h>

#include "super/upgrade.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "super/carry.h"
#include "super/command.h"
#include "super/logging.h"
#include "super/signals.h"
#include "super/super.h"
#include "super/upgrade_trial.h"

#define STATE_VARIABLE "SOCKETSERVERD_STATE"
#define FAILED_VARIABLE "SOCKETSERVERD_UPGRADE_FAILED"
#define SELF "/proc/self/exe"

/* Which program */

static bool
is_running_program(const char *path)
{
	struct stat there, here;

	return stat(path, &there) == 0 && stat(SELF, &here) == 0 &&
	    there.st_dev == here.st_dev && there.st_ino == here.st_ino;
}

/* As it was called, so that a symbolic link may lead elsewhere next time; else
 * where it is. */
static char *
find_program(const struct super *super)
{
	const char *name = super->options->argv[0];
	char *path = NULL, where[4096];
	ssize_t len;

	if (name != NULL && strchr(name, '/') != NULL)
		path = super_absolute(super, "", name);
	if (path != NULL && is_running_program(path))
		return path;
	free(path);
	len = readlink(SELF, where, sizeof(where));
	return len > 0 && len < (ssize_t)sizeof(where) ?
	    strndup(where, (size_t)len) : NULL;
}

void
upgrade_init(struct super *super)
{
	super->upgrade.path = find_program(super);
	super->upgrade.self = open(SELF, O_PATH | O_CLOEXEC);
}

void
upgrade_free(struct upgrade *upgrade)
{
	free(upgrade->path);
	upgrade->path = NULL;
	fd_close(&upgrade->self);
	fd_close(&upgrade->program);
}

bool
upgrade_is_running(const struct upgrade *upgrade)
{
	return upgrade->program >= 0;
}

/* By name where a descriptor is refused, by valgrind and some sandboxes. */
void
upgrade_exec_program(int fd, const char *path, char **argv)
{
	(void)execveat(fd, "", argv, environ, AT_EMPTY_PATH);
	if (path != NULL)
		(void)execv(path, argv);
}

/* What is left to it */

static void
note_log(struct upgrade_log *log)
{
	*log = (struct upgrade_log){
		.fd = log_fd(), .kind = log_kind(), .format = log_format(),
		.level = log_level(), .is_access_on = log_is_access_on(),
	};
}

int
upgrade_write_state(struct super *super, struct state *state, struct err *err)
{
	int fd;

	note_log(&super->upgrade.log);
	state_write(state);
	carry_super(state, super);
	if (state_end(state, err) < 0)
		return -EINVAL;
	fd = fd_memory("state", state->text.data, state->text.len);
	return fd < 0 ? err_errno(err, -fd, "cannot write the state") : fd;
}

void
state_set_inherited(const struct state *state, bool on)
{
	size_t i;

	for (i = 0; i < state->fd_count; i++)
		if (state->fds[i] > 2)
			(void)fd_set_cloexec(state->fds[i], !on);
}

/* The end, if this program goes on */

void
upgrade_forget(struct super *super)
{
	struct upgrade *upgrade = &super->upgrade;

	watch_stop(super->loop, &upgrade->pidfd_watch);
	timer_stop(super->loop, &upgrade->deadline);
	fd_close(&upgrade->pidfd);
	fd_close(&upgrade->pipe);
	upgrade->pid = 0;
}

static void
tell_refused(struct super *super, uint64_t ticket, const char *why)
{
	log_error("upgrade refused: %s; this program goes on", why);
	if (ticket != 0)
		command_refuse(super, ticket, WIRE_NO, "%s", why);
}

void
upgrade_fail(struct super *super, const char *why)
{
	struct upgrade *upgrade = &super->upgrade;
	uint64_t ticket = upgrade->ticket;

	upgrade_forget(super);
	fd_close(&upgrade->program);
	upgrade->ticket = 0;
	tell_refused(super, ticket, why);
	reload_resume(&super->reload);
}

/* The exec */

static int
name_state(const char *variable, int state_fd, int self)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "%ld:%d:%d", (long)getpid(),
	    state_fd, self);
	return setenv(variable, text, 1) < 0 ? -errno : 0;
}

/* Returns only when it fails. Blocked signals stay blocked, and those that are
 * pending too: the next program finds them. */
static void
become(struct super *super, const struct state *state, int state_fd)
{
	struct upgrade *upgrade = &super->upgrade;

	if (name_state(STATE_VARIABLE, state_fd, upgrade->self) < 0)
		return;
	log_flush();
	state_set_inherited(state, true);
	(void)fd_set_cloexec(state_fd, false);
	if (upgrade->self >= 0)
		(void)fd_set_cloexec(upgrade->self, false);
	upgrade_exec_program(upgrade->program, upgrade->path,
	    super->options->argv);
	if (upgrade->self >= 0)
		(void)fd_set_cloexec(upgrade->self, true);
	state_set_inherited(state, false);
	(void)unsetenv(STATE_VARIABLE);
}

void
upgrade_exec(struct super *super)
{
	struct state state;
	struct err err;
	int fd;

	log_notice("upgrade: %s takes over (this was version %s)",
	    super->upgrade.path, PACKAGE_VERSION);
	fd = upgrade_write_state(super, &state, &err);
	if (fd >= 0) {
		notify_reloading();
		become(super, &state, fd);
		(void)err_errno(&err, errno, "cannot start %s",
		    super->upgrade.path);
		super_notify_ready(super);
		fd_close(&fd);
	}
	state_free(&state);
	upgrade_fail(super, err.text);
}

/* Who asks */

/* NULL: now is a good time. */
static const char *
why_not_now(const struct super *super)
{
	if (super->phase == SUPER_STARTING)
		return "the daemon is starting";
	if (super->phase != SUPER_SERVING)
		return "the daemon is stopping";
	if (upgrade_is_running(&super->upgrade))
		return "an upgrade is running already";
	if (super->reload.is_running || super->reload.queued > 0)
		return "a reload is running; try again when it has ended";
	if (super->upgrade.path == NULL)
		return "it is not known where the program is";
	return NULL;
}

void
upgrade_ask(struct super *super, uint64_t ticket)
{
	struct upgrade *upgrade = &super->upgrade;
	const char *why = why_not_now(super);
	struct err err;

	if (why != NULL) {
		tell_refused(super, ticket, why);
		return;
	}
	upgrade->ticket = ticket;
	upgrade->program = open(upgrade->path, O_PATH | O_CLOEXEC);
	if (upgrade->program < 0) {
		(void)err_errno(&err, errno, "%s", upgrade->path);
		upgrade_fail(super, err.text);
		return;
	}
	log_notice("upgrade: trying %s", upgrade->path);
	if (trial_begin(super, &err) < 0)
		upgrade_fail(super, err.text);
}

/* The trial's zombie is the reaper's. */
void
upgrade_cancel(struct super *super)
{
	if (!upgrade_is_running(&super->upgrade))
		return;
	if (super->upgrade.pid > 0)
		(void)kill(-super->upgrade.pid, SIGKILL);
	upgrade_fail(super, "the daemon is stopping");
}

/* In the next program */

bool
upgrade_is_due(void)
{
	const char *text = getenv(STATE_VARIABLE);

	return text != NULL && strtol(text, NULL, 10) == (long)getpid();
}

/* All that the state tells of. */
static int
read_super(struct super *super, struct state *state, int fd, struct err *err)
{
	struct buf text;
	int r;

	buf_init(&text, 0);
	if (lseek(fd, 0, SEEK_SET) != 0)
		return err_errno(err, errno, "the state");
	r = fd_read_all(fd, &text, 0);
	super->loop = loop_new();
	super->env.loop = super->loop;
	super->env.program = &super->program;
	if (r < 0 || super->loop == NULL)
		return err_errno(err, r < 0 ? -r : errno, "the state");
	if (program_open(&super->program, NULL, err) < 0)
		return -EINVAL;
	state_read(state, text.data, text.len);
	carry_super(state, super);
	buf_free(&text);
	return state_end(state, err);
}

bool
upgrade_try(struct super *super)
{
	struct state state = { 0 };
	struct err err;

	if (read_super(super, &state, 0, &err) == 0)
		return printf(UPGRADE_YES "%s\n", PACKAGE_VERSION) > 0 &&
		    fflush(stdout) == 0;
	(void)printf("%s\n", err.text);
	(void)fflush(stdout);
	return false;
}

/* Not from a program that we have gone back to already. */
static enum exit_code
go_back(const struct super *super, int state_fd, int before,
    const struct err *why)
{
	if (getenv(FAILED_VARIABLE) == NULL &&
	    setenv(FAILED_VARIABLE, why->text, 1) == 0 &&
	    name_state(STATE_VARIABLE, state_fd, before) == 0)
		upgrade_exec_program(before, NULL, super->options->argv);
	log_error("the upgrade failed: %s; the services are on their own now",
	    why->text);
	return EXIT_SYSTEM;
}

static void
count_processes(struct generation *gen, void *arg)
{
	unsigned i;

	for (i = 0; i < gen->slots; i++)
		*(unsigned *)arg += gen->workers[i].pid != 0;
}

static void
tell_taken(struct super *super)
{
	uint64_t ticket = super->upgrade.ticket;
	const char *failed = getenv(FAILED_VARIABLE);
	unsigned processes = 0;
	size_t i;

	super->upgrade.ticket = 0;
	for (i = 0; i < super->listener_count; i++)
		listener_each(super->listeners[i], count_processes,
		    &processes);
	if (failed != NULL) {
		tell_refused(super, ticket, failed);
		(void)unsetenv(FAILED_VARIABLE);
		return;
	}
	log_notice("upgrade: version %s took over, %zu listener%s, %u "
	    "process%s adopted", PACKAGE_VERSION, super->listener_count,
	    super->listener_count == 1 ? "" : "s", processes,
	    processes == 1 ? "" : "es");
	if (ticket != 0)
		command_answer_version(super, ticket);
}

/* From here on it is ours. */
static enum exit_code
go_on(struct super *super)
{
	struct err err;

	/* execveat(2) names a process by the descriptor's number */
	(void)prctl(PR_SET_NAME, "socketserverd");
	super->phase = SUPER_SERVING;
	super->reap.arg = super;
	super->upgrade.self = open(SELF, O_PATH | O_CLOEXEC);
	logging_resume(super);
	if (signals_open(super, &err) < 0) {
		log_error("%s", err.text);
		super->code = EXIT_SYSTEM;
		super_stop(super, "a failed upgrade");
		return EXIT_OK;
	}
	notify_open(&super->notify, super->loop);
	tell_taken(super);
	super_notify_ready(super);
	/* what was begun and not finished when the program changed */
	super_reap(super);
	super_sweep_later(super);
	return EXIT_OK;
}

enum exit_code
upgrade_take_over(struct super *super)
{
	int state_fd = -1, before = -1;
	struct state state = { 0 };
	struct err err;

	if (sscanf(getenv(STATE_VARIABLE), "%*d:%d:%d", &state_fd,
	    &before) != 2)
		return EXIT_SYSTEM;
	(void)unsetenv(STATE_VARIABLE);
	if (read_super(super, &state, state_fd, &err) < 0)
		return go_back(super, state_fd, before, &err);
	state_set_inherited(&state, false);
	state_free(&state);
	fd_close(&state_fd);
	fd_close(&before);
	return go_on(super);
}
