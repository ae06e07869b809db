/* SPDX-License-Identifier: ISC */
/*
 * Taking by the main thread, which hands arrivals to the model; the pauses;
 * and the end of the sockets. take.c has the lanes, arrive.c what both do.
 */
#include "serve/accept.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/channel.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "handler/request.h"
#include "serve/arrive.h"

#define BATCH 16                /* arrivals a turn of the loop */
#define RECHECK_MS 20
#define COLLECT_DATAGRAMS 4096
#define SHED_MS 2               /* until the next look for one to shed */

void
watches_stop(struct acceptor *a)
{
	for (unsigned i = 0; a->is_watching && i < a->count; i++) {
		listen_stop(a, i);
		watch_stop(a->env->loop, &a->watches[i]);
	}
	a->is_watching = false;
}

static void
look_again(struct timer *timer)
{
	acceptor_resume(timer->arg);
}

void
accept_pause(struct acceptor *a, int64_t ms)
{
	watches_stop(a);
	(void)timer_start(a->env->loop, &a->pause, clock_after_ms(ms),
	    look_again, a);
}

static int
hand_over(struct acceptor *a, struct arrival *arrival)
{
	int r = a->model->dispatch(a->env, arrival);

	if (r == 0) {
		arrive_forget_pause(a);
		return 0;
	}
	arrive_refuse_admitted(a, arrival, REASON_DESCRIPTORS);
	accept_pause(a, arrive_pause_ms(a, r));
	return r;
}

int
accept_dispatch(struct acceptor *a, struct arrival *arrival)
{
	int r = arrive_admit(a, arrival);

	return r < 0 ? r : hand_over(a, arrival);
}

bool
accept_is_patient(const struct acceptor *a)
{
	return a->sheds || a->env->conf->when_full == WHEN_FULL_QUEUE;
}

void
accept_look_for_room(struct acceptor *a, const struct endpoint *ep)
{
	if (!a->sheds)
		return;                 /* until resume() */
	/* Nobody is shed for a datagram. */
	if (ep == NULL || ep->transport->is_stream)
		shed_for_newcomer(a, ep);
	(void)timer_start(a->env->loop, &a->shed, clock_after_ms(SHED_MS),
	    look_again, a);
}

/* One arrival for the model. 0, or why to stop for now. */
static int
accept_one(struct acceptor *a, const struct endpoint *ep)
{
	struct arrival arrival = {
		.fd = -1, .data = a->room, .size = a->room_size,
	};
	bool is_full = !a->model->has_room(a->env);

	/* Where only this process is full, another one may take it. */
	bool is_for_others = is_full && host_has_room_in_all(a->env->host);
	if (is_full && (accept_is_patient(a) || is_for_others)) {
		if (a->sheds && !is_for_others && !shed_has_newcomer(ep))
			return -ECANCELED;      /* go on watching for one */
		watches_stop(a);                /* until resume() */
		if (!is_for_others)
			accept_look_for_room(a, ep);
		return -ECANCELED;
	}
	int r = ep->transport->take(ep, &arrival, false);
	if (arrive_is_trouble(r)) {
		arrive_shed(a, ep);
		accept_pause(a, arrive_pause_ms(a, r));
		return r;
	}
	r = arrive_sort_out(a, &arrival, r);
	if (r == 0 && is_full) {
		arrive_refuse(a, &arrival, REASON_MAX_CONNECTIONS);
		return 0;
	}
	if (r == 0)
		r = accept_dispatch(a, &arrival);
	return r == -EINTR ? 0 : r;
}

static void
accept_ready(struct watch *watch, uint32_t events)
{
	struct acceptor *a = watch->arg;
	const struct endpoint *ep = &a->endpoints[watch - a->watches];

	int r = 0;

	(void)events;
	for (int i = 0; i < BATCH && a->is_watching && r == 0; i++)
		r = accept_one(a, ep);
	/* Nothing waits now: what comes next is for others to take. */
	if (r == -EAGAIN && !ep->is_own && a->model->is_crowded != NULL &&
	    a->model->is_crowded(a->env))
		accept_pause(a, RECHECK_MS);
	if (a->is_watching && !a->in_plenty && listen_is_due(a)) {
		watches_stop(a);
		watches_start(a);       /* by the model */
	}
	log_tell();
}

