/* SPDX-License-Identifier: ISC */
/*
 * From the root down. What several hold (configurations, sockets) stands in a
 * table at the front, once, and goes by its place there.
 */
#include "super/carry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/channel.h"
#include "base/gather.h"
#include "base/stats.h"
#include "conf/flat.h"
#include "super/command.h"
#include "super/scaling.h"
#include "super/super.h"

#define MANY 1000000            /* of anything: a number beyond is none */

struct carry {
	struct state *state;
	struct super *super;
	void **held;                    /* owned; struct held, which are held
					 * here while they are read */
	size_t held_count;
	void **bounds;                  /* owned; struct bound */
	size_t bound_count;
};

/* What several hold */

/* The place of an item, which is added if need be; -1: none, or no memory. */
static int64_t
table_place(struct carry *carry, void ***items, size_t *count, void *item)
{
	void **more;
	size_t i;

	if (item == NULL)
		return -1;
	for (i = 0; i < *count; i++)
		if ((*items)[i] == item)
			return (int64_t)i;
	more = realloc(*items, (*count + 1) * sizeof(*more));
	if (more == NULL) {
		state_fail(carry->state, "out of memory");
		return -1;
	}
	*items = more;
	(*items)[(*count)++] = item;
	return (int64_t)i;
}

static int64_t
held_place(struct carry *carry, struct held *held)
{
	return table_place(carry, &carry->held, &carry->held_count, held);
}

static int64_t
bound_place(struct carry *carry, struct bound *bound)
{
	return table_place(carry, &carry->bounds, &carry->bound_count, bound);
}

static void
note_sockets(struct carry *carry, const struct bound_list *list)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		(void)bound_place(carry, list->items[i]);
}

static void
note_generation(struct generation *gen, void *arg)
{
	(void)held_place(arg, gen->held);
	note_sockets(arg, &gen->sockets);
}

static void
note_all(struct carry *carry)
{
	struct super *super = carry->super;
	size_t i;

	(void)held_place(carry, super->held);
	(void)held_place(carry, super->reload.previous);
	for (i = 0; i < super->listener_count; i++) {
		struct listener *listener = super->listeners[i];

		(void)held_place(carry, listener->held);
		note_sockets(carry, &listener->sockets);
		listener_each(listener, note_generation, carry);
	}
}

static void
write_config(struct state *state, struct held *held)
{
	struct buf flat;

	buf_init(&flat, 0);
	if (flat_encode(&flat, held->config) < 0)
		state_fail(state, "out of memory");
	else
		state_bytes(state, "config", &flat.data, &flat.len);
	buf_free(&flat);
}

static struct held *
read_config(struct state *state)
{
	struct config *config = NULL;
	struct held *held = NULL;
	struct err err = { "" };
	char *flat;
	size_t len;

	state_bytes(state, "config", &flat, &len);
	if (flat != NULL)
		config = flat_decode(flat, len, &err);
	if (config != NULL)
		held = held_new(&config);
	if (held == NULL)
		state_fail(state, "the configuration: %s", err.text);
	free(flat);
	return held;
}

static void
carry_configs(struct carry *carry)
{
	struct state *state = carry->state;
	size_t i, count = carry->held_count;

	STATE_BELOW(state, "configs", count, MANY);
	for (i = 0; i < count && !state->has_failed; i++)
		if (state->is_reading)
			(void)held_place(carry, read_config(state));
		else
			write_config(state, carry->held[i]);
}

/* The kernel knows the rest. */
static void
carry_endpoint(struct state *state, struct endpoint *ep)
{
	struct endpoint has = *ep;
	struct err err;

	state_fd(state, "socket", &has.fd);
	state_fd(state, "lock", &has.lock_fd);
	STATE_NUMBER(state, "adopted", has.is_adopted);
	STATE_NUMBER(state, "path", has.owns_path);
	STATE_NUMBER(state, "kept", has.is_kept);
	STATE_NUMBER(state, "dev", has.path_dev);
	STATE_NUMBER(state, "ino", has.path_ino);
	if (!state->is_reading || state->has_failed)
		return;
	if (endpoint_adopt(ep, has.fd, &err) < 0) {
		state_fail(state, "%s", err.text);
		return;
	}
	ep->lock_fd = has.lock_fd;
	ep->is_adopted = has.is_adopted;
	ep->owns_path = has.owns_path;
	ep->is_kept = has.is_kept;
	ep->path_dev = has.path_dev;
	ep->path_ino = has.path_ino;
}

