/* SPDX-License-Identifier: ISC */
/*
 * A thread per request, as Python's ThreadingMixIn, but a thread that is done
 * is parked and used again, last parked first (its stack is still in the
 * cache): handing a connection over costs half of making a thread. A thread
 * parked for PARK_MS ends.
 *
 * The main thread dispatches. `lock` covers the lists; requests and waits run
 * without it. Who takes a thread from `parked` owes it a post of its semaphore,
 * and gives it work before that, or none: then it ends.
 *
 *	dispatch: pop parked | make  ->  WORKING  -> parked -> ended -> joined
 */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/sig.h"
#include "model/lane.h"
#include "model/model.h"
#include "model/ticker.h"

#define PARK_MS 10000
#define NO_SEAT UINT_MAX

struct worker {
	struct lane lane;
	struct threaded *owner;
	sem_t posted;
	_Atomic bool has_work;          /* with the request: the main thread's
					 * until the post, then the thread's */
	unsigned seat;                  /* of host_seat(), or NO_SEAT */
	struct worker *next, *previous; /* in all */
	struct worker *below;           /* in parked, or in ended */
};

struct threaded {
	struct model_env *env;
	pthread_mutex_t lock;
	struct worker *all;             /* every thread that runs; owned */
	struct worker *parked;          /* a stack */
	struct worker *ended;           /* to be joined by the main thread */
	bool is_draining;               /* under lock */
	_Atomic bool wants_wake;        /* the main thread waits for room */
	unsigned made;                  /* names: Thread-1, Thread-2, ... */
	unsigned *free_seats;           /* owned; under lock: a stack */
	unsigned free_seat_count, seats_given;  /* under lock */
	int wake;                       /* eventfd */
	struct watch watch;
	struct ticker *ticker;          /* owned; NULL = none */
};

static void
main_wake(struct threaded *t)
{
	const uint64_t one = 1;

	(void)!write(t->wake, &one, sizeof(one));
}

static void
list_add(struct threaded *t, struct worker *w)
{
	w->previous = NULL;
	w->next = t->all;
	if (t->all != NULL)
		t->all->previous = w;
	t->all = w;
}

static void
list_remove(struct threaded *t, struct worker *w)
{
	if (w->next != NULL)
		w->next->previous = w->previous;
	if (w->previous != NULL)
		w->previous->next = w->next;
	else
		t->all = w->next;
}

/* False: somebody else has taken it from there. */
static bool
unpark(struct threaded *t, struct worker *w)
{
	struct worker **at = &t->parked;

	while (*at != NULL && *at != w)
		at = &(*at)->below;
	if (*at != w)
		return false;
	*at = w->below;
	return true;
}

/* Under the lock. A thread keeps its seat. */
static unsigned
seat_take(struct threaded *t)
{
	if (t->free_seat_count > 0)
		return t->free_seats[--t->free_seat_count];
	return t->seats_given < t->env->host->size.seats ?
	    t->seats_given++ : NO_SEAT;
}

static void
seat_give_back(struct threaded *t, unsigned seat)
{
	if (seat != NO_SEAT)
		t->free_seats[t->free_seat_count++] = seat;
}

/* Until somebody posts. False: its time is up, and nobody will. */
static bool
worker_wait(struct worker *w)
{
	struct threaded *t = w->owner;
	int64_t at = clock_after_ms(PARK_MS);
	struct timespec ts = { at / CLOCK_SECOND, at % CLOCK_SECOND };
	bool is_mine = false;

	while (!is_mine && sem_clockwait(&w->posted, CLOCK_MONOTONIC, &ts) < 0) {
		if (errno != ETIMEDOUT)
			continue;       /* a nudge */
		(void)pthread_mutex_lock(&t->lock);
		is_mine = unpark(t, w);
		(void)pthread_mutex_unlock(&t->lock);
		ts.tv_sec++;            /* else the post is on its way */
	}
	return !is_mine;
}