/* The listener's requests in all its processes. */
static bool
is_listener_full(const struct acceptor *a)
{
	struct stats sum;

	memset(&sum, 0, sizeof(sum));
	stats_sum(a->env->host->slab, a->env->host->size.slots, &sum);
	return atomic_load(&sum.counters[COUNTER_ACTIVE]) >=
	    a->env->conf->max_connections;
}

/*
 * Lanes take for themselves, so nobody is there to refuse when all of them
 * are busy: the main thread does. While a lane is free it stays out of the
 * way for a moment.
 */
static void
refuse_ready(struct watch *watch, uint32_t events)
{
	struct acceptor *a = watch->arg;
	const struct endpoint *ep = &a->endpoints[watch - a->watches];
	struct arrival arrival = {
		.fd = -1, .data = a->room, .size = a->room_size,
	};

	(void)events;
	for (int i = 0; i < BATCH; i++) {
		if (!is_listener_full(a)) {
			accept_pause(a, RECHECK_MS);
			break;
		}
		int r = ep->transport->take(ep, &arrival, false);
		if (arrive_is_trouble(r)) {
			arrive_shed(a, ep);
			accept_pause(a, arrive_pause_ms(a, r));
			break;
		}
		r = arrive_sort_out(a, &arrival, r);
		if (r == 0)
			arrive_refuse(a, &arrival, REASON_MAX_CONNECTIONS);
		else if (r != -EINTR)
			break;
	}
}

/* What the main thread does when somebody comes; NULL: nothing, the lanes do. */
static watch_fn *
watcher(const struct acceptor *a)
{
	if (!a->model->takes)
		return accept_ready;
	if (a->sheds)
		return atomic_load(&a->is_alert) ? shed_ready : NULL;
	return accept_is_patient(a) ? NULL : refuse_ready;
}

/* Of several that wait to serve, one is enough; unless that may be a process of an
 * older generation, which does not go on, or an accept of our own that is being
 * called off: they are woken in vain. */
static uint32_t
take_events(const struct acceptor *a, const struct endpoint *ep)
{
	return a->is_sharing || ep->is_own ? EPOLLIN :
	    EPOLLIN | EPOLLEXCLUSIVE;
}

void
watches_start(struct acceptor *a)
{
	watch_fn *fn = watcher(a);

	if (atomic_load(&a->phase) != ACCEPT_TAKING || a->is_watching ||
	    fn == NULL)
		return;
	a->is_watching = true;
	a->in_plenty = listen_is_due(a);
	for (unsigned i = 0; i < a->count; i++) {
		const struct endpoint *ep = &a->endpoints[i];

		/* Nobody is shed for a datagram. */
		if ((fn == shed_ready && !ep->transport->is_stream) ||
		    listen_start(a, i))
			continue;
		const uint32_t events = fn == accept_ready &&
		    a->model->is_crowded != NULL ? take_events(a, ep) : EPOLLIN;
		if (watch_start(a->env->loop, &a->watches[i], ep->fd, events, fn,
		    a) < 0)
			log_error("listener \"%s\": a socket cannot be watched",
			    a->env->conf->name);
	}
}

/* -- the end ------------------------------------------------------------ */

/* Queued arrivals to the model, as far as there is room. */
static void
backlog_dispatch(struct acceptor *a)
{
	for (;;) {
		struct arrival arrival = {
			.fd = -1, .data = a->room, .size = a->room_size,
		};
		if (!a->model->has_room(a->env))
			return;
		int r = arrive_queued(a, &arrival, false);
		if (r == -EINTR)
			continue;
		if (r < 0) {
			a->model->drain(a->env);
			return;
		}
		if (arrive_admit(a, &arrival) == 0 &&
		    a->model->dispatch(a->env, &arrival) < 0)
			arrive_refuse_admitted(a, &arrival,
			    REASON_DESCRIPTORS);
	}
}

