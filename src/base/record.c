/* SPDX-License-Identifier: ISC */
/*
 * Formatting without printf(3) and without locks: an access line is written
 * for every request, by any thread, and in a child that was forked while
 * another thread held whatever lock it liked (gmtime(3) takes one).
 *
 * Every field is cut at VALUE_MAX bytes, so the fixed part of a record is
 * below 3 KiB, and the message, which comes last, gets what is left. So there
 * is always room for a key and a number, and nobody has to look.
 */
#include "base/record.h"

#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/digits.h"
#include "base/utf8.h"

#define VALUE_MAX 200           /* bytes of one field's value, escaped */
#define TAIL 8                  /* kept free: "..." and what ends a record */
#define TIME_SECOND_LEN 19      /* 2026-11-21T09:40:00 */

enum style { STYLE_TEXT, STYLE_JSON, STYLE_JOURNAL, STYLES };

/* Of one size, which is copied whole: cheaper than the few bytes it has. */
struct piece {
	char text[28];
	uint32_t len;
};
#define PIECE(literal) { literal, sizeof(literal) - 1 }

enum key {
	KEY_TIME, KEY_LEVEL, KEY_LISTENER, KEY_GENERATION, KEY_WORKER, KEY_PEER,
	KEY_REQUEST, KEY_RESULT, KEY_REASON, KEY_BYTES_IN, KEY_BYTES_OUT,
	KEY_SECONDS, KEY_MESSAGE, KEY_NO_MESSAGE,
};

/* How a field begins: in logfmt, in JSON, in the journal. */
#define KEY(name, journal) \
	{ PIECE(" " name "="), PIECE(",\"" name "\":"), PIECE(journal "=") }
#define OURS(journal) "SOCKETSERVERD_" journal

static const struct piece keys[][STYLES] = {
	[KEY_TIME] = KEY("time", ""),           /* the journal has its own */
	[KEY_LEVEL] = KEY("level", "PRIORITY"),
	[KEY_LISTENER] = KEY("listener", OURS("LISTENER")),
	[KEY_GENERATION] = KEY("generation", OURS("GENERATION")),
	[KEY_WORKER] = KEY("worker", OURS("WORKER")),
	[KEY_PEER] = KEY("peer", OURS("PEER")),
	[KEY_REQUEST] = KEY("request", OURS("REQUEST")),
	[KEY_RESULT] = KEY("result", OURS("RESULT")),
	[KEY_REASON] = KEY("reason", OURS("REASON")),
	[KEY_BYTES_IN] = KEY("bytes_in", OURS("BYTES_IN")),
	[KEY_BYTES_OUT] = KEY("bytes_out", OURS("BYTES_OUT")),
	[KEY_SECONDS] = KEY("seconds", OURS("SECONDS")),
	[KEY_MESSAGE] = KEY("message", "MESSAGE"),
	/* an access line's: a field that is always the same */
	[KEY_NO_MESSAGE] = {
		PIECE(" message=\"request\""), PIECE(",\"message\":\"request\"")
	},
};

/* What a byte is, from bad to good: anything else is a control or part of a
 * longer character. */
enum { OTHER, QUOTE, SPACED, BARE };

static const uint8_t classes[256] = {
	[' ' ... '!'] = SPACED, ['"'] = QUOTE, ['#' ... '*'] = SPACED,
	['+'] = BARE, [','] = SPACED, ['-' ... ':'] = BARE, /* - . / 0-9 : */
	[';' ... '?'] = SPACED, ['@' ... 'Z'] = BARE, ['['] = SPACED,
	['\\'] = QUOTE, [']' ... '^'] = SPACED, ['_'] = BARE, ['`'] = SPACED,
	['a' ... 'z'] = BARE, ['{' ... '~'] = SPACED,
};

/*
 * What puts something takes where to put it, and returns where that ends.
 */

static char *
put_text(char *to, const char *text)
{
	return stpcpy(to, text);
}

static char *
put_key(char *to, enum style style, enum key key)
{
	const struct piece *piece = &keys[key][style];

	memcpy(to, piece->text, sizeof(piece->text));
	return to + piece->len;
}

