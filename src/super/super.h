/* SPDX-License-Identifier: ISC */
#ifndef SUPER_SUPER_H
#define SUPER_SUPER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/exit.h"
#include "base/loop.h"
#include "conf/config.h"
#include "net/inherit.h"
#include "super/daemonize.h"
#include "super/generation.h"
#include "super/listener.h"
#include "super/options.h"
#include "super/pidfile.h"
#include "super/spawn.h"

/*
 * The supervisor's root object. It binds, starts, watches and ends; it never
 * runs a handler's code, never parses a configuration's text, resolves
 * nothing, and has one thread.
 */
enum super_phase {
	SUPER_STARTING,         /* until all serve or have failed once */
	SUPER_SERVING,
	SUPER_STOPPING,         /* draining */
	SUPER_FINISHED,         /* no process is left */
};

struct super {
	const struct options *options;  /* borrowed from main() */
	enum super_phase phase;
	enum exit_code code;            /* what super_run() returns */
	struct config *config;          /* owned */
	struct program program;         /* owned */
	struct inherit inherit;         /* owned: sockets handed to us */
	struct daemonize daemonize;
	struct pidfile pidfile;
	struct arena arena;             /* owned: the paths below */
	const char *pidfile_path, *address_file, *log_target;   /* absolute */
	bool has_address_file;          /* it was written */
	bool had_children;              /* from before our exec */
	bool log_is_stderr;
	struct loop *loop;              /* owned */
	int signal_fd;                  /* owned */
	struct watch signal_watch;
	struct timer extend;            /* asks for patience while draining */
	struct timer reap;              /* goes on with what one turn left */
	struct generation_env env;
	struct listener *listeners;     /* owned; the enabled ones */
	size_t listener_count;
};

/* Serve until told to stop. Returns the program's exit status: the starter's
 * too, under -d. */
enum exit_code super_run(const struct options *options);

/* Drain and end; asked again, end at once. who: a signal's name. */
void super_stop(struct super *super, const char *who);
void super_reopen_log(struct super *super);
/* Take all children that have ended: services and what they left behind. */
void super_reap(struct super *super);

#endif
