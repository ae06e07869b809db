/* SPDX-License-Identifier: ISC */
/*
 * Formatting without printf(3) and without locks: an access line is written
 * for every request, by any thread, and in a child that was forked while
 * another thread held whatever lock it liked (gmtime(3) takes one).
 *
 * Every field is cut at VALUE_MAX bytes, so the fixed part of a record is
 * below 3 KiB, and the message, which comes last, gets what is left.
 */
#include "base/record.h"

#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/utf8.h"

#define VALUE_MAX 200           /* bytes of one field's value, escaped */
#define TAIL 8                  /* kept free: "..." and what ends a record */
#define TIME_SECOND_LEN 19      /* 2026-11-21T09:40:00 */

enum style { STYLE_TEXT, STYLE_JSON, STYLE_JOURNAL, STYLES };

struct out {
	char *at, *end;
	enum style style;
};

struct piece {
	const char *text;
	size_t len;
};
#define PIECE(literal) { literal, sizeof(literal) - 1 }

enum key {
	KEY_TIME, KEY_LEVEL, KEY_LISTENER, KEY_GENERATION, KEY_WORKER, KEY_PEER,
	KEY_REQUEST, KEY_RESULT, KEY_REASON, KEY_BYTES_IN, KEY_BYTES_OUT,
	KEY_SECONDS, KEY_MESSAGE,
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
};

/* What a byte is: anything else is a control or part of a longer character. */
enum { OTHER, BARE, SPACED, QUOTE };

static const uint8_t classes[256] = {
	[' ' ... '!'] = SPACED, ['"'] = QUOTE, ['#' ... '*'] = SPACED,
	['+'] = BARE, [','] = SPACED, ['-' ... ':'] = BARE, /* - . / 0-9 : */
	[';' ... '?'] = SPACED, ['@' ... 'Z'] = BARE, ['['] = SPACED,
	['\\'] = QUOTE, [']' ... '^'] = SPACED, ['_'] = BARE, ['`'] = SPACED,
	['a' ... 'z'] = BARE, ['{' ... '~'] = SPACED,
};

static void
put(struct out *out, const char *text, size_t len)
{
	if (len > (size_t)(out->end - out->at))
		len = (size_t)(out->end - out->at);
	memcpy(out->at, text, len);
	out->at += len;
}

static void
put_text(struct out *out, const char *text)
{
	put(out, text, strlen(text));
}

static void
put_key(struct out *out, enum key key)
{
	put(out, keys[key][out->style].text, keys[key][out->style].len);
}

/* A field is a line in the journal's protocol. */
static void
end_field(struct out *out)
{
	if (out->style == STYLE_JOURNAL)
		put(out, "\n", 1);
}

/* n in decimal with zeros in front up to `width`. */
static void
put_digits(struct out *out, uint64_t n, size_t width)
{
	char digits[20];
	size_t at = sizeof(digits);

	do
		digits[--at] = (char)('0' + n % 10);
	while ((n /= 10));
	while (sizeof(digits) - at < width)
		digits[--at] = '0';
	put(out, digits + at, sizeof(digits) - at);
}

static bool
is_bare(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (classes[(uint8_t)text[i]] != BARE)
			return false;
	return len > 0;
}

