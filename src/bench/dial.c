/* SPDX-License-Identifier: ISC */
#include "bench/dial.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"

/* sin_port and sin6_port are at the same place. */
static bool
is_port_missing(const struct addr *addr)
{
	return addr->sa.ss_family != AF_UNIX &&
	    ((const struct sockaddr_in *)&addr->sa)->sin_port == 0;
}

int
dial_address(struct addr *addr, const char *text, struct err *err)
{
	int r = addr_resolve(addr, 1, text, err);

	if (r < 0)
		return r;
	if (addr->kind != ADDR_FD && !is_port_missing(addr))
		return 0;
	err_set(err, "%s: this is no address to connect to", text);
	return -EINVAL;
}

bool
dial_source(const struct addr *addr, uint64_t number,
    struct sockaddr_storage *source)
{
	const struct sockaddr_in *to = (const struct sockaddr_in *)&addr->sa;
	const uint32_t chosen =
	    (uint32_t)(number / DIAL_PER_SOURCE % DIAL_SOURCES);
	struct sockaddr_in from = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK + chosen),
	};

	if (addr->sa.ss_family != AF_INET || chosen == 0 ||
	    ntohl(to->sin_addr.s_addr) >> 24 != IN_LOOPBACKNET)
		return false;
	memset(source, 0, sizeof(*source));
	memcpy(source, &from, sizeof(from));
	return true;
}

static int
source_bind(int fd, const struct addr *addr, uint64_t number)
{
	const sa_family_t family = AF_UNIX;
	struct sockaddr_storage source;
	const int on = 1;
	int r = 0;

	/* a Unix datagram socket needs a name to be answered; this asks for
	 * any (unix(7), autobind) */
	if (addr->kind == ADDR_UNIXGRAM)
		r = bind(fd, (const struct sockaddr *)&family, sizeof(family));
	else if (dial_source(addr, number, &source)) {
		(void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on,
		    sizeof(on));
		r = bind(fd, (struct sockaddr *)&source,
		    sizeof(struct sockaddr_in));
	}
	return r < 0 ? -errno : 0;
}

static int
connect_start(int fd, const struct addr *addr)
{
	int r = connect(fd, (const struct sockaddr *)&addr->sa, addr->len);

	return r == 0 || errno == EINPROGRESS ? 0 : -errno;
}

int
dial_start(const struct addr *addr, uint64_t number, bool is_prompt)
{
	const int on = 1;
	int fd, r;

	fd = socket(addr->sa.ss_family, (addr_is_stream(addr) ? SOCK_STREAM :
	    SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	/* requests that follow each other do not wait for an acknowledgement */
	if (addr->kind == ADDR_TCP && is_prompt)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	r = source_bind(fd, addr, number);
	if (r == 0)
		r = connect_start(fd, addr);
	if (r < 0)
		fd_close(&fd);
	return r < 0 ? r : fd;
}
