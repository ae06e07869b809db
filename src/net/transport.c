/* SPDX-License-Identifier: ISC */
/*
 * The table of transports, and endpoints: a socket with the transport that
 * knows how to use it. The supervisor opens endpoints; a service adopts the
 * sockets it inherited.
 */
#include "net/transport.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <poll.h>
#include <string.h>

#include "base/fd.h"
#include "net/inet.h"
#include "net/socket.h"
#include "net/unix_path.h"

/* What the kernel says of a socket, and what that is here. */
struct family {
	int domain, type;
	enum addr_kind kind;
};

static const struct family families[] = {
	{ AF_INET, SOCK_STREAM, ADDR_TCP },
	{ AF_INET6, SOCK_STREAM, ADDR_TCP },
	{ AF_INET, SOCK_DGRAM, ADDR_UDP },
	{ AF_INET6, SOCK_DGRAM, ADDR_UDP },
	{ AF_UNIX, SOCK_STREAM, ADDR_UNIX },
	{ AF_UNIX, SOCK_DGRAM, ADDR_UNIXGRAM },
};

static const struct family *
family_of(int domain, int type)
{
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		if (families[i].domain == domain && families[i].type == type)
			return &families[i];
	return NULL;
}

/* The socket's own name, with the port that the kernel chose. addr keeps the
 * family of the socket; the text is canonical. */
static int
learn_name(struct endpoint *ep)
{
	struct addr shown;

	ep->addr.len = sizeof(ep->addr.sa);
	if (getsockname(ep->fd, (struct sockaddr *)&ep->addr.sa,
		&ep->addr.len) < 0)
		return -errno;
	shown = ep->addr;
	addr_canonical(&shown.sa, &shown.len);
	(void)addr_format(&shown, ep->address);
	return 0;
}

static void
endpoint_clear(struct endpoint *ep)
{
	memset(ep, 0, sizeof(*ep));
	ep->fd = -1;
	ep->lock_fd = -1;
}

int
endpoint_open(struct endpoint *ep, const char *address,
    const struct listener_conf *conf, struct err *err)
{
	int r;

	endpoint_clear(ep);
	r = addr_parse(&ep->addr, address, err);
	if (r < 0)
		return r;
	ep->transport = transport_of(ep->addr.kind);
	if (!ep->transport) {
		err_set(err, "%s is handed over, not opened", address);
		return -EINVAL;
	}
	(void)addr_format(&ep->addr, ep->address);
	r = ep->transport->open(ep, conf, err);
	if (r < 0)
		return r;
	r = learn_name(ep);
	if (r == 0)
		return 0;
	endpoint_close(ep);
	return err_errno(err, -r, "cannot listen on %s", address);
}

int
endpoint_open_beside(struct endpoint *ep, const struct endpoint *first,
    const struct listener_conf *conf, bool is_late, struct err *err)
{
	int r = socket_share_port(first->fd, err);

	endpoint_clear(ep);
	if (r < 0)
		return r;
	ep->transport = first->transport;
	ep->addr = first->addr;
	ep->is_beside = true;
	ep->is_late = is_late;
	memcpy(ep->address, first->address, sizeof(ep->address));
	return ep->transport->open(ep, conf, err);
}

int
endpoint_join(struct endpoint *ep, const struct listener_conf *conf,
    struct err *err)
{
	int r = ep->is_late ? ep->transport->join(ep, conf, err) : 0;

	ep->is_late = ep->is_late && r < 0;
	return r;
}

/* The transport of a socket; NULL with *err when it is none that can serve. */
static const struct transport *
recognise(int fd, struct err *err)
{
	int domain = socket_ask(fd, SO_DOMAIN);
	int type = socket_ask(fd, SO_TYPE);
	const struct family *family = family_of(domain, type);

	if (domain < 0 || type < 0) {
		err_set(err, "descriptor %d is no socket", fd);
		return NULL;
	}
	if (!family) {
		err_set(err, "the socket of descriptor %d is of no kind that "
		    "can be served: TCP, UDP, Unix stream or datagram", fd);
		return NULL;
	}
	return transport_of(family->kind);
}

