/* SPDX-License-Identifier: ISC */
#ifndef BASE_OPTION_H
#define BASE_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

/*
 * A command line from a table. Each program has one table of rows and a struct
 * options of its own, which the rows fill in; what is said of an option in
 * --help, in a manual page and in a shell's completion is printed from the
 * same rows. The main thread, at a program's start.
 */
#define OPTION_ROWS_MAX 40      /* of a table; tests walk the tables */

struct options;
struct option_row;
/* 0, or -EINVAL with a sentence. value is NULL where no argument was given. */
typedef int option_set_fn(struct options *options, const struct option_row *row,
    const char *value, struct err *err);

struct option_row {
	char letter;                    /* 0 = long form only */
	const char *name;               /* NULL ends the table */
	const char *argument;           /* NULL = none; "[X]" optional */
	bool is_hidden;                 /* not in --help: for our build */
	option_set_fn *set;
	const char *help;
	size_t field;                   /* of the setters below: its offset */
	int64_t least, most;            /* the range of a number */
};

/* Setters for a field: bool; const char *; and int64_t for a number, for bytes
 * (64, 64K) and for milliseconds (250ms, 5s, 5). */
option_set_fn option_set_flag, option_set_text, option_set_number,
    option_set_bytes, option_set_ms;

/* Where the words that are no options begin in argv, or -EINVAL. */
int option_walk(const struct option_row *table, struct options *options,
    int argc, char **argv, struct err *err);

/* The lines of --help, the items of a manual page's list, and the words and
 * lines that completion for bash and zsh consists of. */
void option_print_help(FILE *out, const struct option_row *table);
void option_print_mdoc(FILE *out, const struct option_row *table);
void option_print_bash(FILE *out, const struct option_row *table);
void option_print_zsh(FILE *out, const struct option_row *table);
/* A name in two columns with its help, which is broken into lines. */
void option_print_left(FILE *out, const char *left, const char *help);
/* One text of zsh's, up to where a remark begins. */
void option_print_zsh_text(FILE *out, const char *text);

#endif
