/* SPDX-License-Identifier: ISC */
/*
 * One service process of a generation: its start, what it says, and what
 * follows when a state lasts too long. How it ends is in worker_end.c.
 */
#include "super/worker.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>

#include "base/channel.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/stats.h"
#include "super/generation.h"
#include "super/scaling.h"
#include "super/shed.h"
#include "super/worker_end.h"

#define START_MS 10000          /* from exec to READY */
#define DRAIN_GRACE_MS 2000     /* from the drain deadline to TERM */
#define TERM_MS 1000            /* from TERM to KILL */
#define CLOSING_MS 2000         /* from the end of its channel to KILL */
#define KILL_MS 10000           /* from KILL until it is given up */
#define MESSAGES_A_TURN 16

typedef void message_fn(struct worker *worker, const struct message *message);

struct log_fields
worker_fields(const struct worker *worker)
{
	return (struct log_fields){
		.listener = worker->gen->conf->name,
		.generation = worker->gen->number,
	};
}

static void
worker_timeout(struct timer *timer);

static void
worker_set_timer(struct worker *worker, int64_t ms)
{
	struct loop *loop = worker->gen->env->loop;
	struct log_fields fields = worker_fields(worker);

	if (timer_start(loop, &worker->timer, loop_now(loop) + ms * CLOCK_MS,
	    worker_timeout, worker) < 0)
		log_write(LOG_LEVEL_ERROR, &fields,
		    "no memory for a timer: slot %u is left as it is",
		    worker->slot);
}

void
worker_enter(struct worker *worker, enum worker_state state, int64_t ms)
{
	worker->state = state;
	worker_set_timer(worker, ms);
}

/* Its group, and itself in case it has none yet. The process is not reaped, so
 * both numbers are still its own. */
void
worker_signal(const struct worker *worker, int signal)
{
	(void)kill(-worker->pid, signal);
	(void)kill(worker->pid, signal);
}

void
worker_kill(struct worker *worker, const char *why)
{
	struct log_fields fields = worker_fields(worker);

	if (worker->pid == 0)
		return;
	if (why != NULL) {
		log_write(LOG_LEVEL_WARNING, &fields,
		    "service process %ld is killed: it %s", (long)worker->pid,
		    why);
		worker->why = why;
	}
	worker_signal(worker, SIGKILL);
	worker_enter(worker, WORKER_KILLED, KILL_MS);
}

/* What it says: messages[] */

/* What the configuration that it is given may be too old for. 0 or -errno. */
static int
worker_send_log_form(const struct worker *worker)
{
	int64_t form = log_format() == LOG_FORMAT_JSON ? LOG_IS_JSON : 0;
	int r;

	if (log_is_access_on())
		form |= LOG_HAS_ACCESS;
	r = channel_send(worker->channel, MESSAGE_LOG_LEVEL, log_level(),
	    NULL, -1);
	return r < 0 ? r : channel_send(worker->channel, MESSAGE_LOG, form,
	    NULL, -1);
}

void
worker_take(struct worker *worker)
{
	if (worker->state == WORKER_SERVING)
		(void)channel_send(worker->channel, MESSAGE_TAKE,
		    worker->gen->is_sharing, NULL, -1);
}

static void
take_ready(struct worker *worker, const struct message *message)
{
	if (worker->state != WORKER_STARTING)
		return;         /* said twice, or already asked to leave */
	worker->gen->io = message->value;
	heartbeat_start(worker);
	worker_send_log_form(worker);
	worker->was_ready = true;
	worker->has_reported = true;
	backoff_serving(&worker->backoff, loop_now(worker->gen->env->loop));
	if (worker->gen->is_taking)
		worker_take(worker);
	generation_review(worker->gen);
}

static void
take_failed(struct worker *worker, const struct message *message)
{
	if (worker->has_failed)
		return;         /* once a process: no flood */
	worker->has_failed = true;
	worker->gen->env->complain(worker->gen, message->text);
}

static void
take_busy(struct worker *worker, const struct message *message)
{
	(void)message;
	scaling_busy(worker->gen);
}

static void
take_full(struct worker *worker, const struct message *message)
{
	shed_full(worker->gen, message->value);
}

