/* SPDX-License-Identifier: ISC */
/*
 * Only here are all processes of a pool in sight, and only here is one marked at
 * a time, however late anybody hears of it. What stands in their seats may be
 * anything; it decides about nothing but which of their own requests is ended.
 */
#include "super/shed.h"

#include "base/channel.h"
#include "super/generation.h"
#include "super/scaling.h"

/* One that was shed and has not left comes before all others: its process is told
 * again. */
static struct worker *
find_longest(struct generation *gen, struct seat **seat, int64_t *since)
{
	struct worker *found = NULL;

	for (unsigned i = 0; i < gen->slots; i++) {
		struct worker *worker = &gen->workers[i];
		struct seat *its;
		int64_t at;

		if (worker->state != WORKER_SERVING ||
		    (its = stats_longest_wait(gen->slab, gen->size,
		    worker->slot, &at)) == NULL ||
		    (found != NULL && at >= *since))
			continue;
		found = worker;
		*seat = its;
		*since = at;
	}
	return found;
}

void
shed_full(struct generation *gen, int64_t ended)
{
	struct worker *worker;
	struct seat *seat;
	int64_t since;

	if (gen->state != GEN_SERVING ||
	    ended != stats_ended(gen->slab, gen->slots) ||
	    stats_idle(gen->slab, gen->slots) > 0 || scaling_full(gen))
		return;
	worker = find_longest(gen, &seat, &since);
	/* If its message has come meanwhile we are asked again. */
	if (worker != NULL && (since == SEAT_SHED || seat_shed(seat, since)))
		(void)channel_send(worker->channel, MESSAGE_SHED, 0, NULL, -1);
}
