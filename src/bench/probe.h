/* SPDX-License-Identifier: ISC */
#ifndef BENCH_PROBE_H
#define BENCH_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/*
 * How fast this machine is at this moment: the processor time of one round trip
 * of 64 bytes over the loopback between two processes of our own, which share a
 * processor. A host that is busy with others makes it cost up to twice as much.
 */
#define PROBE_SLACK 1.06        /* more than that apart: not comparable */

/* Nanoseconds; takes about 50 ms. 0, or -errno with a sentence. */
int probe_run(int64_t *ns, struct err *err);
bool probe_is_steady(int64_t before, int64_t after);

#endif