static void
carry_bound(struct carry *carry, struct bound *bound)
{
	struct state *state = carry->state;
	bool is_stored = bound->store != NULL;
	bool is_inherited = bound->inherit != NULL;

	state_text(state, "address", &bound->address);
	STATE_NUMBER(state, "stored", is_stored);
	STATE_NUMBER(state, "inherited", is_inherited);
	STATE_NUMBER(state, "shared", bound->is_shared);
	STATE_NUMBER(state, "dropped", bound->dropped);
	if (is_stored)
		bound->store = &carry->super->store;
	if (is_inherited)
		bound->inherit = &carry->super->inherit;
	if (bound->address == NULL)
		state_fail(state, "a socket has no address");
	carry_endpoint(state, &bound->endpoint);
}

static void
carry_bounds(struct carry *carry)
{
	struct state *state = carry->state;
	size_t i, count = carry->bound_count;

	STATE_BELOW(state, "sockets", count, MANY);
	for (i = 0; i < count && !state->has_failed; i++) {
		if (state->is_reading)
			(void)bound_place(carry,
			    calloc(1, sizeof(struct bound)));
		if (i < carry->bound_count)
			carry_bound(carry, carry->bounds[i]);
		else
			state_fail(state, "out of memory");
	}
}

/* required: it must be there. */
static void
carry_held(struct carry *carry, struct held **held, bool required)
{
	struct state *state = carry->state;
	int64_t place = state->is_reading ? -1 : held_place(carry, *held);

	place = state_number(state, "held", place);
	if (!state->is_reading || state->has_failed)
		return;
	if (place >= 0 && (size_t)place < carry->held_count)
		*held = held_get(carry->held[place]);
	else if (place != -1 || required)
		state_fail(state, "there is no configuration %d", (int)place);
}

/* The configuration of a listener within one that is held. */
static void
carry_conf(struct carry *carry, struct held **held,
    const struct listener_conf **conf, const char *name)
{
	carry_held(carry, held, true);
	if (!carry->state->is_reading || carry->state->has_failed)
		return;
	*conf = config_find((*held)->config, name);
	if (*conf == NULL)
		state_fail(carry->state, "listener \"%s\" is not in its "
		    "configuration", name);
}

static void
carry_sockets(struct carry *carry, struct bound_list *list)
{
	struct state *state = carry->state;
	size_t i, count = list->count, place = 0;

	STATE_BELOW(state, "holds", count, MANY);
	for (i = 0; i < count && !state->has_failed; i++) {
		if (!state->is_reading)
			place = (size_t)bound_place(carry, list->items[i]);
		STATE_BELOW(state, "place", place, MANY);
		if (!state->is_reading)
			continue;
		if (place >= carry->bound_count)
			state_fail(state, "there is no socket %zu", place);
		else if (bound_list_add(list, carry->bounds[place]) < 0)
			state_fail(state, "out of memory");
	}
}

/* Small ones */

/* at 0: it does not run. Whoever owns it starts it. */
static void
carry_timer(struct state *state, const char *key, struct timer *timer)
{
	int64_t at = timer_is_running(timer) ? timer->at : 0;

	at = state_number(state, key, at);
	if (state->is_reading)
		timer->at = at;
}

static void
carry_totals(struct state *state, struct totals *totals)
{
	size_t i;

	for (i = 0; i < COUNTERS; i++)
		STATE_NUMBER(state, counter_name(i), totals->counters[i]);
	for (i = 0; i < REASONS; i++)
		STATE_NUMBER(state, "refused", totals->refused[i]);
}

