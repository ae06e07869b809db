/* SPDX-License-Identifier: ISC */
#ifndef HANDLER_REQUEST_H
#define HANDLER_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/socketserver.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/stats.h"
#include "handler/host.h"
#include "net/transport.h"

/*
 * The life of one request: an admitted arrival on its way through a handler.
 * A struct request belongs to one thread (or child, or fiber) and is used for
 * one arrival after another, keeping its buffers.
 *
 *	request_admit -> request_begin -> request_serve -> request_end
 *	     `-> request_refuse
 */
struct io;

/* First what each message touches: of a thousand connections that take turns,
 * nothing is in the cache. */
struct request {
	ss_request pub;                 /* first */
	struct host *host;              /* borrowed */
	const struct io *io;            /* how this model waits */
	/* Where the supervisor sees it; NULL = nowhere. Borrowed. */
	struct seat *seat;
	uint64_t id;
	bool is_seat_lent;              /* a forked child's: the parent clears it */
	bool is_killed;                 /* and has seen it */
	bool is_idle;                   /* waits for another message */
	bool is_shed;                   /* was told to end while it did */
	bool has_failed;                /* setup or handle returned non-zero */
	bool is_eof;                    /* the peer ended its side */
	bool is_write_ended;
	bool has_reply;                 /* datagram: ss_write was called */
	unsigned waits;                 /* so far, up to those of a short life */
	int first_errno;                /* of the first read or write that failed */
	int64_t started_at, session_at; /* session_at 0: no limit */
	int64_t timeout_ms;             /* of one wait; 0 = none */
	uint64_t bytes_in, bytes_out;
	struct buf in;                  /* stream: received, not read yet, from in_taken on */
	size_t in_taken;
	struct buf out;                 /* written, not sent yet */
	size_t data_taken;              /* of arrival.data: bytes read so far */
	struct arrival arrival;
	int64_t socket_ms[2];           /* what SO_RCVTIMEO and SO_SNDTIMEO are now */
	enum reason reason;
	int linger_socket;              /* a forked child: who lingers for it, by
					 * fd_pass(); -1 = host->linger */
	const char *worker;             /* borrowed: "Thread-2" */
	struct log_head *head;          /* the worker's; NULL: none. Borrowed */
	char peer[ADDR_TEXT_SIZE];      /* "" until asked for */
	char local[ADDR_TEXT_SIZE];
};

#define WORKER_NAME_SIZE 32

/* "Thread-2", "Process-4711": for ss_worker(). Without printf(3), whose pages a
 * forked child would have to fault in. */
void worker_name(char name[WORKER_NAME_SIZE], const char *kind, unsigned number);

/* Waiting, as a model does it. -errno, with -ETIMEDOUT past the timeout or the
 * session's end and -ECANCELED past the drain deadline. */
struct io {
	ssize_t (*read)(struct request *rq, void *data, size_t size);
	int (*write)(struct request *rq, const void *data, size_t len);        /* all of it */
	int (*sleep)(struct request *rq, int64_t ms);
};

/* For struct io, before each system call of a wait: was the request killed? It
 * also says in its seat how far it has come. was_woken: the wait began before. */
bool request_is_killed(struct request *rq, bool was_woken);

/* Blocking system calls, one thread or process a request. */
extern const struct io io_block;

/* May this arrival be served? Every rule, in one order. REASON_NONE: yes. */
enum reason request_admit(const struct host *host, const struct arrival *arrival);
/* Refuse text (never blocking), close, count, log. Consumes the arrival. */
void request_refuse(struct host *host, struct arrival *arrival, enum reason reason);

/* An admitted connection that no handler has seen ends: counted as failed,
 * closed, logged with this result. Consumes the arrival. */
void request_abandon(struct host *host, struct arrival *arrival,
    const char *result);

void request_init(struct request *rq, struct host *host, const struct io *io,
    const char *worker);
/* A number that no other request of the daemon has. */
uint64_t request_new_id(struct host *host);
/* The arrival's, if it has one already. */
uint64_t request_id_of(struct host *host, const struct arrival *arrival);
/* Take over the arrival. */
void request_begin(struct request *rq, const struct arrival *arrival,
    uint64_t id);
/* Write the arrival into a seat: request_begin() does it for rq->seat. */
void request_sit_down(struct seat *seat, const struct arrival *arrival,
    uint64_t id, const char *worker, int64_t started_at);
/* The only function that calls a handler's code for a request:
 * verify -> setup -> handle -> finish. */
void request_serve(struct request *rq);
/* Send what is left, close in order, count, log: the two below. */
void request_end(struct request *rq);
/* Send what is left. May wait. */
void request_flush_last(struct request *rq);
/* Close in order, count, log: never waits, but needs a deep stack. */
void request_close(struct request *rq);
/* Will that close the connection, and not leave it to host->linger? */
bool request_closes_at_once(const struct request *rq);
void request_free(struct request *rq);

/* The access line and the counters of a request that ended in another process. */
void request_crashed(struct host *host, uint64_t id, const char *worker,
    const struct sockaddr *peer, socklen_t peer_len, int64_t started_at);

/* The calls of socketserver.h, for api.c: sizes, 0, or -errno. */
const char *request_peer(struct request *rq);
const char *request_local(struct request *rq);
ssize_t request_read(struct request *rq, void *data, size_t size);      /* or -errno */
ssize_t request_read_line(struct request *rq, void *data, size_t size);
int request_write(struct request *rq, const void *data, size_t len);
int request_flush(struct request *rq);
int request_end_write(struct request *rq);
int request_sleep(struct request *rq, int64_t ms);

#endif
