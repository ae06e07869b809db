/* SPDX-License-Identifier: ISC */
#ifndef BASE_TOTALS_H
#define BASE_TOTALS_H

#include <stdint.h>

#include "base/stats.h"

/*
 * What slots of counters add up to, in memory of the supervisor's own: plain
 * numbers that no service can reach. Whatever stands in a slot, no number here
 * is below zero and none wraps.
 */
struct totals {
	int64_t counters[COUNTERS];
	int64_t refused[REASONS];
};

/* Adds all slots as they are now. */
void totals_add(struct totals *totals, const struct stats_slab *slab,
    unsigned slots);
/* Adds what the slots of a generation that has ended leave: not their gauges,
 * for none of it runs any more. */
void totals_fold(struct totals *totals, const struct stats_slab *slab,
    unsigned slots);
/* `shown` becomes `now`, but no counter falls: a slot that somebody wrote back
 * takes nothing away from what was told before. Gauges rise and fall. */
void totals_raise(struct totals *shown, const struct totals *now);

#endif
