/* SPDX-License-Identifier: ISC */
#ifndef CTL_TEXT_H
#define CTL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/*
 * Text of others on its way to a terminal. Whoever wrote it (a peer's name in
 * an answer, what a listener sends to `talk`) must not steer the terminal: what
 * utf8_printable() does not allow is shown as \xNN. Pure functions; out is the
 * caller's.
 */

/* All of text; nothing is left as it was but characters. */
void text_clean(struct buf *out, const char *text, size_t len);
/* JSON as json_dumps() writes it: newlines stay, what does not print becomes
 * \uNNNN. It stands within strings only, so the meaning is the same. */
void text_clean_json(struct buf *out, const char *text, size_t len);
/* Columns on a terminal: a wide character (CJK, emoji) takes two, a combining
 * one none. */
size_t text_width(const char *text);

/* A text that comes in pieces: newlines and tabs stay, a return before a
 * newline is left out, and a character that is cut between two pieces is held
 * back until its rest has come. Zeroed before its first use. */
struct text_stream {
	char held[4];
	size_t count;           /* bytes of held */
};
void text_stream_feed(struct text_stream *stream, struct buf *out,
    const char *data, size_t len);
void text_stream_end(struct text_stream *stream, struct buf *out);

#define TEXT_SPAN_SIZE 32
enum text_span { TEXT_SPAN_LONG, TEXT_SPAN_SHORT };
/* "3 h 2 min" or "3h2m": the two largest units. Returns text. */
const char *text_span(char text[TEXT_SPAN_SIZE], int64_t seconds,
    enum text_span form);
/* What reload --confirm-within takes: "60s", "5m", "1h", "1500ms" or plain
 * seconds. Milliseconds, at least 1; or -EINVAL, -ERANGE. */
int text_duration(const char *text, int64_t *ms);

#endif