static void
carry_crash(struct state *state, struct crash *crash)
{
	size_t i;

	STATE_NUMBER(state, "time", crash->time_ns);
	STATE_NUMBER(state, "at", crash->at);
	state_chars(state, "how", crash->how, sizeof(crash->how));
	STATE_NUMBER(state, "signal", crash->signal);
	STATE_NUMBER(state, "status", crash->status);
	STATE_NUMBER(state, "ours", crash->was_ours);
	STATE_NUMBER(state, "ready", crash->was_ready);
	state_chars(state, "handler", crash->handler, sizeof(crash->handler));
	state_chars(state, "build_id", crash->build_id,
	    sizeof(crash->build_id));
	STATE_NUMBER(state, "pid", crash->pid);
	STATE_NUMBER(state, "slot", crash->slot);
	STATE_NUMBER(state, "generation", crash->generation);
	STATE_NUMBER(state, "active", crash->active);
	STATE_BELOW(state, "peers", crash->peer_count, CRASH_PEERS);
	for (i = 0; i < crash->peer_count; i++)
		state_chars(state, "peer", crash->peers[i], CRASH_PEER_SIZE);
}

/* A service process */

static void
carry_backoff(struct state *state, struct backoff *backoff)
{
	STATE_NUMBER(state, "initial", backoff->initial_ms);
	STATE_NUMBER(state, "maximum", backoff->maximum_ms);
	STATE_NUMBER(state, "next", backoff->next_ms);
	STATE_NUMBER(state, "since", backoff->serving_since);
	STATE_NUMBER(state, "jitter", backoff->jitter);
}

/* `why` is a string that stays: with its generation. */
static void
carry_why(struct state *state, struct worker *worker)
{
	char why[128] = "";

	if (worker->why != NULL)
		(void)snprintf(why, sizeof(why), "%s", worker->why);
	state_chars(state, "why", why, sizeof(why));
	if (state->is_reading && why[0] != '\0')
		worker->why = arena_strdup(&worker->gen->spawn.arena, why);
}

static void
carry_worker_flags(struct state *state, struct worker *worker)
{
	STATE_NUMBER(state, "reported", worker->has_reported);
	STATE_NUMBER(state, "ready", worker->was_ready);
	STATE_NUMBER(state, "leaving", worker->is_leaving);
	STATE_NUMBER(state, "released", worker->has_released);
	STATE_NUMBER(state, "collect", worker->must_collect);
	STATE_NUMBER(state, "done", worker->is_done);
	STATE_NUMBER(state, "failed", worker->has_failed);
	STATE_NUMBER(state, "asked", worker->heartbeat.is_asked);
	STATE_NUMBER(state, "full", worker->heartbeat.was_full);
	STATE_NUMBER(state, "spared", worker->heartbeat.was_spared);
}

static void
carry_worker(struct state *state, struct worker *worker)
{
	bool is_heard = worker->channel_watch.fd >= 0;

	STATE_BELOW(state, "worker", worker->state, WORKER_STATES - 1);
	carry_worker_flags(state, worker);
	carry_why(state, worker);
	STATE_BELOW(state, "pid", worker->pid, INT32_MAX);
	STATE_NUMBER(state, "started", worker->started_at);
	state_fd(state, "pidfd", &worker->pidfd);
	state_fd(state, "channel", &worker->channel);
	STATE_NUMBER(state, "heard", is_heard);
	carry_timer(state, "timer", &worker->timer);
	carry_backoff(state, &worker->backoff);
	STATE_NUMBER(state, "accepted", worker->score.accepted);
	STATE_NUMBER(state, "requests", worker->score.requests);
	STATE_NUMBER(state, "errors", worker->score.errors);
	if (state->is_reading && !state->has_failed &&
	    worker_resume(worker, is_heard) < 0)
		state_fail(state, "process %ld cannot be watched",
		    (long)worker->pid);
}

/* A generation */

static void
carry_generation_numbers(struct state *state, struct generation *gen)
{
	STATE_NUMBER(state, "number", gen->number);
	STATE_BELOW(state, "state", gen->state, GEN_STATES - 1);
	STATE_NUMBER(state, "settled", gen->has_settled);
	STATE_NUMBER(state, "taking", gen->is_taking);
	STATE_NUMBER(state, "sharing", gen->is_sharing);
	STATE_NUMBER(state, "io", gen->io);
	STATE_NUMBER(state, "hurried", gen->is_hurried);
	STATE_BELOW(state, "slots", gen->size.slots, MANY);
	STATE_BELOW(state, "seats", gen->size.seats, STATS_SEATS_MAX);
	STATE_BELOW(state, "least", gen->workers_min, gen->size.slots);
	state_fd(state, "stats", &gen->slab_fd);
	state_fd(state, "access", &gen->access_fd);
	state_fd(state, "relay_in", &gen->relay[0]);
	state_fd(state, "relay_out", &gen->relay[1]);
	STATE_NUMBER(state, "cut_short", gen->cut_short);
	STATE_NUMBER(state, "restarts", gen->restarts);
	STATE_NUMBER(state, "serving_at", gen->serving_at);
}

