/* SPDX-License-Identifier: ISC */
/*
 * Runs `socketserver-service check` and `describe` and waits for them, before
 * the daemon serves or in a loader's child: this file may block, up to its
 * deadline.
 */
#include "super/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/exit.h"
#include "base/fd.h"
#include "base/sig.h"
#include "conf/flat.h"

#define REPORT_MAX (256 * 1024)

/* A line of text for a terminal or a log: no escape sequence survives. */
static void
report_clean(struct buf *report)
{
	size_t i;

	for (i = 0; i < report->len; i++) {
		unsigned char c = (unsigned char)report->data[i];

		if ((c < ' ' && c != '\n' && c != '\t') || c == 0x7f)
			report->data[i] = '?';
	}
}

/* Wait for it, end what it left behind in its group, take its status. In
 * this order: until it is reaped, its number is nobody else's. */
static int
probe_reap(const struct child *child)
{
	siginfo_t info;
	int status = 0;

	while (waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOWAIT) < 0 &&
	    errno == EINTR)
		continue;
	(void)kill(-child->pid, SIGKILL);
	while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return status;
}

static int
probe_ended(int status, struct err *err)
{
	if (WIFEXITED(status) && (WEXITSTATUS(status) == EXIT_OK ||
	    WEXITSTATUS(status) == EXIT_CONFIG))
		return WEXITSTATUS(status);
	if (WIFSIGNALED(status))
		err_set(err, "the check of the handlers was killed by %s",
		    sig_name(WTERMSIG(status)));
	else
		err_set(err, "the check of the handlers exited with status %d",
		    WEXITSTATUS(status));
	return EXIT_SYSTEM;
}

/* Wait until it ends by itself, at most until the deadline; 0 or -ETIMEDOUT. */
static int
probe_wait_end(const struct child *child, int64_t deadline_at)
{
	struct pollfd pfd = { .fd = child->pidfd, .events = POLLIN };
	int n;

	if (child->pidfd < 0)
		return 0;
	do
		n = poll(&pfd, 1, clock_left_ms(deadline_at));
	while (n < 0 && errno == EINTR);
	return n > 0 ? 0 : -ETIMEDOUT;
}

static int
probe_finish(struct child *child, int fd, struct buf *report, struct err *err)
{
	int64_t deadline_at = clock_after_ms(PROBE_DEADLINE_MS);
	int status, r;

	r = fd_read_all(fd, report, deadline_at);
	if (r == 0)
		r = probe_wait_end(child, deadline_at);
	if (r < 0)
		(void)kill(-child->pid, SIGKILL);       /* its group */
	status = probe_reap(child);
	fd_close(&child->pidfd);
	report_clean(report);
	if (r == 0)
		return probe_ended(status, err);
	if (r == -ETIMEDOUT)
		err_set(err, "the check of the handlers did not end within %d "
		    "seconds", PROBE_DEADLINE_MS / 1000);
	else
		(void)err_errno(err, -r, "the check of the handlers");
	return EXIT_SYSTEM;
}

/* Start it; its side of the pipe is closed here, ours is read. */
static int
probe_run(struct spawn *spawn, int pipe_fds[2], struct buf *report,
    struct err *err)
{
	struct child child;
	int r;

	if (spawn_seal(spawn) < 0) {
		(void)err_errno(err, ENOMEM, "the check of the handlers");
		return EXIT_SYSTEM;
	}
	r = spawn_start(spawn, &child, err);
	fd_close(&pipe_fds[1]);
	return r < 0 ? EXIT_SYSTEM :
	    probe_finish(&child, pipe_fds[0], report, err);
}

static int
probe_config_fd(const struct config *config, struct err *err)
{
	struct buf text;
	int fd;

	buf_init(&text, 0);
	fd = flat_encode(&text, config);
	if (fd == 0)
		fd = fd_memory("config", text.data, text.len);
	buf_free(&text);
	return fd < 0 ? err_errno(err, -fd, "cannot hand over the "
	    "configuration") : fd;
}

static int
probe_pipe(int pipe_fds[2], struct err *err)
{
	if (pipe2(pipe_fds, O_CLOEXEC) == 0)
		return 0;
	pipe_fds[0] = pipe_fds[1] = -1;
	return err_errno(err, errno, "cannot make a pipe");
}

int
probe_check(const struct program *program, const struct config *config,
    struct buf *report, struct err *err)
{
	static const char *const argv[] = {
		"socketserver-service", "check", NULL
	};
	int pipe_fds[2] = { -1, -1 }, config_fd, code = EXIT_SYSTEM;
	struct spawn spawn;

	buf_init(report, REPORT_MAX);
	config_fd = probe_config_fd(config, err);
	if (config_fd < 0 || probe_pipe(pipe_fds, err) < 0)
		goto out;
	if (spawn_init(&spawn, program, argv, 2) < 0) {
		(void)err_errno(err, ENOMEM, "the check of the handlers");
		goto out;
	}
	(void)spawn_pass(&spawn, "config", config_fd);
	(void)spawn_pass(&spawn, "report", pipe_fds[1]);
	code = probe_run(&spawn, pipe_fds, report, err);
	spawn_free(&spawn);
out:
	fd_close(&pipe_fds[0]);
	fd_close(&pipe_fds[1]);
	fd_close(&config_fd);
	return code;
}

int
probe_describe(const struct program *program, const char *const *files,
    struct buf *report, struct err *err)
{
	int pipe_fds[2], code = EXIT_SYSTEM;
	size_t count = 0;
	const char **argv;
	struct spawn spawn;

	buf_init(report, REPORT_MAX);
	while (files[count] != NULL)
		count++;
	argv = calloc(count + 3, sizeof(*argv));
	if (argv == NULL) {
		(void)err_errno(err, ENOMEM, "the list of handlers");
		return EXIT_SYSTEM;
	}
	argv[0] = "socketserver-service";
	argv[1] = "describe";
	for (size_t i = 0; i < count; i++)
		argv[2 + i] = files[i];
	if (probe_pipe(pipe_fds, err) == 0 &&
	    spawn_init(&spawn, program, argv, 0) == 0) {
		spawn.stdout_fd = pipe_fds[1];
		code = probe_run(&spawn, pipe_fds, report, err);
		spawn_free(&spawn);
	}
	fd_close(&pipe_fds[0]);
	fd_close(&pipe_fds[1]);
	free(argv);
	return code;
}
