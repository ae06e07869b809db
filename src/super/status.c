/* SPDX-License-Identifier: ISC */
/*
 * What the daemon tells of itself. Small accessors first, which know how
 * listeners and generations are kept; then the JSON that is made of them.
 *
 * json_pack() takes the values given as "o", also when it fails, and fails when
 * one is NULL: an answer is whole, or there is none.
 */
#include <config.h>

#include "super/status.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/stats.h"
#include "super/answer.h"
#include "super/super.h"

static const char *const phase_words[] = {
	[SUPER_STARTING] = "starting",
	[SUPER_SERVING] = "serving",
	[SUPER_LAME] = "lame-duck",
	[SUPER_STOPPING] = "stopping",
	[SUPER_FINISHED] = "stopping",
};

static const char *const worker_words[WORKER_STATES] = {
	[WORKER_NONE] = "none",
	[WORKER_WAITING] = "waiting",
	[WORKER_STARTING] = "starting",
	[WORKER_SERVING] = "serving",
	[WORKER_DRAINING] = "draining",
	[WORKER_ENDING] = "ending",
	[WORKER_KILLED] = "killed",
};

/* Accessors */

static json_int_t
seconds_since(const struct super *super, int64_t at)
{
	return (loop_now(super->loop) - at) / CLOCK_SECOND;
}

static json_int_t
listener_uptime(const struct super *super, const struct listener *listener)
{
	return listener->serving_since == 0 ? 0 :
	    seconds_since(super, listener->serving_since);
}

static json_int_t
generation_uptime(const struct super *super, const struct generation *gen)
{
	return gen == NULL || gen->state != GEN_SERVING ? 0 :
	    seconds_since(super, gen->serving_at);
}

/* Processes that serve, out of how many that should. */
static bool
generation_is_whole(const struct generation *gen)
{
	unsigned i, serving = 0;

	for (i = 0; i < gen->slots; i++)
		serving += gen->workers[i].state == WORKER_SERVING;
	return serving >= gen->workers_min;
}

/* Until the next process is started, rounded up; null: none waits. */
static json_t *
generation_retry(const struct super *super, const struct generation *gen)
{
	int64_t next_at = CLOCK_NEVER, left;
	unsigned i;

	for (i = 0; gen != NULL && i < gen->slots; i++)
		if (gen->workers[i].state == WORKER_WAITING &&
		    gen->workers[i].timer.at < next_at)
			next_at = gen->workers[i].timer.at;
	if (next_at == CLOCK_NEVER)
		return json_null();
	left = next_at - loop_now(super->loop);
	return json_integer(left <= 0 ? 0 :
	    (left + CLOCK_SECOND - 1) / CLOCK_SECOND);
}

/* Parts */

/* Takes both. NULL when either is, or there is no memory. */
static json_t *
list_add(json_t *list, json_t *item)
{
	/* Takes the item also when it fails. */
	if (json_array_append_new(list, item) == 0)
		return list;
	json_decref(list);
	return NULL;
}

static json_t *
make_addresses(const struct listener *listener)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < listener->sockets.count; i++)
		if (bound_list_is_first(&listener->sockets, i))
			list = list_add(list, answer_text(
			    listener->sockets.items[i]->endpoint.address));
	return list;
}

static json_t *
make_pids(const struct generation *gen)
{
	json_t *list = json_array();
	unsigned i;

	for (i = 0; gen != NULL && i < gen->slots; i++)
		if (gen->workers[i].pid > 0)
			list = list_add(list, json_integer(
			    gen->workers[i].pid));
	return list;
}

static json_t *
make_refused(const struct totals *totals)
{
	json_t *object = json_object();
	unsigned i;

	for (i = REASON_NONE + 1; i < REASONS; i++)
		if (json_object_set_new(object, reason_word(i),
		    json_integer(totals->refused[i])) < 0)
			break;
	if (i == REASONS)
		return object;
	json_decref(object);
	return NULL;
}

static json_t *
make_counters(const struct totals *totals)
{
	json_t *object = json_object();
	unsigned i;

	for (i = 0; i < COUNTERS; i++)
		if (json_object_set_new(object, counter_name(i),
		    json_integer(totals->counters[i])) < 0)
			break;
	if (i == COUNTERS)
		return object;
	json_decref(object);
	return NULL;
}

