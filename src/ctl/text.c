/* SPDX-License-Identifier: ISC */
#include "ctl/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "base/utf8.h"

static void
put_escaped(struct buf *out, char byte)
{
	(void)buf_printf(out, "\\x%02x", (unsigned)(uint8_t)byte);
}

void
text_clean(struct buf *out, const char *text, size_t len)
{
	while (len > 0) {
		size_t n = utf8_printable(text, len);

		if (n > 0)
			(void)buf_append(out, text, n);
		else
			put_escaped(out, *text);
		n += n == 0;
		text += n;
		len -= n;
	}
}

/* The character at the front of valid UTF-8, and its length. */
static uint32_t
decode(const char *text, size_t *len)
{
	const uint8_t first = (uint8_t)text[0];
	size_t n = first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	uint32_t c = n == 1 ? first : first & (0x7fU >> n);
	size_t i;

	for (i = 1; i < n && ((uint8_t)text[i] & 0xc0) == 0x80; i++)
		c = c << 6 | ((uint8_t)text[i] & 0x3f);
	*len = i;
	return c;
}

void
text_clean_json(struct buf *out, const char *text, size_t len)
{
	while (len > 0) {
		size_t n = *text == '\n' ? 1 : utf8_printable(text, len);
		uint32_t c;

		if (n > 0) {
			(void)buf_append(out, text, n);
		} else {
			c = decode(text, &n);
			(void)buf_printf(out, "\\u%04" PRIx32, c);
		}
		text += n;
		len -= n;
	}
}

/* The blocks of Unicode 15 (EastAsianWidth.txt: W and F; combining marks) that
 * names and messages are likely to have. */
static const struct width_row {
	uint32_t first, last;
	size_t width;
} widths[] = {
	{ 0x0300, 0x036f, 0 }, { 0x1100, 0x115f, 2 }, { 0x200b, 0x200f, 0 },
	{ 0x2e80, 0x303e, 2 }, { 0x3041, 0xa4cf, 2 }, { 0xac00, 0xd7a3, 2 },
	{ 0xf900, 0xfaff, 2 }, { 0xfe00, 0xfe0f, 0 }, { 0xfe30, 0xfe6f, 2 },
	{ 0xff00, 0xff60, 2 }, { 0xffe0, 0xffe6, 2 }, { 0x1f300, 0x1f64f, 2 },
	{ 0x1f900, 0x1f9ff, 2 }, { 0x20000, 0x3fffd, 2 },
};

static size_t
character_width(uint32_t c)
{
	for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++)
		if (c >= widths[i].first && c <= widths[i].last)
			return widths[i].width;
	return 1;
}

size_t
text_width(const char *text)
{
	size_t width = 0, len;

	while (*text != '\0') {
		width += character_width(decode(text, &len));
		text += len;
	}
	return width;
}

static void
put_shown(struct buf *out, const char *text, size_t len)
{
	while (len > 0) {
		size_t run = 0;

		while (run < len && text[run] != '\n' && text[run] != '\t')
			run++;
		text_clean(out, text, run > 0 && run < len &&
		    text[run] == '\n' && text[run - 1] == '\r' ? run - 1 : run);
		if (run < len)
			(void)buf_append(out, &text[run++], 1);
		text += run;
		len -= run;
	}
}

/* How much of it can be shown before the next piece is known. */
static size_t
whole_length(const char *text, size_t len)
{
	len = utf8_trim(text, len);
	return len > 0 && text[len - 1] == '\r' ? len - 1 : len;
}

void
text_stream_feed(struct text_stream *stream, struct buf *out, const char *data,
    size_t len)
{
	struct buf all;
	size_t whole;

	buf_init(&all, 0);
	(void)buf_append(&all, stream->held, stream->count);
	if (buf_append(&all, data, len) < 0) {
		out->failed = true;
	} else if (all.len > 0) {
		whole = whole_length(all.data, all.len);
		put_shown(out, all.data, whole);
		stream->count = all.len - whole;
		memcpy(stream->held, all.data + whole, stream->count);
	}
	buf_free(&all);
}

void
text_stream_end(struct text_stream *stream, struct buf *out)
{
	put_shown(out, stream->held, stream->count);
	stream->count = 0;
}

static const struct span_unit {
	int64_t seconds;
	const char *name, *letter;
} span_units[] = {
	{ 86400, "d", "d" }, { 3600, "h", "h" }, { 60, "min", "m" },
	{ 1, "s", "s" },
};
#define SPAN_UNITS (sizeof(span_units) / sizeof(span_units[0]))

static size_t
put_span(char text[TEXT_SPAN_SIZE], size_t at, int64_t count,
    const struct span_unit *unit, enum text_span form)
{
	int n = form == TEXT_SPAN_LONG ?
	    snprintf(text + at, TEXT_SPAN_SIZE - at, "%s%" PRId64 " %s",
	    at > 0 ? " " : "", count, unit->name) :
	    snprintf(text + at, TEXT_SPAN_SIZE - at, "%" PRId64 "%s", count,
	    unit->letter);

	return at + (size_t)n;
}

const char *
text_span(char text[TEXT_SPAN_SIZE], int64_t seconds, enum text_span form)
{
	const struct span_unit *unit = span_units;
	size_t at;

	if (seconds < 0)
		seconds = 0;
	while (unit->seconds > 1 && seconds < unit->seconds)
		unit++;
	at = put_span(text, 0, seconds / unit->seconds, unit, form);
	if (unit->seconds == 1)
		return text;
	seconds %= unit->seconds;
	unit++;
	if (seconds >= unit->seconds)
		(void)put_span(text, at, seconds / unit->seconds, unit, form);
	return text;
}

int
text_duration(const char *text, int64_t *ms)
{
	int r = duration_parse_plain(text, ms);

	return r == 0 && *ms < 1 ? -EINVAL : r;
}
