/* SPDX-License-Identifier: ISC */
#ifndef SUPER_REAP_H
#define SUPER_REAP_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Children of the supervisor. It is a child subreaper, so what a dead service
 * left behind becomes its child: taken when it ends, and ended when the daemon
 * does.
 */
/* Every child that has ended: `look` sees it first and may reap it; else it is
 * reaped here. true: there may be more, come again. */
bool reap_ended(void (*look)(void *arg, pid_t pid), void *arg);
bool reap_has_children(void);
/* Kill and reap all children; waits, two seconds at most. */
void reap_strays(void);

#endif
