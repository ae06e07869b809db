/* SPDX-License-Identifier: ISC */
#ifndef CTL_DIAL_H
#define CTL_DIAL_H

#include <stdbool.h>

#include "base/err.h"

/*
 * A connected socket to an address of a listener, in the form of `listen`. A
 * wildcard is reached over the loopback; a Unix datagram socket gets an address
 * of its own (an abstract one that the kernel chooses, unix(7): autobind), so
 * that there is somebody to reply to. The descriptor is the caller's, or -errno
 * with *err.
 */
#define DIAL_MS 10000

int dial(const char *address, bool *is_stream, struct err *err);

#endif
