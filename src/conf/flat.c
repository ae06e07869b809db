/* SPDX-License-Identifier: ISC */
/*
 * The flat text, one value a line:
 *
 *     socketserverd-config 1
 *     @file "/etc/socketserverd/socketserverd.conf"
 *     module_path 1 "/usr/lib/socketserverd/handlers"
 *     ...                                     the other rows of the top level
 *     listeners 1
 *     @at "/etc/socketserverd/socketserverd.conf" 12
 *     name "echo"
 *     ...                                     the other rows of a listener
 *     addresses 1 "tcp://127.0.0.1:7007"
 *     handler_file "/usr/lib/socketserverd/handlers/echo.so"
 *     handler_digest "18344-cbf29ce484222325"
 *     handler_build_id "8f1c..."
 *     end
 *
 * Every line is there, in this order, so decoding is reading what must come
 * next. Lines that begin with @ tell where something stood.
 */
#include "conf/flat.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/row.h"

#define FLAT_HEAD "socketserverd-config 1\n"
#define FLAT_DEPTH_MAX 64

/* --- encoding --- */

static void
put_string(struct buf *out, const char *text)
{
	(void)buf_puts(out, " \"");
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < 0x20 || c == 0x7f || c == '"' || c == '\\')
			(void)buf_printf(out, "\\%02x", c);
		else
			(void)buf_append(out, text, 1);
	}
	(void)buf_puts(out, "\"");
}

static void
put_list(struct buf *out, const struct string_list *list)
{
	(void)buf_printf(out, " %zu", list->count);
	for (size_t i = 0; i < list->count; i++)
		put_string(out, list->items[i]);
}

static void
put_place(struct buf *out, const char *file, unsigned line)
{
	(void)buf_puts(out, "@at");
	put_string(out, file ? file : "");
	(void)buf_printf(out, " %u\n", line);
}

static const char *const flat_words[] = {
	[VALUE_BOOL] = "bool", [VALUE_INT] = "int", [VALUE_FLOAT] = "float",
	[VALUE_STRING] = "string", [VALUE_LIST] = "list",
	[VALUE_GROUP] = "group",
};

#define FLAT_WORDS (sizeof(flat_words) / sizeof(*flat_words))

/* "@at FILE LINE", "TYPE NAME PAYLOAD"; a list or a group's payload is the
 * number of its members, which follow. */
static void
put_value(struct buf *out, const struct value *value)
{
	size_t count = 0;

	put_place(out, value->file, value->line);
	(void)buf_puts(out, flat_words[value->type]);
	put_string(out, value->name ? value->name : "");
	switch (value->type) {
	case VALUE_BOOL:
	case VALUE_INT:
		(void)buf_printf(out, " %" PRId64 "\n", value->integer);
		return;
	case VALUE_FLOAT:
		(void)buf_printf(out, " %a\n", value->real);
		return;
	case VALUE_STRING:
		put_string(out, value->string);
		(void)buf_puts(out, "\n");
		return;
	case VALUE_LIST:
	case VALUE_GROUP:
		break;
	}
	for (const struct value *v = value->members; v; v = v->next)
		count++;
	(void)buf_printf(out, " %zu\n", count);
	for (const struct value *v = value->members; v; v = v->next)
		put_value(out, v);
}

static void
put_row(struct buf *out, const struct conf_row *row, void *base)
{
	(void)buf_puts(out, row->path);
	switch (row->type) {
	case ROW_BOOL:
		(void)buf_printf(out, " %d\n", *row_bool(row, base));
		return;
	case ROW_STRING:
		put_string(out, *row_string(row, base));
		break;
	case ROW_STRINGS:
	case ROW_STRING_OR_LIST:
		put_list(out, row_list(row, base));
		break;
	case ROW_OPTIONS:
		(void)buf_printf(out, " %d\n", *row_options(row, base) != NULL);
		if (*row_options(row, base))
			put_value(out, *row_options(row, base));
		return;
	default:
		(void)buf_printf(out, " %" PRId64, *row_number(row, base));
		break;
	}
	(void)buf_puts(out, "\n");
}

static void
put_rows(struct buf *out, const struct row_table *table, const void *base)
{
	for (size_t i = 0; i < table->count; i++)
		if (row_has_value(&table->rows[i]))
			put_row(out, &table->rows[i], (void *)(uintptr_t)base);
}

