/* SPDX-License-Identifier: ISC */
/*
 * The end of a service process: what it leaves in the counters, what is logged,
 * and whether and when another takes its place.
 */
#include "super/worker_end.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/gather.h"
#include "base/log.h"
#include "base/stats.h"
#include "super/crash.h"
#include "super/generation.h"

#define MESSAGES_LAST 64        /* read of a dead process's channel */

/* A number that the process wrote, of requests that it may have had. */
int64_t
worker_plausible(const struct worker *worker, int64_t requests)
{
	if (requests < 0)
		return 0;
	if (requests > worker->gen->conf->max_connections)
		return worker->gen->conf->max_connections;
	return requests;
}

static int64_t
count_of(const struct stats *stats, enum counter counter)
{
	return atomic_load_explicit(&stats->counters[counter],
	    memory_order_relaxed);
}

struct worker_score
worker_score(const struct worker *worker)
{
	const struct stats *stats = &worker->gen->slab->slots[worker->slot];

	return (struct worker_score){
		.accepted = count_of(stats, COUNTER_ACCEPTED),
		.requests = count_of(stats, COUNTER_REQUESTS),
		.errors = count_of(stats, COUNTER_ERRORS),
	};
}

/* Has this process had a request? It may lie, about its own waits alone. */
static bool
worker_has_served(const struct worker *worker)
{
	struct worker_score now = worker_score(worker);
	const struct worker_score *then = &worker->score;

	return worker->was_ready && (now.accepted != then->accepted ||
	    now.requests != then->requests || now.errors != then->errors);
}

