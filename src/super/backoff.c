/* SPDX-License-Identifier: ISC */
/*
 * The waits between two starts of a service process. Arithmetic alone, in the
 * supervisor.
 */
#include "super/backoff.h"

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
backoff_init(struct backoff *backoff, int64_t initial_ms, int64_t maximum_ms,
    uint32_t seed)
{
	backoff->initial_ms = at_least(initial_ms, BACKOFF_FLOOR_MS);
	backoff->maximum_ms = at_least(maximum_ms, backoff->initial_ms);
	backoff->next_ms = backoff->initial_ms;
	backoff->serving_since = 0;
	backoff->jitter = seed != 0 ? seed : 1;
}

void
backoff_serving(struct backoff *backoff, int64_t now)
{
	backoff->serving_since = now;
}

int64_t
backoff_next(struct backoff *backoff, int64_t now)
{
	int64_t wait_ms;

	if (backoff->serving_since != 0 &&
	    now - backoff->serving_since >= BACKOFF_HEALTHY_NS)
		backoff->next_ms = backoff->initial_ms;
	backoff->serving_since = 0;
	wait_ms = backoff->next_ms;
	if (backoff->next_ms > backoff->maximum_ms / 2)
		backoff->next_ms = backoff->maximum_ms;
	else
		backoff->next_ms *= 2;
	return wait_ms + jitter_next(backoff) % (wait_ms / 4 + 1);
}
