/* SPDX-License-Identifier: ISC */
/*
 * A generation: makes what its processes share (counters, configuration, the
 * prepared start), owns their slots, and says in one word how they are.
 */
#include "super/generation.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/gather.h"
#include "base/log.h"
#include "conf/flat.h"
#include "super/scaling.h"

#define IDS_A_BLOCK 10000000000ULL      /* of requests, for a generation */
#define SILENT_SEATS 256        /* of a process; further ones stand nowhere */
#define SLOT_TEXT "0000000000"  /* room for a slot's number */
#define LOG_TEXT "journal"      /* the longest word for a kind of log */

static const struct {
	const char *word, *shown;
} states[GEN_STATES] = {
	[GEN_STARTING] = { "STARTING", "starting" },
	[GEN_SERVING] = { "SERVING", "serving" },
	[GEN_DRAINING] = { "DRAINING", "draining" },
	[GEN_GONE] = { "GONE", "stopped" },
	[GEN_FAILED] = { "FAILED", "failed" },
};

static const char *const event_words[GEN_EVENTS] = {
	[GEN_EVENT_READY] = "ready",
	[GEN_EVENT_LOST] = "lost its last process",
	[GEN_EVENT_FAIL] = "failed to start",
	[GEN_EVENT_DRAIN] = "asked to end",
	[GEN_EVENT_EMPTY] = "no process left",
};

const char *
gen_state_shown(enum gen_state state)
{
	return states[state].shown;
}

bool
generation_event(struct generation *gen, enum gen_event event)
{
	enum gen_state from = gen->state;
	size_t i;

	for (i = 0; i < transition_count; i++)
		if (transitions[i].from == from &&
		    transitions[i].event == event)
			break;
	if (i == transition_count)
		return false;
	gen->state = transitions[i].to;
	if (gen->state == GEN_SERVING)
		gen->serving_at = loop_now(gen->env->loop);
	gen->has_settled = gen->has_settled || gen->state == GEN_SERVING ||
	    gen->state == GEN_FAILED;
	log_debug("listener %s generation %u: %s -> %s (%s)", gen->conf->name,
	    gen->number, states[from].word, states[gen->state].word,
	    event_words[event]);
	gen->env->changed(gen, from);
	return true;
}

static unsigned
count_serving(const struct generation *gen)
{
	unsigned i, count = 0;

	for (i = 0; i < gen->slots; i++)
		count += gen->workers[i].state == WORKER_SERVING;
	return count;
}

static unsigned
count_processes(const struct generation *gen)
{
	unsigned i, count = 0;

	for (i = 0; i < gen->slots; i++)
		count += gen->workers[i].pid != 0;
	return count;
}

/* Processes whose first start has neither succeeded nor failed. */
static unsigned
count_unheard(const struct generation *gen)
{
	unsigned i, count = 0;

	for (i = 0; i < gen->slots; i++)
		count += gen->workers[i].state == WORKER_STARTING &&
		    !gen->workers[i].has_reported;
	return count;
}

void
generation_review(struct generation *gen)
{
	if (gen->state == GEN_DRAINING) {
		if (count_processes(gen) == 0)
			(void)generation_event(gen, GEN_EVENT_EMPTY);
		else
			gen->env->progressed(gen);
		return;
	}
	if (gen->state == GEN_STARTING && count_unheard(gen) > 0)
		return;         /* readiness is the whole pool's */
	if (count_serving(gen) > 0) {
		if (!generation_event(gen, GEN_EVENT_READY))
			gen->env->progressed(gen);
	} else if (!generation_event(gen, GEN_EVENT_LOST)) {
		(void)generation_event(gen, GEN_EVENT_FAIL);
	}
}

void
generation_rebind(struct generation *gen, struct held *held,
    const struct listener_conf *conf)
{
	unsigned i;

	(void)held_get(held);
	held_put(&gen->held);
	gen->held = held;
	gen->conf = conf;
	for (i = 0; i < gen->slots; i++)
		backoff_limit(&gen->workers[i].backoff,
		    conf->restart.initial_ms, conf->restart.maximum_ms);
}

void
generation_take(struct generation *gen, bool is_sharing)
{
	unsigned i;

	gen->is_taking = true;
	gen->is_sharing = gen->is_sharing || is_sharing;
	for (i = 0; i < gen->slots; i++)
		worker_take(&gen->workers[i]);
}

bool
generation_is_released(const struct generation *gen)
{
	unsigned i;

	for (i = 0; i < gen->slots; i++)
		if (gen->workers[i].pid != 0 && !gen->workers[i].has_released)
			return false;
	return true;
}

