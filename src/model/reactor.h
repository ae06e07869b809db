/* SPDX-License-Identifier: ISC */
#ifndef MODEL_REACTOR_H
#define MODEL_REACTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "conf/config.h"

/*
 * How the fibers of a process learn that their peers are ready: one object a
 * kernel interface, one file each. It knows connections and wakes fibers by
 * fiber_wake(); what a fiber waits for, and until when, is io_fiber.c's.
 * Everything here is called by the one thread of the process.
 */
struct event;
struct fiber;

struct reactor {
	enum io_choice io;
	/* 0, or -errno with a sentence: it is not to be had here. */
	int (*open)(struct event *event, struct err *err);
	void (*close)(struct event *event);     /* also after a failed open() */
	/* One turn of the process: wait for what is next, and do it. 0 or
	 * -errno: that is not possible any more. */
	int (*turn)(struct event *event);
	/* As in struct model. NULL: it cannot. */
	bool (*listen)(struct event *event, unsigned i, int fd);
	bool (*is_listening)(const struct event *event);
	/* A connection of its own for this fiber, whose memory is zero. */
	void (*adopt)(struct fiber *fiber);
	/* On a fiber, never waiting: bytes, 0 at the peer's end, or -errno;
	 * -EAGAIN: prepare(), then wait. */
	ssize_t (*read)(struct fiber *fiber, void *data, size_t size);
	ssize_t (*write)(struct fiber *fiber, const void *data, size_t len);
	/* The fiber is about to wait for this: wake it then. 0 or -errno. */
	int (*prepare)(struct fiber *fiber, bool is_write);
	/* The connection is the fiber's no more; is_closed_next: and nobody
	 * else's. */
	void (*release)(struct fiber *fiber, bool is_closed_next);
};

extern const struct reactor epoll_reactor, uring_reactor;

#endif
