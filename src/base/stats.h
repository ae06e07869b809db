/* SPDX-License-Identifier: ISC */
#ifndef BASE_STATS_H
#define BASE_STATS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"

#include "base/seat.h"

/*
 * Counters of one listener in shared memory: a slot for each of its service
 * processes, written by that process (any thread or child of it) with relaxed
 * atomics, read by the supervisor. What is in a slot is hostile input to the
 * supervisor: numbers to be shown and clamped, never an index, size or pid.
 *
 * Behind the slots stand the seats of their requests, so many a slot. Pages
 * that nobody has sat on cost nothing.
 */

/* Why a request was not served: the one table of reason words (stats.c). */
enum reason {
	REASON_NONE,
	REASON_MAX_CONNECTIONS,
	REASON_ACCESS,
	REASON_VERIFY,
	REASON_DESCRIPTORS,
	REASON_DATAGRAM_TOO_LONG,
	REASON_DRAINING,
	REASON_SHED_IDLE,
	REASONS
};

const char *reason_word(enum reason reason);    /* REASON_NONE: NULL */
const char *reason_help(enum reason reason); /* one sentence, for the manual */

/* The counters[] table in stats.c names each, in this order. */
enum counter {
	COUNTER_ACCEPTED,       /* arrivals taken from a socket */
	COUNTER_REQUESTS,       /* finished with result ok */
	COUNTER_ERRORS,         /* finished with any other result than ok */
	COUNTER_REFUSED,        /* all reasons together */
	COUNTER_ACTIVE,         /* a gauge: being served now */
	COUNTER_SERVING,        /* a gauge: processes ready to serve */
	COUNTER_BYTES_IN,
	COUNTER_BYTES_OUT,
	COUNTER_ACCEPT_ERRORS,
	COUNTER_REPLY_ERRORS,   /* replies that could not be sent (datagrams) */
	COUNTERS
};

const char *counter_name(enum counter counter); /* "accepted", ... */

struct stats {                  /* one slot; 64-byte aligned */
	/* How far that process's end has come: here because the children of a
	 * forking service share this page and need no other. */
	_Alignas(64) _Atomic bool is_draining;  /* takes no more */
	_Atomic bool is_cancelled;      /* past the drain deadline: waits end */
	_Atomic uint32_t seats_used;    /* the first so many may be taken */
	_Atomic uint32_t reserved;      /* event: 1 = it is about to take one */
	_Atomic uint32_t running;       /* event: whose request has the thread:
					 * a seat + 1; 0 = nobody's */
	_Atomic uint32_t idle;          /* lanes that wait for a request */
	_Atomic uint32_t silent;        /* connections that have not said a
					 * word yet, and have no lane */
	/* Handed to other processes of the pool, less what they handed to it:
	 * accepted here, ended there. */
	_Atomic int64_t passed;
	_Atomic int64_t counters[COUNTERS];
	_Atomic int64_t refused[REASONS];
	struct log_drops drops;         /* of that process and its children */
};

struct stats_slab {
	_Alignas(64) _Atomic uint64_t next_id;  /* of requests: the last given.
						 * A generation has a block of
						 * them: unique in the daemon */
	_Atomic uint32_t is_scaling;            /* workers send MESSAGE_BUSY */
	_Atomic uint32_t min_spare;
	_Atomic int64_t bell_at;                /* clock_coarse(): when a lane
						 * last rang for shed.c */
	_Atomic int64_t relayed;                /* connections on their way from
						 * one process to another: a
						 * gauge, active in neither */
	uint32_t slot_count, seat_count;        /* for stats_map(), checked */
	struct stats slots[];
};

/* How large a slab is: kept by whoever has one, since what stands in it may be
 * written by others. */
struct stats_size {
	unsigned slots;
	unsigned seats;                 /* a slot */
};

#define STATS_SEATS_MAX 65536           /* a slot; further requests have none */

/* One shared mapping, all zero; its memory file, which nobody can resize, is
 * *fd, owned by the caller (for the service to map). NULL with errno. */
struct stats_slab *stats_new(struct stats_size size, int *fd);
/* The same memory from its file, and its size, which agrees with the file's.
 * NULL with errno (EINVAL: not such a file). The caller may close fd. */
struct stats_slab *stats_map(int fd, struct stats_size *size);
/* The same, where the size is known: what others wrote there is not asked. */
struct stats_slab *stats_attach(int fd, struct stats_size size);
/* Unmap; the memory lives while anyone else has it. */
void stats_free(struct stats_slab **slab, struct stats_size size);
/* A slot's seat. slot < size.slots, i < size.seats. */
struct seat *stats_seat(struct stats_slab *slab, struct stats_size size,
    unsigned slot, unsigned i);
/* This seat may be taken from now on: readers look so far. */
void stats_use_seat(struct stats *stats, unsigned i);
/* How many seats of a slot a reader must look at. */
unsigned stats_seats_used(const struct stats_slab *slab, struct stats_size size,
    unsigned slot);
/* Where, in this slot, the request stands that has waited longest for another
 * message, and since when: SEAT_SHED while one that was shed is about to leave.
 * NULL: none waits, or not for long enough to matter. */
struct seat *stats_longest_wait(struct stats_slab *slab, struct stats_size size,
    unsigned slot, int64_t *since);

static inline void
stats_add(struct stats *stats, enum counter counter, int64_t n)
{
	atomic_fetch_add_explicit(&stats->counters[counter], n,
	    memory_order_relaxed);
}

/* Lanes without a request, and connections without a word, in all slots. */
uint64_t stats_idle(const struct stats_slab *slab, unsigned slots);
uint64_t stats_silent(const struct stats_slab *slab, unsigned slots);
/* Changes with each end of a request. */
int64_t stats_ended(const struct stats_slab *slab, unsigned slots);
/* Count a refusal, in all and by its reason. */
void stats_refuse(struct stats *stats, enum reason reason);
/* Sum of the slots into *sum (which the caller zeroed), clamped at >= 0. */
void stats_sum(const struct stats_slab *slab, unsigned slots,
    struct stats *sum);

#endif
