/* SPDX-License-Identifier: ISC */
#ifndef SUPER_HELD_H
#define SUPER_HELD_H

#include <stdbool.h>

#include "conf/config.h"

/*
 * A configuration that several hold: the supervisor the one in force and the
 * one before it, each generation the one it was made from. The last to let go
 * frees it. Supervisor only; one thread.
 */
struct held {
	struct config *config;          /* owned */
	unsigned holders;
};

/* Takes the configuration over, for one holder; NULL out of memory, and the
 * configuration is freed. */
struct held *held_new(struct config **config);
struct held *held_get(struct held *held);       /* one holder more; held */
void held_put(struct held **held);              /* NULL is allowed */
/* Is any listener enabled? If not, that is a fault. */
#define HELD_SERVES_NOT "no listener is enabled, so there is nothing to " \
	"serve; enable one"
bool held_serves(const struct held *held);
/* The enabled listener of that name, or NULL. */
const struct listener_conf *held_listener(const struct held *held,
    const char *name);

#endif
