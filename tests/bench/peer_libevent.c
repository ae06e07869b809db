// SPDX-License-Identifier: ISC
/*
 * peer_libevent.c - the conversation with libevent's bufferevents, as its own
 * examples have it
 */
#include "bare.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <sys/socket.h>

static struct bare bare;

static void
conn_ready(struct bufferevent *conn, void *arg)
{
	struct evbuffer *in = bufferevent_get_input(conn);
	struct evbuffer *out = bufferevent_get_output(conn);

	(void)arg;
	if (!bare.reply) {
		(void)evbuffer_add_buffer(out, in);
		return;
	}
	(void)evbuffer_drain(in, evbuffer_get_length(in));
	(void)evbuffer_add(out, bare.reply, bare.reply_len);
}

static void
conn_event(struct bufferevent *conn, short events, void *arg)
{
	(void)arg;
	if (events & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		bufferevent_free(conn);
}

static void
conn_open(struct evconnlistener *listener, evutil_socket_t fd,
    struct sockaddr *peer, int len, void *arg)
{
	struct bufferevent *conn = bufferevent_socket_new(
	    evconnlistener_get_base(listener), fd, BEV_OPT_CLOSE_ON_FREE);

	(void)peer;
	(void)len;
	(void)arg;
	if (conn == NULL)
		bare_fail("bufferevent");
	bufferevent_setcb(conn, conn_ready, NULL, conn_event, NULL);
	(void)bufferevent_enable(conn, EV_READ | EV_WRITE);
	if (bare.greeting_len > 0)
		(void)bufferevent_write(conn, bare.greeting,
		    bare.greeting_len);
}

int
main(int argc, char **argv)
{
	struct event_base *base = event_base_new();

	bare_open(&bare, argc, argv, SOCK_STREAM);
	(void)evutil_make_socket_nonblocking(bare.fd);
	if (base == NULL || evconnlistener_new(base, conn_open, NULL,
	    LEV_OPT_CLOSE_ON_EXEC, 0, bare.fd) == NULL)
		bare_fail("libevent");
	return event_base_dispatch(base);
}