void
acceptor_resume(struct acceptor *a)
{
	if (atomic_load(&a->phase) == ACCEPT_OVER) {
		if (a->has_given_up)    /* else more may be added yet */
			backlog_dispatch(a);
	} else if (!timer_is_running(&a->pause) && (a->model->takes ||
	    listen_serve_held(a)))
		watches_start(a);
}

/* What a connection that is collected unstarted inherits was not set yet. */
static void
collect_prepare(const struct acceptor *a, struct endpoint *ep)
{
	struct err err;

	if (!a->is_ready && (endpoint_settle(ep, &err) < 0 ||
	    ep->transport->ready(ep, a->env->conf, &err) < 0))
		log_warning("listener \"%s\": %s", a->env->conf->name, err.text);
	if (ep->transport->is_stream)
		(void)endpoint_set_nonblock(ep, true);
}

static void
collect_endpoint(struct acceptor *a, struct endpoint *ep)
{
	/* The kernel queues one more than listen(2) was told. */
	int64_t left = ep->transport->is_stream ? a->env->conf->backlog + 1 :
	    COLLECT_DATAGRAMS;

	collect_prepare(a, ep);
	while (left-- > 0) {
		struct arrival arrival = {
			.fd = -1, .data = a->room, .size = a->room_size,
		};
		int r = arrive_sort_out(a, &arrival,
		    ep->transport->take(ep, &arrival, false));
		if (r == 0 && backlog_add(&a->backlog, &arrival) < 0)
			arrive_refuse(a, &arrival, REASON_DESCRIPTORS);
		else if (arrive_is_trouble(r))
			(void)arrive_pause_ms(a, r);         /* tells of it */
		if (r < 0 && r != -EINTR)
			return;
	}
}

/* Past the deadline, with nobody left to serve them. */
void
acceptor_refuse_queued(struct acceptor *a)
{
	struct arrival arrival = { .data = a->room, .size = a->room_size };

	while (backlog_take(&a->backlog, &arrival, false) == 0)
		arrive_refuse_queued(a, &arrival);
}

void
acceptor_refuse_silent(struct acceptor *a)
{
	struct arrival arrival;

	while (a->lobby != NULL && lobby_pop(a->lobby, &arrival))
		arrive_refuse_admitted(a, &arrival, REASON_DRAINING);
	place_last(a);
}

bool
acceptor_kill(struct acceptor *a, uint64_t id)
{
	bool is_here = a->lobby != NULL && lobby_kill(a->lobby, id);

	if (is_here)
		place_last(a);
	return is_here;
}

/* Datagram sockets stay: replies leave from them. */
static void
give_up_sockets(struct acceptor *a)
{
	for (size_t i = 0; i < a->count; i++) {
		if (a->is_collected[i])
			collect_endpoint(a, &a->endpoints[i]);
		/* The rest of the endpoint stays for what was taken from it. */
		if (a->endpoints[i].transport->is_stream)
			fd_close(&a->endpoints[i].fd);
	}
	place_stop(a);
	a->released(a->released_arg);
	if (a->model->takes)
		a->model->drain(a->env);
	else
		backlog_dispatch(a);
}

/* Somebody may be inside accept4() on a socket that is to be closed. */
static bool
is_taking(const struct acceptor *a)
{
	return atomic_load(&a->in_take) > 0 || (a->model->is_listening != NULL &&
	    a->model->is_listening(a->env));
}

static void
collect_when_free(struct timer *timer)
{
	struct acceptor *a = timer->arg;

	if (!is_taking(a)) {
		give_up_sockets(a);
		return;
	}
	a->model->nudge(a->env);
	(void)timer_start(a->env->loop, &a->collect, clock_after_ms(5),
	    collect_when_free, a);
}

void
acceptor_unlistened(struct acceptor *a)
{
	if (!timer_is_running(&a->collect))
		return;
	timer_stop(a->env->loop, &a->collect);
	collect_when_free(&a->collect);
}

static void
phase_set(struct acceptor *a, enum accept_phase phase)
{
	(void)pthread_mutex_lock(&a->phase_lock);
	atomic_store(&a->phase, phase);
	(void)pthread_cond_broadcast(&a->phase_changed);
	(void)pthread_mutex_unlock(&a->phase_lock);
}

