/* SPDX-License-Identifier: ISC */
#ifndef SUPER_SUPER_H
#define SUPER_SUPER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/exit.h"
#include "base/log.h"
#include "base/loop.h"
#include "net/inherit.h"
#include "super/control.h"
#include "super/daemonize.h"
#include "super/generation.h"
#include "super/held.h"
#include "super/listener.h"
#include "super/notify.h"
#include "super/options.h"
#include "super/pidfile.h"
#include "super/reap.h"
#include "super/reload.h"
#include "super/spawn.h"
#include "super/upgrade.h"
#include "super/wait.h"
#include "super/store.h"

/*
 * The supervisor's root object. It binds, starts, watches and ends; it never
 * runs a handler's code, never parses a configuration's text, resolves
 * nothing, and has one thread.
 */
enum super_phase {
	SUPER_STARTING,         /* until all serve or have failed once */
	SUPER_SERVING,
	SUPER_LAME,             /* to be stopped: not ready, still accepting */
	SUPER_STOPPING,         /* draining */
	SUPER_FINISHED,         /* no process is left */
};

struct super {
	const struct options *options;  /* borrowed from main() */
	enum super_phase phase;
	enum exit_code code;            /* what super_run() returns */
	struct held *held;              /* held: the configuration in force */
	struct program program;         /* owned */
	struct inherit inherit;         /* owned: sockets handed to us */
	struct store store;             /* owned: the manager keeps them */
	struct notify notify;
	struct daemonize daemonize;
	struct pidfile pidfile;
	char *pidfile_path;             /* owned; NULL = none */
	char *address_file;             /* owned; NULL = none was written */
	char *log_target;               /* owned; a file by its absolute name */
	struct earlier earlier;         /* children from before our exec */
	bool log_is_stderr;
	struct loop *loop;              /* owned */
	int signal_fd;                  /* owned */
	struct watch signal_watch;
	struct timer lame_duck;         /* its end is the drain's beginning */
	struct timer extend;            /* asks for patience while draining */
	struct timer reap;              /* goes on with what one turn left */
	struct timer sweep;             /* frees what is gone */
	struct generation_env env;
	struct control *control;        /* owned; NULL = no control socket */
	int64_t started_at;
	struct reload reload;
	struct upgrade upgrade;
	struct wait waits[WAITS_MAX];
	struct backoff_gate gate;       /* spreads the restarts of all */
	uint64_t id_blocks;             /* of request ids, given to generations */
	struct listener **listeners;    /* owned, each; the enabled ones */
	size_t listener_count;
};

/* Serve until told to stop. Returns the program's exit status: the starter's
 * too, under -d. */
enum exit_code super_run(const struct options *options);

/* Could this program go on with the state on standard input? Tells so, and ends
 * the process. */
enum exit_code super_try(const struct options *options);

/* Takes the listener over; 0 or -ENOMEM. */
int super_add_listener(struct super *super, struct listener *listener);
/* While it stops: is nothing left? */
void super_check_finished(struct super *super);
/* Free what is gone, as soon as nobody is at work on it. */
void super_sweep_later(struct super *super);
/* prefix + path; a relative one from where the daemon was started. The
 * caller's; NULL out of memory. */
char *super_absolute(const struct super *super, const char *prefix,
    const char *path);
/* address_file, as the configuration in force has it. 0, or -errno and the old
 * one stays. */
int super_write_addresses(struct super *super, struct err *err);
/* Serving: to the service manager. */
void super_notify_ready(struct super *super);
/* The listener of that name that is not on its way out, or NULL. */
struct listener *super_listener(const struct super *super, const char *name);
/* stop.c: drain and end; asked again, end at once. who: a signal's name. */
void super_stop(struct super *super, const char *who);
/* Take all children that have ended: services and what they left behind. */
void super_reap(struct super *super);

#endif