static bool
is_bound(const struct endpoint *ep)
{
	/* an IP socket has a name before it has a port */
	if (ep->addr.sa.ss_family == AF_UNIX)
		return ep->addr.len > sizeof(sa_family_t);
	return inet_port(&ep->addr) != 0;
}

int
endpoint_settle(struct endpoint *ep, struct err *err)
{
	int r = learn_name(ep);

	if (r < 0)
		return err_errno(err, -r, "descriptor %d", ep->fd);
	ep->is_wildcard = inet_is_wildcard(&ep->addr);
	return 0;
}

int
endpoint_receive(struct endpoint *ep, int fd, struct err *err)
{
	int r;

	endpoint_clear(ep);
	ep->transport = recognise(fd, err);
	if (!ep->transport)
		return -EINVAL;
	ep->addr.kind = ep->transport->kind;
	ep->fd = fd;
	ep->is_adopted = true;
	r = endpoint_settle(ep, err);
	if (r < 0)
		endpoint_clear(ep);
	return r;
}

/* Is it bound, and does it listen? */
static int
check_serves(const struct endpoint *ep, struct err *err)
{
	if (ep->transport->is_stream &&
	    socket_ask(ep->fd, SO_ACCEPTCONN) != 1)
		err_set(err, "the socket of descriptor %d does not listen; "
		    "with systemd, set Accept=no in the socket unit", ep->fd);
	else if (!is_bound(ep))
		err_set(err, "the socket of descriptor %d is not bound",
		    ep->fd);
	else
		return 0;
	return -EINVAL;
}

int
endpoint_adopt(struct endpoint *ep, int fd, struct err *err)
{
	int r = endpoint_receive(ep, fd, err);

	if (r == 0 && (r = check_serves(ep, err)) < 0)
		endpoint_clear(ep);
	return r;
}

int
endpoint_apply(struct endpoint *ep, const struct listener_conf *conf,
    struct err *err)
{
	return ep->is_adopted ? 0 : ep->transport->apply(ep, conf, err);
}

int
endpoint_resume(struct endpoint *ep, const struct listener_conf *conf,
    struct err *err)
{
	int r = ep->transport->claim ? ep->transport->claim(ep, err) : 0;

	if (r == 0)
		r = ep->transport->apply(ep, conf, err);
	if (r < 0)
		unix_path_disclaim(ep);
	ep->is_adopted = r < 0;
	return r;
}

void
endpoint_close(struct endpoint *ep)
{
	if (ep->transport)
		ep->transport->close(ep);
	else
		fd_close(&ep->fd);
}

int
endpoint_queue(const struct endpoint *ep, struct endpoint_queue *queue)
{
	uint32_t info[SK_MEMINFO_VARS] = { 0 };
	socklen_t len = sizeof(info);

	if (getsockopt(ep->fd, SOL_SOCKET, SO_MEMINFO, info, &len) < 0)
		return -errno;
	queue->dropped = info[SK_MEMINFO_DROPS];
	queue->size_bytes = info[SK_MEMINFO_RCVBUF];
	return 0;
}

bool
endpoint_is_empty(const struct endpoint *ep)
{
	struct pollfd pfd = { .fd = ep->fd, .events = POLLIN };

	return poll(&pfd, 1, 0) <= 0;
}

int
endpoint_set_nonblock(const struct endpoint *ep, bool on)
{
	return fd_set_nonblock(ep->fd, on);
}

bool
endpoint_shares_port(const struct endpoint *ep)
{
	return (ep->addr.kind == ADDR_TCP || ep->addr.kind == ADDR_UDP) &&
	    socket_ask(ep->fd, SO_REUSEPORT) == 1;
}

const struct transport *
transport_of(enum addr_kind kind)
{
	for (size_t i = 0; transports[i]; i++)
		if (transports[i]->kind == kind)
			return transports[i];
	return NULL;
}

const struct transport *const transports[] = {
	&tcp_transport,
	&udp_transport,
	&unix_transport,
	&unixgram_transport,
	NULL,
};
