/* SPDX-License-Identifier: ISC */
#ifndef SUPER_ANSWER_H
#define SUPER_ANSWER_H

#include <jansson.h>

#include "base/buf.h"
#include "control/wire.h"

/*
 * Answers of the control socket: control/wire.h. Supervisor only. Each fills
 * *out, which it initialises, with a whole line: the answer, or in its place
 * one that says why there is none. Out of memory for even that, out->data is
 * NULL.
 */
/* Takes result; NULL means that there was no memory for it. */
void answer_result(struct buf *out, json_t *result);
/* The same, with "left_out" beside the result unless it is 0. */
void answer_cut(struct buf *out, json_t *result, json_int_t left_out);
void answer_refuse(struct buf *out, enum wire_code code, const char *format,
    ...) __attribute__((format(printf, 3, 4)));

/* Code 1, with fault lines (NULL = none) and a result that is taken (NULL =
 * none). */
void answer_refuse_with(struct buf *out, const char *why, const char *faults,
    json_t *result);

/* A string from a handler, a peer or a file: JSON is UTF-8, and what does not
 * print is shown as \xNN. NULL out of memory. */
json_t *answer_text(const char *text);

#endif
