/* SPDX-License-Identifier: ISC */
/*
 * Threads that serve. Small stacks: an idle thread costs what it touched.
 */
#include "model/lane.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/sig.h"

#define STACK_DEFAULT (256 << 10)

void
lane_init(struct lane *lane, struct model_env *env, const char *kind,
    unsigned number)
{
	memset(lane, 0, sizeof(*lane));
	lane->env = env;
	worker_name(lane->name, kind, number);
	request_init(&lane->request, env->host, &io_block, lane->name);
	lane->request.head = &lane->head;
}

static size_t
stack_size(const struct listener_conf *conf)
{
	size_t size = conf->stack_size_bytes > 0 ?
	    (size_t)conf->stack_size_bytes : STACK_DEFAULT;

	return size < (size_t)PTHREAD_STACK_MIN ?
	    (size_t)PTHREAD_STACK_MIN : size;
}

int
lane_start(struct lane *lane, lane_fn *fn, void *arg)
{
	pthread_attr_t attr;

	(void)pthread_attr_init(&attr);
	(void)pthread_attr_setstacksize(&attr, stack_size(lane->env->conf));
	int r = pthread_create(&lane->thread, &attr, fn, arg);
	(void)pthread_attr_destroy(&attr);
	return -r;
}

int
lane_make_room(struct lane *lane, size_t size)
{
	if (lane->room_size >= size)
		return 0;
	char *room = realloc(lane->room, size);
	if (room == NULL)
		return -ENOMEM;
	lane->room = room;
	lane->room_size = size;
	return 0;
}

/*
 * Nobody cancels a lane: it ends itself. glibc takes the thread's type of
 * cancellation to asynchronous and back around each call that blocks, by two
 * atomic exchanges; while it is asynchronous already there is nothing to do,
 * and while cancelling is off the type has no meaning.
 */
void
lane_begin(void)
{
	(void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	(void)pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	sig_nudge_accept();
}

void
lane_serve(struct lane *lane)
{
	struct request *rq = &lane->request;

	lane->is_serving = true;
	request_begin(rq, &rq->arrival,
	    request_id_of(lane->env->host, &rq->arrival));
	request_serve(rq);
	request_end(rq);
	lane->is_serving = false;
}

void
lane_free(struct lane *lane)
{
	request_free(&lane->request);
	free(lane->room);
	lane->room = NULL;
}
