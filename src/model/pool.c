/* SPDX-License-Identifier: ISC */
/*
 * Lanes that take for themselves: `sync` (one lane, which also runs tick
 * between two requests) and the bounded pool of `threaded` with workers = N.
 * The main thread only makes, nudges and joins them; a lane that has ended
 * says so through an eventfd.
 */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/sig.h"
#include "model/lane.h"
#include "model/model.h"
#include "model/ticker.h"

struct pool {
	struct lane *lanes;             /* owned */
	size_t count;                   /* lanes that were started */
	_Atomic size_t ended;           /* lanes that take no more */
	bool has_lane_tick;             /* sync: the lane runs tick itself */
	int wake;                       /* eventfd: a lane has ended */
	struct watch watch;
	struct ticker *ticker;          /* owned; NULL = none */
};

static void
lane_wake(struct pool *pool)
{
	const uint64_t one = 1;

	if (write(pool->wake, &one, sizeof(one)) < 0)
		return;         /* cannot be: the counter never comes near its end */
}

/* The lane's turn between requests: tick when due; when is the next? */
static int64_t
lane_tick(const struct lane *lane, int64_t due)
{
	int64_t now = clock_now();

	if (due > now)
		return due;
	host_tick(lane->env->host);
	return clock_now() + lane->env->conf->tick_ms * CLOCK_MS;
}

static void
lane_end(struct lane *lane)
{
	struct pool *pool = lane->env->state;

	atomic_fetch_add(&pool->ended, 1);
	lane_wake(pool);
}

/* A handler may end its thread with pthread_exit(): its request is closed and
 * the lane counted as ended; the process is replaced when no lane is left. */
static void
lane_torn(void *arg)
{
	struct lane *lane = arg;

	if (lane->is_serving) { /* else it was tick */
		lane->request.has_failed = true;
		request_end(&lane->request);
	}
	lane_end(lane);
}

static int
lane_take(struct lane *lane, int64_t due)
{
	struct arrival *arrival = &lane->request.arrival;

	arrival->len = 0;
	arrival->data = lane->room;
	arrival->size = lane->room_size;
	/* Plain stores: take() itself says to all that it has begun, and one
	 * nudge too many does no harm. */
	atomic_store_explicit(&lane->is_taking, true, memory_order_release);
	int r = lane->env->take(lane->env, arrival, due);
	atomic_store_explicit(&lane->is_taking, false, memory_order_release);
	return r;
}

static void *
lane_main(void *arg)
{
	struct lane *lane = arg;
	struct pool *pool = lane->env->state;
	int64_t due = pool->has_lane_tick ?
	    clock_after_ms(lane->env->conf->tick_ms) : 0;
	int r;

	lane_begin();
	/* Around all of them: only a handler ends the thread in between. */
	pthread_cleanup_push(lane_torn, lane);
	while ((r = lane_take(lane, due)) != -ECANCELED) {
		if (r == 0)
			lane_serve(lane);
		if (due > 0)
			due = lane_tick(lane, due);
	}
	pthread_cleanup_pop(0);
	lane_end(lane);
	return NULL;
}

static void
lanes_join(struct pool *pool)
{
	for (size_t i = 0; i < pool->count; i++) {
		(void)pthread_join(pool->lanes[i].thread, NULL);
		lane_free(&pool->lanes[i]);
	}
	pool->count = 0;
}

static void
lane_ended(struct watch *watch, uint32_t events)
{
	struct model_env *env = watch->arg;
	struct pool *pool = env->state;
	uint64_t n;

	(void)events;
	(void)!read(pool->wake, &n, sizeof(n));
	if (atomic_load(&pool->ended) < pool->count)
		return;
	watch_stop(env->loop, &pool->watch);
	lanes_join(pool);
	ticker_free(&pool->ticker);
	env->drained(env);
}

