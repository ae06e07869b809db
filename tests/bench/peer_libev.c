// SPDX-License-Identifier: ISC
/*
 * peer_libev.c - the conversation of bare_epoll.c with libev's watchers
 */
#include "bare_event.h"

#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct conn {
	ev_io io;		/* first: a watcher is its connection */
	char *rest;
	size_t rest_len;
};

static struct bare bare;
static char buffer[EVENT_BUFFER];

static void
conn_close(struct ev_loop *loop, struct conn *conn)
{
	ev_io_stop(loop, &conn->io);
	(void)close(conn->io.fd);
	free(conn->rest);
	free(conn);
}

static void
conn_watch(struct ev_loop *loop, struct conn *conn, int events)
{
	ev_io_stop(loop, &conn->io);
	ev_io_set(&conn->io, conn->io.fd, events);
	ev_io_start(loop, &conn->io);
}

static int
conn_send(struct ev_loop *loop, struct conn *conn, const char *data,
    size_t len)
{
	ssize_t sent = send(conn->io.fd, data, len, MSG_NOSIGNAL);

	if (sent < 0 && errno != EAGAIN)
		return -1;
	sent = sent < 0 ? 0 : sent;
	if ((size_t)sent == len)
		return 0;
	conn->rest_len = len - (size_t)sent;
	conn->rest = malloc(conn->rest_len);
	if (conn->rest == NULL)
		bare_fail("malloc");
	memcpy(conn->rest, data + sent, conn->rest_len);
	conn_watch(loop, conn, EV_WRITE);
	return 0;
}

static int
conn_flush(struct ev_loop *loop, struct conn *conn)
{
	char *rest = conn->rest;
	size_t len = conn->rest_len;
	int r;

	conn->rest = NULL;
	r = conn_send(loop, conn, rest, len);
	free(rest);
	if (r == 0 && conn->rest == NULL)
		conn_watch(loop, conn, EV_READ);
	return r;
}

static int
conn_answer(struct ev_loop *loop, struct conn *conn)
{
	ssize_t len = recv(conn->io.fd, buffer, sizeof(buffer), 0);
	const char *answer;
	size_t size;

	if (len <= 0)
		return len < 0 && errno == EAGAIN ? 0 : -1;
	answer = event_answer(&bare, buffer, (size_t)len, &size);
	return conn_send(loop, conn, answer, size);
}

static void
conn_ready(struct ev_loop *loop, ev_io *io, int events)
{
	struct conn *conn = (struct conn *)io;
	int r = events & EV_WRITE ? conn_flush(loop, conn) :
	    conn_answer(loop, conn);

	if (r < 0)
		conn_close(loop, conn);
}

static void
accept_ready(struct ev_loop *loop, ev_io *io, int events)
{
	(void)io;
	(void)events;
	for (int i = 0; i < EVENT_BATCH; i++) {
		int fd = event_accept(&bare);
		struct conn *conn = fd < 0 ? NULL : calloc(1, sizeof(*conn));

		if (conn == NULL)
			return;
		ev_io_init(&conn->io, conn_ready, fd, EV_READ);
		ev_io_start(loop, &conn->io);
		if (bare.greeting_len > 0 &&
		    conn_send(loop, conn, bare.greeting, bare.greeting_len) < 0)
			conn_close(loop, conn);
	}
}

int
main(int argc, char **argv)
{
	struct ev_loop *loop = ev_default_loop(0);
	ev_io listener;

	bare_open(&bare, argc, argv, SOCK_STREAM);
	if (fcntl(bare.fd, F_SETFL, O_NONBLOCK) < 0)
		bare_fail("fcntl");
	ev_io_init(&listener, accept_ready, bare.fd, EV_READ);
	ev_io_start(loop, &listener);
	ev_run(loop, 0);
	return 0;
}