static void
take_released(struct worker *worker, const struct message *message)
{
	(void)message;
	if (!worker->is_leaving)
		return;         /* nobody asked */
	worker->has_released = true;
	generation_collected(worker->gen, worker);
	worker->gen->env->progressed(worker->gen);
}

static void
take_pong(struct worker *worker, const struct message *message)
{
	heartbeat_answered(worker);
	if (message->value != worker->log_wanted ||
	    worker->log_taken == worker->log_wanted)
		return;
	worker->log_taken = message->value;
	worker->gen->env->progressed(worker->gen);
}

static void
take_done(struct worker *worker, const struct message *message)
{
	if (worker->is_done)
		return;
	worker->is_done = true;
	worker->gen->cut_short += worker_plausible(worker, message->value);
}

static message_fn *const messages[MESSAGE_TYPES] = {
	[MESSAGE_READY] = take_ready,
	[MESSAGE_FAILED] = take_failed,
	[MESSAGE_BUSY] = take_busy,
	[MESSAGE_RELEASED] = take_released,
	[MESSAGE_PONG] = take_pong,
	[MESSAGE_DONE] = take_done,
	[MESSAGE_FULL] = take_full,
};

/* At most `max` messages. 0: more may be there; else why it stopped. */
int
worker_receive(struct worker *worker, int max)
{
	struct message message;
	int fd, r = 0;

	while (max-- > 0) {
		r = channel_receive(worker->channel, CHANNEL_SUPERVISOR,
		    &message, &fd);
		if (r < 0)
			return r;
		fd_close(&fd);  /* no service has a descriptor to give */
		if (message.type >= MESSAGE_TYPES ||
		    messages[message.type] == NULL)
			return -EPROTO;
		messages[message.type](worker, &message);
	}
	return r;
}

static void
channel_readable(struct watch *watch, uint32_t events)
{
	struct worker *worker = watch->arg;
	int r = worker_receive(worker, MESSAGES_A_TURN);

	(void)events;
	if (r == 0 || r == -EAGAIN)
		return;
	/* No watch on a channel that is at its end: it would never rest. */
	watch_stop(worker->gen->env->loop, &worker->channel_watch);
	if (r == -EPROTO)
		worker_kill(worker, "broke the protocol of its channel");
	else if (worker->state != WORKER_KILLED)
		worker_enter(worker, WORKER_ENDING, CLOSING_MS);
}

/* How it starts */

static void
pidfd_readable(struct watch *watch, uint32_t events)
{
	(void)events;
	worker_check(watch->arg);
}

/* A process that not even KILL ends (it hangs in the kernel) must not keep the
 * daemon from ending. */
static void
worker_give_up(struct worker *worker)
{
	struct log_fields fields = worker_fields(worker);

	log_write(LOG_LEVEL_ERROR, &fields, "service process %ld does not end; "
	    "it is left alone", (long)worker->pid);
	worker_release(worker);
	worker->has_reported = true;
	worker->state = WORKER_NONE;
	generation_review(worker->gen);
}

static int
worker_watch(struct worker *worker)
{
	struct loop *loop = worker->gen->env->loop;
	int r;

	r = watch_start(loop, &worker->channel_watch, worker->channel, EPOLLIN,
	    channel_readable, worker);
	/* Without a pidfd SIGCHLD tells. */
	if (r == 0 && worker->pidfd >= 0)
		r = watch_start(loop, &worker->pidfd_watch, worker->pidfd,
		    EPOLLIN, pidfd_readable, worker);
	return r;
}

/* A memory file of its own for each process: a descriptor that several hold has
 * one offset for all of them. */
static int
worker_config_fd(const struct worker *worker, struct err *err)
{
	struct buf text;
	int fd;

	buf_init(&text, 0);
	fd = generation_encode(worker->gen, worker->slot, &text);
	if (fd == 0)
		fd = fd_memory("config", text.data, text.len);
	buf_free(&text);
	return fd < 0 ? err_errno(err, -fd, "cannot hand over the "
	    "configuration") : fd;
}

