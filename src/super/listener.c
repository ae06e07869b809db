/* SPDX-License-Identifier: ISC */
/*
 * The life of a listener: its generations beside each other, who of them takes
 * from the sockets, and what all of them counted.
 */
#include "super/listener.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"

#define RELEASE_MS 1000         /* from DRAIN until its successor takes anyway */

static struct log_fields
listener_fields(const struct listener *listener)
{
	return (struct log_fields){ .listener = listener->name };
}

static void
complain_of_socket(void *arg, const struct listener_conf *conf,
    const char *text)
{
	struct log_fields fields = { .listener = conf->name };

	(void)arg;
	log_write(LOG_LEVEL_ERROR, &fields, "%s", text);
}

/* The sockets are its own; what was opened beside others that serve is chosen
 * by the kernel from now on. */
static void
listener_join(struct listener *listener)
{
	bound_list_join(&listener->sockets, listener->conf,
	    complain_of_socket, NULL);
	drops_watch(listener);
}

struct listener *
listener_new(const struct generation_env *env, struct held *held,
    const struct listener_conf *conf, struct bound_list *sockets)
{
	struct listener *listener = calloc(1, sizeof(*listener));

	if (listener == NULL)
		return NULL;
	listener->name = strdup(conf->name);
	if (listener->name == NULL) {
		free(listener);
		return NULL;
	}
	listener->env = env;
	listener->held = held_get(held);
	listener->conf = conf;
	listener->sockets = *sockets;
	*sockets = (struct bound_list){ 0 };
	listener_join(listener);
	return listener;
}

/* What a generation counted joins what is kept of those before. */
static void
listener_fold(struct listener *listener, const struct generation *gen)
{
	totals_fold(&listener->totals, gen->slab, gen->slots);
	listener->cut_short += gen->cut_short;
	listener->restarts += gen->restarts;
}

void
listener_free(struct listener **listener)
{
	struct listener *old = *listener;
	struct generation *gen, *older;

	if (old == NULL)
		return;
	for (gen = old->draining; gen != NULL; gen = older) {
		older = gen->older;
		generation_free(&gen);
	}
	generation_free(&old->next);
	generation_free(&old->current);
	if (old->env->loop != NULL) {
		timer_stop(old->env->loop, &old->handover);
		timer_stop(old->env->loop, &old->drops.timer);
	}
	bound_list_clear(&old->sockets);
	held_put(&old->held);
	free(old->name);
	free(old);
	*listener = NULL;
}

/* Who takes from the sockets */

static void
handover_is_late(struct timer *timer)
{
	struct listener *listener = timer->arg;
	struct log_fields fields = listener_fields(listener);

	log_write(LOG_LEVEL_WARNING, &fields, "an older generation has not let "
	    "go of the sockets within %d ms; the new one takes all the same",
	    RELEASE_MS);
	if (listener->current == NULL)
		return;
	generation_take(listener->current, true);
	listener->env->progressed(listener->current);
}

static bool
draining_have_released(const struct listener *listener)
{
	const struct generation *gen;

	for (gen = listener->draining; gen != NULL; gen = gen->older)
		if (!generation_is_released(gen))
			return false;
	return true;
}

void
listener_released(struct listener *listener)
{
	struct generation *gen = listener->current;

	if (gen == NULL || gen->is_taking || !draining_have_released(listener))
		return;
	timer_stop(listener->env->loop, &listener->handover);
	generation_take(gen, false);
}

int
listener_resume(struct listener *listener)
{
	drops_watch(listener);
	if (listener->handover.at == 0)
		return 0;
	return timer_start(listener->env->loop, &listener->handover,
	    listener->handover.at, handover_is_late, listener);
}

/* Older generations */

unsigned
listener_count_draining(const struct listener *listener)
{
	const struct generation *gen;
	unsigned count = 0;

	for (gen = listener->draining; gen != NULL; gen = gen->older)
		count++;
	return count;
}

/* The oldest of too many that take their time; NULL: they are not too many. */
static struct generation *
one_too_many(const struct listener *listener)
{
	struct generation *gen, *found = NULL;
	unsigned count = 0;

	for (gen = listener->draining; gen != NULL; gen = gen->older)
		if (gen->state != GEN_GONE && !gen->is_hurried) {
			found = gen;
			count++;
		}
	return count > LISTENER_DRAINING_MAX ? found : NULL;
}

static void
listener_retire(struct listener *listener, struct generation *gen)
{
	struct log_fields fields = listener_fields(listener);

	gen->older = listener->draining;
	listener->draining = gen;
	generation_drain(gen);
	gen = one_too_many(listener);
	if (gen == NULL)
		return;
	log_write(LOG_LEVEL_NOTICE, &fields, "generation %u is ended early: "
	    "more than %d older generations", gen->number,
	    LISTENER_DRAINING_MAX);
	generation_hurry(gen);
}

