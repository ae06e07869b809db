/* SPDX-License-Identifier: ISC */
#ifndef SUPER_PLAN_H
#define SUPER_PLAN_H

#include "base/err.h"
#include "conf/diff.h"
#include "conf/fault.h"
#include "super/bound.h"
#include "super/held.h"
#include "super/listener.h"

/*
 * What a reload does with each listener, made before anything is done. Making
 * it and opening its sockets changes nothing that serves; thrown away, it
 * closes what it has opened. Supervisor only.
 */
enum plan_result {
	PLAN_PENDING,           /* a generation is starting */
	PLAN_DONE,
	PLAN_FAILED,            /* what was before goes on */
	PLAN_UNCHANGED,
};

struct plan_item {
	char *name;                     /* owned */
	struct listener *listener;      /* borrowed; NULL = not there yet */
	const struct listener_conf *conf;       /* in held; NULL = removed */
	struct change change;
	struct bound_list sockets;      /* held */
	unsigned generation;            /* number of the one that starts */
	enum plan_result result;
	struct err why;                 /* of PLAN_FAILED */
};

struct plan {
	struct held *held;              /* held: the new configuration */
	struct change top;              /* of the top level */
	struct plan_item *items;        /* owned */
	size_t count;
};

/* Compare what each listener has with the new configuration. 0 or -ENOMEM. */
int plan_make(struct plan *plan, struct listener *const *listeners,
    size_t count, const struct config *old, struct held *held);
/* Open the sockets of what is new; faults are added. 0, or -EADDRINUSE for
 * whatever failed. */
int plan_open(struct plan *plan, struct listener *const *listeners,
    size_t count, struct inherit *inherit, struct store *store,
    struct faults *faults);
/* Does it ask for new processes of this listener? */
bool plan_item_starts(const struct plan_item *item);
void plan_clear(struct plan *plan);
const char *plan_result_word(enum plan_result result);

#endif