/* A field is a line in the journal's protocol. */
static char *
end_field(char *to, enum style style)
{
	if (style == STYLE_JOURNAL)
		*to++ = '\n';
	return to;
}

/* How long a value is that needs no quotes; 0: it needs them. */
static size_t
bare_length(const char *value)
{
	size_t n = 0;

	while (classes[(uint8_t)value[n]] == BARE)
		n++;
	return value[n] == '\0' && n <= VALUE_MAX ? n : 0;
}

/* How many bytes at the front go out as they are. */
static size_t
plain_run(const char *text, size_t len, enum style style)
{
	const uint8_t least = style == STYLE_JOURNAL ? QUOTE : SPACED;
	size_t n = 0;

	while (n < len && classes[(uint8_t)text[n]] >= least)
		n++;
	return n;
}

static size_t
escape(char to[6], char c, enum style style)
{
	static const char hex[] = "0123456789abcdef";
	const uint8_t byte = (uint8_t)c;
	size_t n = 0;

	to[n++] = '\\';
	if (classes[byte] == QUOTE) {
		to[n++] = c;
		return n;
	}
	if (style == STYLE_JSON) {
		memcpy(to + n, "u00", 3);
		n += 3;
	} else {
		to[n++] = 'x';
	}
	to[n++] = hex[byte >> 4];
	to[n++] = hex[byte & 15];
	return n;
}

/* One character that is not plain, or one byte escaped. How much of the text
 * was taken; 0 when it does not fit before limit. */
static size_t
put_odd(char **to, const char *limit, enum style style, const char *text,
    size_t len)
{
	char escaped[6];
	size_t n = utf8_printable(text, len), taken = n ? n : 1;

	if (classes[(uint8_t)text[0]] == QUOTE || !n) {
		n = escape(escaped, text[0], style);
		text = escaped;
	}
	if (n > (size_t)(limit - *to))
		return 0;
	*to = mempcpy(*to, text, n);
	return taken;
}

/* Up to limit, and "..." where the text ends too early. */
static char *
put_escaped(char *to, const char *limit, enum style style, const char *text,
    size_t len, bool is_cut)
{
	while (len) {
		size_t n = plain_run(text, len, style);

		if (n > (size_t)(limit - to))
			n = (size_t)(limit - to);
		if (n)
			to = mempcpy(to, text, n);
		else
			n = put_odd(&to, limit, style, text, len);
		if (!n)
			break;
		text += n;
		len -= n;
	}
	return len || is_cut ? put_text(to, "...") : to;
}

static char *
put_quoted(char *to, const char *limit, enum style style, const char *text,
    size_t len, bool is_cut)
{
	*to++ = '"';
	to = put_escaped(to, limit, style, text, len, is_cut);
	*to++ = '"';
	return to;
}

/* A value that is not bare, or in another style than text. */
static char *
put_value(char *to, enum style style, const char *value)
{
	const size_t len = strnlen(value, VALUE_MAX + 1);

	if (style == STYLE_JOURNAL)
		return put_escaped(to, to + VALUE_MAX, style, value, len,
		    false);
	return put_quoted(to, to + 1 + VALUE_MAX, style, value, len, false);
}

/* A value that the daemon or a handler gave: NULL is left out. */
static char *
put_string(char *to, enum style style, enum key key, const char *value)
{
	size_t bare;

	if (!value)
		return to;
	to = put_key(to, style, key);
	if (style == STYLE_TEXT && (bare = bare_length(value)) > 0)
		return mempcpy(to, value, bare);
	return end_field(put_value(to, style, value), style);
}

static char *
put_number(char *to, enum style style, enum key key, uint64_t n)
{
	return end_field(digits_put(put_key(to, style, key), n), style);
}

static char *
put_seconds(char *to, enum style style, int64_t ns)
{
	const uint64_t us = ns > 0 ? (uint64_t)ns / 1000 : 0;

	to = digits_put(put_key(to, style, KEY_SECONDS), us / 1000000);
	*to++ = '.';
	return end_field(digits_put_6(to, (uint32_t)(us % 1000000)), style);
}

