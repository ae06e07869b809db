/* SPDX-License-Identifier: ISC */
/* `show NAME`: all about one listener, a subject a line. */
#include <inttypes.h>

#include "ctl/table.h"
#include "ctl/text.h"
#include "ctl/view.h"

#define LABEL "%-13s"   /* the longest is "concurrency" */

static void
put_state(struct view *view, const json_t *listener)
{
	const char *state = field_text(listener, "state");
	char span[TEXT_SPAN_SIZE];

	view_printf(view, LABEL, "state");
	(void)buf_puts(&view->out, state_colour(state, view->is_colour));
	view_printf(view, "%s", state);
	(void)buf_puts(&view->out, state_colour_end(view->is_colour));
	view_printf(view, ", up %s, generation %" PRId64 "\n", text_span(span,
	    field_number(listener, "uptime_seconds"), TEXT_SPAN_LONG),
	    field_number(listener, "generation"));
	if (field_is_number(listener, "retry_seconds"))
		view_printf(view, LABEL "in %s\n", "next try", text_span(span,
		    field_number(listener, "retry_seconds"), TEXT_SPAN_LONG));
}

static void
put_addresses(struct view *view, const json_t *listener)
{
	const json_t *addresses = field_array(listener, "addresses");

	for (size_t i = 0; i < json_array_size(addresses); i++)
		view_printf(view, LABEL "%s\n", i == 0 ? "addresses" : "",
		    item_text(addresses, i));
}

static void
put_handler(struct view *view, const json_t *listener)
{
	view_printf(view, LABEL "%s", "handler",
	    field_text(listener, "handler"));
	if (json_is_string(json_object_get(listener, "handler_file")))
		view_printf(view, " (%s)",
		    field_text(listener, "handler_file"));
	view_printf(view, "\n");
	view_printf(view, LABEL "%s", "concurrency",
	    field_text(listener, "concurrency"));
	if (json_is_string(json_object_get(listener, "io")))
		view_printf(view, ", %s", field_text(listener, "io"));
	view_printf(view, "\n");
}

/* "rate 3, access 2" */
static void
put_counts(struct view *view, const char *label, json_t *counts)
{
	const char *name, *comma = "";
	json_t *count;

	if (json_object_size(counts) == 0)
		return;
	view_printf(view, LABEL, label);
	json_object_foreach(counts, name, count) {
		view_printf(view, "%s%s %" PRId64, comma, name,
		    field_number(counts, name));
		comma = ", ";
	}
	view_printf(view, "\n");
}

static void
put_traffic(struct view *view, const json_t *listener)
{
	view_printf(view, LABEL "%" PRId64 " now, %" PRId64 " in all, %" PRId64
	    " errors\n", "requests", field_number(listener, "active"),
	    field_number(listener, "requests"),
	    field_number(listener, "errors"));
	put_counts(view, "refused", json_object_get(listener, "refused"));
	view_printf(view, LABEL "%" PRId64 " accepted, %" PRId64 " bytes in, %"
	    PRId64 " bytes out\n", "traffic",
	    field_number(listener, "accepted"),
	    field_number(listener, "bytes_in"),
	    field_number(listener, "bytes_out"));
	if (field_number(listener, "datagrams_dropped") > 0)
		view_printf(view, LABEL "%" PRId64 " datagrams, by the kernel: "
		    "its queue was full (rcvbuf)\n", "dropped",
		    field_number(listener, "datagrams_dropped"));
	view_printf(view, LABEL "%" PRId64 "\n", "restarts",
	    field_number(listener, "restarts"));
}

static void
put_workers(struct view *view, const json_t *workers)
{
	char span[TEXT_SPAN_SIZE], pid[FIELD_SIZE];

	for (size_t i = 0; i < json_array_size(workers); i++) {
		const json_t *one = json_array_get(workers, i);

		view_printf(view, "  process %s, slot %" PRId64 ", %s for %s\n",
		    field_any(pid, one, "pid"), field_number(one, "slot"),
		    field_text(one, "state"), text_span(span,
		    field_number(one, "seconds"), TEXT_SPAN_LONG));
	}
}

static void
put_generations(struct view *view, const json_t *listener)
{
	const json_t *generations = field_array(listener, "generations");
	char span[TEXT_SPAN_SIZE];

	for (size_t i = 0; i < json_array_size(generations); i++) {
		const json_t *one = json_array_get(generations, i);

		view_printf(view, "generation %" PRId64 ": %s, up %s, active %"
		    PRId64 "\n", field_number(one, "number"),
		    field_text(one, "state"), text_span(span,
		    field_number(one, "uptime_seconds"), TEXT_SPAN_LONG),
		    field_number(one, "active"));
		put_workers(view, field_array(one, "workers"));
	}
}

static void
put_peers(struct view *view, const json_t *peers)
{
	if (json_array_size(peers) == 0)
		return;
	view_printf(view, "  it served ");
	for (size_t i = 0; i < json_array_size(peers); i++)
		view_printf(view, "%s%s", i > 0 ? ", " : "",
		    item_text(peers, i));
	view_printf(view, "\n");
}

static void
put_crash(struct view *view, const json_t *crash)
{
	char span[TEXT_SPAN_SIZE], pid[FIELD_SIZE];

	if (!json_is_object(crash))
		return;
	view_printf(view, "last crash: process %s %s, %s ago (%s)\n",
	    field_any(pid, crash, "worker"), field_text(crash, "how"),
	    text_span(span, field_number(crash, "seconds_ago"),
	    TEXT_SPAN_LONG), field_text(crash, "time"));
	view_printf(view, "  handler %s, build id %s, generation %" PRId64 "\n",
	    field_text(crash, "handler"), field_text(crash, "build_id"),
	    field_number(crash, "generation"));
	put_peers(view, field_array(crash, "peers"));
}

void
view_show(struct view *view, const json_t *result)
{
	view_printf(view, LABEL "%s\n", "listener", field_text(result, "name"));
	put_state(view, result);
	put_addresses(view, result);
	put_handler(view, result);
	put_traffic(view, result);
	put_counts(view, "counters", json_object_get(result, "counters"));
	put_generations(view, result);
	put_crash(view, json_object_get(result, "crash"));
}
