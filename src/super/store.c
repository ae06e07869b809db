/* SPDX-License-Identifier: ISC */
/*
 * What is in the manager's store is known by two things: `found`, which came
 * out of it and is looked for by address, and is_kept of the endpoints that
 * serve.
 *
 *	start   inherit -> found -> store_find -> serves     (still in the store)
 *	                         -> store_sweep -> dropped
 *	later   opened  -> store_keep -> serves -> store_drop
 *	stop    serves  -> closed                            (still in the store)
 */
#include "super/store.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/fd.h"
#include "base/log.h"
#include "net/inet.h"
#include "super/notify.h"

#define PREFIX "socketserverd-"
#define NAME_SIZE sizeof(((struct inherited *)0)->name)

static bool
has_path(const struct endpoint *ep)
{
	const struct sockaddr_un *un = (const void *)&ep->addr.sa;

	return ep->addr.sa.ss_family == AF_UNIX && un->sun_path[0] != '\0';
}

/* 0, or -errno when the socket cannot be asked. */
static int
name_format(const struct endpoint *ep, char name[NAME_SIZE])
{
	struct stat st = { .st_dev = ep->path_dev, .st_ino = ep->path_ino };

	if (!has_path(ep) && fstat(ep->fd, &st) < 0)
		return -errno;
	(void)snprintf(name, NAME_SIZE, PREFIX "%jx-%jx",
	    (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return 0;
}

static bool
name_parse(const char *name, struct stat *st)
{
	uintmax_t dev, ino;
	int len = 0;

	if (sscanf(name, PREFIX "%jx-%jx%n", &dev, &ino, &len) != 2 ||
	    name[len] != '\0')
		return false;
	st->st_dev = (dev_t)dev;
	st->st_ino = (ino_t)ino;
	return true;
}

/* Out of the manager's store, and closed. What is left of a Unix socket's own
 * file goes with it. */
static void
give_up(struct store *store, struct endpoint *ep)
{
	store_drop(store, ep);
	endpoint_close(ep);
}

/* 0; or -errno when it is no socket that can serve, whatever it was once. */
static int
found_add(struct store *store, int fd, const struct stat *st)
{
	struct endpoint *ep = &store->found[store->found_count];
	int r = endpoint_adopt(ep, fd, NULL);

	if (r < 0)
		return r;
	ep->is_kept = true;
	ep->owns_path = has_path(ep);
	ep->path_dev = st->st_dev;
	ep->path_ino = st->st_ino;
	store->found_count++;
	store->held++;
	return 0;
}

static void
take_over(struct store *store, struct inherited *item)
{
	struct stat st;

	if (item->fd < 0 || !name_parse(item->name, &st))
		return;
	if (found_add(store, item->fd, &st) < 0) {
		notify_unstore(item->name);
		fd_close(&item->fd);
	}
	item->fd = -1;
}

/* sd_notify(3): how many descriptors the store takes. systemd sets it from 254
 * on, for older ones the unit file does. */
static size_t
store_size(void)
{
	const char *text = getenv("FDSTORE");

	if (text == NULL || getenv("NOTIFY_SOCKET") == NULL)
		return 0;
	return (size_t)strtoul(text, NULL, 10);
}

void
store_open(struct store *store, struct inherit *inherit)
{
	size_t i;

	*store = (struct store){ .max = store_size() };
	store->found = calloc(inherit->count, sizeof(*store->found));
	for (i = 0; i < inherit->count && store->found != NULL; i++)
		take_over(store, &inherit->fds[i]);
}

static bool
has_address(const struct endpoint *ep, const struct addr *addr,
    const char *text)
{
	return ep->addr.kind == addr->kind &&
	    ep->addr.sa.ss_family == addr->sa.ss_family &&
	    strcmp(ep->address, text) == 0;
}

static void
found_remove(struct store *store, size_t i)
{
	store->found[i] = store->found[--store->found_count];
}

/* Serves with ep, a copy of an item that is no longer in `found`. */
static bool
take_back(struct store *store, const struct listener_conf *conf,
    struct endpoint *ep)
{
	struct log_fields fields = { .listener = conf->name };
	struct err err;

	if (endpoint_resume(ep, conf, &err) == 0)
		return true;
	log_write(LOG_LEVEL_NOTICE, &fields, "%s: the socket that was kept is "
	    "not used again: %s", ep->address, err.text);
	give_up(store, ep);
	return false;
}

bool
store_find(struct store *store, const char *address,
    const struct listener_conf *conf, struct endpoint *ep)
{
	char text[ADDR_TEXT_SIZE];
	struct addr addr;
	size_t i = 0;

	if (store->found_count == 0 || addr_parse(&addr, address, NULL) < 0)
		return false;
	(void)addr_format(&addr, text);
	while (i < store->found_count) {
		if (!has_address(&store->found[i], &addr, text)) {
			i++;
			continue;
		}
		*ep = store->found[i];
		found_remove(store, i);
		if (take_back(store, conf, ep))
			return true;
	}
	return false;
}

/* Nobody asks for a port that the kernel chose by its number. */
static bool
is_chosen(const char *address)
{
	struct addr addr;

	return addr_parse(&addr, address, NULL) == 0 &&
	    addr.sa.ss_family != AF_UNIX && inet_port(&addr) == 0;
}

static bool
has_room(struct store *store, const struct endpoint *ep)
{
	if (store->held < store->max)
		return true;
	if (!store->has_told)
		log_warning("%s and other sockets are not kept over a "
		    "restart: the store holds %zu; raise "
		    "FileDescriptorStoreMax= and FDSTORE in the unit",
		    ep->address, store->max);
	store->has_told = true;
	return false;
}

void
store_keep(struct store *store, const char *address, struct endpoint *ep)
{
	char name[NAME_SIZE];

	if (store->max == 0 || ep->is_kept || is_chosen(address) ||
	    !has_room(store, ep) || name_format(ep, name) < 0 ||
	    notify_store(ep->fd, name) < 0)
		return;
	store->held++;
	ep->is_kept = true;
}

void
store_drop(struct store *store, struct endpoint *ep)
{
	char name[NAME_SIZE];

	if (!ep->is_kept || store->is_left)
		return;
	if (name_format(ep, name) == 0)
		notify_unstore(name);
	store->held--;
	ep->is_kept = false;
}

void
store_leave(struct store *store)
{
	store->is_left = true;
}

void
store_sweep(struct store *store)
{
	while (store->found_count > 0) {
		struct endpoint *ep = &store->found[--store->found_count];

		log_info("%s: no listener has it any more; the socket that "
		    "was kept is closed", ep->address);
		give_up(store, ep);
	}
	store_close(store);
}

void
store_close(struct store *store)
{
	while (store->found_count > 0)
		endpoint_close(&store->found[--store->found_count]);
	free(store->found);
	store->found = NULL;
}
