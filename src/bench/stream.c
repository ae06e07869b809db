/* SPDX-License-Identifier: ISC */
/*
 * The load over connections. Descriptors are watched for edges, so a read goes
 * on until the socket has no more, and a write until it takes no more.
 */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "bench/load.h"

#define ENDING (EPOLLRDHUP | EPOLLHUP | EPOLLERR)

static bool
is_asking(const struct conn *conn)
{
	return conn->issued > conn->answered;
}

/* Send what is issued and not sent yet. */
static void
stream_write(struct conn *conn)
{
	const struct talk *talk = conn->load->wish.talk;
	uint64_t end = conn->issued * talk->say_len;

	while (conn->state == CONN_TALKING && conn->sent < end) {
		size_t at = conn->sent % talk->say_total;
		size_t len = talk->say_total - at;
		ssize_t n;

		if (len > end - conn->sent)
			len = end - conn->sent;
		n = send(conn->fd, talk->say + at, len, MSG_NOSIGNAL);
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;         /* the next edge says when */
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			conn_fault_errno(conn, errno);
		else
			conn->sent += (size_t)n;
	}
}

/* All that the slot has asked for has come, or a part of it. false = this
 * connection is not read from any more. */
static bool
stream_answered(struct conn *conn, int64_t now)
{
	struct load *load = conn->load;

	if (load->wish.is_fresh)
		conn_close(conn);
	if (load->is_once)
		load_next(load, now);
	else
		conn_more(conn, now);
	return !load->wish.is_fresh && conn->fd >= 0;
}

/* The greeting, or the rest of it: how many bytes of data; -1 = a fault. */
static ssize_t
greeting_take(struct conn *conn, const char *data, size_t len)
{
	const struct talk *talk = conn->load->wish.talk;
	size_t left = talk->greeting_len - conn->greeted;

	if (talk->greeting_len == 0)
		return (ssize_t)len;            /* whatever it says */
	if (len > left)
		len = left;
	if (memcmp(data, talk->greeting + conn->greeted, len) != 0) {
		conn_fault(conn, FAULT_WRONG, "the greeting is another one");
		return -1;
	}
	conn->greeted += len;
	return (ssize_t)len;
}

static bool
stream_greeted(struct conn *conn, int64_t now)
{
	conn->state = CONN_TALKING;
	if (conn->load->wish.talk->is_greeting_only) {
		conn_answer(conn, now);
		return stream_answered(conn, now);
	}
	stream_write(conn);
	return conn->fd >= 0;
}

/* What came is what was wanted, and not more of it. */
static bool
answer_check(struct conn *conn, const char *data, size_t len)
{
	const struct talk *talk = conn->load->wish.talk;
	uint64_t end = conn->issued * talk->want_len;

	while (len > 0 && conn->got < end) {
		size_t at = conn->got % talk->want_total;
		size_t part = talk->want_total - at;

		if (part > len)
			part = len;
		if (part > end - conn->got)
			part = end - conn->got;
		if (memcmp(data, talk->want + at, part) != 0) {
			conn_fault_wrong(conn, data, talk->want + at, part);
			return false;
		}
		conn->got += part;
		data += part;
		len -= part;
	}
	if (len > 0)
		conn_fault(conn, FAULT_EXCESS,
		    "%zu bytes behind the answer", len);
	return len == 0;
}

static bool
answer_take(struct conn *conn, const char *data, size_t len, int64_t now)
{
	const struct talk *talk = conn->load->wish.talk;
	bool is_any = false;

	if (!answer_check(conn, data, len))
		return false;
	while (is_asking(conn) &&
	    conn->got >= (conn->answered + 1) * talk->want_len) {
		conn_answer(conn, now);
		is_any = true;
	}
	return is_any ? stream_answered(conn, now) : true;
}

/* false = this connection is not read from any more. */
static bool
stream_take(struct conn *conn, const char *data, size_t len)
{
	int64_t now = clock_now();
	const struct talk *talk = conn->load->wish.talk;

	conn->progress_at = now;
	if (conn->state == CONN_GREETING) {
		ssize_t n = greeting_take(conn, data, len);

		if (n < 0)
			return false;
		data += n;
		len -= (size_t)n;
		if (conn->greeted == talk->greeting_len &&
		    !stream_greeted(conn, now))
			return false;
	}
	return len == 0 || answer_take(conn, data, len, now);
}

static void
stream_read(struct conn *conn, uint32_t events)
{
	struct load *load = conn->load;

	for (;;) {
		ssize_t n = recv(conn->fd, load->buffer, load->buffer_size, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			if (errno != EAGAIN && errno != EWOULDBLOCK)
				conn_fault_errno(conn, errno);
			return;
		}
		if (n == 0) {
			conn_fault(conn, FAULT_CLOSED, is_asking(conn) ?
			    "the end came before the answer was whole" :
			    "the end came while nothing was asked");
			return;
		}
		if (!stream_take(conn, load->buffer, (size_t)n))
			return;
		/* a short read has emptied it, but for the end */
		if ((size_t)n < load->buffer_size && !(events & ENDING))
			return;
	}
}

/* true = it goes on. */
static bool
stream_connected(struct conn *conn)
{
	socklen_t len = sizeof(int);
	int code = 0;

	if (getsockopt(conn->fd, SOL_SOCKET, SO_ERROR, &code, &len) < 0)
		code = errno;
	if (code != 0) {
		conn_fault_errno(conn, code);
		return false;
	}
	conn->state = conn->load->wish.talk->greeting != NULL ?
	    CONN_GREETING : CONN_TALKING;
	if (conn->load->is_silent) {
		conn_give_up(conn);
		conn->sent = conn->got = UINT64_MAX;    /* never anything */
		load_next(conn->load, clock_now());
	}
	return true;
}

static void
stream_event(struct watch *watch, uint32_t events)
{
	struct conn *conn = watch->arg;

	if (conn->state == CONN_CONNECTING) {
		if (!stream_connected(conn))
			return;
		stream_write(conn);
		if (conn->fd < 0 || !(events & (EPOLLIN | ENDING)))
			return;
	}
	if (events & EPOLLOUT)
		stream_write(conn);
	if (conn->fd >= 0 && events & (EPOLLIN | ENDING))
		stream_read(conn, events);
}

static void
stream_open(struct conn *conn, int64_t started)
{
	conn->state = CONN_CONNECTING;
	(void)conn_dial(conn, stream_event, started);
}

static void
stream_overdue(struct conn *conn, int64_t now)
{
	(void)now;
	conn_fault(conn, conn->state == CONN_CONNECTING ? FAULT_CONNECT :
	    FAULT_TIMEOUT, "nothing came for %lld ms",
	    (long long)conn->load->wish.timeout_ms);
}

const struct wire wire_stream = {
	.open = stream_open,
	.ask = stream_write,
	.overdue = stream_overdue,
};