static void
carry_generation_fields(struct carry *carry, struct generation *gen,
    const char *name)
{
	struct state *state = carry->state;
	struct err err;
	unsigned i;

	carry_conf(carry, &gen->held, &gen->conf, name);
	carry_sockets(carry, &gen->sockets);
	carry_generation_numbers(state, gen);
	if (state->is_reading && !state->has_failed &&
	    generation_resume(gen, &err) < 0)
		state_fail(state, "%s", err.text);
	for (i = 0; i < gen->slots && !state->has_failed; i++)
		carry_worker(state, &gen->workers[i]);
	if (state->is_reading && !state->has_failed &&
	    gen->state < GEN_DRAINING)
		scaling_start(gen);
}

/* *gen may be NULL: there is none. */
static void
carry_generation(struct carry *carry, struct generation **gen,
    struct listener *listener)
{
	struct state *state = carry->state;
	bool is_there = *gen != NULL;

	STATE_NUMBER(state, "generation", is_there);
	if (!is_there || state->has_failed)
		return;
	if (state->is_reading)
		*gen = generation_revive(listener->env);
	if (*gen == NULL) {
		state_fail(state, "out of memory");
		return;
	}
	(*gen)->listener = listener;
	carry_generation_fields(carry, *gen, listener->name);
}

/* Those that drain, newest first. */
static void
carry_draining(struct carry *carry, struct listener *listener)
{
	struct generation **link = &listener->draining;
	size_t i, count = listener_count_draining(listener);

	STATE_BELOW(carry->state, "draining", count, MANY);
	for (i = 0; i < count && !carry->state->has_failed; i++) {
		carry_generation(carry, link, listener);
		if (*link == NULL)
			return;
		link = &(*link)->older;
	}
}

/* A listener */

static void
carry_listener_numbers(struct state *state, struct listener *listener)
{
	STATE_BELOW(state, "mode", listener->mode, LISTENER_LEAVING);
	STATE_NUMBER(state, "last_number", listener->last_number);
	carry_timer(state, "handover", &listener->handover);
	carry_totals(state, &listener->totals);
	carry_totals(state, &listener->shown);
	STATE_NUMBER(state, "dropped", listener->drops.total);
	STATE_NUMBER(state, "told", listener->drops.told);
	STATE_NUMBER(state, "told_at", listener->drops.told_at);
	STATE_NUMBER(state, "cut_short", listener->cut_short);
	STATE_NUMBER(state, "restarts", listener->restarts);
	STATE_NUMBER(state, "serving_since", listener->serving_since);
	carry_crash(state, &listener->crash);
	state_chars(state, "complaint", listener->complaint.text,
	    sizeof(listener->complaint.text));
}

static void
carry_listener(struct carry *carry, struct listener *listener)
{
	struct state *state = carry->state;

	state_text(state, "listener", &listener->name);
	if (listener->name == NULL) {
		state_fail(state, "a listener has no name");
		return;
	}
	carry_conf(carry, &listener->held, &listener->conf, listener->name);
	carry_sockets(carry, &listener->sockets);
	carry_listener_numbers(state, listener);
	carry_generation(carry, &listener->current, listener);
	carry_generation(carry, &listener->next, listener);
	carry_draining(carry, listener);
	if (state->is_reading && !state->has_failed &&
	    listener_resume(listener) < 0)
		state_fail(state, "out of memory");
}

static void
carry_listeners(struct carry *carry)
{
	struct super *super = carry->super;
	struct state *state = carry->state;
	size_t i, count = super->listener_count;
	struct listener *new;

	STATE_BELOW(state, "listeners", count, MANY);
	for (i = 0; i < count && !state->has_failed; i++) {
		if (!state->is_reading) {
			carry_listener(carry, super->listeners[i]);
			continue;
		}
		new = calloc(1, sizeof(*new));
		if (new == NULL || super_add_listener(super, new) < 0) {
			state_fail(state, "out of memory");
			return;
		}
		new->env = &super->env;
		carry_listener(carry, new);
	}
}

