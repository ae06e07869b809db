/* SPDX-License-Identifier: ISC */
/*
 * A slot of the load: it is opened, asks, is answered, or has a fault and
 * rests.
 */
#include "bench/load.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "base/fd.h"
#include "bench/dial.h"

unsigned
conn_in_flight(const struct conn *conn)
{
	return (unsigned)(conn->issued - conn->answered);
}

static void
conn_rest(struct conn *conn)
{
	if (conn->is_resting)
		return;
	conn->is_resting = true;
	conn->load->resting++;
}

static void
issue_count(struct conn *conn, int64_t started)
{
	if (conn_in_flight(conn) == 0)
		conn->load->busy++;
	conn->started[conn->issued % conn->load->wish.depth] = started;
	conn->issued++;
}

static void
conn_issue(struct conn *conn, int64_t started, int64_t now)
{
	if (conn_in_flight(conn) == 0)
		conn->progress_at = now;
	issue_count(conn, started);
}

void
conn_more(struct conn *conn, int64_t now)
{
	struct load *load = conn->load;
	bool is_paced = load->pace.rate > 0, is_issued = false;
	int64_t started;

	while (!conn->is_resting && conn_in_flight(conn) < load->wish.depth &&
	    load_take(load, now, &started)) {
		if (conn->fd < 0)
			load->wire->open(conn, started);
		else
			conn_issue(conn, started, now);
		is_issued = true;
		if (is_paced || load->is_once)
			break;
	}
	/* all of them go out together */
	if (is_issued && conn->fd >= 0)
		load->wire->ask(conn);
	if (is_paced && !conn->is_resting && !load->pace.is_over &&
	    conn_in_flight(conn) < load->wish.depth)
		load_queue(load, conn);
}

static void
conn_begin(struct conn *conn, int64_t started)
{
	const struct talk *talk = conn->load->wish.talk;

	conn->issued = conn->answered = conn->first;
	conn->sent = conn->first * talk->say_len;
	conn->got = conn->first * talk->want_len;
	conn->greeted = 0;
	conn->progress_at = clock_now();
	issue_count(conn, started);
}

/*
 * The queue of a Unix listener is full. Its request goes back and is taken once
 * more, as one that has waited since then.
 */
static void
conn_wait_for_room(struct conn *conn, int64_t started)
{
	struct load *load = conn->load;

	if (clock_now() - started > load->wish.timeout_ms * CLOCK_MS) {
		conn_fault(conn, FAULT_CONNECT, "the queue of the listener "
		    "was full for %lld ms", (long long)load->wish.timeout_ms);
		return;
	}
	conn_give_up(conn);
	load->pace.issued--;
	conn->wanted_at = started;
	conn_rest(conn);
	load_retry_soon(load);
}

bool
conn_dial(struct conn *conn, watch_fn *fn, int64_t started)
{
	struct load *load = conn->load;
	const struct load_wish *wish = &load->wish;
	int r;

	if (conn->wanted_at != 0)
		started = conn->wanted_at;
	conn->wanted_at = 0;
	conn_begin(conn, started);
	conn->fd = dial_start(&wish->address, load->opened,
	    !wish->is_fresh || wish->depth > 1);
	if (conn->fd == -EAGAIN && wish->address.kind == ADDR_UNIX) {
		conn->fd = -1;
		conn_wait_for_room(conn, started);
		return false;
	}
	if (conn->fd < 0) {
		r = conn->fd;
		conn->fd = -1;
		conn_fault_errno(conn, -r);
		return false;
	}
	load->opened++;
	r = watch_start(load->loop, &conn->watch, conn->fd,
	    EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, fn, conn);
	if (r < 0)
		conn_fault_errno(conn, -r);
	return r == 0;
}

void
conn_give_up(struct conn *conn)
{
	conn->answered++;
	if (conn_in_flight(conn) == 0)
		conn->load->busy--;
}

void
conn_answer(struct conn *conn, int64_t now)
{
	struct load *load = conn->load;
	const struct talk *talk = load->wish.talk;
	struct tally *tally = load->tally;

	hist_add(&tally->hist,
	    now - conn->started[conn->answered % load->wish.depth]);
	tally->done++;
	tally->bytes_in += talk->greeting_len;
	if (!talk->is_greeting_only) {
		tally->bytes_in += talk->want_len;
		tally->bytes_out += talk->say_len;
	}
	load->has_been_answered = true;
	conn_give_up(conn);
}

void
conn_close(struct conn *conn)
{
	watch_stop(conn->load->loop, &conn->watch);
	fd_close(&conn->fd);
	conn->state = CONN_CLOSED;
	while (conn_in_flight(conn) > 0)
		conn_give_up(conn);
}

static void
fault_end(struct conn *conn)
{
	conn_close(conn);
	conn_rest(conn);
}

void
conn_fault(struct conn *conn, enum fault fault, const char *format, ...)
{
	char text[160];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	tally_fault(conn->load->tally, fault, "%s", text);
	fault_end(conn);
}

static enum fault
fault_of(const struct conn *conn, int code)
{
	switch (code) {
	case EADDRNOTAVAIL:
		return FAULT_PORTS;
	case ECONNREFUSED:
	case ENOENT:
	case EHOSTUNREACH:
	case ENETUNREACH:
	case ENOTCONN:
		return FAULT_CONNECT;
	case ECONNRESET:
	case EPIPE:
		return FAULT_RESET;
	case ETIMEDOUT:
		return conn->state == CONN_CONNECTING ? FAULT_CONNECT :
		    FAULT_TIMEOUT;
	default:
		return FAULT_SYSTEM;
	}
}

void
conn_fault_errno(struct conn *conn, int code)
{
	conn_fault(conn, fault_of(conn, code), "%s", strerror(code));
}

void
conn_fault_wrong(struct conn *conn, const char *data, const char *want,
    size_t len)
{
	size_t at = 0;

	while (at + 1 < len && data[at] == want[at])
		at++;
	conn_fault(conn, FAULT_WRONG, "byte %llu of what came is \\x%02x, "
	    "not \\x%02x", (unsigned long long)(conn->got + at -
	    conn->first * conn->load->wish.talk->want_len),
	    (unsigned char)data[at], (unsigned char)want[at]);
}