static void
put_top(struct buf *out, const struct config *config, size_t listeners)
{
	(void)buf_puts(out, FLAT_HEAD "@file");
	put_string(out, config->file ? config->file : "");
	(void)buf_puts(out, "\n");
	put_rows(out, &top_table, config);
	(void)buf_printf(out, "listeners %zu\n", listeners);
}

static void
put_listener(struct buf *out, const struct listener_conf *listener)
{
	put_place(out, listener->file, listener->line);
	put_rows(out, &listener_table, listener);
	(void)buf_puts(out, "addresses");
	put_list(out, &listener->addresses);
	(void)buf_puts(out, "\nhandler_file");
	put_string(out, listener->handler_file);
	(void)buf_puts(out, "\nhandler_digest");
	put_string(out, listener->handler_digest);
	(void)buf_puts(out, "\nhandler_build_id");
	put_string(out, listener->handler_build_id);
	(void)buf_puts(out, "\nend\n");
}

static int
encoded(const struct buf *out)
{
	return out->failed ? -ENOMEM : 0;
}

int
flat_encode_listener(struct buf *out, const struct config *config,
    const struct listener_conf *listener)
{
	put_top(out, config, 1);
	put_listener(out, listener);
	return encoded(out);
}

int
flat_encode(struct buf *out, const struct config *config)
{
	put_top(out, config, config->listener_count);
	for (size_t i = 0; i < config->listener_count; i++)
		put_listener(out, &config->listeners[i]);
	return encoded(out);
}

/* --- decoding --- */

struct decoder {
	const char *at, *end;
	struct arena *arena;
	const char *wanted;     /* what did not come; NULL = all is well */
	bool is_short;          /* of memory */
};

/* Stays at the first fault: everything after is refused. */
static bool
refuse(struct decoder *d, const char *wanted)
{
	if (!d->wanted)
		d->wanted = wanted;
	d->at = d->end;
	return false;
}

static bool
short_of_memory(struct decoder *d)
{
	d->is_short = true;
	return refuse(d, "memory");
}

static bool
take_text(struct decoder *d, const char *text)
{
	size_t len = strlen(text);

	if ((size_t)(d->end - d->at) < len || memcmp(d->at, text, len) != 0)
		return refuse(d, text);
	d->at += len;
	return true;
}

/* " -12" */
static bool
take_int(struct decoder *d, int64_t *number)
{
	uint64_t n = 0;
	bool is_negative;
	const char *first;

	if (!take_text(d, " "))
		return false;
	is_negative = d->at < d->end && *d->at == '-';
	d->at += is_negative;
	first = d->at;
	for (; d->at < d->end && *d->at >= '0' && *d->at <= '9'; d->at++)
		if (__builtin_mul_overflow(n, 10U, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(*d->at - '0'), &n))
			return refuse(d, "a number of 64 bits");
	if (d->at == first || n > (uint64_t)INT64_MAX + is_negative)
		return refuse(d, "a number of 64 bits");
	*number = (int64_t)(is_negative ? 0 - n : n);
	return true;
}

/* A count of things that take at least size bytes each in the text. */
static bool
take_count(struct decoder *d, size_t size, size_t *count)
{
	int64_t n;

	if (!take_int(d, &n))
		return false;
	if (n < 0 || (uint64_t)n > (size_t)(d->end - d->at) / size)
		return refuse(d, "a count that the text can hold");
	*count = (size_t)n;
	return true;
}

static int
hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ?
	    c - 'a' + 10 : -1;
}

/* " \"TEXT\"": unescaped it is never longer. */
static bool
take_string(struct decoder *d, const char **string)
{
	const char *close;
	char *out;
	size_t n = 0;

	if (!take_text(d, " \""))
		return false;
	close = memchr(d->at, '"', (size_t)(d->end - d->at));
	if (!close)
		return refuse(d, "the end of a string");
	out = arena_alloc(d->arena, (size_t)(close - d->at) + 1);
	if (!out)
		return short_of_memory(d);
	while (d->at < close) {
		char c = *d->at++;

		if (c == '\\') {
			int high = close - d->at >= 2 ?
			    hex_digit(d->at[0]) : -1;
			int low = high >= 0 ? hex_digit(d->at[1]) : -1;

			if (low < 0)
				return refuse(d, "two hexadecimal digits");
			c = (char)(high * 16 + low);
			d->at += 2;
		} else if ((unsigned char)c < 0x20) {
			return refuse(d, "an escaped control byte");
		}
		if (!c)
			return refuse(d, "a string without a zero byte");
		out[n++] = c;
	}
	d->at = close + 1;
	*string = out;
	return true;
}

