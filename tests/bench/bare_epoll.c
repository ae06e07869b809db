// SPDX-License-Identifier: ISC
/*
 * bare_epoll.c - callbacks on edges of epoll: the floor of "event"
 *
 * After a short read the socket is empty; nobody asks it again.  What a peer
 * does not take is kept, and nothing more is read from that peer meanwhile.
 */
#include "bare_event.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct conn {
	int fd;
	char *rest;		/* owned; what the peer has not taken yet */
	size_t rest_len;
};

static struct bare bare;
static int epoll;
static char buffer[EVENT_BUFFER];

static void
conn_close(struct conn *conn)
{
	(void)close(conn->fd);
	free(conn->rest);
	free(conn);
}

/* -1 = the peer has gone. */
static ssize_t
send_some(int fd, const char *data, size_t len)
{
	ssize_t sent = send(fd, data, len, MSG_NOSIGNAL);

	return sent < 0 && errno == EAGAIN ? 0 : sent;
}

static bool
conn_send(struct conn *conn, const char *data, size_t len)
{
	ssize_t sent = send_some(conn->fd, data, len);

	if (sent < 0 || (size_t)sent == len)
		return sent >= 0;
	conn->rest_len = len - (size_t)sent;
	conn->rest = malloc(conn->rest_len);
	if (conn->rest == NULL)
		bare_fail("malloc");
	memcpy(conn->rest, data + sent, conn->rest_len);
	return true;
}

static bool
conn_flush(struct conn *conn)
{
	ssize_t sent = send_some(conn->fd, conn->rest, conn->rest_len);

	if (sent < 0)
		return false;
	conn->rest_len -= (size_t)sent;
	memmove(conn->rest, conn->rest + sent, conn->rest_len);
	if (conn->rest_len == 0) {
		free(conn->rest);
		conn->rest = NULL;
	}
	return true;
}

/* false = it has ended. */
static bool
conn_ready(struct conn *conn, unsigned events)
{
	if (conn->rest != NULL && !conn_flush(conn))
		return false;
	while (conn->rest == NULL) {
		ssize_t len = recv(conn->fd, buffer, sizeof(buffer), 0);
		const char *answer;
		size_t size;

		if (len <= 0)
			return len < 0 && errno == EAGAIN;
		answer = event_answer(&bare, buffer, (size_t)len, &size);
		if (!conn_send(conn, answer, size))
			return false;
		if (len < (ssize_t)sizeof(buffer) &&
		    !(events & (EPOLLRDHUP | EPOLLHUP)))
			return true;
	}
	return true;
}

static void
conn_open(int fd)
{
	struct conn *conn = calloc(1, sizeof(*conn));

	if (conn == NULL)
		bare_fail("calloc");
	conn->fd = fd;
	event_watch(epoll, fd, conn);
	if (bare.greeting_len > 0 &&
	    !conn_send(conn, bare.greeting, bare.greeting_len))
		conn_close(conn);
}

static void
accept_ready(void)
{
	for (int i = 0; i < EVENT_BATCH; i++) {
		int fd = event_accept(&bare);

		if (fd < 0)
			return;
		conn_open(fd);
	}
}

int
main(int argc, char **argv)
{
	struct epoll_event ready[EVENT_READY];

	bare_open(&bare, argc, argv, SOCK_STREAM);
	epoll = event_epoll(&bare);
	for (;;) {
		int count = epoll_wait(epoll, ready, EVENT_READY, -1);

		for (int i = 0; i < count; i++) {
			struct conn *conn = ready[i].data.ptr;

			if (conn == NULL)
				accept_ready();
			else if (!conn_ready(conn, ready[i].events))
				conn_close(conn);
		}
	}
}
