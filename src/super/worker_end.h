/* SPDX-License-Identifier: ISC */
#ifndef SUPER_WORKER_END_H
#define SUPER_WORKER_END_H

#include <stdint.h>

#include "base/log.h"
#include "super/worker.h"

/*
 * What worker.c and worker_end.c know of each other; nobody else includes
 * this.
 */
/* worker.c */
struct log_fields worker_fields(const struct worker *worker);
/* The state, and how long it may last. */
void worker_enter(struct worker *worker, enum worker_state state, int64_t ms);
/* To its process group. */
void worker_signal(const struct worker *worker, int signal);
/* At most `max` messages. 0: more may be there; else why it stopped. */
int worker_receive(struct worker *worker, int max);

/* worker_end.c */
struct worker_score worker_score(const struct worker *worker);
int64_t worker_plausible(const struct worker *worker, int64_t requests);
/* Requests that end with the process count as errors; its gauges become 0. */
void worker_settle_stats(struct worker *worker);
/* Let go of the process, its descriptors, watches and timer. */
void worker_release(struct worker *worker);
/* Milliseconds until its successor; -1 = none. */
int64_t worker_restart_ms(struct worker *worker);

#endif
