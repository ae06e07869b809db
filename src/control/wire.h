/* SPDX-License-Identifier: ISC */
#ifndef CONTROL_WIRE_H
#define CONTROL_WIRE_H

/*
 * What goes over the control socket, a Unix stream socket. The client sends a
 * line of words with one space between them,
 *
 *     COMMAND [WORD...]\n
 *
 * and the daemon answers with one JSON object on a line,
 *
 *     {"ok": true, "result": ..., "left_out": N}
 *     {"ok": false, "code": N, "error": "...", "faults": ["..."], "result": ...}
 *
 * where code is what socketserverctl exits with; faults and result stand only
 * where there are any, left_out where a list is not whole. The next command may follow on the same
 * connection after the answer. The daemon hangs up on a line that is too long,
 * on a client that does not finish its line or read its answer in time, and
 * when it ends.
 */
#define WIRE_REQUEST_MAX 1024           /* bytes, the newline included */
#define WIRE_WORDS_MAX 8
#define WIRE_ANSWER_MAX (16 << 20)      /* bytes */
#define WIRE_CLIENTS_MAX 64
#define WIRE_DEADLINE_MS 5000           /* to finish a line, to take an answer */

/* `code` of an answer, and the exit status of socketserverctl. */
enum wire_code {
	WIRE_OK = 0,
	WIRE_NO = 1,            /* the daemon says no */
	WIRE_USAGE = 2,
	WIRE_SILENT = 3,        /* no daemon answers: the client's own */
	WIRE_DENIED = 4,        /* not permitted */
};

#endif
