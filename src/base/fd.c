/* SPDX-License-Identifier: ISC */
#include "base/fd.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

/* Linux 6.3: not executable, and that is sealed. A system with
 * vm.memfd_noexec=2 grants no memory file without it (memfd_create(2)). */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

#define FD_READ_SIZE 16384      /* bytes a read */

/* close(2): after EINTR the descriptor is closed on Linux; never again. */
void
fd_close(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
	errno = saved;
}

int
fd_set_cloexec(int fd, bool on)
{
	return fcntl(fd, F_SETFD, on ? FD_CLOEXEC : 0) < 0 ? -errno : 0;
}

int
fd_set_nonblock(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return -errno;
	flags = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
	return fcntl(fd, F_SETFL, flags) < 0 ? -errno : 0;
}

/* Going up, the closed one is the lowest free one, which open(2) gives. */
int
fd_fill_standard(void)
{
	for (int fd = 0; fd <= 2; fd++) {
		int opened;

		if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
			continue;
		/* open over exec on purpose: the next program needs it too */
		/* NOLINTNEXTLINE(android-cloexec-open) */
		opened = open("/dev/null", O_RDWR);
		if (opened < 0)
			return -errno;
	}
	return 0;
}

int
fd_write_all(int fd, const void *data, size_t len)
{
	const char *at = data;

	while (len) {
		ssize_t n = write(fd, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

/* 1 when there is something to read (an end or an error too), or -errno. */
static int
fd_wait_readable(int fd, long long deadline_at)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	for (;;) {
		int left_ms = clock_left_ms(deadline_at);
		int n = left_ms ? poll(&pfd, 1, left_ms) : 0;

		if (n > 0)
			return 1;
		if (n == 0)
			return -ETIMEDOUT;
		if (errno != EINTR)
			return -errno;
	}
}

int
fd_read_all(int fd, struct buf *buf, long long deadline_at)
{
	char data[FD_READ_SIZE];

	for (;;) {
		int r = fd_wait_readable(fd, deadline_at);
		ssize_t n;

		if (r < 0)
			return r;
		n = read(fd, data, sizeof(data));
		if (n == 0)
			return 0;
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return -errno;
		r = buf_append(buf, data, (size_t)n);
		if (r)
			return r;
	}
}

int
fd_memory_new(const char *name)
{
	const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	int fd = memfd_create(name, flags | MFD_NOEXEC_SEAL);

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create(name, flags);
	return fd < 0 ? -errno : fd;
}

int
fd_memory(const char *name, const void *data, size_t len)
{
	const int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW |
	    F_SEAL_WRITE;
	int fd = fd_memory_new(name);
	int r;

	if (fd < 0)
		return fd;
	r = fd_write_all(fd, data, len);
	if (!r && (lseek(fd, 0, SEEK_SET) < 0 ||
	    fcntl(fd, F_ADD_SEALS, seals) < 0))
		r = -errno;
	if (r)
		fd_close(&fd);
	return r ? r : fd;
}

int
fd_open_nofollow(const char *path, int flags, mode_t mode)
{
	int fd;

	do
		fd = open(path, flags | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY,
		    mode);
	while (fd < 0 && errno == EINTR);
	return fd < 0 ? -errno : fd;
}

static int
fd_fill_file(int fd, const void *data, size_t len, mode_t mode)
{
	int r = fd_write_all(fd, data, len);

	if (r)
		return r;
	return fchmod(fd, mode) < 0 || fsync(fd) < 0 ? -errno : 0;
}

int
fd_replace_file(const char *path, const void *data, size_t len, mode_t mode,
    struct err *err)
{
	char *temporary = NULL;
	int fd, r;

	if (asprintf(&temporary, "%s.XXXXXX", path) < 0)
		return err_errno(err, ENOMEM, "%s", path);
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0) {
		r = err_errno(err, errno, "cannot make a file beside %s", path);
		free(temporary);
		return r;
	}
	r = fd_fill_file(fd, data, len, mode);
	fd_close(&fd);
	if (!r && rename(temporary, path) < 0)
		r = -errno;
	if (r) {
		/* the first fault is the one to tell */
		(void)unlink(temporary);
		r = err_errno(err, -r, "cannot write %s", path);
	}
	free(temporary);
	return r;
}

/* unix(7), "Ancillary messages": one byte must go with the descriptor. */
union pass_control {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(sizeof(int))];
};

int
fd_pass(int socket, int fd)
{
	union pass_control control = { .bytes = { 0 } };
	char byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	assert(c);              /* msg has room for it */
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	return sendmsg(socket, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ?
	    -errno : 0;
}

int
fd_catch(int socket)
{
	union pass_control control;
	char byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	ssize_t n = recvmsg(socket, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	struct cmsghdr *c;
	int fd;

	if (n <= 0)
		return n < 0 ? -errno : -EPIPE;
	c = CMSG_FIRSTHDR(&msg);
	if (!c || c->cmsg_type != SCM_RIGHTS ||
	    c->cmsg_len != CMSG_LEN(sizeof(int)))
		return -EBADMSG;
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}
