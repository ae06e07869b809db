/* SPDX-License-Identifier: ISC */
/*
 * The waits between two starts of a service process. Arithmetic alone, in the
 * supervisor.
 */
#include "super/backoff.h"

#define STEP 2
#define STEEP_STEP 4            /* it died before its first request */

static int64_t
at_least(int64_t value, int64_t least)
{
	return value < least ? least : value;
}

/* xorshift32 (Marsaglia 2003): spread, not secrecy, is wanted here. */
static uint32_t
jitter_next(struct backoff *backoff)
{
	uint32_t x = backoff->jitter;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	backoff->jitter = x;
	return x;
}

void
backoff_limit(struct backoff *backoff, int64_t initial_ms, int64_t maximum_ms)
{
	bool is_first = backoff->next_ms == backoff->initial_ms;

	backoff->initial_ms = at_least(initial_ms, BACKOFF_FLOOR_MS);
	backoff->maximum_ms = at_least(maximum_ms, backoff->initial_ms);
	if (is_first || backoff->next_ms < backoff->initial_ms)
		backoff->next_ms = backoff->initial_ms;
	if (backoff->next_ms > backoff->maximum_ms)
		backoff->next_ms = backoff->maximum_ms;
}

void
backoff_init(struct backoff *backoff, int64_t initial_ms, int64_t maximum_ms,
    uint32_t seed)
{
	backoff->next_ms = 0;
	backoff_limit(backoff, initial_ms, maximum_ms);
	backoff->serving_since = 0;
	backoff->jitter = seed != 0 ? seed : 1;
}

void
backoff_serving(struct backoff *backoff, int64_t now)
{
	backoff->serving_since = now;
}

static bool
was_healthy(const struct backoff *backoff, int64_t now)
{
	return backoff->serving_since != 0 &&
	    now - backoff->serving_since >= BACKOFF_HEALTHY_NS;
}

static void
backoff_grow(struct backoff *backoff, int factor)
{
	if (backoff->next_ms > backoff->maximum_ms / factor)
		backoff->next_ms = backoff->maximum_ms;
	else
		backoff->next_ms *= factor;
}

int64_t
backoff_next(struct backoff *backoff, int64_t now, bool has_served)
{
	bool is_well = was_healthy(backoff, now);
	int64_t wait_ms;

	if (is_well)
		backoff->next_ms = backoff->initial_ms;
	backoff->serving_since = 0;
	wait_ms = backoff->next_ms;
	backoff_grow(backoff, has_served || is_well ? STEP : STEEP_STEP);
	return wait_ms + jitter_next(backoff) % (wait_ms / 4 + 1);
}

int64_t
backoff_pass(struct backoff_gate *gate, int64_t now)
{
	if (gate->turn_at != now)
		*gate = (struct backoff_gate){ .turn_at = now };
	return (int64_t)(gate->count++ / BACKOFF_A_TURN) * BACKOFF_APART_MS;
}
