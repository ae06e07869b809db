/* SPDX-License-Identifier: ISC */
#ifndef CONF_DIFF_H
#define CONF_DIFF_H

#include <stdbool.h>
#include <stddef.h>

#include "conf/config.h"
#include "conf/row.h"

/*
 * Two configurations compared: what a reload has to do, and because of which
 * keys. Both are as they came from flat_decode(), so defaults are merged and a
 * top-level `user` is a change of each listener that has it from there. Pure;
 * owns nothing.
 */
enum change_kind {
	CHANGE_KEEP,            /* nothing differs */
	CHANGE_LIVE,            /* = its heaviest key's enum row_reload + 1 */
	CHANGE_GENERATION,
	CHANGE_SOCKET,
	CHANGE_ADD,
	CHANGE_REMOVE,
};

#define CHANGE_ROWS_MAX 96      /* at least as many as a table has rows */

struct change {
	enum change_kind kind;
	bool needs_generation;  /* a key that only new processes follow */
	bool is_moved;          /* other addresses, or other processes have them:
				 * sockets open and close */
	size_t count;
	/* The keys that differ, in the order of the table. */
	const struct conf_row *rows[CHANGE_ROWS_MAX];
};

/* NULL, or a listener that is not enabled: it is not there. A key that does not
 * apply to the concurrency of both is no change. */
void diff_listener(const struct listener_conf *old,
    const struct listener_conf *new, struct change *change);
/* The keys of the top level; listeners are not compared. */
void diff_top(const struct config *old, const struct config *new,
    struct change *change);
/* "keep", "generation": what the plan of a reload calls it. */
const char *change_word(enum change_kind kind);

#endif