/* The civil date of a day since 1970-01-01. The year is counted from March, so
 * that the odd day of a leap year is its last. */
static char *
put_date(char *to, uint64_t day)
{
	const uint32_t since = (uint32_t)day + 719468;  /* since 0000-03-01 */
	const uint32_t era = since / 146097, of_era = since % 146097;
	const uint32_t year = (of_era - of_era / 1460 + of_era / 36524 -
	    of_era / 146096) / 365;
	const uint32_t of_year = of_era - (365 * year + year / 4 - year / 100);
	const uint32_t month = (5 * of_year + 2) / 153;         /* 0 = March */

	to = digits_put_4(to, era * 400 + year + (month >= 10));
	*to++ = '-';
	to = digits_put_2(to, month < 10 ? month + 3 : month - 9);
	*to++ = '-';
	return digits_put_2(to, of_year - (153 * month + 2) / 5 + 1);
}

static void
second_format(char text[TIME_SECOND_LEN], uint64_t second)
{
	const uint32_t of_day = (uint32_t)(second % 86400);
	char *to = put_date(text, second / 86400);

	*to++ = 'T';
	to = digits_put_2(to, of_day / 3600);
	*to++ = ':';
	to = digits_put_2(to, of_day / 60 % 60);
	*to++ = ':';
	(void)digits_put_2(to, of_day % 60);
}

/* The text of a second is made once a thread. */
static char *
put_time(char *to, enum style style, int64_t wall_ns)
{
	static _Thread_local char text[TIME_SECOND_LEN];
	static _Thread_local uint64_t cached = UINT64_MAX;
	const uint64_t ns = wall_ns > 0 ? (uint64_t)wall_ns : 0;
	const uint64_t second = ns / CLOCK_SECOND;

	if (second != cached) {
		second_format(text, second);
		cached = second;
	}
	to = put_key(to, style, KEY_TIME);
	if (style == STYLE_JSON)
		*to++ = '"';
	to = mempcpy(to, text, sizeof(text));
	*to++ = '.';
	to = digits_put_6(to,
	    (uint32_t)(ns - second * CLOCK_SECOND) / 1000);
	*to++ = 'Z';
	if (style == STYLE_JSON)
		*to++ = '"';
	return to;
}

/* What stays the same for whoever logs: kept as it was formatted last. */
static char *
put_head(char *to, enum style style, const struct log_fields *f,
    const char *level)
{
	struct log_head *head = f->head;
	const char *start = to;
	size_t len;

	if (head && head->len > 0 && head->level == level &&
	    head->worker == f->worker && head->style == (uint8_t)style)
		return mempcpy(to, head->text, head->len);
	to = put_string(to, style, KEY_LEVEL, level);
	to = put_string(to, style, KEY_LISTENER, f->listener);
	if (f->generation)
		to = put_number(to, style, KEY_GENERATION, f->generation);
	to = put_string(to, style, KEY_WORKER, f->worker);
	len = (size_t)(to - start);
	if (!head || len > sizeof(head->text))
		return to;
	head->level = level;
	head->worker = f->worker;
	head->style = (uint8_t)style;
	head->len = (uint8_t)len;
	memcpy(head->text, start, len);
	return to;
}

/* level: NULL where it is said elsewhere. */
static char *
put_fields(char *to, enum style style, const struct record *record,
    const char *level)
{
	static const struct log_fields none;
	const struct log_access *access = record->access;
	const struct log_fields *f = record->fields ? record->fields : &none;

	to = put_head(to, style, f, level);
	to = put_string(to, style, KEY_PEER, f->peer);
	if (f->request)
		to = put_number(to, style, KEY_REQUEST, f->request);
	if (access)
		to = put_string(to, style, KEY_RESULT, access->result);
	to = put_string(to, style, KEY_REASON, f->reason);
	if (!access)
		return to;
	to = put_number(to, style, KEY_BYTES_IN, access->bytes_in);
	to = put_number(to, style, KEY_BYTES_OUT, access->bytes_out);
	return put_seconds(to, style, access->duration_ns);
}

