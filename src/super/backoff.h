/* SPDX-License-Identifier: ISC */
#ifndef SUPER_BACKOFF_H
#define SUPER_BACKOFF_H

#include <stdint.h>

/*
 * How long to wait before a dead service process is started again: the
 * initial wait, doubled each time up to the maximum, with jitter so that many
 * do not come back together. A process that served for a minute begins at the
 * initial wait again. Knows no clock: the caller says what time it is, and
 * waits with a timer.
 */
#define BACKOFF_HEALTHY_NS 60000000000LL
#define BACKOFF_FLOOR_MS 10     /* whatever is configured: never a spin */

struct backoff {
	int64_t initial_ms, maximum_ms;
	int64_t next_ms;        /* the next wait, without its jitter */
	int64_t serving_since;  /* clock_now(); 0 = it did not serve */
	uint32_t jitter;        /* state of a small generator, never 0 */
};

void backoff_init(struct backoff *backoff, int64_t initial_ms,
    int64_t maximum_ms, uint32_t seed);
/* The process serves since now. */
void backoff_serving(struct backoff *backoff, int64_t now);
/* It has ended: milliseconds to wait, at most a quarter over the maximum. */
int64_t backoff_next(struct backoff *backoff, int64_t now);

#endif
