/* SPDX-License-Identifier: ISC */
/*
 * Events that epoll_wait(2) brought are kept in loop->ready[] while they are
 * called; stopping a watch strikes it from there, so a stale event can neither
 * reach freed memory nor a watch that got the same descriptor number.
 */
#include "base/loop.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"

#define LOOP_READY 64           /* events a turn; others come with the next */
#define LOOP_TIMERS 16          /* room of the first heap */

struct loop {
	int epoll;                      /* owned */
	int64_t now;
	struct timer **heap;            /* owned; the timers are borrowed */
	unsigned timers, heap_size;     /* used, room */
	bool is_turning;
	int ready_count;                /* 0 outside of dispatch */
	struct epoll_event ready[LOOP_READY];
};

struct loop *
loop_new(void)
{
	struct loop *loop = calloc(1, sizeof(*loop));

	if (!loop)
		return NULL;
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll < 0) {
		free(loop);
		return NULL;
	}
	loop->now = clock_now();
	return loop;
}

void
loop_free(struct loop **loop)
{
	if (!*loop)
		return;
	fd_close(&(*loop)->epoll);
	free((*loop)->heap);
	free(*loop);
	*loop = NULL;
}

void
loop_forget(const struct loop *loop)
{
	(void)close(loop->epoll);
}

int64_t
loop_now(const struct loop *loop)
{
	return loop->now;
}

static int
watch_control(struct loop *loop, struct watch *watch, int operation)
{
	struct epoll_event event = {
		.events = watch->events, .data.ptr = watch,
	};

	return epoll_ctl(loop->epoll, operation, watch->fd, &event) < 0 ?
	    -errno : 0;
}

int
watch_start(struct loop *loop, struct watch *watch, int fd, uint32_t events,
    watch_fn *fn, void *arg)
{
	int r;

	*watch = (struct watch){ fd, events, fn, arg };
	r = watch_control(loop, watch, EPOLL_CTL_ADD);
	if (r)
		watch->fd = -1;
	return r;
}

int
watch_change(struct loop *loop, struct watch *watch, uint32_t events)
{
	const uint32_t old = watch->events;
	int r;

	watch->events = events;
	r = watch_control(loop, watch, EPOLL_CTL_MOD);
	if (r)
		watch->events = old;
	return r;
}

void
watch_forget(struct loop *loop, struct watch *watch)
{
	for (int i = 0; i < loop->ready_count; i++)
		if (loop->ready[i].data.ptr == watch)
			loop->ready[i].data.ptr = NULL;
	watch->fd = -1;
}

void
watch_stop(struct loop *loop, struct watch *watch)
{
	if (watch->fd < 0 || !watch->fn)
		return;
	/* fails only when the caller closed the descriptor too early */
	(void)watch_control(loop, watch, EPOLL_CTL_DEL);
	watch_forget(loop, watch);
}

static void
heap_put(struct loop *loop, unsigned slot, struct timer *timer)
{
	loop->heap[slot - 1] = timer;
	timer->slot = slot;
}

/* Let timer rise from its slot; where it ends up. */
static unsigned
heap_rise(struct loop *loop, unsigned slot, const struct timer *timer)
{
	while (slot > 1 && loop->heap[slot / 2 - 1]->at > timer->at) {
		heap_put(loop, slot, loop->heap[slot / 2 - 1]);
		slot /= 2;
	}
	return slot;
}

static unsigned
heap_sink(struct loop *loop, unsigned slot, const struct timer *timer)
{
	for (;;) {
		unsigned child = 2 * slot;

		if (child > loop->timers)
			return slot;
		if (child < loop->timers &&
		    loop->heap[child]->at < loop->heap[child - 1]->at)
			child++;
		if (loop->heap[child - 1]->at >= timer->at)
			return slot;
		heap_put(loop, slot, loop->heap[child - 1]);
		slot = child;
	}
}

