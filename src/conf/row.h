/* SPDX-License-Identifier: ISC */
#ifndef CONF_ROW_H
#define CONF_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "conf/config.h"
#include "conf/value.h"

/*
 * One row is one setting. Everything that is said of a setting is said in its
 * row (schema.c): reading, checking, defaults, -T, -H, the flat text, the
 * manual page and the example file are loops over the rows. Rows are constant;
 * any process may read them.
 */
enum row_type {
	ROW_BOOL,
	ROW_INT,
	ROW_SIZE,               /* bytes: an integer, or "64K" "16M" "1G" */
	ROW_DURATION,           /* milliseconds; in a file seconds, or "5m" */
	ROW_SECONDS,            /* whole seconds; written like a duration */
	ROW_KEEPALIVE,          /* false 0, true -1, or whole seconds */
	ROW_WORKERS,            /* an integer or "auto" */
	ROW_MODE,               /* permission bits, an octal string */
	ROW_CHOICE,             /* one of the words; stored as its index */
	ROW_STRING,
	ROW_STRINGS,            /* a list of strings */
	ROW_STRING_OR_LIST,
	ROW_OPTIONS,            /* a group that the handler judges */
	ROW_GROUP,              /* no value: "limits", of "limits.NAME" */
	ROW_SECTION,            /* no value: "listeners", "defaults" */
};

/* The C type that a row's field must have. */
#define ROW_C_BOOL bool
#define ROW_C_INT int64_t
#define ROW_C_SIZE int64_t
#define ROW_C_DURATION int64_t
#define ROW_C_SECONDS int64_t
#define ROW_C_KEEPALIVE int64_t
#define ROW_C_WORKERS int64_t
#define ROW_C_MODE int64_t
#define ROW_C_CHOICE int64_t
#define ROW_C_STRING const char *
#define ROW_C_STRINGS struct string_list
#define ROW_C_STRING_OR_LIST struct string_list
#define ROW_C_OPTIONS struct value *

/* offsetof() that does not compile when the field has another type. */
#define ROW_OFFSET(root, field, ctype)                                        \
	(offsetof(root, field) + 0 * sizeof(struct {                          \
		int unused;                                                   \
		_Static_assert(_Generic(((root *)NULL)->field,                \
		    ctype: 1, default: 0), "row and field differ in type");   \
	}))

#define ROW_FIELD(root, TYPE, field)                                          \
	.type = ROW_##TYPE,                                                   \
	.offset = ROW_OFFSET(root, field, ROW_C_##TYPE)

/* What a reload has to do when the value changed. */
enum row_reload {
	RELOAD_LIVE,            /* nothing is started anew */
	RELOAD_GENERATION,      /* new processes; the old ones finish */
	RELOAD_SOCKET,          /* the listening socket is opened anew */
	RELOAD_START,           /* nothing; the next start of the daemon */
};

struct conf_row {
	const char *path;               /* "timeout", "limits.nofile" */
	enum row_type type;
	size_t offset;                  /* in struct config or listener_conf */
	int64_t min, max;               /* of a number, in the field's unit */
	int64_t number;                 /* default of a number */
	const char *text;               /* a string's default; a list's member */
	const char *unset;              /* what the default means when no file
					 * can hold it as a value; else NULL */
	const char *example;            /* shown where no default can be */
	const char *unit;               /* "requests": behind a range */
	const char *const *choices;     /* NULL-terminated */
	enum row_reload reload;
	unsigned models;                /* ROW_MODEL() bits; 0 = every model */
	unsigned sockets;               /* ROW_ON_ bits; 0 = every socket */
	const char *unit_key;           /* what says it of an fd: socket in
					 * systemd.socket(5), or NULL */
	bool is_required;
	bool is_own_only;               /* makes no sense in `defaults` */
	const char *python;             /* socketserver's name, or NULL */
	const char *help;               /* one paragraph */
};

#define ROW_MODEL(name) (1U << CONCURRENCY_##name)

/* Which sockets a setting does something for, by the form of their address. */
enum {
	ROW_ON_TCP = 1U << ADDR_TCP,
	ROW_ON_UDP = 1U << ADDR_UDP,
	ROW_ON_UNIX = 1U << ADDR_UNIX,
	ROW_ON_UNIXGRAM = 1U << ADDR_UNIXGRAM,
	ROW_ON_FD = 1U << ADDR_FD,
	ROW_ON_PATH = 1U << 8,          /* unix: and unixgram: with a file */
};

struct row_table {
	const char *title;
	const struct conf_row *rows;
	size_t count;
};

extern const struct row_table top_table, listener_table;        /* schema.c */

bool row_has_value(const struct conf_row *row);
bool row_applies(const struct conf_row *row, int64_t concurrency);
/* Does it do anything for one of the sockets (ROW_ON_ bits)? */
bool row_serves(const struct conf_row *row, unsigned sockets);
/* What a listener listens on. */
unsigned row_sockets(const struct listener_conf *listener);
/* "tcp: or fd:" */
void row_list_sockets(const struct conf_row *row, const char *or,
    struct buf *out);
const struct conf_row *row_find(const struct row_table *table,
    const char *path);
/* The last part of a path: "nofile". */
const char *row_key(const struct conf_row *row);
/* Is row a member of group ("limits.nofile" of "limits")? */
bool row_is_in(const struct conf_row *row, const struct conf_row *group);

/* Where a row's value is, in a struct config or struct listener_conf. */
bool *row_bool(const struct conf_row *row, void *base);
int64_t *row_number(const struct conf_row *row, void *base);
const char **row_string(const struct conf_row *row, void *base);
struct string_list *row_list(const struct conf_row *row, void *base);
struct value **row_options(const struct conf_row *row, void *base);

/* 0 or -ENOMEM. */
int row_set_default(const struct conf_row *row, void *base,
    struct arena *arena);
int rows_set_defaults(const struct row_table *table, void *base,
    struct arena *arena);
bool row_is_default(const struct conf_row *row, const void *base);
bool string_list_is_equal(const struct string_list *a,
    const struct string_list *b);
bool row_is_equal(const struct conf_row *row, const void *a, const void *b);
/* A value from a file into its field. -EINVAL: *err is "what is wrong; what is
 * allowed". -ENOMEM. */
int row_assign(const struct conf_row *row, void *base,
    const struct value *value, struct arena *arena, struct err *err);
/* The value as a file holds it: 60, "threaded", [ "a", "b" ]. indent: tabs in
 * front of the lines of a group. */
void row_format(const struct conf_row *row, const void *base, unsigned indent,
    struct buf *out);
/* "a whole number from 1 to 65535" */
void row_allowed(const struct conf_row *row, struct buf *out);
/* "5", "\"word\"", "a list": a value as a fault shows it. */
void value_show(const struct value *value, struct buf *out);
/* A string between quotes, as libconfig reads it. */
void quote(struct buf *out, const char *text);

#endif
