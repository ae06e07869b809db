/* SPDX-License-Identifier: ISC */
#ifndef CTL_RATES_H
#define CTL_RATES_H

#include <stdint.h>

#include <jansson.h>

/*
 * Requests per second of each listener, from two results of `status`, for
 * the table of `top`. Pure but for the memory it owns.
 */
struct rates {
	json_t *last;           /* owned: { name: requests }; NULL at first */
	int64_t last_at;        /* clock_now() nanoseconds of it */
	json_t *per_second;     /* owned: { name: number } */
};

void rates_free(struct rates *rates);
/* A new result, taken at that time. 0 or -ENOMEM. */
int rates_update(struct rates *rates, const json_t *result, int64_t now);
/* -1: not known (yet), or the counter went back. */
double rates_of(const struct rates *rates, const char *listener);

#endif
