/* SPDX-License-Identifier: ISC */
#ifndef SUPER_CRASH_H
#define SUPER_CRASH_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * What is known of a service process that ended without being asked: made when
 * it is reaped, logged in one line, kept by whoever wants to show it later.
 * Plain data that borrows nothing, so it outlives the process, its generation
 * and its configuration. Supervisor only.
 */
#define CRASH_PEERS 8
#define CRASH_PEER_SIZE 128     /* a peer as text; cut when it is longer */
#define CRASH_TEXT_SIZE 1400    /* crash_format() with all of them */

struct crash {
	int64_t time_ns;        /* of the wall clock */
	int64_t at;             /* clock_now() */
	char how[64];           /* "was killed by SIGSEGV (core dumped)",
				 * "exited with status 3", "did not answer" */
	int signal;             /* that ended it; 0 = it exited */
	int status;             /* with which it exited; 0 when killed */
	bool was_ours;          /* we killed it, because of `how` */
	bool was_ready;         /* it had got as far as serving */
	char handler[128];      /* as it is configured */
	char build_id[48];      /* of the handler's file; "" = unknown */
	pid_t pid;
	unsigned slot, generation;
	int64_t active;         /* requests that ended with it */
	size_t peer_count;      /* of those that are in peers[] */
	char peers[CRASH_PEERS][CRASH_PEER_SIZE];
};

/* How a process ended, just now, into time_ns, how, signal and status. why: what it did that we
 * killed it for ("did not answer"), or NULL. */
void crash_describe(struct crash *crash, const siginfo_t *info,
    const char *why);
/* One more peer that was being served; those beyond CRASH_PEERS are left. */
void crash_add_peer(struct crash *crash, const char *peer);
/* "service process 47 was killed by SIGSEGV while serving 1 request
 * (127.0.0.1:4711); restarting in 0.1 s". restart_ms -1: no successor. */
void crash_format(const struct crash *crash, int64_t restart_ms, char *text,
    size_t size);

#endif
