/* SPDX-License-Identifier: ISC */
#ifndef CONF_LEX_H
#define CONF_LEX_H

#include <stddef.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/buf.h"
#include "conf/fault.h"

/*
 * The pass over a file's text before libconfig sees it. It finds what libconfig
 * 1.5 gets wrong in silence (integers that wrap, 0660 read as 660, a comment
 * that is never closed, \x00 in a string), says more than "syntax error" about
 * the rest, and follows @include. What it hands on is one text without
 * comments, in which each line came from a known line of a known file.
 *
 * A mistake that can be got round is put right in that text, so that the rest
 * of the file is still checked. Where the mistake belongs to one setting, its
 * reader reports it, since that one knows the listener and the key: a bad value
 * is replaced by a string of LEX_BAD_VALUE and a sentence, the name of a
 * setting given twice has LEX_BAD_NAME in front. When the text is not read in
 * the end, source_tell() reports these too. Only in the reading child.
 */
#define LEX_BAD_VALUE "\x01\x1a\x01"
#define LEX_BAD_NAME '*'

#define LEX_DEPTH_MAX 32                /* brackets inside brackets */
#define LEX_SETTINGS_MAX 1000           /* in a group: libconfig is quadratic */
#define LEX_INCLUDE_MAX 10              /* files inside files */
#define LEX_FILE_BYTES (1024 * 1024)    /* of one file */
#define LEX_TOTAL_BYTES (4 * 1024 * 1024)       /* of a file and its includes */

struct source_line {
	const char *file;
	unsigned line;
};

struct source {
	struct buf text;                /* owned; for config_read_string() */
	struct source_line *lines;      /* owned; [0] is the text's line 1 */
	size_t line_count, line_room;
	struct faults deferred;         /* owned; left to the text's reader */
	struct arena *arena;            /* borrowed; holds the file names */
	const char *directory;          /* of @include; borrowed */
};

enum lex_result {
	LEX_CLEAN,
	LEX_PATCHED,            /* there were faults; the text can be read */
	LEX_BROKEN,             /* the text is of no use */
};

void source_init(struct source *source, struct arena *arena,
    const char *directory);
void source_free(struct source *source);
/* text is the contents of file (as the operator wrote its name); st, which may
 * be NULL, tells that file among those it includes. */
enum lex_result source_lex(struct source *source, const char *file,
    const char *text, size_t len, const struct stat *st, struct faults *faults);
/* Report what was left to the reader of the text. */
void source_tell(const struct source *source, struct faults *faults);
/* Where a line of the text came from. */
struct source_line source_place(const struct source *source, unsigned line);

#endif
