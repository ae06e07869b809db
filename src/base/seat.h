/* SPDX-License-Identifier: ISC */
#ifndef BASE_SEAT_H
#define BASE_SEAT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/*
 * A seat: the place in shared memory where a request stands while it is served,
 * so that the supervisor can list it, name it when its process has died, and
 * have it killed. One thread writes a seat at a time: whoever serves the
 * request, or, for a forked child, first the parent and then the child. Writing
 * costs no system call, no lock, and three cache lines.
 *
 * What a reader finds is hostile input, or half written: seat_read() checks it.
 */
#define SEAT_WORKER_SIZE 32
#define SEAT_ADDRESS_SIZE 112           /* holds a sockaddr_un */
#define SEAT_SHED (-1)                  /* seat_idle_since(): it leaves */

/* Words, and not bytes: each is written as one, so there is no data race. */
struct seat {
	_Alignas(64) _Atomic uint32_t sequence; /* odd while being written */
	_Atomic uint32_t pid;           /* forked child: names the worker */
	_Atomic uint64_t id;            /* of the request; 0 = free */
	_Atomic uint64_t killed;        /* the id of a request that is to end */
	_Atomic int64_t started_at;     /* clock_now(): the same in all processes */
	_Atomic uint64_t bytes_in, bytes_out;
	_Atomic uint32_t peer_len, local_len;
	/* When its wait for another message began; 0: it does not wait for
	 * one. Below 0, with the sign changed: when it was told to end (odd),
	 * or began to (even). */
	_Atomic int64_t idle_since;
	_Atomic uint64_t worker[SEAT_WORKER_SIZE / 8];
	_Atomic uint64_t peer[SEAT_ADDRESS_SIZE / 8];
	_Atomic uint64_t local[SEAT_ADDRESS_SIZE / 8];
};

/* Who sits down. All borrowed. */
struct seat_entry {
	uint64_t id;
	int64_t started_at;
	const char *worker;             /* "" = seat_set_pid() follows */
	const void *peer, *local;       /* sockaddr */
	socklen_t peer_len, local_len;
};

/* What was read: checked, and the reader's own. */
struct seat_view {
	uint64_t id;                    /* never 0 */
	int64_t started_at;             /* not in the future */
	uint64_t bytes_in, bytes_out;
	bool is_killed;
	char worker[SEAT_WORKER_SIZE];  /* printable, NUL-terminated */
	struct sockaddr_storage peer, local;
	socklen_t peer_len, local_len;  /* 0, or fit for the family */
};

void seat_begin(struct seat *seat, const struct seat_entry *entry);
void seat_set_pid(struct seat *seat, uint32_t pid);
void seat_set_local(struct seat *seat, const void *local, socklen_t len);
void seat_end(struct seat *seat);

static inline void
seat_set_bytes(struct seat *seat, uint64_t in, uint64_t out)
{
	atomic_store_explicit(&seat->bytes_in, in, memory_order_relaxed);
	atomic_store_explicit(&seat->bytes_out, out, memory_order_relaxed);
}

/* The request with this id is to end. False: it does not sit here. */
bool seat_kill(struct seat *seat, uint64_t id);

static inline bool
seat_is_killed(const struct seat *seat, uint64_t id)
{
	return atomic_load_explicit(&seat->killed,
	    memory_order_relaxed) == id;
}

/* It waits for another message from now on. */
static inline void
seat_idle_begin(struct seat *seat, int64_t now)
{
	atomic_store_explicit(&seat->idle_since, now, memory_order_relaxed);
}

/* Its wait is over. True: because it was shed, so it is about to end. */
bool seat_idle_end(struct seat *seat, bool is_cancelled);

/* It is to end, and does not know yet. */
static inline bool
seat_is_shed(const struct seat *seat)
{
	int64_t since = atomic_load_explicit(&seat->idle_since,
	    memory_order_relaxed);

	return since < 0 && (since & 1) != 0;
}

/* Since when it waits; 0: it does not; SEAT_SHED: its place will be free in a
 * moment. One that was told so a second ago, and is still there, is no promise. */
int64_t seat_idle_since(const struct seat *seat, int64_t now);
/* The wait that began at `since` is to end. False: it has ended already. */
bool seat_shed(struct seat *seat, int64_t since);
/* A request that is to end, and has not, sits here. */
bool seat_holds_killed(const struct seat *seat);
/* False: nobody sits here, or what is there makes no sense. */
bool seat_read(const struct seat *seat, struct seat_view *view);

#endif
