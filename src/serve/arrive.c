/* SPDX-License-Identifier: ISC */
/* From a taken arrival to an admitted one, or a refusal, or a pause. */
#include "serve/arrive.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>

#include "base/fd.h"
#include "base/log.h"
#include "handler/request.h"

#define PAUSE_MS 50
#define PAUSE_MAX_MS 500

void
arrive_refuse(struct acceptor *a, struct arrival *arrival, enum reason reason)
{
	stats_add(a->env->host->stats, COUNTER_ACCEPTED, 1);
	request_refuse(a->env->host, arrival, reason);
}

bool
arrive_is_trouble(int r)
{
	return r < 0 && r != -EAGAIN && r != -EINTR && r != -ECONNABORTED &&
	    r != -EMSGSIZE && r != -EBADMSG;
}

void
arrive_shed(struct acceptor *a, const struct endpoint *ep)
{
	struct arrival arrival = { .fd = -1 };

	(void)pthread_mutex_lock(&a->spare_lock);
	fd_close(&a->spare);
	if (ep->transport->is_stream && !a->is_blocking &&
	    ep->transport->take(ep, &arrival, false) == 0)
		arrive_refuse(a, &arrival, REASON_DESCRIPTORS);
	a->spare = eventfd(0, EFD_CLOEXEC);     /* needs no path: chroot */
	(void)pthread_mutex_unlock(&a->spare_lock);
}

int64_t
arrive_pause_ms(struct acceptor *a, int r)
{
	int64_t ms = atomic_load(&a->pause_ms);
	struct log_fields fields = { .listener = a->env->conf->name };

	stats_add(a->env->host->stats, COUNTER_ACCEPT_ERRORS, 1);
	if (ms == 0)
		log_write(LOG_LEVEL_WARNING, &fields, "cannot take another "
		    "request: %s; pausing, then trying again: raise "
		    "limits.nofile or limits.processes, or lower "
		    "max_connections", strerrordesc_np(-r));
	ms = ms == 0 ? PAUSE_MS : ms * 2;
	if (ms > PAUSE_MAX_MS)
		ms = PAUSE_MAX_MS;
	atomic_store(&a->pause_ms, ms);
	return ms;
}

/* Writes only when there is something to forget: beside a child that was just
 * forked, each page that is written to is copied. */
void
arrive_forget_pause(struct acceptor *a)
{
	if (atomic_load_explicit(&a->pause_ms, memory_order_relaxed) != 0)
		atomic_store(&a->pause_ms, 0);
}

int
arrive_sort_out(struct acceptor *a, struct arrival *arrival, int r)
{
	switch (r) {
	case -EMSGSIZE:
		arrive_refuse(a, arrival, REASON_DATAGRAM_TOO_LONG);
		return -EINTR;
	case -EBADMSG:
		arrive_refuse(a, arrival, REASON_ACCESS);
		return -EINTR;
	case -ECONNABORTED:
		stats_add(a->env->host->stats, COUNTER_ACCEPT_ERRORS, 1);
		return -EINTR;
	default:
		return r;
	}
}

void
arrive_refuse_admitted(struct acceptor *a, struct arrival *arrival,
    enum reason reason)
{
	stats_add(a->env->host->stats, COUNTER_ACTIVE, -1);
	request_refuse(a->env->host, arrival, reason);
}

uint64_t
arrive_idle(const struct acceptor *a)
{
	return stats_idle(a->env->host->slab, a->env->host->size.slots);
}

static uint64_t
count_idle(const struct acceptor *a, uint64_t most)
{
	const struct host *host = a->env->host;
	uint64_t sum = 0;

	/* From its own on: not all at the same. */
	for (unsigned i = 0; i < host->size.slots && sum < most; i++)
		sum += atomic_load(&host->slab->slots[(host->slot + i) %
		    host->size.slots].idle);
	return sum;
}

bool
arrive_has_idle(const struct acceptor *a, uint64_t least)
{
	return count_idle(a, least) >= least;
}

uint64_t
arrive_count_takers(const struct acceptor *a, uint64_t most)
{
	return a->env->conf->reuse_port ?
	    atomic_load(&a->env->host->stats->idle) : count_idle(a, most);
}

int
arrive_admit(struct acceptor *a, struct arrival *arrival)
{
	const struct transport *transport = arrival->endpoint->transport;
	enum reason reason = request_admit(a->env->host, arrival);

	if (reason != REASON_NONE) {
		arrive_refuse(a, arrival, reason);
		return -EINTR;
	}
	if (transport->prepare != NULL &&
	    transport->prepare(arrival, a->env->conf) < 0) {
		stats_add(a->env->host->stats, COUNTER_ACCEPT_ERRORS, 1);
		fd_close(&arrival->fd);
		return -EINTR;
	}
	stats_add(a->env->host->stats, COUNTER_ACCEPTED, 1);
	host_count(a->env->host, COUNTER_ACTIVE, 1);
	return 0;
}

/* Too late. It may have been admitted before. */
void
arrive_refuse_queued(struct acceptor *a, struct arrival *arrival)
{
	if (arrival->id != 0)
		arrive_refuse_admitted(a, arrival, REASON_DRAINING);
	else
		arrive_refuse(a, arrival, REASON_DRAINING);
}

/* Taken before its socket was closed. Past the drain deadline nobody serves it
 * any more. */
int
arrive_queued(struct acceptor *a, struct arrival *arrival, bool wait)
{
	int r = backlog_take(&a->backlog, arrival, wait);

	if (r < 0 || !host_is_cancelled(a->env->host))
		return r;
	arrive_refuse_queued(a, arrival);
	return -EINTR;
}
