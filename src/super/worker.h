/* SPDX-License-Identifier: ISC */
#ifndef SUPER_WORKER_H
#define SUPER_WORKER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/channel.h"
#include "base/loop.h"
#include "super/backoff.h"

struct generation;

/*
 * A slot of a generation: at most one service process at a time, its channel,
 * and the one timer that says how long the present state may last. What the
 * process sends or writes in shared memory is hostile input.
 *
 *   NONE -> STARTING -> SERVING -> DRAINING -> ENDING -> KILLED -> NONE
 *              |  ^        |
 *              v  |        v       (died without being asked)
 *            WAITING <-----+
 */
enum worker_state {
	WORKER_NONE,            /* no process, and none is wanted */
	WORKER_WAITING,         /* no process; the timer starts one */
	WORKER_STARTING,        /* not READY yet; the timer gives up on it */
	WORKER_SERVING,         /* no timer */
	WORKER_DRAINING,        /* DRAIN was sent; the timer sends TERM */
	WORKER_ENDING,          /* it should end now; the timer sends KILL */
	WORKER_KILLED,          /* KILL was sent; the timer gives up waiting */
	WORKER_STATES
};

struct worker {
	struct generation *gen;         /* borrowed: its owner */
	unsigned slot;
	enum worker_state state;
	bool has_reported;      /* became READY, or failed to, at least once */
	bool was_ready;         /* this process did */
	bool is_leaving;        /* it was asked to end: no successor */
	bool is_done;           /* MESSAGE_DONE came */
	bool has_failed;        /* MESSAGE_FAILED came */
	pid_t pid;              /* 0 = no process */
	int pidfd, channel;     /* owned; -1 = none */
	struct watch pidfd_watch, channel_watch;
	struct timer timer;
	struct backoff backoff;
};

void worker_init(struct worker *worker, struct generation *gen, unsigned slot);
void worker_start(struct worker *worker);
/* Ask it (MESSAGE_DRAIN, MESSAGE_RETIRE) to finish within drain_ms; TERM and
 * KILL follow if it does not. It has no successor. */
void worker_leave(struct worker *worker, enum message_type how,
    int64_t drain_ms);
/* Now: the process and its group. why: a sentence for the log, or NULL. */
void worker_kill(struct worker *worker, const char *why);
/* Has its process ended? Then reap it and decide what follows. */
void worker_check(struct worker *worker);
/* Where to write the log from now on. */
void worker_send_log(struct worker *worker, int fd);
bool worker_is_wanted(const struct worker *worker);

#endif