static bool
take_list(struct decoder *d, struct string_list *list)
{
	size_t count;

	if (!take_count(d, 3, &count))
		return false;
	list->items = arena_alloc(d->arena, (count + 1) * sizeof(*list->items));
	if (!list->items)
		return short_of_memory(d);
	for (list->count = 0; list->count < count; list->count++)
		if (!take_string(d, &list->items[list->count]))
			return false;
	return true;
}

static bool
take_place(struct decoder *d, const char **file, unsigned *line)
{
	int64_t n;

	if (!take_text(d, "@at") || !take_string(d, file) || !take_int(d, &n))
		return false;
	if (n < 0 || n > INT_MAX)
		return refuse(d, "a line number");
	*line = (unsigned)n;
	return take_text(d, "\n");
}

/* "%a" as put_value() writes it: no more than this is a finite number. */
static bool
take_real(struct decoder *d, double *real)
{
	char text[40], *rest;
	size_t n = 0;

	if (!take_text(d, " "))
		return false;
	while (n < sizeof(text) - 1 && d->at + n < d->end && d->at[n] &&
	    strchr("0123456789abcdefx.+-p", d->at[n])) {
		text[n] = d->at[n];
		n++;
	}
	text[n] = '\0';
	*real = strtod(text, &rest);
	if (!n || *rest || *real - *real != 0)
		return refuse(d, "a finite number");
	d->at += n;
	return true;
}

static bool
take_type(struct decoder *d, enum value_type *type)
{
	for (unsigned i = 0; i < FLAT_WORDS; i++) {
		size_t len = strlen(flat_words[i]);

		if ((size_t)(d->end - d->at) <= len || d->at[len] != ' ' ||
		    memcmp(d->at, flat_words[i], len) != 0)
			continue;
		d->at += len;
		*type = (enum value_type)i;
		return true;
	}
	return refuse(d, "the type of a value");
}

static bool take_members(struct decoder *d, struct value *value,
    unsigned depth);

static bool
take_value(struct decoder *d, struct value *value, unsigned depth)
{
	const char *name;

	if (!take_place(d, &value->file, &value->line) ||
	    !take_type(d, &value->type) || !take_string(d, &name))
		return false;
	value->name = *name ? name : NULL;
	switch (value->type) {
	case VALUE_BOOL:
	case VALUE_INT:
		if (!take_int(d, &value->integer) || !take_text(d, "\n"))
			return false;
		if (value->type == VALUE_BOOL && (value->integer & ~1LL))
			return refuse(d, "0 or 1");
		return true;
	case VALUE_FLOAT:
		return take_real(d, &value->real) && take_text(d, "\n");
	case VALUE_STRING:
		return take_string(d, &value->string) && take_text(d, "\n");
	case VALUE_LIST:
	case VALUE_GROUP:
		break;
	}
	return take_members(d, value, depth);
}

static bool
take_members(struct decoder *d, struct value *value, unsigned depth)
{
	struct value **link = &value->members;
	size_t count;

	if (depth >= FLAT_DEPTH_MAX)
		return refuse(d, "a value that is nested less deep");
	if (!take_count(d, 8, &count) || !take_text(d, "\n"))
		return false;
	while (count--) {
		*link = arena_alloc(d->arena, sizeof(**link));
		if (!*link)
			return short_of_memory(d);
		if (!take_value(d, *link, depth + 1))
			return false;
		if (((*link)->name != NULL) != (value->type == VALUE_GROUP))
			return refuse(d, "a name for each member of a group");
		link = &(*link)->next;
	}
	return true;
}

static bool
take_options(struct decoder *d, struct value **options)
{
	int64_t has;

	*options = NULL;
	if (!take_int(d, &has) || !take_text(d, "\n"))
		return false;
	if (has != 0 && has != 1)
		return refuse(d, "0 or 1");
	if (!has)
		return true;
	*options = arena_alloc(d->arena, sizeof(**options));
	if (!*options)
		return short_of_memory(d);
	if (!take_value(d, *options, 0))
		return false;
	return (*options)->type == VALUE_GROUP || refuse(d, "a group");
}

