/* SPDX-License-Identifier: ISC */
#ifndef SUPER_BACKOFF_H
#define SUPER_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

/*
 * How long to wait before a dead service process is started again: the
 * initial wait, doubled each time up to the maximum, with jitter so that many
 * do not come back together. One that died before its first request will most
 * likely do so again, so after it the wait grows fourfold. A process that was
 * well for a minute begins at the initial wait again. Knows no clock: the
 * caller says what time it is, and waits with a timer.
 */
#define BACKOFF_HEALTHY_NS 60000000000LL
#define BACKOFF_FLOOR_MS 10     /* whatever is configured: never a spin */
#define BACKOFF_A_TURN 16       /* starts in one turn of the loop */
#define BACKOFF_APART_MS 5      /* between two such lots */

struct backoff {
	int64_t initial_ms, maximum_ms;
	int64_t next_ms;        /* the next wait, without its jitter */
	int64_t serving_since;  /* clock_now(); 0 = it did not serve */
	uint32_t jitter;        /* state of a small generator, never 0 */
};

/* Many that are due together (everything died of one cause, the supervisor was
 * held up) start in lots, so that the loop is never long away. One for all. */
struct backoff_gate {
	int64_t turn_at;        /* loop_now() of the turn that is counted */
	unsigned count;         /* that have come in it */
};

/* Other limits, from the next wait on. */
void backoff_limit(struct backoff *backoff, int64_t initial_ms,
    int64_t maximum_ms);
void backoff_init(struct backoff *backoff, int64_t initial_ms,
    int64_t maximum_ms, uint32_t seed);
/* The process serves since now. */
void backoff_serving(struct backoff *backoff, int64_t now);
/* It has ended: milliseconds to wait, at most a quarter over the maximum.
 * has_served: it had at least one request. */
int64_t backoff_next(struct backoff *backoff, int64_t now, bool has_served);
/* One is due in this turn: 0, start it; else come again in so many
 * milliseconds. */
int64_t backoff_pass(struct backoff_gate *gate, int64_t now);

#endif