static int
open_lane(struct model_env *env, struct pool *pool, bool is_sync)
{
	struct lane *lane = &pool->lanes[pool->count];

	lane_init(lane, env, is_sync ? "Process" : "Thread",
	    is_sync ? (unsigned)getpid() : (unsigned)pool->count + 1);
	lane->request.seat = host_seat(env->host, (unsigned)pool->count);
	int r = lane_make_room(lane, (size_t)env->conf->max_datagram_bytes + 1);
	if (r == 0)
		r = lane_start(lane, lane_main, lane);
	if (r == 0)
		pool->count++;
	return r;
}

/* At least one lane must run; fewer than asked is served with a warning. */
static int
open_lanes(struct model_env *env, struct pool *pool, size_t wanted,
    bool is_sync, struct err *err)
{
	int r = 0;

	while (r == 0 && pool->count < wanted)
		r = open_lane(env, pool, is_sync);
	if (pool->count == 0)
		return err_errno(err, -r, "no thread can be made");
	if (r < 0) {
		struct log_fields fields = { .listener = env->conf->name };
		log_write(LOG_LEVEL_WARNING, &fields, "only %zu of %zu threads "
		    "can be made: %s; raise the limit of processes or lower "
		    "workers", pool->count, wanted, strerrordesc_np(-r));
	}
	return 0;
}

static int
pool_start(struct model_env *env, size_t wanted, bool is_sync, struct err *err)
{
	struct pool *pool = calloc(1, sizeof(*pool));

	if (pool == NULL)
		return -ENOMEM;
	env->state = pool;
	env->host->is_one_lane = is_sync;
	pool->lanes = calloc(wanted, sizeof(*pool->lanes));
	pool->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (pool->lanes == NULL || pool->wake < 0)
		return err_errno(err, errno, "a pool of %zu threads", wanted);
	pool->has_lane_tick = is_sync && host_has_tick(env->host);
	int r = watch_start(env->loop, &pool->watch, pool->wake, EPOLLIN,
	    lane_ended, env);
	if (r < 0)
		return err_errno(err, -r, "a pool of %zu threads", wanted);
	if (!is_sync && host_has_tick(env->host) &&
	    (pool->ticker = ticker_new(env->host)) == NULL)
		return err_errno(err, EAGAIN, "no thread for tick can be made");
	return open_lanes(env, pool, wanted, is_sync, err);
}

static int
sync_open(struct model_env *env, struct err *err)
{
	return pool_start(env, 1, true, err);
}

static int
pool_open(struct model_env *env, struct err *err)
{
	return pool_start(env, (size_t)env->conf->workers, false, err);
}

static void
pool_nudge(struct model_env *env)
{
	struct pool *pool = env->state;

	/* A handler's own waits are its own until the deadline. */
	for (size_t i = 0; i < pool->count; i++)
		if (host_is_cancelled(env->host) ||
		    atomic_load(&pool->lanes[i].is_taking))
			(void)pthread_kill(pool->lanes[i].thread, SIG_NUDGE);
}

static void
pool_wake(struct model_env *env, unsigned seat)
{
	struct pool *pool = env->state;

	if (seat < pool->count)
		(void)pthread_kill(pool->lanes[seat].thread, SIG_NUDGE);
}

static void
pool_drain(struct model_env *env)
{
	(void)env;              /* lane_ended() sees the last one go */
}

static void
pool_close(struct model_env *env)
{
	struct pool *pool = env->state;

	if (pool == NULL)
		return;
	fd_close(&pool->wake);
	free(pool->lanes);
	free(pool);
	env->state = NULL;
}

const struct model sync_model = {
	.name = "sync",
	.takes = true,
	.open = sync_open,
	.drain = pool_drain,
	.nudge = pool_nudge,
	.wake = pool_wake,
	.close = pool_close,
};

const struct model pool_model = {
	.name = "threaded (pool)",
	.demands = SS_THREADS,
	.takes = true,
	.open = pool_open,
	.drain = pool_drain,
	.nudge = pool_nudge,
	.wake = pool_wake,
	.close = pool_close,
};
