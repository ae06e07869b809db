/* SPDX-License-Identifier: ISC */
#ifndef SUPER_OPTIONS_H
#define SUPER_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/err.h"
#include "base/option.h"

/*
 * The command line of socketserverd. options[] is the one table: parsing,
 * --help and the option list of socketserverd(8) come from it.
 */
enum action {
	ACTION_SERVE,
	ACTION_TEST,
	ACTION_DUMP,
	ACTION_LIST_HANDLERS,
	ACTION_HELP_CONFIG,
	ACTION_PRINT,
	ACTION_TRY,
	ACTION_HELP,
	ACTION_VERSION,
	ACTIONS
};

struct options {                /* strings are borrowed from argv */
	enum action action;
	char action_letter;             /* that chose it; 0 = none */
	const char *file;               /* the configuration file */
	bool is_file_given;
	const char *address, *handler;  /* -r; NULL = serve a file */
	const char *model;              /* -m, or NULL */
	char **settings;                /* -o NAME=VALUE; the array is owned */
	size_t setting_count;
	const char *key;                /* -H KEY, or NULL */
	const char *document;           /* --print */
	char **argv;                    /* as given; the array is owned */
	const char *pidfile;            /* -p, or NULL */
	bool is_daemon;
	int log_level;                  /* enum log_level; -1 = as configured */
};

extern const struct option_row options_table[]; /* ends with name NULL */

/* 0, or -EINVAL with a sentence for a usage error. */
int options_parse(struct options *options, int argc, char **argv,
    struct err *err);
void options_free(struct options *options);
void options_usage(FILE *out);
void options_mdoc(FILE *out);   /* the items of socketserverd(8)'s list */

#endif
