/* SPDX-License-Identifier: ISC */
/*
 * Lanes that take for themselves: `sync` (one lane, which also runs tick
 * between two requests) and the pool of `threaded` with workers = N. The main
 * thread only makes, nudges and joins them; a lane that has ended, or that took
 * a request and left no other free to take the next, says so through an
 * eventfd.
 *
 * With max_workers the pool doubles at once when no lane is free. It shrinks
 * by as many as have been free for ten seconds on end, but one.
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

#define ROUSE_AGAIN_MS 4        /* a signal may come before the wait began */
#define SHRINK_MS 1000          /* between two looks */
#define SHRINK_LOOKS 10

enum post_state { POST_FREE, POST_MANNED, POST_LEFT };

/* A place for a lane. */
struct post {
	struct lane lane;
	struct pool *pool;              /* borrowed */
	_Atomic int state;              /* enum post_state */
	_Atomic bool is_dismissed;      /* it is to end */
	_Atomic bool is_roused;         /* since it began to wait */
	int64_t roused_at;              /* the main thread's */
};

struct pool {
	struct model_env *env;
	struct post *posts;             /* owned */
	size_t least, most;             /* lanes wanted; posts */
	size_t manned;                  /* posts with a lane, not joined yet */
	bool is_sync;                   /* one lane, named after the process */
	bool has_lane_tick;             /* sync: the lane runs tick itself */
	_Atomic bool wants_more;        /* no lane was free; stays while there
					 * is no post either */
	bool has_warned;                /* that no thread can be made */
	int wake;                       /* eventfd: wants_more, or one ended */
	struct watch watch;
	struct timer shrink;
	unsigned looks;
	uint32_t idle_least;            /* of those looks */
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
post_leave(struct post *post)
{
	atomic_store(&post->state, POST_LEFT);
	lane_wake(post->pool);
}

/* A handler may end its thread with pthread_exit(): its request is closed and
 * the lane counted as ended; the process is replaced when no lane is left. */
static void
lane_torn(void *arg)
{
	struct post *post = arg;

	if (post->lane.is_serving) {    /* else it was tick */
		post->lane.request.has_failed = true;
		request_end(&post->lane.request);
	}
	post_leave(post);
}

static int
lane_take(struct post *post, int64_t due)
{
	struct lane *lane = &post->lane;
	struct arrival *arrival = &lane->request.arrival;

	arrival->id = 0;
	arrival->since = 0;
	arrival->len = 0;
	arrival->failure = 0;
	arrival->data = lane->room;
	arrival->size = lane->room_size;
	if (atomic_load_explicit(&post->is_roused, memory_order_relaxed))
		atomic_store(&post->is_roused, false);
	/* Plain stores: take() itself says to all that it has begun, and one
	 * nudge too many does no harm. */
	atomic_store_explicit(&lane->is_taking, true, memory_order_release);
	int r = lane->env->take(lane->env, arrival, due);
	atomic_store_explicit(&lane->is_taking, false, memory_order_release);
	return r;
}

static void
ask_for_more(struct pool *pool)
{
	const struct stats *stats = pool->env->host->stats;

	if (atomic_load_explicit(&stats->idle, memory_order_relaxed) == 0 &&
	    !atomic_exchange(&pool->wants_more, true))
		lane_wake(pool);
}

static void *
lane_main(void *arg)
{
	struct post *post = arg;
	struct lane *lane = &post->lane;
	struct pool *pool = post->pool;
	int64_t due = pool->has_lane_tick ?
	    clock_after_ms(lane->env->conf->tick_ms) : 0;
	int r;

	lane_begin();
	/* Around all of them: only a handler ends the thread in between. */
	pthread_cleanup_push(lane_torn, post);
	while (!atomic_load_explicit(&post->is_dismissed,
	    memory_order_relaxed) && (r = lane_take(post, due)) != -ECANCELED) {
		if (r == 0 && pool->most > pool->least)
			ask_for_more(pool);
		if (r == 0) {
			lane_serve(lane);
			host_idle_add(lane->env->host, 1);
		}
		if (due > 0)
			due = lane_tick(lane, due);
	}
	pthread_cleanup_pop(0);
	host_idle_add(lane->env->host, -1);
	post_leave(post);
	return NULL;
}

/* -- the main thread ---------------------------------------------------- */

static bool
is_manned(const struct post *post)
{
	return atomic_load(&post->state) == POST_MANNED;
}

static void
join_ended(struct pool *pool)
{
	for (size_t i = 0; i < pool->most; i++) {
		struct post *post = &pool->posts[i];

		if (atomic_load(&post->state) != POST_LEFT)
			continue;
		(void)pthread_join(post->lane.thread, NULL);
		lane_free(&post->lane);
		atomic_store(&post->state, POST_FREE);
		atomic_store(&pool->wants_more, false);
		pool->manned--;
	}
}

static int
post_man(struct pool *pool, size_t i)
{
	struct model_env *env = pool->env;
	struct post *post = &pool->posts[i];
	struct lane *lane = &post->lane;

	lane_init(lane, env, pool->is_sync ? "Process" : "Thread",
	    pool->is_sync ? (unsigned)getpid() : (unsigned)i + 1);
	lane->request.seat = host_seat(env->host, (unsigned)i);
	post->pool = pool;
	atomic_store(&post->is_dismissed, false);
	atomic_store(&post->state, POST_MANNED);
	host_idle_add(env->host, 1);
	int r = lane_make_room(lane, (size_t)env->conf->max_datagram_bytes + 1);
	if (r == 0)
		r = lane_start(lane, lane_main, post);
	if (r < 0) {
		host_idle_add(env->host, -1);
		atomic_store(&post->state, POST_FREE);
		lane_free(lane);
		return r;
	}
	pool->manned++;
	return 0;
}

/* Fewer than wanted are served with; said once. */
static void
warn_of_shortage(struct pool *pool, size_t wanted, int r)
{
	struct log_fields fields = { .listener = pool->env->conf->name };

	if (!pool->has_warned)
		log_write(LOG_LEVEL_WARNING, &fields, "only %zu of %zu threads "
		    "can be made: %s; raise the limit of processes or lower "
		    "workers", pool->manned, wanted, strerrordesc_np(-r));
	pool->has_warned = true;
}

static int
man_posts(struct pool *pool, size_t wanted)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < pool->most &&
	    pool->manned < wanted; i++)
		if (atomic_load(&pool->posts[i].state) == POST_FREE)
			r = post_man(pool, i);
	if (r < 0 && pool->manned > 0)
		warn_of_shortage(pool, wanted, r);
	return r;
}

