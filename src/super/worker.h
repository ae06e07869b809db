/* SPDX-License-Identifier: ISC */
#ifndef SUPER_WORKER_H
#define SUPER_WORKER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/channel.h"
#include "base/loop.h"
#include "base/seat.h"
#include "super/backoff.h"
#include "super/heartbeat.h"

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
	WORKER_SERVING,         /* the timer is its heartbeat's */
	WORKER_DRAINING,        /* DRAIN was sent; the timer sends TERM */
	WORKER_ENDING,          /* it should end now; the timer sends KILL */
	WORKER_KILLED,          /* KILL was sent; the timer gives up waiting */
	WORKER_STATES
};

/* What a slot has counted: does a process do anything at all? */
struct worker_score {
	int64_t accepted, requests, errors;
};

struct worker {
	struct generation *gen;         /* borrowed: its owner */
	unsigned slot;
	enum worker_state state;
	bool has_reported;      /* became READY, or failed to, at least once */
	bool was_ready;         /* this process did */
	bool is_leaving;        /* it was asked to end: no successor */
	bool has_released;      /* it takes nothing more from the sockets */
	bool must_collect;      /* it shall empty its sockets, or a successor */
	bool is_done;           /* MESSAGE_DONE came */
	bool has_failed;        /* MESSAGE_FAILED came */
	const char *why;        /* it was killed: "did not answer", or NULL */
	pid_t pid;              /* 0 = no process */
	int64_t started_at;     /* when the process was */
	int pidfd, channel;     /* owned; -1 = none */
	struct watch pidfd_watch, channel_watch;
	struct timer timer;
	struct backoff backoff;
	struct heartbeat heartbeat;
	int64_t log_wanted, log_taken;  /* settings of the log, numbered: the
					 * last, and those that it has */
	bool is_log_due;        /* its channel had no room for all of them */
	struct worker_score score;      /* when this process was started */
};

void worker_init(struct worker *worker, struct generation *gen, unsigned slot);
void worker_start(struct worker *worker);
/* If it is ready: it may take from the sockets. */
void worker_take(struct worker *worker);
/* Ask it to finish within drain_ms; TERM and KILL follow if it does not. It has
 * no successor. collect: the text of MESSAGE_DRAIN. */
void worker_leave(struct worker *worker, const char *collect,
    int64_t drain_ms);
/* One that drains: its deadline is now. */
void worker_hurry(struct worker *worker);
/* Now: the process and its group. why, of a string that stays: what it did,
 * "did not end when it should", for the log; or NULL. */
void worker_kill(struct worker *worker, const char *why);
/* Has its process ended? Then reap it and decide what follows. */
void worker_check(struct worker *worker);
/* Write the access lines that its process, which is dead, had gathered. */
void worker_rescue_lines(const struct worker *worker);
/* It shall log as this process does now. */
void worker_send_log(struct worker *worker);
/* Does it? One that does not serve, or is being traced, is not waited for. */
bool worker_follows(const struct worker *worker);
/* Does it live? Its answer also tells that it logs as it was told before. 0 or
 * -errno. */
int worker_ping(struct worker *worker);
/* In a program that has taken over, with the fields that another left, timer.at
 * (0 = it did not run) among them. is_heard: its channel is listened to. 0 or
 * -errno. */
int worker_resume(struct worker *worker, bool is_heard);
bool worker_is_wanted(const struct worker *worker);
/* Each request that its process is serving; of a dead process, until its slot is
 * settled, those that it was serving. */
typedef void seat_fn(const struct seat_view *view, void *arg);
void worker_each_request(const struct worker *worker, seat_fn *fn, void *arg);
/* Have a request of its process ended. */
void worker_kill_request(struct worker *worker, uint64_t id);

#endif
