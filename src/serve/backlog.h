/* SPDX-License-Identifier: ISC */
#ifndef SERVE_BACKLOG_H
#define SERVE_BACKLOG_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "net/transport.h"

/*
 * Arrivals of this process that wait for their turn: those that were taken from
 * the kernel's queues when the sockets had to be closed, and those that have
 * waited for their first bytes (lobby.h). Filled by the main thread, emptied by any.
 */
struct backlog_item;

struct backlog {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct backlog_item *first, **last;     /* owned */
	_Atomic size_t count;           /* how many; written under lock */
	bool is_complete;               /* nothing more will be added */
};

void backlog_init(struct backlog *backlog);
/* Takes over the connection; copies a datagram. 0 or -ENOMEM. */
int backlog_add(struct backlog *backlog, const struct arrival *arrival);
void backlog_complete(struct backlog *backlog);
/* 0; -EAGAIN none now (only without wait); -ECANCELED none and complete. A
 * datagram is copied into arrival->data, of arrival->size. */
int backlog_take(struct backlog *backlog, struct arrival *arrival, bool wait);
/* How many wait here: a look without the lock. */
static inline size_t
backlog_count(const struct backlog *backlog)
{
	return atomic_load_explicit(&backlog->count, memory_order_relaxed);
}

/* A forked child: close every connection in it but `keep`, write to nothing. */
void backlog_forget(const struct backlog *backlog, int keep);
void backlog_free(struct backlog *backlog);

#endif
