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
#include <limits.h>
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
#define AGE_MS 5                /* first words are on their way until then */

/* The longest wait. One that is marked and has not seen it is woken again. */
static bool
find_victim(struct acceptor *a, unsigned *victim, int64_t *since)
{
	struct host *host = a->env->host;
	unsigned used = stats_seats_used(host->slab, host->size, host->slot);
	bool is_pending = false;

	*victim = UINT_MAX;
	*since = clock_now() - AGE_MS * CLOCK_MS;
	for (unsigned i = 0; i < used; i++) {
		int64_t at = seat_idle_since(host_seat(host, i));
		if (at == SEAT_SHED) {
			a->model->wake(a->env, i);
			is_pending = true;
		} else if (at > 0 && at < *since) {
			*since = at;
			*victim = i;
		}
	}
	return !is_pending && *victim != UINT_MAX;
}

void
acceptor_shed(struct acceptor *a)
{
	struct host *host = a->env->host;
	unsigned victim;
	int64_t since;

	/* Another, where it has got its message meanwhile. */
	while (find_victim(a, &victim, &since))
		if (seat_shed(host_seat(host, victim), since)) {
			a->model->wake(a->env, victim);
			return;
		}
}

/* Which process has waited longest is for the supervisor to say. */
void
shed_for_newcomer(struct acceptor *a)
{
	if (a->env->host->size.slots > 1)
		a->env->full(a->env);
	else
		acceptor_shed(a);
}

/* A lane may have taken him meanwhile. */
static bool
is_newcomer_there(const struct endpoint *ep)
{
	struct pollfd pfd = { .fd = ep->fd, .events = POLLIN };

	return poll(&pfd, 1, 0) == 1;
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
	if (is_newcomer_there(ep))
		shed_for_newcomer(a);
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