/* A generation that never served has nothing to finish. */
static void
listener_drop_next(struct listener *listener)
{
	struct generation *gen = listener->next;

	if (gen == NULL)
		return;
	listener->next = NULL;
	listener_retire(listener, gen);
	generation_kill(gen);
}

/* The configuration and the sockets of the generation that is current now are
 * those in force. The sockets are exchanged before the old generation drains:
 * it empties those that nobody holds any more. */
static void
listener_adopt(struct listener *listener, const struct generation *gen)
{
	struct bound_list sockets;

	listener_rebind(listener, gen->held, gen->conf);
	if (bound_list_copy(&sockets, &gen->sockets) == 0)
		listener_hold(listener, &sockets);
}

static void
listener_switch(struct listener *listener)
{
	struct generation *old = listener->current;

	listener->current = listener->next;
	listener->next = NULL;
	listener->mode = LISTENER_WANTED;
	listener_adopt(listener, listener->current);
	(void)timer_start(listener->env->loop, &listener->handover,
	    loop_now(listener->env->loop) + RELEASE_MS * CLOCK_MS,
	    handover_is_late, listener);
	if (old != NULL)
		listener_retire(listener, old);
	listener_released(listener);
}

/* What is asked of it */

int
listener_begin(struct listener *listener, struct held *held,
    const struct listener_conf *conf, const struct bound_list *sockets,
    struct err *err)
{
	struct generation *gen = generation_new(listener->env, held, conf,
	    listener->last_number + 1, sockets, err);

	if (gen == NULL)
		return -ENOMEM;
	gen->listener = listener;
	listener->last_number++;
	listener->complaint.text[0] = '\0';
	listener_drop_next(listener);
	listener->handover.arg = listener;
	if (listener->current != NULL) {
		listener->next = gen;
	} else {
		listener->current = gen;
		listener->mode = LISTENER_WANTED;
		listener_adopt(listener, gen);
		gen->is_taking = draining_have_released(listener);
		if (!gen->is_taking)
			(void)timer_start(listener->env->loop,
			    &listener->handover, loop_now(listener->env->loop) +
			    RELEASE_MS * CLOCK_MS, handover_is_late, listener);
	}
	generation_start(gen);
	return 0;
}

void
listener_rebind(struct listener *listener, struct held *held,
    const struct listener_conf *conf)
{
	(void)held_get(held);
	held_put(&listener->held);
	listener->held = held;
	listener->conf = conf;
}

void
listener_hold(struct listener *listener, struct bound_list *sockets)
{
	drops_look(listener);
	bound_list_clear(&listener->sockets);
	listener->sockets = *sockets;
	*sockets = (struct bound_list){ 0 };
	listener_join(listener);
}

void
listener_stop(struct listener *listener, enum listener_mode mode)
{
	struct generation *gen = listener->current;

	listener->mode = mode;
	listener->serving_since = 0;
	timer_stop(listener->env->loop, &listener->handover);
	listener_drop_next(listener);
	drops_look(listener);
	if (mode != LISTENER_HELD)
		bound_list_clear(&listener->sockets);
	listener->current = NULL;
	if (gen != NULL)
		listener_retire(listener, gen);
}

static void
kill_one(struct generation *gen, void *arg)
{
	(void)arg;
	generation_kill(gen);
}

void
listener_kill(struct listener *listener)
{
	listener_each(listener, kill_one, NULL);
}

/* What its generations report */

void
listener_changed(struct listener *listener, struct generation *gen)
{
	if (gen == listener->next && gen->state == GEN_SERVING)
		listener_switch(listener);
	else if (gen == listener->next && gen->state == GEN_FAILED)
		listener_drop_next(listener);
	else if (gen != listener->current)
		listener_released(listener);
	if (!listener_serves(listener))
		listener->serving_since = 0;
	else if (listener->serving_since == 0)
		listener->serving_since = clock_now();
}

bool
listener_sweep(struct listener *listener)
{
	struct generation **link = &listener->draining, *gen;

	while ((gen = *link) != NULL) {
		if (gen->state != GEN_GONE) {
			link = &gen->older;
			continue;
		}
		*link = gen->older;
		listener_fold(listener, gen);
		generation_free(&gen);
	}
	return listener->mode == LISTENER_LEAVING &&
	    listener_is_idle(listener);
}

/* What it is like */

enum listener_fate
listener_fate(const struct listener *listener, unsigned number)
{
	const struct generation *gen = listener->current;

	if (listener->next != NULL && listener->next->number >= number)
		return LISTENER_PENDING;
	if (gen == NULL || gen->number < number)
		return LISTENER_FAILED;
	if (!gen->has_settled || (gen->state == GEN_SERVING && !gen->is_taking))
		return LISTENER_PENDING;
	return gen->state == GEN_FAILED ? LISTENER_FAILED : LISTENER_DONE;
}

