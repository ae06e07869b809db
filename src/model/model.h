/* SPDX-License-Identifier: ISC */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/loop.h"
#include "conf/config.h"
#include "handler/host.h"
#include "net/transport.h"

/*
 * A model decides where a request runs. Two kinds:
 *
 * - one that is dispatched to (threaded, forking, event): the main thread takes an
 *   arrival and hands it over;
 * - one that takes for itself (sync, the pool of threads): its lanes wait for
 *   arrivals in env->take().
 *
 * One object a model, chosen by model_of(). All functions here are called by the
 * service's main thread, which runs the loop.
 */
struct model_env;

/* What a model may use: the rest of the service is none of its business. */
struct model_env {
	struct loop *loop;
	struct host *host;
	const struct listener_conf *conf;
	bool has_streams;               /* connections may come */
	void *owner;                    /* of the functions below */
	void *state;                    /* the model's own */

	/* Any lane: wait for an arrival that may be served, until `until`
	 * (clock_now() nanoseconds, 0 = for ever). The arrival's data and size
	 * are the lane's room for datagrams. The model has counted the lane as
	 * idle (host_idle_add()); with an arrival it is not any more.
	 * 0; -ETIMEDOUT; -EINTR woken, or for nothing: call again;
	 * -ECANCELED: there will be no more. */
	int (*take)(struct model_env *env, struct arrival *arrival, int64_t until);
	/* Any lane: fewer workers are free than should be. */
	void (*busy)(struct model_env *env);
	/* Main thread: no lane is free, in any process, and somebody waits.
	 * Said of the time when so many requests had ended. */
	void (*full)(struct model_env *env, int64_t ended);
	/* Main thread: there is room for another request again. */
	void (*resume)(struct model_env *env);
	/* A forked child: close all that is the parent's, but not `keep`. */
	void (*forget)(struct model_env *env, int keep);
	/* From listen(): a connection to its socket i, or -errno. */
	void (*accepted)(struct model_env *env, unsigned i, int fd);
	/* A socket that is not to be listened to any more is in use no more. */
	void (*unlistened)(struct model_env *env);
	/* Main thread, after drain(): nothing runs any more. */
	void (*drained)(struct model_env *env);
};

struct model {
	const char *name;
	unsigned demands;               /* kinds a handler must have: SS_THREADS,
					 * SS_FIBERS */
	bool takes;                     /* calls env->take() itself */
	bool forks;                     /* requests run in children */
	bool is_one_lane;               /* one thread serves them all */
	int (*open)(struct model_env *env, struct err *err);
	/* Run this arrival; takes the connection over. -EAGAIN or -ENOMEM: no
	 * thread or process can be made now; the arrival stays the caller's. */
	int (*dispatch)(struct model_env *env, struct arrival *arrival);
	/* May one more be dispatched? Where not, env->resume() is called when
	 * that changes. NULL where `takes`. */
	bool (*has_room)(struct model_env *env);
	/* Accept connections to this socket, until fd is -1, and tell by
	 * env->accepted(), beyond all limits and for a moment after the end;
	 * while is_listening() the file is in use. False: it cannot, and the
	 * socket is the caller's to watch. NULL: it never can. */
	bool (*listen)(struct model_env *env, unsigned i, int fd);
	bool (*is_listening)(const struct model_env *env);
	/* Where it can listen: how many more might be dispatched now. */
	int64_t (*room)(const struct model_env *env);
	/* Has this process clearly more than its share of the listener's
	 * requests? NULL: there are no others. */
	bool (*is_crowded)(struct model_env *env);
	/* One turn of the process, in place of loop_turn(). NULL: that. */
	int (*turn)(struct model_env *env);
	/* The kernel's interface it waits by. NULL: system calls. */
	enum io_choice (*io)(const struct model_env *env);
	/* There will be no more dispatch; call env->drained() once idle. */
	void (*drain)(struct model_env *env);
	/* Wake everything that waits, so that it sees a drain or its end. */
	void (*nudge)(struct model_env *env);
	/* Where `takes`: wake one lane that waits for an arrival and was not
	 * woken for one yet. False: there is none. */
	bool (*rouse)(struct model_env *env);
	/* Wake the one that serves at this seat (host_seat()). */
	void (*wake)(struct model_env *env, unsigned seat);
	void (*close)(struct model_env *env);
};

extern const struct model sync_model, threaded_model, pool_model, forking_model,
    event_model;

/* The model that serves this listener in one process. */
const struct model *model_of(const struct listener_conf *conf);

#endif
