/* SPDX-License-Identifier: ISC */
#include "bench/hist.h"

#include <math.h>
#include <string.h>

void
hist_clear(struct hist *hist)
{
	memset(hist, 0, sizeof(*hist));
}

/* How many low bits the bucket of a value does not tell apart. */
static unsigned
shift_of(uint64_t value)
{
	unsigned top = value == 0 ? 0 : 63 - (unsigned)__builtin_clzll(value);

	return top < 8 ? 0 : top - 7;
}

static unsigned
bucket_of(uint64_t value)
{
	unsigned shift = shift_of(value);

	return shift * HIST_HALF + (unsigned)(value >> shift);
}

/* The middle of what falls into a bucket. */
static int64_t
bucket_middle(unsigned bucket)
{
	unsigned shift = bucket < 2 * HIST_HALF ? 0 : bucket / HIST_HALF - 1;
	uint64_t low = (uint64_t)(bucket - shift * HIST_HALF) << shift;

	return (int64_t)(low + ((1ULL << shift) - 1) / 2);
}

void
hist_add(struct hist *hist, int64_t span)
{
	if (span < 0)
		span = 0;
	if (hist->count == 0 || span < hist->least)
		hist->least = span;
	if (span > hist->most)
		hist->most = span;
	hist->count++;
	hist->sum += (double)span;
	hist->buckets[bucket_of((uint64_t)span)]++;
}

static int64_t
within(const struct hist *hist, int64_t span)
{
	if (span < hist->least)
		return hist->least;
	return span > hist->most ? hist->most : span;
}

int64_t
hist_quantile(const struct hist *hist, double share)
{
	uint64_t wanted = (uint64_t)ceil(share * (double)hist->count), seen = 0;
	unsigned bucket = 0;

	if (hist->count == 0)
		return 0;
	if (wanted < 1)
		wanted = 1;
	if (wanted >= hist->count)
		return hist->most;
	while ((seen += hist->buckets[bucket]) < wanted)
		bucket++;
	return within(hist, bucket_middle(bucket));
}

double
hist_mean(const struct hist *hist)
{
	return hist->count == 0 ? 0 : hist->sum / (double)hist->count;
}
