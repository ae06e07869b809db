/* SPDX-License-Identifier: ISC */
/*
 * bare.h - what the bare reference servers share
 *
 * A bare server is the smallest loop that does the job: no limits, no log,
 * no timeouts, no modules.  Its cost is the floor that socketserverd is
 * compared with.  Each concurrency model has a file of its own beside this
 * one; they differ in how a connection gets somebody to serve it, and in
 * nothing else.
 *
 * Usage of each: bare_NAME [-w WORKERS] [-g GREETING -r REPLY]
 * It binds a free port on 127.0.0.1 and prints the number: it is then ready.
 * Without -r it echoes; with -r it sends GREETING to each caller and answers
 * whatever it receives with REPLY.
 */
#ifndef BENCH_BARE_H
#define BENCH_BARE_H

#include <stddef.h>

struct bare {
	int fd;			/* the bound socket */
	unsigned workers;	/* size of a pool, 64 unless -w says so */
	const char *greeting;	/* borrowed from argv; NULL: none */
	const char *reply;	/* borrowed from argv; NULL: echo */
	size_t greeting_len;
	size_t reply_len;
};

/* Read the command line, bind a socket of @type and print its port. */
void bare_open(struct bare *bare, int argc, char **argv, int type);

/* Print what failed with errno's text and exit with status 1. */
_Noreturn void bare_fail(const char *what);

/* Accept one connection; waits, never fails. */
int bare_accept(const struct bare *bare);

/* Greet and answer on one descriptor until the peer ends; no close. */
void bare_talk(const struct bare *bare, int in, int out);

/* Talk on one connection and close it. */
void bare_serve(const struct bare *bare, int fd);

#endif