static void begin_to_shrink(struct pool *pool);

static void
pool_grow(struct pool *pool)
{
	size_t wanted = 2 * pool->manned;

	if (host_is_draining(pool->env->host))
		return;
	(void)man_posts(pool, wanted < pool->most ? wanted : pool->most);
	begin_to_shrink(pool);
}

/* One that has just taken a request serves it first. */
static void
dismiss(struct pool *pool, size_t count)
{
	for (size_t i = pool->most; i-- > 0 && count > 0;) {
		struct post *post = &pool->posts[i];

		if (!is_manned(post) || !atomic_load(&post->lane.is_taking))
			continue;
		/* Again, where the signal came before the wait began. */
		atomic_store(&post->is_dismissed, true);
		(void)pthread_kill(post->lane.thread, SIG_NUDGE);
		count--;
	}
}

static void
look_at_idle(struct timer *timer)
{
	struct pool *pool = timer->arg;
	uint32_t idle = atomic_load(&pool->env->host->stats->idle);
	size_t surplus = pool->manned - pool->least;

	if (idle < pool->idle_least)
		pool->idle_least = idle;
	if (++pool->looks >= SHRINK_LOOKS) {
		if (pool->idle_least > 0 && pool->idle_least - 1 < surplus)
			surplus = pool->idle_least - 1;
		if (pool->idle_least > 0)
			dismiss(pool, surplus);
		pool->looks = 0;
		pool->idle_least = UINT32_MAX;
	}
	begin_to_shrink(pool);
}

static void
begin_to_shrink(struct pool *pool)
{
	if (pool->manned <= pool->least) {
		timer_stop(pool->env->loop, &pool->shrink);
		pool->looks = 0;
		pool->idle_least = UINT32_MAX;
	} else if (!timer_is_running(&pool->shrink)) {
		(void)timer_start(pool->env->loop, &pool->shrink,
		    clock_after_ms(SHRINK_MS), look_at_idle, pool);
	}
}

