/* SPDX-License-Identifier: ISC */
/*
 * The engine of the rows, outward: finding them, defaults, and printing a value
 * as a file holds it. How a value gets in is in assign.c.
 */
#include "conf/row.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"

bool
row_has_value(const struct conf_row *row)
{
	return row->type != ROW_GROUP && row->type != ROW_SECTION;
}

bool
row_applies(const struct conf_row *row, int64_t concurrency)
{
	return !row->models || (row->models >> concurrency & 1U);
}

bool
row_serves(const struct conf_row *row, unsigned sockets)
{
	return !row->sockets || (row->sockets & sockets);
}

static const struct {
	unsigned socket;
	const char *word;
} socket_words[] = {
	{ ROW_ON_TCP, "tcp:" },
	{ ROW_ON_UDP, "udp:" },
	{ ROW_ON_UNIX, "unix:" },
	{ ROW_ON_UNIXGRAM, "unixgram:" },
	{ ROW_ON_FD, "fd:" },
	{ ROW_ON_PATH, "a path (unix: or unixgram:)" },
};

#define SOCKET_WORDS (sizeof(socket_words) / sizeof(*socket_words))

static unsigned
socket_of(const char *listen)
{
	for (size_t i = 0; i < SOCKET_WORDS; i++) {
		unsigned socket = socket_words[i].socket;
		size_t len = strlen(socket_words[i].word);

		if (strncmp(listen, socket_words[i].word, len) != 0)
			continue;
		if ((socket & (ROW_ON_UNIX | ROW_ON_UNIXGRAM)) &&
		    listen[len] != '@')
			socket |= ROW_ON_PATH;
		return socket;
	}
	return 0;
}

unsigned
row_sockets(const struct listener_conf *listener)
{
	const struct string_list *list = &listener->listen;
	unsigned sockets = 0;

	for (size_t i = 0; i < list->count; i++)
		sockets |= socket_of(list->items[i]);
	return sockets;
}

void
row_list_sockets(const struct conf_row *row, const char *or, struct buf *out)
{
	const char *before = "";

	for (size_t i = 0; i < SOCKET_WORDS; i++) {
		if (!(row->sockets & socket_words[i].socket))
			continue;
		(void)buf_printf(out, "%s%s", before, socket_words[i].word);
		before = or;
	}
}

const struct conf_row *
row_find(const struct row_table *table, const char *path)
{
	for (size_t i = 0; i < table->count; i++)
		if (strcmp(table->rows[i].path, path) == 0)
			return &table->rows[i];
	return NULL;
}

const char *
row_key(const struct conf_row *row)
{
	const char *dot = strrchr(row->path, '.');

	return dot ? dot + 1 : row->path;
}

bool
row_is_in(const struct conf_row *row, const struct conf_row *group)
{
	size_t len = strlen(group->path);

	return strncmp(row->path, group->path, len) == 0 &&
	    row->path[len] == '.';
}

bool *
row_bool(const struct conf_row *row, void *base)
{
	return (bool *)((char *)base + row->offset);
}

int64_t *
row_number(const struct conf_row *row, void *base)
{
	return (int64_t *)(void *)((char *)base + row->offset);
}

const char **
row_string(const struct conf_row *row, void *base)
{
	return (const char **)(void *)((char *)base + row->offset);
}

struct string_list *
row_list(const struct conf_row *row, void *base)
{
	return (struct string_list *)(void *)((char *)base + row->offset);
}

struct value **
row_options(const struct conf_row *row, void *base)
{
	return (struct value **)(void *)((char *)base + row->offset);
}

/* The same for reading: the places that never write through it are below. */
static void *
readable(const void *base)
{
	return (void *)(uintptr_t)base;
}

static int
set_default_list(struct string_list *list, const char *text,
    struct arena *arena)
{
	list->items = NULL;
	list->count = 0;
	if (!text)
		return 0;
	list->items = arena_alloc(arena, sizeof(*list->items));
	if (!list->items)
		return -ENOMEM;
	list->items[0] = text;
	list->count = 1;
	return 0;
}

int
row_set_default(const struct conf_row *row, void *base, struct arena *arena)
{
	switch (row->type) {
	case ROW_GROUP:
	case ROW_SECTION:
		return 0;
	case ROW_BOOL:
		*row_bool(row, base) = row->number != 0;
		return 0;
	case ROW_STRING:
		*row_string(row, base) = row->text ? row->text : "";
		return 0;
	case ROW_STRINGS:
	case ROW_STRING_OR_LIST:
		return set_default_list(row_list(row, base), row->text, arena);
	case ROW_OPTIONS:
		*row_options(row, base) = NULL;
		return 0;
	default:
		*row_number(row, base) = row->number;
		return 0;
	}
}

