/* SPDX-License-Identifier: ISC */
/*
 * Taking by the lanes of a model: acceptor_take(), in any of their threads.
 * The main thread closes the sockets only when no lane is between the look at
 * the phase and the end of its call (in_take).
 */
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "serve/arrive.h"

#define AHEAD_MAX 4096          /* bytes: one page */
#define LOOK_EVERY 16           /* connections; has_spoken() */
/* For first bytes that are on their way: of a lane that is missed, and of one
 * that is not. */
#define GRACE_MS 5
#define LONG_GRACE_MS 1000
#define FREE_ENOUGH 4

/* The endpoint that is ready, or NULL with *r: -EINTR nudged or woken for
 * nothing, -ETIMEDOUT. */
static const struct endpoint *
wait_ready(struct acceptor *a, int64_t until, int *r)
{
	struct epoll_event event;

	log_tell();
	int n = epoll_wait(a->poll, &event, 1, clock_left_ms(until));

	if (n == 1)
		return event.data.ptr;
	*r = n == 0 ? -ETIMEDOUT : -EINTR;
	return NULL;
}

/* A blocking call said EAGAIN: its time was up, or another generation made the
 * socket non-blocking. */
static void
wait_readable(const struct endpoint *ep)
{
	struct pollfd pfd = { .fd = ep->fd, .events = POLLIN };

	(void)poll(&pfd, 1, -1);
}

/* Wait inside the taking call. As long as datagrams are there, what must be
 * done before a wait is put off. */
static int
take_blocking(const struct endpoint *ep, struct arrival *arrival)
{
	if (!ep->transport->is_stream) {
		int r = ep->transport->take(ep, arrival, false);
		if (r != -EAGAIN)
			return r;
	}
	log_tell();
	return ep->transport->take(ep, arrival, true);
}

static int
take_once(struct acceptor *a, struct arrival *arrival, int64_t until)
{
	const struct endpoint *ep = &a->endpoints[0];
	int r = 0;

	if (!a->is_blocking && (ep = wait_ready(a, until, &r)) == NULL)
		return r;
	r = a->is_blocking ? take_blocking(ep, arrival) :
	    ep->transport->take(ep, arrival, false);
	if (r == -EAGAIN) {
		if (a->is_blocking)
			wait_readable(ep);
		return -EINTR;
	}
	if (arrive_is_trouble(r)) {
		arrive_shed(a, ep);
		(void)poll(NULL, 0, (int)arrive_pause_ms(a, r));
		return -EINTR;
	}
	if (r == 0)
		arrive_forget_pause(a);
	return arrive_sort_out(a, arrival, r);
}

/* The sockets are not ours yet. */
static int
wait_for_start(struct acceptor *a, int64_t until)
{
	struct timespec ts = { until / CLOCK_SECOND, until % CLOCK_SECOND };
	int r = 0;

	log_flush();
	(void)pthread_mutex_lock(&a->phase_lock);
	while (atomic_load(&a->phase) == ACCEPT_WAITING && r != ETIMEDOUT)
		r = until > 0 ? pthread_cond_clockwait(&a->phase_changed,
		    &a->phase_lock, CLOCK_MONOTONIC, &ts) :
		    pthread_cond_wait(&a->phase_changed, &a->phase_lock);
	(void)pthread_mutex_unlock(&a->phase_lock);
	return r == ETIMEDOUT ? -ETIMEDOUT : -EINTR;
}

/* From the sockets, while they are ours. */
static int
take_guarded(struct acceptor *a, struct arrival *arrival, int64_t until)
{
	int r = -ECANCELED;

	atomic_fetch_add(&a->in_take, 1);
	int phase = atomic_load(&a->phase);
	if (phase == ACCEPT_TAKING)
		r = take_once(a, arrival, until);
	atomic_fetch_sub(&a->in_take, 1);
	return phase == ACCEPT_WAITING ? wait_for_start(a, until) : r;
}

static void
count_taken(struct acceptor *a)
{
	const struct host *host = a->env->host;

	host_idle_add(host, -1);
	if (host->conf->max_requests > 0)
		atomic_fetch_sub_explicit(&a->left, 1, memory_order_relaxed);
	if (a->sheds)
		shed_alert(a);
	if (atomic_load_explicit(&host->slab->is_scaling,
	    memory_order_relaxed) && !arrive_has_idle(a,
	    atomic_load(&host->slab->min_spare)))
		a->env->busy(a->env);
}

/* Spent: another process takes over, but not what this one collected. From now
 * on it cannot be asked to collect. */
static bool
may_leave_spent(struct acceptor *a)
{
	if (atomic_load_explicit(&a->left, memory_order_relaxed) > 0)
		return false;
	(void)pthread_mutex_lock(&a->phase_lock);
	bool may_leave = atomic_load(&a->phase) != ACCEPT_OVER;
	a->is_spent = a->is_spent || may_leave;
	(void)pthread_mutex_unlock(&a->phase_lock);
	return may_leave;
}