void
generation_start(struct generation *gen)
{
	unsigned i;

	/* All are STARTING before the first may report that it failed. */
	for (i = 0; i < gen->workers_min; i++)
		gen->workers[i].state = WORKER_STARTING;
	for (i = 0; i < gen->workers_min; i++)
		worker_start(&gen->workers[i]);
	if (gen->state != GEN_DRAINING && gen->state != GEN_GONE)
		scaling_start(gen);     /* not dropped: no start has failed */
}

/* The places of a process's sockets are in gen->dealt; their number. */
static size_t
generation_deal(const struct generation *gen, unsigned slot)
{
	return bound_list_deal(&gen->sockets, gen->conf, slot, gen->slots,
	    gen->dealt);
}

/* The text of MESSAGE_DRAIN: which sockets of the process nobody serves after
 * this generation. At most as many as the message has room for: the sockets
 * beyond are left to others. Is there one? */
static bool
generation_leftovers(const struct generation *gen, unsigned slot,
    char text[CHANNEL_TEXT_SIZE])
{
	size_t i, count = generation_deal(gen, slot);
	bool any = false;

	if (count > CHANNEL_TEXT_SIZE - 1)
		count = CHANNEL_TEXT_SIZE - 1;
	for (i = 0; i < count; i++) {
		bool is_left = gen->sockets.items[gen->dealt[i]]->holders == 1;

		text[i] = is_left ? DRAIN_COLLECT : '0';
		any = any || is_left;
	}
	text[count] = '\0';
	return any;
}

/* Does something wait in the sockets that the process shall empty? */
static bool
has_leftovers(const struct generation *gen, unsigned slot)
{
	size_t i, count = generation_deal(gen, slot);

	for (i = 0; i < count; i++) {
		const struct bound *bound = gen->sockets.items[gen->dealt[i]];

		if (bound->holders == 1 &&
		    !endpoint_is_empty(&bound->endpoint))
			return true;
	}
	return false;
}

/* With reuse_port nobody else has the sockets of a process that is not there at
 * the moment. */
static void
generation_find_collectors(struct generation *gen)
{
	bool can_serve = gen->has_settled && gen->state != GEN_FAILED;
	unsigned i;

	for (i = 0; i < gen->slots; i++)
		if (gen->conf->reuse_port && can_serve &&
		    gen->workers[i].pid == 0 && has_leftovers(gen, i))
			worker_start(&gen->workers[i]);
}

static void
generation_leave(struct generation *gen, struct worker *worker)
{
	char leftovers[CHANNEL_TEXT_SIZE];
	bool any = generation_leftovers(gen, worker->slot, leftovers);

	worker->must_collect = any && gen->conf->reuse_port &&
	    worker->pid != 0;
	worker_leave(worker, leftovers, gen->conf->drain_timeout_ms);
}

/* Once it drains: all sockets that it does not need any more. */
static void
generation_let_go(struct generation *gen)
{
	unsigned i;

	for (i = 0; i < gen->slots; i++)
		if (gen->workers[i].must_collect)
			return;
	bound_list_leave(&gen->sockets);
}

void
generation_collected(struct generation *gen, struct worker *worker)
{
	if (!worker->must_collect)
		return;
	worker->must_collect = false;
	generation_let_go(gen);
}

void
generation_collect(struct generation *gen, struct worker *worker)
{
	char leftovers[CHANNEL_TEXT_SIZE];

	if (worker->must_collect && has_leftovers(gen, worker->slot)) {
		(void)generation_leftovers(gen, worker->slot, leftovers);
		worker_start(worker);
		worker_leave(worker, leftovers, gen->conf->drain_timeout_ms);
	}
	generation_collected(gen, worker);
}

void
generation_drain(struct generation *gen)
{
	unsigned i;

	scaling_stop(gen);
	generation_find_collectors(gen);
	if (!generation_event(gen, GEN_EVENT_DRAIN))
		return;
	for (i = 0; i < gen->slots; i++)
		generation_leave(gen, &gen->workers[i]);
	generation_let_go(gen);
	generation_review(gen);
}

void
generation_hurry(struct generation *gen)
{
	unsigned i;

	gen->is_hurried = true;
	for (i = 0; i < gen->slots; i++)
		worker_hurry(&gen->workers[i]);
}

void
generation_kill(struct generation *gen)
{
	unsigned i;

	for (i = 0; i < gen->slots; i++) {
		gen->workers[i].must_collect = false;
		if (gen->workers[i].state != WORKER_KILLED)
			worker_kill(&gen->workers[i], NULL);
	}
}

