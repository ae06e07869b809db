/* SPDX-License-Identifier: ISC */
#ifndef SUPER_GENERATION_H
#define SUPER_GENERATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/loop.h"
#include "base/stats.h"
#include "conf/config.h"
#include "super/bound.h"
#include "super/held.h"
#include "super/spawn.h"
#include "super/worker.h"

/*
 * The service processes of one listener with one configuration. Its state
 * changes in generation_event() alone, by the table transitions[]. Supervisor
 * only; one thread.
 *
 * Of the generations of a listener one at a time takes from its sockets: the
 * processes of a new one wait, ready, for generation_take(), which comes when
 * those of the one before have released them.
 */
enum gen_state {
	GEN_STARTING,           /* not serving yet, or not at the moment */
	GEN_SERVING,            /* one process at least serves */
	GEN_DRAINING,           /* asked to finish */
	GEN_GONE,               /* no process is left, none will come */
	GEN_FAILED,             /* the last start failed; tried again */
	GEN_STATES
};

enum gen_event {
	GEN_EVENT_READY,        /* a process serves */
	GEN_EVENT_LOST,         /* the last process that served has ended */
	GEN_EVENT_FAIL,         /* a start failed and nothing serves */
	GEN_EVENT_DRAIN,        /* the supervisor wants it to end */
	GEN_EVENT_EMPTY,        /* its last process has ended */
	GEN_EVENTS
};

struct transition {
	enum gen_state from;
	enum gen_event event;
	enum gen_state to;
};

extern const struct transition transitions[];
extern const size_t transition_count;

struct crash;
struct generation;

/* What a generation needs of its surroundings. */
struct generation_env {
	struct loop *loop;              /* borrowed */
	const struct program *program;  /* borrowed */
	const char *log_kind;           /* --log of the service program */
	int log_fd;                     /* -1: services write to descriptor 2 */
	/* Blocks of request ids given out; borrowed, one for the daemon. NULL:
	 * each generation begins with 1. */
	uint64_t *id_blocks;
	void (*changed)(struct generation *gen, enum gen_state from);
	/* Without another state: a process that drains takes nothing more from
	 * the sockets, one that serves has followed the log, or either has
	 * ended. Whoever waits for that may look again. */
	void (*progressed)(struct generation *gen);
	/* An error that belongs in the log, and before readiness also on the
	 * terminal of whoever started the daemon. */
	void (*complain)(struct generation *gen, const char *text);
	/* A process has ended without being asked; NULL = nobody minds. */
	void (*crashed)(struct generation *gen, const struct crash *crash);
	struct backoff_gate *gate;      /* borrowed; NULL = no limit */
	int64_t heartbeat_ms;           /* 0 = HEARTBEAT_MS */
	void *arg;
};

struct generation {
	const struct generation_env *env;       /* borrowed */
	struct listener *listener;      /* borrowed: its owner; NULL in tests */
	struct generation *older;       /* of those that drain */
	struct held *held;              /* held */
	const struct listener_conf *conf;       /* in held */
	struct bound_list sockets;      /* held until it drains; of UDP perhaps
					 * to its end: bound_list_leave() */
	size_t *dealt;                  /* owned; room for the places of the
					 * sockets of one process */
	unsigned number;
	enum gen_state state;
	bool has_settled;               /* was SERVING or FAILED once */
	bool is_taking;                 /* its processes may take */
	bool is_sharing;                /* beside processes of another one */
	bool is_hurried;                /* its drain was cut short */
	struct worker *workers;         /* owned, `slots` of them */
	struct stats_size size;         /* of the slab */
	unsigned slots;                 /* size.slots */
	unsigned workers_min;           /* wanted without scaling */
	int64_t io;                     /* as the workers said: io_word() */
	struct stats_slab *slab;        /* owned */
	int slab_fd;                    /* owned */
	int relay[2];                   /* owned; prefork: connections from
					 * process to process; -1 = none */
	int access_fd;                  /* owned; access lines: base/gather.h */
	struct spawn spawn;             /* owned */
	size_t config_number, channel_number;   /* fresh for each start */
	size_t socket_number;           /* of the first; they come last */
	size_t log_number;              /* where has_log */
	bool has_log;                   /* a descriptor is passed for it */
	char *slot_text, *log_text;     /* within spawn.argv */
	int64_t cut_short;              /* requests, by a drain deadline */
	int64_t restarts;               /* of processes that died unasked */
	int64_t serving_at;             /* since when it is SERVING */
	struct timer scaling;
};

/* NULL with *err. Holds the configuration and the sockets. */
struct generation *generation_new(const struct generation_env *env,
    struct held *held, const struct listener_conf *conf, unsigned number,
    const struct bound_list *sockets, struct err *err);
/* In a program that has taken over: an empty one, NULL out of memory. When it
 * has the fields that another left, generation_resume() makes the rest but for
 * the workers, which are there to be filled in and resumed. */
struct generation *generation_revive(const struct generation_env *env);
int generation_resume(struct generation *gen, struct err *err);
void generation_free(struct generation **gen);
void generation_start(struct generation *gen);
/* Its processes, and those that replace them, may take from the sockets.
 * is_sharing: an older generation may not have let go of them. */
void generation_take(struct generation *gen, bool is_sharing);
/* Another configuration that needs no new processes: for those that will be
 * started, and for what the supervisor itself does. */
void generation_rebind(struct generation *gen, struct held *held,
    const struct listener_conf *conf);
/* What the process of that slot is given: the listener's configuration, with
 * the addresses of the sockets that are handed over. 0 or -ENOMEM. */
int generation_encode(const struct generation *gen, unsigned slot,
    struct buf *text);
/* And the sockets, to be handed over by the next start. */
void generation_place_sockets(struct generation *gen, unsigned slot);
/* false: the state has no such event, nothing changed. */
bool generation_event(struct generation *gen, enum gen_event event);
/* A worker's state has changed: what does it mean for the generation? */
void generation_review(struct generation *gen);
/* Let it finish. It lets go of its sockets; those that nobody else holds are
 * emptied first, from the others it takes nothing more. */
void generation_drain(struct generation *gen);
/* One that drains: a worker has emptied its sockets; or it has ended, perhaps
 * before it could, and then another process does. */
void generation_collected(struct generation *gen, struct worker *worker);
void generation_collect(struct generation *gen, struct worker *worker);
/* Its drain deadline is now. */
void generation_hurry(struct generation *gen);
/* Has every process that was asked to drain let go of the sockets? */
bool generation_is_released(const struct generation *gen);
void generation_kill(struct generation *gen);
/* The worker with this process, or NULL. */
struct worker *generation_worker(struct generation *gen, pid_t pid);
/* Its processes shall log as this process does now: where, what, in which form.
 * One that is started later does so by itself, by the env's log_fd, log_kind. */
void generation_send_log(struct generation *gen);
/* Do all its processes that serve log as they were told last? */
bool generation_follows(const struct generation *gen);
/* For a status: "serving". */
const char *gen_state_shown(enum gen_state state);

#endif
