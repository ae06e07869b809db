/* SPDX-License-Identifier: ISC */
#ifndef SUPER_LISTENER_H
#define SUPER_LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"
#include "base/totals.h"
#include "conf/config.h"
#include "super/bound.h"
#include "super/crash.h"
#include "super/drops.h"
#include "super/generation.h"
#include "super/held.h"

/*
 * A listener: a name, the sockets it owns for as long as its addresses are
 * configured, the generation that serves them, and the ones that come and go.
 * Supervisor only; one thread.
 *
 *	next  -> current -> draining -> (gone: its counters join the totals)
 */
enum listener_mode {
	LISTENER_WANTED,        /* has a generation that serves, or tries to */
	LISTENER_HELD,          /* drained on request: sockets, no generation */
	LISTENER_STOPPED,       /* stopped on request: neither */
	LISTENER_LEAVING,       /* configured no more: freed when all is gone */
};

#define LISTENER_DRAINING_MAX 4         /* older generations; more are hurried */

struct listener {
	const struct generation_env *env;       /* borrowed */
	char *name;                     /* owned: outlives configurations */
	enum listener_mode mode;
	struct held *held;              /* held: the configuration in force */
	const struct listener_conf *conf;       /* in held */
	struct bound_list sockets;      /* held */
	struct generation *current;     /* owned; NULL = none */
	struct generation *next;        /* owned: starting beside current */
	struct generation *draining;    /* owned; newest first, linked by older */
	unsigned last_number;           /* of generations */
	struct timer handover;          /* does not wait longer for a release */
	struct totals totals;           /* of the generations that are gone */
	struct totals shown;            /* what was told of all, so far */
	struct drops drops;
	int64_t cut_short;              /* of them, by a drain deadline */
	int64_t restarts;               /* of them: processes that died unasked */
	int64_t serving_since;          /* clock_now(); 0 = it does not serve */
	struct crash crash;             /* the last; time_ns 0 = there was none */
	/* What a new generation said last when it could not serve. */
	struct err complaint;
};

/* NULL: out of memory. Takes the sockets over. */
struct listener *listener_new(const struct generation_env *env,
    struct held *held, const struct listener_conf *conf,
    struct bound_list *sockets);
/* In a program that has taken over, with what another left. 0 or -ENOMEM. */
int listener_resume(struct listener *listener);
/* Once all is gone, or at the end of the daemon. */
void listener_free(struct listener **listener);

/* A new generation with this configuration on these sockets, which are copied:
 * beside the current one if there is one that could go on. 0 or -errno. */
int listener_begin(struct listener *listener, struct held *held,
    const struct listener_conf *conf, const struct bound_list *sockets,
    struct err *err);
/* A configuration that needs no new processes. */
void listener_rebind(struct listener *listener, struct held *held,
    const struct listener_conf *conf);
/* Hold these sockets, and let go of those held so far. Takes them over. */
void listener_hold(struct listener *listener, struct bound_list *sockets);
/* Those that only older generations still have, to answer from or to empty:
 * without memory fewer. They are held once more. */
void listener_left_sockets(const struct listener *listener,
    struct bound_list *list);
/* Let its generations finish; the sockets are let go of unless the listener is
 * only held. */
void listener_stop(struct listener *listener, enum listener_mode mode);
void listener_kill(struct listener *listener);

/* What its generations report. */
void listener_changed(struct listener *listener, struct generation *gen);
void listener_released(struct listener *listener);
/* Free the generations that are gone. true: nothing of a LEAVING one is
 * left. */
bool listener_sweep(struct listener *listener);

/* What has become of a generation that was begun, or of a later one in its
 * place. */
enum listener_fate {
	LISTENER_PENDING,
	LISTENER_DONE,          /* it is current and takes from the sockets */
	LISTENER_FAILED,        /* it was dropped, or is tried again; complaint
				 * says why */
};
enum listener_fate listener_fate(const struct listener *listener,
    unsigned number);
/* Is there any process of it? */
bool listener_is_idle(const struct listener *listener);
bool listener_serves(const struct listener *listener);
/* "serving", "starting", "failed", "draining", "drained", "stopped" */
const char *listener_state(const struct listener *listener);
unsigned listener_count_draining(const struct listener *listener);
/* All it counted: the totals and what its generations have now. */
const struct totals *listener_totals(struct listener *listener);
int64_t listener_restarts(const struct listener *listener);
/* The worker with this process, or NULL. */
struct worker *listener_worker(const struct listener *listener, pid_t pid);
/* For each of its generations. */
void listener_each(const struct listener *listener,
    void (*fn)(struct generation *gen, void *arg), void *arg);
void listener_log_addresses(const struct listener *listener);
void listener_log_totals(struct listener *listener);

#endif
