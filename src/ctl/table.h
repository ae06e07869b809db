/* SPDX-License-Identifier: ISC */
#ifndef CTL_TABLE_H
#define CTL_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"

/*
 * A table for people: each column as wide as its widest cell, two spaces
 * between them, nothing after the last. Cells are cleaned (text_clean) as they
 * are added, from left to right, row by row. What does not fit into memory is
 * told by out->failed of table_print().
 */
enum column_kind { COLUMN_TEXT, COLUMN_NUMBER, COLUMN_STATE };

struct column {
	const char *head;
	enum column_kind kind;  /* a number stands to the right; a state has a
				 * colour */
};

struct table {
	const struct column *columns;   /* borrowed, ends with head NULL */
	size_t width;                   /* columns */
	char **cells;                   /* owned; the texts are in arena */
	size_t count, room;
	struct arena arena;             /* owned */
	bool failed;
};

void table_init(struct table *table, const struct column *columns);
void table_free(struct table *table);
void table_cell(struct table *table, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Empty cells until the row is full. */
void table_row_end(struct table *table);
void table_print(const struct table *table, struct buf *out, bool is_colour);

/* What stands before and after a state; "" without colour. */
const char *state_colour(const char *state, bool is_colour);
const char *state_colour_end(bool is_colour);

#endif
