/* SPDX-License-Identifier: ISC */
#include "conf/diff.h"

#include <assert.h>
#include <string.h>

/* The heaviest key decides; for a new listener and one that goes, the caller
 * does. */
static void
add_row(struct change *change, const struct conf_row *row)
{
	enum change_kind kind = CHANGE_LIVE + row->reload;

	assert(change->count < CHANGE_ROWS_MAX);
	change->rows[change->count++] = row;
	if (row->reload == RELOAD_START)
		return;         /* nothing to do before the next start */
	if (kind > change->kind)
		change->kind = kind;
	if (row->reload == RELOAD_GENERATION)
		change->needs_generation = true;
}

/* What a row's text came to mean can differ although the text does not: a name
 * that resolves to another address, a handler's file that was written anew. */
static bool
meaning_differs(const struct conf_row *row, const struct listener_conf *old,
    const struct listener_conf *new)
{
	if (strcmp(row->path, "listen") == 0)
		return !string_list_is_equal(&old->addresses, &new->addresses);
	if (strcmp(row->path, "handler") == 0)
		return strcmp(old->handler_file, new->handler_file) != 0 ||
		    strcmp(old->handler_digest, new->handler_digest) != 0;
	return false;
}

static bool
is_there(const struct listener_conf *listener)
{
	return listener && listener->is_enabled;
}

/* What comes and goes: a key differs when both are in the file. */
static void
diff_presence(const struct listener_conf *old, const struct listener_conf *new,
    struct change *change)
{
	if (is_there(old) == is_there(new))
		return;
	if (old && new)
		add_row(change, row_find(&listener_table, "enabled"));
	change->kind = is_there(new) ? CHANGE_ADD : CHANGE_REMOVE;
}

void
diff_listener(const struct listener_conf *old, const struct listener_conf *new,
    struct change *change)
{
	*change = (struct change){ .kind = CHANGE_KEEP };
	if (!is_there(old) || !is_there(new)) {
		diff_presence(old, new, change);
		return;
	}
	for (size_t i = 0; i < listener_table.count; i++) {
		const struct conf_row *row = &listener_table.rows[i];

		if (!row_applies(row, old->concurrency) ||
		    !row_applies(row, new->concurrency))
			continue;
		if (!row_is_equal(row, old, new) ||
		    meaning_differs(row, old, new))
			add_row(change, row);
	}
	change->is_moved = !string_list_is_equal(&old->addresses,
	    &new->addresses) || old->reuse_port != new->reuse_port;
	/* sockets are handed to a process when it starts */
	if (change->is_moved)
		change->needs_generation = true;
}

void
diff_top(const struct config *old, const struct config *new,
    struct change *change)
{
	*change = (struct change){ .kind = CHANGE_KEEP };
	for (size_t i = 0; i < top_table.count; i++)
		if (!row_is_equal(&top_table.rows[i], old, new))
			add_row(change, &top_table.rows[i]);
}

static const char *const change_words[] = {
	[CHANGE_KEEP] = "keep",
	[CHANGE_LIVE] = "live",
	[CHANGE_GENERATION] = "generation",
	[CHANGE_SOCKET] = "socket",
	[CHANGE_ADD] = "add",
	[CHANGE_REMOVE] = "remove",
};

const char *
change_word(enum change_kind kind)
{
	return change_words[kind];
}
