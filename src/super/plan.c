/* SPDX-License-Identifier: ISC */
#include "super/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *
plan_result_word(enum plan_result result)
{
	static const char *const words[] = {
		[PLAN_PENDING] = "pending", [PLAN_DONE] = "done",
		[PLAN_FAILED] = "failed", [PLAN_UNCHANGED] = "unchanged",
	};

	return words[result];
}

static struct listener *
find_listener(struct listener *const *listeners, size_t count, const char *name)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (listeners[i]->mode != LISTENER_LEAVING &&
		    strcmp(listeners[i]->name, name) == 0)
			return listeners[i];
	return NULL;
}

/* conf NULL: it goes, since the new file does not name it or switches it
 * off. */
static int
plan_add(struct plan *plan, struct listener *listener,
    const struct listener_conf *conf)
{
	struct plan_item *item = &plan->items[plan->count];
	const struct listener_conf *off = conf != NULL ? NULL :
	    config_find(plan->held->config, listener->name);

	*item = (struct plan_item){ .listener = listener, .conf = conf };
	item->name = strdup(conf != NULL ? conf->name : listener->name);
	if (item->name == NULL)
		return -ENOMEM;
	diff_listener(listener != NULL ? listener->conf : NULL,
	    conf != NULL ? conf : off, &item->change);
	if (item->change.kind == CHANGE_KEEP)
		item->result = PLAN_UNCHANGED;
	plan->count++;
	return 0;
}

/* In the order of the new file; what it does not name any more comes last. */
static int
plan_fill(struct plan *plan, struct listener *const *listeners, size_t count)
{
	const struct config *config = plan->held->config;
	size_t i;
	int r = 0;

	for (i = 0; i < config->listener_count && r == 0; i++)
		if (config->listeners[i].is_enabled)
			r = plan_add(plan, find_listener(listeners, count,
			    config->listeners[i].name), &config->listeners[i]);
	for (i = 0; i < count && r == 0; i++)
		if (listeners[i]->mode != LISTENER_LEAVING &&
		    held_listener(plan->held, listeners[i]->name) == NULL)
			r = plan_add(plan, listeners[i], NULL);
	return r;
}

int
plan_make(struct plan *plan, struct listener *const *listeners, size_t count,
    const struct config *old, struct held *held)
{
	size_t most = held->config->listener_count + count;
	int r = -ENOMEM;

	*plan = (struct plan){ .held = held_get(held) };
	plan->items = calloc(most + 1, sizeof(*plan->items));
	if (plan->items != NULL)
		r = plan_fill(plan, listeners, count);
	diff_top(old, held->config, &plan->top);
	if (r < 0)
		plan_clear(plan);
	return r;
}

/* Sockets */

static bool
has_address(const struct listener_conf *conf, const char *address)
{
	size_t i;

	for (i = 0; conf != NULL && i < conf->addresses.count; i++)
		if (strcmp(conf->addresses.items[i], address) == 0)
			return true;
	return false;
}

/* The sockets that a listener does not keep, or that only its older generations
 * have: another one may take them over. Never bound a second time, they lose
 * nothing. */
static int
collect_spare(const struct plan *plan, struct listener *const *listeners,
    size_t count, struct bound_list *spare)
{
	size_t i, j;

	for (i = 0; i < count; i++)
		listener_left_sockets(listeners[i], spare);

	for (i = 0; i < plan->count; i++) {
		const struct plan_item *item = &plan->items[i];

		if (item->listener == NULL)
			continue;
		for (j = 0; j < item->listener->sockets.count; j++) {
			struct bound *one = item->listener->sockets.items[j];

			if (!has_address(item->conf, one->address) &&
			    !bound_list_has(spare, one) &&
			    bound_list_add(spare, one) < 0)
				return -ENOMEM;
		}
	}
	return 0;
}

static void
complain(void *arg, const struct listener_conf *conf, const char *text)
{
	fault_add(arg, conf->file, conf->line, conf->name, "listen", "%s",
	    text);
}

/* A listener that was stopped on request has no sockets until it is started. */
static bool
needs_sockets(const struct plan_item *item)
{
	return item->conf != NULL && (item->listener == NULL ||
	    item->listener->mode != LISTENER_STOPPED);
}

int
plan_open(struct plan *plan, struct listener *const *listeners, size_t count,
    struct inherit *inherit, struct store *store, struct faults *faults)
{
	struct bound_list spare = { 0 };
	struct bound_source source = {
		.spare = &spare, .inherit = inherit, .store = store,
		.complain = complain, .arg = faults,
	};
	unsigned failures = 0;
	size_t i;

	if (collect_spare(plan, listeners, count, &spare) < 0) {
		fault_add(faults, plan->held->config->file, 0, NULL, NULL,
		    "out of memory");
		failures = 1;
	}
	for (i = 0; i < plan->count; i++) {
		struct plan_item *item = &plan->items[i];

		if (!needs_sockets(item))
			continue;
		source.have = item->listener != NULL ?
		    &item->listener->sockets : NULL;
		failures += bound_list_open(&item->sockets, item->conf,
		    &source);
	}
	bound_list_clear(&spare);
	return failures > 0 ? -EADDRINUSE : 0;
}

bool
plan_item_starts(const struct plan_item *item)
{
	return item->change.kind == CHANGE_ADD ||
	    (item->conf != NULL && (item->change.needs_generation ||
	    item->change.is_moved) && item->listener->mode == LISTENER_WANTED);
}

void
plan_clear(struct plan *plan)
{
	size_t i;

	for (i = 0; i < plan->count; i++) {
		free(plan->items[i].name);
		bound_list_clear(&plan->items[i].sockets);
	}
	free(plan->items);
	held_put(&plan->held);
	*plan = (struct plan){ 0 };
}
