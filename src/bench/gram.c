/* SPDX-License-Identifier: ISC */
/*
 * The load over datagrams. One that is not answered in time is lost; its answer
 * may come later all the same, and must not be taken for that of the next.
 */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "bench/load.h"

#define LATE_BACK 4             /* lost ones whose answer is still known */

static void
gram_write(struct conn *conn)
{
	const struct talk *talk = conn->load->wish.talk;

	while (conn->sent < conn->issued * talk->say_len) {
		size_t at = conn->sent % talk->say_total;

		if (send(conn->fd, talk->say + at, talk->say_len,
		    MSG_NOSIGNAL) >= 0) {
			conn->sent += talk->say_len;
		} else if (errno != EINTR) {
			if (errno != EAGAIN && errno != ENOBUFS)
				conn_fault_errno(conn, errno);
			return;         /* the next edge says when */
		}
	}
}

static bool
is_answer(const struct talk *talk, uint64_t number, const char *data,
    size_t len)
{
	size_t at = number * talk->want_len % talk->want_total;

	return len == talk->want_len &&
	    memcmp(data, talk->want + at, len) == 0;
}

/* One of the lost ones, or twice the same. */
static bool
is_late(const struct conn *conn, const char *data, size_t len)
{
	for (uint64_t back = 1; back <= LATE_BACK; back++)
		if (conn->answered >= conn->first + back &&
		    is_answer(conn->load->wish.talk, conn->answered - back,
		    data, len))
			return true;
	return false;
}

static void
gram_more(struct conn *conn, int64_t now)
{
	struct load *load = conn->load;

	if (load->is_once)
		load_next(load, now);
	else
		conn_more(conn, now);
}

/* The first request on its way that this is the answer to; those before it
 * are lost. */
static void
gram_take(struct conn *conn, const char *data, size_t len)
{
	struct tally *tally = conn->load->tally;
	const struct talk *talk = conn->load->wish.talk;
	int64_t now = clock_now();
	uint64_t number = conn->answered;

	while (number < conn->issued && !is_answer(talk, number, data, len))
		number++;
	if (number == conn->issued && is_late(conn, data, len)) {
		tally_fault(tally, FAULT_LATE, "an answer came too late");
		return;
	}
	if (number == conn->issued) {
		conn_fault(conn, len > talk->want_len ? FAULT_EXCESS :
		    FAULT_WRONG, "a datagram of %zu bytes is no answer", len);
		return;
	}
	for (; conn->answered < number; conn_give_up(conn))
		tally_fault(tally, FAULT_LOST, "a later one was answered");
	conn->progress_at = now;
	conn_answer(conn, now);
	gram_more(conn, now);
}

static void
gram_read(struct conn *conn)
{
	struct load *load = conn->load;

	while (conn->fd >= 0) {
		ssize_t n = recv(conn->fd, load->buffer, load->buffer_size, 0);

		if (n >= 0)
			gram_take(conn, load->buffer, (size_t)n);
		else if (errno == EAGAIN)
			return;
		else if (errno != EINTR)
			conn_fault_errno(conn, errno);
	}
}

static void
gram_event(struct watch *watch, uint32_t events)
{
	struct conn *conn = watch->arg;

	if (events & (EPOLLIN | EPOLLERR | EPOLLHUP))
		gram_read(conn);
	if (conn->fd >= 0 && events & EPOLLOUT)
		gram_write(conn);
}

static void
gram_open(struct conn *conn, int64_t started)
{
	conn->state = CONN_TALKING;
	(void)conn_dial(conn, gram_event, started);
}

static void
gram_overdue(struct conn *conn, int64_t now)
{
	while (conn->answered < conn->issued) {
		tally_fault(conn->load->tally, FAULT_LOST,
		    "no answer in %lld ms",
		    (long long)conn->load->wish.timeout_ms);
		conn_give_up(conn);
	}
	conn->sent = conn->issued * conn->load->wish.talk->say_len;
	gram_more(conn, now);
}

const struct wire wire_datagram = {
	.open = gram_open,
	.ask = gram_write,
	.overdue = gram_overdue,
};
