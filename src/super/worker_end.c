/* SPDX-License-Identifier: ISC */
/*
 * The end of a service process: what it leaves in the counters, what is logged,
 * and whether and when another takes its place.
 */
#include "super/worker_end.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/sig.h"
#include "base/stats.h"
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

/* Requests that end with the process. They count as errors, so that accepted =
 * served + errors + refused + active stays true. */
int64_t
worker_settle_stats(struct worker *worker)
{
	struct stats *stats = &worker->gen->slab->slots[worker->slot];
	int64_t active = worker_plausible(worker, atomic_exchange_explicit(
	    &stats->counters[COUNTER_ACTIVE], 0, memory_order_relaxed));

	atomic_store_explicit(&stats->counters[COUNTER_SERVING], 0,
	    memory_order_relaxed);
	stats_add(stats, COUNTER_ERRORS, active);
	return active;
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
	    loop_now(worker->gen->env->loop));
}

static void
describe_how(char *text, size_t size, const siginfo_t *info)
{
	if (info->si_code == CLD_EXITED)
		(void)snprintf(text, size, "exited with status %d",
		    info->si_status);
	else
		(void)snprintf(text, size, "was killed by %s%s",
		    sig_name(info->si_status),
		    info->si_code == CLD_DUMPED ? " (core dumped)" : "");
}

static void
describe_when(char *text, size_t size, const struct worker *worker,
    int64_t active)
{
	text[0] = '\0';
	if (!worker->was_ready && !worker->is_leaving)
		(void)snprintf(text, size, " before it was ready");
	else if (active > 0)
		(void)snprintf(text, size, " while serving %" PRId64
		    " request%s", active, active == 1 ? "" : "s");
}

/* A start that failed and did not say why is what whoever starts the daemon
 * must see; the rest is for the log. */
static void
worker_log_end(const struct worker *worker, const siginfo_t *info,
    int64_t active, int64_t restart_ms)
{
	struct log_fields fields = worker_fields(worker);
	char how[64], when[64], next[48] = "", text[224];

	describe_how(how, sizeof(how), info);
	describe_when(when, sizeof(when), worker, active);
	if (restart_ms >= 0)
		(void)snprintf(next, sizeof(next), "; restarting in %.1f s",
		    (double)restart_ms / 1000);
	(void)snprintf(text, sizeof(text), "service process %ld %s%s%s",
	    (long)worker->pid, how, when, next);
	if (!worker->was_ready && !worker->is_leaving && !worker->has_failed)
		worker->gen->env->complain(worker->gen, text);
	else
		log_write(worker->is_done ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARNING,
		    &fields, "%s", text);
}

/* The process is a zombie: take everything it left. */
static void
worker_end(struct worker *worker, const siginfo_t *info)
{
	int64_t active, restart_ms;

	/* DONE, FAILED. Twice: that it left a message of ours unread is told
	 * first, as an error (unix(7)), and what it said itself after that. */
	if (worker_receive(worker, MESSAGES_LAST) == -EPIPE)
		(void)worker_receive(worker, MESSAGES_LAST);
	worker_signal(worker, SIGKILL);         /* what is left of its group */
	active = worker_settle_stats(worker);
	if (worker->is_leaving && !worker->is_done)
		worker->gen->cut_short += active;
	restart_ms = worker_restart_ms(worker);
	worker_log_end(worker, info, active, restart_ms);
	(void)waitpid(worker->pid, NULL, 0);
	worker_release(worker);
	worker->has_reported = true;
	worker->state = WORKER_NONE;
	if (restart_ms >= 0)
		worker_enter(worker, WORKER_WAITING, restart_ms);
	generation_review(worker->gen);
}

void
worker_check(struct worker *worker)
{
	siginfo_t info = { 0 };

	if (worker->pid == 0 ||
	    waitid(P_PID, (id_t)worker->pid, &info,
	    WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0)
		return;
	worker_end(worker, &info);
}
