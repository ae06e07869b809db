/* SPDX-License-Identifier: ISC */
#ifndef SUPER_BOUND_H
#define SUPER_BOUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/config.h"
#include "net/inherit.h"
#include "net/transport.h"
#include "super/store.h"

/*
 * A socket of a listener for as long as its address is configured. Generations
 * come and go around it, and it may move to another listener, so several hold
 * it: the listener, each generation that may still start processes, a plan
 * that was made but not carried out. The last to let go closes it; one that was
 * handed over is kept for whoever names it next. Supervisor only; one thread.
 */
struct bound {
	struct endpoint endpoint;       /* owned */
	char *address;                  /* owned; as configured: the port may
					 * be 0, it may be "fd:NAME" */
	struct store *store;            /* borrowed; NULL = it is not kept */
	struct inherit *inherit;        /* borrowed; handed over, and given back
					 * to it; NULL = it was not */
	bool is_shared;                 /* it came from another listener, whose
					 * processes may still take from it */
	uint32_t dropped;               /* datagrams, when it was last asked */
	unsigned holders;
};

/* What one holder holds; the order is that of the configuration. With
 * reuse_port an address has several, side by side. */
struct bound_list {
	struct bound **items;           /* owned; each held */
	size_t count;
};

/* Open (or find among the sockets that were handed over) all addresses that
 * `have` and `others` do not have yet; those are held once more. Every failure
 * is told; their number. `list` is to be cleared by the caller all the same.
 * What joins sockets that serve already gets nothing before bound_list_join():
 * thrown away, it has nothing to lose. */
typedef void bound_complain_fn(void *arg, const struct listener_conf *conf,
    const char *text);
struct bound_source {
	const struct bound_list *have;  /* the listener's own so far */
	const struct bound_list *spare; /* of listeners that give them up */
	struct inherit *inherit;
	struct store *store;
	bound_complain_fn *complain;
	void *arg;
};
unsigned bound_list_open(struct bound_list *list,
    const struct listener_conf *conf, const struct bound_source *source);
/* 0 or -ENOMEM. */
int bound_list_copy(struct bound_list *to, const struct bound_list *from);
int bound_list_add(struct bound_list *list, struct bound *bound);
/* Let go of all. */
void bound_list_clear(struct bound_list *list);
/* Let go of all but the UDP sockets that nobody else has: processes answer from
 * them to their end, and until then the address can be had with them alone. */
void bound_list_leave(struct bound_list *list);
/* From now on all of them get what arrives. A failure is told, and leaves the
 * socket without. */
void bound_list_join(const struct bound_list *list,
    const struct listener_conf *conf, bound_complain_fn *complain, void *arg);
/* Has it another address than the one before it in the list? */
bool bound_list_is_first(const struct bound_list *list, size_t i);
/* The places in the list of the sockets that process `slot` of so many takes
 * from, in order: all, but of addresses with a socket for each process its own.
 * Their number; chosen has room for all. */
size_t bound_list_deal(const struct bound_list *list,
    const struct listener_conf *conf, unsigned slot, unsigned slots,
    size_t *chosen);
/* Is there one that another listener had? */
bool bound_list_is_shared(const struct bound_list *list);
bool bound_list_has(const struct bound_list *list, const struct bound *bound);
/* Apply the keys of class SOCKET to sockets that are open already. A failure
 * is told and leaves the socket as it was. */
void bound_list_apply(const struct bound_list *list,
    const struct listener_conf *conf, bound_complain_fn *complain, void *arg);

#endif
