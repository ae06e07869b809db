/* SPDX-License-Identifier: ISC */
/*
 * Where a connection goes that has spoken after it waited in the lobby: into
 * the backlog, and a lane that waits for arrivals is woken for it; a lane looks
 * there before it waits. Where no lane of this process is free but another's
 * is, the connection goes there, through the relay. Else the next lane that is
 * free takes it. The main thread looks again every few milliseconds: a signal
 * can come just before the wait that it is to end, and there may be a place
 * elsewhere meanwhile.
 *
 * Lanes do not wait for the backlog beside the sockets: that would cost every
 * connection a system call, for the sake of those that came without a word.
 */
#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "serve/arrive.h"

#define PLACE_MS 5

static void relay_ready(struct watch *watch, uint32_t events);

static void
relay_watch(struct acceptor *a)
{
	if (a->relay.in >= 0 && a->lobby != NULL && a->relay_watch.fd < 0 &&
	    atomic_load(&a->phase) == ACCEPT_TAKING)
		(void)watch_start(a->env->loop, &a->relay_watch, a->relay.in,
		    EPOLLIN, relay_ready, a);
}

static int64_t
idle_here(const struct acceptor *a)
{
	return atomic_load_explicit(&a->env->host->stats->idle,
	    memory_order_relaxed);
}

/* Lanes of other processes for which nothing is on its way yet. */
static int64_t
idle_elsewhere(const struct acceptor *a)
{
	return a->relay.out < 0 ? 0 : (int64_t)arrive_idle(a) - idle_here(a) -
	    relay_count(&a->relay);
}

/* 0, or -errno: it stays here. */
static int
send_elsewhere(struct acceptor *a)
{
	struct arrival arrival = { .fd = -1 };
	int r = backlog_take(&a->backlog, &arrival, false);

	if (r < 0)
		return r;
	r = relay_send(&a->relay, &arrival);
	if (r < 0 && backlog_add(&a->backlog, &arrival) < 0)
		arrive_refuse_admitted(a, &arrival, REASON_DESCRIPTORS);
	return r;
}

static void place_again(struct timer *timer);

static void
look_again_soon(struct acceptor *a)
{
	(void)timer_start(a->env->loop, &a->place, clock_after_ms(PLACE_MS),
	    place_again, a);
}

/* Somebody has spoken, and no lane is free here. */
static void
ask_for_room(struct acceptor *a)
{
	if (arrive_idle(a) > 0)
		return;
	if (atomic_load(&a->env->host->slab->is_scaling))
		a->env->busy(a->env);
	if (a->sheds)
		shed_for_newcomer(a, NULL);
}

static void
place_waiting(struct acceptor *a)
{
	int64_t waiting = (int64_t)backlog_count(&a->backlog);
	int64_t elsewhere;

	/* After the end of the sockets lanes wait for the backlog itself. */
	if (waiting == 0 || atomic_load(&a->phase) == ACCEPT_OVER)
		return;
	while (waiting > 0 && a->model->rouse(a->env))
		waiting--;
	elsewhere = waiting > 0 ? idle_elsewhere(a) : 0;
	while (waiting > 0 && elsewhere-- > 0 && send_elsewhere(a) == 0)
		waiting--;
	if (waiting > 0)
		ask_for_room(a);
	look_again_soon(a);
}

static void
place_again(struct timer *timer)
{
	struct acceptor *a = timer->arg;

	relay_watch(a);
	place_waiting(a);
}

void
place_last(struct acceptor *a)
{
	if (a->has_given_up && (a->lobby == NULL || lobby_close(a->lobby)))
		backlog_complete(&a->backlog);
}

void
place_arrival(void *acceptor, struct arrival *arrival)
{
	struct acceptor *a = acceptor;

	if (backlog_add(&a->backlog, arrival) < 0)
		arrive_refuse_admitted(a, arrival, REASON_DESCRIPTORS);
	place_waiting(a);
	place_last(a);
}

/* From another process: one that has spoken, or one that was left there. */
static int
take_relayed(struct acceptor *a)
{
	struct arrival arrival = { .fd = -1 };
	struct pollfd pfd = { .events = POLLIN | POLLRDHUP };
	int r = relay_take(&a->relay, &arrival);

	if (r < 0)
		return r;
	pfd.fd = arrival.fd;
	if (poll(&pfd, 1, 0) == 1 || lobby_add(a->lobby, &arrival) < 0)
		place_arrival(a, &arrival);
	return 0;
}

/* All main threads wake. Those with a free lane try, the others stand back for
 * a moment. */
static void
relay_ready(struct watch *watch, uint32_t events)
{
	struct acceptor *a = watch->arg;

	(void)events;
	if (idle_here(a) > (int64_t)backlog_count(&a->backlog)) {
		(void)take_relayed(a);
		return;
	}
	watch_stop(a->env->loop, watch);
	ask_for_room(a);
	look_again_soon(a);
}

void
place_start(struct acceptor *a)
{
	a->relay_watch.fd = -1;
	relay_watch(a);
}

/* As many as there is room for on the way; the others wait here. */
static void
leave_guests(struct acceptor *a)
{
	struct arrival arrival;

	while (lobby_pop(a->lobby, &arrival))
		if (relay_send(&a->relay, &arrival) < 0) {
			if (lobby_add(a->lobby, &arrival) < 0)
				arrive_refuse_admitted(a, &arrival,
				    REASON_DESCRIPTORS);
			return;
		}
}

static void
collect_relayed(struct acceptor *a)
{
	int r;

	do
		r = take_relayed(a);
	while (r == 0 || r == -EBADMSG);
}

void
place_stop(struct acceptor *a)
{
	watch_stop(a->env->loop, &a->relay_watch);
	timer_stop(a->env->loop, &a->place);
	if (a->relay.in >= 0 && a->lobby != NULL) {
		if (a->is_alone)
			leave_guests(a);
		else
			collect_relayed(a);
	}
	a->has_given_up = true;
	place_last(a);
}

/* Past the end of its lanes nobody here serves them. */
static void
hand_on(struct acceptor *a, struct arrival *arrival)
{
	if (a->relay.out < 0 || arrival->id == 0 ||
	    relay_send(&a->relay, arrival) < 0)
		arrive_refuse_queued(a, arrival);
}

void
acceptor_hand_on(struct acceptor *a)
{
	struct arrival arrival = { .fd = -1 };

	if (a->lobby == NULL)
		return;
	watch_stop(a->env->loop, &a->relay_watch);
	timer_stop(a->env->loop, &a->place);
	while (lobby_pop(a->lobby, &arrival))
		hand_on(a, &arrival);
	(void)lobby_close(a->lobby);
	while (backlog_take(&a->backlog, &arrival, false) == 0)
		hand_on(a, &arrival);
}
