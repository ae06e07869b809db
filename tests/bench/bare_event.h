/* SPDX-License-Identifier: ISC */
/*
 * bare_event.h - what the bare event loops share beyond bare.h
 */
#ifndef BENCH_BARE_EVENT_H
#define BENCH_BARE_EVENT_H

#include <stddef.h>
#include <sys/types.h>

#include "bare.h"

enum {
	EVENT_BUFFER = 65536,	/* read at once, into one buffer of the loop */
	EVENT_BATCH = 16,	/* connections taken at once */
	EVENT_READY = 64,	/* events taken at once */
};

/* A non-blocking connection, or -1 when there is none. */
int event_accept(const struct bare *bare);

/* The listening socket becomes non-blocking; connections are watched by edges
 * with this once, and never touched again. */
int event_epoll(const struct bare *bare);
void event_watch(int epoll, int fd, void *data);

/* What is answered to len bytes of data; its size. */
const char *event_answer(const struct bare *bare, const char *data, size_t len,
    size_t *size);

#endif
