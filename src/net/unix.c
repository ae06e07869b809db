/* SPDX-License-Identifier: ISC */
/*
 * Unix sockets, stream and datagram, with a file or an abstract name. What
 * concerns the file is in unix_path.c.
 */
#include <errno.h>
#include <string.h>
#include <sys/un.h>

#include "base/fd.h"
#include "net/socket.h"
#include "net/unix_path.h"

static bool
is_abstract(const struct addr *addr)
{
	const struct sockaddr_un *un = (const void *)&addr->sa;

	return un->sun_path[0] == '\0';
}

/* The file goes before the descriptor, which holds its inode. */
static void
unix_close(struct endpoint *ep)
{
	if (ep->owns_path)
		unix_path_release(ep);
	fd_close(&ep->fd);
}

static int
open_bound(struct endpoint *ep, int type, const struct listener_conf *conf,
    struct err *err)
{
	int r = socket_new(ep, type, err);

	if (r == 0)
		r = socket_set_buffers(ep->fd, conf, err);
	if (r == 0 && is_abstract(&ep->addr))
		r = socket_bind(ep, err);
	else if (r == 0)
		r = unix_path_bind(ep, conf, err);
	if (r < 0)
		fd_close(&ep->fd);
	return r;
}

static int
unix_open(struct endpoint *ep, const struct listener_conf *conf,
    struct err *err)
{
	int r = open_bound(ep, SOCK_STREAM, conf, err);

	if (r < 0)
		return r;
	r = socket_listen(ep, conf, err);
	if (r < 0)
		unix_close(ep);
	return r;
}

static int
unixgram_open(struct endpoint *ep, const struct listener_conf *conf,
    struct err *err)
{
	return open_bound(ep, SOCK_DGRAM, conf, err);
}

static int
unix_apply(struct endpoint *ep, const struct listener_conf *conf,
    struct err *err)
{
	int r = ep->owns_path ? unix_path_apply(ep, conf, err) : 0;

	return r < 0 || !ep->transport->is_stream ? r :
	    socket_listen(ep, conf, err);
}

static int
unix_claim(struct endpoint *ep, struct err *err)
{
	return is_abstract(&ep->addr) ? 0 : unix_path_claim(ep, err);
}

/* A connection inherits nothing from a listening Unix socket: see prepare. */
static int
unix_ready(struct endpoint *ep, const struct listener_conf *conf,
    struct err *err)
{
	(void)ep;
	(void)conf;
	(void)err;
	return 0;
}

static int
unix_prepare(const struct arrival *arrival, const struct listener_conf *conf)
{
	int r = socket_set_buffers(arrival->fd, conf, NULL);

	if (r < 0 || conf->timeout_ms == 0)
		return r;
	return socket_set_timeouts(arrival->fd, conf->timeout_ms);
}

static int
unixgram_ready(struct endpoint *ep, const struct listener_conf *conf,
    struct err *err)
{
	socket_reset_buffers(ep->fd, conf);
	return socket_set_buffers(ep->fd, conf, err);
}

static bool
is_self(const struct endpoint *ep, const struct arrival *arrival)
{
	return arrival->peer_len == ep->addr.len &&
	    memcmp(&arrival->peer, &ep->addr.sa, ep->addr.len) == 0;
}

static int
unixgram_take(const struct endpoint *ep, struct arrival *arrival, bool wait)
{
	int r = socket_receive(ep, arrival, wait);

	if (r < 0)
		return r;
	if (is_self(ep, arrival))
		return -EBADMSG;
	return arrival->len >= arrival->size ? -EMSGSIZE : 0;
}

const struct transport unix_transport = {
	.scheme = "unix",
	.kind = ADDR_UNIX,
	.is_stream = true,
	.open = unix_open,
	.claim = unix_claim,
	.ready = unix_ready,
	.apply = unix_apply,
	.take = socket_accept,
	.prepare = unix_prepare,
	.close = unix_close,
};

const struct transport unixgram_transport = {
	.scheme = "unixgram",
	.kind = ADDR_UNIXGRAM,
	.open = unixgram_open,
	.claim = unix_claim,
	.ready = unixgram_ready,
	.apply = unix_apply,
	.take = unixgram_take,
	.reply = socket_reply,
	.close = unix_close,
};
