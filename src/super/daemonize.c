/* SPDX-License-Identifier: ISC */
/*
 * Detaching with an honest exit status.
 *
 *   starter --fork--> middle (setsid, leaves at once) --fork--> daemon
 *      |                                                          |
 *      +<------------------- one byte: exit status ---------------+
 *
 * The second fork: a session leader could get a controlling terminal by
 * opening one (setsid(2)). The end of the pipe without a byte is a daemon that
 * died.
 */
#include "super/daemonize.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/exit.h"
#include "base/fd.h"

static int
starter_wait(int status_pipe, pid_t middle)
{
	unsigned char status;
	ssize_t n;

	while (waitpid(middle, NULL, 0) < 0 && errno == EINTR)
		continue;
	do
		n = read(status_pipe, &status, 1);
	while (n < 0 && errno == EINTR);
	if (n == 1)
		return status;
	fputs("socketserverd: the daemon ended before it served\n", stderr);
	return EXIT_SYSTEM;
}

static void
middle_leave(void)
{
	pid_t pid = setsid() < 0 ? -1 : fork();

	if (pid != 0)
		_exit(pid < 0 ? EXIT_SYSTEM : EXIT_OK);
}

void
daemonize_init(struct daemonize *daemonize)
{
	daemonize->status_pipe = -1;
	daemonize->terminal = -1;
}

int
daemonize_start(struct daemonize *daemonize, int *status, struct err *err)
{
	int fds[2];
	pid_t pid;

	if (getpid() == 1) {
		err_set(err, "process 1 cannot detach: all that runs in its "
		    "container ends with it; leave out -d");
		return -EINVAL;
	}
	if (pipe2(fds, O_CLOEXEC) != 0)
		return err_errno(err, errno, "cannot detach: pipe");
	pid = fork();
	if (pid < 0) {
		int code = errno;

		fd_close(&fds[0]);
		fd_close(&fds[1]);
		return err_errno(err, code, "cannot detach: fork");
	}
	if (pid > 0) {
		fd_close(&fds[1]);
		*status = starter_wait(fds[0], pid);
		fd_close(&fds[0]);
		return 1;
	}
	fd_close(&fds[0]);
	middle_leave();
	daemonize->status_pipe = fds[1];
	return 0;
}

void
daemonize_detach(struct daemonize *daemonize, bool keep_stderr)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return;         /* no /dev: better attached than closed */
	(void)dup2(null, 0);
	(void)dup2(null, 1);
	if (!keep_stderr) {
		daemonize->terminal = fcntl(2, F_DUPFD_CLOEXEC, 3);
		(void)dup2(null, 2);
	}
	fd_close(&null);
}

void
daemonize_tell(struct daemonize *daemonize, int status)
{
	unsigned char byte = (unsigned char)status;

	if (daemonize->status_pipe >= 0)        /* the starter may be gone */
		(void)fd_write_all(daemonize->status_pipe, &byte, 1);
	fd_close(&daemonize->status_pipe);
	fd_close(&daemonize->terminal);
}