/* As stats_add(), but what stands there may be anything. */
static void
add_clamped(_Atomic int64_t *counter, int64_t n)
{
	int64_t was = atomic_load_explicit(counter, memory_order_relaxed);

	if (was > INT64_MAX - n)
		atomic_store_explicit(counter, INT64_MAX, memory_order_relaxed);
	else
		atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

/* What has been served, has failed or was refused. false: nonsense. */
static bool
count_ended(const struct stats *stats, int64_t *ended)
{
	int64_t requests = count_of(stats, COUNTER_REQUESTS);
	int64_t errors = count_of(stats, COUNTER_ERRORS);
	int64_t refused = count_of(stats, COUNTER_REFUSED);

	return requests >= 0 && errors >= 0 && refused >= 0 &&
	    !__builtin_add_overflow(requests, errors, ended) &&
	    !__builtin_add_overflow(*ended, refused, ended);
}

/* Requests that end with the process. What it took and did not count as ended,
 * rather than its gauge: it may have died between two of its counters. */
static int64_t
requests_lost(const struct worker *worker)
{
	const struct stats *stats = &worker->gen->slab->slots[worker->slot];
	int64_t active = count_of(stats, COUNTER_ACTIVE);
	int64_t lost = count_of(stats, COUNTER_ACCEPTED), ended;

	if (lost < 0 || !count_ended(stats, &ended) ||
	    __builtin_sub_overflow(lost - ended,
	    atomic_load(&stats->passed), &lost) ||
	    active > lost)
		return worker_plausible(worker, active);
	return worker_plausible(worker, lost);
}

/* They count as errors, so that accepted = served + errors + refused + active
 * stays true. */
void
worker_settle_stats(struct worker *worker)
{
	struct generation *gen = worker->gen;
	struct stats *stats = &gen->slab->slots[worker->slot];
	unsigned used = stats_seats_used(gen->slab, gen->size, worker->slot);
	int64_t lost = requests_lost(worker), ended, accepted;
	unsigned i;

	atomic_store(&stats->counters[COUNTER_ACTIVE], 0);
	atomic_store(&stats->counters[COUNTER_SERVING], 0);
	atomic_store(&stats->reserved, 0);
	atomic_store(&stats->running, 0);
	atomic_store(&stats->idle, 0);
	atomic_store(&stats->silent, 0);
	for (i = 0; i < COUNTERS; i++)
		if (count_of(stats, i) < 0)
			atomic_store(&stats->counters[i], 0);
	add_clamped(&stats->counters[COUNTER_ERRORS], lost);
	/* Whatever the process wrote there, its successor begins with a sum
	 * that is true; else the difference would be lost again each time. */
	if (count_ended(stats, &ended) && !__builtin_add_overflow(ended,
	    atomic_load(&stats->passed), &accepted) && accepted >= 0)
		atomic_store(&stats->counters[COUNTER_ACCEPTED], accepted);
	for (i = 0; i < used; i++)
		seat_end(stats_seat(gen->slab, gen->size, worker->slot, i));
	atomic_store(&stats->seats_used, 0);
}

/* What is left to log of the requests of a process that has ended. */
struct lost {
	const struct worker *worker;
	struct crash *crash;
	int64_t left;           /* as many lines as requests were lost */
};

/* It was asked to end, or ended by itself; its requests were cut short. */
static bool
is_cut(const struct worker *worker)
{
	return worker->is_leaving || worker->is_done;
}

static void
log_lost(const struct seat_view *view, void *arg)
{
	struct lost *lost = arg;
	char peer[ADDR_TEXT_SIZE];
	struct log_access access = {
		.fields = worker_fields(lost->worker),
		.result = is_cut(lost->worker) ? "error" : "crash",
		.bytes_in = view->bytes_in,
		.bytes_out = view->bytes_out,
		.duration_ns = clock_now() - view->started_at,
	};

	if (lost->left-- <= 0)
		return;         /* a child that has served, not reaped yet */
	access.fields.worker = view->worker;
	access.fields.request = view->id;
	access.fields.peer = sockaddr_format((const void *)&view->peer,
	    view->peer_len, peer);
	if (is_cut(lost->worker))
		access.fields.reason = reason_word(REASON_DRAINING);
	log_access(&access);
	crash_add_peer(lost->crash, peer);
}

/* The access lines that the process can write no more, and whom it served. */
static void
worker_log_lost(const struct worker *worker, struct crash *crash)
{
	struct lost lost = { worker, crash, crash->active };

	worker_each_request(worker, log_lost, &lost);
}

/* Access lines that the process had no time to write. */
void
worker_rescue_lines(const struct worker *worker)
{
	struct log_fields fields = worker_fields(worker);
	char lines[GATHER_MAX];
	size_t len = gather_rescue(worker->gen->access_fd, worker->slot, lines);
	unsigned damaged = log_rescue(lines, len);

	if (damaged > 0)
		log_write(LOG_LEVEL_WARNING, &fields, "%u access line%s that a "
		    "service process left %s damaged and left out", damaged,
		    damaged == 1 ? "" : "s", damaged == 1 ? "is" : "are");
}

void
worker_release(struct worker *worker)
{
	struct loop *loop = worker->gen->env->loop;

	watch_stop(loop, &worker->pidfd_watch);
	watch_stop(loop, &worker->channel_watch);
	timer_stop(loop, &worker->timer);
	fd_close(&worker->pidfd);
	fd_close(&worker->channel);
	worker->pid = 0;
}

/* An end that the process announced and that was to be expected. */
static bool
worker_ended_well(const struct worker *worker)
{
	return worker->is_done && worker->was_ready &&
	    worker->gen->conf->max_requests > 0;
}

/* Milliseconds until its successor; -1 = none. */
int64_t
worker_restart_ms(struct worker *worker)
{
	if (worker->is_leaving || worker->gen->state == GEN_DRAINING)
		return -1;
	if (worker_ended_well(worker))
		return 0;
	return backoff_next(&worker->backoff,
	    loop_now(worker->gen->env->loop), worker_has_served(worker));
}

/* Whether what it was asked to do, or something else, ended it. */
static bool
worker_crashed(const struct worker *worker, const struct crash *crash)
{
	if (!worker->is_leaving)
		return !worker_ended_well(worker);
	return !worker->is_done && crash->signal != SIGTERM &&
	    crash->signal != SIGKILL;
}

static void
worker_describe(const struct worker *worker, const siginfo_t *info,
    struct crash *crash)
{
	const struct generation *gen = worker->gen;

	*crash = (struct crash){
		.at = loop_now(gen->env->loop), .was_ready = worker->was_ready,
		.pid = worker->pid, .slot = worker->slot,
		.generation = gen->number, .active = requests_lost(worker),
	};
	crash_describe(crash, info, worker->why);
	(void)snprintf(crash->handler, sizeof(crash->handler), "%s",
	    gen->conf->handler);
	(void)snprintf(crash->build_id, sizeof(crash->build_id), "%s",
	    gen->conf->handler_build_id);
}

/* It ended of its own accord, or was not wanted any more before it was ready. */
static bool
is_no_news(const struct worker *worker)
{
	return worker->is_done || (worker->is_leaving && !worker->was_ready &&
	    worker->why == NULL);
}

/* A start that failed and did not say why is what whoever starts the daemon
 * must see; the rest is for the log. */
static void
worker_log_end(const struct worker *worker, const struct crash *crash,
    int64_t restart_ms)
{
	struct log_fields fields = worker_fields(worker);
	char text[CRASH_TEXT_SIZE];

	crash_format(crash, restart_ms, text, sizeof(text));
	if (!worker->was_ready && !worker->is_leaving && !worker->has_failed)
		worker->gen->env->complain(worker->gen, text);
	else
		log_write(is_no_news(worker) ? LOG_LEVEL_DEBUG :
		    LOG_LEVEL_WARNING, &fields, "%s", text);
}

/* The process is a zombie: take everything it left. If somebody else has reaped
 * it (info is empty) its numbers may be another's by now. */
static void
worker_end(struct worker *worker, const siginfo_t *info)
{
	int64_t restart_ms;
	struct crash crash;

	/* DONE, FAILED. Twice: that it left a message of ours unread is told
	 * first, as an error (unix(7)), and what it said itself after that. */
	if (worker_receive(worker, MESSAGES_LAST) == -EPIPE)
		(void)worker_receive(worker, MESSAGES_LAST);
	if (info->si_pid != 0)
		worker_signal(worker, SIGKILL); /* what is left of its group */
	worker_describe(worker, info, &crash);
	worker_rescue_lines(worker);
	worker_log_lost(worker, &crash);
	restart_ms = worker_restart_ms(worker);
	worker->gen->restarts += restart_ms >= 0 && !worker_ended_well(worker);
	worker_settle_stats(worker);
	if (worker->is_leaving && !worker->is_done)
		worker->gen->cut_short += crash.active;
	worker_log_end(worker, &crash, restart_ms);
	if (info->si_pid != 0)
		(void)waitpid(worker->pid, NULL, 0);
	worker_release(worker);
	if (worker->gen->env->crashed != NULL &&
	    worker_crashed(worker, &crash))
		worker->gen->env->crashed(worker->gen, &crash);
	worker->has_reported = true;
	worker->state = WORKER_NONE;
	if (restart_ms >= 0)
		worker_enter(worker, WORKER_WAITING, restart_ms);
	generation_collect(worker->gen, worker);
	generation_review(worker->gen);
}

void
worker_check(struct worker *worker)
{
	siginfo_t info = { 0 };
	int r;

	if (worker->pid == 0)
		return;
	r = waitid(P_PID, (id_t)worker->pid, &info,
	    WEXITED | WNOHANG | WNOWAIT);
	/* ECHILD: it was reaped, by whomever; it must not be waited for. */
	if (r == 0 ? info.si_pid != 0 : errno == ECHILD)
		worker_end(worker, &info);
}