static int64_t
count_choices(const struct conf_row *row)
{
	int64_t n = 0;

	while (row->choices[n])
		n++;
	return n;
}

/* What the check made of a number can be its default where that is outside the
 * range: "not set", or "keepalive, with the system's times". */
static bool
is_number_of(const struct conf_row *row, int64_t n)
{
	if (n == row->number)
		return true;
	if (row->type == ROW_CHOICE)
		return n >= 0 && n < count_choices(row);
	if (row->type == ROW_KEEPALIVE && n == 0)
		return true;
	return n >= row->min && n <= row->max;
}

static bool
take_number(struct decoder *d, const struct conf_row *row, void *base)
{
	int64_t n;

	if (!take_int(d, &n) || !take_text(d, "\n"))
		return false;
	if (!is_number_of(row, n))
		return refuse(d, row->path);
	*row_number(row, base) = n;
	return true;
}

static bool
take_bool(struct decoder *d, bool *value)
{
	int64_t n;

	if (!take_int(d, &n) || !take_text(d, "\n"))
		return false;
	if (n != 0 && n != 1)
		return refuse(d, "0 or 1");
	*value = n == 1;
	return true;
}

static bool
take_row(struct decoder *d, const struct conf_row *row, void *base)
{
	if (!take_text(d, row->path))
		return false;
	switch (row->type) {
	case ROW_BOOL:
		return take_bool(d, row_bool(row, base));
	case ROW_STRING:
		return take_string(d, row_string(row, base)) &&
		    take_text(d, "\n");
	case ROW_STRINGS:
	case ROW_STRING_OR_LIST:
		return take_list(d, row_list(row, base)) && take_text(d, "\n");
	case ROW_OPTIONS:
		return take_options(d, row_options(row, base));
	default:
		return take_number(d, row, base);
	}
}

static bool
take_rows(struct decoder *d, const struct row_table *table, void *base)
{
	for (size_t i = 0; i < table->count; i++)
		if (row_has_value(&table->rows[i]) &&
		    !take_row(d, &table->rows[i], base))
			return false;
	return true;
}

static bool
take_listener(struct decoder *d, struct listener_conf *listener)
{
	return take_place(d, &listener->file, &listener->line) &&
	    take_rows(d, &listener_table, listener) &&
	    take_text(d, "addresses") && take_list(d, &listener->addresses) &&
	    take_text(d, "\nhandler_file") &&
	    take_string(d, &listener->handler_file) &&
	    take_text(d, "\nhandler_digest") &&
	    take_string(d, &listener->handler_digest) &&
	    take_text(d, "\nhandler_build_id") &&
	    take_string(d, &listener->handler_build_id) &&
	    take_text(d, "\nend\n");
}

/* A listener is more than 500 bytes of text, and about as much in memory. */
static bool
take_listeners(struct decoder *d, struct config *config)
{
	size_t count;

	if (!take_text(d, "listeners") || !take_count(d, 500, &count) ||
	    !take_text(d, "\n"))
		return false;
	config->listeners = arena_alloc(d->arena,
	    count * sizeof(*config->listeners));
	if (!config->listeners)
		return short_of_memory(d);
	for (; config->listener_count < count; config->listener_count++)
		if (!take_listener(d,
		    &config->listeners[config->listener_count]))
			return false;
	return d->at == d->end || refuse(d, "the end of the text");
}

static bool
take_config(struct decoder *d, struct config *config)
{
	return take_text(d, FLAT_HEAD) && take_text(d, "@file") &&
	    take_string(d, &config->file) && take_text(d, "\n") &&
	    take_rows(d, &top_table, config) && take_listeners(d, config);
}

struct config *
flat_decode(const char *text, size_t len, struct err *err)
{
	struct config *config = config_new();
	struct decoder d = { .at = text, .end = text + len };

	if (!config) {
		err_set(err, "out of memory");
		return NULL;
	}
	d.arena = &config->arena;
	if (take_config(&d, config))
		return config;
	if (d.is_short)
		err_set(err, "out of memory");
	else
		err_set(err, "not a configuration in flat form: expected %.*s",
		    (int)strcspn(d.wanted, "\n"), d.wanted);
	config_free(&config);
	return NULL;
}
