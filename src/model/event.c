/* SPDX-License-Identifier: ISC */
/*
 * A process per processor, each of one thread, a fiber per request. Dispatching
 * runs the new request at once: its first bytes are often there. Whatever a
 * fiber waits for comes back through the loop.
 */
#include "model/event.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/log.h"

#define STACK_DEFAULT (64 << 10)
#define LAG_MS 100              /* longer without a wait is worth a warning */
#define CROWD_SLACK 16          /* requests above its share, and an eighth */
#define OWN_DESCRIPTORS 64      /* left for the process itself, and lingering */
#define ROOM_MS 20              /* other processes' requests may end, too */

/* -- running ------------------------------------------------------------ */

/* The loop stood still meanwhile, and with it every other request. */
static void
warn_lag(struct fiber *fiber, int64_t ns)
{
	struct request *rq = &fiber->request;
	struct log_fields fields = {
		.listener = rq->host->conf->name,
		.generation = rq->host->generation,
		.worker = fiber->request.worker,
		.request = rq->id,
		.peer = request_peer(rq),
	};

	log_write(LOG_LEVEL_WARNING, &fields, "handler \"%s\" ran for %lld "
	    "ms without a wait in an ss_ call; every other request of this "
	    "process waited: use \"threaded\" for a handler that computes or "
	    "blocks", rq->host->module->handler.name, (long long)(ns / CLOCK_MS));
}

static void
list_add(struct event *event, struct fiber *fiber)
{
	fiber->previous = NULL;
	fiber->next = event->fibers;
	if (event->fibers != NULL)
		event->fibers->previous = fiber;
	event->fibers = fiber;
	event->count++;
}

static void
list_remove(struct event *event, struct fiber *fiber)
{
	if (fiber->next != NULL)
		fiber->next->previous = fiber->previous;
	if (fiber->previous != NULL)
		fiber->previous->next = fiber->next;
	else
		event->fibers = fiber->next;
	event->count--;
}

static void
number_take(struct event *event, struct fiber *fiber)
{
	fiber->number = event->free_count > 0 ?
	    event->free_numbers[--event->free_count] :
	    (unsigned)event->numbers++;
	event->by_number[fiber->number] = fiber;
}

static void
number_give_back(struct event *event, const struct fiber *fiber)
{
	event->by_number[fiber->number] = NULL;
	event->free_numbers[event->free_count++] = fiber->number;
}

static void
drained(struct timer *timer)
{
	struct event *event = timer->arg;

	timer_stop(event->env->loop, &event->tick);
	timer_stop(event->env->loop, &event->room);
	event->env->drained(event->env);
}

/* Not from within: whoever dispatches or drains may hold on to us. */
static void
tell_when_drained(struct event *event)
{
	struct loop *loop = event->env->loop;

	if (event->is_draining && event->count == 0)
		(void)timer_start(loop, &event->end, loop_now(loop), drained,
		    event);
}

static void
offer_room(struct event *event)
{
	if (!event->wants_room || event->count >= event->most ||
	    !host_has_room_in_all(event->env->host))
		return;
	event->wants_room = false;
	event->env->resume(event->env);
}

static void
fiber_free(struct fiber *fiber)
{
	struct event *event = fiber->event;
	char *stack = fiber->stack;

	timer_stop(event->env->loop, &fiber->timer);
	list_remove(event, fiber);
	number_give_back(event, fiber);
	free(fiber->datagram);
	if (event->spare.cap == 0) {
		event->spare = fiber->request.out;
		fiber->request.out = (struct buf){ 0 };
	}
	request_free(&fiber->request);
	stack_put(event->stacks, stack);        /* the fiber lies on it */
}

/* Logging needs a deep stack, and this one has been touched. */
static void
fiber_end(struct fiber *fiber)
{
	struct event *event = fiber->event;

	event->reactor->release(fiber,
	    request_closes_at_once(&fiber->request));
	request_close(&fiber->request);
	fiber_free(fiber);
	offer_room(event);
	tell_when_drained(event);
}

