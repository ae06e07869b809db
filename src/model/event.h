/* SPDX-License-Identifier: ISC */
#ifndef MODEL_EVENT_H
#define MODEL_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"
#include "handler/request.h"
#include "model/context.h"
#include "model/model.h"
#include "model/reactor.h"
#include "model/stack.h"

/*
 * The parts of the event model: for event.c, io_fiber.c, overflow.c and the
 * reactors alone. A process of it has one thread. Each request is a fiber,
 * which runs until it must wait; then the thread goes on with the loop.
 *
 *	dispatch -> fiber_enter -> handler -> io_fiber -> fiber_wait
 *	                ^                                     |
 *	            fiber_wake <-- reactor, timer, kill <-- loop
 */
struct uring_connection;

enum fiber_wait {
	WAIT_NONE,                      /* it runs */
	WAIT_READ,
	WAIT_WRITE,
	WAIT_SLEEP,                     /* for the time alone */
	WAIT_SENT,                      /* the kernel is about to read from its
					 * stack: nothing else wakes it */
};

/* A connection as epoll shows it: edges come once, so they are kept. */
struct epoll_connection {
	struct watch watch;
	bool is_registered;
	bool is_readable, is_writable;  /* as far as is known */
	bool is_ended;                  /* the peer's end, or an error, is there */
};

/*
 * One request. It lies at the top of its own stack, in the page that is touched
 * anyway: an idle connection costs that page and little more.
 */
struct fiber {
	struct request request;         /* first */
	/* What each turn touches, together, too. */
	_Alignas(64) union {
		struct epoll_connection epoll;
		struct uring_connection *uring;         /* NULL: none yet */
	};
	enum fiber_wait wait;
	int woken;                      /* how the last wait ended: 0, -errno */
	unsigned passes;                /* reads and writes since its last wait */
	struct event *event;            /* borrowed */
	struct context context;
	int64_t wait_until;
	struct timer timer;             /* runs at or before wait_until */
	unsigned number;                /* its place, and its seat */
	char *stack;                    /* owned: its lowest byte */
	struct fiber *next, *previous;  /* in event->fibers */
	char *datagram;                 /* owned: a copy, once it waits */
	char name[WORKER_NAME_SIZE];    /* "Fiber-7", of those without a place */
};

/* The first fibers come and go all the time: what each would make anew is kept
 * for its number. */
#define PLACES 64
struct fiber_place {
	char name[WORKER_NAME_SIZE];    /* "" = not made yet */
	struct log_head head;           /* of its access lines */
};

struct event {
	struct model_env *env;          /* borrowed */
	const struct reactor *reactor;
	void *ring;                     /* the reactor's own */
	struct stacks *stacks;          /* owned */
	struct fiber *running;          /* NULL: the thread is on its own stack */
	struct fiber *fibers;           /* those that live; owned */
	size_t count;
	size_t most;                    /* that the limit of descriptors allows */
	struct fiber **by_number;       /* owned; NULL = free */
	unsigned *free_numbers;         /* owned: a stack */
	size_t free_count, numbers;     /* numbers ever given */
	struct fiber_place places[PLACES];
	struct buf spare;               /* owned: the last request's output */
	int64_t seen_at;                /* clock_coarse(), after a fiber has run */
	bool wants_room;                /* the acceptor waits for a fiber's end */
	bool is_draining;
	struct timer tick, room, end;
};

/* On the thread's own stack: let the fiber go on; its wait has ended so. A
 * no-op for one that does not wait. */
void fiber_wake(struct fiber *fiber, int r);
/* As fiber_wake(), of one in WAIT_SENT. */
void fiber_sent(struct fiber *fiber, int r);
/* On the fiber: let others run until it is woken, or until (CLOCK_NEVER = no
 * limit). 0, -ETIMEDOUT, or -ENOMEM. */
int fiber_wait(struct fiber *fiber, enum fiber_wait wait, int64_t until);

/* Reading, writing and sleeping of a fiber. */
extern const struct io io_fiber;

/* Have a stack that grew into its guard named in the log before the process
 * dies of it. One event model a process. */
int overflow_watch(const struct event *event);
void overflow_unwatch(void);

#endif
