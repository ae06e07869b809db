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
#include "net/transport.h"
#include "super/spawn.h"
#include "super/worker.h"

/*
 * The service processes of one listener with one configuration. Its state
 * changes in generation_event() alone, by the table transitions[]. Supervisor
 * only; one thread.
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

struct generation;

/* What a generation needs of its surroundings. */
struct generation_env {
	struct loop *loop;              /* borrowed */
	const struct program *program;  /* borrowed */
	const struct config *config;    /* borrowed */
	const char *log_kind;           /* --log of the service program */
	int log_fd;                     /* -1: services write to descriptor 2 */
	void (*changed)(struct generation *gen, enum gen_state from);
	/* An error that belongs in the log, and before readiness also on the
	 * terminal of whoever started the daemon. */
	void (*complain)(struct generation *gen, const char *text);
	void *arg;
};

struct generation {
	const struct generation_env *env;       /* borrowed */
	const struct listener_conf *conf;       /* borrowed */
	unsigned number;
	enum gen_state state;
	bool has_settled;               /* was SERVING or FAILED once */
	struct worker *workers;         /* owned, `slots` of them */
	unsigned slots;
	unsigned workers_min;           /* wanted without scaling */
	struct stats_slab *slab;        /* owned */
	int slab_fd;                    /* owned */
	struct buf config_text;         /* owned; what each process is given */
	struct spawn spawn;             /* owned */
	size_t config_number, channel_number;   /* fresh for each start */
	char *slot_text;                /* within spawn.argv */
	int64_t cut_short;              /* requests, by a drain deadline */
	struct timer scaling;
};

/* NULL with *err. The endpoints' descriptors are borrowed for its life. */
struct generation *generation_new(const struct generation_env *env,
    const struct listener_conf *conf, unsigned number,
    const struct endpoint *endpoints, size_t endpoint_count, struct err *err);
void generation_free(struct generation **gen);
void generation_start(struct generation *gen);
/* false: the state has no such event, nothing changed. */
bool generation_event(struct generation *gen, enum gen_event event);
/* A worker's state has changed: what does it mean for the generation? */
void generation_review(struct generation *gen);
void generation_drain(struct generation *gen);
void generation_kill(struct generation *gen);
/* The worker with this process, or NULL. */
struct worker *generation_worker(struct generation *gen, pid_t pid);
void generation_send_log(struct generation *gen, int fd);
const char *gen_state_word(enum gen_state state);

#endif