bool
listener_is_idle(const struct listener *listener)
{
	const struct generation *gen;

	for (gen = listener->draining; gen != NULL; gen = gen->older)
		if (gen->state != GEN_GONE)
			return false;
	return listener->current == NULL && listener->next == NULL;
}

bool
listener_serves(const struct listener *listener)
{
	return listener->current != NULL &&
	    listener->current->state == GEN_SERVING;
}

const char *
listener_state(const struct listener *listener)
{
	if (listener->current != NULL)
		return gen_state_shown(listener->current->state);
	if (!listener_is_idle(listener))
		return "draining";
	return listener->mode == LISTENER_HELD ? "drained" : "stopped";
}

void
listener_each(const struct listener *listener,
    void (*fn)(struct generation *gen, void *arg), void *arg)
{
	struct generation *gen, *older;

	if (listener->next != NULL)
		fn(listener->next, arg);
	if (listener->current != NULL)
		fn(listener->current, arg);
	for (gen = listener->draining; gen != NULL; gen = older) {
		older = gen->older;
		fn(gen, arg);
	}
}

static void
add_totals(struct generation *gen, void *sum)
{
	totals_add(sum, gen->slab, gen->slots);
}

const struct totals *
listener_totals(struct listener *listener)
{
	struct totals sum = listener->totals;

	listener_each(listener, add_totals, &sum);
	totals_raise(&listener->shown, &sum);
	return &listener->shown;
}

static void
add_restarts(struct generation *gen, void *sum)
{
	*(int64_t *)sum += gen->restarts;
}

int64_t
listener_restarts(const struct listener *listener)
{
	int64_t sum = listener->restarts;

	listener_each(listener, add_restarts, &sum);
	return sum;
}

struct worker *
listener_worker(const struct listener *listener, pid_t pid)
{
	struct worker *worker = NULL;
	struct generation *gen;

	if (listener->current != NULL)
		worker = generation_worker(listener->current, pid);
	if (worker == NULL && listener->next != NULL)
		worker = generation_worker(listener->next, pid);
	for (gen = listener->draining; gen != NULL && worker == NULL;
	    gen = gen->older)
		worker = generation_worker(gen, pid);
	return worker;
}

void
listener_log_addresses(const struct listener *listener)
{
	const struct listener_conf *conf = listener->conf;
	struct log_fields fields = listener_fields(listener);
	size_t i;

	for (i = 0; i < listener->sockets.count; i++)
		if (bound_list_is_first(&listener->sockets, i))
			log_write(LOG_LEVEL_INFO, &fields,
			    "listening on %s (%s, handler %s)",
			    listener->sockets.items[i]->endpoint.address,
			    concurrency_word(conf->concurrency),
			    conf->handler);
}

/* " (access 1, verify 2)"; nothing when there was none. */
static void
refusals_format(struct buf *out, const struct totals *totals)
{
	const char *before = " (";
	unsigned i;

	for (i = REASON_NONE + 1; i < REASONS; i++) {
		if (totals->refused[i] == 0)
			continue;
		(void)buf_printf(out, "%s%s %" PRId64, before, reason_word(i),
		    totals->refused[i]);
		before = ", ";
	}
	if (before[0] == ',')
		(void)buf_puts(out, ")");
}

static void
collect_sockets(const struct generation *gen, struct bound_list *list)
{
	size_t i;

	for (i = 0; i < gen->sockets.count; i++)
		if (!bound_list_has(list, gen->sockets.items[i]))
			(void)bound_list_add(list, gen->sockets.items[i]);
}

void
listener_left_sockets(const struct listener *listener, struct bound_list *list)
{
	struct generation *gen;

	for (gen = listener->draining; gen != NULL; gen = gen->older)
		collect_sockets(gen, list);
}

static void
add_cut_short(struct generation *gen, void *sum)
{
	*(int64_t *)sum += gen->cut_short;
}

void
listener_log_totals(struct listener *listener)
{
	const struct totals *totals = listener_totals(listener);
	struct log_fields fields = listener_fields(listener);
	int64_t cut_short = listener->cut_short;
	struct buf refusals;

	listener_each(listener, add_cut_short, &cut_short);
	buf_init(&refusals, 1024);
	refusals_format(&refusals, totals);
	log_write(LOG_LEVEL_INFO, &fields, "stopped: accepted %" PRId64
	    ", served %" PRId64 ", errors %" PRId64 ", refused %" PRId64
	    "%s, cut short %" PRId64, totals->counters[COUNTER_ACCEPTED],
	    totals->counters[COUNTER_REQUESTS],
	    totals->counters[COUNTER_ERRORS],
	    totals->counters[COUNTER_REFUSED],
	    refusals.data != NULL ? refusals.data : "", cut_short);
	buf_free(&refusals);
}
