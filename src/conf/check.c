/* SPDX-License-Identifier: ISC */
/*
 * What the rows cannot judge alone: values against each other and against the
 * system. Every listener is checked whole; a key that has a fault already is
 * not judged again.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "base/acl.h"
#include "base/addr.h"
#include "conf/draft.h"

#define NAME_LENGTH_MAX 63
#define STACK_MIN 65536         /* glibc's own needs, and a request's */

/* --- names --- */

static bool
is_name(const char *name)
{
	if (*name == '.' || *name == '-' || strlen(name) > NAME_LENGTH_MAX)
		return false;
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && !strchr("-_.", *name))
			return false;
	return true;
}

static void
check_name(struct draft *draft, const struct draft_listener *listener)
{
	const char *name = listener->conf->name;

	if (!*name || is_name(name))
		return;
	draft_fault(draft, listener, "name", NULL, "\"%.80s\" is no name; at "
	    "most %d letters, digits, - _ and . are allowed, not - or . at the "
	    "start",
	    name, NAME_LENGTH_MAX);
}

static void
check_duplicate_name(struct draft *draft, size_t i)
{
	const struct draft_listener *listener = &draft->listeners[i];
	const struct value *first;

	if (!*listener->conf->name)
		return;
	for (size_t j = 0; j < i; j++) {
		if (strcmp(draft->listeners[j].conf->name,
		    listener->conf->name) != 0)
			continue;
		first = draft_given(&draft->listeners[j], "name");
		draft_fault(draft, listener, "name", NULL, "is used twice, "
		    "first at %s:%u; give each listener a name of its own",
		    first->file, first->line);
		return;
	}
}

static void
check_required(struct draft *draft, const struct draft_listener *listener)
{
	for (size_t i = 0; i < listener_table.count; i++) {
		const struct conf_row *row = &listener_table.rows[i];

		if (row->is_required && !listener->given[i])
			draft_fault(draft, listener, row->path, NULL,
			    "is missing; "
			    "every listener needs it, as in %s = "
			    "%s;", row->path,
			    row->example);
	}
}

/* --- keys and the concurrency --- */

static void
list_models(const struct conf_row *row, struct buf *out)
{
	const struct conf_row *choice = row_find(&listener_table,
	    "concurrency");

	for (unsigned i = 0; choice->choices[i]; i++)
		if (row_applies(row, i))
			(void)buf_printf(out, "%s\"%s\"",
			    out->len ? " or " : "", choice->choices[i]);
}

static const char *
model_word(const struct listener_conf *conf)
{
	return row_find(&listener_table, "concurrency")->choices[
	    conf->concurrency];
}

/* What a key of the wrong model holds is put back: it can do nothing. */
static void
check_applies(struct draft *draft, const struct draft_listener *listener)
{
	for (size_t i = 0; i < listener_table.count; i++) {
		const struct conf_row *row = &listener_table.rows[i];
		struct buf models;

		if (row_applies(row, listener->conf->concurrency))
			continue;
		if (row_set_default(row, listener->conf, &draft->config->arena))
			draft->failed = true;
		if (!listener->is_own[i])
			continue;
		buf_init(&models, 0);
		list_models(row, &models);
		draft_fault(draft, listener, row->path, NULL, "does not apply "
		    "to concurrency \"%s\"; it is for %s only",
		    model_word(listener->conf), models.data ? models.data : "");
		buf_free(&models);
	}
}

/* --- keys and the sockets --- */

static void
tell_useless(struct draft *draft, const struct draft_listener *listener,
    const struct conf_row *row, unsigned sockets)
{
	struct buf kinds;

	buf_init(&kinds, 0);
	row_list_sockets(row, " or ", &kinds);
	if (sockets == ROW_ON_FD && row->unit_key)
		draft_fault(draft, listener, row->path, NULL, "does nothing "
		    "for a socket that is handed over; set %s= in its socket "
		    "unit", row->unit_key);
	else
		draft_fault(draft, listener, row->path, NULL, "does nothing "
		    "for any address of this listener; it is for %s only, or "
		    "for defaults", kinds.data ? kinds.data : "");
	buf_free(&kinds);
}

/* As with the concurrency: what can do nothing is put back. */
static void
check_serves(struct draft *draft, const struct draft_listener *listener)
{
	unsigned sockets = row_sockets(listener->conf);

	for (size_t i = 0; i < listener_table.count; i++) {
		const struct conf_row *row = &listener_table.rows[i];

		if (row_serves(row, sockets))
			continue;
		if (row_set_default(row, listener->conf, &draft->config->arena))
			draft->failed = true;
		if (listener->is_own[i] && !listener->is_bad[i])
			tell_useless(draft, listener, row, sockets);
	}
}

/* --- numbers --- */

static int64_t
processors(void)
{
	cpu_set_t set;
	long n;

	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		return CPU_COUNT(&set);
	n = sysconf(_SC_NPROCESSORS_ONLN);
	return n > 0 ? n : 1;
}

