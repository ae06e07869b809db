/* SPDX-License-Identifier: ISC */
#ifndef CTL_VIEW_H
#define CTL_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/buf.h"

/*
 * A result of the daemon's, as text for people. Pure: JSON in, bytes out. A
 * result is taken as it comes: what is missing or of another type reads as "-"
 * or 0, what does not print is escaped, and nothing makes a view fail but
 * memory (out.failed).
 */
struct rates;

struct view {
	struct buf out;                 /* owned */
	bool is_colour;
	const struct rates *rates;      /* borrowed: requests per second of
					 * each listener; NULL = not shown */
};

typedef void view_fn(struct view *view, const json_t *result);

view_fn view_status;            /* status */
view_fn view_show;              /* show */
view_fn view_list;              /* list */
view_fn view_connections;       /* connections */
view_fn view_health;            /* health */
view_fn view_plan;              /* plan, reload, rollback */
view_fn view_state;             /* start, stop, restart, drain */
view_fn view_kill;              /* kill */
view_fn view_level;             /* log-level */
view_fn view_version;           /* ping, upgrade */
view_fn view_nothing;           /* confirm */

void view_init(struct view *view, bool is_colour);
void view_free(struct view *view);
void view_printf(struct view *view, const char *format, ...)
	__attribute__((format(printf, 2, 3)));  /* cleaned, but for a newline
						 * that ends the format */
/* Indented for a terminal, else on one line; with its newline. */
void view_json(struct view *view, const json_t *value, bool is_indented);

/* Would a reload change anything? */
bool plan_has_changes(const json_t *result);

/* Members of an object that may be anything. */
const char *field_text(const json_t *object, const char *key);  /* or "-" */
#define FIELD_SIZE 32
/* A text, or a number written into it, or "-". */
const char *field_any(char text[FIELD_SIZE], const json_t *object,
    const char *key);
int64_t field_number(const json_t *object, const char *key);    /* or 0 */
bool field_is_number(const json_t *object, const char *key);
const json_t *field_array(const json_t *object, const char *key); /* or NULL */
const char *item_text(const json_t *array, size_t index);       /* or "-" */
/* The sum of an object's numbers, at most INT64_MAX. */
int64_t field_sum(const json_t *object, const char *key);

#endif