static int
worker_exec(struct worker *worker, int config_fd, int channel, struct err *err)
{
	struct generation *gen = worker->gen;
	struct child child;
	int r;

	(void)snprintf(gen->slot_text, 11, "%u", worker->slot);
	(void)snprintf(gen->log_text, 8, "%s", gen->env->log_kind);
	if (gen->has_log)
		spawn_replace(&gen->spawn, gen->log_number, gen->env->log_fd);
	spawn_replace(&gen->spawn, gen->config_number, config_fd);
	spawn_replace(&gen->spawn, gen->channel_number, channel);
	generation_place_sockets(gen, worker->slot);
	r = spawn_start(&gen->spawn, &child, err);
	if (r < 0)
		return r;
	worker->pid = child.pid;
	worker->pidfd = child.pidfd;
	return 0;
}

static int
worker_spawn(struct worker *worker, struct err *err)
{
	int config_fd, ends[2], r;

	config_fd = worker_config_fd(worker, err);
	if (config_fd < 0)
		return config_fd;
	r = channel_pair(ends);
	if (r < 0) {
		fd_close(&config_fd);
		return err_errno(err, -r, "cannot make a channel");
	}
	r = worker_exec(worker, config_fd, ends[1], err);
	fd_close(&config_fd);
	fd_close(&ends[1]);
	if (r < 0)
		fd_close(&ends[0]);
	worker->channel = ends[0];
	return r;
}

static void
worker_spawn_failed(struct worker *worker, const struct err *err)
{
	int64_t restart_ms = worker_restart_ms(worker);

	worker->gen->env->complain(worker->gen, err->text);
	worker->has_reported = true;
	worker->state = WORKER_NONE;
	if (restart_ms >= 0)
		worker_enter(worker, WORKER_WAITING, restart_ms);
	generation_review(worker->gen);
}

void
worker_start(struct worker *worker)
{
	struct log_fields fields = worker_fields(worker);
	struct err err;

	worker->was_ready = worker->is_done = worker->has_failed = false;
	worker->is_leaving = worker->has_released = false;
	worker->why = NULL;
	worker->log_wanted = worker->log_taken = 0;
	worker->is_log_due = false;
	worker_settle_stats(worker);
	worker->score = worker_score(worker);
	if (worker_spawn(worker, &err) < 0) {
		worker_spawn_failed(worker, &err);
		return;
	}
	log_write(LOG_LEVEL_DEBUG, &fields, "service process %ld started in "
	    "slot %u", (long)worker->pid, worker->slot);
	worker->started_at = loop_now(worker->gen->env->loop);
	worker_enter(worker, WORKER_STARTING, START_MS);
	if (worker_watch(worker) < 0)
		worker_kill(worker, "could not be watched");
}

void
worker_leave(struct worker *worker, const char *collect, int64_t drain_ms)
{
	if (worker->pid == 0) {
		timer_stop(worker->gen->env->loop, &worker->timer);
		worker->state = WORKER_NONE;
		return;
	}
	worker->is_leaving = true;
	if (worker->state == WORKER_STARTING && drain_ms > START_MS)
		drain_ms = START_MS;    /* as long as it may take to begin */
	else if (worker->state > WORKER_SERVING)
		return;                 /* its end is under way */
	/* A service that does not read is ended by the timer. */
	(void)channel_send(worker->channel, MESSAGE_DRAIN, drain_ms, collect,
	    -1);
	worker_enter(worker, WORKER_DRAINING, drain_ms + DRAIN_GRACE_MS);
}

void
worker_hurry(struct worker *worker)
{
	if (worker->state != WORKER_DRAINING)
		return;
	(void)channel_send(worker->channel, MESSAGE_DRAIN, 0, NULL, -1);
	worker_enter(worker, WORKER_DRAINING, DRAIN_GRACE_MS);
}

static void
worker_try_log(struct worker *worker)
{
	int r = worker->gen->has_log ? channel_send(worker->channel,
	    MESSAGE_LOG_FD, log_kind(), NULL, log_fd()) : 0;

	worker->is_log_due = r < 0 || worker_send_log_form(worker) < 0;
}

int
worker_ping(struct worker *worker)
{
	if (worker->is_log_due)
		worker_try_log(worker);
	return channel_send(worker->channel, MESSAGE_PING,
	    worker->is_log_due ? worker->log_taken : worker->log_wanted, NULL,
	    -1);
}