/* false: a lane has left before, and it goes on as it does. */
static bool
phase_end(struct acceptor *a)
{
	(void)pthread_mutex_lock(&a->phase_lock);
	bool is_ours = !a->is_spent;
	if (is_ours)
		atomic_store(&a->phase, ACCEPT_OVER);
	(void)pthread_cond_broadcast(&a->phase_changed);
	(void)pthread_mutex_unlock(&a->phase_lock);
	return is_ours;
}

bool
acceptor_drain(struct acceptor *a, const char *collect,
    void (*released)(void *), void *arg)
{
	size_t known = strlen(collect);

	if (atomic_load(&a->phase) == ACCEPT_OVER)
		return true;
	watches_stop(a);
	timer_stop(a->env->loop, &a->pause);
	timer_stop(a->env->loop, &a->shed);
	for (size_t i = 0; i < a->count && i < known; i++)
		a->is_collected[i] = collect[i] == DRAIN_COLLECT;
	a->is_alone = collect[0] == '\0';
	a->released = released;
	a->released_arg = arg;
	if (!phase_end(a))
		return false;
	collect_when_free(&a->collect);
	return true;
}

/* -- making ------------------------------------------------------------- */

static int
make_lane_poll(struct acceptor *a, struct err *err)
{
	a->poll = epoll_create1(EPOLL_CLOEXEC);
	if (a->poll < 0)
		return err_errno(err, errno, "epoll");
	for (size_t i = 0; i < a->count; i++) {
		struct epoll_event event = {
			.events = take_events(a, &a->endpoints[i]),
			.data.ptr = &a->endpoints[i],
		};
		if (epoll_ctl(a->poll, EPOLL_CTL_ADD, a->endpoints[i].fd,
		    &event) < 0)
			return err_errno(err, errno, "epoll");
	}
	return 0;
}

static int
ready_endpoints(struct acceptor *a, struct err *err)
{
	for (size_t i = 0; i < a->count; i++) {
		struct endpoint *ep = &a->endpoints[i];
		int r = endpoint_settle(ep, err);
		if (r == 0)
			ep->is_own = a->env->host->size.slots == 1 ||
			    (a->env->conf->reuse_port &&
			    endpoint_shares_port(ep));
		if (r == 0)
			r = ep->transport->ready(ep, a->env->conf, err);
		if (r == 0 && ep->transport->is_stream &&
		    (r = endpoint_set_nonblock(ep, !a->is_blocking)) < 0)
			(void)err_errno(err, -r, "%s", ep->address);
		if (r < 0)
			return r;
	}
	return 0;
}

/* max_requests, and up to half as many more, so that the workers of a pool do
 * not end all at once. */
static int64_t
requests_to_serve(const struct listener_conf *conf)
{
	uint64_t random = 0;

	if (conf->max_requests == 0)
		return INT64_MAX;
	(void)!getrandom(&random, sizeof(random), GRND_NONBLOCK);
	return conf->max_requests +
	    (int64_t)(random % (uint64_t)(conf->max_requests / 2 + 1));
}

static void
shed_guest(void *acceptor, struct arrival *arrival)
{
	arrive_refuse_admitted(acceptor, arrival, REASON_SHED_IDLE);
}

/* A worker is not held by a connection without a word, where the handler would
 * only wait for one. */
static int
make_lobby(struct acceptor *a)
{
	struct host *host = a->env->host;
	int64_t max = listener_silent_max(a->env->conf);

	if (max <= 0 || !a->env->has_streams ||
	    (host->module->handler.kinds & SS_READS_FIRST) == 0)
		return 0;
	a->lobby = lobby_new(a->env->loop, host,
	    (unsigned)listener_lanes(a->env->conf), place_arrival, a);
	if (a->lobby == NULL)
		return -ENOMEM;
	lobby_limit(a->lobby, max, a->sheds ? shed_guest : NULL);
	return 0;
}

struct acceptor *
acceptor_new(struct model_env *env, const struct model *model,
    struct endpoint *endpoints, size_t count, struct err *err)
{
	struct acceptor *a = calloc(1, sizeof(*a));

