/* SPDX-License-Identifier: ISC */
#ifndef SERVE_ACCEPT_H
#define SERVE_ACCEPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "model/model.h"
#include "net/transport.h"

/*
 * Taking arrivals from the listener's sockets: for the main thread, which
 * hands them to the model, or for the model's lanes, which call
 * acceptor_take(). Owns the endpoints. It never spins: where the system has no
 * descriptor, thread or process to give, it pauses 50 ms, doubling to 500 ms.
 */
struct acceptor;

/* Takes over the endpoints, but leaves the sockets as they are: their flags and
 * options are those of whoever takes from them now. NULL with a sentence. */
struct acceptor *acceptor_new(struct model_env *env, const struct model *model,
    struct endpoint *endpoints, size_t count, struct err *err);
/* From one process to another: the two ends that all have; -1 = none. Taken
 * over. */
void acceptor_relay(struct acceptor *acceptor, int in, int out);
/* No lane is left, but other processes go on: what waits here is theirs. */
void acceptor_hand_on(struct acceptor *acceptor);
/* Open the model: its lanes wait for acceptor_start(). */
int acceptor_open(struct acceptor *acceptor, struct err *err);
/* The sockets are ours: ready them and take from them. is_sharing: processes of
 * another generation may still do so, too. */
int acceptor_start(struct acceptor *acceptor, bool is_sharing,
    struct err *err);
/* Take no more from the sockets and close them. collect: as the text of
 * MESSAGE_DRAIN; what waits in the queue of a socket that nobody serves after
 * us is taken first and still served. released() is called when no thread takes
 * any more, the model's drain() when all is handed over. false: its lane has
 * left, spent, and nothing is done. */
bool acceptor_drain(struct acceptor *acceptor, const char *collect,
    void (*released)(void *), void *arg);
/* The deadline of a drain: connections without a word are refused. */
void acceptor_refuse_silent(struct acceptor *acceptor);
/* End the connection without a word that has this id; false: none has. */
bool acceptor_kill(struct acceptor *acceptor, uint64_t id);
/* End the waits of requests that were shed. */
void acceptor_wake_shed(struct acceptor *acceptor);
/* Refuse what was collected and not served yet: the end by force. */
void acceptor_refuse_queued(struct acceptor *acceptor);
/* The functions of struct model_env. */
int acceptor_take(struct acceptor *acceptor, struct arrival *arrival,
    int64_t until);
void acceptor_resume(struct acceptor *acceptor);
void acceptor_accepted(struct acceptor *acceptor, unsigned i, int fd);
void acceptor_unlistened(struct acceptor *acceptor);
/* A forked child: close the sockets, the spare and the queued connections but
 * `keep`; write to nothing, since each page written to is copied. */
void acceptor_forget(const struct acceptor *acceptor, int keep);
void acceptor_free(struct acceptor **acceptor);

#endif
