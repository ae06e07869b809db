/* SPDX-License-Identifier: ISC */
#ifndef SUPER_WAIT_H
#define SUPER_WAIT_H

#include <stdbool.h>
#include <stdint.h>

#include "control/wire.h"

struct listener;
struct super;

/*
 * Commands for one listener whose answer comes later: when a generation serves
 * or has failed, or when nothing of the listener is left. Supervisor only.
 */
#define WAITS_MAX WIRE_CLIENTS_MAX      /* a client waits for one thing */

struct wait {
	uint64_t ticket;                /* 0 = free */
	char name[64];                  /* of the listener: it may go away */
	unsigned generation;            /* that shall serve; 0 = none shall be */
};

/* The client is answered by wait_review(), now or later. */
void wait_add(struct super *super, uint64_t ticket,
    const struct listener *listener, unsigned generation);
/* Something has changed: who can be answered? */
void wait_review(struct super *super);

#endif
