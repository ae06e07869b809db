/* SPDX-License-Identifier: ISC */
#include "super/change.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "super/answer.h"
#include "super/command.h"
#include "super/status.h"
#include "super/super.h"
#include "super/tell.h"

#define CONFIRM_MAX_MS (24LL * 3600 * 1000)

/* The answer to a reload */

static json_t *
make_keys(const struct change *change)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < change->count && list != NULL; i++)
		if (json_array_append_new(list,
		    json_string(change->rows[i]->path)) < 0) {
			json_decref(list);
			list = NULL;
		}
	return list;
}

static json_t *
make_item(const struct plan_item *item, bool was_done)
{
	json_t *object = json_pack("{s:o, s:s, s:o}", "name",
	    answer_text(item->name), "action", change_word(item->change.kind),
	    "keys", make_keys(&item->change));

	if (object == NULL || !was_done)
		return object;
	(void)json_object_set_new(object, "result",
	    json_string(plan_result_word(item->result)));
	if (item->result == PLAN_FAILED)
		(void)json_object_set_new(object, "error",
		    answer_text(item->why.text));
	return object;
}

static json_t *
make_plan(struct super *super, const struct reload *reload)
{
	const struct plan *plan = &reload->plan;
	bool was_done = reload->request.kind != RELOAD_PLAN;
	json_t *changes = json_array(), *result;
	size_t i;

	for (i = 0; i < plan->count; i++)
		(void)json_array_append_new(changes,
		    make_item(&plan->items[i], was_done));
	result = json_pack("{s:o, s:o}", "changes", changes, "settings",
	    make_keys(&plan->top));
	if (result != NULL && was_done)
		(void)json_object_set_new(result, "confirm_seconds",
		    status_confirm(super));
	return result;
}

void
change_answer_reload(struct super *super, const char *why)
{
	const struct reload *reload = &super->reload;
	uint64_t ticket = reload->request.ticket;
	json_t *result = NULL;

	/* Refused before there was a plan, or with nothing of it done. */
	if (why == NULL || reload->is_carried_out)
		result = make_plan(super, reload);
	if (why == NULL)
		command_answer(super, ticket, result);
	else
		command_refuse_with(super, ticket, why,
		    reload->faults.text.data, result);
}

/* Neither at the start nor at the end is anything changed; the client has been
 * told. */
static bool
is_serving(struct super *super, const struct control_request *request)
{
	if (super->phase == SUPER_SERVING)
		return true;
	command_refuse(super, request->ticket, WIRE_NO, "the daemon is %s",
	    super->phase == SUPER_STARTING ? "starting" : "stopping");
	return false;
}

/* Reloading */

static void
ask(struct super *super, const struct control_request *request,
    enum reload_kind kind, int64_t confirm_ms)
{
	const struct reload_request wanted = {
		.kind = kind, .ticket = request->ticket,
		.confirm_ms = confirm_ms,
	};

	if (!is_serving(super, request))
		return;
	if (super->options->address != NULL && kind != RELOAD_BACK)
		command_refuse(super, request->ticket, WIRE_NO, "the daemon "
		    "was started without a configuration file");
	else if (!reload_ask(&super->reload, &wanted))
		command_refuse(super, request->ticket, WIRE_NO, "too many "
		    "reloads wait; try again");
}

void
change_plan(struct super *super, const struct control_request *request)
{
	ask(super, request, RELOAD_PLAN, 0);
}

/* "confirm-within MILLISECONDS"; 0 or -EINVAL. */
static int
parse_confirm(const struct control_request *request, int64_t *ms)
{
	char *end;

	*ms = 0;
	if (request->count == 1)
		return 0;
	if (request->count != 3 ||
	    strcmp(request->words[1], "confirm-within") != 0)
		return -EINVAL;
	errno = 0;
	*ms = strtoll(request->words[2], &end, 10);
	return *end != '\0' || errno != 0 || *ms < 1 || *ms > CONFIRM_MAX_MS ?
	    -EINVAL : 0;
}

void
change_reload(struct super *super, const struct control_request *request)
{
	int64_t confirm_ms;

	if (parse_confirm(request, &confirm_ms) < 0)
		command_refuse(super, request->ticket, WIRE_USAGE, "usage: "
		    "reload [confirm-within MILLISECONDS], at most a day");
	else
		ask(super, request, RELOAD_APPLY, confirm_ms);
}

