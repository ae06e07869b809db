/* SPDX-License-Identifier: ISC */
/*
 * What the transports share. The supervisor calls the upper half (make, set,
 * bind), a service the lower one (take). Owns nothing.
 */
#include "net/socket.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <sys/time.h>

#include "base/fd.h"
#include "net/inet.h"

/* socket.h of Linux; the C library may be older. */
#ifndef SO_BUF_LOCK
#define SO_BUF_LOCK 72
#endif
#define BUF_LOCK_SNDBUF 1
#define BUF_LOCK_RCVBUF 2

static int
clamp_int(int64_t value)
{
	if (value > INT_MAX)
		return INT_MAX;
	return value < INT_MIN ? INT_MIN : (int)value;
}

int
socket_new(struct endpoint *ep, int type, struct err *err)
{
	int family = ep->addr.sa.ss_family;

	ep->fd = socket(family, type | SOCK_CLOEXEC, 0);
	if (ep->fd >= 0)
		return 0;
	if (errno != EAFNOSUPPORT)
		return err_errno(err, errno, "cannot make a socket for %s",
		    ep->address);
	err_set(err, "cannot listen on %s: this system has no %s", ep->address,
	    family == AF_INET6 ? "IPv6; remove the address" : "such sockets");
	return -EAFNOSUPPORT;
}

int
socket_set(int fd, const struct socket_option *options, size_t count,
    struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		int value = clamp_int(options[i].value);

		if (setsockopt(fd, options[i].level, options[i].name, &value,
			sizeof(value)) < 0)
			return err_errno(err, errno, "cannot set %s to %d",
			    options[i].key, value);
	}
	return 0;
}

int
socket_share_port(int fd, struct err *err)
{
	const struct socket_option option = {
		SOL_SOCKET, SO_REUSEPORT, 1, "reuse_port",
	};

	return socket_set(fd, &option, 1, err);
}

int
socket_ask(int fd, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	if (getsockopt(fd, SOL_SOCKET, name, &value, &len) < 0)
		return -errno;
	return value;
}

int
socket_set_timeouts(int fd, int64_t timeout_ms)
{
	struct timeval tv = {
		.tv_sec = timeout_ms / 1000,
		.tv_usec = timeout_ms % 1000 * 1000,
	};

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)) < 0)
		return -errno;
	return 0;
}

int
socket_set_buffers(int fd, const struct listener_conf *conf, struct err *err)
{
	const struct socket_option rcvbuf = {
		SOL_SOCKET, SO_RCVBUF, conf->rcvbuf_bytes, "rcvbuf",
	};
	const struct socket_option sndbuf = {
		SOL_SOCKET, SO_SNDBUF, conf->sndbuf_bytes, "sndbuf",
	};
	int r = socket_set(fd, &rcvbuf, conf->rcvbuf_bytes > 0, err);

	if (r == 0)
		r = socket_set(fd, &sndbuf, conf->sndbuf_bytes > 0, err);
	return r;
}

/* What a new socket of the same kind has; setsockopt(2) wants half of what
 * getsockopt(2) says (socket(7)). */
static int
initial_buffer(int fd, int name)
{
	int fresh = socket(socket_ask(fd, SO_DOMAIN),
	    socket_ask(fd, SO_TYPE) | SOCK_CLOEXEC, 0);
	int size = fresh < 0 ? -errno : socket_ask(fresh, name);

	fd_close(&fresh);
	return size < 0 ? size : size / 2;
}

/* SO_BUF_LOCK tells which sizes somebody set, and takes that back: without it
 * the kernel would not adapt a size any more. */
static void
reset_buffer(int fd, int name, int lock)
{
	int locks = socket_ask(fd, SO_BUF_LOCK), size;

	if (locks < 0 || !(locks & lock))
		return;
	size = initial_buffer(fd, name);
	locks &= ~lock;
	if (size > 0 &&
	    setsockopt(fd, SOL_SOCKET, name, &size, sizeof(size)) == 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_BUF_LOCK, &locks,
		    sizeof(locks));
}

void
socket_reset_buffers(int fd, const struct listener_conf *conf)
{
	if (conf->sndbuf_bytes == 0)
		reset_buffer(fd, SO_SNDBUF, BUF_LOCK_SNDBUF);
	if (conf->rcvbuf_bytes == 0)
		reset_buffer(fd, SO_RCVBUF, BUF_LOCK_RCVBUF);
}

static int
unix_failed(const struct endpoint *ep, int code, struct err *err)
{
	switch (code) {
	case EADDRINUSE:
		err_set(err, "cannot listen on %s: another program has this "
		    "name; find it with: ss -lxp", ep->address);
		return -code;
	case ENOENT:
		err_set(err, "cannot listen on %s: its directory does not "
		    "exist; make it first", ep->address);
		return -code;
	case EACCES:
		err_set(err, "cannot listen on %s: no permission to make a "
		    "file in its directory", ep->address);
		return -code;
	default:
		return err_errno(err, code, "cannot listen on %s", ep->address);
	}
}

