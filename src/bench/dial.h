/* SPDX-License-Identifier: ISC */
#ifndef BENCH_DIAL_H
#define BENCH_DIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/err.h"

/*
 * Sockets to the server. A connection's number chooses its source: each 25,000
 * connections to an address of 127/8 come from another one of 127/8, so that
 * the ports of none run out. The first 25,000 come from wherever the system
 * likes. Nothing here waits.
 */
#define DIAL_PER_SOURCE 25000
#define DIAL_SOURCES 200

/* The address of a command line; may ask the resolver. 0, or -EINVAL, -ENOENT
 * with a sentence. */
int dial_address(struct addr *addr, const char *text, struct err *err);
/* A non-blocking socket that is connected or about to be; or -errno, -EAGAIN
 * when a Unix listener's queue is full. */
int dial_start(const struct addr *addr, uint64_t number, bool is_prompt);
/* The source of a connection; false = the system's choice. */
bool dial_source(const struct addr *addr, uint64_t number,
    struct sockaddr_storage *source);

#endif