	if (a == NULL) {
		err_set(err, "out of memory");
		return NULL;
	}
	a->env = env;
	a->model = model;
	a->can_listen = model->listen != NULL;
	a->endpoints = endpoints;
	a->count = count;
	a->poll = -1;
	a->collect.arg = a->shed.arg = a->place.arg = a;
	a->look_fd = a->bell = -1;
	a->relay = (struct relay){ -1, -1, env->host, endpoints, count };
	a->sheds = env->conf->when_full == WHEN_FULL_SHED_IDLE;
	a->left = requests_to_serve(env->conf);
	(void)pthread_mutex_init(&a->spare_lock, NULL);
	(void)pthread_mutex_init(&a->phase_lock, NULL);
	(void)pthread_cond_init(&a->phase_changed, NULL);
	backlog_init(&a->backlog);
	a->spare = eventfd(0, EFD_CLOEXEC);
	a->watches = calloc(count, sizeof(*a->watches));
	a->is_collected = calloc(count, sizeof(*a->is_collected));
	a->room_size = (size_t)env->conf->max_datagram_bytes + 1;
	a->room = malloc(a->room_size);
	if (a->watches == NULL || a->is_collected == NULL || a->room == NULL) {
		err_set(err, "out of memory");
		acceptor_free(&a);
		return NULL;
	}
	/* One socket and nothing else to wait for: the taking call blocks, and
	 * the kernel wakes the lanes of all processes first come, first served. */
	a->is_blocking = model->takes && count == 1 && accept_is_patient(a) &&
	    !host_has_tick(env->host);
	if (model->takes && (make_lobby(a) < 0 || shed_open(a) < 0)) {
		err_set(err, "out of memory");
		acceptor_free(&a);
		return NULL;
	}
	/* What waits in a lobby is counted by the main thread, too. */
	env->host->is_one_lane = model->is_one_lane && a->lobby == NULL;
	return a;
}

void
acceptor_relay(struct acceptor *a, int in, int out)
{
	a->relay.in = in;
	a->relay.out = out;
	if (a->lobby == NULL)
		relay_close(&a->relay); /* nothing would ever go that way */
}

int
acceptor_open(struct acceptor *a, struct err *err)
{
	return a->model->open(a->env, err);
}

int
acceptor_start(struct acceptor *a, bool is_sharing, struct err *err)
{
	if (atomic_load(&a->phase) != ACCEPT_WAITING)
		return 0;
	/* Whether a socket blocks is the same for all who hold it, and a main
	 * thread that takes from it must never wait in accept4(2). */
	a->is_blocking = a->is_blocking && !is_sharing;
	a->is_sharing = is_sharing;
	int r = ready_endpoints(a, err);
	if (r == 0 && a->model->takes && !a->is_blocking)
		r = make_lane_poll(a, err);
	if (r < 0)
		return r;
	a->look_fd = a->poll >= 0 ? a->poll : a->endpoints[0].fd;
	a->is_ready = true;
	phase_set(a, ACCEPT_TAKING);
	watches_start(a);
	place_start(a);
	return 0;
}

void
acceptor_forget(const struct acceptor *a, int keep)
{
	for (size_t i = 0; i < a->count; i++)
		if (a->endpoints[i].transport->is_stream &&
		    a->endpoints[i].fd >= 0)
			(void)close(a->endpoints[i].fd);
	(void)close(a->spare);
	backlog_forget(&a->backlog, keep);
}

void
acceptor_free(struct acceptor **ap)
{
	struct acceptor *a = *ap;

	if (a == NULL)
		return;
	for (size_t i = 0; i < a->count; i++)
		endpoint_close(&a->endpoints[i]);
	lobby_free(&a->lobby);
	shed_close(a);
	timer_stop(a->env->loop, &a->place);
	watch_stop(a->env->loop, &a->relay_watch);
	relay_close(&a->relay);
	fd_close(&a->spare);
	fd_close(&a->poll);
	backlog_free(&a->backlog);
	free(a->watches);
	free(a->is_collected);
	free(a->endpoints);
	free(a->room);
	free(a);
	*ap = NULL;
}