/* Here, and where the supervisor looks when this process does not answer. */
static inline void
run_as(struct event *event, struct fiber *fiber, unsigned seat)
{
	event->running = fiber;
	atomic_store_explicit(&event->env->host->stats->running, seat,
	    memory_order_relaxed);
}

static void
fiber_enter(struct fiber *fiber)
{
	struct event *event = fiber->event;
	int64_t since = loop_now(event->env->loop);

	assert(event->running == NULL);
	if (event->seen_at > since)
		since = event->seen_at;
	run_as(event, fiber, fiber->number + 1);
	fiber->passes = 0;
	context_enter(&fiber->context);
	run_as(event, NULL, 0);
	event->seen_at = clock_coarse();
	if (event->seen_at - since >= LAG_MS * CLOCK_MS)
		warn_lag(fiber, event->seen_at - since);
	if (fiber->context.is_over)
		fiber_end(fiber);
}

static void
fiber_go_on(struct fiber *fiber, int r)
{
	fiber->wait = WAIT_NONE;
	fiber->woken = r;
	fiber_enter(fiber);
}

void
fiber_wake(struct fiber *fiber, int r)
{
	if (fiber->wait != WAIT_NONE && fiber->wait != WAIT_SENT)
		fiber_go_on(fiber, r);
}

void
fiber_sent(struct fiber *fiber, int r)
{
	assert(fiber->wait == WAIT_SENT);
	fiber_go_on(fiber, r);
}

/* The timer is left where it is while deadlines move on: so a request costs no
 * work on the heap. */
static void
timer_due(struct timer *timer)
{
	struct fiber *fiber = timer->arg;
	struct loop *loop = fiber->event->env->loop;

	if (fiber->wait == WAIT_NONE || fiber->wait_until == CLOCK_NEVER)
		return;
	if (fiber->wait_until <= loop_now(loop))
		fiber_wake(fiber, -ETIMEDOUT);
	else    /* cannot fail: there is room, it was just taken out */
		(void)timer_start(loop, timer, fiber->wait_until, timer_due,
		    fiber);
}

static int
set_timer(struct fiber *fiber, int64_t until)
{
	fiber->wait_until = until;
	if (until == CLOCK_NEVER ||
	    (timer_is_running(&fiber->timer) && fiber->timer.at <= until))
		return 0;
	return timer_start(fiber->event->env->loop, &fiber->timer, until,
	    timer_due, fiber);
}

/* The bytes of a datagram are the acceptor's, until the next one. */
static int
keep_datagram(struct fiber *fiber)
{
	struct arrival *arrival = &fiber->request.arrival;

	if (arrival->endpoint->transport->is_stream || fiber->datagram != NULL)
		return 0;
	fiber->datagram = malloc(arrival->len + 1);
	if (fiber->datagram == NULL)
		return -ENOMEM;
	memcpy(fiber->datagram, arrival->data, arrival->len);
	arrival->data = fiber->datagram;
	return 0;
}

int
fiber_wait(struct fiber *fiber, enum fiber_wait wait, int64_t until)
{
	int r = keep_datagram(fiber);

	if (r == 0)
		r = set_timer(fiber, until);
	if (r < 0)
		return r;
	fiber->wait = wait;
	context_leave(&fiber->context);
	return fiber->woken;
}

/* -- dispatching -------------------------------------------------------- */

static void
fiber_main(void *arg)
{
	struct fiber *fiber = arg;

	request_serve(&fiber->request);
	request_flush_last(&fiber->request);
	context_end(&fiber->context);
}

static void
init_request(struct event *event, struct fiber *fiber)
{
	struct request *rq = &fiber->request;
	const unsigned i = fiber->number;
	char *name = i < PLACES ? event->places[i].name : fiber->name;

	if (name[0] == '\0')
		worker_name(name, "Fiber", i + 1);
	request_init(rq, event->env->host, &io_fiber, name);
	rq->head = i < PLACES ? &event->places[i].head : NULL;
	rq->seat = host_seat(event->env->host, i);
	rq->out = event->spare;
	event->spare = (struct buf){ 0 };
}

