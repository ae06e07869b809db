/* SPDX-License-Identifier: ISC */
#include "base/totals.h"

#include <stdbool.h>

static bool
is_gauge(unsigned counter)
{
	return counter == COUNTER_ACTIVE || counter == COUNTER_SERVING;
}

static void
add_clamped(int64_t *sum, const _Atomic int64_t *value)
{
	int64_t n = atomic_load_explicit(value, memory_order_relaxed);

	if (n > 0 && __builtin_add_overflow(*sum, n, sum))
		*sum = INT64_MAX;
}

static void
totals_add_slot(struct totals *totals, const struct stats *slot,
    bool has_gauges)
{
	unsigned i;

	for (i = 0; i < COUNTERS; i++)
		if (has_gauges || !is_gauge(i))
			add_clamped(&totals->counters[i], &slot->counters[i]);
	for (i = 0; i < REASONS; i++)
		add_clamped(&totals->refused[i], &slot->refused[i]);
}

void
totals_add(struct totals *totals, const struct stats_slab *slab,
    unsigned slots)
{
	unsigned i;

	for (i = 0; i < slots; i++)
		totals_add_slot(totals, &slab->slots[i], true);
	add_clamped(&totals->counters[COUNTER_ACTIVE], &slab->relayed);
}

void
totals_fold(struct totals *totals, const struct stats_slab *slab,
    unsigned slots)
{
	unsigned i;

	for (i = 0; i < slots; i++)
		totals_add_slot(totals, &slab->slots[i], false);
	/* Nobody was left to take them. */
	add_clamped(&totals->counters[COUNTER_ERRORS], &slab->relayed);
}

void
totals_raise(struct totals *shown, const struct totals *now)
{
	unsigned i;

	for (i = 0; i < COUNTERS; i++)
		if (is_gauge(i) || now->counters[i] > shown->counters[i])
			shown->counters[i] = now->counters[i];
	for (i = 0; i < REASONS; i++)
		if (now->refused[i] > shown->refused[i])
			shown->refused[i] = now->refused[i];
}
