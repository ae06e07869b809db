/* SPDX-License-Identifier: ISC */
/*
 * The program on disk, tried in a child before this process becomes it: the
 * same rebuilding from a copy of the state, with a deadline, while the loop
 * goes on.
 */
#include "super/upgrade_trial.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/sig.h"
#include "super/super.h"

#define ANSWER_SIZE 512

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
	else if (strncmp(answer, UPGRADE_YES, strlen(UPGRADE_YES)) != 0)
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
	state_set_inherited(state, true);
	if (dup2(state_fd, 0) == 0 && dup2(answer, 1) == 1 &&
	    dup2(answer, 2) == 2)
		upgrade_exec_program(upgrade->program, upgrade->path, argv);
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

int
trial_begin(struct super *super, struct err *err)
{
	struct upgrade *upgrade = &super->upgrade;
	char **argv = trial_argv(super->options->argv);
	struct state state;
	int fd, r = -ENOMEM;

	fd = upgrade_write_state(super, &state, err);
	if (fd >= 0 && argv == NULL)
		(void)err_errno(err, ENOMEM, "the command line");
	else if (fd >= 0)
		r = trial_fork(upgrade, &state, argv, fd, err);
	fd_close(&fd);
	state_free(&state);
	free(argv);
	return r < 0 ? r : trial_watch(super, err);
}
