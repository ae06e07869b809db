/* SPDX-License-Identifier: ISC */
/* What a reload does with one listener: a function for each kind of change. */
#include "super/reload_item.h"

#include <stdio.h>

#include "base/log.h"
#include "super/super.h"
#include "super/tell.h"

static void
item_log(const struct plan_item *item)
{
	const struct log_fields fields = { .listener = item->name };
	char keys[512] = "";
	size_t i, len = 0;

	for (i = 0; i < item->change.count && len < sizeof(keys); i++)
		len += (size_t)snprintf(keys + len, sizeof(keys) - len, "%s%s",
		    i > 0 ? ", " : "", item->change.rows[i]->path);
	log_write(LOG_LEVEL_NOTICE, &fields, "reload: %s%s%s%s",
	    change_word(item->change.kind), len > 0 ? " (" : "", keys,
	    len > 0 ? ")" : "");
}

static void
item_begin(struct plan_item *item, struct held *held)
{
	struct listener *listener = item->listener;

	if (listener_begin(listener, held, item->conf, &item->sockets,
	    &item->why) < 0) {
		item->result = PLAN_FAILED;
		return;
	}
	item->generation = listener->last_number;
}

static void
item_add(struct plan_item *item, struct super *super, struct held *held)
{
	struct bound_list sockets;

	if (bound_list_copy(&sockets, &item->sockets) == 0)
		item->listener = listener_new(&super->env, held, item->conf,
		    &sockets);
	bound_list_clear(&sockets);
	if (item->listener == NULL ||
	    super_add_listener(super, item->listener) < 0) {
		listener_free(&item->listener);
		err_set(&item->why, "out of memory");
		item->result = PLAN_FAILED;
		return;
	}
	listener_log_addresses(item->listener);
	item_begin(item, held);
}

/* No new processes are needed, or there are none at the moment. */
static void
item_rebind(struct plan_item *item, struct held *held)
{
	struct listener *listener = item->listener;

	listener_rebind(listener, held, item->conf);
	if (listener->current != NULL)
		generation_rebind(listener->current, held, item->conf);
	if (listener->next != NULL)     /* of a restart */
		generation_rebind(listener->next, held, item->conf);
	if (listener->mode == LISTENER_HELD)
		listener_hold(listener, &item->sockets);
	if (item->result == PLAN_PENDING)
		item->result = PLAN_DONE;
}

static void
complain_of_socket(void *arg, const struct listener_conf *conf,
    const char *text)
{
	super_complain(arg, conf->name, text);
}

void
reload_item_do(struct plan_item *item, struct super *super, struct held *held)
{
	if (item->change.kind != CHANGE_KEEP)
		item_log(item);
	if (item->conf == NULL) {
		listener_stop(item->listener, LISTENER_LEAVING);
		super_sweep_later(super);
		item->result = PLAN_DONE;
		return;
	}
	if (item->change.kind == CHANGE_SOCKET)
		bound_list_apply(&item->sockets, item->conf,
		    complain_of_socket, super);
	if (item->change.kind == CHANGE_ADD)
		item_add(item, super, held);
	else if (plan_item_starts(item))
		item_begin(item, held);
	else
		item_rebind(item, held);
}

void
reload_item_judge(struct plan_item *item)
{
	switch (listener_fate(item->listener, item->generation)) {
	case LISTENER_PENDING:
		break;
	case LISTENER_DONE:
		item->result = PLAN_DONE;
		break;
	default:
		item->result = PLAN_FAILED;
		item->why = item->listener->complaint;
	}
}