int
rows_set_defaults(const struct row_table *table, void *base,
    struct arena *arena)
{
	int r = 0;

	for (size_t i = 0; i < table->count && !r; i++)
		r = row_set_default(&table->rows[i], base, arena);
	return r;
}

static bool
list_is_default(const struct string_list *list, const char *text)
{
	if (!text)
		return list->count == 0;
	return list->count == 1 && strcmp(list->items[0], text) == 0;
}

bool
row_is_default(const struct conf_row *row, const void *base)
{
	void *at = readable(base);

	switch (row->type) {
	case ROW_GROUP:
	case ROW_SECTION:
		return true;
	case ROW_BOOL:
		return *row_bool(row, at) == (row->number != 0);
	case ROW_STRING:
		return strcmp(*row_string(row, at),
		    row->text ? row->text : "") == 0;
	case ROW_STRINGS:
	case ROW_STRING_OR_LIST:
		return list_is_default(row_list(row, at), row->text);
	case ROW_OPTIONS:
		return *row_options(row, at) == NULL;
	default:
		return *row_number(row, at) == row->number;
	}
}

bool
string_list_is_equal(const struct string_list *a, const struct string_list *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->items[i], b->items[i]) != 0)
			return false;
	return true;
}

bool
row_is_equal(const struct conf_row *row, const void *a, const void *b)
{
	void *at = readable(a), *other = readable(b);

	switch (row->type) {
	case ROW_GROUP:
	case ROW_SECTION:
		return true;
	case ROW_BOOL:
		return *row_bool(row, at) == *row_bool(row, other);
	case ROW_STRING:
		return strcmp(*row_string(row, at),
		    *row_string(row, other)) == 0;
	case ROW_STRINGS:
	case ROW_STRING_OR_LIST:
		return string_list_is_equal(row_list(row, at),
		    row_list(row, other));
	case ROW_OPTIONS:
		return value_equals(*row_options(row, at),
		    *row_options(row, other));
	default:
		return *row_number(row, at) == *row_number(row, other);
	}
}

void
quote(struct buf *out, const char *text)
{
	(void)buf_puts(out, "\"");
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			(void)buf_printf(out, "\\%c", c);
		else if (c == '\n')
			(void)buf_puts(out, "\\n");
		else if (c == '\r')
			(void)buf_puts(out, "\\r");
		else if (c == '\t')
			(void)buf_puts(out, "\\t");
		else if (c < 0x20 || c == 0x7f)
			(void)buf_printf(out, "\\x%02x", c);
		else
			(void)buf_append(out, text, 1);
	}
	(void)buf_puts(out, "\"");
}

static void
format_list(const struct string_list *list, struct buf *out)
{
	(void)buf_puts(out, "[");
	for (size_t i = 0; i < list->count; i++) {
		(void)buf_puts(out, i ? ", " : " ");
		quote(out, list->items[i]);
	}
	(void)buf_puts(out, list->count ? " ]" : "]");
}

/* %.17g keeps every bit; libconfig wants a dot or an exponent in a float. */
static void
format_real(double real, struct buf *out)
{
	char text[40];

	(void)snprintf(text, sizeof(text), "%.17g", real);
	(void)buf_puts(out, text);
	if (!strpbrk(text, ".e"))
		(void)buf_puts(out, ".0");
}

static void
put_indent(struct buf *out, unsigned indent)
{
	while (indent--)
		(void)buf_puts(out, "\t");
}

static void format_value(const struct value *value, unsigned indent,
    struct buf *out);

static void
format_group(const struct value *group, unsigned indent, struct buf *out)
{
	if (!group->members) {
		(void)buf_puts(out, "{ }");
		return;
	}
	(void)buf_puts(out, "{\n");
	for (const struct value *v = group->members; v; v = v->next) {
		put_indent(out, indent + 1);
		(void)buf_printf(out, "%s = ", v->name);
		format_value(v, indent + 1, out);
		(void)buf_puts(out, ";\n");
	}
	put_indent(out, indent);
	(void)buf_puts(out, "}");
}

static void
format_members(const struct value *list, unsigned indent, struct buf *out)
{
	(void)buf_puts(out, "(");
	for (const struct value *v = list->members; v; v = v->next) {
		(void)buf_puts(out, " ");
		format_value(v, indent, out);
		(void)buf_puts(out, v->next ? "," : " ");
	}
	(void)buf_puts(out, ")");
}

static void
format_value(const struct value *value, unsigned indent, struct buf *out)
{
	switch (value->type) {
	case VALUE_BOOL:
		(void)buf_puts(out, value->integer ? "true" : "false");
		break;
	case VALUE_INT:
		integer_format(out, value->integer);
		break;
	case VALUE_FLOAT:
		format_real(value->real, out);
		break;
	case VALUE_STRING:
		quote(out, value->string);
		break;
	case VALUE_LIST:
		format_members(value, indent, out);
		break;
	case VALUE_GROUP:
		format_group(value, indent, out);
		break;
	}
}

