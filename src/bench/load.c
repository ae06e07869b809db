/* SPDX-License-Identifier: ISC */
/*
 * The pace at which requests become due, and the spans in which they do.
 */
#include "bench/load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"

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

void
load_queue(struct load *load, struct conn *conn)
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

/* Spans */

void
load_next(struct load *load, int64_t now)
{
	if (load->next_first < load->wish.connections)
		conn_more(&load->conns[load->next_first++], now);
}

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

void
load_retry_soon(struct load *load)
{
	if (!timer_is_running(&load->retry))
		(void)timer_start(load->loop, &load->retry,
		    clock_after_ms(RETRY_MS), load_retry, load);
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

		if (conn_in_flight(conn) > 0 && now - conn->progress_at >
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
		if (conn_in_flight(&load->conns[i]) > 0)
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
