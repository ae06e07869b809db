/* SPDX-License-Identifier: ISC */
#include "ctl/view.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/table.h"
#include "ctl/text.h"

void
view_init(struct view *view, bool is_colour)
{
	*view = (struct view){ .is_colour = is_colour };
	buf_init(&view->out, 0);
}

void
view_free(struct view *view)
{
	buf_free(&view->out);
}

void
view_printf(struct view *view, const char *format, ...)
{
	const bool is_line = format[strlen(format) - 1] == '\n';
	struct buf raw;
	va_list ap;

	buf_init(&raw, 0);
	va_start(ap, format);
	(void)buf_vprintf(&raw, format, ap);
	va_end(ap);
	if (raw.len > 0)
		text_clean(&view->out, raw.data, raw.len - is_line);
	if (is_line)
		(void)buf_append(&view->out, "\n", 1);
	view->out.failed |= raw.failed;
	buf_free(&raw);
}

void
view_json(struct view *view, const json_t *value, bool is_indented)
{
	size_t flags = JSON_ENCODE_ANY | (is_indented ? JSON_INDENT(2) : 0);
	json_t *null = json_null();
	char *text = json_dumps(value != NULL ? value : null, flags);

	if (text == NULL) {
		view->out.failed = true;
		return;
	}
	text_clean_json(&view->out, text, strlen(text));
	(void)buf_append(&view->out, "\n", 1);
	free(text);
}

const char *
field_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "-";
}

static int64_t
number_of(const json_t *value)
{
	double real = json_real_value(value);

	if (!json_is_real(value))
		return json_integer_value(value);
	if (real >= 9e18)
		return INT64_MAX;
	return real > -9e18 ? (int64_t)real : INT64_MIN;
}

int64_t
field_number(const json_t *object, const char *key)
{
	return number_of(json_object_get(object, key));
}

bool
field_is_number(const json_t *object, const char *key)
{
	return json_is_number(json_object_get(object, key));
}

const char *
field_any(char text[FIELD_SIZE], const json_t *object, const char *key)
{
	if (!field_is_number(object, key))
		return field_text(object, key);
	(void)snprintf(text, FIELD_SIZE, "%" PRId64, field_number(object, key));
	return text;
}

const json_t *
field_array(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return json_is_array(value) ? value : NULL;
}

const char *
item_text(const json_t *array, size_t index)
{
	const char *text = json_string_value(json_array_get(array, index));

	return text != NULL ? text : "-";
}

int64_t
field_sum(const json_t *object, const char *key)
{
	json_t *counts = json_object_get(object, key), *value;
	const char *name;
	int64_t sum = 0;

	json_object_foreach(counts, name, value)
		if (__builtin_add_overflow(sum, number_of(value), &sum))
			return INT64_MAX;
	return sum;
}

/* The short ones */

void
view_list(struct view *view, const json_t *result)
{
	static const struct column columns[] = {
		{ "NAME", COLUMN_TEXT }, { "STATE", COLUMN_STATE },
		{ "ADDRESS", COLUMN_TEXT }, { NULL, COLUMN_TEXT },
	};
	struct table table;
	size_t i, j;

	table_init(&table, columns);
	for (i = 0; i < json_array_size(result); i++) {
		const json_t *one = json_array_get(result, i),
		    *addresses = field_array(one, "addresses");

		table_cell(&table, "%s", field_text(one, "name"));
		table_cell(&table, "%s", field_text(one, "state"));
		table_cell(&table, "%s", item_text(addresses, 0));
		for (j = 1; j < json_array_size(addresses); j++) {
			table_cell(&table, "%s", "");
			table_cell(&table, "%s", "");
			table_cell(&table, "%s", item_text(addresses, j));
		}
	}
	table_print(&table, &view->out, view->is_colour);
	table_free(&table);
}

void
view_connections(struct view *view, const json_t *result)
{
	static const struct column columns[] = {
		{ "ID", COLUMN_NUMBER }, { "LISTENER", COLUMN_TEXT },
		{ "PEER", COLUMN_TEXT }, { "LOCAL", COLUMN_TEXT },
		{ "WORKER", COLUMN_TEXT }, { "AGE", COLUMN_NUMBER },
		{ "IN", COLUMN_NUMBER }, { "OUT", COLUMN_NUMBER },
		{ NULL, COLUMN_TEXT },
	};
	char age[TEXT_SPAN_SIZE], id[FIELD_SIZE];
	struct table table;
	size_t i;

	table_init(&table, columns);
	for (i = 0; i < json_array_size(result); i++) {
		const json_t *one = json_array_get(result, i);

		table_cell(&table, "%s", field_any(id, one, "id"));
		table_cell(&table, "%s", field_text(one, "listener"));
		table_cell(&table, "%s", field_text(one, "peer"));
		table_cell(&table, "%s", field_text(one, "local"));
		table_cell(&table, "%s", field_any(id, one, "worker"));
		table_cell(&table, "%s", text_span(age,
		    field_number(one, "seconds"), TEXT_SPAN_SHORT));
		table_cell(&table, "%" PRId64, field_number(one, "bytes_in"));
		table_cell(&table, "%" PRId64, field_number(one, "bytes_out"));
	}
	table_print(&table, &view->out, view->is_colour);
	table_free(&table);
}

void
view_health(struct view *view, const json_t *result)
{
	const char *health = field_text(result, "health");

	(void)buf_puts(&view->out, state_colour(health, view->is_colour));
	view_printf(view, "%s", health);
	(void)buf_puts(&view->out, state_colour_end(view->is_colour));
	view_printf(view, "\n");
}

void
view_state(struct view *view, const json_t *result)
{
	bool has_name = json_is_string(json_object_get(result, "name"));

	/* without a name: of the daemon itself */
	view_printf(view, "%s: %s\n",
	    has_name ? field_text(result, "name") : "socketserverd",
	    field_text(result, "state"));
}

void
view_kill(struct view *view, const json_t *result)
{
	char id[FIELD_SIZE];

	view_printf(view, "request %s: told to end\n",
	    field_any(id, result, "id"));
}

void
view_level(struct view *view, const json_t *result)
{
	view_printf(view, "the log's level is %s\n",
	    field_text(result, "level"));
}

void
view_version(struct view *view, const json_t *result)
{
	char pid[FIELD_SIZE];

	view_printf(view, "socketserverd %s, pid %s\n",
	    field_text(result, "version"), field_any(pid, result, "pid"));
}

void
view_nothing(struct view *view, const json_t *result)
{
	(void)result;
	view_printf(view, "the configuration stays\n");
}