static void
format_keepalive(int64_t number, struct buf *out)
{
	if (number > 0)
		integer_format(out, number);
	else
		(void)buf_puts(out, number ? "true" : "false");
}

static void
format_number(const struct conf_row *row, int64_t number, struct buf *out)
{
	switch (row->type) {
	case ROW_SIZE:
		size_format(out, number);
		break;
	case ROW_DURATION:
		duration_format(out, number);
		break;
	case ROW_KEEPALIVE:
		format_keepalive(number, out);
		break;
	case ROW_MODE:
		(void)buf_printf(out, "\"%04" PRIo64 "\"", (uint64_t)number);
		break;
	case ROW_CHOICE:
		quote(out, row->choices[number]);
		break;
	default:
		integer_format(out, number);
		break;
	}
}

void
row_format(const struct conf_row *row, const void *base, unsigned indent,
    struct buf *out)
{
	static const struct value empty = { .type = VALUE_GROUP };
	void *at = readable(base);
	const struct value *options;

	switch (row->type) {
	case ROW_GROUP:
	case ROW_SECTION:
		break;
	case ROW_BOOL:
		(void)buf_puts(out, *row_bool(row, at) ? "true" : "false");
		break;
	case ROW_STRING:
		quote(out, *row_string(row, at));
		break;
	case ROW_STRINGS:
	case ROW_STRING_OR_LIST:
		format_list(row_list(row, at), out);
		break;
	case ROW_OPTIONS:
		options = *row_options(row, at);
		format_value(options ? options : &empty, indent, out);
		break;
	default:
		format_number(row, *row_number(row, at), out);
		break;
	}
}

static void
allow_choices(const struct conf_row *row, struct buf *out)
{
	for (size_t i = 0; row->choices[i]; i++) {
		const char *before = !i ? "" : row->choices[i + 1] ?
		    ", " : " or ";

		(void)buf_printf(out, "%s\"%s\"", before, row->choices[i]);
	}
}

static void
allow_range(const struct conf_row *row, struct buf *out)
{
	(void)buf_puts(out, " from ");
	format_number(row, row->min, out);
	(void)buf_puts(out, " to ");
	format_number(row, row->max, out);
	if (row->unit)
		(void)buf_printf(out, " %s", row->unit);
}

static const char *const type_phrases[] = {
	[ROW_BOOL] = "true or false",
	[ROW_INT] = "a whole number",
	[ROW_SIZE] = "a number of bytes or a string such as \"64K\" \"16M\" "
	    "\"1G\",",
	[ROW_DURATION] = ("seconds (fractions allowed) or a string such as "
	    "\"250ms\" \"5s\" \"2m\" \"1h\","),
	[ROW_SECONDS] = "whole seconds or a string such as \"5s\" \"2m\" "
	    "\"1h\",",
	[ROW_KEEPALIVE] = "true, false, or whole seconds",
	[ROW_WORKERS] = "\"auto\" or a whole number",
	[ROW_MODE] = "a string of octal digits such as \"0660\"",
	[ROW_CHOICE] = "",
	[ROW_STRING] = "a string",
	[ROW_STRINGS] = "a list of strings such as [ \"a\", \"b\" ]",
	[ROW_STRING_OR_LIST] = "a string or a list of strings",
	[ROW_OPTIONS] = "a group { ... }",
	[ROW_GROUP] = "a group { ... }",
	[ROW_SECTION] = "a list of groups ( { ... }, ... )",
};

void
row_allowed(const struct conf_row *row, struct buf *out)
{
	(void)buf_puts(out, type_phrases[row->type]);
	switch (row->type) {
	case ROW_INT:
	case ROW_SIZE:
	case ROW_DURATION:
	case ROW_SECONDS:
	case ROW_KEEPALIVE:
	case ROW_WORKERS:
		allow_range(row, out);
		break;
	case ROW_CHOICE:
		allow_choices(row, out);
		break;
	default:
		break;
	}
}

#define SHOWN_MAX 60    /* bytes of a string that a fault repeats */

void
value_show(const struct value *value, struct buf *out)
{
	if (value->type == VALUE_LIST || value->type == VALUE_GROUP)
		(void)buf_puts(out, value_type_word(value->type));
	else if (value->type == VALUE_STRING &&
	    strlen(value->string) > SHOWN_MAX)
		(void)buf_printf(out, "\"%.*s...\"", SHOWN_MAX, value->string);
	else
		format_value(value, 0, out);
}
