/* SPDX-License-Identifier: ISC */
#ifndef SUPER_SHED_H
#define SUPER_SHED_H

#include <stdint.h>

struct generation;

/*
 * MESSAGE_FULL: somebody waits for a worker of a prefork pool, and none is free.
 * More processes are started where there may be more; else the request that has
 * waited longest for a message, in whichever process, is ended
 * (when_full = "shed_idle"). Nothing is done if a request has ended since whoever
 * says so looked, when so many had: there has been a place since then.
 */
void shed_full(struct generation *gen, int64_t ended);

#endif