struct worker *
generation_worker(struct generation *gen, pid_t pid)
{
	unsigned i;

	for (i = 0; i < gen->slots; i++)
		if (gen->workers[i].pid == pid)
			return &gen->workers[i];
	return NULL;
}

void
generation_send_log(struct generation *gen)
{
	unsigned i;

	for (i = 0; i < gen->slots; i++)
		worker_send_log(&gen->workers[i]);
}

bool
generation_follows(const struct generation *gen)
{
	unsigned i;

	for (i = 0; i < gen->slots; i++)
		if (!worker_follows(&gen->workers[i]))
			return false;
	return true;
}

/* How it is made */

static void
generation_size(struct generation *gen)
{
	const struct listener_conf *conf = gen->conf;

	gen->slots = gen->workers_min = config_processes(conf);
	if (conf->concurrency != CONCURRENCY_PREFORK)
		return;
	gen->slots = conf->max_workers > (int64_t)gen->workers_min ?
	    (unsigned)conf->max_workers : gen->workers_min;
}

/* Where its requests stand: one a process, a thread or a child of it, and in a
 * pool a number of them for connections that wait without a worker. A child
 * that has served keeps its seat until it is reaped. */
static int64_t
seats_wanted(const struct listener_conf *conf)
{
	int64_t lanes = listener_lanes(conf);
	int64_t silent = listener_silent_max(conf);

	if (lanes > 0)
		return lanes + (silent < SILENT_SEATS ? silent : SILENT_SEATS);
	return conf->concurrency == CONCURRENCY_FORKING ?
	    2 * conf->max_connections : conf->max_connections;
}

static int
generation_slab(struct generation *gen)
{
	int64_t seats = seats_wanted(gen->conf);
	uint64_t *blocks = gen->env->id_blocks;

	gen->size.slots = gen->slots;
	gen->size.seats = seats < STATS_SEATS_MAX ? (unsigned)seats :
	    STATS_SEATS_MAX;
	gen->slab = stats_new(gen->size, &gen->slab_fd);
	if (gen->slab == NULL)
		return -errno;
	if (blocks != NULL)
		atomic_store(&gen->slab->next_id, IDS_A_BLOCK * (*blocks)++);
	return 0;
}

static int
generation_workers(struct generation *gen)
{
	unsigned i;
	int r;

	gen->workers = calloc(gen->slots, sizeof(*gen->workers));
	if (gen->workers == NULL)
		return -ENOMEM;
	for (i = 0; i < gen->slots; i++)
		worker_init(&gen->workers[i], gen, i);
	r = generation_slab(gen);
	if (r < 0)
		return r;
	gen->access_fd = gather_new(gen->slots);
	if (gen->access_fd < 0)
		return gen->access_fd;
	return gen->conf->concurrency == CONCURRENCY_PREFORK ?
	    channel_pair(gen->relay) : 0;
}

/* One address for each socket. So they know what kind an inherited fd: is, how
 * many sockets came under its name, and the port that 0 became. */
int
generation_encode(const struct generation *gen, unsigned slot,
    struct buf *text)
{
	struct listener_conf conf = *gen->conf;
	size_t i, count = generation_deal(gen, slot);
	const char **items = calloc(count + 1, sizeof(*items));
	int r;

	if (items == NULL)
		return -ENOMEM;
	for (i = 0; i < count; i++)
		items[i] = gen->sockets.items[gen->dealt[i]]->endpoint.address;
	conf.addresses = (struct string_list){ items, count };
	r = flat_encode_listener(text, gen->held->config, &conf);
	free(items);
	return r;
}

void
generation_place_sockets(struct generation *gen, unsigned slot)
{
	size_t i, count = generation_deal(gen, slot);

	for (i = 0; i < count; i++)
		spawn_replace(&gen->spawn, gen->socket_number + i,
		    gen->sockets.items[gen->dealt[i]]->endpoint.fd);
	spawn_limit(&gen->spawn, gen->socket_number + count);
}

