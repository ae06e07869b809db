/* SPDX-License-Identifier: ISC */
#include "bench/load.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "bench/dial.h"

#define OPENING 128             /* connections that are made at once */
#define RETRY_MS 1              /* a Unix listener's queue was full */
#define BUFFER_SIZE 262144

/* The pace */

void
load_stop(struct load *load)
{
	load->pace.is_over = true;
}

static int64_t
pace_due(const struct pace *pace)
{
	return pace->start_at +
	    (int64_t)((double)pace->issued * 1e9 / pace->rate);
}

static void
pace_arm(struct load *load, int64_t due)
{
	const struct itimerspec spec = { .it_value = {
	    .tv_sec = due / CLOCK_SECOND, .tv_nsec = due % CLOCK_SECOND } };

	if (load->pace.armed_for == due)
		return;
	load->pace.armed_for = due;
	(void)timerfd_settime(load->timer_fd, TFD_TIMER_ABSTIME, &spec, NULL);
}

bool
load_take(struct load *load, int64_t now, int64_t *started)
{
	struct pace *pace = &load->pace;
	int64_t due = pace->rate > 0 ? pace_due(pace) : now;

	if ((pace->limit > 0 && pace->issued == pace->limit) ||
	    (pace->end_at > 0 && due >= pace->end_at))
		pace->is_over = true;
	if (pace->is_over)
		return false;
	if (due > now) {
		pace_arm(load, due);
		return false;
	}
	pace->issued++;
	*started = due;
	return true;
}

static void
idle_push(struct load *load, struct conn *conn)
{
	if (conn->is_queued)
		return;
	conn->is_queued = true;
	conn->next = NULL;
	*load->idle_end = conn;
	load->idle_end = &conn->next;
}

static struct conn *
idle_pop(struct load *load)
{
	struct conn *conn = load->idle;

	load->idle = conn->next;
	if (load->idle == NULL)
		load->idle_end = &load->idle;
	conn->is_queued = false;
	return conn;
}

/* A request has become due, perhaps several. */
static void
pace_ready(struct watch *watch, uint32_t events)
{
	struct load *load = watch->arg;
	int64_t now = clock_now();
	uint64_t times;

	(void)events;
	(void)!read(load->timer_fd, &times, sizeof(times));
	load->pace.armed_for = 0;
	while (load->idle != NULL && !load->pace.is_over &&
	    pace_due(&load->pace) <= now)
		conn_more(idle_pop(load), now);
	if (load->idle != NULL && !load->pace.is_over)
		pace_arm(load, pace_due(&load->pace));
}

/* Slots */

static unsigned
in_flight(const struct conn *conn)
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
	if (in_flight(conn) == 0)
		conn->load->busy++;
	conn->started[conn->issued % conn->load->wish.depth] = started;
	conn->issued++;
}

static void
conn_issue(struct conn *conn, int64_t started, int64_t now)
{
	if (in_flight(conn) == 0)
		conn->progress_at = now;
	issue_count(conn, started);
}

void
conn_more(struct conn *conn, int64_t now)
{
	struct load *load = conn->load;
	bool is_paced = load->pace.rate > 0, is_issued = false;
	int64_t started;

	while (!conn->is_resting && in_flight(conn) < load->wish.depth &&
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
	    in_flight(conn) < load->wish.depth)
		idle_push(load, conn);
}

