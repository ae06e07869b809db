/* SPDX-License-Identifier: ISC */
#ifndef BASE_CHANNEL_H
#define BASE_CHANNEL_H

#include <stddef.h>
#include <stdint.h>

/*
 * The control channel between the supervisor and one service process: an
 * AF_UNIX SOCK_SEQPACKET pair, non-blocking, fixed-size typed messages. What a
 * service sends is hostile input: a message of a wrong size, type or direction
 * is -EPROTO and ends that process. Any thread may send; one receives.
 */
enum message_type {
	MESSAGE_NONE,
	/* supervisor to service */
	MESSAGE_TAKE,           /* begin to take from the sockets: until then
				 * they are another generation's; value: 1 =
				 * others may still take from them, too */
	MESSAGE_DRAIN,          /* value: milliseconds to the drain deadline;
				 * text: a character a socket, in the order in
				 * which they were handed over: see below */
	MESSAGE_LOG_FD,         /* write the log to the descriptor with it;
				 * value: enum log_kind */
	MESSAGE_LOG_LEVEL,      /* value: enum log_level */
	MESSAGE_LOG,            /* value: LOG_IS_JSON | LOG_HAS_ACCESS */
	MESSAGE_KILL,           /* value: the id of a request that is to end */
	MESSAGE_PING,           /* answered at once; value: anything */
	/* service to supervisor */
	MESSAGE_READY,          /* the handler is open, requests are served;
				 * value: enum io_choice, how it waits */
	MESSAGE_FAILED,         /* text: why this process cannot serve; it
				 * exits next */
	MESSAGE_BUSY,           /* too few spare workers (prefork scaling) */
	MESSAGE_RELEASED,       /* after DRAIN, once: it takes nothing more from
				 * its sockets */
	MESSAGE_PONG,           /* value: that of the PING */
	MESSAGE_DONE,           /* this process ends of its own accord (drained,
				 * or max_requests served); value: requests that
				 * the drain deadline cut short. An exit without
				 * it is a crash, whatever the status */
	/* supervisor to service */
	MESSAGE_SHED,           /* one of its requests was shed: end its wait */
	/* service to supervisor */
	MESSAGE_FULL,           /* somebody waits, and no process of the
				 * generation has a worker for him: answered by
				 * more processes, or by SHED to one of them.
				 * value: stats_ended() before it looked */
	MESSAGE_TYPES
};

#define CHANNEL_TEXT_SIZE 480

/* In the text of MESSAGE_DRAIN: nobody will serve this socket any more, so what
 * waits in its queue is taken before it is given up. Anything else, or nothing
 * for a socket: others go on with it and with what waits there. */
#define DRAIN_COLLECT '1'

/* In the value of MESSAGE_LOG. */
#define LOG_IS_JSON 1
#define LOG_HAS_ACCESS 2

struct message {
	uint32_t type;          /* enum message_type */
	uint32_t size;          /* sizeof(struct message): both ends agree */
	int64_t value;          /* not checked: the receiver clamps it */
	char text[CHANNEL_TEXT_SIZE];   /* NUL-terminated; unused bytes are 0 */
};

enum channel_side { CHANNEL_SUPERVISOR, CHANNEL_SERVICE };

/* Two ends, close-on-exec, owned by the caller. 0 or -errno. */
int channel_pair(int fds[2]);
/* 0, -EAGAIN (the other side does not read: dropped), -EPIPE, ... fd is -1 or
 * a descriptor to send along (it stays the caller's); text may be NULL and is
 * cut when it is too long. Never blocks. */
int channel_send(int channel, enum message_type type, int64_t value,
    const char *text, int fd);
/* 0 and a checked message, -EAGAIN none, -EPIPE the other side is gone,
 * -EPROTO not a message that the *other* side may send to `side`, the caller.
 * *fd is -1 or owned by the caller; it is there when, and only when, the type
 * asks for one: descriptors that come unasked are closed. */
int channel_receive(int channel, enum channel_side side,
    struct message *message, int *fd);
/* "READY"; "unknown" for what is no type. */
const char *message_name(enum message_type type);

#endif
