/* SPDX-License-Identifier: ISC */
#include "ctl/table.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/text.h"

#define GREEN "\033[32m"
#define YELLOW "\033[33m"
#define RED "\033[31m"
#define PLAIN "\033[0m"

const char *
state_colour(const char *state, bool is_colour)
{
	if (!is_colour)
		return "";
	if (strcmp(state, "serving") == 0 || strcmp(state, "ready") == 0)
		return GREEN;
	return strcmp(state, "failed") == 0 ? RED : YELLOW;
}

const char *
state_colour_end(bool is_colour)
{
	return is_colour ? PLAIN : "";
}

void
table_init(struct table *table, const struct column *columns)
{
	*table = (struct table){ .columns = columns };
	while (columns[table->width].head != NULL)
		table->width++;
	arena_init(&table->arena, 0);
}

void
table_free(struct table *table)
{
	free(table->cells);
	arena_free(&table->arena);
	table_init(table, table->columns);
}

static bool
table_reserve(struct table *table)
{
	size_t room = table->room * 2 + 64;
	char **cells;

	if (table->count < table->room)
		return true;
	cells = reallocarray(table->cells, room, sizeof(*cells));
	if (cells == NULL)
		return false;
	table->cells = cells;
	table->room = room;
	return true;
}

static void
table_add(struct table *table, const struct buf *text)
{
	char *cell = text->failed || !table_reserve(table) ? NULL :
	    arena_strndup(&table->arena, text->len > 0 ? text->data : "",
	    text->len);

	if (cell == NULL)
		table->failed = true;
	else
		table->cells[table->count++] = cell;
}

void
table_cell(struct table *table, const char *format, ...)
{
	struct buf raw, text;
	va_list ap;

	buf_init(&raw, 0);
	buf_init(&text, 0);
	va_start(ap, format);
	(void)buf_vprintf(&raw, format, ap);
	va_end(ap);
	if (raw.len > 0)
		text_clean(&text, raw.data, raw.len);
	text.failed |= raw.failed;
	table_add(table, &text);
	buf_free(&text);
	buf_free(&raw);
}

void
table_row_end(struct table *table)
{
	while (!table->failed && table->count % table->width != 0)
		table_cell(table, "%s", "");
}

static size_t
column_width(const struct table *table, size_t column)
{
	size_t widest = text_width(table->columns[column].head), i;

	for (i = column; i < table->count; i += table->width) {
		size_t width = text_width(table->cells[i]);

		if (width > widest)
			widest = width;
	}
	return widest;
}

static void
put_spaces(struct buf *out, size_t count)
{
	while (count-- > 0)
		(void)buf_append(out, " ", 1);
}

static void
put_cell(struct buf *out, const struct column *column, const char *text,
    size_t width, bool is_colour)
{
	bool is_coloured = is_colour && column->kind == COLUMN_STATE &&
	    *text != '\0' && text != column->head;
	size_t gap = width - text_width(text);

	if (column->kind == COLUMN_NUMBER)
		put_spaces(out, gap);
	(void)buf_puts(out, state_colour(text, is_coloured));
	(void)buf_puts(out, text);
	(void)buf_puts(out, state_colour_end(is_coloured));
	if (column->kind != COLUMN_NUMBER)
		put_spaces(out, gap);
}

static void
trim_spaces(struct buf *out)
{
	while (out->len > 0 && out->data[out->len - 1] == ' ')
		out->data[--out->len] = '\0';
}

/* cells NULL: the heads. */
static void
put_row(const struct table *table, struct buf *out, char *const *cells,
    const size_t *widths, bool is_colour)
{
	for (size_t i = 0; i < table->width; i++) {
		const struct column *column = &table->columns[i];

		if (i > 0)
			put_spaces(out, 2);
		put_cell(out, column, cells != NULL ? cells[i] : column->head,
		    widths[i], is_colour);
	}
	trim_spaces(out);
	(void)buf_append(out, "\n", 1);
}

void
table_print(const struct table *table, struct buf *out, bool is_colour)
{
	size_t *widths = calloc(table->width, sizeof(*widths)), i;

	if (widths == NULL || table->failed) {
		out->failed = true;
		free(widths);
		return;
	}
	for (i = 0; i < table->width; i++)
		widths[i] = column_width(table, i);
	put_row(table, out, NULL, widths, is_colour);
	for (i = 0; i + table->width <= table->count; i += table->width)
		put_row(table, out, table->cells + i, widths, is_colour);
	free(widths);
}