/* "auto", and the default of a pool of processes, give way to max_connections;
 * a number that somebody wrote does not. */
static void
settle_workers(const struct draft_listener *listener)
{
	struct listener_conf *conf = listener->conf;
	bool is_event = conf->concurrency == CONCURRENCY_EVENT;
	bool is_prefork = conf->concurrency == CONCURRENCY_PREFORK;

	if (conf->workers == -1 || (conf->workers == 0 && is_event))
		conf->workers = processors();
	else if (conf->workers == 0 && is_prefork)
		conf->workers = PREFORK_WORKERS;
	else
		return;
	if (conf->workers > conf->max_connections)
		conf->workers = conf->max_connections;
	if (conf->max_workers && conf->workers > conf->max_workers)
		conf->workers = conf->max_workers;
}

static void
check_pool(struct draft *draft, const struct draft_listener *listener)
{
	const struct listener_conf *conf = listener->conf;

	if (conf->workers > conf->max_connections)
		draft_fault(draft, listener, "workers", NULL,
		    "%" PRId64 " is above "
		    "max_connections, %" PRId64 "; at most that many can be "
		    "busy",
		    conf->workers, conf->max_connections);
	if (conf->max_workers > conf->max_connections)
		draft_fault(draft, listener, "max_workers", NULL,
		    "%" PRId64 " is "
		    "above max_connections, %" PRId64 "; at most that many can "
		    "be busy", conf->max_workers, conf->max_connections);
	if (conf->max_workers && conf->max_workers < conf->workers)
		draft_fault(draft, listener, "max_workers", NULL,
		    "%" PRId64 " is "
		    "below workers, %" PRId64 "; 0 or workers and more is "
		    "allowed",
		    conf->max_workers, conf->workers);
}

/* A thread for each request is no pool that could grow. */
static void
check_growth(struct draft *draft, const struct draft_listener *listener)
{
	struct listener_conf *conf = listener->conf;

	if (conf->workers > 0 || conf->max_workers == 0)
		return;
	if (draft_is_own(listener, "max_workers"))
		draft_fault(draft, listener, "max_workers", NULL,
		    "does nothing without workers; set that too");
	conf->max_workers = 0;
}

static void
check_spare(struct draft *draft, const struct draft_listener *listener)
{
	struct listener_conf *conf = listener->conf;

	if (!conf->max_workers) {
		if (conf->min_spare && draft_is_own(listener, "min_spare"))
			draft_fault(draft, listener, "min_spare", NULL,
			    "does nothing without max_workers; set that too");
		if (conf->max_spare && draft_is_own(listener, "max_spare"))
			draft_fault(draft, listener, "max_spare", NULL,
			    "does nothing without max_workers; set that too");
		conf->min_spare = conf->max_spare = 0;
		return;
	}
	if (!conf->min_spare)
		conf->min_spare = 1;
	if (!conf->max_spare)
		conf->max_spare = conf->min_spare + 2;
	if (conf->max_spare < conf->min_spare)
		draft_fault(draft, listener, "max_spare", NULL,
		    "%" PRId64 " is "
		    "below min_spare, %" PRId64 "; at least that many are "
		    "allowed",
		    conf->max_spare, conf->min_spare);
	if (conf->min_spare > conf->max_workers)
		draft_fault(draft, listener, "min_spare", NULL,
		    "%" PRId64 " is "
		    "above max_workers, %" PRId64 "; at most that many are "
		    "allowed",
		    conf->min_spare, conf->max_workers);
}

/* Nobody would take from the sockets of processes that are not there yet. */
static void
check_reuse_port(struct draft *draft, const struct draft_listener *listener)
{
	struct listener_conf *conf = listener->conf;

	if (!conf->reuse_port || !conf->max_workers)
		return;
	conf->reuse_port = false;
	if (draft_is_own(listener, "reuse_port"))
		draft_fault(draft, listener, "reuse_port", NULL, "does not go "
		    "with max_workers: every process has sockets of its own, "
		    "so their number is fixed; set workers alone");
}

static bool
any_bad(const struct draft_listener *listener, const char *const *paths)
{
	for (; *paths; paths++)
		if (draft_is_bad(listener, *paths))
			return true;
	return false;
}

