/* SPDX-License-Identifier: ISC */
#ifndef BENCH_HIST_H
#define BENCH_HIST_H

#include <stdint.h>

/*
 * A histogram of spans in nanoseconds, as HdrHistogram has them: up to 256
 * each value has a bucket of its own, above that 128 buckets divide each power
 * of two. A quantile is the middle of its bucket, so it is at most 0.4 % off.
 * Count, sum, least and most are exact. Plain memory, no allocation.
 */
#define HIST_HALF 128           /* buckets for each power of two */
#define HIST_BUCKETS (HIST_HALF * 58)

struct hist {
	uint64_t count;
	int64_t least, most;            /* 0 while count is 0 */
	double sum;
	uint64_t buckets[HIST_BUCKETS];
};

void hist_clear(struct hist *hist);
/* A negative span counts as 0: clocks of two processors may differ. */
void hist_add(struct hist *hist, int64_t span);
/* share of all spans (0 to 1) are at most this; 0 when there are none. */
int64_t hist_quantile(const struct hist *hist, double share);
double hist_mean(const struct hist *hist);

#endif
