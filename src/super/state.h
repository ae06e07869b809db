/* SPDX-License-Identifier: ISC */
#ifndef SUPER_STATE_H
#define SUPER_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * Values as lines of text, for the program that takes over from this one. The
 * same calls write and read, so what one writes the other understands:
 *
 *     KEY NUMBER\n        KEY LENGTH BYTES\n        KEY -\n   (no text)
 *
 * The keys come in one order. Another key, a number that does not fit, the end
 * too early: the reading has failed, which sticks, and what is read from there
 * on is zero. Supervisor only.
 */
struct state {
	bool is_reading;
	struct buf text;        /* owned; what was written */
	const char *at, *end;   /* borrowed; what is still to be read */
	int *fds;               /* owned; each descriptor that stands in it */
	size_t fd_count;
	bool has_failed;
	struct err why;
};

void state_write(struct state *state);
void state_read(struct state *state, const char *text, size_t len);
/* All was read and understood: 0, or -EINVAL with *err. */
int state_end(struct state *state, struct err *err);
void state_free(struct state *state);
/* The first failure is the one that is told. */
void state_fail(struct state *state, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

int64_t state_number(struct state *state, const char *key, int64_t n);
/* Whatever type of number the field is; true and false are 1 and 0. */
#define STATE_NUMBER(state, key, field) do {                            \
	int64_t state_n = state_number(state, key, (int64_t)(field));   \
	(field) = (__typeof__(field))state_n;                           \
	if ((int64_t)(field) != state_n)                                \
		state_fail(state, "%s is out of range", key);           \
} while (0)
/* An enum or a count: 0 to max. */
#define STATE_BELOW(state, key, field, max) do {                        \
	STATE_NUMBER(state, key, field);                                \
	if ((uint64_t)(field) > (uint64_t)(max)) {                      \
		state_fail(state, "%s is out of range", key);           \
		(field) = 0;                                            \
	}                                                               \
} while (0)
/* An open descriptor, or -1. It goes by its number: the kernel hands it over,
 * and it is to be made inheritable before. */
void state_fd(struct state *state, const char *key, int *fd);
/* Owned by the caller, may be NULL; what is read takes its place. */
void state_text(struct state *state, const char *key, char **text);
/* The same with NULs in it, never NULL when read. */
void state_bytes(struct state *state, const char *key, char **data,
    size_t *len);
/* A string within an array of so many bytes. */
void state_chars(struct state *state, const char *key, char *chars,
    size_t size);

#endif