static char *
put_message(char *to, const char *end, enum style style,
    const struct record *record)
{
	if (!record->message)
		return put_key(to, style, KEY_NO_MESSAGE);
	to = put_key(to, style, KEY_MESSAGE);
	return put_quoted(to, end - TAIL, style, record->message,
	    record->message_len, record->is_cut);
}

/* Everything as one line of logfmt or JSON, without its newline; end is that of
 * the room. The line begins one byte behind `to` in logfmt: a separator comes
 * first. */
static char *
put_line(char *to, const char *end, enum style style,
    const struct record *record, bool is_timed)
{
	char *first = to;

	if (is_timed)
		to = put_time(to, style, record->wall_ns);
	to = put_fields(to, style, record,
	    is_timed ? log_level_word(record->level) : NULL);
	to = put_message(to, end, style, record);
	if (style != STYLE_JSON)
		return to;
	*first = '{';
	*to++ = '}';
	return to;
}

static unsigned
priority(enum log_level level)
{
	static const unsigned priorities[] = {
		[LOG_LEVEL_DEBUG] = LOG_DEBUG, [LOG_LEVEL_INFO] = LOG_INFO,
		[LOG_LEVEL_NOTICE] = LOG_NOTICE,
		[LOG_LEVEL_WARNING] = LOG_WARNING,
		[LOG_LEVEL_ERROR] = LOG_ERR,
	};

	return priorities[level];
}

/* In logfmt the first separator falls on scratch. */
static char *
put_stream(char *to, const char *end, enum style style,
    const struct record *record)
{
	to = put_line(to - (style == STYLE_TEXT), end, style, record, true);
	*to++ = '\n';
	return to;
}

/* No time in the header: it would be local time, whose rules sit behind a
 * lock. A syslog daemon takes the time of arrival instead. */
static char *
put_syslog(char *to, const char *end, enum style style,
    const struct record *record)
{
	*to++ = '<';
	to = digits_put(to, LOG_DAEMON | priority(record->level));
	to = put_text(to, ">socketserverd[");
	to = digits_put(to, (uint64_t)getpid());
	to = put_text(to, "]:");
	if (style == STYLE_JSON)
		*to++ = ' ';
	return put_line(to, end, style, record, false);
}

/* Fields of systemd.journal-fields(7), one a line: no value holds a newline.
 * MESSAGE is the line that other sinks get, without time and level. */
static char *
put_journal(char *to, const char *end, enum style style,
    const struct record *record)
{
	char *message;

	to = put_number(to, STYLE_JOURNAL, KEY_LEVEL,
	    priority(record->level));
	to = put_text(to, "SYSLOG_IDENTIFIER=socketserverd\n");
	to = put_fields(to, STYLE_JOURNAL, record, NULL);
	message = put_key(to, STYLE_JOURNAL, KEY_MESSAGE);
	to = put_line(message - (style == STYLE_TEXT), end, style, record,
	    false);
	message[-1] = '=';              /* the separator fell there */
	*to++ = '\n';
	return to;
}

size_t
record_format(char bytes[RECORD_MAX + 1], enum log_kind kind,
    enum log_format format, const struct record *record)
{
	const enum style style = format == LOG_FORMAT_JSON ? STYLE_JSON :
	    STYLE_TEXT;
	char *start = bytes + 1, *to;
	const char *end = start + RECORD_MAX;

	if (kind == LOG_KIND_JOURNAL)
		to = put_journal(start, end, style, record);
	else if (kind == LOG_KIND_SYSLOG)
		to = put_syslog(start, end, style, record);
	else
		to = put_stream(start, end, style, record);
	return (size_t)(to - start);
}

bool
record_is_line(const char *line, size_t len)
{
	if (len < 2 || len > RECORD_MAX || line[--len] != '\n')
		return false;
	while (len > 0) {
		const size_t n = utf8_printable(line, len);

		if (n == 0)
			return false;
		line += n;
		len -= n;
	}
	return true;
}
