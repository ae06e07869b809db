/* SPDX-License-Identifier: ISC */
/* The listening sockets that the supervisor holds, and who else holds them. */
#include "super/bound.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"

#define HANDED_OVER "fd:"

static bool
is_handed_over(const char *address)
{
	return strncmp(address, HANDED_OVER, strlen(HANDED_OVER)) == 0;
}

static struct bound *
bound_new(const char *address)
{
	struct bound *bound = calloc(1, sizeof(*bound));

	if (bound == NULL)
		return NULL;
	bound->endpoint.fd = bound->endpoint.lock_fd = -1;
	bound->address = strdup(address);
	if (bound->address == NULL) {
		free(bound);
		return NULL;
	}
	return bound;
}

static void
bound_put(struct bound *bound)
{
	if (bound->holders > 0 && --bound->holders > 0)
		return;
	if (bound->store != NULL)
		store_drop(bound->store, &bound->endpoint);
	if (bound->inherit != NULL) {
		inherit_return(bound->inherit, bound->address +
		    strlen(HANDED_OVER), bound->endpoint.fd);
		bound->endpoint.fd = -1;
	}
	endpoint_close(&bound->endpoint);
	free(bound->address);
	free(bound);
}

int
bound_list_add(struct bound_list *list, struct bound *bound)
{
	struct bound **more = realloc(list->items,
	    (list->count + 1) * sizeof(*more));

	if (more == NULL)
		return -ENOMEM;
	list->items = more;
	list->items[list->count++] = bound;
	bound->holders++;
	return 0;
}

int
bound_list_copy(struct bound_list *to, const struct bound_list *from)
{
	size_t i;

	*to = (struct bound_list){ 0 };
	for (i = 0; i < from->count; i++)
		if (bound_list_add(to, from->items[i]) < 0) {
			bound_list_clear(to);
			return -ENOMEM;
		}
	return 0;
}

void
bound_list_clear(struct bound_list *list)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		bound_put(list->items[i]);
	free(list->items);
	*list = (struct bound_list){ 0 };
}

void
bound_list_leave(struct bound_list *list)
{
	size_t i, kept = 0;

	for (i = 0; i < list->count; i++) {
		struct bound *bound = list->items[i];

		if (bound->endpoint.transport == &udp_transport &&
		    bound->holders == 1)
			list->items[kept++] = bound;
		else
			bound_put(bound);
	}
	list->count = kept;
}

bool
bound_list_has(const struct bound_list *list, const struct bound *bound)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		if (list->items[i] == bound)
			return true;
	return false;
}

bool
bound_list_is_shared(const struct bound_list *list)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		if (list->items[i]->is_shared)
			return true;
	return false;
}

static bool
has_same_address(const struct bound *a, const struct bound *b)
{
	return a->endpoint.transport == b->endpoint.transport &&
	    strcmp(a->endpoint.address, b->endpoint.address) == 0;
}

bool
bound_list_is_first(const struct bound_list *list, size_t i)
{
	return i == 0 ||
	    !has_same_address(list->items[i - 1], list->items[i]);
}

/* Of port 0 also by the port that was chosen: with reuse_port that address would
 * be bound a second time, beside a socket that nobody takes from. */
static bool
is_at(const struct bound *bound, const char *address)
{
	return strcmp(bound->address, address) == 0 || (bound->inherit == NULL &&
	    strcmp(bound->endpoint.address, address) == 0);
}

/* Hold each socket of that address that is not in the list yet: several came
 * under one name of fd:, or serve for a process each. Where port 0 stands twice,
 * those of one port are one address. The number. */
static int
bound_list_find(struct bound_list *list, const struct bound_list *among,
    const char *address)
{
	const struct bound *first = NULL;
	size_t i;
	int found = 0;

	for (i = 0; among != NULL && i < among->count; i++) {
		struct bound *bound = among->items[i];

		if (!is_at(bound, address) ||
		    bound_list_has(list, bound) || (first != NULL &&
		    !is_handed_over(address) &&
		    !has_same_address(first, bound)))
			continue;
		if (bound_list_add(list, bound) < 0)
			return -ENOMEM;
		first = bound;
		found++;
	}
	return found;
}

/* Takes fd. */
static int
bound_adopt(struct bound_list *list, int fd, const char *address,
    struct inherit *inherit, struct err *err)
{
	struct bound *bound = bound_new(address);
	int r;

	if (bound == NULL) {
		fd_close(&fd);
		return err_errno(err, ENOMEM, "%s", address);
	}
	r = endpoint_adopt(&bound->endpoint, fd, err);
	if (r < 0) {
		err_prefix(err, "%s", address);
		fd_close(&fd);
	} else {
		bound->inherit = inherit;
		r = bound_list_add(list, bound);
		if (r < 0)
			(void)err_errno(err, -r, "%s", address);
	}
	if (r < 0)
		bound_put(bound);
	return r;
}

/* Every socket of that name: one FileDescriptorName covers all addresses of a
 * socket unit (systemd.socket(5)). */
static int
bound_inherit(struct bound_list *list, const char *address,
    struct inherit *inherit, struct err *err)
{
	const char *name = address + strlen(HANDED_OVER);
	int fd, r = -ENOENT;

	while ((fd = inherit_find(inherit, name)) >= 0) {
		r = bound_adopt(list, fd, address, inherit, err);
		if (r < 0)
			return r;
	}
	if (r == -ENOENT)
		err_set(err, "%s: no socket of that name was handed over; the "
		    "socket unit needs FileDescriptorName=%s", address, name);
	return r;
}

