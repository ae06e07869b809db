/* SPDX-License-Identifier: ISC */
#ifndef SUPER_RELOAD_H
#define SUPER_RELOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/loop.h"
#include "super/held.h"
#include "super/loader.h"
#include "super/plan.h"

struct super;

/*
 * From one configuration to another while the daemon serves. One at a time;
 * what is asked for meanwhile waits, and many signals are one: read, plan, open,
 * carry out, wait, finish. Up to the opened sockets a fault changes nothing;
 * from there on each listener stands for itself. Supervisor only; never
 * blocks.
 */
enum reload_kind {
	RELOAD_PLAN,            /* only say what would be done */
	RELOAD_APPLY,
	RELOAD_BACK,            /* to the configuration before */
};

struct reload_request {
	enum reload_kind kind;
	uint64_t ticket;                /* who waits for the answer; 0 = nobody */
	int64_t confirm_ms;             /* 0 = it needs no confirmation */
};

#define RELOAD_QUEUE_MAX 64

/* How the last one ended. */
struct reload_last {
	int64_t at;                     /* clock_now(); 0 = there was none */
	bool is_ok;
	struct err why;
};

struct reload {
	struct super *super;            /* borrowed */
	bool is_running;
	bool is_carried_out;            /* and waits for generations */
	bool is_settled;                /* and waits for the log's settings */
	bool is_overdue;                /* nobody confirmed, and it undoes that */
	struct reload_request request;  /* while it runs */
	struct loader loader;
	struct plan plan;               /* owned while it runs */
	struct faults faults;           /* owned while it runs */
	struct held *previous;          /* held: in force before; NULL = none,
					 * or it is in force again */
	struct timer confirm;           /* undoes what is not confirmed */
	struct timer again;             /* starts the next in the queue */
	struct reload_request queue[RELOAD_QUEUE_MAX];
	unsigned queued;
	unsigned applied;               /* configurations so far */
	struct reload_last last;
};

void reload_init(struct reload *reload, struct super *super);
/* Begin, or wait for the one that runs and for the daemon to serve. false: too
 * many wait, or the daemon stops. */
bool reload_ask(struct reload *reload, const struct reload_request *request);
/* The daemon serves, or an upgrade has ended: what was asked for meanwhile may
 * begin. */
void reload_resume(struct reload *reload);
/* In a program that has taken over, with what another left. */
void reload_revive(struct reload *reload);
/* A generation's state has changed: is it what the reload waits for? */
void reload_review(struct reload *reload);
/* Milliseconds until an unconfirmed configuration is undone; -1 = none is. */
int64_t reload_confirm_ms(const struct reload *reload);
/* Keep what waits for it. false: nothing does. */
bool reload_confirm(struct reload *reload);
/* The daemon stops: whoever waits is told. */
void reload_cancel(struct reload *reload);
void reload_free(struct reload *reload);

#endif
