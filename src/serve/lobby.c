/* SPDX-License-Identifier: ISC */
/*
 * `incoming` is filled by any thread under the lock; all else belongs to the
 * main thread. Guests are kept oldest first: all have the same time, so one
 * timer serves them.
 */
#include "serve/lobby.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "handler/request.h"

#define NO_SEAT UINT_MAX
#define WORKER_SHOWN "none"     /* in the list of connections */

struct guest {
	struct lobby *lobby;
	struct arrival arrival;         /* its connection is owned */
	unsigned seat;                  /* of the process, or NO_SEAT */
	struct watch watch;
	struct guest *next, *previous;
};

struct lobby {
	struct loop *loop;              /* borrowed */
	struct host *host;              /* borrowed */
	void (*ready)(void *arg, struct arrival *arrival);
	void (*shed)(void *arg, struct arrival *arrival);       /* or NULL */
	int64_t max;
	void *arg;
	pthread_mutex_t lock;
	struct guest *incoming, **incoming_end; /* under lock; owned */
	unsigned total;                 /* under lock: incoming and guests */
	bool is_closed;                 /* under lock */
	struct guest *first, *last;     /* owned */
	unsigned *free_seats;           /* owned: a stack */
	unsigned free_seat_count;
	int64_t life_ms;                /* 0 = no limit */
	int wake;                       /* eventfd */
	struct watch watch;
	struct timer timer;
};

static void timer_is_over(struct timer *timer);

static void
set_timer(struct lobby *lobby)
{
	if (lobby->first == NULL || lobby->life_ms == 0)
		timer_stop(lobby->loop, &lobby->timer);
	else
		(void)timer_start(lobby->loop, &lobby->timer,
		    lobby->first->arrival.since + lobby->life_ms * CLOCK_MS,
		    timer_is_over, lobby);
}

/* -- seats -------------------------------------------------------------- */

static void
sit_down(struct guest *guest)
{
	struct lobby *lobby = guest->lobby;
	struct seat *seat = NULL;

	guest->seat = NO_SEAT;
	if (lobby->free_seat_count > 0)
		seat = host_seat(lobby->host,
		    lobby->free_seats[lobby->free_seat_count - 1]);
	if (seat == NULL)
		return;
	guest->seat = lobby->free_seats[--lobby->free_seat_count];
	request_sit_down(seat, &guest->arrival, guest->arrival.id,
	    WORKER_SHOWN, guest->arrival.since);
}

static void
stand_up(const struct guest *guest)
{
	struct lobby *lobby = guest->lobby;

	if (guest->seat == NO_SEAT)
		return;
	seat_end(host_seat(lobby->host, guest->seat));
	lobby->free_seats[lobby->free_seat_count++] = guest->seat;
}

/* -- coming and going --------------------------------------------------- */

static void
list_add(struct lobby *lobby, struct guest *guest)
{
	struct guest *before = lobby->last;

	/* Nearly always the youngest: one that was another process's may not
	 * be. */
	while (before != NULL && before->arrival.since > guest->arrival.since)
		before = before->previous;
	guest->previous = before;
	guest->next = before != NULL ? before->next : lobby->first;
	if (guest->next != NULL)
		guest->next->previous = guest;
	else
		lobby->last = guest;
	if (before != NULL)
		before->next = guest;
	else
		lobby->first = guest;
}

static void
list_remove(struct lobby *lobby, const struct guest *guest)
{
	if (guest->previous != NULL)
		guest->previous->next = guest->next;
	else
		lobby->first = guest->next;
	if (guest->next != NULL)
		guest->next->previous = guest->previous;
	else
		lobby->last = guest->previous;
}

/* Its connection is the caller's now. */
static struct arrival
guest_leave(struct guest *guest)
{
	struct lobby *lobby = guest->lobby;
	struct arrival arrival = guest->arrival;

	watch_stop(lobby->loop, &guest->watch);
	list_remove(lobby, guest);
	stand_up(guest);
	free(guest);
	atomic_fetch_sub_explicit(&lobby->host->stats->silent, 1,
	    memory_order_relaxed);
	(void)pthread_mutex_lock(&lobby->lock);
	lobby->total--;
	(void)pthread_mutex_unlock(&lobby->lock);
	return arrival;
}

static void
guest_abandon(struct guest *guest, const char *result)
{
	struct host *host = guest->lobby->host;
	struct arrival arrival = guest_leave(guest);

	request_abandon(host, &arrival, result);
}

/* A word, the end, or an error: the handler is to see it. */
static void
guest_ready(struct watch *watch, uint32_t events)
{
	struct guest *guest = watch->arg;
	struct lobby *lobby = guest->lobby;
	struct arrival arrival;

	(void)events;
	arrival = guest_leave(guest);
	set_timer(lobby);
	lobby->ready(lobby->arg, &arrival);
}

static void
timer_is_over(struct timer *timer)
{
	struct lobby *lobby = timer->arg;
	int64_t before = clock_now() - lobby->life_ms * CLOCK_MS;

	while (lobby->first != NULL && lobby->first->arrival.since <= before)
		guest_abandon(lobby->first, "timeout");
	set_timer(lobby);
}

static void
guest_enter(struct lobby *lobby, struct guest *guest)
{
	list_add(lobby, guest);
	sit_down(guest);
	guest->watch.fd = -1;
	/* Without room in the system for another watch a lane waits for it. */
	if (watch_start(lobby->loop, &guest->watch, guest->arrival.fd,
	    EPOLLIN | EPOLLRDHUP, guest_ready, guest) < 0)
		guest_ready(&guest->watch, 0);
}

