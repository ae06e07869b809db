/* SPDX-License-Identifier: ISC */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/loop.h"
#include "bench/tally.h"
#include "bench/talk.h"

/*
 * The load: connections that ask and check what they are answered, and the pace
 * at which requests become due. One thread. load.c has the pace and the spans,
 * conn.c the slots of connections; stream.c and gram.c are the two ways to
 * talk.
 *
 * A span begins with everything at rest and ends with everything at rest again:
 * so the processor time of the server between two spans is that of the requests
 * between them, and of no others.
 */
enum conn_state { CONN_CLOSED, CONN_CONNECTING, CONN_GREETING, CONN_TALKING };

struct conn {                   /* one slot; it may be opened many times */
	struct watch watch;
	struct load *load;
	struct conn *next;              /* of the queue of idle ones */
	enum conn_state state;
	int fd;                         /* owned; -1 while closed */
	bool is_queued;                 /* waits for a request to become due */
	bool is_resting;                /* after a fault, or when the queue of
					 * the server is full */
	uint64_t first;                 /* number of its first message */
	uint64_t issued, answered;      /* numbers; answered <= issued */
	uint64_t sent, got;             /* places in talk's two streams */
	size_t greeted;                 /* bytes of the greeting */
	int64_t progress_at;            /* when a byte came or a request went */
	int64_t wanted_at;              /* since when it waits for room in the
					 * server's queue; 0 = it does not */
	int64_t *started;               /* depth times, by number % depth */
};

/* How many requests, until when, how fast. */
struct pace {
	uint64_t limit;                 /* 0 = none */
	uint64_t issued;
	int64_t start_at, end_at;       /* end 0 = none */
	double rate;                    /* a second; 0 = as soon as answered */
	int64_t armed_for;              /* what the timer is set to */
	bool is_over;                   /* no request is due any more */
};

struct wire {                   /* stream or datagram */
	void (*open)(struct conn *conn, int64_t started);
	void (*ask)(struct conn *conn);         /* what has been issued */
	void (*overdue)(struct conn *conn, int64_t now);
};
extern const struct wire wire_stream, wire_datagram;

struct load_wish {              /* what a workload wants; see options */
	struct addr address;
	const struct talk *talk;        /* borrowed, as long as the load */
	unsigned connections, depth;
	bool is_fresh;                  /* a connection for each request */
	double rate;
	int64_t timeout_ms;
};

struct load {
	struct load_wish wish;
	const struct wire *wire;
	struct loop *loop;              /* borrowed */
	struct tally *tally;            /* borrowed; of this span */
	struct conn *conns;             /* owned */
	int64_t *started;               /* owned; the slots' times */
	char *buffer;                   /* owned; what is received */
	size_t buffer_size;
	struct pace pace;
	struct conn *idle, **idle_end;  /* the queue */
	unsigned busy;                  /* slots with a request on its way */
	unsigned resting;
	unsigned next_first;            /* the next slot to be opened first */
	bool is_once;                   /* each slot asks once */
	bool has_been_answered;         /* ever */
	bool is_hopeless;               /* nobody listens there */
	bool is_abandoned;              /* answers are waited for no more */
	bool is_silent;                 /* connections that ask nothing */
	bool is_holding;                /* nothing is asked */
	uint64_t opened;                /* connections, ever */
	int timer_fd;                   /* owned; when the next is due */
	struct watch timer_watch;
	struct timer tick, end, retry;
	void (*on_tick)(struct load *load, int64_t now);
	void *arg;                      /* of on_tick */
};

#define LOAD_TICK_MS 100        /* how often overdue answers are looked for */

/* 0 or -errno. load_close() is for both. */
int load_open(struct load *load, struct loop *loop,
    const struct load_wish *wish);
void load_close(struct load *load);
/* Open every connection and let each carry one request. */
int load_warm_open(struct load *load, struct tally *tally);
/* Requests until limit of them were begun or ms have passed (0 = no such end),
 * and then until all are answered. 0 or -errno. */
int load_span(struct load *load, struct tally *tally, uint64_t limit,
    int64_t ms);
/* Keep everything as it is for so long; a connection that ends is a fault. */
int load_hold(struct load *load, struct tally *tally, int64_t ms);
/* Requests are due no more: the span ends. */
void load_stop(struct load *load);

/* For conn.c, stream.c and gram.c */

/* Is a request due now? It has been issued then, and started at that time. */
bool load_take(struct load *load, int64_t now, int64_t *started);
/* The slot waits until one is. */
void load_queue(struct load *load, struct conn *conn);
/* Slots that rest are tried again in a moment. */
void load_retry_soon(struct load *load);
unsigned conn_in_flight(const struct conn *conn);
/* The slot has room for requests: ask what is due, or wait until it is. */
void conn_more(struct conn *conn, int64_t now);
/* While connections are opened: the next one. */
void load_next(struct load *load, int64_t now);
/* A socket for the slot, watched; conn_fault() has been called otherwise. */
bool conn_dial(struct conn *conn, watch_fn *fn, int64_t started);
/* The oldest request of the slot has its answer. */
void conn_answer(struct conn *conn, int64_t now);
/* It has none and gets none. */
void conn_give_up(struct conn *conn);
void conn_close(struct conn *conn);
/* Count a fault, close, and try again with the next tick. */
void conn_fault(struct conn *conn, enum fault fault, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void conn_fault_errno(struct conn *conn, int code);
/* "byte 7 of the answer is 'x', not 'y'" */
void conn_fault_wrong(struct conn *conn, const char *data, const char *want,
    size_t len);

#endif
