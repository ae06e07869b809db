/* SPDX-License-Identifier: ISC */
#ifndef SERVE_ARRIVE_H
#define SERVE_ARRIVE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "model/model.h"
#include "net/transport.h"
#include "serve/accept.h"
#include "serve/backlog.h"
#include "serve/lobby.h"
#include "serve/relay.h"

/*
 * What every arrival goes through, whichever thread takes it: for accept.c
 * (the main thread) and take.c (the lanes) alone. Any thread may call these.
 */
enum accept_phase {
	ACCEPT_WAITING,                 /* the sockets are not ours yet */
	ACCEPT_TAKING,
	ACCEPT_OVER,                    /* nor are they any more */
};

struct acceptor {
	struct model_env *env;
	const struct model *model;
	struct endpoint *endpoints;     /* owned */
	size_t count;
	struct watch *watches;          /* owned, one an endpoint */
	bool is_watching;
	bool can_listen;                /* the model may accept by itself */
	bool in_plenty;                 /* and was asked to, where it is for us
					 * alone, when watching began */
	bool is_sharing;                /* with an older generation, too */
	bool is_blocking;               /* lanes wait in the taking call itself */
	int poll;                       /* epoll of the lanes; -1 = is_blocking */
	char *room;                     /* owned: the main thread's datagram */
	size_t room_size;
	pthread_mutex_t spare_lock;
	int spare;                      /* a descriptor to give up for shedding */
	_Atomic int64_t pause_ms;       /* of the last pause; 0 = none since */
	struct timer pause, collect;
	_Atomic int64_t left;           /* arrivals until max_requests */
	_Atomic int phase;              /* enum accept_phase; written under lock */
	pthread_mutex_t phase_lock;
	pthread_cond_t phase_changed;
	bool is_spent;                  /* its lane has left; under lock */
	_Atomic int in_take;            /* lanes between the check and the call's end */
	bool is_ready;                  /* the sockets have our options */
	bool *is_collected;             /* owned, one an endpoint */
	void (*released)(void *arg);
	void *released_arg;
	bool is_alone;                  /* this process ends, others go on */
	bool has_given_up;              /* the sockets are closed */
	struct backlog backlog;
	/* Connections without a word; owned; NULL: none wait without a lane. */
	struct lobby *lobby;
	_Atomic bool is_late;           /* they come a moment after their
					 * connection, it seems */
	int look_fd;                    /* readable: another connection is there.
					 * Borrowed; may be closed meanwhile */
	struct timer place;             /* some in the backlog have no lane */
	struct relay relay;
	struct watch relay_watch;
	bool sheds;                     /* when_full = "shed_idle" */
	_Atomic bool is_alert;          /* no lane is free: the main thread looks
					 * for those who come */
	int bell;                       /* eventfd: is_alert; -1 = none */
	struct watch bell_watch;
	struct timer shed;              /* look again */
};

/* Not served, for this reason; consumed. */
void arrive_refuse(struct acceptor *a, struct arrival *arrival,
    enum reason reason);
/* Taking failed, and would fail again at once: a shortage, or a socket that
 * somebody broke (EINVAL after a shutdown(2) of it). Pause. */
bool arrive_is_trouble(int r);
/* Out of descriptors: give one up, so that a waiting peer is refused and not
 * left hanging. */
void arrive_shed(struct acceptor *a, const struct endpoint *ep);
/* How long to pause now; logs once per spell. */
int64_t arrive_pause_ms(struct acceptor *a, int r);
void arrive_forget_pause(struct acceptor *a);
/* The result of taking: 0 = an arrival to admit, -EAGAIN = nothing more there,
 * -EINTR = this one is done with, else trouble. */
int arrive_sort_out(struct acceptor *a, struct arrival *arrival, int r);
/* 0: admitted and counted as active; -EINTR: refused. */
int arrive_admit(struct acceptor *a, struct arrival *arrival);
/* Admitted, and not served after all. */
void arrive_refuse_admitted(struct acceptor *a, struct arrival *arrival,
    enum reason reason);
/* accept.c, main thread. */
void watches_start(struct acceptor *a);
void watches_stop(struct acceptor *a);
/* Look for nobody for so long. */
void accept_pause(struct acceptor *a, int64_t ms);
/* One for whom there is room: 0, or why he is not served; consumed. */
int accept_dispatch(struct acceptor *a, struct arrival *arrival);
/* Somebody waits here (NULL: in the backlog): his place is free soon, or somebody
 * begins to wait for a message meanwhile. */
void accept_look_for_room(struct acceptor *a, const struct endpoint *ep);
/* Does whoever finds no room wait, in the kernel's queue if possible? */
bool accept_is_patient(const struct acceptor *a);
/* listen.c, main thread: connections that the model accepts by itself. */
/* Is it time for that? */
bool listen_is_due(const struct acceptor *a);
/* From this endpoint. False: it is to be watched. */
bool listen_start(struct acceptor *a, unsigned i);
void listen_stop(struct acceptor *a, unsigned i);
/* Those that came when there was no room; false: some still wait. */
bool listen_serve_held(struct acceptor *a);
/* place.c, main thread. Nothing more is taken: once nobody waits for his first
 * bytes any more, the lanes may end. */
void place_last(struct acceptor *a);
/* The sockets are ours: so is what comes from other processes. */
void place_start(struct acceptor *a);
/* The sockets are closed: take what is on its way, and no more. */
void place_stop(struct acceptor *a);
/* A connection of the lobby has spoken. */
void place_arrival(void *acceptor, struct arrival *arrival);
/* shed.c, main thread: somebody waits here (NULL: in the backlog), it seems, and
 * there is no place for him. If so, have the request that has waited longest for a
 * message ended. */
void shed_for_newcomer(struct acceptor *a, const struct endpoint *ep);
/* Does somebody wait in the kernel's queue? */
bool shed_has_newcomer(const struct endpoint *ep);
/* Where lanes take: open what they ring, and close it. */
int shed_open(struct acceptor *a);
void shed_close(struct acceptor *a);
/* Any lane, which has just taken a request: is no other free? */
void shed_alert(struct acceptor *a);
/* The main thread watches the sockets while no lane is free. */
watch_fn shed_ready;
/* Workers that wait for a request, in all processes of the listener. */
uint64_t arrive_idle(const struct acceptor *a);
/* At least so many? Looks no further than it must: each process has its counters
 * in cache lines of its own. */
bool arrive_has_idle(const struct acceptor *a, uint64_t least);
/* Those who take from the same sockets, counted up to so many or some more. */
uint64_t arrive_count_takers(const struct acceptor *a, uint64_t most);
/* One of the backlog, for which nobody is left. */
void arrive_refuse_queued(struct acceptor *a, struct arrival *arrival);
/* The next one that was taken before its socket was closed: as
 * backlog_take(), and -EINTR for one that came too late. */
int arrive_queued(struct acceptor *a, struct arrival *arrival, bool wait);

#endif
