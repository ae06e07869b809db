/* SPDX-License-Identifier: ISC */
#ifndef SUPER_REAP_H
#define SUPER_REAP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * Children of the supervisor, its own and others. It is a child subreaper, or
 * process 1, so what a dead service left behind becomes its child: taken when
 * it ends, and ended when the daemon does. Children that were there before our
 * program was (`sh -c "other & exec socketserverd"`) are taken too, but are
 * nobody's to end. A number stays a child's until it is reaped here, so none is
 * mistaken for another.
 */
#define REAP_EARLIER 64

struct earlier {
	pid_t pids[REAP_EARLIER];
	size_t count;
	bool is_unknown;        /* more than these, or no /proc to list them */
};

/* At the start, before the first fork: whom do we have already? */
void earlier_take(struct earlier *earlier);
/* It is one of our own, or it has been reaped. */
void earlier_forget(struct earlier *earlier, pid_t pid);

/* Every child that has ended: `look` sees it first, and returns true if it was
 * its to reap; else it is reaped here. true: there may be more, come again. */
typedef bool reap_look_fn(void *arg, pid_t pid);
bool reap_ended(struct earlier *earlier, reap_look_fn *look, void *arg);
/* Kill and reap all children but the earlier ones; waits, two seconds at
 * most. */
void reap_strays(struct earlier *earlier);

#endif