static void
worker_end(struct worker *w)
{
	struct threaded *t = w->owner;

	(void)pthread_mutex_lock(&t->lock);
	list_remove(t, w);
	seat_give_back(t, w->seat);
	w->below = t->ended;
	t->ended = w;
	(void)pthread_mutex_unlock(&t->lock);
	main_wake(t);
}

/* A request is done. False: the thread has nothing to wait for. */
static bool
worker_park(struct worker *w)
{
	struct threaded *t = w->owner;

	(void)pthread_mutex_lock(&t->lock);
	bool is_last = t->is_draining;
	if (!is_last) {
		w->below = t->parked;
		t->parked = w;
	}
	(void)pthread_mutex_unlock(&t->lock);
	if (atomic_load(&t->wants_wake))
		main_wake(t);
	return !is_last;
}

/* A handler may end its thread with pthread_exit(): the request is closed and
 * the slot freed all the same. */
static void
worker_torn(void *arg)
{
	struct worker *w = arg;

	w->lane.request.has_failed = true;
	request_end(&w->lane.request);
	worker_end(w);
}

static void *
worker_main(void *arg)
{
	struct worker *w = arg;

	lane_begin();
	do {
		atomic_store(&w->has_work, false);
		pthread_cleanup_push(worker_torn, w);
		lane_serve(&w->lane);
		pthread_cleanup_pop(0);
	} while (worker_park(w) && worker_wait(w) &&
	    atomic_load(&w->has_work));
	worker_end(w);
	return NULL;
}

static void
worker_free(struct worker *w)
{
	lane_free(&w->lane);
	(void)sem_destroy(&w->posted);
	free(w);
}

/* Copy the arrival into the worker's request; a datagram's bytes move to its own
 * room. */
static int
worker_load(struct worker *w, const struct arrival *arrival)
{
	struct arrival *own = &w->lane.request.arrival;

	*own = *arrival;
	if (arrival->endpoint->transport->is_stream)
		return 0;
	int r = lane_make_room(&w->lane, arrival->len + 1);
	if (r < 0)
		return r;
	own->data = w->lane.room;
	own->size = w->lane.room_size;
	memcpy(w->lane.room, arrival->data, arrival->len);
	return 0;
}

static int
dispatch_to_new(struct threaded *t, const struct arrival *arrival)
{
	struct worker *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return -ENOMEM;
	lane_init(&w->lane, t->env, "Thread", t->made + 1);
	w->owner = t;
	atomic_init(&w->has_work, true);
	(void)sem_init(&w->posted, 0, 0);
	int r = worker_load(w, arrival);
	(void)pthread_mutex_lock(&t->lock);
	w->seat = seat_take(t);
	w->lane.request.seat = host_seat(t->env->host, w->seat);
	if (r == 0)
		r = lane_start(&w->lane, worker_main, w);
	if (r == 0) {
		list_add(t, w);
		t->made++;
	} else {
		seat_give_back(t, w->seat);
	}
	(void)pthread_mutex_unlock(&t->lock);
	if (r < 0)
		worker_free(w);
	return r;
}

static struct worker *
take_parked(struct threaded *t)
{
	(void)pthread_mutex_lock(&t->lock);
	struct worker *w = t->parked;
	if (w != NULL)
		t->parked = w->below;
	(void)pthread_mutex_unlock(&t->lock);
	return w;
}

static int
threaded_dispatch(struct model_env *env, struct arrival *arrival)
{
	struct threaded *t = env->state;
	struct worker *w = take_parked(t);

	if (w == NULL)
		return dispatch_to_new(t, arrival);
	int r = worker_load(w, arrival);
	atomic_store(&w->has_work, r == 0);     /* out of memory: it ends */
	(void)sem_post(&w->posted);
	return r;
}

