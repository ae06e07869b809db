/* SPDX-License-Identifier: ISC */
#include "ctl/dial.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/addr.h"
#include "base/fd.h"

static void
loopback_for_wildcard(struct addr *addr)
{
	struct sockaddr_in *sin = (struct sockaddr_in *)&addr->sa;
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)&addr->sa;

	if (addr->sa.ss_family == AF_INET &&
	    sin->sin_addr.s_addr == htonl(INADDR_ANY))
		sin->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (addr->sa.ss_family == AF_INET6 &&
	    IN6_IS_ADDR_UNSPECIFIED(&sin6->sin6_addr))
		sin6->sin6_addr = in6addr_loopback;
}

static int
dial_prepare(int fd, const struct addr *addr)
{
	const struct timeval timeout = { .tv_sec = DIAL_MS / 1000 };
	const sa_family_t family = AF_UNIX;
	const int on = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout,
	    sizeof(timeout)) < 0)
		return -errno;
	/* a line goes out when it is typed */
	if (addr->kind == ADDR_TCP)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (addr->kind == ADDR_UNIXGRAM &&
	    bind(fd, (const struct sockaddr *)&family, sizeof(family)) < 0)
		return -errno;
	return 0;
}

static int
dial_connect(int fd, const struct addr *addr)
{
	int r;

	do
		r = connect(fd, (const struct sockaddr *)&addr->sa, addr->len);
	while (r < 0 && errno == EINTR);
	if (r == 0)
		return 0;
	return errno == EINPROGRESS || errno == EAGAIN ? -ETIMEDOUT : -errno;
}

int
dial(const char *address, bool *is_stream, struct err *err)
{
	struct addr addr;
	int fd, r = addr_parse(&addr, address, err);

	if (r < 0)
		return r;
	if (addr.kind == ADDR_FD) {
		err_set(err, "%s: this is no address to connect to", address);
		return -EINVAL;
	}
	loopback_for_wildcard(&addr);
	*is_stream = addr_is_stream(&addr);
	fd = socket(addr.sa.ss_family, (*is_stream ? SOCK_STREAM : SOCK_DGRAM) |
	    SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_errno(err, errno, "%s", address);
	r = dial_prepare(fd, &addr);
	if (r == 0)
		r = dial_connect(fd, &addr);
	if (r == 0)
		return fd;
	fd_close(&fd);
	return err_errno(err, -r, "%s", address);
}