static void
check_numbers(struct draft *draft, const struct draft_listener *listener)
{
	static const char *const pool_keys[] = { "workers", "max_workers",
		"min_spare", "max_spare", "max_connections", NULL };
	const struct listener_conf *conf = listener->conf;

	if (!any_bad(listener, pool_keys)) {
		settle_workers(listener);
		check_pool(draft, listener);
		if (conf->concurrency == CONCURRENCY_PREFORK)
			check_spare(draft, listener);
		else
			check_growth(draft, listener);
		check_reuse_port(draft, listener);
	}
	if (conf->restart.initial_ms > conf->restart.maximum_ms &&
	    !draft_is_bad(listener, "restart.initial") &&
	    !draft_is_bad(listener, "restart.maximum"))
		draft_fault(draft, listener, "restart.maximum", draft_given(
		    listener, "restart.maximum") ? NULL : draft_given(listener,
		    "restart.initial"), "is below restart.initial; at least "
		    "that long is allowed");
	if (conf->stack_size_bytes && conf->stack_size_bytes < STACK_MIN)
		draft_fault(draft, listener, "stack_size", NULL,
		    "%" PRId64 " is "
		    "below %d; 0 or at least that many bytes are allowed",
		    conf->stack_size_bytes, STACK_MIN);
}

/* --- access rules --- */

static void
check_prefixes(struct draft *draft, const struct draft_listener *listener,
    const char *path, const struct string_list *list)
{
	const struct value *given = draft_given(listener, path);
	const struct value *member = given ? given->members : NULL;

	for (size_t i = 0; i < list->count; i++) {
		struct acl_prefix prefix;
		struct err err;

		if (acl_parse(&prefix, list->items[i], &err))
			draft_fault(draft, listener, path, member, "%s",
			    err.text);
		if (member)
			member = member->next;
	}
}

static void
check_device(struct draft *draft, const struct draft_listener *listener)
{
	const char *name = listener->conf->bind_device;

	if (strpbrk(name, "/ :\t\n"))
		draft_fault(draft, listener, "bind_device", NULL, "\"%s\" is "
		    "no name of a network interface; ip link lists them", name);
}

/* --- the top level --- */

static void
check_target(struct draft *draft)
{
	static const char *const words[] = { "auto", "stderr", "syslog",
	    "journal" };
	struct config *config = draft->config;
	const char *target = config->log.target;

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strcmp(target, words[i]) == 0)
			return;
	if (strncmp(target, "file:", 5) == 0 && target[5]) {
		config->log.target = draft_printf(draft, "file:%s",
		    draft_path(draft, target + 5));
		return;
	}
	draft_top_fault(draft, "log.target", "\"%.80s\" is no target; "
	    "\"auto\", \"stderr\", \"syslog\", \"journal\" or \"file:PATH\" is "
	    "allowed",
	    target);
}

/* A path is longer once it is absolute, and a socket's must be short. That the
 * default one is too long is nobody's fault here. */
static void
check_control(struct draft *draft)
{
	struct config *config = draft->config;
	struct addr addr;
	struct err err;

	if (!*config->control.socket ||
	    strcmp(config->control.socket, CONTROL_SOCKET) == 0)
		return;
	config->control.socket = draft_path(draft, config->control.socket);
	if (addr_parse(&addr, draft_printf(draft, "unix:%s",
	    config->control.socket), &err))
		draft_top_fault(draft, "control.socket", "%s", err.text);
}

static void
check_top(struct draft *draft)
{
	struct config *config = draft->config;

	check_target(draft);
	draft_check_top_users(draft);
	check_control(draft);
	if (*config->address_file)
		config->address_file = draft_path(draft, config->address_file);
	for (size_t i = 0; i < config->module_path.count; i++)
		if (*config->module_path.items[i])
			config->module_path.items[i] = draft_path(draft,
			    config->module_path.items[i]);
		else
			draft_top_fault(draft, "module_path", "holds an empty "
			    "string; each member is a directory");
}

/* --- a listener --- */

static void
inherit_top(struct draft *draft, struct draft_listener *listener)
{
	const struct config *config = draft->config;
	struct listener_conf *conf = listener->conf;

	if (!*conf->user)
		conf->user = config->user;
	if (!*conf->group)
		conf->group = config->group;
	if (conf->drain_timeout_ms < 0)
		conf->drain_timeout_ms = config->drain_timeout_ms;
}

static void
check_listener(struct draft *draft, struct draft_listener *listener)
{
	struct listener_conf *conf = listener->conf;

	check_required(draft, listener);
	check_name(draft, listener);
	if (!draft_is_bad(listener, "concurrency")) {
		check_applies(draft, listener);
		check_numbers(draft, listener);
	}
	if (!draft_is_bad(listener, "allow"))
		check_prefixes(draft, listener, "allow", &conf->allow);
	if (!draft_is_bad(listener, "deny"))
		check_prefixes(draft, listener, "deny", &conf->deny);
	check_device(draft, listener);
	if (conf->is_enabled) {
		draft_check_listen(draft, listener);
		if (!draft_is_bad(listener, "listen"))
			check_serves(draft, listener);
		draft_check_handler(draft, listener);
		draft_check_users(draft, listener);
	}
	inherit_top(draft, listener);
}

void
draft_check(struct draft *draft)
{
	check_top(draft);
	for (size_t i = 0; i < draft->config->listener_count; i++) {
		check_listener(draft, &draft->listeners[i]);
		check_duplicate_name(draft, i);
	}
	draft_check_overlaps(draft);
}
