/* SPDX-License-Identifier: ISC */
#ifndef CONTROL_COMMAND_H
#define CONTROL_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The commands of socketserverctl: one table for the client's dispatch, help,
 * manual page and completion, and for what the daemon allows whom. Constant;
 * any process may read it.
 */
enum command {
	COMMAND_STATUS,
	COMMAND_SHOW,
	COMMAND_LIST,
	COMMAND_CONNECTIONS,
	COMMAND_HEALTH,
	COMMAND_TOP,
	COMMAND_PLAN,
	COMMAND_RELOAD,
	COMMAND_CONFIRM,
	COMMAND_ROLLBACK,
	COMMAND_START,
	COMMAND_STOP,
	COMMAND_RESTART,
	COMMAND_DRAIN,
	COMMAND_KILL,
	COMMAND_LOG_LEVEL,
	COMMAND_UPGRADE,
	COMMAND_TALK,
	COMMAND_PING,
	COMMANDS
};

enum command_place {
	COMMAND_READS,          /* the daemon answers root, its user, the group
				 * of the control socket */
	COMMAND_CHANGES,        /* the daemon obeys root and its own user */
	COMMAND_LOCAL,          /* the client does it, with the others' help */
};

struct command_row {
	const char *name;               /* "log-level" */
	const char *arguments;          /* "LEVEL", "[NAME]"; "" = none */
	enum command_place place;
	unsigned least, most;           /* words after the name */
	const char *help;               /* a sentence for --help */
	const char *text;               /* a paragraph for the manual page */
};

extern const struct command_row commands[COMMANDS];

/* The command of that name, or COMMANDS. */
enum command command_find(const char *name);

#endif
