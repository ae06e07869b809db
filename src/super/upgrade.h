/* SPDX-License-Identifier: ISC */
#ifndef SUPER_UPGRADE_H
#define SUPER_UPGRADE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/exit.h"
#include "base/log.h"
#include "base/loop.h"

struct super;

/*
 * From one program to another in the same process, while the services serve:
 *
 *	ask -> (trial: the new program, as a child, reads a copy of the state)
 *	    -> exec -> take_over
 *	            <- exec, if it cannot after all
 *
 * The process keeps its number, its children and its descriptors. One upgrade
 * at a time; reloads wait for its end. Supervisor only; only the exec itself
 * makes the loop wait.
 */
#define UPGRADE_MS 10000        /* for the trial */

/* How the log is written; the rest of it says the configuration. */
struct upgrade_log {
	int fd;                         /* borrowed from the log */
	enum log_kind kind;
	enum log_format format;
	enum log_level level;
	bool is_access_on;
};

struct upgrade {
	char *path;                     /* owned; of the program; NULL = unknown */
	int self;                       /* owned; this program, O_PATH */
	uint64_t ticket;                /* who waits for the answer; 0 = nobody */
	struct upgrade_log log;
	int program;                    /* owned; the new one, O_PATH */
	pid_t pid;                      /* of the trial; 0 = none runs */
	int pidfd, pipe;                /* owned */
	struct watch pidfd_watch;
	struct timer deadline;
};

#define UPGRADE_NONE (struct upgrade){                          \
	.self = -1, .program = -1, .pidfd = -1, .pipe = -1,     \
	.pidfd_watch.fd = -1,                                   \
}

/* Before the supervisor changes its directory. */
void upgrade_init(struct super *super);
void upgrade_free(struct upgrade *upgrade);
/* The answer comes later, perhaps from the next program. ticket 0: nobody waits
 * for it. */
void upgrade_ask(struct super *super, uint64_t ticket);
bool upgrade_is_running(const struct upgrade *upgrade);
/* A child has ended and is still to be reaped: true when it was the trial. */
bool upgrade_reap(struct super *super, pid_t pid);
/* The daemon stops: whoever waits is told. */
void upgrade_cancel(struct super *super);

/* In the next program */

/* Was a state left for this process? */
bool upgrade_is_due(void);
/* super: initialised. Becomes the supervisor that the state tells of, or goes
 * back to the program before; does not return then. Not EXIT_OK: neither. */
enum exit_code upgrade_take_over(struct super *super);
/* The trial: could it? The answer goes to standard output. */
bool upgrade_try(struct super *super);

#endif
