/* SPDX-License-Identifier: ISC */
#ifndef CONF_VALUE_H
#define CONF_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A value as the configuration file gave it, with its place: the tree in which
 * a handler's options travel from the file to the handler, since only the
 * handler knows their types. Lives in the arena of its configuration.
 */
enum value_type {
	VALUE_BOOL,
	VALUE_INT,
	VALUE_FLOAT,
	VALUE_STRING,
	VALUE_LIST,             /* an array or a list: members without names */
	VALUE_GROUP,            /* members with names */
};

struct value {
	enum value_type type;
	const char *name;       /* NULL for a list's member */
	const char *file;       /* as the operator wrote it */
	unsigned line;
	int64_t integer;        /* BOOL (0 or 1), INT */
	double real;            /* FLOAT */
	const char *string;     /* STRING */
	struct value *members;  /* LIST, GROUP: first child */
	struct value *next;     /* next sibling */
};

struct value *value_find(const struct value *group, const char *name);
/* The same type and content, wherever they stand and whatever they are called. The order of a
 * group's members has no meaning; no value is an empty group. */
bool value_equals(const struct value *a, const struct value *b);
const char *value_type_word(enum value_type type);      /* "a string", "a number", ... */

#endif
