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
#include "base/log.h"
#include "conf/flat.h"
#include "super/scaling.h"

#define PREFORK_WORKERS 4       /* `workers` unset */
#define SLOT_TEXT "0000000000"  /* room for a slot's number */

static const char *const state_words[GEN_STATES] = {
	[GEN_STARTING] = "STARTING",
	[GEN_SERVING] = "SERVING",
	[GEN_DRAINING] = "DRAINING",
	[GEN_GONE] = "GONE",
	[GEN_FAILED] = "FAILED",
};

static const char *const event_words[GEN_EVENTS] = {
	[GEN_EVENT_READY] = "ready",
	[GEN_EVENT_LOST] = "lost its last process",
	[GEN_EVENT_FAIL] = "failed to start",
	[GEN_EVENT_DRAIN] = "asked to end",
	[GEN_EVENT_EMPTY] = "no process left",
};

const char *
gen_state_word(enum gen_state state)
{
	return state_words[state];
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
	gen->has_settled = gen->has_settled || gen->state == GEN_SERVING ||
	    gen->state == GEN_FAILED;
	log_debug("listener %s generation %u: %s -> %s (%s)", gen->conf->name,
	    gen->number, state_words[from], state_words[gen->state],
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
		return;
	}
	if (gen->state == GEN_STARTING && count_unheard(gen) > 0)
		return;         /* readiness is the whole pool's */
	if (count_serving(gen) > 0)
		(void)generation_event(gen, GEN_EVENT_READY);
	else if (!generation_event(gen, GEN_EVENT_LOST))
		(void)generation_event(gen, GEN_EVENT_FAIL);
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
	scaling_start(gen);
}

void
generation_drain(struct generation *gen)
{
	unsigned i;

	scaling_stop(gen);
	if (!generation_event(gen, GEN_EVENT_DRAIN))
		return;
	for (i = 0; i < gen->slots; i++)
		worker_leave(&gen->workers[i], MESSAGE_DRAIN,
		    gen->conf->drain_timeout_ms);
	generation_review(gen);
}

void
generation_kill(struct generation *gen)
{
	unsigned i;

	for (i = 0; i < gen->slots; i++)
		if (gen->workers[i].state != WORKER_KILLED)
			worker_kill(&gen->workers[i], NULL);
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
generation_send_log(struct generation *gen, int fd)
{
	unsigned i;

	for (i = 0; i < gen->slots; i++)
		worker_send_log(&gen->workers[i], fd);
}

/* How it is made */

static void
generation_size(struct generation *gen)
{
	const struct listener_conf *conf = gen->conf;

	gen->slots = gen->workers_min = 1;
	if (conf->concurrency != CONCURRENCY_PREFORK)
		return;
	gen->workers_min = conf->workers > 0 ? (unsigned)conf->workers :
	    PREFORK_WORKERS;
	gen->slots = conf->max_workers > (int64_t)gen->workers_min ?
	    (unsigned)conf->max_workers : gen->workers_min;
}

static int
generation_workers(struct generation *gen)
{
	unsigned i;

	gen->workers = calloc(gen->slots, sizeof(*gen->workers));
	if (gen->workers == NULL)
		return -ENOMEM;
	for (i = 0; i < gen->slots; i++)
		worker_init(&gen->workers[i], gen, i);
	gen->slab = stats_new(gen->slots, &gen->slab_fd);
	return gen->slab == NULL ? -errno : 0;
}

/* What the processes are given: the listener's configuration, but with the
 * addresses of its sockets, one each. So they know what kind an inherited fd:
 * is, how many sockets came under its name, and the port that 0 became. */
static int
generation_config(struct generation *gen, const struct endpoint *endpoints,
    size_t count)
{
	struct listener_conf conf = *gen->conf;
	const char **items = calloc(count + 1, sizeof(*items));
	size_t i;
	int r;

	if (items == NULL)
		return -ENOMEM;
	for (i = 0; i < count; i++)
		items[i] = endpoints[i].address;
	conf.addresses = (struct string_list){ items, count };
	buf_init(&gen->config_text, 0);
	r = flat_encode_listener(&gen->config_text, gen->env->config, &conf);
	free(items);
	return r;
}

static int
generation_spawn(struct generation *gen, const struct endpoint *endpoints,
    size_t count)
{
	const struct generation_env *env = gen->env;
	struct spawn *spawn = &gen->spawn;
	char number[16];
	const char *const argv[] = {
		"socketserver-service", "serve", "--slot", SLOT_TEXT,
		"--generation", number, "--log", env->log_kind, NULL
	};
	size_t i;
	int r;

	(void)snprintf(number, sizeof(number), "%u", gen->number);
	r = spawn_init(spawn, env->program, argv, count + 4);
	if (r < 0)
		return r;
	gen->slot_text = spawn->argv[3];
	gen->config_number = spawn_pass(spawn, "config", -1);
	gen->channel_number = spawn_pass(spawn, "channel", -1);
	(void)spawn_pass(spawn, "stats", gen->slab_fd);
	if (env->log_fd >= 0)
		(void)spawn_pass(spawn, "log", env->log_fd);
	for (i = 0; i < count; i++)
		(void)spawn_pass(spawn, "socket", endpoints[i].fd);
	return spawn_seal(spawn);
}

struct generation *
generation_new(const struct generation_env *env,
    const struct listener_conf *conf, unsigned number,
    const struct endpoint *endpoints, size_t endpoint_count, struct err *err)
{
	struct generation *gen = calloc(1, sizeof(*gen));
	int r = -ENOMEM;

	if (gen == NULL)
		goto out;
	gen->env = env;
	gen->conf = conf;
	gen->number = number;
	gen->slab_fd = -1;
	generation_size(gen);
	r = generation_workers(gen);
	if (r == 0)
		r = generation_config(gen, endpoints, endpoint_count);
	if (r == 0)
		r = generation_spawn(gen, endpoints, endpoint_count);
	if (r == 0)
		return gen;
	generation_free(&gen);
out:
	(void)err_errno(err, -r, "listener \"%s\": cannot prepare its "
	    "processes", conf->name);
	return NULL;
}

void
generation_free(struct generation **gen)
{
	struct generation *old = *gen;

	if (old == NULL)
		return;
	if (old->env->loop != NULL)
		scaling_stop(old);
	spawn_free(&old->spawn);
	stats_free(&old->slab, old->slots);
	fd_close(&old->slab_fd);
	buf_free(&old->config_text);
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
