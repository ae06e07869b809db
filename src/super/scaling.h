/* SPDX-License-Identifier: ISC */
#ifndef SUPER_SCALING_H
#define SUPER_SCALING_H

#include <stdbool.h>

struct generation;

/*
 * How many processes a prefork pool has: between `workers` and `max_workers`.
 * It grows at once when a process says that too few are idle, by as many as
 * serve already, and shrinks by one a second while more than `max_spare` are
 * idle.
 */
bool scaling_is_on(const struct generation *gen);
void scaling_start(struct generation *gen);
void scaling_stop(struct generation *gen);
/* MESSAGE_BUSY */
void scaling_busy(struct generation *gen);
/* No process is free. True: more are coming. */
bool scaling_full(struct generation *gen);

#endif