/* The control socket */

static void
carry_client(struct state *state, struct control_client *client)
{
	char *line = client->line;
	size_t sent = client->answer.len > 0 ? client->sent : 0;

	STATE_BELOW(state, "client", client->state, CONTROL_ANSWERING);
	if (client->state == CONTROL_FREE)
		return;
	state_fd(state, "fd", &client->fd);
	STATE_NUMBER(state, "uid", client->uid);
	STATE_NUMBER(state, "pid", client->pid);
	STATE_NUMBER(state, "may_change", client->may_change);
	STATE_NUMBER(state, "last", client->is_last);
	STATE_NUMBER(state, "ticket", client->ticket);
	state_bytes(state, "line", &line, &client->line_len);
	if (client->line_len > sizeof(client->line))
		state_fail(state, "line is too long");
	else if (state->is_reading && line != NULL)
		memcpy(client->line, line, client->line_len);
	if (state->is_reading)
		free(line);
	state_bytes(state, "answer", &client->answer.data,
	    &client->answer.len);
	if (state->is_reading && client->answer.len == 0)
		buf_free(&client->answer);
	else if (state->is_reading)
		client->answer.cap = client->answer.len + 1;
	STATE_BELOW(state, "sent", sent, client->answer.len);
	client->sent = sent;
	carry_timer(state, "timer", &client->timer);
}

static void
carry_control(struct carry *carry)
{
	struct super *super = carry->super;
	struct state *state = carry->state;
	bool is_there = super->control != NULL;
	struct control *control;
	size_t i;

	STATE_NUMBER(state, "control", is_there);
	if (!is_there || state->has_failed)
		return;
	if (state->is_reading)
		super->control = control_revive(super->loop, command_run,
		    super);
	control = super->control;
	if (control == NULL) {
		state_fail(state, "out of memory");
		return;
	}
	carry_endpoint(state, &control->endpoint);
	STATE_NUMBER(state, "shared", control->is_shared);
	STATE_NUMBER(state, "last_ticket", control->last_ticket);
	for (i = 0; i < WIRE_CLIENTS_MAX; i++)
		carry_client(state, &control->clients[i]);
	if (state->is_reading && !state->has_failed &&
	    control_resume(control) < 0)
		state_fail(state, "the control socket cannot be watched");
}

/* The reload that was, and those that wait */

/* Where the daemon was started; this program is in another. */
static void
carry_directory(struct state *state, struct loader *loader)
{
	char *here = loader->directory;

	state_text(state, "directory", &loader->directory);
	if (state->is_reading)
		free(here);
}

static void
carry_reload(struct carry *carry)
{
	struct reload *reload = &carry->super->reload;
	struct state *state = carry->state;
	unsigned i;

	if (state->is_reading)
		loader_init(&reload->loader);
	carry_directory(state, &reload->loader);
	carry_held(carry, &reload->previous, false);
	carry_timer(state, "confirm", &reload->confirm);
	STATE_NUMBER(state, "applied", reload->applied);
	STATE_NUMBER(state, "last_at", reload->last.at);
	STATE_NUMBER(state, "last_ok", reload->last.is_ok);
	state_chars(state, "last_why", reload->last.why.text,
	    sizeof(reload->last.why.text));
	STATE_BELOW(state, "queued", reload->queued, RELOAD_QUEUE_MAX);
	for (i = 0; i < reload->queued; i++) {
		struct reload_request *request = &reload->queue[i];

		STATE_BELOW(state, "kind", request->kind, RELOAD_BACK);
		STATE_NUMBER(state, "ticket", request->ticket);
		STATE_NUMBER(state, "confirm_ms", request->confirm_ms);
	}
	if (state->is_reading && !state->has_failed)
		reload_revive(reload);
}

static void
carry_waits(struct state *state, struct super *super)
{
	size_t i;

	for (i = 0; i < WAITS_MAX; i++) {
		struct wait *wait = &super->waits[i];

		STATE_NUMBER(state, "wait", wait->ticket);
		if (wait->ticket == 0)
			continue;
		state_chars(state, "name", wait->name, sizeof(wait->name));
		STATE_NUMBER(state, "generation", wait->generation);
	}
}

/* What is one for the daemon */