static void
shed_surplus(struct lobby *lobby)
{
	const struct host *host = lobby->host;

	while (lobby->shed != NULL && lobby->first != NULL &&
	    (int64_t)stats_silent(host->slab, host->size.slots) > lobby->max) {
		struct arrival arrival = guest_leave(lobby->first);
		lobby->shed(lobby->arg, &arrival);
	}
}

static void
take_incoming(struct watch *watch, uint32_t events)
{
	struct lobby *lobby = watch->arg;
	uint64_t n;

	(void)events;
	(void)!read(lobby->wake, &n, sizeof(n));
	(void)pthread_mutex_lock(&lobby->lock);
	struct guest *guest = lobby->incoming;
	lobby->incoming = NULL;
	lobby->incoming_end = &lobby->incoming;
	(void)pthread_mutex_unlock(&lobby->lock);
	while (guest != NULL) {
		struct guest *next = guest->next;
		guest_enter(lobby, guest);
		guest = next;
	}
	shed_surplus(lobby);
	set_timer(lobby);
}

int
lobby_add(struct lobby *lobby, const struct arrival *arrival)
{
	const uint64_t one = 1;
	struct guest *guest = calloc(1, sizeof(*guest));

	if (guest == NULL)
		return -ENOMEM;
	guest->lobby = lobby;
	guest->arrival = *arrival;
	guest->arrival.data = NULL;
	if (arrival->since == 0)
		guest->arrival.since = clock_now();
	guest->arrival.id = request_id_of(lobby->host, arrival);
	(void)pthread_mutex_lock(&lobby->lock);
	bool is_closed = lobby->is_closed;
	if (!is_closed) {
		*lobby->incoming_end = guest;
		lobby->incoming_end = &guest->next;
		lobby->total++;
		atomic_fetch_add_explicit(&lobby->host->stats->silent, 1,
		    memory_order_relaxed);
	}
	(void)pthread_mutex_unlock(&lobby->lock);
	if (is_closed) {
		free(guest);
		return -ECANCELED;
	}
	(void)!write(lobby->wake, &one, sizeof(one));
	return 0;
}

bool
lobby_kill(struct lobby *lobby, uint64_t id)
{
	struct guest *guest = lobby->first;

	while (guest != NULL && guest->arrival.id != id)
		guest = guest->next;
	if (guest == NULL)
		return false;
	guest_abandon(guest, "error");
	set_timer(lobby);
	return true;
}

bool
lobby_pop(struct lobby *lobby, struct arrival *arrival)
{
	take_incoming(&lobby->watch, 0);
	if (lobby->first == NULL)
		return false;
	*arrival = guest_leave(lobby->first);
	set_timer(lobby);
	return true;
}

bool
lobby_close(struct lobby *lobby)
{
	(void)pthread_mutex_lock(&lobby->lock);
	lobby->is_closed = lobby->is_closed || lobby->total == 0;
	bool is_closed = lobby->is_closed;
	(void)pthread_mutex_unlock(&lobby->lock);
	return is_closed;
}

/* -- making ------------------------------------------------------------- */

static int64_t
life_ms(const struct listener_conf *conf)
{
	int64_t ms = conf->timeout_ms, session_ms = conf->session_timeout_ms;

	return ms == 0 || (session_ms > 0 && session_ms < ms) ? session_ms : ms;
}

static int
make_seats(struct lobby *lobby, unsigned first)
{
	unsigned end = lobby->host->size.seats;
	unsigned count = end > first ? end - first : 0;

	lobby->free_seats = calloc(count + 1, sizeof(*lobby->free_seats));
	if (lobby->free_seats == NULL)
		return -ENOMEM;
	/* The lowest is taken first: readers look as far as was used. */
	for (unsigned i = 0; i < count; i++)
		lobby->free_seats[i] = end - 1 - i;
	lobby->free_seat_count = count;
	return 0;
}

struct lobby *
lobby_new(struct loop *loop, struct host *host, unsigned first_seat,
    void (*ready)(void *arg, struct arrival *arrival), void *arg)
{
	struct lobby *lobby = calloc(1, sizeof(*lobby));

	if (lobby == NULL)
		return NULL;
	lobby->loop = loop;
	lobby->host = host;
	lobby->ready = ready;
	lobby->arg = arg;
	lobby->life_ms = life_ms(host->conf);
	lobby->incoming_end = &lobby->incoming;
	lobby->watch.fd = -1;
	lobby->timer.arg = lobby;
	(void)pthread_mutex_init(&lobby->lock, NULL);
	lobby->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (lobby->wake < 0 || make_seats(lobby, first_seat) < 0 ||
	    watch_start(loop, &lobby->watch, lobby->wake, EPOLLIN,
	    take_incoming, lobby) < 0)
		lobby_free(&lobby);
	return lobby;
}

void
lobby_limit(struct lobby *lobby, int64_t max,
    void (*shed)(void *arg, struct arrival *arrival))
{
	lobby->max = max;
	lobby->shed = shed;
}

void
lobby_free(struct lobby **lobbyp)
{
	struct lobby *lobby = *lobbyp;
	struct arrival arrival;

	if (lobby == NULL)
		return;
	while (lobby->wake >= 0 && lobby_pop(lobby, &arrival))
		fd_close(&arrival.fd);
	watch_stop(lobby->loop, &lobby->watch);
	timer_stop(lobby->loop, &lobby->timer);
	fd_close(&lobby->wake);
	(void)pthread_mutex_destroy(&lobby->lock);
	free(lobby->free_seats);
	free(lobby);
	*lobbyp = NULL;
}
