/* SPDX-License-Identifier: ISC */
#include "super/heartbeat.h"

#include <errno.h>
#include <stdio.h>

#include "base/addr.h"
#include "base/channel.h"
#include "base/clock.h"
#include "base/log.h"
#include "super/generation.h"
#include "super/worker_end.h"

#define MESSAGES_LAST 64        /* read before it is called silent */

static int64_t
interval_ms(const struct worker *worker)
{
	int64_t ms = worker->gen->env->heartbeat_ms;

	return ms > 0 ? ms : HEARTBEAT_MS;
}

static void
heartbeat_wait(struct worker *worker, int64_t ms)
{
	worker_enter(worker, WORKER_SERVING, ms);
}

/* proc(5): who traces a process may have stopped it for as long as it takes to
 * look at it. */
static bool
is_traced(pid_t pid)
{
	char path[32], line[128];
	long tracer = 0;
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%ld/status", (long)pid);
	file = fopen(path, "re");
	if (file == NULL)
		return false;
	while (fgets(line, sizeof(line), file) != NULL &&
	    sscanf(line, "TracerPid: %ld", &tracer) != 1)
		continue;
	(void)fclose(file);
	return tracer > 0;
}

static void
heartbeat_spare(struct worker *worker)
{
	struct log_fields fields = worker_fields(worker);

	if (!worker->heartbeat.was_spared)
		log_write(LOG_LEVEL_NOTICE, &fields, "service process %ld does "
		    "not answer; it is being traced and left alone",
		    (long)worker->pid);
	worker->heartbeat.was_spared = true;
	heartbeat_wait(worker, interval_ms(worker));
	worker->gen->env->progressed(worker->gen);      /* not waited for */
}

/* The supervisor itself did not run (the machine was suspended, or its control
 * group frozen), and so most likely neither did the services. */
static bool
is_late(const struct worker *worker)
{
	int64_t late = loop_now(worker->gen->env->loop) - worker->timer.at;

	return late > interval_ms(worker) * CLOCK_MS / 2;
}

/* Under "event": the request that keeps the thread. What stands there is the
 * service's word. */
static void
name_running(const struct worker *worker, struct log_fields *fields,
    char peer[ADDR_TEXT_SIZE], struct seat_view *view)
{
	const struct generation *gen = worker->gen;
	uint32_t seat = atomic_load(&gen->slab->slots[worker->slot].running);

	if (seat == 0 || seat > stats_seats_used(gen->slab, gen->size,
	    worker->slot) || !seat_read(stats_seat(gen->slab, gen->size,
	    worker->slot, seat - 1), view))
		return;
	fields->worker = view->worker;
	fields->request = view->id;
	fields->peer = sockaddr_format((const void *)&view->peer,
	    view->peer_len, peer);
}

static void
heartbeat_missed(struct worker *worker)
{
	struct log_fields fields = worker_fields(worker);
	char peer[ADDR_TEXT_SIZE];
	struct seat_view view;

	if (is_late(worker)) {
		heartbeat_wait(worker, interval_ms(worker));
		return;
	}
	if (is_traced(worker->pid)) {
		heartbeat_spare(worker);
		return;
	}
	name_running(worker, &fields, peer, &view);
	log_write(LOG_LEVEL_WARNING, &fields, "service process %ld does not "
	    "answer; it is killed and replaced", (long)worker->pid);
	worker->why = "did not answer";
	worker_kill(worker, NULL);
}

static void
heartbeat_ask(struct worker *worker)
{
	struct heartbeat *beat = &worker->heartbeat;
	int r = worker_ping(worker);

	/* One that has read nothing for a whole interval is silent too. Of one
	 * that is gone its channel tells. */
	if (r == -EAGAIN && beat->was_full) {
		heartbeat_missed(worker);
		return;
	}
	beat->was_full = r == -EAGAIN;
	beat->is_asked = !beat->was_full;
	heartbeat_wait(worker, interval_ms(worker));
}

void
heartbeat_due(struct worker *worker)
{
	if (!worker->heartbeat.is_asked) {
		heartbeat_ask(worker);
		return;
	}
	/* The loop may not have come to its channel yet. */
	(void)worker_receive(worker, MESSAGES_LAST);
	if (worker->state == WORKER_SERVING && worker->heartbeat.is_asked)
		heartbeat_missed(worker);
}

void
heartbeat_answered(struct worker *worker)
{
	if (worker->state != WORKER_SERVING || !worker->heartbeat.is_asked)
		return;         /* it was not asked */
	worker->heartbeat = (struct heartbeat){ 0 };
	heartbeat_wait(worker, interval_ms(worker));
}

/* Numbers of processes that were started together are neighbours; times a large
 * odd number (Knuth 6.4) they are not. */
void
heartbeat_start(struct worker *worker)
{
	uint32_t spread = (uint32_t)worker->pid * 2654435761U;
	int64_t ms = interval_ms(worker);

	worker->heartbeat = (struct heartbeat){ 0 };
	heartbeat_wait(worker, ms / 2 + (int64_t)(spread >> 8) % ms);
}
