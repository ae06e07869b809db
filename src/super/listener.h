/* SPDX-License-Identifier: ISC */
#ifndef SUPER_LISTENER_H
#define SUPER_LISTENER_H

#include <stddef.h>
#include <stdint.h>

#include "conf/config.h"
#include "net/inherit.h"
#include "net/transport.h"
#include "super/generation.h"

/*
 * A listener: a name, the sockets it owns for as long as its addresses are
 * configured, and the generation that serves them. Supervisor only.
 */
struct listener {
	const struct listener_conf *conf;       /* borrowed */
	struct endpoint *endpoints;             /* owned */
	size_t endpoint_count;
	struct generation *current;             /* owned; NULL = none yet */
	unsigned last_number;                   /* of generations */
};

/* Opens every address, those after a failed one too: `complain` is told of
 * each failure. The number of failures. */
typedef void listener_complain_fn(void *arg, const struct listener_conf *conf,
    const char *text);
unsigned listener_open(struct listener *listener,
    const struct listener_conf *conf, struct inherit *inherit,
    listener_complain_fn *complain, void *arg);
int listener_start(struct listener *listener,
    const struct generation_env *env, struct err *err);
void listener_log_addresses(const struct listener *listener);
/* Let its generation finish; the sockets are closed here at once. */
void listener_stop(struct listener *listener);
void listener_log_totals(const struct listener *listener);
void listener_close(struct listener *listener);

#endif
