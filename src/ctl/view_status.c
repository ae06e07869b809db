/* SPDX-License-Identifier: ISC */
/* `status` and `top`: what there is to say of the daemon, and a table. */
#include <inttypes.h>

#include "ctl/rates.h"
#include "ctl/table.h"
#include "ctl/text.h"
#include "ctl/view.h"

static const struct column columns[] = {
	{ "NAME", COLUMN_TEXT }, { "ADDRESS", COLUMN_TEXT },
	{ "MODEL", COLUMN_TEXT }, { "HANDLER", COLUMN_TEXT },
	{ "STATE", COLUMN_STATE }, { "WORKERS", COLUMN_NUMBER },
	{ "NOW", COLUMN_NUMBER }, { "REQUESTS", COLUMN_NUMBER },
	{ "REFUSED", COLUMN_NUMBER }, { "ERRORS", COLUMN_NUMBER },
	{ "RESTARTS", COLUMN_NUMBER }, { "UPTIME", COLUMN_NUMBER },
	{ NULL, COLUMN_TEXT },
};

static const struct column columns_with_rate[] = {
	{ "NAME", COLUMN_TEXT }, { "ADDRESS", COLUMN_TEXT },
	{ "MODEL", COLUMN_TEXT }, { "HANDLER", COLUMN_TEXT },
	{ "STATE", COLUMN_STATE }, { "WORKERS", COLUMN_NUMBER },
	{ "NOW", COLUMN_NUMBER }, { "REQUESTS", COLUMN_NUMBER },
	{ "REQ/S", COLUMN_NUMBER },
	{ "REFUSED", COLUMN_NUMBER }, { "ERRORS", COLUMN_NUMBER },
	{ "RESTARTS", COLUMN_NUMBER }, { "UPTIME", COLUMN_NUMBER },
	{ NULL, COLUMN_TEXT },
};

static void
put_number(struct table *table, const json_t *listener, const char *key)
{
	table_cell(table, "%" PRId64, field_number(listener, key));
}

static void
put_rate(struct table *table, const struct rates *rates, const char *name)
{
	double rate = rates_of(rates, name);

	if (rate < 0)
		table_cell(table, "-");
	else
		table_cell(table, "%.1f", rate);
}

static void
put_more_addresses(struct table *table, const json_t *addresses)
{
	for (size_t i = 1; i < json_array_size(addresses); i++) {
		table_cell(table, "%s", "");
		table_cell(table, "%s", item_text(addresses, i));
		table_row_end(table);
	}
}

static void
put_listener(struct table *table, const json_t *listener,
    const struct rates *rates)
{
	const json_t *addresses = field_array(listener, "addresses");
	const char *name = field_text(listener, "name");
	char uptime[TEXT_SPAN_SIZE];

	table_cell(table, "%s", name);
	table_cell(table, "%s", item_text(addresses, 0));
	table_cell(table, "%s", field_text(listener, "concurrency"));
	table_cell(table, "%s", field_text(listener, "handler"));
	table_cell(table, "%s", field_text(listener, "state"));
	table_cell(table, "%zu",
	    json_array_size(field_array(listener, "workers")));
	put_number(table, listener, "active");
	put_number(table, listener, "requests");
	if (rates != NULL)
		put_rate(table, rates, name);
	table_cell(table, "%" PRId64, field_sum(listener, "refused"));
	put_number(table, listener, "errors");
	put_number(table, listener, "restarts");
	table_cell(table, "%s", text_span(uptime,
	    field_number(listener, "uptime_seconds"), TEXT_SPAN_SHORT));
	put_more_addresses(table, addresses);
}

static void
put_last_reload(struct view *view, const json_t *reload)
{
	char ago[TEXT_SPAN_SIZE];

	if (!json_is_object(reload) ||
	    json_is_true(json_object_get(reload, "ok")))
		return;
	view_printf(view, "the last reload, %s ago, failed: %s\n", text_span(ago,
	    field_number(reload, "seconds_ago"), TEXT_SPAN_LONG),
	    field_text(reload, "error"));
}

static void
put_header(struct view *view, const json_t *result)
{
	const json_t *reload = json_object_get(result, "last_reload");
	char span[TEXT_SPAN_SIZE], pid[FIELD_SIZE], number[FIELD_SIZE];

	view_printf(view, "socketserverd %s, pid %s, %s, up %s; ",
	    field_text(result, "version"), field_any(pid, result, "pid"),
	    field_text(result, "state"), text_span(span,
	    field_number(result, "uptime_seconds"), TEXT_SPAN_LONG));
	view_printf(view, "configuration %s",
	    field_any(number, result, "generation"));
	if (json_is_string(json_object_get(result, "config")))
		view_printf(view, " from %s", field_text(result, "config"));
	if (json_is_true(json_object_get(reload, "ok")))
		view_printf(view, ", reloaded %s ago", text_span(span,
		    field_number(reload, "seconds_ago"), TEXT_SPAN_LONG));
	view_printf(view, "\n");
	put_last_reload(view, reload);
	if (field_is_number(result, "confirm_seconds"))
		view_printf(view, "undone in %s unless confirmed "
		    "(socketserverctl confirm)\n", text_span(span,
		    field_number(result, "confirm_seconds"), TEXT_SPAN_LONG));
}

void
view_status(struct view *view, const json_t *result)
{
	const json_t *listeners = field_array(result, "listeners");
	struct table table;
	size_t i;

	table_init(&table, view->rates != NULL ? columns_with_rate : columns);
	for (i = 0; i < json_array_size(listeners); i++)
		put_listener(&table, json_array_get(listeners, i),
		    view->rates);
	put_header(view, result);
	(void)buf_puts(&view->out, "\n");
	table_print(&table, &view->out, view->is_colour);
	table_free(&table);
}
