/* SPDX-License-Identifier: ISC */
#ifndef SUPER_DAEMONIZE_H
#define SUPER_DAEMONIZE_H

#include <stdbool.h>

#include "base/err.h"

/*
 * -d: the process that was started stays until the daemon tells how its start
 * went, and leaves with that status. So `socketserverd -d && echo ready` is
 * true. Until then the daemon's complaints go to the starter's standard error.
 */
struct daemonize {
	int status_pipe;        /* owned; -1 = told, or not asked for */
	int terminal;           /* owned: the starter's stderr; -1 = 2 is it */
};

void daemonize_init(struct daemonize *daemonize);
/* Becomes two. 0: this is the daemon. 1: this is the starter, the daemon told
 * *status. -errno: there is no daemon. */
int daemonize_start(struct daemonize *daemonize, int *status, struct err *err);
/* Daemon, before it starts services: let go of descriptors 0 and 1, and of 2
 * unless the log is written there. */
void daemonize_detach(struct daemonize *daemonize, bool keep_stderr);
/* Once; later calls do nothing. */
void daemonize_tell(struct daemonize *daemonize, int status);

#endif