static void
join_ended(struct threaded *t)
{
	(void)pthread_mutex_lock(&t->lock);
	struct worker *w = t->ended;
	t->ended = NULL;
	(void)pthread_mutex_unlock(&t->lock);
	while (w != NULL) {
		struct worker *below = w->below;
		(void)pthread_join(w->lane.thread, NULL);
		worker_free(w);
		w = below;
	}
}

static bool
is_empty(struct threaded *t)
{
	(void)pthread_mutex_lock(&t->lock);
	bool is_empty = t->is_draining && t->all == NULL && t->ended == NULL;
	(void)pthread_mutex_unlock(&t->lock);
	return is_empty;
}

static void
threaded_woken(struct watch *watch, uint32_t events)
{
	struct model_env *env = watch->arg;
	struct threaded *t = env->state;
	uint64_t n;

	(void)events;
	(void)!read(t->wake, &n, sizeof(n));
	join_ended(t);
	if (is_empty(t)) {
		watch_stop(env->loop, &t->watch);
		ticker_free(&t->ticker);
		env->drained(env);
	} else if (atomic_exchange(&t->wants_wake, false)) {
		env->resume(env);
	}
}

static int
threaded_open(struct model_env *env, struct err *err)
{
	struct threaded *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return -ENOMEM;
	env->state = t;
	t->env = env;
	(void)pthread_mutex_init(&t->lock, NULL);
	t->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	t->free_seats = calloc(env->host->size.seats + 1,
	    sizeof(*t->free_seats));
	if (t->wake < 0 || t->free_seats == NULL)
		return err_errno(err, errno, "threads");
	if (host_has_tick(env->host) &&
	    (t->ticker = ticker_new(env->host)) == NULL)
		return err_errno(err, EAGAIN, "no thread for tick can be made");
	int r = watch_start(env->loop, &t->watch, t->wake, EPOLLIN,
	    threaded_woken, env);
	return r < 0 ? err_errno(err, -r, "threads") : 0;
}

static bool
threaded_has_room(struct model_env *env)
{
	struct threaded *t = env->state;

	if (host_has_room(env->host))
		return true;
	/* First the wish, then a second look: a request that ends in between
	 * sees one of the two. */
	atomic_store(&t->wants_wake, true);
	return host_has_room(env->host);
}

static void
threaded_drain(struct model_env *env)
{
	struct threaded *t = env->state;

	struct worker *w;

	(void)pthread_mutex_lock(&t->lock);
	t->is_draining = true;
	(void)pthread_mutex_unlock(&t->lock);
	while ((w = take_parked(t)) != NULL)
		(void)sem_post(&w->posted);
	main_wake(t);
}

static void
threaded_nudge(struct model_env *env)
{
	struct threaded *t = env->state;

	(void)pthread_mutex_lock(&t->lock);
	for (struct worker *w = t->all; w != NULL; w = w->next)
		(void)pthread_kill(w->lane.thread, SIG_NUDGE);
	(void)pthread_mutex_unlock(&t->lock);
}

static void
threaded_wake(struct model_env *env, unsigned seat)
{
	struct threaded *t = env->state;

	(void)pthread_mutex_lock(&t->lock);
	for (struct worker *w = t->all; w != NULL; w = w->next)
		if (w->seat == seat)
			(void)pthread_kill(w->lane.thread, SIG_NUDGE);
	(void)pthread_mutex_unlock(&t->lock);
}

static void
threaded_close(struct model_env *env)
{
	struct threaded *t = env->state;

	if (t == NULL)
		return;
	fd_close(&t->wake);
	free(t->free_seats);
	(void)pthread_mutex_destroy(&t->lock);
	free(t);
	env->state = NULL;
}

const struct model threaded_model = {
	.name = "threaded",
	.demands = SS_THREADS,
	.open = threaded_open,
	.dispatch = threaded_dispatch,
	.has_room = threaded_has_room,
	.drain = threaded_drain,
	.nudge = threaded_nudge,
	.wake = threaded_wake,
	.close = threaded_close,
};
