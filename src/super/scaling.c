/* SPDX-License-Identifier: ISC */
/*
 * The size of a prefork pool. Idle = processes that serve - requests being
 * served: a worker of a pool serves one at a time. What waits for its first
 * bytes is active, but does not keep a worker busy.
 */
#include "super/scaling.h"

#include "base/clock.h"
#include "super/generation.h"

static bool
worker_is_active(const struct worker *worker)
{
	const struct stats *stats = &worker->gen->slab->slots[worker->slot];

	return atomic_load_explicit(&stats->counters[COUNTER_ACTIVE],
	    memory_order_relaxed) > (int64_t)atomic_load_explicit(
	    &stats->silent, memory_order_relaxed);
}

static bool
worker_is_idle(const struct worker *worker)
{
	return worker->state == WORKER_SERVING && !worker_is_active(worker);
}

static unsigned
count_idle(const struct generation *gen)
{
	unsigned i, count = 0;

	for (i = 0; i < gen->slots; i++)
		count += worker_is_idle(&gen->workers[i]);
	return count;
}

static unsigned
count_state(const struct generation *gen, enum worker_state state)
{
	unsigned i, count = 0;

	for (i = 0; i < gen->slots; i++)
		count += gen->workers[i].state == state;
	return count;
}

static unsigned
count_wanted(const struct generation *gen)
{
	unsigned i, count = 0;

	for (i = 0; i < gen->slots; i++)
		count += worker_is_wanted(&gen->workers[i]);
	return count;
}

static void
scaling_grow(struct generation *gen, unsigned more)
{
	unsigned i;

	for (i = 0; i < gen->slots && more > 0; i++) {
		if (gen->workers[i].state != WORKER_NONE)
			continue;
		worker_start(&gen->workers[i]);
		more--;
	}
}

/* The highest slot that is idle. Should it take a request before it reads
 * this, it finishes that first. */
static void
scaling_shrink(struct generation *gen)
{
	unsigned i;

	for (i = gen->slots; i-- > 0;) {
		if (!worker_is_idle(&gen->workers[i]))
			continue;
		worker_leave(&gen->workers[i], "",
		    gen->conf->drain_timeout_ms);
		return;
	}
}

static unsigned
min_spare(const struct generation *gen)
{
	return gen->conf->min_spare > 0 ? (unsigned)gen->conf->min_spare : 1;
}

/* Above min_spare whatever is configured: a pool must not grow and shrink in
 * turns. */
static unsigned
max_spare(const struct generation *gen)
{
	unsigned least = min_spare(gen);

	if (gen->conf->max_spare == 0)
		return least + 2;
	return gen->conf->max_spare > (int64_t)least ?
	    (unsigned)gen->conf->max_spare : least + 1;
}

bool
scaling_is_on(const struct generation *gen)
{
	return gen->slots > gen->workers_min;
}

void
scaling_busy(struct generation *gen)
{
	/* Several say so at the same time; one answer is enough, and the next
	 * is given when those it brought are there. */
	if (!scaling_is_on(gen) || gen->state != GEN_SERVING ||
	    count_state(gen, WORKER_STARTING) > 0 ||
	    count_idle(gen) >= min_spare(gen))
		return;
	scaling_grow(gen, count_state(gen, WORKER_SERVING));
}

bool
scaling_full(struct generation *gen)
{
	scaling_busy(gen);
	return count_state(gen, WORKER_STARTING) > 0;
}

static void
scaling_tick(struct timer *timer)
{
	struct generation *gen = timer->arg;

	scaling_start(gen);
	/* Said while others were starting, and now all are busy and silent. */
	scaling_busy(gen);
	if (count_idle(gen) > max_spare(gen) &&
	    count_wanted(gen) > gen->workers_min)
		scaling_shrink(gen);
}

void
scaling_start(struct generation *gen)
{
	struct loop *loop = gen->env->loop;

	/* Without memory for a timer the pool keeps its size. */
	if (!scaling_is_on(gen))
		return;
	atomic_store(&gen->slab->min_spare, min_spare(gen));
	atomic_store(&gen->slab->is_scaling, 1);
	(void)timer_start(loop, &gen->scaling, loop_now(loop) + CLOCK_SECOND,
	    scaling_tick, gen);
}

void
scaling_stop(struct generation *gen)
{
	timer_stop(gen->env->loop, &gen->scaling);
}