void
worker_send_log(struct worker *worker)
{
	if (worker->pid == 0)
		return;
	worker->log_wanted++;
	worker->is_log_due = true;
	(void)worker_ping(worker);      /* else with its heartbeat */
}

bool
worker_follows(const struct worker *worker)
{
	return worker->state != WORKER_SERVING ||
	    worker->heartbeat.was_spared ||
	    worker->log_taken == worker->log_wanted;
}

void
worker_kill_request(struct worker *worker, uint64_t id)
{
	if (worker->pid == 0)
		return;
	/* One that does not read cannot be helped: its heartbeat ends it. */
	(void)channel_send(worker->channel, MESSAGE_KILL, (int64_t)id, NULL,
	    -1);
}

void
worker_each_request(const struct worker *worker, seat_fn *fn, void *arg)
{
	const struct generation *gen = worker->gen;
	unsigned used = stats_seats_used(gen->slab, gen->size, worker->slot);
	struct seat_view view;
	unsigned i;

	for (i = 0; i < used; i++)
		if (seat_read(stats_seat(gen->slab, gen->size, worker->slot,
		    i), &view))
			fn(&view, arg);
}

bool
worker_is_wanted(const struct worker *worker)
{
	return worker->state != WORKER_NONE && !worker->is_leaving;
}

void
worker_init(struct worker *worker, struct generation *gen, unsigned slot)
{
	const struct listener_conf *conf = gen->conf;

	*worker = (struct worker){
		.gen = gen, .slot = slot, .pidfd = -1, .channel = -1,
		.pidfd_watch.fd = -1, .channel_watch.fd = -1,
	};
	backoff_init(&worker->backoff, conf->restart.initial_ms,
	    conf->restart.maximum_ms,
	    (uint32_t)clock_now() ^ (slot + 1) * 2654435761U);
}

/* When a state has lasted too long */

static void
timeout_waiting(struct worker *worker)
{
	const struct generation_env *env = worker->gen->env;
	int64_t ms = 0;

	if (env->gate != NULL)
		ms = backoff_pass(env->gate, loop_now(env->loop));
	if (ms > 0)
		worker_enter(worker, WORKER_WAITING, ms);
	else
		worker_start(worker);
}

static void
timeout_starting(struct worker *worker)
{
	worker_kill(worker, "was not ready within 10 seconds");
}

static void
timeout_draining(struct worker *worker)
{
	struct log_fields fields = worker_fields(worker);

	log_write(LOG_LEVEL_WARNING, &fields, "service process %ld is past its "
	    "drain deadline and is asked to end", (long)worker->pid);
	worker_signal(worker, SIGTERM);
	worker_enter(worker, WORKER_ENDING, TERM_MS);
}

static void
timeout_ending(struct worker *worker)
{
	worker_kill(worker, "did not end when it should");
}

static void (*const timeouts[WORKER_STATES])(struct worker *worker) = {
	[WORKER_WAITING] = timeout_waiting,
	[WORKER_STARTING] = timeout_starting,
	[WORKER_SERVING] = heartbeat_due,
	[WORKER_DRAINING] = timeout_draining,
	[WORKER_ENDING] = timeout_ending,
	[WORKER_KILLED] = worker_give_up,
};

static void
worker_timeout(struct timer *timer)
{
	struct worker *worker = timer->arg;

	if (timeouts[worker->state] != NULL)
		timeouts[worker->state](worker);
}

int
worker_resume(struct worker *worker, bool is_heard)
{
	struct loop *loop = worker->gen->env->loop;
	int r = 0;

	if (worker->timer.at != 0)
		r = timer_start(loop, &worker->timer, worker->timer.at,
		    worker_timeout, worker);
	if (r == 0 && is_heard)
		r = watch_start(loop, &worker->channel_watch, worker->channel,
		    EPOLLIN, channel_readable, worker);
	if (r == 0 && worker->pidfd >= 0)
		r = watch_start(loop, &worker->pidfd_watch, worker->pidfd,
		    EPOLLIN, pidfd_readable, worker);
	return r;
}
