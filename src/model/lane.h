/* SPDX-License-Identifier: ISC */
#ifndef MODEL_LANE_H
#define MODEL_LANE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "handler/request.h"
#include "model/model.h"

/*
 * A lane is a thread that serves one request after another, with buffers of
 * its own that it keeps. Made by the main thread; lane_serve() is called by
 * the lane itself.
 */
struct lane {
	struct request request;
	struct model_env *env;          /* borrowed */
	pthread_t thread;
	char name[WORKER_NAME_SIZE];    /* "Thread-2" */
	struct log_head head;           /* of its access lines */
	char *room;                     /* owned: for one datagram */
	size_t room_size;
	_Atomic bool is_taking;         /* waits for an arrival, not for a peer */
	bool is_serving;                /* the lane's own: inside a request */
};

typedef void *lane_fn(void *lane);

/* Name ("Thread", 2) and buffers; no thread yet. */
void lane_init(struct lane *lane, struct model_env *env, const char *kind,
    unsigned number);
/* Start the thread. It inherits a mask that blocks every signal; fn begins with
 * lane_begin(). arg is what fn gets: the struct around the lane. 0 or
 * -errno. */
int lane_start(struct lane *lane, lane_fn *fn, void *arg);
/* Room for a datagram of the listener's largest size, plus the byte that
 * tells a longer one. 0 or -ENOMEM. */
int lane_make_room(struct lane *lane, size_t size);
void lane_begin(void);
/* The arrival in its request, where it was taken to. */
void lane_serve(struct lane *lane);
void lane_free(struct lane *lane);

#endif
