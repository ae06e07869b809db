/* SPDX-License-Identifier: ISC */
#ifndef CONF_CHILD_H
#define CONF_CHILD_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * A short-lived child that may die of what it does: it has limits, answers over
 * a pipe, and is gone when child_run() returns. Called by a process of one
 * thread.
 */
struct child_limits {
	unsigned cpu_s;
	size_t memory_bytes;    /* 0 = no limit */
	long wall_ms;
};

typedef void child_fn(void *arg, struct buf *answer);

/* fn(arg, answer) in a child; what it put into its answer is in the caller's,
 * whose max bounds both. 0; -ECHILD when the child died, with a sentence about
 * how; or -errno. */
int child_run(child_fn *fn, void *arg, const struct child_limits *limits,
    struct buf *answer, struct err *err);

#endif
