/* SPDX-License-Identifier: ISC */
/*
 * `plan`, `reload`, `rollback`: a line for each listener.
 *
 *     web: generation (workers, options)
 *     old: remove
 *     mail: socket (listen): failed: the port is in use
 *     top level: log.level
 */
#include <string.h>

#include "ctl/text.h"
#include "ctl/view.h"

static void
put_names(struct view *view, const json_t *names)
{
	for (size_t i = 0; i < json_array_size(names); i++)
		view_printf(view, "%s%s", i > 0 ? ", " : "",
		    item_text(names, i));
}

static void
put_outcome(struct view *view, const json_t *change, const char *action)
{
	const char *outcome = field_text(change, "result");

	if (strcmp(outcome, "failed") == 0)
		view_printf(view, ": failed: %s", field_text(change, "error"));
	else if (strcmp(outcome, "unchanged") == 0 &&
	    strcmp(action, "keep") != 0)
		view_printf(view, ": not done");
}

static void
put_change(struct view *view, const json_t *change)
{
	const char *action = field_text(change, "action");
	const json_t *keys = field_array(change, "keys");

	view_printf(view, "%s: %s", field_text(change, "name"), action);
	if (json_array_size(keys) > 0) {
		view_printf(view, " (");
		put_names(view, keys);
		view_printf(view, ")");
	}
	put_outcome(view, change, action);
	view_printf(view, "\n");
}

void
view_plan(struct view *view, const json_t *result)
{
	const json_t *changes = field_array(result, "changes"),
	    *settings = field_array(result, "settings");
	char span[TEXT_SPAN_SIZE];

	for (size_t i = 0; i < json_array_size(changes); i++)
		put_change(view, json_array_get(changes, i));
	if (json_array_size(settings) > 0) {
		view_printf(view, "top level: ");
		put_names(view, settings);
		view_printf(view, "\n");
	}
	if (field_is_number(result, "confirm_seconds"))
		view_printf(view, "undone in %s unless confirmed "
		    "(socketserverctl confirm)\n", text_span(span,
		    field_number(result, "confirm_seconds"), TEXT_SPAN_LONG));
}

bool
plan_has_changes(const json_t *result)
{
	const json_t *changes = field_array(result, "changes");

	for (size_t i = 0; i < json_array_size(changes); i++)
		if (strcmp(field_text(json_array_get(changes, i), "action"),
		    "keep") != 0)
			return true;
	return json_array_size(field_array(result, "settings")) > 0;
}
