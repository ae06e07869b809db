/* SPDX-License-Identifier: ISC */
/*
 * when_full = "shed_idle". A request that waits for another message says so in
 * its seat, since when; the one that has waited longest is marked there and its
 * wait is ended, by the same signal as that of a killed one. It finds the mark,
 * unless its message came in the same moment: then it goes on.
 *
 * Lanes take for themselves, so nobody knows of a newcomer when all are busy.
 * The lane that was the last free one rings; BELL_MS later the main thread looks,
 * and watches the sockets if no lane is free even then. Under load the last one
 * is taken again and again, for a moment: one bell in BELL_MS is enough for all
 * processes, since whoever it rang for looks after those that it kept silent.
 */
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "serve/arrive.h"

#define AGAIN_MS 2
#define BELL_MS 10              /* longer than a tick of clock_coarse() */

void
acceptor_wake_shed(struct acceptor *a)
{
	const struct host *host = a->env->host;
	unsigned used = stats_seats_used(host->slab, host->size, host->slot);

	for (unsigned i = 0; i < used; i++)
		if (seat_is_shed(host_seat(host, i)))
			a->model->wake(a->env, i);
}

static void
shed_longest(struct acceptor *a)
{
	const struct host *host = a->env->host;
	struct seat *seat;
	int64_t since;

	/* Another, where it has got its message meanwhile. */
	do
		seat = stats_longest_wait(host->slab, host->size, host->slot,
		    &since);
	while (seat != NULL && since != SEAT_SHED && !seat_shed(seat, since));
	acceptor_wake_shed(a);
}

bool
shed_has_newcomer(const struct endpoint *ep)
{
	struct pollfd pfd = { .fd = ep->fd, .events = POLLIN };

	return poll(&pfd, 1, 0) == 1;
}

static bool
has_place(const struct acceptor *a)
{
	return a->model->takes ? arrive_has_idle(a, 1) :
	    host_has_room_in_all(a->env->host);
}

/* Which process has waited longest is for the supervisor to say. By the time it
 * hears of the newcomer he may have got a place: then a request has ended since
 * we counted, which is why that comes first. */
void
shed_for_newcomer(struct acceptor *a, const struct endpoint *ep)
{
	const struct host *host = a->env->host;
	const int64_t ended = stats_ended(host->slab, host->size.slots);

	if (has_place(a) || (ep != NULL && !shed_has_newcomer(ep)))
		return;
	if (host->size.slots > 1)
		a->env->full(a->env, ended);
	else
		shed_longest(a);
}

static void
look_again(struct timer *timer)
{
	struct acceptor *a = timer->arg;
	bool is_alert = arrive_idle(a) == 0;

	atomic_store(&a->is_alert, is_alert);
	if (is_alert)
		watches_start(a);
	else if (arrive_idle(a) == 0)   /* taken while nobody rang */
		(void)timer_start(a->env->loop, timer, clock_after_ms(AGAIN_MS),
		    look_again, a);
}

void
shed_ready(struct watch *watch, uint32_t events)
{
	struct acceptor *a = watch->arg;
	const struct endpoint *ep = &a->endpoints[watch - a->watches];

	(void)events;
	watches_stop(a);
	atomic_store(&a->is_alert, false);
	if (arrive_has_idle(a, 1))
		return;                 /* it takes the newcomer, and rings */
	shed_for_newcomer(a, ep);
	/* Unless the lane that is free for him rings before. */
	(void)timer_start(a->env->loop, &a->shed, clock_after_ms(AGAIN_MS),
	    look_again, a);
}

static void
bell_ready(struct watch *watch, uint32_t events)
{
	struct acceptor *a = watch->arg;
	uint64_t n;

	(void)events;
	(void)!read(a->bell, &n, sizeof(n));
	if (!timer_is_running(&a->shed))
		(void)timer_start(a->env->loop, &a->shed,
		    clock_after_ms(2 * BELL_MS), look_again, a);
}

void
shed_alert(struct acceptor *a)
{
	_Atomic int64_t *bell_at = &a->env->host->slab->bell_at;
	const uint64_t one = 1;
	int64_t now;

	if (a->bell < 0 || atomic_load(&a->is_alert))
		return;
	now = clock_coarse();
	if (now - atomic_load(bell_at) < BELL_MS * CLOCK_MS ||
	    arrive_has_idle(a, 1) || atomic_exchange(&a->is_alert, true))
		return;
	atomic_store(bell_at, now);
	(void)!write(a->bell, &one, sizeof(one));
}

int
shed_open(struct acceptor *a)
{
	a->bell_watch.fd = -1;
	if (!a->sheds)
		return 0;
	a->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (a->bell < 0)
		return -errno;
	return watch_start(a->env->loop, &a->bell_watch, a->bell, EPOLLIN,
	    bell_ready, a);
}

void
shed_close(struct acceptor *a)
{
	if (a->bell >= 0)
		watch_stop(a->env->loop, &a->bell_watch);
	timer_stop(a->env->loop, &a->shed);
	fd_close(&a->bell);
}
