/* SPDX-License-Identifier: ISC */
#ifndef SERVE_LOBBY_H
#define SERVE_LOBBY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "handler/host.h"
#include "net/transport.h"

/*
 * Connections that were admitted and have not said a word: they wait in the
 * main thread's loop, and hold no worker. When the first bytes are there, or
 * the end, or an error, ready() gets them; past `timeout` or `session_timeout`,
 * from when they came, they are ended here. Each counts as active and, as far
 * as there are seats, can be seen and killed like any request.
 */
struct lobby;

/* ready(): main thread; takes the connection over. first_seat: of the process's
 * seats, those from there on are the lobby's. NULL: no memory. */
struct lobby *lobby_new(struct loop *loop, struct host *host,
    unsigned first_seat, void (*ready)(void *arg, struct arrival *arrival),
    void *arg);
/* Where more wait than `max`, in all processes of the listener, the one that
 * waits longest goes to shed(). Without it whoever adds looks for room. */
void lobby_limit(struct lobby *lobby, int64_t max,
    void (*shed)(void *arg, struct arrival *arrival));
/* Any thread: takes the connection over. 0; -ECANCELED: it is closed; -ENOMEM. */
int lobby_add(struct lobby *lobby, const struct arrival *arrival);
/* Main thread, like all that follow. Does the request with this id wait here?
 * Then end it. */
bool lobby_kill(struct lobby *lobby, uint64_t id);
/* The one that waits longest, out of turn; false: nobody waits. */
bool lobby_pop(struct lobby *lobby, struct arrival *arrival);
/* Nobody waits, and from now on nobody may: false = somebody does. */
bool lobby_close(struct lobby *lobby);
void lobby_free(struct lobby **lobby);

#endif
