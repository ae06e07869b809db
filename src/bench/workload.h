/* SPDX-License-Identifier: ISC */
#ifndef BENCH_WORKLOAD_H
#define BENCH_WORKLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/run.h"

/* What can be measured: one table, in workload.c. */
enum wire_kind { WIRE_STREAM, WIRE_DATAGRAM };

struct workload {
	const char *name;               /* NULL ends the table */
	const char *help;
	int (*run)(struct run *run, struct err *err);
	enum wire_kind wire;
	bool is_fresh;                  /* a connection for each request */
	bool is_greeted;                /* the server speaks first */
	/* what they are unless they are given */
	int64_t connections, depth, size_bytes, timeout_ms;
};

extern const struct workload workloads[];

const struct workload *workload_find(const char *name);

#endif
