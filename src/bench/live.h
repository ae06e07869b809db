/* SPDX-License-Identifier: ISC */
#ifndef BENCH_LIVE_H
#define BENCH_LIVE_H

#include "bench/run.h"

/* The line on a terminal while a run goes on: on standard error, and none where
 * that is no terminal. live_tick is the load's on_tick. */
void live_tick(struct load *load, int64_t now);
void live_say(const char *what);        /* instead of the line */
void live_clear(void);

#endif
