/* SPDX-License-Identifier: ISC */
#include "super/state.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_MAX 24           /* digits, a sign, the end */

void
state_write(struct state *state)
{
	*state = (struct state){ 0 };
	buf_init(&state->text, 0);
}

void
state_read(struct state *state, const char *text, size_t len)
{
	*state = (struct state){
		.is_reading = true, .at = text, .end = text + len,
	};
}

void
state_fail(struct state *state, const char *format, ...)
{
	va_list ap;

	if (state->has_failed)
		return;
	va_start(ap, format);
	(void)vsnprintf(state->why.text, sizeof(state->why.text), format, ap);
	va_end(ap);
	state->has_failed = true;
}

int
state_end(struct state *state, struct err *err)
{
	if (state->is_reading && state->at != state->end)
		state_fail(state, "there is more than is known here");
	if (state->text.failed)
		state_fail(state, "out of memory");
	if (!state->has_failed)
		return 0;
	err_set(err, "%s", state->why.text);
	return -EINVAL;
}

void
state_free(struct state *state)
{
	buf_free(&state->text);
	free(state->fds);
	state->fds = NULL;
	state->fd_count = 0;
}

/* Behind "KEY ", or NULL. */
static const char *
find_value(struct state *state, const char *key)
{
	size_t len = strlen(key);

	if (state->has_failed)
		return NULL;
	if ((size_t)(state->end - state->at) > len &&
	    memcmp(state->at, key, len) == 0 && state->at[len] == ' ')
		return state->at + len + 1;
	state_fail(state, "there is no %s where it should be", key);
	return NULL;
}

/* The digits up to `stop`; the place behind it, or NULL. */
static const char *
parse_number(struct state *state, const char *key, const char *at, char stop,
    int64_t *n)
{
	size_t left = (size_t)(state->end - at);
	const char *end = memchr(at, stop, left);
	char digits[NUMBER_MAX], *rest;

	if (end != NULL && end > at && end - at < NUMBER_MAX) {
		memcpy(digits, at, (size_t)(end - at));
		digits[end - at] = '\0';
		errno = 0;
		*n = strtoll(digits, &rest, 10);
		if (*rest == '\0' && errno == 0)
			return end + 1;
	}
	state_fail(state, "%s is no number", key);
	return NULL;
}

int64_t
state_number(struct state *state, const char *key, int64_t n)
{
	const char *at;

	if (!state->is_reading) {
		(void)buf_printf(&state->text, "%s %" PRId64 "\n", key, n);
		return n;
	}
	at = find_value(state, key);
	if (at != NULL)
		at = parse_number(state, key, at, '\n', &n);
	if (at == NULL)
		return 0;
	state->at = at;
	return n;
}

static void
note_fd(struct state *state, int fd)
{
	int *more = realloc(state->fds,
	    (state->fd_count + 1) * sizeof(*more));

	if (more == NULL) {
		state_fail(state, "out of memory");
		return;
	}
	state->fds = more;
	state->fds[state->fd_count++] = fd;
}

void
state_fd(struct state *state, const char *key, int *fd)
{
	*fd = (int)state_number(state, key, *fd);
	if (state->has_failed)
		*fd = -1;
	if (*fd < 0)
		return;
	if (fcntl(*fd, F_GETFD) >= 0) {
		note_fd(state, *fd);
		return;
	}
	state_fail(state, "%s: descriptor %d is not open", key, *fd);
	*fd = -1;
}

static void
put_bytes(struct state *state, const char *key, const char *data, size_t len)
{
	(void)buf_printf(&state->text, "%s %zu ", key, len);
	(void)buf_append(&state->text, data, len);
	(void)buf_append(&state->text, "\n", 1);
}

/* NULL, or len bytes within the text. */
static const char *
take_bytes(struct state *state, const char *key, size_t *len)
{
	const char *at = find_value(state, key);
	int64_t n = 0;

	if (at != NULL)
		at = parse_number(state, key, at, ' ', &n);
	if (at == NULL)
		return NULL;
	if (n < 0 || n >= state->end - at || at[n] != '\n') {
		state_fail(state, "%s is cut", key);
		return NULL;
	}
	*len = (size_t)n;
	state->at = at + n + 1;
	return at;
}

/* "KEY -" */
static bool
take_nothing(struct state *state, const char *key)
{
	const char *at = find_value(state, key);

	if (at == NULL || state->end - at < 2 || memcmp(at, "-\n", 2) != 0)
		return false;
	state->at = at + 2;
	return true;
}

void
state_bytes(struct state *state, const char *key, char **data, size_t *len)
{
	const char *at;

	if (!state->is_reading) {
		put_bytes(state, key, *data != NULL ? *data : "", *len);
		return;
	}
	*data = NULL;
	*len = 0;
	at = take_bytes(state, key, len);
	if (at == NULL)
		return;
	*data = malloc(*len + 1);
	if (*data == NULL) {
		*len = 0;
		state_fail(state, "out of memory");
		return;
	}
	memcpy(*data, at, *len);
	(*data)[*len] = '\0';
}

void
state_text(struct state *state, const char *key, char **text)
{
	size_t len = *text != NULL && !state->is_reading ? strlen(*text) : 0;

	if (!state->is_reading && *text == NULL) {
		(void)buf_printf(&state->text, "%s -\n", key);
		return;
	}
	if (state->is_reading) {
		*text = NULL;
		if (take_nothing(state, key))
			return;
	}
	state_bytes(state, key, text, &len);
	if (*text != NULL && strlen(*text) != len)
		state_fail(state, "%s is no text", key);
}

void
state_chars(struct state *state, const char *key, char *chars, size_t size)
{
	const char *at;
	size_t len = 0;

	if (!state->is_reading) {
		put_bytes(state, key, chars, strlen(chars));
		return;
	}
	chars[0] = '\0';
	at = take_bytes(state, key, &len);
	if (at == NULL)
		return;
	if (len >= size || memchr(at, '\0', len) != NULL) {
		state_fail(state, "%s is too long", key);
		return;
	}
	memcpy(chars, at, len);
	chars[len] = '\0';
}
