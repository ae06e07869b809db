/* SPDX-License-Identifier: ISC */
#ifndef CONF_DRAFT_H
#define CONF_DRAFT_H

#include <stdbool.h>
#include <stddef.h>

#include "conf/config.h"
#include "conf/fault.h"
#include "conf/row.h"

/*
 * A configuration while it is read and checked, in the reading child: the
 * values, and beside each the place that it came from. read.c fills it, check.c
 * judges and resolves it. Everything lives in the configuration's arena.
 */
struct draft_listener {
	struct listener_conf *conf;     /* a member of config->listeners */
	const struct value **given;     /* a row each; NULL = not in any file */
	bool *is_own;                   /* a row each: not from the defaults */
	bool *is_bad;                   /* a row each: has its fault already */
};

struct draft {
	struct config *config;          /* owned by the reader */
	struct faults *faults;          /* borrowed */
	const char *directory;          /* absolute: of relative paths */
	const struct value **given;     /* a row of top_table each */
	bool *is_bad;
	struct draft_listener *listeners;       /* as config->listeners */
	unsigned broken;                /* documents that could not be read */
	bool failed;                    /* out of memory */
};

/* Memory, or NULL with draft->failed. */
void *draft_alloc(struct draft *draft, size_t size);
/* The same for a string: "" and never NULL. */
const char *draft_printf(struct draft *draft, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* path as seen from the main file's directory. */
const char *draft_path(struct draft *draft, const char *path);

/* The value that a listener, or its defaults, gave for a key; or NULL. */
const struct value *draft_given(const struct draft_listener *listener,
    const char *path);
bool draft_is_own(const struct draft_listener *listener, const char *path);
bool draft_is_bad(const struct draft_listener *listener, const char *path);
/* A fault of a listener's key: at the place of value when it is not NULL, else
 * of what gave the key, else of the listener. */
void draft_fault(struct draft *draft, const struct draft_listener *listener,
    const char *path, const struct value *value, const char *format, ...)
	__attribute__((format(printf, 5, 6)));
void draft_top_fault(struct draft *draft, const char *path, const char *format,
    ...) __attribute__((format(printf, 3, 4)));

/* read.c: a main file and its conf.d, or a text that stands for them; every
 * value in its field. 0, or -errno when the main file cannot be opened. */
int draft_read_files(struct draft *draft, const char *path);
int draft_read_text(struct draft *draft, const char *file, const char *text);

/* check.c: find what the rows cannot, and fill in what follows from the values:
 * addresses, handler_file, inherited users. Reads the system (users, files,
 * host names). */
void draft_check(struct draft *draft);
/* check_listen.c: one listener's addresses; then all of them together. */
void draft_check_listen(struct draft *draft, struct draft_listener *listener);
void draft_check_overlaps(struct draft *draft);
/* check_user.c: may the daemon become whom the listener names? */
void draft_check_top_users(struct draft *draft);
void draft_check_users(struct draft *draft, struct draft_listener *listener);
/* check_handler.c */
void draft_check_handler(struct draft *draft, struct draft_listener *listener);

#endif
