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

/* Hold each socket of that address that is not in the list yet: several came
 * under one name of fd:. The number. */
static int
bound_list_find(struct bound_list *list, const struct bound_list *among,
    const char *address)
{
	size_t i;
	int found = 0;

	for (i = 0; among != NULL && i < among->count; i++) {
		struct bound *bound = among->items[i];

		if (strcmp(bound->address, address) != 0 ||
		    bound_list_has(list, bound))
			continue;
		if (bound_list_add(list, bound) < 0)
			return -ENOMEM;
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

static int
bound_open(struct bound_list *list, const char *address,
    const struct listener_conf *conf, struct store *store, struct err *err)
{
	struct bound *bound = bound_new(address);
	int r = 0;

	if (bound == NULL)
		return err_errno(err, ENOMEM, "%s", address);
	bound->store = store;
	if (!store_find(store, address, conf, &bound->endpoint))
		r = endpoint_open(&bound->endpoint, address, conf, err);
	if (r == 0 && (r = bound_list_add(list, bound)) < 0)
		(void)err_errno(err, -r, "%s", address);
	if (r < 0)
		bound_put(bound);
	else
		store_keep(store, address, &bound->endpoint);
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
		return 0;
	if (is_handed_over(address))
		return bound_inherit(list, address, source->inherit, err);
	return bound_open(list, address, conf, source->store, err);
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
		if (endpoint_apply(&list->items[i]->endpoint, conf, &err) < 0)
			complain(arg, conf, err.text);
}