/* Say what the operator can do about a bind(2) or listen(2) that failed. */
static int
bind_failed(const struct endpoint *ep, int code, struct err *err)
{
	unsigned port = inet_port(&ep->addr);

	if (ep->addr.sa.ss_family == AF_UNIX)
		return unix_failed(ep, code, err);
	switch (code) {
	case EADDRINUSE:
		err_set(err, "cannot listen on %s: the address is in use; "
		    "find by whom with: ss -lntup 'sport = :%u'",
		    ep->address, port);
		return -code;
	case EACCES:
		err_set(err, "cannot listen on %s: ports below 1024 need "
		    "CAP_NET_BIND_SERVICE, or a socket of systemd "
		    "(listen = \"fd:NAME\")", ep->address);
		return -code;
	case EADDRNOTAVAIL:
		err_set(err, "cannot listen on %s: this machine does not have "
		    "the address; set freebind = true to bind before it is "
		    "there", ep->address);
		return -code;
	default:
		return err_errno(err, code, "cannot listen on %s", ep->address);
	}
}

int
socket_bind(const struct endpoint *ep, struct err *err)
{
	if (bind(ep->fd, (const struct sockaddr *)&ep->addr.sa,
		ep->addr.len) < 0)
		return bind_failed(ep, errno, err);
	return 0;
}

/* Two sockets with SO_REUSEADDR may both be bound; the second to listen gets
 * EADDRINUSE here. */
int
socket_listen(const struct endpoint *ep, const struct listener_conf *conf,
    struct err *err)
{
	if (listen(ep->fd, clamp_int(conf->backlog)) < 0)
		return bind_failed(ep, errno, err);
	return 0;
}

/* The list of accept(2), "Error handling", and what a firewall adds. */
int
socket_take_error(int code)
{
	switch (code) {
	case EPROTO:
	case EPERM:
	case ENETDOWN:
	case ENETUNREACH:
	case ENONET:
	case ENOPROTOOPT:
	case EHOSTDOWN:
	case EHOSTUNREACH:
	case EOPNOTSUPP:
	case ETIMEDOUT:
	case ECONNREFUSED:
	case ECONNRESET:
	case ECONNABORTED:
	case EMSGSIZE:
		return -ECONNABORTED;
	default:
		return -code;
	}
}

void
socket_peer(struct arrival *arrival, socklen_t len)
{
	if (len <= sizeof(sa_family_t)) {
		arrival->peer.ss_family = AF_UNIX;
		len = 0;
	}
	arrival->peer_len = len;
	if (arrival->peer.ss_family == AF_INET6)
		addr_canonical(&arrival->peer, &arrival->peer_len);
}

static int
accepted(const struct endpoint *ep, struct arrival *arrival, int fd,
    socklen_t len)
{
	arrival->endpoint = ep;
	arrival->fd = fd;
	arrival->local_len = 0;
	socket_peer(arrival, len);
	return 0;
}

/* A client that has reset its connection already has no name for getpeername(2),
 * but is accepted all the same. accept4(2) tells its name, and SO_PEERNAME, which
 * must be asked for as many bytes as there are. */
int
endpoint_accepted(const struct endpoint *ep, struct arrival *arrival, int fd)
{
	struct sockaddr *peer = (struct sockaddr *)&arrival->peer;
	socklen_t len = sizeof(arrival->peer);
	int r;

	if (fd < 0)
		return socket_take_error(-fd);
	if (ep->addr.kind == ADDR_TCP) {
		len = ep->addr.len;
		r = getsockopt(fd, SOL_SOCKET, SO_PEERNAME, peer, &len);
	} else
		r = getpeername(fd, peer, &len);
	if (r < 0) {            /* no rule could be applied to it */
		fd_close(&fd);
		return -ECONNABORTED;
	}
	return accepted(ep, arrival, fd, len);
}

int
socket_accept(const struct endpoint *ep, struct arrival *arrival, bool wait)
{
	socklen_t len = sizeof(arrival->peer);
	int fd;

	(void)wait;     /* there is no MSG_DONTWAIT here */
	fd = accept4(ep->fd, (struct sockaddr *)&arrival->peer, &len,
	    SOCK_CLOEXEC);
	return fd < 0 ? socket_take_error(errno) :
	    accepted(ep, arrival, fd, len);
}

int
socket_receive(const struct endpoint *ep, struct arrival *arrival, bool wait)
{
	socklen_t len = sizeof(arrival->peer);
	ssize_t n = recvfrom(ep->fd, arrival->data, arrival->size,
	    wait ? 0 : MSG_DONTWAIT, (struct sockaddr *)&arrival->peer, &len);

	if (n < 0)
		return socket_take_error(errno);
	arrival->endpoint = ep;
	arrival->fd = ep->fd;
	arrival->len = (size_t)n;
	arrival->local_len = 0;
	arrival->local_ifindex = 0;
	socket_peer(arrival, len);
	return 0;
}

int
socket_reply(const struct arrival *arrival, const void *data, size_t len)
{
	if (arrival->peer_len == 0)
		return -EDESTADDRREQ;
	if (sendto(arrival->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL,
		(const struct sockaddr *)&arrival->peer,
		arrival->peer_len) < 0)
		return -errno;
	return 0;
}