static void
carry_inherit(struct state *state, struct inherit *inherit)
{
	size_t i;

	STATE_BELOW(state, "inherited", inherit->count, INHERIT_MAX);
	if (state->is_reading)
		inherit->fds = calloc(inherit->count + 1,
		    sizeof(*inherit->fds));
	if (inherit->fds == NULL && inherit->count > 0) {
		state_fail(state, "out of memory");
		return;
	}
	for (i = 0; i < inherit->count; i++) {
		state_fd(state, "fd", &inherit->fds[i].fd);
		state_chars(state, "name", inherit->fds[i].name,
		    sizeof(inherit->fds[i].name));
	}
}

static void
carry_earlier(struct state *state, struct earlier *earlier)
{
	size_t i;

	STATE_BELOW(state, "earlier", earlier->count, REAP_EARLIER);
	for (i = 0; i < earlier->count; i++)
		STATE_NUMBER(state, "pid", earlier->pids[i]);
	STATE_NUMBER(state, "unknown", earlier->is_unknown);
}

static void
carry_log(struct state *state, struct super *super)
{
	struct upgrade_log *log = &super->upgrade.log;

	state_text(state, "log", &super->log_target);
	if (super->log_target == NULL)
		state_fail(state, "the log has no target");
	state_fd(state, "fd", &log->fd);
	STATE_BELOW(state, "kind", log->kind, LOG_KIND_JOURNAL);
	STATE_BELOW(state, "format", log->format, LOG_FORMAT_JSON);
	STATE_BELOW(state, "level", log->level, LOG_LEVEL_ERROR);
	STATE_NUMBER(state, "lines", log->is_access_on);
	if (state->is_reading)
		super->env.log_fd = log->fd;
}

static void
carry_files(struct state *state, struct super *super)
{
	state_text(state, "pidfile", &super->pidfile_path);
	state_fd(state, "fd", &super->pidfile.fd);
	super->pidfile.path = super->pidfile_path;
	state_text(state, "address_file", &super->address_file);
}

static void
carry_numbers(struct state *state, struct super *super)
{
	STATE_NUMBER(state, "started_at", super->started_at);
	STATE_NUMBER(state, "id_blocks", super->id_blocks);
	STATE_NUMBER(state, "store_max", super->store.max);
	STATE_NUMBER(state, "store_held", super->store.held);
	STATE_NUMBER(state, "store_told", super->store.has_told);
	STATE_NUMBER(state, "ticket", super->upgrade.ticket);
	state_text(state, "program", &super->upgrade.path);
}

/* What the running processes and this program have in common: a difference is
 * no fault, but they cannot work together. */
static void
carry_version(struct state *state)
{
	const struct {
		const char *key;
		int64_t n;
	} rows[] = {
		{ "format", CARRY_FORMAT },
		{ "messages", MESSAGE_TYPES },
		{ "message", sizeof(struct message) },
		{ "counters", sizeof(struct stats) },
		{ "seat", sizeof(struct seat) },
		{ "access lines", GATHER_MAX },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (state_number(state, rows[i].key, rows[i].n) != rows[i].n)
			state_fail(state, "the running daemon is of a version "
			    "that this one cannot go on with (%s); restart it",
			    rows[i].key);
}

/* The tables let go of what they have read. */
static void
carry_close(struct carry *carry)
{
	size_t i;

	for (i = 0; carry->state->is_reading && i < carry->held_count; i++) {
		struct held *held = carry->held[i];

		held_put(&held);
	}
	for (i = 0; i < carry->bound_count; i++) {
		const struct bound *bound = carry->bounds[i];

		if (bound->holders == 0)
			state_fail(carry->state, "nobody holds socket %zu", i);
	}
	free(carry->held);
	free(carry->bounds);
}

void
carry_super(struct state *state, struct super *super)
{
	struct carry carry = { .state = state, .super = super };

	if (!state->is_reading)
		note_all(&carry);
	carry_version(state);
	carry_numbers(state, super);
	carry_log(state, super);
	carry_files(state, super);
	carry_earlier(state, &super->earlier);
	carry_inherit(state, &super->inherit);
	carry_configs(&carry);
	carry_bounds(&carry);
	carry_held(&carry, &super->held, true);
	carry_listeners(&carry);
	carry_control(&carry);
	carry_reload(&carry);
	carry_waits(state, super);
	carry_close(&carry);
}
