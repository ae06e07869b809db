/* SPDX-License-Identifier: ISC */
#ifndef SUPER_LOADER_H
#define SUPER_LOADER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/exit.h"
#include "base/loop.h"
#include "conf/config.h"
#include "super/options.h"
#include "super/spawn.h"

/*
 * Reading the configuration again while the supervisor serves: load_checked()
 * in a child, whose answer comes through the loop. The child is killed at its
 * deadline, whatever it does ends in one call of `done`, and what it answers
 * is bounded and trusted in nothing. One load at a time.
 *
 * The child stands in the directory that the daemon was started in, as far as
 * that is still there: relative names mean what they meant then.
 */
#define LOADER_DEADLINE_MS 30000        /* reading 10 s, handlers 15 s */

/* config is the callee's, NULL unless code is EXIT_OK. faults: lines, "" for
 * none, the caller's. The loader may be started again from here. */
typedef void loader_done_fn(void *arg, enum exit_code code,
    struct config *config, const char *faults);

/* What the child does: writes its answer to fd. */
typedef void loader_work_fn(const struct options *options,
    const struct program *program, int fd);

struct loader {
	char *directory;                /* owned; NULL = unknown */
	int64_t deadline_ms;            /* a test has less patience */
	loader_work_fn *work;           /* a test's child does something else */
	pid_t pid;                      /* 0 = no load runs */
	int pidfd, pipe;                /* owned */
	int status;                     /* of waitpid(2); -1 = not known */
	bool has_read_all;
	struct buf answer;              /* owned */
	struct loop *loop;              /* borrowed */
	struct watch pipe_watch, pidfd_watch;
	struct timer deadline;
	loader_done_fn *done;
	void *arg;
};

/* Before the supervisor changes its directory. */
void loader_init(struct loader *loader);
/* 0 and `done` will be called from the loop; or -errno with *err: -EBUSY when
 * a load runs. */
int loader_start(struct loader *loader, struct loop *loop,
    const struct options *options, const struct program *program,
    loader_done_fn *done, void *arg, struct err *err);
bool loader_is_running(const struct loader *loader);
/* A child has ended and is still to be reaped: true when it was the loader's;
 * it is reaped then, and `done` may have been called. */
bool loader_reap(struct loader *loader, pid_t pid);
/* End the load; `done` is not called. A no-op when none runs. */
void loader_cancel(struct loader *loader);
void loader_free(struct loader *loader);

#endif
