/* SPDX-License-Identifier: ISC */
#ifndef CTL_OPTIONS_H
#define CTL_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/err.h"
#include "base/option.h"
#include "control/command.h"

/*
 * The command line of socketserverctl. options_table[] and commands[] are its
 * two tables: parsing, --help, the lists of socketserverctl(1) and the
 * completion come from them. Options may stand before and after the words.
 */
#define DEFAULT_SOCKET RUNSTATEDIR "/socketserverd/control.sock"

enum action { ACTION_COMMAND, ACTION_PRINT, ACTION_HELP, ACTION_VERSION,
	ACTIONS };

struct options {                /* strings are borrowed from argv */
	enum action action;
	const char *socket;
	bool is_json;
	const char *confirm_within;     /* a duration, or NULL */
	const char *document;           /* --print */
	enum command command;
	char **words;                   /* after the command */
	size_t word_count;
};

extern const struct option_row options_table[]; /* ends with name NULL */

/* 0, or -EINVAL with a sentence for a usage error. */
int options_parse(struct options *options, int argc, char **argv,
    struct err *err);
void options_usage(FILE *out);

#endif