/* How many bytes at the front go out as they are. */
static size_t
plain_run(const char *text, size_t len, enum style style)
{
	size_t n = 0;

	while (n < len) {
		const uint8_t class = classes[(uint8_t)text[n]];

		if (class == OTHER ||
		    (class == QUOTE && style != STYLE_JOURNAL))
			break;
		n++;
	}
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
put_odd(struct out *out, const char *text, size_t len, const char *limit)
{
	char escaped[6];
	size_t n = utf8_printable(text, len), taken = n ? n : 1;

	if (classes[(uint8_t)text[0]] == QUOTE || !n) {
		n = escape(escaped, text[0], out->style);
		text = escaped;
	}
	if (n > (size_t)(limit - out->at))
		return 0;
	put(out, text, n);
	return taken;
}

/* At most max bytes, and "..." where they end too early. */
static void
put_escaped(struct out *out, const char *text, size_t len, size_t max,
    bool is_cut)
{
	const size_t room = (size_t)(out->end - out->at);
	const char *limit = out->at + (room - TAIL < max ? room - TAIL : max);

	while (len) {
		size_t n = plain_run(text, len, out->style);

		if (n > (size_t)(limit - out->at))
			n = (size_t)(limit - out->at);
		if (n)
			put(out, text, n);
		else
			n = put_odd(out, text, len, limit);
		if (!n)
			break;
		text += n;
		len -= n;
	}
	if (len || is_cut)
		put(out, "...", 3);
}

static void
put_quoted(struct out *out, const char *text, size_t len, size_t max,
    bool is_cut)
{
	put(out, "\"", 1);
	put_escaped(out, text, len, max, is_cut);
	put(out, "\"", 1);
}

/* A value that the daemon or a handler gave: NULL is left out. */
static void
put_string(struct out *out, enum key key, const char *value)
{
	size_t len;

	if (!value)
		return;
	len = strnlen(value, VALUE_MAX + 1);
	put_key(out, key);
	if (out->style == STYLE_JOURNAL)
		put_escaped(out, value, len, VALUE_MAX, false);
	else if (out->style == STYLE_TEXT && len <= VALUE_MAX &&
	    is_bare(value, len))
		put(out, value, len);
	else
		put_quoted(out, value, len, VALUE_MAX, false);
	end_field(out);
}

static void
put_number(struct out *out, enum key key, uint64_t n)
{
	put_key(out, key);
	put_digits(out, n, 1);
	end_field(out);
}

static void
put_seconds(struct out *out, int64_t ns)
{
	const uint64_t us = ns > 0 ? (uint64_t)ns / 1000 : 0;

	put_key(out, KEY_SECONDS);
	put_digits(out, us / 1000000, 1);
	put(out, ".", 1);
	put_digits(out, us % 1000000, 6);
	end_field(out);
}

/* The civil date of a day since 1970-01-01. The year is counted from March, so
 * that the odd day of a leap year is its last. */
static void
put_date(struct out *out, uint64_t day)
{
	const uint64_t since = day + 719468;    /* since 0000-03-01 */
	const uint64_t era = since / 146097, of_era = since % 146097;
	const uint64_t year = (of_era - of_era / 1460 + of_era / 36524 -
	    of_era / 146096) / 365;
	const uint64_t of_year = of_era - (365 * year + year / 4 - year / 100);
	const uint64_t month = (5 * of_year + 2) / 153;         /* 0 = March */

	put_digits(out, era * 400 + year + (month >= 10), 4);
	put(out, "-", 1);
	put_digits(out, month < 10 ? month + 3 : month - 9, 2);
	put(out, "-", 1);
	put_digits(out, of_year - (153 * month + 2) / 5 + 1, 2);
}

static void
second_format(char text[TIME_SECOND_LEN], uint64_t second)
{
	struct out out = { text, text + TIME_SECOND_LEN, STYLE_TEXT };
	const uint64_t of_day = second % 86400;

	put_date(&out, second / 86400);
	put(&out, "T", 1);
	put_digits(&out, of_day / 3600, 2);
	put(&out, ":", 1);
	put_digits(&out, of_day / 60 % 60, 2);
	put(&out, ":", 1);
	put_digits(&out, of_day % 60, 2);
}

/* The text of a second is made once a thread. */
static void
put_time(struct out *out, int64_t wall_ns)
{
	static _Thread_local char text[TIME_SECOND_LEN];
	static _Thread_local uint64_t cached = UINT64_MAX;
	const uint64_t ns = wall_ns > 0 ? (uint64_t)wall_ns : 0;
	const uint64_t second = ns / CLOCK_SECOND;

	if (second != cached) {
		second_format(text, second);
		cached = second;
	}
	put_key(out, KEY_TIME);
	put(out, "\"", out->style == STYLE_JSON);
	put(out, text, sizeof(text));
	put(out, ".", 1);
	put_digits(out, ns % CLOCK_SECOND / 1000, 6);
	put(out, "Z\"", out->style == STYLE_JSON ? 2 : 1);
}

static void
put_fields(struct out *out, const struct record *record)
{
	static const struct log_fields none;
	const struct log_access *access = record->access;
	const struct log_fields *f = record->fields ? record->fields : &none;

	put_string(out, KEY_LISTENER, f->listener);
	if (f->generation)
		put_number(out, KEY_GENERATION, f->generation);
	put_string(out, KEY_WORKER, f->worker);
	put_string(out, KEY_PEER, f->peer);
	if (f->request)
		put_number(out, KEY_REQUEST, f->request);
	if (access)
		put_string(out, KEY_RESULT, access->result);
	put_string(out, KEY_REASON, f->reason);
	if (!access)
		return;
	put_number(out, KEY_BYTES_IN, access->bytes_in);
	put_number(out, KEY_BYTES_OUT, access->bytes_out);
	put_seconds(out, access->duration_ns);
}

/* Everything as one line of logfmt or JSON, without its newline. The line
 * begins one byte behind out->at in logfmt: a separator comes first. */
static void
put_line(struct out *out, const struct record *record, bool is_timed)
{
	char *first = out->at;

	if (is_timed) {
		put_time(out, record->wall_ns);
		put_string(out, KEY_LEVEL, log_level_word(record->level));
	}
	put_fields(out, record);
	put_key(out, KEY_MESSAGE);
	put_quoted(out, record->message, record->message_len, RECORD_MAX,
	    record->is_cut);
	if (out->style != STYLE_JSON)
		return;
	*first = '{';
	put(out, "}", 1);
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

static void
put_stream(struct out *out, const struct record *record)
{
	if (out->style == STYLE_TEXT)
		out->at--;              /* the first separator: scratch */
	put_line(out, record, true);
	put(out, "\n", 1);
}

/* No time in the header: it would be local time, whose rules sit behind a
 * lock. A syslog daemon takes the time of arrival instead. */
static void
put_syslog(struct out *out, const struct record *record)
{
	put(out, "<", 1);
	put_digits(out, LOG_DAEMON | priority(record->level), 1);
	put_text(out, ">socketserverd[");
	put_digits(out, (uint64_t)getpid(), 1);
	put_text(out, "]:");
	if (out->style == STYLE_JSON)
		put(out, " ", 1);
	put_line(out, record, false);
}

/* Fields of systemd.journal-fields(7), one a line: no value holds a newline.
 * MESSAGE is the line that other sinks get, without time and level. */
static void
put_journal(struct out *out, const struct record *record)
{
	const enum style style = out->style;
	char *message;

	out->style = STYLE_JOURNAL;
	put_number(out, KEY_LEVEL, priority(record->level));
	put_text(out, "SYSLOG_IDENTIFIER=socketserverd\n");
	put_fields(out, record);
	put_key(out, KEY_MESSAGE);
	message = out->at;
	out->style = style;
	if (style == STYLE_TEXT)
		out->at--;
	put_line(out, record, false);
	message[-1] = '=';              /* the separator fell there */
	put(out, "\n", 1);
}

size_t
record_format(char bytes[RECORD_MAX + 1], enum log_kind kind,
    enum log_format format, const struct record *record)
{
	struct out out = {
		.at = bytes + 1, .end = bytes + 1 + RECORD_MAX,
		.style = format == LOG_FORMAT_JSON ? STYLE_JSON : STYLE_TEXT,
	};

	if (kind == LOG_KIND_JOURNAL)
		put_journal(&out, record);
	else if (kind == LOG_KIND_SYSLOG)
		put_syslog(&out, record);
	else
		put_stream(&out, record);
	return (size_t)(out.at - (bytes + 1));
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
