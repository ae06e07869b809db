/* SPDX-License-Identifier: ISC */
#ifndef NET_INHERIT_H
#define NET_INHERIT_H

#include <stddef.h>

#include "base/err.h"

/*
 * Descriptors handed to a program by name: LISTEN_PID, LISTEN_FDS,
 * LISTEN_FDNAMES as of sd_listen_fds(3). The one convention for systemd ->
 * supervisor, supervisor -> service and test -> daemon. LISTEN_PID is checked
 * when it is set. The variables are removed from the environment.
 */
#define INHERIT_FIRST_FD 3
#define INHERIT_MAX 1024

struct inherit {
	size_t count;
	struct inherited {
		int fd;                 /* owned until taken: -1 after */
		char name[64];
	} *fds;                         /* owned */
};

/* 0 and what was handed over (perhaps nothing), all close-on-exec; or
 * -errno. */
int inherit_take(struct inherit *inherit, struct err *err);
/* The first descriptor of that name, now the caller's; -1 = none (left). */
int inherit_find(struct inherit *inherit, const char *name);
/* A descriptor that was found is not needed any more, and may be again. Takes
 * fd; one that was not handed over is closed. */
void inherit_return(struct inherit *inherit, const char *name, int fd);
/* Close what nobody took; what was taken can still be returned. */
void inherit_close(struct inherit *inherit);
/* The same, and forget all. */
void inherit_free(struct inherit *inherit);

#endif
