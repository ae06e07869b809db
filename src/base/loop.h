/* SPDX-License-Identifier: ISC */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The event loop of a supervisor or of a service's main thread: level-triggered
 * epoll and a heap of timers. One thread. It owns its epoll descriptor; watches
 * and timers are the caller's memory and must be stopped before they are freed,
 * a watch before its descriptor is closed.
 *
 * A callback may stop or start any watch or timer, its own included, and free
 * what it stopped: nothing that was stopped is called any more, not even in the
 * same turn. A callback does not run the loop. A forked child may call
 * loop_free() and nothing else: the epoll set is its parent's too.
 */
struct loop;
struct watch;
struct timer;
typedef void watch_fn(struct watch *watch, uint32_t events);    /* EPOLL* */
typedef void timer_fn(struct timer *timer);

/* Zeroed or { .fd = -1 } before its first start. */
struct watch {
	int fd;                 /* borrowed; -1 while stopped */
	uint32_t events;
	watch_fn *fn;
	void *arg;
};

/* Zeroed before its first start. */
struct timer {
	int64_t at;             /* clock_now() nanoseconds */
	timer_fn *fn;
	void *arg;
	unsigned slot;          /* place in the heap + 1; 0 = not running */
};

struct loop *loop_new(void);                    /* NULL with errno */
void loop_free(struct loop **loop);
/* A forked child: close the descriptor, write to nothing. */
void loop_forget(const struct loop *loop);
int64_t loop_now(const struct loop *loop);      /* taken once per turn */
/* 0 or -errno. EPOLLIN, EPOLLOUT, EPOLLET, EPOLLEXCLUSIVE as of epoll_ctl(2).
 * EPOLLERR and EPOLLHUP come without being asked for. */
int watch_start(struct loop *loop, struct watch *watch, int fd, uint32_t events,
    watch_fn *fn, void *arg);
int watch_change(struct loop *loop, struct watch *watch, uint32_t events);
/* A no-op when it is stopped; so is timer_stop(). */
void watch_stop(struct loop *loop, struct watch *watch);
/* As watch_stop(), but the caller closes the descriptor next, and with it the
 * kernel forgets it: saves a system call. Should a process that a handler
 * forked still hold the connection, events may go on coming for memory that
 * somebody else has: the watch's function must bear one too many, and memory
 * without a function is passed over. */
void watch_forget(struct loop *loop, struct watch *watch);
/* Starting a timer that runs moves it. 0 or -ENOMEM. A time that has passed
 * means the next turn. */
int timer_start(struct loop *loop, struct timer *timer, int64_t at,
    timer_fn *fn, void *arg);
void timer_stop(struct loop *loop, struct timer *timer);
bool timer_is_running(const struct timer *timer);
/* One turn: wait for the first event or timer, at most max_ms (-1 = no limit),
 * run what is due: events first, so that what came in time beats its deadline.
 * 0 (also after a signal) or -errno. */
int loop_turn(struct loop *loop, int max_ms);

/* For a thread that waits by something else, which watches the loop's epoll
 * descriptor too: what of a turn is done in its place. When the descriptor is
 * readable, loop_turn(loop, 0). */
int loop_fd(const struct loop *loop);           /* the loop's */
/* Milliseconds until the first timer, rounded up, at most max_ms (-1 = no
 * limit, and no timer: -1). */
int loop_wait_ms(const struct loop *loop, int max_ms);
void loop_refresh(struct loop *loop);           /* the time is now */
void loop_run_timers(struct loop *loop);        /* those that are due */

#endif