static int
generation_spawn(struct generation *gen)
{
	const struct generation_env *env = gen->env;
	struct spawn *spawn = &gen->spawn;
	char number[16];
	const char *const argv[] = {
		"socketserver-service", "serve", "--slot", SLOT_TEXT,
		"--generation", number, "--log", LOG_TEXT, NULL
	};
	size_t i, count = gen->sockets.count;
	int r;

	(void)snprintf(number, sizeof(number), "%u", gen->number);
	r = spawn_init(spawn, env->program, argv, count + 7);
	if (r < 0)
		return r;
	gen->slot_text = spawn->argv[3];
	gen->log_text = spawn->argv[7];
	gen->config_number = spawn_pass(spawn, "config", -1);
	gen->channel_number = spawn_pass(spawn, "channel", -1);
	(void)spawn_pass(spawn, "stats", gen->slab_fd);
	(void)spawn_pass(spawn, "access", gen->access_fd);
	if (gen->relay[0] >= 0) {
		(void)spawn_pass(spawn, "relay", gen->relay[0]);
		(void)spawn_pass(spawn, "relay", gen->relay[1]);
	}
	gen->has_log = env->log_fd >= 0;
	if (gen->has_log)
		gen->log_number = spawn_pass(spawn, "log", env->log_fd);
	gen->socket_number = spawn->count;
	for (i = 0; i < count; i++)
		(void)spawn_pass(spawn, "socket", -1);
	gen->dealt = calloc(count + 1, sizeof(*gen->dealt));
	return gen->dealt == NULL ? -ENOMEM : spawn_seal(spawn);
}

struct generation *
generation_new(const struct generation_env *env, struct held *held,
    const struct listener_conf *conf, unsigned number,
    const struct bound_list *sockets, struct err *err)
{
	struct generation *gen = calloc(1, sizeof(*gen));
	int r = -ENOMEM;

	if (gen == NULL)
		goto out;
	gen->env = env;
	gen->held = held_get(held);
	gen->conf = conf;
	gen->number = number;
	gen->slab_fd = gen->access_fd = gen->relay[0] = gen->relay[1] = -1;
	generation_size(gen);
	r = bound_list_copy(&gen->sockets, sockets);
	if (r == 0)
		r = generation_workers(gen);
	if (r == 0)
		r = generation_spawn(gen);
	gen->is_sharing = bound_list_is_shared(&gen->sockets);
	if (r == 0)
		return gen;
	generation_free(&gen);
out:
	(void)err_errno(err, -r, "cannot prepare its processes");
	return NULL;
}

struct generation *
generation_revive(const struct generation_env *env)
{
	struct generation *gen = calloc(1, sizeof(*gen));

	if (gen == NULL)
		return NULL;
	gen->env = env;
	gen->slab_fd = gen->access_fd = gen->relay[0] = gen->relay[1] = -1;
	return gen;
}

int
generation_resume(struct generation *gen, struct err *err)
{
	unsigned i;

	gen->slots = gen->size.slots;
	gen->slab = stats_attach(gen->slab_fd, gen->size);
	if (gen->slab == NULL)
		return err_errno(err, errno, "cannot map its counters");
	gen->workers = calloc(gen->slots + 1, sizeof(*gen->workers));
	if (gen->workers == NULL || generation_spawn(gen) < 0)
		return err_errno(err, ENOMEM, "cannot prepare its processes");
	for (i = 0; i < gen->slots; i++)
		worker_init(&gen->workers[i], gen, i);
	return 0;
}

void
generation_free(struct generation **gen)
{
	struct generation *old = *gen;
	unsigned i;

	if (old == NULL)
		return;
	/* Of those that were ended without being waited for. */
	for (i = 0; old->access_fd >= 0 && i < old->slots; i++)
		worker_rescue_lines(&old->workers[i]);
	fd_close(&old->access_fd);
	fd_close(&old->relay[0]);
	fd_close(&old->relay[1]);
	if (old->env->loop != NULL)
		scaling_stop(old);
	spawn_free(&old->spawn);
	stats_free(&old->slab, old->size);
	fd_close(&old->slab_fd);
	bound_list_clear(&old->sockets);
	held_put(&old->held);
	free(old->dealt);
	free(old->workers);
	free(old);
	*gen = NULL;
}

const struct transition transitions[] = {
	{ GEN_STARTING, GEN_EVENT_READY, GEN_SERVING },
	{ GEN_STARTING, GEN_EVENT_FAIL, GEN_FAILED },
	{ GEN_STARTING, GEN_EVENT_DRAIN, GEN_DRAINING },
	{ GEN_SERVING, GEN_EVENT_LOST, GEN_STARTING },
	{ GEN_SERVING, GEN_EVENT_DRAIN, GEN_DRAINING },
	{ GEN_FAILED, GEN_EVENT_READY, GEN_SERVING },
	{ GEN_FAILED, GEN_EVENT_DRAIN, GEN_DRAINING },
	{ GEN_DRAINING, GEN_EVENT_EMPTY, GEN_GONE },
};

const size_t transition_count = sizeof(transitions) / sizeof(transitions[0]);
