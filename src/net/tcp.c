/* SPDX-License-Identifier: ISC */
/*
 * TCP. What a connection needs is set on the listening socket, from which the
 * kernel copies it into each connection: an accepted one costs no setsockopt.
 * The supervisor opens, a service readies and takes.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>

#include "base/fd.h"
#include "net/inet.h"
#include "net/socket.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A peer that vanished is noticed after 60 + 4 * 15 s. */
#define KEEPALIVE_IDLE_S 60
#define KEEPALIVE_INTERVAL_S 15
#define KEEPALIVE_PROBES 4

/* On a listening socket or on one connection. Everything is set, also to its
 * default: the socket may have served another generation. */
static int
set_inherited(int fd, const struct listener_conf *conf, struct err *err)
{
	int64_t idle_s = conf->keepalive_s > 0 ? conf->keepalive_s :
	    KEEPALIVE_IDLE_S;
	const struct socket_option options[] = {
		{ IPPROTO_TCP, TCP_NODELAY, conf->nodelay, "nodelay" },
		{ SOL_SOCKET, SO_KEEPALIVE, conf->keepalive_s != 0,
		  "keepalive" },
		{ IPPROTO_TCP, TCP_KEEPIDLE, idle_s, "keepalive" },
		{ IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S,
		  "the keepalive interval" },
		{ IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES,
		  "the keepalive probes" },
		{ IPPROTO_TCP, TCP_USER_TIMEOUT, conf->timeout_ms, "timeout" },
	};
	int r = socket_set(fd, options, COUNT(options), err);

	if (r == 0)
		r = socket_set_timeouts(fd, conf->timeout_ms);
	if (r == 0)
		r = socket_set_buffers(fd, conf, err);
	return r;
}

/* Also to their defaults, 0: the socket may have had others. */
static int
set_queue(const struct endpoint *ep, const struct listener_conf *conf,
    struct err *err)
{
	const struct socket_option options[] = {
		{ IPPROTO_TCP, TCP_DEFER_ACCEPT, conf->defer_accept_s,
		  "defer_accept" },
		{ IPPROTO_TCP, TCP_FASTOPEN, conf->fastopen, "fastopen" },
	};

	return socket_set(ep->fd, options, COUNT(options), err);
}

static int
open_prepare(struct endpoint *ep, const struct listener_conf *conf,
    struct err *err)
{
	const struct socket_option reuse = {
		SOL_SOCKET, SO_REUSEADDR, 1, "reuse_address",
	};
	int r = socket_set(ep->fd, &reuse, conf->reuse_address, err);

	if (r == 0)
		r = inet_prepare(ep, conf, err);
	if (r == 0 && (conf->defer_accept_s > 0 || conf->fastopen > 0))
		r = set_queue(ep, conf, err);
	/* what is queued before a service is there needs the timeouts too */
	if (r == 0)
		r = set_inherited(ep->fd, conf, err);
	return r;
}

static int
tcp_open(struct endpoint *ep, const struct listener_conf *conf, struct err *err)
{
	int r = socket_new(ep, SOCK_STREAM, err);

	if (r == 0)
		r = open_prepare(ep, conf, err);
	if (r == 0)
		r = socket_bind(ep, err);
	if (r == 0 && !ep->is_late)
		r = socket_listen(ep, conf, err);
	if (r < 0)
		fd_close(&ep->fd);
	return r;
}

/* A socket that is bound only is chosen for no connection. */
static int
tcp_join(struct endpoint *ep, const struct listener_conf *conf, struct err *err)
{
	return socket_listen(ep, conf, err);
}

/* listen(2) on a socket that listens changes its backlog; what waits in the
 * queue stays there. */
static int
tcp_apply(struct endpoint *ep, const struct listener_conf *conf,
    struct err *err)
{
	int r = inet_apply(ep, conf, err);

	if (r == 0)
		r = set_queue(ep, conf, err);
	return r < 0 ? r : socket_listen(ep, conf, err);
}

/* How many connections wait: tcp_info of a listening socket tells it in
 * tcpi_unacked (tcp_get_info() in Linux). */
static unsigned
queue_length(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
		return 0;
	return info.tcpi_unacked;
}

/*
 * Connections that are queued already have what the socket had when they came:
 * another generation's timeouts, or systemd's, which are none. The queue is
 * first in, first out, so the first so many that this process takes are the
 * ones to look after; prepare() does.
 */
static int
note_queued(struct endpoint *ep)
{
	unsigned queued = queue_length(ep->fd);

	if (queued == 0 && !ep->queued)
		return 0;
	if (!ep->queued)
		ep->queued = malloc(sizeof(*ep->queued));
	if (!ep->queued)
		return -ENOMEM;
	atomic_init(ep->queued, queued);
	return 0;
}

static int
tcp_ready(struct endpoint *ep, const struct listener_conf *conf,
    struct err *err)
{
	int r = set_inherited(ep->fd, conf, err);

	socket_reset_buffers(ep->fd, conf);
	return r < 0 ? r : note_queued(ep);
}

static bool
was_queued(atomic_uint *queued)
{
	unsigned left = queued ? atomic_load(queued) : 0;

	while (left > 0)
		if (atomic_compare_exchange_weak(queued, &left, left - 1))
			return true;
	return false;
}

static int
tcp_prepare(const struct arrival *arrival, const struct listener_conf *conf)
{
	if (!was_queued(arrival->endpoint->queued))
		return 0;
	return set_inherited(arrival->fd, conf, NULL);
}

static void
tcp_close(struct endpoint *ep)
{
	fd_close(&ep->fd);
	free(ep->queued);
	ep->queued = NULL;
}

const struct transport tcp_transport = {
	.scheme = "tcp",
	.kind = ADDR_TCP,
	.is_stream = true,
	.open = tcp_open,
	.join = tcp_join,
	.ready = tcp_ready,
	.apply = tcp_apply,
	.take = socket_accept,
	.prepare = tcp_prepare,
	.close = tcp_close,
};
