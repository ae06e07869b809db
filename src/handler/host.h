/* SPDX-License-Identifier: ISC */
#ifndef HANDLER_HOST_H
#define HANDLER_HOST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/socketserver.h"
#include "base/acl.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/stats.h"
#include "conf/config.h"
#include "conf/fault.h"
#include "handler/module.h"

/*
 * What all requests of one service process share: the listener's
 * configuration, the handler and its options, the counters. Its first member
 * is the public ss_service. Written while the process starts; read by any
 * thread afterwards.
 */
struct options;

/* How long a peer may go on sending after our side of a connection ended. */
#define HOST_LINGER_MS 2000

struct host {
	ss_service service;             /* first */
	const struct listener_conf *conf;       /* borrowed */
	struct module *module;          /* borrowed */
	struct options *options;        /* in arena */
	struct arena arena;             /* owned */
	struct acl acl;                 /* in arena */
	struct stats_slab *slab;        /* borrowed, shared memory */
	struct stats *stats;            /* this process's slot in it */
	struct stats_size size;         /* of the slab */
	unsigned slot;                  /* this process's */
	unsigned generation;
	bool is_one_lane;               /* one thread serves all requests */
	/* Take over a connection whose peer may still be sending. */
	void (*linger)(struct host *host, int fd);
	void *linger_owner;
	/* Where all requests run in one thread: host_read_room() bytes in which one
	 * may receive, so that those that wait own no buffer. NULL: elsewhere.
	 * The model's. */
	char *scratch;
	bool is_opening;                /* inside the handler's open() */
	char last_log[256];             /* what open() logged last */
};

/* Check the options and set everything up. -EINVAL with faults, or -errno. */
int host_init(struct host *host, const struct listener_conf *conf,
    struct module *module, struct faults *faults);
void host_free(struct host *host);      /* after host_init(), also a failed one */
/* The handler's open(): 0, or -ECANCELED with a sentence. */
int host_open(struct host *host, struct err *err);
void host_close(struct host *host);     /* the handler's close() */
void host_tick(struct host *host);      /* the handler's tick() */
bool host_has_tick(const struct host *host);

/* Requests of this process that are being served. */
static inline int64_t
host_active(const struct host *host)
{
	return atomic_load(&host->stats->counters[COUNTER_ACTIVE]);
}

/* Those of all the listener's processes. */
static inline int64_t
host_active_in_all(const struct host *host)
{
	int64_t active = 0;

	for (unsigned i = 0; i < host->size.slots; i++)
		active += atomic_load_explicit(&host->slab->slots[i].counters[
		    COUNTER_ACTIVE], memory_order_relaxed);
	return active;
}

/* May this process, where it is the listener's only one, serve one more? */
static inline bool
host_has_room(const struct host *host)
{
	return host_active(host) < host->conf->max_connections;
}

/* The same for one of several processes, which look at the same time: each says
 * first that it is about to take one. host_reserve_end() when it has been counted
 * as active, or was not there. A look at the other's word comes before one at
 * what it has counted, since it takes its word back after it has counted. */
static inline bool
host_reserve(const struct host *host)
{
	int64_t sum = 0;

	atomic_store(&host->stats->reserved, 1);
	for (unsigned i = 0; i < host->size.slots; i++) {
		const struct stats *stats = &host->slab->slots[i];

		sum += atomic_load(&stats->reserved);
		sum += atomic_load(&stats->counters[COUNTER_ACTIVE]);
	}
	if (sum <= host->conf->max_connections)
		return true;
	atomic_store(&host->stats->reserved, 0);
	return false;
}

static inline void
host_reserve_end(const struct host *host)
{
	atomic_store_explicit(&host->stats->reserved, 0, memory_order_release);
}

/* May the listener, in all its processes together? */
static inline bool
host_has_room_in_all(const struct host *host)
{
	return host_active_in_all(host) < host->conf->max_connections;
}

/* Count what only those who serve requests count. One thread needs no atomic
 * instruction for that: each costs as much as dozens of others. */
static inline void
host_count(const struct host *host, enum counter counter, int64_t n)
{
	_Atomic int64_t *value = &host->stats->counters[counter];

	if (!host->is_one_lane)
		stats_add(host->stats, counter, n);
	else
		atomic_store_explicit(value, n + atomic_load_explicit(value,
		    memory_order_relaxed), memory_order_relaxed);
}

/* A place for one of its requests to stand in; NULL: there are not so many. */
static inline struct seat *
host_seat(const struct host *host, unsigned i)
{
	if (i >= host->size.seats)
		return NULL;
	stats_use_seat(host->stats, i);
	return stats_seat(host->slab, host->size, host->slot, i);
}

/* Bytes that one receive for a line asks for. */
static inline size_t
host_read_room(const struct host *host)
{
	int64_t room = host->conf->read_buffer_bytes;

	return room > 0 ? (size_t)room : 1;     /* as Python: a byte at a time */
}

/* So many lanes more, or fewer, that have no request. In order with the flags of
 * who waits for one to be free. */
static inline void
host_idle_add(const struct host *host, int n)
{
	atomic_fetch_add(&host->stats->idle, (uint32_t)n);
}

static inline bool
host_is_cancelled(const struct host *host)
{
	return atomic_load_explicit(&host->stats->is_cancelled,
	    memory_order_relaxed);
}

static inline bool
host_is_draining(const struct host *host)
{
	return atomic_load_explicit(&host->stats->is_draining,
	    memory_order_relaxed);
}

#endif