/* May it wait without a lane, when it has nothing to say? */
static bool
has_lobby(const struct acceptor *a, const struct arrival *arrival)
{
	return a->lobby != NULL && arrival->id == 0 &&
	    arrival->endpoint->transport->is_stream;
}

/* In all processes; may be a few too many, of lanes that look at once. */
static bool
lobby_has_room(const struct acceptor *a)
{
	const struct host *host = a->env->host;

	return a->sheds || (int64_t)stats_silent(host->slab,
	    host->size.slots) < listener_silent_max(a->env->conf);
}

/* Other free lanes beside which one is not missed, nor others are made. */
static uint64_t
enough_lanes(const struct acceptor *a)
{
	const uint64_t spare = atomic_load(&a->env->host->slab->min_spare);

	return spare > FREE_ENOUGH ? spare : FREE_ENOUGH;
}

static int
grace_ms(bool is_missed, int64_t until)
{
	int ms = is_missed ? GRACE_MS : LONG_GRACE_MS;
	int left = until > 0 ? clock_left_ms(until) : ms;

	return left < ms ? left : ms;
}

/*
 * Nearly always the first bytes are on their way, if not there: to wait a moment
 * for them here saves two wake-ups. Who is the last lane that could take another
 * connection stops when one comes, and counts as free until then.
 */
static bool
speaks_soon(struct acceptor *a, const struct arrival *arrival, int64_t until)
{
	host_idle_add(a->env->host, -1);
	const uint64_t enough = enough_lanes(a);
	const uint64_t others = arrive_count_takers(a, enough);
	bool is_last = others == 0;
	struct pollfd pfds[] = {
		{ .fd = arrival->fd, .events = POLLIN | POLLRDHUP },
		{ .fd = a->look_fd, .events = POLLIN },
	};

	if (is_last)
		host_idle_add(a->env->host, 1);
	(void)poll(pfds, is_last ? 2 : 1, grace_ms(others < enough, until));
	if (!is_last)
		host_idle_add(a->env->host, 1);
	return pfds[0].revents != 0;
}

/* For a handler that reads by itself, and must find all of it. */
static bool
is_readable(const struct arrival *arrival)
{
	struct pollfd pfd = {
		.fd = arrival->fd, .events = POLLIN | POLLRDHUP,
	};

	return poll(&pfd, 1, 0) == 1;
}

/* Whose first bytes are there pays nothing for the question: they are read here
 * rather than by the handler's first ss_read(). */
static bool
read_ahead(const struct acceptor *a, struct arrival *arrival)
{
	if (a->env->host->module->handler.kinds & SS_NEEDS_FD)
		return is_readable(arrival);
	ssize_t n = recv(arrival->fd, arrival->data,
	    arrival->size < AHEAD_MAX ? arrival->size : AHEAD_MAX,
	    MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	arrival->len = n > 0 ? (size_t)n : 0;
	arrival->failure = n < 0 ? -errno : 0;
	return true;
}

/*
 * Have its first bytes come, at once or soon? Where they were late for others
 * they will be for this one: then the look that finds nothing is saved, but now
 * and then. TCP_DEFER_ACCEPT would do too, but it is TCP's alone, and when its
 * time is up it hands silent connections over like others.
 */
static bool
has_spoken(struct acceptor *a, struct arrival *arrival, int64_t until)
{
	const struct stats *stats = a->env->host->stats;
	bool is_late = atomic_load_explicit(&a->is_late, memory_order_relaxed);
	int64_t taken = atomic_load_explicit(
	    &stats->counters[COUNTER_ACCEPTED], memory_order_relaxed);

	if (!is_late || taken % LOOK_EVERY == 0) {
		bool is_here = read_ahead(a, arrival);
		if (is_here == is_late)
			atomic_store(&a->is_late, !is_here);
		if (is_here)
			return true;
	}
	return speaks_soon(a, arrival, until) && read_ahead(a, arrival);
}

/* One that spoke, or whatever is there. */
static int
take_next(struct acceptor *a, struct arrival *arrival, int64_t until)
{
	int r = -EAGAIN;

	if (backlog_count(&a->backlog) > 0)
		r = arrive_queued(a, arrival, false);
	if (r == -EAGAIN)
		r = take_guarded(a, arrival, until);
	if (r == -ECANCELED)
		r = arrive_queued(a, arrival, true);
	if (r == 0 && arrival->id == 0)
		r = arrive_admit(a, arrival);
	if (r == 0 && has_lobby(a, arrival) && !has_spoken(a, arrival, until) &&
	    lobby_has_room(a) && lobby_add(a->lobby, arrival) == 0)
		r = -EINTR;
	return r;
}

int
acceptor_take(struct acceptor *a, struct arrival *arrival, int64_t until)
{
	if (may_leave_spent(a))
		return -ECANCELED;
	int r = take_next(a, arrival, until);
	if (r == 0)
		count_taken(a);
	else if (r == -EINTR && until > 0 && clock_now() >= until)
		r = -ETIMEDOUT;
	return r;
}
