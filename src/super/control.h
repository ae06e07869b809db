/* SPDX-License-Identifier: ISC */
#ifndef SUPER_CONTROL_H
#define SUPER_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/loop.h"
#include "conf/config.h"
#include "control/wire.h"
#include "net/transport.h"

/*
 * The control socket: who connects, the lines that they send, the answers that
 * they take. Supervisor only. Nothing here waits for a client: what it sends
 * is read a line a turn of the loop, what it does not take is kept for a while.
 * What a command means is not known here.
 *
 *   FREE -> READING -> RUNNING -> ANSWERING -> READING ...
 *
 * A command has a ticket, a number that is never used again. Whoever runs it
 * keeps the ticket alone; an answer to a client that has left goes nowhere.
 */
struct control_request {
	uint64_t ticket;
	uid_t uid;              /* who asks */
	pid_t pid;
	bool may_change;        /* root, or the daemon's own user */
	unsigned count;         /* >= 1 */
	const char *words[WIRE_WORDS_MAX];      /* until the function returns */
};

/* Runs the command: answers before it returns, or later. */
typedef void control_run_fn(void *arg, const struct control_request *request);

enum control_state {
	CONTROL_FREE,
	CONTROL_READING,        /* the timer: idle, or a line that was begun */
	CONTROL_RUNNING,        /* no timer; only a hang-up is looked for */
	CONTROL_ANSWERING,      /* the timer: the answer must be taken */
};

struct control_client {
	struct control *control;        /* borrowed: its owner */
	enum control_state state;
	int fd;                         /* owned */
	uid_t uid;
	pid_t pid;
	bool may_change;
	bool is_last;                   /* hang up after the answer */
	uint64_t ticket;                /* of what it waits for; 0 = nothing */
	size_t line_len;                /* what has come of a line */
	char line[WIRE_REQUEST_MAX];
	struct buf answer;              /* owned; sent from `sent` on */
	size_t sent;
	struct watch watch;
	struct timer timer;
};

struct control {
	struct loop *loop;              /* borrowed */
	control_run_fn *run;
	void *arg;
	struct endpoint endpoint;       /* owned */
	bool is_shared;                 /* who can connect may read */
	int64_t idle_ms, deadline_ms;
	uint64_t last_ticket;
	struct watch watch;
	struct timer pause;             /* out of descriptors */
	struct control_client clients[WIRE_CLIENTS_MAX];
};

/* Listen on config->control.socket. 0, or -errno with a sentence that says what
 * to do; then nothing is left behind. */
int control_open(struct control **control, struct loop *loop,
    const struct config *config, control_run_fn *run, void *arg,
    struct err *err);
/* In a program that has taken over: an empty one, NULL out of memory; then, with
 * the fields that another left, its clients' timer.at among them (0 = it did
 * not run): 0 or -errno. */
struct control *control_revive(struct loop *loop, control_run_fn *run,
    void *arg);
int control_resume(struct control *control);
/* Hangs up on everybody and removes the socket's file. */
void control_close(struct control **control);
/* Takes the answer, a whole line; data NULL hangs up. */
void control_answer(struct control *control, uint64_t ticket,
    struct buf *answer);

#endif