static json_t *
make_worker(const struct super *super, const struct worker *worker)
{
	return json_pack("{s:I, s:I, s:s, s:I}",
	    "pid", (json_int_t)worker->pid,
	    "slot", (json_int_t)worker->slot,
	    "state", worker_words[worker->state],
	    "seconds", worker->pid > 0 ?
	    seconds_since(super, worker->started_at) : (json_int_t)0);
}

static json_t *
make_workers(const struct super *super, const struct generation *gen)
{
	json_t *list = json_array();
	unsigned i;

	for (i = 0; i < gen->slots; i++)
		if (gen->workers[i].state != WORKER_NONE)
			list = list_add(list,
			    make_worker(super, &gen->workers[i]));
	return list;
}

static json_t *
make_generation(const struct super *super, const struct generation *gen)
{
	struct totals sum = { 0 }, *totals = &sum;

	totals_add(totals, gen->slab, gen->slots);
	return json_pack("{s:I, s:s, s:I, s:I, s:o}",
	    "number", (json_int_t)gen->number,
	    "state", gen_state_shown(gen->state),
	    "uptime_seconds", generation_uptime(super, gen),
	    "active", (json_int_t)totals->counters[COUNTER_ACTIVE],
	    "workers", make_workers(super, gen));
}

struct maker {
	const struct super *super;
	json_t *list;                   /* NULL: no memory */
};

static void
add_generation(struct generation *gen, void *arg)
{
	struct maker *maker = arg;

	if (gen->state != GEN_GONE)
		maker->list = list_add(maker->list,
		    make_generation(maker->super, gen));
}

static json_t *
make_generations(const struct super *super, const struct listener *listener)
{
	struct maker maker = { super, json_array() };

	listener_each(listener, add_generation, &maker);
	return maker.list;
}

/* Wholes */

/* How its processes wait: what they said when they were ready. */
static json_t *
make_io(const struct generation *gen)
{
	const char *word = gen != NULL ? io_word(gen->io) : NULL;

	return word != NULL ? json_string(word) : json_null();
}

static json_t *
make_listener(const struct super *super, struct listener *listener)
{
	const struct listener_conf *conf = listener->conf;
	const struct generation *gen = listener->current;
	const struct totals *totals = listener_totals(listener);

	drops_look(listener);
	return json_pack("{s:o, s:s, s:o, s:o, s:s, s:o, s:o, s:I, s:I, s:I,"
	    " s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
	    "name", answer_text(listener->name),
	    "state", listener_state(listener),
	    "addresses", make_addresses(listener),
	    "handler", answer_text(conf->handler),
	    "concurrency", concurrency_word(conf->concurrency),
	    "io", make_io(gen),
	    "workers", make_pids(gen),
	    "active", (json_int_t)totals->counters[COUNTER_ACTIVE],
	    "requests", (json_int_t)totals->counters[COUNTER_REQUESTS],
	    "errors", (json_int_t)totals->counters[COUNTER_ERRORS],
	    "refused", make_refused(totals),
	    "restarts", listener_restarts(listener),
	    "generation", (json_int_t)(gen != NULL ? gen->number : 0),
	    "uptime_seconds", listener_uptime(super, listener),
	    "draining", (json_int_t)listener_count_draining(listener),
	    "accepted", (json_int_t)totals->counters[COUNTER_ACCEPTED],
	    "bytes_in", (json_int_t)totals->counters[COUNTER_BYTES_IN],
	    "bytes_out", (json_int_t)totals->counters[COUNTER_BYTES_OUT],
	    "datagrams_dropped", (json_int_t)listener->drops.total);
}

static json_t *
make_listeners(const struct super *super)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < super->listener_count; i++)
		list = list_add(list,
		    make_listener(super, super->listeners[i]));
	return list;
}

/* null: there was none. */
static json_t *
make_last_reload(const struct super *super)
{
	const struct reload_last *last = &super->reload.last;

	if (last->at == 0)
		return json_null();
	if (last->is_ok)
		return json_pack("{s:b, s:I}", "ok", true, "seconds_ago",
		    seconds_since(super, last->at));
	return json_pack("{s:b, s:I, s:o}", "ok", false, "seconds_ago",
	    seconds_since(super, last->at), "error",
	    answer_text(last->why.text));
}

