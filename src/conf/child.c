/* SPDX-License-Identifier: ISC */
#include "conf/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"

#define CHILD_NO_ANSWER 2       /* exit status: there was no memory for it */

static void
limit(__rlimit_resource_t resource, rlim_t n)
{
	const struct rlimit r = { n, n };

	/* a lower limit may be in force: then that one holds */
	(void)setrlimit(resource, &r);
}

/* RLIMIT_DATA counts every private writable mapping (Linux 4.7), and unlike
 * RLIMIT_AS leaves alone a tool that watches the process from inside. */
static void
set_limits(const struct child_limits *limits)
{
	limit(RLIMIT_CPU, limits->cpu_s);
	limit(RLIMIT_CORE, 0);
	if (limits->memory_bytes)
		limit(RLIMIT_DATA, limits->memory_bytes);
}

/* The parent's own signals are not the child's; what ends a process by default
 * shall end it. */
static void
reset_signals(void)
{
	sigset_t none;

	for (int n = 1; n < NSIG; n++)
		if (n != SIGKILL && n != SIGSTOP)
			(void)signal(n, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void
child_main(child_fn *fn, void *arg, const struct child_limits *limits,
    size_t max, int fd, pid_t parent)
{
	struct buf answer;
	int r;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(CHILD_NO_ANSWER);
	reset_signals();
	set_limits(limits);
	buf_init(&answer, max);
	fn(arg, &answer);
	r = answer.failed ? -ENOMEM : fd_write_all(fd, answer.data, answer.len);
	/* not exit(): the parent's buffers and handlers are not ours to run */
	_exit(r ? CHILD_NO_ANSWER : 0);
}

static int
wait_for(pid_t pid, int *status)
{
	while (waitpid(pid, status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

static int
explain_end(int status, struct err *err)
{
	const char *name;

	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return 0;
	if (WIFSIGNALED(status)) {
		name = sigabbrev_np(WTERMSIG(status));
		err_set(err, "was killed by SIG%s", name ? name : "?");
	} else {
		err_set(err, "ended with status %d", WEXITSTATUS(status));
	}
	return -ECHILD;
}

int
child_run(child_fn *fn, void *arg, const struct child_limits *limits,
    struct buf *answer, struct err *err)
{
	pid_t parent = getpid(), pid;
	int fds[2], status, r, w;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_errno(err, errno, "cannot make a pipe");
	pid = fork();
	if (pid == 0)
		child_main(fn, arg, limits, answer->max, fds[1], parent);
	r = -errno;
	fd_close(&fds[1]);
	if (pid < 0) {
		fd_close(&fds[0]);
		return err_errno(err, -r, "cannot start a process");
	}
	r = fd_read_all(fds[0], answer, clock_after_ms(limits->wall_ms));
	fd_close(&fds[0]);
	if (r)
		(void)kill(pid, SIGKILL);
	w = wait_for(pid, &status);
	if (r == -ETIMEDOUT) {
		err_set(err, "took longer than %ld "
		    "seconds", limits->wall_ms / 1000);
		return -ECHILD;
	}
	if (r || w)
		return err_errno(err, r ? -r : -w, "cannot hear from a "
		    "process");
	return explain_end(status, err);
}
