// SPDX-License-Identifier: ISC
/*
 * peer_libuv.c - the conversation with libuv's streams: one buffer for all that
 * is read, and what a peer does not take at once is written by a request
 */
#include "bare_event.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <uv.h>

struct rest {
	uv_write_t request;	/* first: a request is its rest */
	char data[];
};

static struct bare bare;
static char buffer[EVENT_BUFFER];

static void
closed(uv_handle_t *conn)
{
	free(conn);
}

static void
conn_close(uv_stream_t *conn)
{
	if (!uv_is_closing((uv_handle_t *)conn))
		uv_close((uv_handle_t *)conn, closed);
}

static void buffer_get(uv_handle_t *conn, size_t size, uv_buf_t *buf);
static void conn_ready(uv_stream_t *conn, ssize_t len, const uv_buf_t *buf);

static void
rest_written(uv_write_t *request, int status)
{
	uv_stream_t *conn = request->handle;

	free(request);
	if (status < 0)
		conn_close(conn);
	else
		(void)uv_read_start(conn, buffer_get, conn_ready);
}

static void
rest_write(uv_stream_t *conn, const char *data, size_t len)
{
	struct rest *rest = malloc(sizeof(*rest) + len);
	uv_buf_t buf;

	if (rest == NULL)
		bare_fail("malloc");
	memcpy(rest->data, data, len);
	buf = uv_buf_init(rest->data, (unsigned)len);
	(void)uv_read_stop(conn);
	(void)uv_write(&rest->request, conn, &buf, 1, rest_written);
}

static void
conn_send(uv_stream_t *conn, const char *data, size_t len)
{
	uv_buf_t buf = uv_buf_init((char *)(uintptr_t)data, (unsigned)len);
	int sent = uv_try_write(conn, &buf, 1);

	if (sent < 0 && sent != UV_EAGAIN)
		conn_close(conn);
	else if (sent < (int)len)
		rest_write(conn, data + (sent > 0 ? sent : 0),
		    len - (size_t)(sent > 0 ? sent : 0));
}

static void
buffer_get(uv_handle_t *conn, size_t size, uv_buf_t *buf)
{
	(void)conn;
	(void)size;
	*buf = uv_buf_init(buffer, sizeof(buffer));
}

static void
conn_ready(uv_stream_t *conn, ssize_t len, const uv_buf_t *buf)
{
	const char *answer;
	size_t size;

	if (len < 0)
		conn_close(conn);
	if (len <= 0)
		return;
	answer = event_answer(&bare, buf->base, (size_t)len, &size);
	conn_send(conn, answer, size);
}

static void
accept_ready(uv_stream_t *listener, int status)
{
	uv_tcp_t *conn = malloc(sizeof(*conn));

	if (status < 0 || conn == NULL ||
	    uv_tcp_init(listener->loop, conn) < 0)
		bare_fail("libuv");
	if (uv_accept(listener, (uv_stream_t *)conn) < 0) {
		conn_close((uv_stream_t *)conn);
		return;
	}
	(void)uv_read_start((uv_stream_t *)conn, buffer_get, conn_ready);
	if (bare.greeting_len > 0)
		conn_send((uv_stream_t *)conn, bare.greeting,
		    bare.greeting_len);
}

int
main(int argc, char **argv)
{
	uv_loop_t *loop = uv_default_loop();
	uv_tcp_t listener;

	bare_open(&bare, argc, argv, SOCK_STREAM);
	if (uv_tcp_init(loop, &listener) < 0 ||
	    uv_tcp_open(&listener, bare.fd) < 0 ||
	    uv_listen((uv_stream_t *)&listener, 4096, accept_ready) < 0)
		bare_fail("libuv");
	return uv_run(loop, UV_RUN_DEFAULT);
}
