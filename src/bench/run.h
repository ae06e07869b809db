/* SPDX-License-Identifier: ISC */
#ifndef BENCH_RUN_H
#define BENCH_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "bench/load.h"
#include "bench/options.h"
#include "bench/usage.h"

/*
 * One run of the program: what is measured, with what, and what was found. The
 * root object; main() owns it.
 */
struct run {
	const struct options *options;
	struct talk talk;
	struct loop *loop;              /* owned */
	struct load load;
	struct tally tally;             /* of the measured span */
	struct tally before;            /* of opening and warming up */
	struct watch signals;
	int signal_fd;                  /* owned */
	bool is_interrupted;
	int64_t started_at, span_ns;    /* the measured span */
	int64_t server_ns;              /* processor time; -1 = not asked for */
	int64_t client_ns;
	double steal;                   /* share of the span, of all CPUs */
	int64_t probe_before_ns, probe_after_ns;        /* 0 = not taken */
	struct memory empty, full;      /* idle: before and with everybody */
	bool has_memory;
	uint64_t deaf, deaf_closed;     /* silent clients; ended by it */
	uint64_t held;                  /* idle: connections that were held */
	int64_t live_at;                /* when the next live line is due */
};

/* Everything but the workload itself: 0, or -errno with a sentence. */
int run_open(struct run *run, const struct options *options, struct err *err);
void run_close(struct run *run);

/* For workloads */

/* The load's connections; none is open yet. */
int run_load(struct run *run, unsigned connections, bool is_fresh,
    struct err *err);
/* Open, warm up, measure: what most workloads are. */
int run_measure(struct run *run, struct err *err);
/* The measured span alone. */
int run_span(struct run *run, struct err *err);
/* Wait until the server has done all it has to. */
int run_quiet(struct run *run, int64_t *ns, struct err *err);

#endif
