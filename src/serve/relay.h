/* SPDX-License-Identifier: ISC */
#ifndef SERVE_RELAY_H
#define SERVE_RELAY_H

#include "net/transport.h"
#include "handler/host.h"

/*
 * Connections on their way from one process of a prefork pool to another: in a
 * pair of Unix sockets that all of them hold, and the supervisor too, so that
 * what is queued there outlives each of them. What a connection counts as
 * active goes with it. Main threads only.
 */
struct relay {
	int in, out;                    /* owned; -1 = none */
	struct host *host;              /* borrowed */
	const struct endpoint *endpoints;       /* borrowed: the same in all */
	size_t count;
};

/* Whoever takes next gets it. 0: the connection is closed here; -errno: it is
 * the caller's as before. */
int relay_send(struct relay *relay, struct arrival *arrival);
/* 0; -EAGAIN: nothing is there; -EBADMSG: something that is no connection. */
int relay_take(struct relay *relay, struct arrival *arrival);
/* How many are on their way. */
int64_t relay_count(const struct relay *relay);
void relay_close(struct relay *relay);

#endif