static struct fiber *
fiber_new(struct event *event)
{
	char *stack = stack_get(event->stacks);
	size_t size = (stack_size(event->stacks) - sizeof(struct fiber)) &
	    ~(size_t)63;
	struct fiber *fiber;

	if (stack == NULL)
		return NULL;
	fiber = (void *)(stack + size);
	memset(&fiber->epoll, 0, sizeof(*fiber) - offsetof(struct fiber,
	    epoll));                /* the rest is request_init()'s */
	fiber->event = event;
	fiber->stack = stack;
	number_take(event, fiber);
	init_request(event, fiber);
	event->reactor->adopt(fiber);
	context_make(&fiber->context, stack, size, fiber_main, fiber);
	list_add(event, fiber);
	return fiber;
}

static int
event_dispatch(struct model_env *env, struct arrival *arrival)
{
	struct fiber *fiber = fiber_new(env->state);

	host_reserve_end(env->host);    /* it is counted as active */
	if (fiber == NULL)
		return -ENOMEM;
	request_begin(&fiber->request, arrival, request_new_id(env->host));
	fiber_enter(fiber);
	return 0;
}

static void
look_for_room(struct timer *timer)
{
	struct event *event = timer->arg;

	offer_room(event);
	if (event->wants_room)
		(void)timer_start(event->env->loop, timer,
		    clock_after_ms(ROOM_MS), look_for_room, event);
}

static bool
event_has_room(struct model_env *env)
{
	struct event *event = env->state;

	if (event->count < event->most && host_reserve(env->host))
		return true;
	event->wants_room = true;
	if (env->host->size.slots > 1 && !timer_is_running(&event->room))
		(void)timer_start(env->loop, &event->room,
		    clock_after_ms(ROOM_MS), look_for_room, event);
	return false;
}

/* The kernel tends to wake the same process again and again. */
static bool
event_is_crowded(struct model_env *env)
{
	const struct event *event = env->state;
	const int64_t share = host_active_in_all(env->host) /
	    env->host->size.slots;

	return (int64_t)event->count > share + share / 8 + CROWD_SLACK;
}

/* -- the life of the model ---------------------------------------------- */

static void
tick_due(struct timer *timer)
{
	struct event *event = timer->arg;

	host_tick(event->env->host);
	event->seen_at = clock_coarse();        /* not a fiber's doing */
	(void)timer_start(event->env->loop, timer,
	    clock_after_ms(event->env->conf->tick_ms), tick_due, event);
}

/* Connections are cheaper over io_uring; datagrams, which come by the loop, are
 * not. */
static bool
wants_uring(const struct model_env *env)
{
	return env->conf->io == IO_URING ||
	    (env->conf->io == IO_AUTO && env->has_streams);
}

/* Whoever asked for io_uring by name is warned where there is none. */
static int
open_reactor(struct event *event, struct err *err)
{
	const struct listener_conf *conf = event->env->conf;
	struct log_fields fields = { .listener = conf->name };

	event->reactor = wants_uring(event->env) ? &uring_reactor :
	    &epoll_reactor;
	if (event->reactor->open(event, err) == 0)
		return 0;
	event->reactor->close(event);
	log_write(conf->io == IO_AUTO ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING,
	    &fields, "%s; epoll is used instead", err->text);
	event->reactor = &epoll_reactor;
	return event->reactor->open(event, err);
}

/* Other processes may have descriptors to spare: leave the rest to them. */
static size_t
descriptors_for_requests(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 ||
	    limit.rlim_cur <= 2 * OWN_DESCRIPTORS)
		return SIZE_MAX;        /* so few: each is asked for */
	return (size_t)limit.rlim_cur - OWN_DESCRIPTORS;
}

