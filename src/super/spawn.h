/* SPDX-License-Identifier: ISC */
#ifndef SUPER_SPAWN_H
#define SUPER_SPAWN_H

#include <stddef.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"

/*
 * Starting socketserver-service. The program is opened once, when the daemon
 * starts, so that an upgrade on disk cannot mix versions. A `struct spawn` is
 * one start made ready beforehand (arguments, environment, named descriptors)
 * and may be started many times: a start allocates nothing.
 *
 * The child is the leader of a process group of its own, with the descriptors at 3 and
 * up in the order in which they were passed (LISTEN_PID, LISTEN_FDS,
 * LISTEN_FDNAMES) and all signals that the supervisor blocks still blocked.
 */
struct program {
	int fd;                 /* owned; O_PATH */
	char *path;             /* owned; where fd is refused */
	char **env;             /* owned: the allow-listed environment */
	size_t env_count;
	struct arena arena;     /* owned: path, env */
};

struct spawn {
	const struct program *program;  /* borrowed */
	char **argv;
	char **env;             /* three LISTEN_ variables, the program's */
	char *listen_pid;       /* its digits are written in the child */
	int *fds;               /* borrowed, in order; -1 = not yet set */
	int *placed;            /* the child's copy, moved out of the way */
	const char **names;
	size_t count, max;
	size_t used;            /* the first so many are passed */
	const char *all_names;  /* of LISTEN_FDNAMES */
	char *listen_fds, *listen_names;        /* the same, as it is passed */
	int stdout_fd;          /* -1 = the supervisor's own */
	struct arena arena;     /* owned: all of the above */
	volatile int error;     /* the child's: errno of a failed start */
};

struct child {
	pid_t pid;
	int pidfd;              /* owned by the caller; -1 = Linux < 5.3 */
};

/* path NULL: the service program beside this one in a build tree, else the
 * installed one. */
int program_open(struct program *program, const char *path, struct err *err);
void program_close(struct program *program);

/* argv is copied; at most max descriptors will be passed. */
int spawn_init(struct spawn *spawn, const struct program *program,
    const char *const *argv, size_t max);
/* The number of the descriptor, for spawn_replace(). At most max calls. */
size_t spawn_pass(struct spawn *spawn, const char *name, int fd);
void spawn_replace(struct spawn *spawn, size_t number, int fd);
/* After the last spawn_pass(). */
int spawn_seal(struct spawn *spawn);
/* Pass only the first so many, at least one, until told otherwise. */
void spawn_limit(struct spawn *spawn, size_t used);
int spawn_start(struct spawn *spawn, struct child *child, struct err *err);
void spawn_free(struct spawn *spawn);

#endif