static void
pool_woken(struct watch *watch, uint32_t events)
{
	struct model_env *env = watch->arg;
	struct pool *pool = env->state;
	uint64_t n;

	(void)events;
	(void)!read(pool->wake, &n, sizeof(n));
	join_ended(pool);
	if (pool->manned > 0) {
		if (pool->manned < pool->most &&
		    atomic_exchange(&pool->wants_more, false))
			pool_grow(pool);
		return;
	}
	watch_stop(env->loop, &pool->watch);
	timer_stop(env->loop, &pool->shrink);
	ticker_free(&pool->ticker);
	env->drained(env);
}

/* -- opening ------------------------------------------------------------ */

static struct pool *
pool_new(struct model_env *env, bool is_sync)
{
	struct pool *pool = calloc(1, sizeof(*pool));

	if (pool == NULL)
		return NULL;
	pool->env = env;
	pool->least = is_sync ? 1 : (size_t)env->conf->workers;
	pool->most = is_sync ? 1 : (size_t)listener_lanes(env->conf);
	pool->posts = calloc(pool->most, sizeof(*pool->posts));
	pool->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pool->is_sync = is_sync;
	pool->has_lane_tick = is_sync && host_has_tick(env->host);
	pool->idle_least = UINT32_MAX;
	pool->shrink.arg = pool;
	return pool;
}

static int
pool_start(struct model_env *env, bool is_sync, struct err *err)
{
	struct pool *pool = pool_new(env, is_sync);

	env->state = pool;
	if (pool == NULL)
		return -ENOMEM;
	if (pool->posts == NULL || pool->wake < 0)
		return err_errno(err, errno, "a pool of %zu threads",
		    pool->most);
	int r = watch_start(env->loop, &pool->watch, pool->wake, EPOLLIN,
	    pool_woken, env);
	if (r < 0)
		return err_errno(err, -r, "a pool of %zu threads", pool->most);
	if (!is_sync && host_has_tick(env->host) &&
	    (pool->ticker = ticker_new(env->host)) == NULL)
		return err_errno(err, EAGAIN, "no thread for tick can be made");
	r = man_posts(pool, pool->least);
	return pool->manned > 0 ? 0 :
	    err_errno(err, -r, "no thread can be made");
}

static int
sync_open(struct model_env *env, struct err *err)
{
	return pool_start(env, true, err);
}

static int
pool_open(struct model_env *env, struct err *err)
{
	return pool_start(env, false, err);
}

static void
pool_nudge(struct model_env *env)
{
	struct pool *pool = env->state;

	/* A handler's own waits are its own until the deadline. */
	for (size_t i = 0; i < pool->most; i++) {
		struct post *post = &pool->posts[i];

		if (is_manned(post) && (host_is_cancelled(env->host) ||
		    atomic_load(&post->lane.is_taking)))
			(void)pthread_kill(post->lane.thread, SIG_NUDGE);
	}
}

static void
pool_wake(struct model_env *env, unsigned seat)
{
	struct pool *pool = env->state;

	if (seat < pool->most && is_manned(&pool->posts[seat]))
		(void)pthread_kill(pool->posts[seat].lane.thread, SIG_NUDGE);
}

static bool
can_be_roused(const struct post *post, int64_t now)
{
	return is_manned(post) && atomic_load(&post->lane.is_taking) &&
	    (!atomic_load(&post->is_roused) ||
	    now - post->roused_at >= ROUSE_AGAIN_MS * CLOCK_MS);
}

static bool
pool_rouse(struct model_env *env)
{
	struct pool *pool = env->state;
	int64_t now = clock_now();

	for (size_t i = 0; i < pool->most; i++) {
		struct post *post = &pool->posts[i];

		if (!can_be_roused(post, now))
			continue;
		post->roused_at = now;
		atomic_store(&post->is_roused, true);
		(void)pthread_kill(post->lane.thread, SIG_NUDGE);
		return true;
	}
	return false;
}

static void
pool_drain(struct model_env *env)
{
	(void)env;              /* pool_woken() sees the last one go */
}

static void
pool_close(struct model_env *env)
{
	struct pool *pool = env->state;

	if (pool == NULL)
		return;
	fd_close(&pool->wake);
	free(pool->posts);
	free(pool);
	env->state = NULL;
}

const struct model sync_model = {
	.name = "sync",
	.takes = true,
	.is_one_lane = true,
	.open = sync_open,
	.drain = pool_drain,
	.nudge = pool_nudge,
	.rouse = pool_rouse,
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
	.rouse = pool_rouse,
	.wake = pool_wake,
	.close = pool_close,
};
