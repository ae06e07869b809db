/* SPDX-License-Identifier: ISC */
#ifndef CTL_CLIENT_H
#define CTL_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "control/wire.h"

/*
 * One connection to the daemon's control socket: a line out, a JSON object on a
 * line in (control/wire.h). What answers may be anything: too much, too
 * little, or no JSON is WIRE_SILENT with a sentence.
 */
#define CLIENT_CONNECT_MS 10000         /* to be taken from a full queue */
#define CLIENT_READ_MS 10000            /* to answer what only reads */

struct client {
	int fd;                 /* owned; -1 = none */
	const char *socket;     /* borrowed */
	struct buf in;          /* owned: what has come */
};

/* Every function: WIRE_OK, or WIRE_SILENT, WIRE_DENIED, WIRE_USAGE with *err.
 * What was opened or not is to be closed. */
enum wire_code client_open(struct client *client, const char *socket,
    struct err *err);
/* Send line (with its newline) and wait for the answer, owned by the caller;
 * timeout_ms 0 = as long as the connection lasts. */
enum wire_code client_ask(struct client *client, const struct buf *line,
    int timeout_ms, json_t **answer, struct err *err);
/* Wait until the daemon ends the connection. */
void client_wait_end(struct client *client);
void client_close(struct client *client);

/* The line of a command and its words. WIRE_USAGE: a word has a space or a
 * control byte in it, or there is too much. */
enum wire_code client_line(struct buf *line, const char *command,
    const char *const *words, size_t count, struct err *err);

#endif
