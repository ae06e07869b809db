/* SPDX-License-Identifier: ISC */
#include "super/requests.h"

#include <errno.h>
#include <stdlib.h>

#include "base/addr.h"
#include "base/clock.h"
#include "super/answer.h"
#include "super/command.h"
#include "super/super.h"

#define LIST_MAX 10000          /* the supervisor has other things to do */

/* For each request of a generation: what worker_each_request() needs. */
struct walk {
	seat_fn *fn;
	void *arg;
	const struct worker *worker;
};

static void
walk_generation(struct generation *gen, void *arg)
{
	struct walk *walk = arg;
	unsigned i;

	for (i = 0; i < gen->slots; i++) {
		walk->worker = &gen->workers[i];
		if (walk->worker->pid != 0)
			worker_each_request(walk->worker, walk->fn, walk);
	}
}

/* connections */

struct list {
	struct walk walk;               /* first */
	const struct listener *listener;
	json_t *rows;
	json_int_t left_out;
	int64_t now;
};

static json_t *
make_row(const struct list *list, const struct seat_view *view)
{
	const struct bound_list *sockets = &list->listener->sockets;
	char peer[ADDR_TEXT_SIZE] = "", local[ADDR_TEXT_SIZE] = "";

	(void)sockaddr_format((const void *)&view->peer, view->peer_len, peer);
	if (view->local_len > 0)
		(void)sockaddr_format((const void *)&view->local,
		    view->local_len, local);
	else if (sockets->count == 1)
		(void)snprintf(local, sizeof(local), "%s",
		    sockets->items[0]->endpoint.address);
	return json_pack("{s:I, s:o, s:o, s:o, s:o, s:f, s:I, s:I}",
	    "id", (json_int_t)view->id,
	    "listener", answer_text(list->listener->name),
	    "peer", answer_text(peer),
	    "local", answer_text(local),
	    "worker", answer_text(view->worker),
	    "seconds", (double)(list->now - view->started_at) / CLOCK_SECOND,
	    "bytes_in", (json_int_t)view->bytes_in,
	    "bytes_out", (json_int_t)view->bytes_out);
}

static void
add_row(const struct seat_view *view, void *arg)
{
	struct list *list = arg;

	if (json_array_size(list->rows) >= LIST_MAX)
		list->left_out++;
	else
		(void)json_array_append_new(list->rows, make_row(list, view));
}

static void
list_listener(struct list *list, const struct listener *listener)
{
	list->listener = listener;
	listener_each(listener, walk_generation, &list->walk);
}

void
requests_list(struct super *super, const struct control_request *request)
{
	struct list list = {
		.walk.fn = add_row, .rows = json_array(),
		.now = loop_now(super->loop),
	};
	const struct listener *listener = NULL;
	size_t i;

	if (request->count > 1 &&
	    (listener = command_listener(super, request)) == NULL) {
		json_decref(list.rows);
		return;
	}
	if (listener != NULL)
		list_listener(&list, listener);
	for (i = 0; listener == NULL && i < super->listener_count; i++)
		list_listener(&list, super->listeners[i]);
	command_answer_cut(super, request->ticket, list.rows, list.left_out);
}

/* kill */

struct find {
	struct walk walk;               /* first */
	uint64_t id;
	struct worker *found;
};

static void
find_id(const struct seat_view *view, void *arg)
{
	struct find *find = arg;
	struct generation *gen = find->walk.worker->gen;

	if (view->id == find->id)
		find->found = &gen->workers[find->walk.worker->slot];
}

void
requests_kill(struct super *super, const struct control_request *request)
{
	struct find find = { .walk.fn = find_id };
	char *end;
	size_t i;

	errno = 0;
	find.id = strtoull(request->words[1], &end, 10);
	if (*end != '\0' || errno != 0 || find.id == 0 ||
	    find.id > INT64_MAX) {
		command_refuse(super, request->ticket, WIRE_USAGE, "\"%s\" is "
		    "no request's number; the command connections shows them",
		    request->words[1]);
		return;
	}
	for (i = 0; i < super->listener_count; i++)
		listener_each(super->listeners[i], walk_generation,
		    &find.walk);
	if (find.found == NULL) {
		command_refuse(super, request->ticket, WIRE_NO, "no request "
		    "has the number %s", request->words[1]);
		return;
	}
	worker_kill_request(find.found, find.id);
	command_answer(super, request->ticket, json_pack("{s:I}", "id",
	    (json_int_t)find.id));
}
