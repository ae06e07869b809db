/* SPDX-License-Identifier: ISC */
/*
 * Only here are all processes of a pool in sight. What stands in their seats may
 * be anything; it decides about nothing but which of them is asked, and that
 * one looks for itself.
 */
#include "super/shed.h"

#include <stdint.h>

#include "base/channel.h"
#include "super/generation.h"
#include "super/scaling.h"

/* Of the requests of one process: 0 = none waits. One that is to be ended and
 * has not ended comes before all others: its process is asked again. */
static int64_t
longest_wait(const struct worker *worker)
{
	const struct generation *gen = worker->gen;
	unsigned used = stats_seats_used(gen->slab, gen->size, worker->slot);
	int64_t longest = 0;

	for (unsigned i = 0; i < used; i++) {
		int64_t since = seat_idle_since(stats_seat(gen->slab, gen->size,
		    worker->slot, i));
		if (since != 0 && (longest == 0 || since < longest))
			longest = since;
	}
	return longest;
}

static struct worker *
find_longest(struct generation *gen)
{
	struct worker *found = NULL;
	int64_t longest = 0;

	for (unsigned i = 0; i < gen->slots; i++) {
		struct worker *worker = &gen->workers[i];
		int64_t since = worker->state != WORKER_SERVING ? 0 :
		    longest_wait(worker);
		if (since == 0 || (found != NULL && since >= longest))
			continue;
		found = worker;
		longest = since;
	}
	return found;
}

void
shed_full(struct generation *gen)
{
	struct worker *worker;

	/* Said by several, or answered meanwhile. */
	if (gen->state != GEN_SERVING ||
	    stats_idle(gen->slab, gen->slots) > 0 || scaling_full(gen))
		return;
	worker = find_longest(gen);
	if (worker != NULL)
		(void)channel_send(worker->channel, MESSAGE_SHED, 0, NULL, -1);
}