static void
heap_settle(struct loop *loop, unsigned slot, struct timer *timer)
{
	slot = heap_rise(loop, slot, timer);
	slot = heap_sink(loop, slot, timer);
	heap_put(loop, slot, timer);
}

static int
heap_reserve(struct loop *loop)
{
	unsigned size = loop->heap_size ? 2 * loop->heap_size : LOOP_TIMERS;
	struct timer **heap;

	if (loop->timers < loop->heap_size)
		return 0;
	heap = reallocarray(loop->heap, size, sizeof(struct timer *));
	if (!heap)
		return -ENOMEM;
	loop->heap = heap;
	loop->heap_size = size;
	return 0;
}

int
timer_start(struct loop *loop, struct timer *timer, int64_t at, timer_fn *fn,
    void *arg)
{
	if (!timer->slot && heap_reserve(loop))
		return -ENOMEM;
	timer->at = at;
	timer->fn = fn;
	timer->arg = arg;
	heap_settle(loop, timer->slot ? timer->slot : ++loop->timers, timer);
	return 0;
}

void
timer_stop(struct loop *loop, struct timer *timer)
{
	struct timer *last;
	const unsigned slot = timer->slot;

	if (!slot)
		return;
	assert(slot <= loop->timers && loop->heap[slot - 1] == timer);
	timer->slot = 0;
	last = loop->heap[--loop->timers];
	if (last != timer)
		heap_settle(loop, slot, last);
}

bool
timer_is_running(const struct timer *timer)
{
	return timer->slot != 0;
}

int
loop_wait_ms(const struct loop *loop, int max_ms)
{
	int64_t left, ms;

	if (!loop->timers || loop->heap[0]->at == CLOCK_NEVER)
		return max_ms;
	left = loop->heap[0]->at - clock_now();
	if (left <= 0)
		return 0;
	ms = (left - 1) / CLOCK_MS + 1;
	if (ms > INT_MAX)
		ms = INT_MAX;
	return max_ms >= 0 && max_ms < ms ? max_ms : (int)ms;
}

/* A callback may have changed what its neighbour waits for. */
static void
run_events(struct loop *loop)
{
	const uint32_t always = EPOLLERR | EPOLLHUP;

	for (int i = 0; i < loop->ready_count; i++) {
		struct watch *watch = loop->ready[i].data.ptr;
		uint32_t events;

		/* Of thousands, the next one is in no cache. */
		if (i + 1 < loop->ready_count)
			__builtin_prefetch(loop->ready[i + 1].data.ptr);
		if (!watch || !watch->fn)
			continue;
		events = loop->ready[i].events & (watch->events | always);
		if (events)
			watch->fn(watch, events);
	}
	loop->ready_count = 0;
}

/* No more calls than there are timers: one that starts itself again for now
 * must not hold the turn. */
static void
run_timers(struct loop *loop)
{
	for (unsigned n = loop->timers; n && loop->timers; n--) {
		struct timer *timer = loop->heap[0];

		if (timer->at > loop->now)
			return;
		timer_stop(loop, timer);
		timer->fn(timer);
	}
}

int
loop_fd(const struct loop *loop)
{
	return loop->epoll;
}

void
loop_refresh(struct loop *loop)
{
	loop->now = clock_now();
}

void
loop_run_timers(struct loop *loop)
{
	loop->is_turning = true;
	run_timers(loop);
	loop->is_turning = false;
}

int
loop_turn(struct loop *loop, int max_ms)
{
	int n;

	assert(!loop->is_turning);
	n = epoll_wait(loop->epoll, loop->ready, LOOP_READY,
	    loop_wait_ms(loop, max_ms));
	if (n < 0 && errno != EINTR)
		return -errno;
	loop->now = clock_now();
	loop->is_turning = true;
	loop->ready_count = n < 0 ? 0 : n;
	run_events(loop);
	run_timers(loop);
	loop->is_turning = false;
	return 0;
}
