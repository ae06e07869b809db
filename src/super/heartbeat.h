/* SPDX-License-Identifier: ISC */
#ifndef SUPER_HEARTBEAT_H
#define SUPER_HEARTBEAT_H

#include <stdbool.h>

/*
 * Does a service process still live? While it serves it is asked every ten
 * seconds, each at a time of its own, and has as long to answer; its main
 * thread does, which waits for the channel and for little else, so a busy
 * handler is no reason to be silent. One that is stopped, deadlocked or lost in
 * the kernel is killed, and is a crash like any other. Uses the worker's one
 * timer, which nothing else needs while it serves.
 */
#define HEARTBEAT_MS 10000

struct worker;

struct heartbeat {
	bool is_asked;          /* PING was sent and PONG has not come */
	bool was_full;          /* the channel had no room for the last PING */
	bool was_spared;        /* it is silent, but a debugger has it */
};

/* The worker has begun to serve. */
void heartbeat_start(struct worker *worker);
/* Its timer: ask, or decide that it hangs. */
void heartbeat_due(struct worker *worker);
void heartbeat_answered(struct worker *worker);

#endif