/* Takes what it makes of the socket; r as the making of it ended. */
static int
bound_enter(struct bound_list *list, struct bound *bound, int r,
    struct err *err)
{
	if (r == 0 && (r = bound_list_add(list, bound)) < 0)
		(void)err_errno(err, -r, "%s", bound->address);
	if (r < 0)
		bound_put(bound);
	else if (!bound->endpoint.is_late)
		store_keep(bound->store, bound->address, &bound->endpoint);
	return r;
}

static struct bound *
bound_stored(const char *address, struct store *store, struct err *err)
{
	struct bound *bound = bound_new(address);

	if (bound == NULL)
		(void)err_errno(err, ENOMEM, "%s", address);
	else
		bound->store = store;
	return bound;
}

/* All that the store has of that address: something may wait in each. The
 * number. */
static int
bound_find_stored(struct bound_list *list, const char *address,
    const struct listener_conf *conf, struct store *store, struct err *err)
{
	int r, found = 0;

	for (;;) {
		struct bound *bound = bound_stored(address, store, err);

		if (bound == NULL)
			return -ENOMEM;
		if (!store_find(store, address, conf, &bound->endpoint)) {
			bound_put(bound);
			return found;
		}
		r = bound_enter(list, bound, 0, err);
		if (r < 0)
			return r;
		found++;
	}
}

static int
bound_open(struct bound_list *list, const char *address,
    const struct listener_conf *conf, struct store *store, struct err *err)
{
	int r = bound_find_stored(list, address, conf, store, err);
	struct bound *bound;

	if (r != 0)
		return r < 0 ? r : 0;
	bound = bound_stored(address, store, err);
	if (bound == NULL)
		return -ENOMEM;
	return bound_enter(list, bound,
	    endpoint_open(&bound->endpoint, address, conf, err), err);
}

static bool
is_dealt(const struct bound *bound, const struct listener_conf *conf)
{
	enum addr_kind kind = bound->endpoint.transport->kind;

	return conf->reuse_port && bound->inherit == NULL &&
	    (kind == ADDR_TCP || kind == ADDR_UDP);
}

/* The sockets of one address stand in the list from `first` on: as many as there
 * are processes, or more from when there were more of those. */
static int
bound_open_rest(struct bound_list *list, size_t first, bool is_late,
    const struct listener_conf *conf, struct store *store, struct err *err)
{
	struct bound *one = list->items[first], *bound;
	int r = 0;

	while (r == 0 && is_dealt(one, conf) &&
	    list->count - first < config_processes(conf)) {
		bound = bound_stored(one->address, store, err);
		if (bound == NULL)
			return -ENOMEM;
		r = bound_enter(list, bound, endpoint_open_beside(
		    &bound->endpoint, &one->endpoint, conf, is_late, err), err);
	}
	return r;
}

static void
share_from(const struct bound_list *list, size_t first)
{
	size_t i;

	for (i = first; i < list->count; i++)
		list->items[i]->is_shared = true;
}

static int
bound_take(struct bound_list *list, const char *address,
    const struct listener_conf *conf, const struct bound_source *source,
    struct err *err)
{
	size_t before = list->count;
	int r = bound_list_find(list, source->have, address);

	if (r == 0) {
		r = bound_list_find(list, source->spare, address);
		share_from(list, before);
	}
	if (r < 0)
		return err_errno(err, -r, "%s", address);
	if (r > 0)
		return bound_open_rest(list, before, true, conf, source->store,
		    err);
	if (is_handed_over(address))
		return bound_inherit(list, address, source->inherit, err);
	r = bound_open(list, address, conf, source->store, err);
	return r < 0 ? r : bound_open_rest(list, before, false, conf,
	    source->store, err);
}

unsigned
bound_list_open(struct bound_list *list, const struct listener_conf *conf,
    const struct bound_source *source)
{
	unsigned failures = 0;
	struct err err;
	size_t i;

	*list = (struct bound_list){ 0 };
	for (i = 0; i < conf->addresses.count; i++) {
		if (bound_take(list, conf->addresses.items[i], conf, source,
		    &err) == 0)
			continue;
		failures++;
		source->complain(source->arg, conf, err.text);
	}
	return failures;
}

void
bound_list_apply(const struct bound_list *list,
    const struct listener_conf *conf, bound_complain_fn *complain, void *arg)
{
	struct err err;
	size_t i;

	for (i = 0; i < list->count; i++)
		if (!list->items[i]->endpoint.is_late &&
		    endpoint_apply(&list->items[i]->endpoint, conf, &err) < 0)
			complain(arg, conf, err.text);
}

void
bound_list_join(const struct bound_list *list,
    const struct listener_conf *conf, bound_complain_fn *complain, void *arg)
{
	struct err err;
	size_t i;

	for (i = 0; i < list->count; i++) {
		struct bound *bound = list->items[i];

		if (!bound->endpoint.is_late)
			continue;
		if (endpoint_join(&bound->endpoint, conf, &err) < 0)
			complain(arg, conf, err.text);
		else
			store_keep(bound->store, bound->address,
			    &bound->endpoint);
	}
}

size_t
bound_list_deal(const struct bound_list *list,
    const struct listener_conf *conf, unsigned slot, unsigned slots,
    size_t *chosen)
{
	size_t first, end, i, count = 0;

	for (first = 0; first < list->count; first = end) {
		bool is_own = is_dealt(list->items[first], conf);

		for (end = first + 1; end < list->count &&
		    !bound_list_is_first(list, end); end++)
			continue;
		for (i = first; i < end; i++)
			if (!is_own || (i - first) % slots == slot ||
			    slot % (end - first) == i - first)
				chosen[count++] = i;
	}
	return count;
}
