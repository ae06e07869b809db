/* SPDX-License-Identifier: ISC */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/*
 * Time. Deadlines are absolute, monotonic, in nanoseconds, and end in _at; 0
 * means none. Spans are in milliseconds and end in _ms. Only log lines use
 * wall time. Thread-safe and async-signal-safe.
 */
#define CLOCK_MS 1000000LL
#define CLOCK_SECOND 1000000000LL
#define CLOCK_NEVER INT64_MAX

int64_t clock_now(void);                /* CLOCK_MONOTONIC */
int64_t clock_coarse(void);             /* the same within a tick, cheaper */
int64_t clock_after_ms(int64_t ms);     /* clock_now() + ms; 0 for ms 0 */
/* Milliseconds from now until at, rounded up, at least 0; -1 for at 0 or
 * CLOCK_NEVER (no deadline), as poll(2) wants it. */
int clock_left_ms(int64_t at);

#endif
