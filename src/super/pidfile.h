/* SPDX-License-Identifier: ISC */
#ifndef SUPER_PIDFILE_H
#define SUPER_PIDFILE_H

#include "base/err.h"

/*
 * The pid file of -p: locked while the supervisor lives, so that a second one
 * cannot start and a file that a crash left behind is no obstacle. Removed at
 * the end. Belongs to the supervisor.
 */
struct pidfile {
	int fd;                 /* owned, holds the lock; -1 = none */
	const char *path;       /* borrowed */
};

/* 0, or -errno with a sentence: who holds it, or what is wrong with it. */
int pidfile_open(struct pidfile *pidfile, const char *path, struct err *err);
void pidfile_close(struct pidfile *pidfile);

#endif
