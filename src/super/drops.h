/* SPDX-License-Identifier: ISC */
#ifndef SUPER_DROPS_H
#define SUPER_DROPS_H

#include <stdint.h>

#include "base/loop.h"

struct listener;

/*
 * Datagrams that the kernel dropped, mostly because a socket's queue was full.
 * Each UDP socket counts them in 32 bits, as long as it is there; they are added
 * up here, whenever somebody asks and every ten seconds, so that none of those
 * counters comes round unseen. A full queue of a Unix socket makes the sender
 * wait: there is nothing to count. Supervisor only.
 */
struct drops {
	int64_t total;
	int64_t told;           /* of them, in warnings so far */
	int64_t told_at;        /* clock_now(); 0 = there was no warning */
	struct timer timer;
};

/* What a counter of 32 bits grew by since it was *last. */
uint32_t drops_since(uint32_t *last, uint32_t now);
/* How many to warn of now, which counts as done; 0: none, or it was done less
 * than a minute ago. */
int64_t drops_to_tell(struct drops *drops, int64_t now);

/* Look at the sockets that the listener has now: before it lets go of one, too.
 * Warns. */
void drops_look(struct listener *listener);
/* Look from time to time, while it has UDP sockets. */
void drops_watch(struct listener *listener);

#endif
