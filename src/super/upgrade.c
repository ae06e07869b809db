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
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/sig.h"
#include "super/carry.h"
#include "super/command.h"
#include "super/logging.h"
#include "super/signals.h"
#include "super/super.h"

#define STATE_VARIABLE "SOCKETSERVERD_STATE"
#define FAILED_VARIABLE "SOCKETSERVERD_UPGRADE_FAILED"
#define SELF "/proc/self/exe"
#define YES "can take over: "   /* and the version */
#define ANSWER_SIZE 512

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

/* Does not return, but for a failure. By name where a descriptor is refused,
 * by valgrind and some sandboxes. */
static void
exec_program(int fd, const char *path, char **argv)
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

/* The descriptor of the state, to be closed; or -errno. The descriptors that
 * stand in it are in state->fds, which is the caller's to free. */
static int
write_state(struct super *super, struct state *state, struct err *err)
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

static void
set_inherited(const struct state *state, bool on)
{
	size_t i;

	for (i = 0; i < state->fd_count; i++)
		if (state->fds[i] > 2)
			(void)fd_set_cloexec(state->fds[i], !on);
}

/* The end, if this program goes on */

static void
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

static void
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
	set_inherited(state, true);
	(void)fd_set_cloexec(state_fd, false);
	if (upgrade->self >= 0)
		(void)fd_set_cloexec(upgrade->self, false);
	exec_program(upgrade->program, upgrade->path,
	    super->options->argv);
	if (upgrade->self >= 0)
		(void)fd_set_cloexec(upgrade->self, true);
	set_inherited(state, false);
	(void)unsetenv(STATE_VARIABLE);
}

static void
upgrade_exec(struct super *super)
{
	struct state state;
	struct err err;
	int fd = write_state(super, &state, &err);

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

/* The trial */

/* One line for people, of whatever was said. */
static void
clean_line(char *text)
{
	char *c;

	text[strcspn(text, "\n")] = '\0';
	for (c = text; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
}

/* NULL: it can; else the reason, in *err. */
static const char *
judge(const struct upgrade *upgrade, int status, char answer[ANSWER_SIZE],
    struct err *err)
{
	const char *path = upgrade->path;

	clean_line(answer);
	if (WIFSIGNALED(status))
		err_set(err, "%s was killed by %s when it was tried", path,
		    sig_name(WTERMSIG(status)));
	else if (WEXITSTATUS(status) != 0 && answer[0] != '\0')
		err_set(err, "%s cannot take over: %s", path, answer);
	else if (WEXITSTATUS(status) != 0)
		err_set(err, "%s cannot take over: it exited with status %d",
		    path, WEXITSTATUS(status));
	else if (strncmp(answer, YES, strlen(YES)) != 0)
		err_set(err, "%s cannot take over: it is another program",
		    path);
	else
		return NULL;
	return err->text;
}

/* What it said first; more than a pipe full nobody waits for. */
static void
read_answer(int pipe, char answer[ANSWER_SIZE])
{
	ssize_t n = read(pipe, answer, ANSWER_SIZE - 1);

	answer[n > 0 ? n : 0] = '\0';
}

/* The child is a zombie. */
static void
trial_end(struct super *super)
{
	struct upgrade *upgrade = &super->upgrade;
	char answer[ANSWER_SIZE];
	const char *why;
	struct err err;
	int status = 0;

	(void)kill(-upgrade->pid, SIGKILL);     /* what it left */
	(void)waitpid(upgrade->pid, &status, WNOHANG);
	read_answer(upgrade->pipe, answer);
	upgrade_forget(super);
	why = judge(upgrade, status, answer, &err);
	if (why != NULL) {
		upgrade_fail(super, why);
		return;
	}
	log_notice("upgrade: %s takes over (this was version %s)",
	    upgrade->path, PACKAGE_VERSION);
	upgrade_exec(super);
}

static void
trial_ended(struct watch *watch, uint32_t events)
{
	(void)events;
	trial_end(watch->arg);
}

bool
upgrade_reap(struct super *super, pid_t pid)
{
	if (super->upgrade.pid == 0 || super->upgrade.pid != pid)
		return false;
	trial_end(super);
	return true;
}

static void
trial_late(struct timer *timer)
{
	struct super *super = timer->arg;
	struct err err;

	(void)kill(-super->upgrade.pid, SIGKILL);
	err_set(&err, "%s did not answer within %d s", super->upgrade.path,
	    UPGRADE_MS / 1000);
	upgrade_fail(super, err.text);
}

/* argv with the option that makes it a trial; NULL out of memory. */
static char **
trial_argv(char **argv)
{
	static char option[] = "--try-to-take-over";
	size_t count = 0;
	char **more;

	while (argv[count] != NULL)
		count++;
	more = calloc(count + 2, sizeof(*more));
	if (more == NULL || count == 0)
		return more;
	more[0] = argv[0];
	more[1] = option;
	memcpy(more + 2, argv + 1, (count - 1) * sizeof(*more));
	return more;
}

static _Noreturn void
trial_main(const struct upgrade *upgrade, const struct state *state,
    char **argv, int state_fd, int answer, pid_t parent)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_SYSTEM);
	(void)setpgid(0, 0);
	(void)unsetenv("NOTIFY_SOCKET");
	set_inherited(state, true);
	if (dup2(state_fd, 0) == 0 && dup2(answer, 1) == 1 &&
	    dup2(answer, 2) == 2)
		exec_program(upgrade->program, upgrade->path, argv);
	(void)dprintf(answer, "%s\n", strerror(errno));
	_exit(EXIT_SYSTEM);
}

