/* SPDX-License-Identifier: ISC */
/*
 * The sockets of a listener, and what is logged about it at the start and at
 * the end.
 */
#include "super/listener.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/stats.h"

static const char *const concurrency_words[] = {
	[CONCURRENCY_SYNC] = "sync",
	[CONCURRENCY_THREADED] = "threaded",
	[CONCURRENCY_FORKING] = "forking",
	[CONCURRENCY_PREFORK] = "prefork",
};

/* Room for one more; NULL out of memory. */
static struct endpoint *
listener_room(struct listener *listener)
{
	struct endpoint *more = realloc(listener->endpoints,
	    (listener->endpoint_count + 1) * sizeof(*more));

	if (more == NULL)
		return NULL;
	listener->endpoints = more;
	return &more[listener->endpoint_count];
}

static int
listener_adopt(struct listener *listener, int fd, const char *address,
    struct err *err)
{
	struct endpoint *ep = listener_room(listener);
	int r;

	r = ep == NULL ? err_errno(err, ENOMEM, "%s", address) :
	    endpoint_adopt(ep, fd, err);
	if (r < 0) {
		err_prefix(err, "%s", address);
		fd_close(&fd);
		return r;
	}
	listener->endpoint_count++;
	return 0;
}

/* Every socket of that name: one FileDescriptorName covers all addresses of a
 * socket unit (systemd.socket(5)). */
static int
listener_inherit(struct listener *listener, const char *address,
    struct inherit *inherit, struct err *err)
{
	const char *name = address + strlen("fd:");
	int fd, r = -ENOENT;

	while ((fd = inherit_find(inherit, name)) >= 0) {
		r = listener_adopt(listener, fd, address, err);
		if (r < 0)
			return r;
	}
	if (r == -ENOENT)
		err_set(err, "%s: no socket of that name was handed over; the "
		    "socket unit needs FileDescriptorName=%s", address, name);
	return r;
}

static int
listener_bind(struct listener *listener, const char *address, struct err *err)
{
	struct endpoint *ep = listener_room(listener);
	int r;

	if (ep == NULL)
		return err_errno(err, ENOMEM, "%s", address);
	r = endpoint_open(ep, address, listener->conf, err);
	if (r == 0)
		listener->endpoint_count++;
	return r;
}

unsigned
listener_open(struct listener *listener, const struct listener_conf *conf,
    struct inherit *inherit, listener_complain_fn *complain, void *arg)
{
	unsigned failures = 0;
	struct err err;
	size_t i;
	int r;

	*listener = (struct listener){ .conf = conf };
	for (i = 0; i < conf->addresses.count; i++) {
		const char *address = conf->addresses.items[i];

		if (strncmp(address, "fd:", 3) == 0)
			r = listener_inherit(listener, address, inherit, &err);
		else
			r = listener_bind(listener, address, &err);
		if (r == 0)
			continue;
		failures++;
		complain(arg, conf, err.text);
	}
	return failures;
}

int
listener_start(struct listener *listener, const struct generation_env *env,
    struct err *err)
{
	listener->current = generation_new(env, listener->conf,
	    ++listener->last_number, listener->endpoints,
	    listener->endpoint_count, err);
	if (listener->current == NULL)
		return -ENOMEM;
	generation_start(listener->current);
	return 0;
}

void
listener_log_addresses(const struct listener *listener)
{
	const struct listener_conf *conf = listener->conf;
	struct log_fields fields = { .listener = conf->name };
	size_t i;

	for (i = 0; i < listener->endpoint_count; i++)
		log_write(LOG_LEVEL_INFO, &fields,
		    "listening on %s (%s, handler %s)",
		    listener->endpoints[i].address,
		    concurrency_words[conf->concurrency], conf->handler);
}

static void
listener_close_sockets(struct listener *listener)
{
	size_t i;

	for (i = 0; i < listener->endpoint_count; i++)
		endpoint_close(&listener->endpoints[i]);
	free(listener->endpoints);
	listener->endpoints = NULL;
	listener->endpoint_count = 0;
}

void
listener_stop(struct listener *listener)
{
	if (listener->current != NULL)
		generation_drain(listener->current);
	listener_close_sockets(listener);
}

/* " (access 1, verify 2)"; nothing when there was none. */
static void
refusals_format(struct buf *out, const struct stats *sum)
{
	const char *before = " (";
	unsigned i;

	for (i = REASON_NONE + 1; i < REASONS; i++) {
		int64_t n = atomic_load_explicit(&sum->refused[i],
		    memory_order_relaxed);

		if (n <= 0)
			continue;
		(void)buf_printf(out, "%s%s %" PRId64, before, reason_word(i),
		    n);
		before = ", ";
	}
	if (before[0] == ',')
		(void)buf_puts(out, ")");
}

static int64_t
total(const struct stats *sum, enum counter counter)
{
	return atomic_load_explicit(&sum->counters[counter],
	    memory_order_relaxed);
}

void
listener_log_totals(const struct listener *listener)
{
	struct log_fields fields = { .listener = listener->conf->name };
	const struct generation *gen = listener->current;
	struct stats sum;
	struct buf refusals;

	if (gen == NULL)
		return;
	memset(&sum, 0, sizeof(sum));
	stats_sum(gen->slab, gen->slots, &sum);
	buf_init(&refusals, 1024);
	refusals_format(&refusals, &sum);
	log_write(LOG_LEVEL_INFO, &fields, "stopped: accepted %" PRId64
	    ", served %" PRId64 ", errors %" PRId64 ", refused %" PRId64
	    "%s, cut short %" PRId64, total(&sum, COUNTER_ACCEPTED),
	    total(&sum, COUNTER_REQUESTS), total(&sum, COUNTER_ERRORS),
	    total(&sum, COUNTER_REFUSED),
	    refusals.data != NULL ? refusals.data : "", gen->cut_short);
	buf_free(&refusals);
}

void
listener_close(struct listener *listener)
{
	listener_close_sockets(listener);
	generation_free(&listener->current);
}