static int
make_parts(struct event *event)
{
	const struct listener_conf *conf = event->env->conf;
	size_t most = (size_t)conf->max_connections;

	event->most = descriptors_for_requests();
	event->stacks = stacks_new(conf->stack_size_bytes > 0 ?
	    (size_t)conf->stack_size_bytes : STACK_DEFAULT);
	event->by_number = calloc(most, sizeof(struct fiber *));
	event->free_numbers = calloc(most, sizeof(*event->free_numbers));
	event->env->host->scratch = malloc(host_read_room(event->env->host));
	if (event->stacks == NULL || event->by_number == NULL ||
	    event->free_numbers == NULL || event->env->host->scratch == NULL)
		return -ENOMEM;
	return overflow_watch(event);
}

static int
event_open(struct model_env *env, struct err *err)
{
	struct event *event = calloc(1, sizeof(*event));
	int r;

	if (event == NULL)
		return -ENOMEM;
	env->state = event;
	event->env = env;
	r = make_parts(event);
	if (r < 0)
		return err_errno(err, -r, "fibers");
	if (host_has_tick(env->host))
		(void)timer_start(env->loop, &event->tick,
		    clock_after_ms(env->conf->tick_ms), tick_due, event);
	return open_reactor(event, err);
}

static int
event_turn(struct model_env *env)
{
	struct event *event = env->state;

	host_reserve_end(env->host);    /* nobody was there */
	return event->reactor->turn(event);
}

static enum io_choice
event_io(const struct model_env *env)
{
	const struct event *event = env->state;

	return event->reactor->io;
}

static int64_t
event_room(const struct model_env *env)
{
	const struct event *event = env->state;
	const size_t here = event->most - event->count;
	const int64_t room = env->conf->max_connections -
	    host_active_in_all(env->host);

	return room > 0 && here < (size_t)room ? (int64_t)here : room;
}

static bool
event_listen(struct model_env *env, unsigned i, int fd)
{
	struct event *event = env->state;

	return event->reactor->listen != NULL &&
	    event->reactor->listen(event, i, fd);
}

static bool
event_is_listening(const struct model_env *env)
{
	const struct event *event = env->state;

	return event->reactor->is_listening != NULL &&
	    event->reactor->is_listening(event);
}

static void
event_drain(struct model_env *env)
{
	struct event *event = env->state;

	event->is_draining = true;
	tell_when_drained(event);
}

/* A fiber that is woken may end, and others begin, but no other ends. */
static void
event_nudge(struct model_env *env)
{
	struct event *event = env->state;
	struct fiber *next;

	for (struct fiber *f = event->fibers;
	    f != NULL && host_is_cancelled(env->host); f = next) {
		next = f->next;
		fiber_wake(f, 0);
	}
}

static void
event_wake(struct model_env *env, unsigned seat)
{
	struct event *event = env->state;

	struct fiber *fiber = seat < event->numbers ? event->by_number[seat] :
	    NULL;

	if (fiber != NULL && request_is_killed(&fiber->request, true))
		fiber_wake(fiber, -ECANCELED);
}

static void
event_close(struct model_env *env)
{
	struct event *event = env->state;

	if (event == NULL)
		return;
	if (event->reactor != NULL)
		event->reactor->close(event);
	timer_stop(env->loop, &event->tick);
	timer_stop(env->loop, &event->room);
	timer_stop(env->loop, &event->end);
	overflow_unwatch();
	stacks_free(&event->stacks);
	buf_free(&event->spare);
	free(env->host->scratch);
	env->host->scratch = NULL;
	free(event->by_number);
	free(event->free_numbers);
	free(event);
	env->state = NULL;
}

const struct model event_model = {
	.name = "event",
	.demands = SS_FIBERS,
	.is_one_lane = true,
	.open = event_open,
	.dispatch = event_dispatch,
	.has_room = event_has_room,
	.listen = event_listen,
	.is_listening = event_is_listening,
	.room = event_room,
	.is_crowded = event_is_crowded,
	.turn = event_turn,
	.io = event_io,
	.drain = event_drain,
	.nudge = event_nudge,
	.wake = event_wake,
	.close = event_close,
};
