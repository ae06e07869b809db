/* SPDX-License-Identifier: ISC */
/*
 * Connections that the model accepts by itself (io_uring): one that comes costs
 * no turn of the loop, and no system call but the one for its peer's name. The
 * kernel runs ahead of us, as far as its queue goes. So this is for times of
 * plenty; what came too far ahead is held in the backlog until there is room.
 *
 * It is for a socket that no other process takes from: of several the kernel
 * would choose the first one always, also while that is busy.
 */
#include <errno.h>

#include "base/log.h"
#include "handler/request.h"
#include "serve/arrive.h"

#define PLENTY 512              /* places left: more than come in a turn. The
				 * row of "io" tells the number, too */

/* After trouble the loop goes first. */
bool
listen_is_due(const struct acceptor *a)
{
	return a->can_listen && !a->is_sharing &&
	    atomic_load(&a->pause_ms) == 0 && a->model->room(a->env) >= PLENTY;
}

static bool
is_listened_to(const struct acceptor *a, const struct endpoint *ep)
{
	return a->in_plenty && ep->is_own && ep->transport->is_stream;
}

bool
listen_start(struct acceptor *a, unsigned i)
{
	const struct endpoint *ep = &a->endpoints[i];

	return is_listened_to(a, ep) && a->model->listen(a->env, i, ep->fd);
}

void
listen_stop(struct acceptor *a, unsigned i)
{
	if (is_listened_to(a, &a->endpoints[i]))
		(void)a->model->listen(a->env, i, -1);
}

static void
hold(struct acceptor *a, struct arrival *arrival)
{
	if (backlog_add(&a->backlog, arrival) < 0)
		arrive_refuse(a, arrival, REASON_DESCRIPTORS);
	watches_stop(a);
}

static void
serve_or_hold(struct acceptor *a, struct arrival *arrival)
{
	if (atomic_load(&a->phase) == ACCEPT_OVER ||
	    backlog_count(&a->backlog) > 0)
		hold(a, arrival);
	else if (a->model->has_room(a->env))
		(void)accept_dispatch(a, arrival);
	else if (accept_is_patient(a) || host_has_room_in_all(a->env->host)) {
		hold(a, arrival);
		acceptor_resume(a);
	} else
		arrive_refuse(a, arrival, REASON_MAX_CONNECTIONS);
}

bool
listen_serve_held(struct acceptor *a)
{
	struct arrival arrival;

	while (backlog_count(&a->backlog) > 0) {
		if (!a->model->has_room(a->env)) {
			if (!host_has_room_in_all(a->env->host))
				accept_look_for_room(a, NULL);
			return false;
		}
		if (backlog_take(&a->backlog, &arrival, false) == 0)
			(void)accept_dispatch(a, &arrival);
		if (timer_is_running(&a->pause))
			return false;
	}
	return true;
}

void
acceptor_accepted(struct acceptor *a, unsigned i, int fd)
{
	const struct endpoint *ep = &a->endpoints[i];
	struct arrival arrival = { .fd = -1 };

	int r = endpoint_accepted(ep, &arrival, fd);
	if (r == -EAGAIN || r == -EINVAL)       /* it cannot, it seems */
		a->can_listen = false;
	if (arrive_is_trouble(r)) {
		arrive_shed(a, ep);
		accept_pause(a, arrive_pause_ms(a, r));
	} else if (arrive_sort_out(a, &arrival, r) == 0)
		serve_or_hold(a, &arrival);
	if (a->is_watching && a->in_plenty && !listen_is_due(a)) {
		watches_stop(a);
		watches_start(a);       /* by the loop */
	}
	log_tell();
}
