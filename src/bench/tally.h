/* SPDX-License-Identifier: ISC */
#ifndef BENCH_TALLY_H
#define BENCH_TALLY_H

#include <stdint.h>

#include "bench/hist.h"

/*
 * What one measured span has brought: answers, bytes, and every fault by its
 * kind, with the first of each kind in words. Owns nothing.
 */
enum fault {
	FAULT_CONNECT,          /* no connection came about */
	FAULT_PORTS,            /* this machine has no free port left */
	FAULT_RESET,
	FAULT_CLOSED,           /* an orderly end before the answer was whole */
	FAULT_TIMEOUT,
	FAULT_WRONG,            /* other bytes than the answer has */
	FAULT_EXCESS,           /* more of them */
	FAULT_LOST,             /* no answer to a datagram */
	FAULT_LATE,             /* an answer after its time */
	FAULT_SYSTEM,           /* an error of a system call of ours */
	FAULTS
};

struct fault_row {
	const char *name;               /* in JSON */
	const char *text;               /* for people */
};
extern const struct fault_row faults[FAULTS];

struct tally {
	struct hist hist;
	uint64_t done;                  /* requests answered in full */
	uint64_t bytes_out, bytes_in;   /* of requests that were answered */
	uint64_t faults[FAULTS];
	char first[FAULTS][160];        /* the first of each kind, in words */
};

void tally_clear(struct tally *tally);
void tally_fault(struct tally *tally, enum fault fault, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
uint64_t tally_faults(const struct tally *tally);
/* More faults: those of another span. The words that were first stay. */
void tally_add_faults(struct tally *tally, const struct tally *other);

#endif