json_t *
status_confirm(const struct super *super)
{
	int64_t ms = reload_confirm_ms(&super->reload);

	return ms < 0 ? json_null() : json_integer((ms + 999) / 1000);
}

json_t *
status_daemon(const struct super *super)
{
	return json_pack("{s:s, s:I, s:s, s:I, s:I, s:o, s:o, s:o, s:o}",
	    "version", PACKAGE_VERSION,
	    "pid", (json_int_t)getpid(),
	    "state", phase_words[super->phase],
	    "uptime_seconds", seconds_since(super, super->started_at),
	    "generation", (json_int_t)super->reload.applied,
	    "config", answer_text(super->held->config->file),
	    "last_reload", make_last_reload(super),
	    "confirm_seconds", status_confirm(super),
	    "listeners", make_listeners(super));
}

json_t *
status_list(const struct super *super)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < super->listener_count; i++)
		list = list_add(list, json_pack("{s:o, s:s, s:o}",
		    "name", answer_text(super->listeners[i]->name),
		    "state", listener_state(super->listeners[i]),
		    "addresses", make_addresses(super->listeners[i])));
	return list;
}

/* Takes both. */
static json_t *
join(json_t *object, json_t *more)
{
	int r = object == NULL || more == NULL ? -1 :
	    json_object_update(object, more);

	json_decref(more);
	if (r == 0)
		return object;
	json_decref(object);
	return NULL;
}

static json_t *
make_peers(const struct crash *crash)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < crash->peer_count; i++)
		list = list_add(list, answer_text(crash->peers[i]));
	return list;
}

/* RFC 3339, UTC. */
static json_t *
make_time(int64_t time_ns)
{
	time_t seconds = (time_t)(time_ns / CLOCK_SECOND);
	char text[32];
	struct tm tm;

	if (gmtime_r(&seconds, &tm) == NULL ||
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		return json_null();
	return json_string(text);
}

/* null: it had none. */
static json_t *
make_crash(const struct super *super, const struct crash *crash)
{
	if (crash->time_ns == 0)
		return json_null();
	return json_pack("{s:o, s:I, s:o, s:o, s:o, s:I, s:I, s:o}",
	    "time", make_time(crash->time_ns),
	    "seconds_ago", seconds_since(super, crash->at),
	    "how", answer_text(crash->how),
	    "handler", answer_text(crash->handler),
	    "build_id", answer_text(crash->build_id),
	    "worker", (json_int_t)crash->pid,
	    "generation", (json_int_t)crash->generation,
	    "peers", make_peers(crash));
}

json_t *
status_show(const struct super *super, struct listener *listener)
{
	const struct totals *totals = listener_totals(listener);

	return join(make_listener(super, listener),
	    json_pack("{s:o, s:o, s:o, s:o, s:o}",
	    "handler_file", answer_text(listener->conf->handler_file),
	    "generations", make_generations(super, listener),
	    "counters", make_counters(totals),
	    "crash", make_crash(super, &listener->crash),
	    "retry_seconds", generation_retry(super, listener->current)));
}

static const char *
health_of(const struct listener *listener)
{
	if (listener->current == NULL ||
	    listener->current->state != GEN_SERVING)
		return listener_state(listener);
	return generation_is_whole(listener->current) ? "ready" : "degraded";
}

const char *
status_health(const struct super *super, const struct listener *listener)
{
	size_t i, ready = 0, serving = 0;
	const char *word;

	if (listener != NULL)
		return health_of(listener);
	if (super->phase > SUPER_LAME)
		return "draining";
	if (super->phase != SUPER_SERVING)
		return phase_words[super->phase];
	for (i = 0; i < super->listener_count; i++) {
		word = health_of(super->listeners[i]);
		ready += strcmp(word, "ready") == 0;
		serving += strcmp(word, "ready") == 0 ||
		    strcmp(word, "degraded") == 0;
	}
	if (ready == super->listener_count)
		return "ready";
	return serving > 0 ? "degraded" : "failed";
}
