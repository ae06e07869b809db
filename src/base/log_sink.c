/* SPDX-License-Identifier: ISC */
#include "base/log_sink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"

#define SYSLOG_SOCKET "/dev/log"
#define JOURNAL_SOCKET "/run/systemd/journal/socket"

static int
sink_connect(int fd, const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	const void *sa = &sun;

	memcpy(sun.sun_path, path, strlen(path) + 1);
	return connect(fd, sa, sizeof(sun)) < 0 ? -errno : 0;
}

static enum sink_method
sink_method(int fd, mode_t mode)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return SINK_POLL;
	if (S_ISSOCK(mode))
		return SINK_SEND;
	if (S_ISREG(mode) || flags & O_NONBLOCK)
		return SINK_WRITE;
	return SINK_POLL;
}

void
sink_set(struct sink *sink, int fd)
{
	struct stat st = { 0 };

	(void)fstat(fd, &st);           /* if not: no file, no socket */
	atomic_store(&sink->is_file, S_ISREG(st.st_mode));
	atomic_store(&sink->method, sink_method(fd, st.st_mode));
	atomic_store(&sink->fd, fd);
	atomic_store(&sink->is_torn, false);
}

/* Room for one page means room for a record, unless another process takes it
 * in between: log_sink_open() avoids this method where it can. */
static ssize_t
poll_and_write(int fd, const char *text, size_t len)
{
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };

	if (poll(&pfd, 1, 0) == 1)
		return write(fd, text, len);
	errno = EAGAIN;
	return -1;
}

static ssize_t
sink_try(const struct sink *sink, int fd, const char *text, size_t len)
{
	ssize_t n;

	do
		switch (atomic_load(&sink->method)) {
		case SINK_SEND:
			n = send(fd, text, len, MSG_DONTWAIT | MSG_NOSIGNAL);
			break;
		case SINK_WRITE:
			n = write(fd, text, len);
			break;
		default:
			n = poll_and_write(fd, text, len);
		}
	while (n < 0 && errno == EINTR);
	return n;
}

/* The log daemon was restarted: connect the same socket again, which serves
 * every process that holds it. */
static bool
sink_recover(const struct sink *sink, int fd)
{
	if (sink->kind == LOG_KIND_STREAM ||
	    (errno != ECONNREFUSED && errno != ENOTCONN && errno != ECONNRESET))
		return false;
	return sink_connect(fd, sink->kind == LOG_KIND_SYSLOG ?
	    SYSLOG_SOCKET : JOURNAL_SOCKET) == 0;
}

int
sink_put(struct sink *sink, char *text, size_t len)
{
	const int fd = atomic_load_explicit(&sink->fd, memory_order_relaxed);
	ssize_t n;

	if (atomic_load_explicit(&sink->is_torn, memory_order_relaxed)) {
		*--text = '\n';
		len++;
	}
	n = sink_try(sink, fd, text, len);
	if (n < 0 && sink_recover(sink, fd))
		n = sink_try(sink, fd, text, len);
	if (n < 0)
		return -errno;
	if ((size_t)n == len && text[0] != '\n')
		return 0;
	/* an end of a torn record that went out alone is no harm */
	atomic_store(&sink->is_torn, (size_t)n < len);
	return (size_t)n < len ? -EAGAIN : 0;
}

static int
open_datagram(const char *path, enum log_kind kind_of, enum log_kind *kind,
    struct err *err)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r;

	if (fd < 0)
		return err_errno(err, errno,
		    "cannot make a socket for the log");
	r = sink_connect(fd, path);
	if (r) {
		fd_close(&fd);
		return err_errno(err, -r, "cannot connect the log to %s", path);
	}
	*kind = kind_of;
	return fd;
}

static int
open_syslog(const char *path, enum log_kind *kind, struct err *err)
{
	(void)path;
	return open_datagram(SYSLOG_SOCKET, LOG_KIND_SYSLOG, kind, err);
}

static int
open_journal(const char *path, enum log_kind *kind, struct err *err)
{
	(void)path;
	return open_datagram(JOURNAL_SOCKET, LOG_KIND_JOURNAL, kind, err);
}

/* A pipe or terminal is opened anew, as O_NONBLOCK on the old open file would
 * be seen by everyone who shares it. A plain file is not: the new open file
 * would have an offset of its own and the two would overwrite each other. */
static int
open_stderr(const char *path, enum log_kind *kind, struct err *err)
{
	struct stat st;
	int fd = -1;

	(void)path;
	*kind = LOG_KIND_STREAM;
	if (fstat(2, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode)))
		fd = open("/proc/self/fd/2",
		    O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		fd = fcntl(2, F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		return err_errno(err, errno, "cannot log to standard error");
	return fd;
}

static int
open_file(const char *path, enum log_kind *kind, struct err *err)
{
	int fd = fd_open_nofollow(path,
	    O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK, 0640);

	if (fd < 0)
		return err_errno(err, -fd, "cannot open the log file %s", path);
	*kind = LOG_KIND_STREAM;
	return fd;
}

/* Is standard error the journal's? systemd.exec(5): JOURNAL_STREAM. */
static bool
is_under_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char text[64];
	struct stat st;

	if (!stream || fstat(2, &st) < 0)
		return false;
	(void)snprintf(text, sizeof(text), "%ju:%ju", (uintmax_t)st.st_dev,
	    (uintmax_t)st.st_ino);
	return !strcmp(stream, text);
}

static int
open_auto(const char *path, enum log_kind *kind, struct err *err)
{
	int fd = is_under_journal() ? open_journal(path, kind, NULL) : -1;

	return fd >= 0 ? fd : open_stderr(path, kind, err);
}

static const struct {
	const char *word;
	bool has_path;
	int (*open)(const char *path, enum log_kind *kind, struct err *err);
} targets[] = {
	{ "auto", false, open_auto },
	{ "stderr", false, open_stderr },
	{ "syslog", false, open_syslog },
	{ "journal", false, open_journal },
	{ "file:", true, open_file },
};

int
log_sink_open(const char *target, enum log_kind *kind, struct err *err)
{
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		const size_t len = strlen(targets[i].word);

		if (!strncmp(target, targets[i].word, len) &&
		    (targets[i].has_path ? target[len] == '/' : !target[len]))
			return targets[i].open(target + len, kind, err);
	}
	err_set(err, "\"%s\" is no log target; one is auto, stderr, syslog, "
	    "journal or file:/PATH", target);
	return -EINVAL;
}