void
load_next(struct load *load, int64_t now)
{
	if (load->next_first < load->wish.connections)
		conn_more(&load->conns[load->next_first++], now);
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

static void load_retry(struct timer *timer);

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
	if (!timer_is_running(&load->retry))
		(void)timer_start(load->loop, &load->retry,
		    clock_after_ms(RETRY_MS), load_retry, load);
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
	if (in_flight(conn) == 0)
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
	while (in_flight(conn) > 0)
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

/* Spans */

static void
rest_end(struct load *load, int64_t now)
{
	for (unsigned i = 0; i < load->wish.connections; i++) {
		struct conn *conn = &load->conns[i];

		if (!conn->is_resting)
			continue;
		conn->is_resting = false;
		load->resting--;
		if (!load->is_holding)
			conn_more(conn, now);
	}
}

/* The queue of a Unix listener may have room now. */
static void
load_retry(struct timer *timer)
{
	struct load *load = timer->arg;

	rest_end(load, clock_now());
}

/* Nobody has ever answered, and there is nobody to be connected with. */
static bool
is_hopeless(const struct load *load)
{
	const uint64_t *count = load->tally->faults;

	return !load->has_been_answered && (count[FAULT_CONNECT] > 0 ||
	    (load->wire == &wire_datagram && count[FAULT_LOST] > 0));
}

static void
tick_start(struct load *load);

static void
load_tick(struct timer *timer)
{
	struct load *load = timer->arg;
	int64_t now = clock_now();

	for (unsigned i = 0; i < load->wish.connections; i++) {
		struct conn *conn = &load->conns[i];

		if (in_flight(conn) > 0 && now - conn->progress_at >
		    load->wish.timeout_ms * CLOCK_MS)
			load->wire->overdue(conn, now);
	}
	if (is_hopeless(load)) {
		load->is_hopeless = true;
		load_stop(load);
	}
	if (load->resting > 0)
		rest_end(load, now);
	if (load->on_tick != NULL)
		load->on_tick(load, now);
	tick_start(load);
}

static void
tick_start(struct load *load)
{
	(void)timer_start(load->loop, &load->tick,
	    clock_after_ms(LOAD_TICK_MS), load_tick, load);
}

static void
span_end(struct timer *timer)
{
	load_stop(timer->arg);
}

static int
span_begin(struct load *load, struct tally *tally, uint64_t limit, int64_t ms)
{
	int64_t now = clock_now();

	load->tally = tally;
	load->idle = NULL;
	load->idle_end = &load->idle;
	for (unsigned i = 0; i < load->wish.connections; i++) {
		load->conns[i].is_queued = false;
		load->conns[i].wanted_at = 0;
	}
	load->pace = (struct pace){ .limit = limit, .start_at = now,
		.end_at = ms > 0 ? now + ms * CLOCK_MS : 0,
		.rate = load->is_once ? 0 : load->wish.rate };
	tick_start(load);
	return ms == 0 ? 0 :
	    timer_start(load->loop, &load->end, load->pace.end_at, span_end,
	    load);
}

/* What is on its way stays without an answer. */
static void
span_abandon(struct load *load)
{
	for (unsigned i = 0; i < load->wish.connections; i++)
		if (in_flight(&load->conns[i]) > 0)
			conn_fault(&load->conns[i], FAULT_TIMEOUT,
			    "a second signal came before the answer");
}

static int
span_wait(struct load *load)
{
	int r = 0;

	while (r == 0 && !load->is_hopeless && !load->is_abandoned &&
	    (!load->pace.is_over || load->busy > 0)) {
		r = loop_turn(load->loop, -1);
		if (load->pace.limit > 0 &&
		    load->pace.issued == load->pace.limit)
			load_stop(load);
	}
	if (load->is_abandoned)
		span_abandon(load);
	timer_stop(load->loop, &load->tick);
	timer_stop(load->loop, &load->end);
	timer_stop(load->loop, &load->retry);
	return r;
}

int
load_span(struct load *load, struct tally *tally, uint64_t limit, int64_t ms)
{
	int r = span_begin(load, tally, limit, ms);

	for (unsigned i = 0; i < load->wish.connections; i++)
		conn_more(&load->conns[i], load->pace.start_at);
	return r < 0 ? r : span_wait(load);
}

int
load_warm_open(struct load *load, struct tally *tally)
{
	unsigned count = load->wish.connections;
	int r;

	load->is_once = true;
	r = span_begin(load, tally, count, 0);
	load->next_first = count < OPENING ? count : OPENING;
	for (unsigned i = 0; i < count && i < OPENING; i++)
		conn_more(&load->conns[i], load->pace.start_at);
	if (r == 0)
		r = span_wait(load);
	load->is_once = false;
	return r;
}

int
load_hold(struct load *load, struct tally *tally, int64_t ms)
{
	int r = span_begin(load, tally, 0, ms);

	load->is_holding = true;
	if (r == 0)
		r = span_wait(load);
	load->is_holding = false;
	return r;
}

/* Opening and closing */

static int
conns_make(struct load *load)
{
	const struct load_wish *wish = &load->wish;

	load->conns = calloc(wish->connections, sizeof(*load->conns));
	load->started = calloc((size_t)wish->connections * wish->depth,
	    sizeof(*load->started));
	load->buffer = malloc(load->buffer_size);
	if (load->conns == NULL || load->started == NULL ||
	    load->buffer == NULL)
		return -ENOMEM;
	for (unsigned i = 0; i < wish->connections; i++)
		load->conns[i] = (struct conn){ .load = load, .fd = -1,
			.watch.fd = -1, .first = i * 7ULL,
			.issued = i * 7ULL, .answered = i * 7ULL,
			.started = load->started + (size_t)i * wish->depth };
	return 0;
}

int
load_open(struct load *load, struct loop *loop, const struct load_wish *wish)
{
	int r;

	*load = (struct load){ .wish = *wish, .loop = loop,
		.buffer_size = BUFFER_SIZE, .idle_end = &load->idle };
	load->wire = addr_is_stream(&wish->address) ? &wire_stream :
	    &wire_datagram;
	load->timer_fd = timerfd_create(CLOCK_MONOTONIC,
	    TFD_CLOEXEC | TFD_NONBLOCK);
	if (load->timer_fd < 0)
		return -errno;
	r = watch_start(loop, &load->timer_watch, load->timer_fd, EPOLLIN,
	    pace_ready, load);
	return r < 0 ? r : conns_make(load);
}

void
load_close(struct load *load)
{
	for (unsigned i = 0; load->conns != NULL && i < load->wish.connections;
	    i++)
		conn_close(&load->conns[i]);
	if (load->loop != NULL)
		watch_stop(load->loop, &load->timer_watch);
	fd_close(&load->timer_fd);
	free(load->conns);
	free(load->started);
	free(load->buffer);
	load->conns = NULL;
	load->started = NULL;
	load->buffer = NULL;
}