void
change_confirm(struct super *super, const struct control_request *request)
{
	if (reload_confirm(&super->reload))
		command_answer(super, request->ticket, json_object());
	else
		command_refuse(super, request->ticket, WIRE_NO, "no "
		    "configuration waits to be confirmed");
}

void
change_rollback(struct super *super, const struct control_request *request)
{
	ask(super, request, RELOAD_BACK, 0);
}

/* One listener */

/* The listener that is named, if it may be changed now. */
static struct listener *
changeable(struct super *super, const struct control_request *request)
{
	if (!is_serving(super, request))
		return NULL;
	if (super->reload.is_running) {
		command_refuse(super, request->ticket, WIRE_NO, "a reload is "
		    "running; try again when it has ended");
		return NULL;
	}
	return command_listener(super, request);
}

static void
rewrite_addresses(struct super *super)
{
	struct err err;

	if (super_write_addresses(super, &err) < 0)
		super_complain(super, NULL, err.text);
}

static void
begin(struct super *super, uint64_t ticket, struct listener *listener)
{
	struct err err;

	if (listener_begin(listener, listener->held, listener->conf,
	    &listener->sockets, &err) < 0) {
		command_refuse(super, ticket, WIRE_NO, "%s", err.text);
		return;
	}
	rewrite_addresses(super);
	wait_add(super, ticket, listener, listener->last_number);
}

static void
complain(void *arg, const struct listener_conf *conf, const char *text)
{
	(void)conf;
	err_set(arg, "%s", text);
}

/* The sockets of a listener that was stopped are opened again. */
static int
reopen(struct super *super, struct listener *listener, struct err *err)
{
	struct bound_list sockets, left = { 0 };
	const struct bound_source source = {
		.spare = &left, .inherit = &super->inherit,
		.store = &super->store, .complain = complain, .arg = err,
	};
	unsigned failures;

	listener_left_sockets(listener, &left);
	failures = bound_list_open(&sockets, listener->conf, &source);
	bound_list_clear(&left);
	if (failures == 0)
		listener_hold(listener, &sockets);
	bound_list_clear(&sockets);
	return failures > 0 ? -EADDRINUSE : 0;
}

static void
start_listener(struct super *super, uint64_t ticket, struct listener *listener)
{
	struct err err;

	if (listener->mode == LISTENER_STOPPED &&
	    reopen(super, listener, &err) < 0)
		command_refuse(super, ticket, WIRE_NO, "%s", err.text);
	else
		begin(super, ticket, listener);
}

void
change_start(struct super *super, const struct control_request *request)
{
	struct listener *listener = changeable(super, request);

	if (listener == NULL)
		return;
	if (listener->mode != LISTENER_WANTED)
		start_listener(super, request->ticket, listener);
	else
		wait_add(super, request->ticket, listener,
		    listener->current->number);
}

void
change_restart(struct super *super, const struct control_request *request)
{
	struct listener *listener = changeable(super, request);

	if (listener != NULL)
		start_listener(super, request->ticket, listener);
}

static void
end_listener(struct super *super, const struct control_request *request,
    enum listener_mode mode)
{
	struct listener *listener = changeable(super, request);

	if (listener == NULL)
		return;
	if (mode == LISTENER_HELD && listener->mode == LISTENER_STOPPED) {
		command_refuse(super, request->ticket, WIRE_NO, "listener "
		    "\"%s\" is stopped: it has nothing to drain",
		    listener->name);
		return;
	}
	listener_stop(listener, mode);
	super_sweep_later(super);
	rewrite_addresses(super);
	wait_add(super, request->ticket, listener, 0);
}

void
change_drain(struct super *super, const struct control_request *request)
{
	end_listener(super, request, LISTENER_HELD);
}

void
change_stop(struct super *super, const struct control_request *request)
{
	if (request->count > 1) {
		end_listener(super, request, LISTENER_STOPPED);
		return;
	}
	command_answer(super, request->ticket, json_pack("{s:s}", "state",
	    "stopping"));
	super_stop(super, "the command stop");
}