static int
trial_fork(struct upgrade *upgrade, const struct state *state, char **argv,
    int state_fd, struct err *err)
{
	pid_t parent = getpid();
	int fds[2], code;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_errno(err, errno, "cannot make a pipe");
	upgrade->pid = fork();
	if (upgrade->pid == 0)
		trial_main(upgrade, state, argv, state_fd, fds[1], parent);
	code = errno;
	fd_close(&fds[1]);
	upgrade->pipe = fds[0];
	(void)fd_set_nonblock(fds[0], true);
	if (upgrade->pid < 0) {
		upgrade->pid = 0;
		return err_errno(err, code, "cannot start a process");
	}
	(void)setpgid(upgrade->pid, upgrade->pid);      /* whoever is first */
	upgrade->pidfd = (int)syscall(SYS_pidfd_open, upgrade->pid, 0);
	return 0;
}

static int
trial_watch(struct super *super, struct err *err)
{
	struct upgrade *upgrade = &super->upgrade;
	int r = timer_start(super->loop, &upgrade->deadline,
	    clock_after_ms(UPGRADE_MS), trial_late, super);

	/* Without a pidfd SIGCHLD tells. */
	if (r == 0 && upgrade->pidfd >= 0)
		r = watch_start(super->loop, &upgrade->pidfd_watch,
		    upgrade->pidfd, EPOLLIN, trial_ended, super);
	if (r == 0)
		return 0;
	(void)kill(-upgrade->pid, SIGKILL);
	return err_errno(err, -r, "cannot wait for a process");
}

static int
trial_begin(struct super *super, struct err *err)
{
	struct upgrade *upgrade = &super->upgrade;
	char **argv = trial_argv(super->options->argv);
	struct state state;
	int fd, r = -ENOMEM;

	fd = write_state(super, &state, err);
	if (fd >= 0 && argv == NULL)
		(void)err_errno(err, ENOMEM, "the command line");
	else if (fd >= 0)
		r = trial_fork(upgrade, &state, argv, fd, err);
	fd_close(&fd);
	state_free(&state);
	free(argv);
	return r < 0 ? r : trial_watch(super, err);
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
		return printf(YES "%s\n", PACKAGE_VERSION) > 0 &&
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
		exec_program(before, NULL, super->options->argv);
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
	set_inherited(&state, false);
	state_free(&state);
	fd_close(&state_fd);
	fd_close(&before);
	return go_on(super);
}
