/* SPDX-License-Identifier: ISC */
#include "bench/talk.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define TABLE_BYTES 65536       /* of different messages, about */
#define MESSAGES_LEAST 8        /* different ones, however large they are */

static int
hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c == '\0' ? NULL :
	    strchr(digits, tolower((unsigned char)c));

	return at == NULL ? -1 : (int)(at - digits);
}

/* What stands behind a backslash; how many characters of it, 0 = nonsense. */
static size_t
escape_parse(const char *text, char *byte)
{
	static const char letters[] = "nrt0\\", bytes[] = "\n\r\t\0\\";
	const char *at = text[0] == '\0' ? NULL : strchr(letters, text[0]);
	int high, low;

	if (at != NULL) {
		*byte = bytes[at - letters];
		return 1;
	}
	if (text[0] != 'x')
		return 0;
	high = hex_digit(text[1]);
	low = high < 0 ? -1 : hex_digit(text[2]);
	if (low < 0)
		return 0;
	*byte = (char)(high << 4 | low);
	return 3;
}

char *
talk_unescape(const char *text, size_t *len, struct err *err)
{
	char *out = malloc(strlen(text) + 1);

	if (out == NULL) {
		(void)err_errno(err, ENOMEM, "\"%s\"", text);
		return NULL;
	}
	for (*len = 0; *text != '\0'; (*len)++) {
		size_t used = 1;

		if (*text == '\\')
			used = 1 + escape_parse(text + 1, &out[*len]);
		else
			out[*len] = *text;
		if (*text == '\\' && used == 1) {
			err_set(err, "\"%s\": a backslash stands before n, r, "
			    "t, 0, xNN or another one", text);
			free(out);
			return NULL;
		}
		text += used;
	}
	out[*len] = '\0';
	return out;
}

/* xorshift64: letters of both cases, a newline at the end of each message. */
static void
messages_fill(char *table, size_t size, size_t total)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz012345"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ6789-_";
	uint64_t seed = 0x9e3779b97f4a7c15;

	for (size_t i = 0; i < total; i++) {
		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		table[i] = letters[seed & 63];
	}
	for (size_t i = size; i <= total; i += size)
		table[i - 1] = '\n';
}

/* Each message in upper case without its newline. */
static void
upper_fill(struct talk *talk)
{
	char *to = talk->want;

	for (size_t i = 0; i < talk->say_total; i++)
		if ((i + 1) % talk->say_len != 0)
			*to++ = (char)toupper((unsigned char)talk->say[i]);
}

/* One text again and again, so that it is sent many at once. */
static int
text_repeat(const char *text, char **table, size_t *len, size_t *total,
    struct err *err)
{
	char *one = talk_unescape(text, len, err);

	if (one == NULL)
		return -EINVAL;
	if (*len == 0)
		err_set(err, "an empty text is no message");
	*total = *len * MESSAGES_LEAST;
	*table = *len > 0 ? malloc(*total) : NULL;
	for (int i = 0; i < MESSAGES_LEAST && *table != NULL; i++)
		memcpy(*table + (size_t)i * *len, one, *len);
	free(one);
	return *table == NULL ? -EINVAL : 0;
}

static int
messages_make(struct talk *talk, const struct talk_wish *wish, struct err *err)
{
	size_t count = TABLE_BYTES / wish->size;

	if (wish->line != NULL)
		return text_repeat(wish->line, &talk->say, &talk->say_len,
		    &talk->say_total, err);
	if (count < MESSAGES_LEAST)
		count = MESSAGES_LEAST;
	talk->say_len = wish->size;
	talk->say_total = count * wish->size;
	talk->say = malloc(talk->say_total);
	if (talk->say == NULL)
		return err_errno(err, ENOMEM, "messages");
	messages_fill(talk->say, talk->say_len, talk->say_total);
	return 0;
}

static int
answers_make(struct talk *talk, const struct talk_wish *wish, struct err *err)
{
	size_t without = wish->expect == TALK_UPPER ? 1 : 0;

	if (wish->reply != NULL)
		return text_repeat(wish->reply, &talk->want, &talk->want_len,
		    &talk->want_total, err);
	talk->want_len = talk->say_len - without;
	talk->want_total = talk->say_total / talk->say_len * talk->want_len;
	talk->want = malloc(talk->want_total + 1);
	if (talk->want == NULL)
		return err_errno(err, ENOMEM, "answers");
	if (wish->expect == TALK_UPPER)
		upper_fill(talk);
	else
		memcpy(talk->want, talk->say, talk->want_total);
	return 0;
}

static int
greeting_make(struct talk *talk, const struct talk_wish *wish, struct err *err)
{
	if (!wish->has_greeting)
		return 0;
	talk->is_greeting_only = wish->is_greeting_only;
	talk->greeting = talk_unescape(
	    wish->greeting != NULL ? wish->greeting : "", &talk->greeting_len,
	    err);
	return talk->greeting == NULL ? -EINVAL : 0;
}

int
talk_make(struct talk *talk, const struct talk_wish *wish, struct err *err)
{
	int r;

	*talk = (struct talk){ 0 };
	r = messages_make(talk, wish, err);
	if (r == 0)
		r = answers_make(talk, wish, err);
	if (r == 0)
		r = greeting_make(talk, wish, err);
	if (r < 0)
		talk_free(talk);
	return r;
}

void
talk_free(struct talk *talk)
{
	free(talk->say);
	free(talk->want);
	free(talk->greeting);
	*talk = (struct talk){ 0 };
}
