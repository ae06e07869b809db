/* SPDX-License-Identifier: ISC */
/*
 * From documents to a draft: the top level, the defaults, then each listener
 * over a copy of the defaults, every value by its row. Runs in the reading
 * child. Every document is read although another is broken.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/suggest.h"
#include "conf/draft.h"
#include "conf/file.h"
#include "conf/lex.h"
#include "conf/parse.h"

#define LISTENERS_MAX 4096

/* Listener groups in the order in which they were read. */
struct reader {
	struct draft *draft;
	const struct value *defaults;   /* or NULL */
	const struct value *listeners;  /* of the main file, or NULL */
	const struct value **groups;    /* owned */
	size_t count, room;
};

/* Where a group's values go. */
struct target {
	const struct row_table *table;
	void *base;                     /* struct config or listener_conf */
	const struct value **given;
	bool *is_own, *is_bad;          /* is_own may be NULL */
	const char *listener;           /* for faults; NULL = none */
	const char *prefix;             /* for faults: "defaults." or "" */
};

/* --- unknown keys --- */

/* Is word among the names that Python has for the row ("a, X.b")? */
static bool
is_python_name(const struct conf_row *row, const char *word)
{
	size_t len = strlen(word);
	const char *at = row->python;

	while (at && (at = strstr(at, word))) {
		if ((at == row->python || strchr(" .", at[-1])) &&
		    (!at[len] || at[len] == ','))
			return true;
		at += len;
	}
	return false;
}

/* Words of other daemons for what a row says. */
static const struct {
	const char *word, *key;
} other_words[] = {
	{ "address", "listen" }, { "bind", "listen" }, { "port", "listen" },
	{ "server_address", "listen" }, { "model", "concurrency" },
	{ "threads", "workers" }, { "processes", "workers" },
	{ "module", "handler" }, { "max_clients", "max_connections" },
	{ "max_instances", "max_connections" }, { "socket_timeout", "timeout" },
	{ "idle_timeout", "timeout" }, { "log_level", "log.level" },
	{ "listener", "listeners" }, { "disabled", "enabled" },
};

/* The row of group ("" or "limits.") that an unknown key may have meant. */
static const char *
guess_key(const struct row_table *table, const char *group, const char *name)
{
	struct suggest near;
	size_t len = strlen(group);

	for (size_t i = 0; i < table->count; i++)
		if (is_python_name(&table->rows[i], name) ||
		    strcmp(row_key(&table->rows[i]), name) == 0)
			return table->rows[i].path;
	for (size_t i = 0; i < sizeof(other_words) / sizeof(*other_words); i++)
		if (strcmp(other_words[i].word, name) == 0 &&
		    row_find(table, other_words[i].key))
			return other_words[i].key;
	suggest_init(&near, name);
	for (size_t i = 0; i < table->count; i++)
		if (strncmp(table->rows[i].path, group, len) == 0 &&
		    !strchr(table->rows[i].path + len, '.'))
			suggest_offer(&near, table->rows[i].path + len);
	return near.best;
}

static void
unknown_key(struct draft *draft, const struct target *target, const char *group,
    const struct value *value)
{
	bool is_top = target->table == &top_table;
	const struct row_table *other = is_top ? &listener_table : &top_table;
	const char *guess = guess_key(target->table, group, value->name);
	struct buf path;

	buf_init(&path, 0);
	(void)buf_printf(&path, "%s%s%s", target->prefix, group, value->name);
	if (!path.data)
		draft->failed = true;
	else if (!*group && row_find(other, value->name))
		fault_add(draft->faults, value->file, value->line,
		    target->listener, path.data, "unknown key here; "
		        "%s", is_top ?
		    "it belongs into a listener, or into defaults" :
		    "it belongs to the top level of the file");
	else if (guess)
		fault_add(draft->faults, value->file, value->line,
		    target->listener, path.data, "unknown key; did you mean "
		    "\"%s\"?", guess);
	else
		fault_add(draft->faults, value->file, value->line,
		    target->listener, path.data, "unknown key; socketserverd "
		    "-H lists all keys");
	buf_free(&path);
}

/* --- values --- */

/* The first setting of a name in a group, for the fault of the second. */
static void
report_duplicate(struct draft *draft, const char *listener, const char *path,
    const struct value *group, const struct value *value)
{
	const struct value *first = value_find(group,
	    value_duplicate_of(value));

	fault_add(draft->faults, value->file, value->line, listener, path,
	    "is given twice in one group, first at %s:%u; remove one",
	    first ? first->file : "?", first ? first->line : 0);
}

/* Report what lex.c left to us about a value and all it holds; is it bad? */
static bool
is_bad(struct draft *draft, const char *listener, const char *path,
    const struct value *value)
{
	const char *fault = value_fault(value);
	bool found = fault != NULL;

	if (fault)
		fault_add(draft->faults, value->file, value->line, listener,
		    path, "%s", fault);
	for (const struct value *v = value->members; v; v = v->next) {
		const char *twice = value_duplicate_of(v);
		const char *name = twice ? twice : v->name;
		const char *inner = name ? draft_printf(draft, "%s.%s", path,
		    name) : path;

		if (twice)
			report_duplicate(draft, listener, inner, value, v);
		found |= is_bad(draft, listener, inner, v) || twice;
	}
	return found;
}

static void
apply_value(struct draft *draft, const struct target *target,
    const struct conf_row *row, const struct value *value)
{
	const char *path = draft_printf(draft, "%s%s", target->prefix,
	    row->path);
	size_t i = (size_t)(row - target->table->rows);
	struct err err;
	int r;

	target->given[i] = value;
	if (target->is_own)
		target->is_own[i] = true;
	target->is_bad[i] = true;
	if (is_bad(draft, target->listener, path, value))
		return;
	r = row_assign(row, target->base, value, &draft->config->arena, &err);
	if (r == -ENOMEM)
		draft->failed = true;
	else if (r)
		fault_add(draft->faults, value->file, value->line,
		    target->listener, path, "%s", err.text);
	target->is_bad[i] = r != 0;
}

static void apply_group(struct draft *draft, const struct target *target,
    const struct value *group, const char *path);

/* A setting whose row is a group, but whose value may be anything. */
static void
apply_subgroup(struct draft *draft, const struct target *target,
    const struct conf_row *row, const struct value *value)
{
	const char *path = draft_printf(draft, "%s%s", target->prefix,
	    row->path);

	if (value->type == VALUE_GROUP)
		apply_group(draft, target, value, draft_printf(draft, "%s.",
		    row->path));
	else if (!is_bad(draft, target->listener, path, value))
		fault_add(draft->faults, value->file, value->line,
		    target->listener, path, "%s is given; a group { ... } is "
		    "allowed", value_type_word(value->type));
}

static void
apply_member(struct draft *draft, const struct target *target, const char *path,
    const struct value *value)
{
	const char *full = draft_printf(draft, "%s%s", path, value->name);
	const struct conf_row *row = row_find(target->table, full);

	if (!row)
		unknown_key(draft, target, path, value);
	else if (row->type == ROW_SECTION)
		return;         /* read by read_sections() */
	else if (row->type == ROW_GROUP)
		apply_subgroup(draft, target, row, value);
	else if (row->is_own_only && *target->prefix)
		fault_add(draft->faults, value->file, value->line, NULL,
		    draft_printf(draft, "%s%s", target->prefix, full),
		    "cannot be a default; write it in each listener");
	else
		apply_value(draft, target, row, value);
}

/* path: "" or "limits.": what the members' names follow. */
static void
apply_group(struct draft *draft, const struct target *target,
    const struct value *group, const char *path)
{
	for (const struct value *v = group->members; v; v = v->next)
		if (value_duplicate_of(v))
			report_duplicate(draft, target->listener, draft_printf(
			    draft, "%s%s%s", target->prefix, path,
			    value_duplicate_of(v)), group, v);
		else
			apply_member(draft, target, path, v);
}

/* --- listeners --- */

static void
init_listener(struct draft *draft, struct draft_listener *listener,
    struct listener_conf *conf)
{
	size_t n = listener_table.count;

	listener->conf = conf;
	listener->given = draft_alloc(draft, n * sizeof(*listener->given));
	listener->is_own = draft_alloc(draft, n * sizeof(*listener->is_own));
	listener->is_bad = draft_alloc(draft, n * sizeof(*listener->is_bad));
}

/* What a listener begins as: its own copy of the defaults. */
static void
copy_defaults(struct draft_listener *listener,
    const struct draft_listener *defaults)
{
	size_t n = listener_table.count;

	*listener->conf = *defaults->conf;
	memcpy(listener->given, defaults->given, n * sizeof(*listener->given));
	memcpy(listener->is_bad, defaults->is_bad,
	    n * sizeof(*listener->is_bad));
}

static void
apply_listener(struct draft *draft, struct draft_listener *listener,
    const struct value *group)
{
	const struct value *name = value_find(group, "name");
	struct target target = { &listener_table, listener->conf,
		listener->given, listener->is_own, listener->is_bad, NULL, "" };

	if (name && name->type == VALUE_STRING && !value_fault(name))
		target.listener = name->string;
	listener->conf->file = group->file;
	listener->conf->line = group->line;
	apply_group(draft, &target, group, "");
}

static void
read_defaults(struct reader *reader, struct draft_listener *defaults)
{
	struct draft *draft = reader->draft;
	struct target target = { &listener_table, defaults->conf,
		defaults->given, NULL, defaults->is_bad, NULL, "defaults." };

	if (rows_set_defaults(&listener_table, defaults->conf,
	    &draft->config->arena))
		draft->failed = true;
	defaults->conf->file = draft->config->file;
	defaults->conf->handler_file = "";
	defaults->conf->handler_digest = "";
	defaults->conf->handler_build_id = "";
	if (reader->defaults)
		apply_group(draft, &target, reader->defaults, "");
}

static void
read_listeners(struct reader *reader)
{
	struct draft *draft = reader->draft;
	struct config *config = draft->config;
	struct draft_listener defaults;
	size_t n = reader->count;

	config->listeners = draft_alloc(draft, n * sizeof(*config->listeners));
	draft->listeners = draft_alloc(draft, n * sizeof(*draft->listeners));
	init_listener(draft, &defaults, draft_alloc(draft,
	    sizeof(*defaults.conf)));
	if (draft->failed)
		return;
	read_defaults(reader, &defaults);
	for (size_t i = 0; i < n && !draft->failed; i++) {
		init_listener(draft, &draft->listeners[i],
		    &config->listeners[i]);
		if (draft->failed)
			return;
		copy_defaults(&draft->listeners[i], &defaults);
		apply_listener(draft, &draft->listeners[i], reader->groups[i]);
		config->listener_count++;
	}
}

/* --- documents --- */

static void
add_group(struct reader *reader, const struct value *group)
{
	if (reader->count == reader->room) {
		size_t room = reader->room ? 2 * reader->room : 16;
		const struct value **groups = reallocarray(reader->groups, room,
		    sizeof(*groups));

		if (!groups) {
			reader->draft->failed = true;
			return;
		}
		reader->groups = groups;
		reader->room = room;
	}
	reader->groups[reader->count++] = group;
}

/* Something in place of the list, or of a group in it. */
static void
refuse_group(struct draft *draft, const struct value *value,
    const char *allowed)
{
	draft->broken++;
	if (!is_bad(draft, NULL, "listeners", value))
		fault_add(draft->faults, value->file, value->line, NULL,
		    "listeners", "%s is given; %s is allowed",
		    value_type_word(value->type), allowed);
}

/* The value of `listeners` in any document. */
static void
collect_groups(struct reader *reader, const struct value *list)
{
	struct draft *draft = reader->draft;

	if (list->type != VALUE_LIST) {
		refuse_group(draft, list, "a list of groups ( { ... }, ... )");
		return;
	}
	for (const struct value *v = list->members; v; v = v->next) {
		if (v->type != VALUE_GROUP) {
			refuse_group(draft, v, "a group { ... } as each member "
			    "of the list");
		} else if (reader->count == LISTENERS_MAX) {
			fault_add(draft->faults, v->file, v->line, NULL,
			    "listeners", "there are too many; at most %d are "
			    "allowed", LISTENERS_MAX);
			return;
		} else {
			add_group(reader, v);
		}
	}
}

static void
read_sections(struct reader *reader, const struct value *root)
{
	const struct value *defaults = value_find(root, "defaults");

	reader->listeners = value_find(root, "listeners");
	if (reader->listeners)
		collect_groups(reader, reader->listeners);
	if (!defaults)
		return;
	if (defaults->type == VALUE_GROUP)
		reader->defaults = defaults;
	else if (!is_bad(reader->draft, NULL, "defaults", defaults))
		fault_add(reader->draft->faults, defaults->file, defaults->line,
		    NULL, "defaults", "%s is given; a group { ... } is allowed",
		    value_type_word(defaults->type));
}

static void
read_main(struct reader *reader, const struct value *root)
{
	struct draft *draft = reader->draft;
	struct target target = { &top_table, draft->config, draft->given, NULL,
		draft->is_bad, NULL, "" };

	if (!root) {
		draft->broken++;
		return;
	}
	apply_group(draft, &target, root, "");
	read_sections(reader, root);
}

/* A file in conf.d: its listeners and nothing else. */
static void
read_part(struct reader *reader, const struct value *root)
{
	struct draft *draft = reader->draft;

	for (const struct value *v = root->members; v; v = v->next)
		if (strcmp(v->name, "listeners") == 0)
			collect_groups(reader, v);
		else if (value_duplicate_of(v))
			report_duplicate(draft, NULL, value_duplicate_of(v),
			    root, v);
		else
			fault_add(draft->faults, v->file, v->line, NULL,
			    v->name,
			    "stands in a file of conf.d; only listeners may, "
			    "move it to %s", draft->config->file);
}

static struct value *
parse_file(struct draft *draft, const char *file, const struct buf *text,
    const struct stat *st)
{
	return parse_document(&draft->config->arena, file,
	    text->data ? text->data : "", text->len, st, draft->directory,
	    draft->faults, &draft->failed);
}

static void
read_part_file(struct reader *reader, const char *path)
{
	struct draft *draft = reader->draft;
	struct value *root = NULL;
	struct buf text;
	struct stat st;
	struct err err;

	buf_init(&text, 0);
	if (file_read(path, LEX_FILE_BYTES, &text, &st, &err))
		fault_add(draft->faults, path, 0, NULL, NULL, "%s", err.text);
	else
		root = parse_file(draft, path, &text, &st);
	if (root)
		read_part(reader, root);
	else
		draft->broken++;
	buf_free(&text);
}

static int
is_part_name(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return *entry->d_name != '.' && len > 5 &&
	    strcmp(entry->d_name + len - 5, ".conf") == 0;
}

/* The order of bytes, not of a locale as alphasort(3). */
static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* As the operator would write it: "conf.d" beside the file. */
static const char *
parts_directory(struct draft *draft)
{
	const char *file = draft->config->file, *slash = strrchr(file, '/');

	if (!slash)
		return "conf.d";
	return draft_printf(draft, "%.*sconf.d", (int)(slash + 1 - file), file);
}

static void
read_parts(struct reader *reader)
{
	struct draft *draft = reader->draft;
	const char *directory = parts_directory(draft);
	struct dirent **entries;
	int n = scandir(directory, &entries, is_part_name, by_name);

	if (n < 0 && errno != ENOENT)
		fault_add(draft->faults, directory, 0, NULL, NULL, "cannot be "
		    "read: %s; make it a directory that can, or remove it",
		    strerror(errno));
	for (int i = 0; i < n; i++) {
		read_part_file(reader, draft_printf(draft, "%s/%s", directory,
		    entries[i]->d_name));
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
}

/* --- the whole --- */

static void
check_any(struct reader *reader)
{
	struct draft *draft = reader->draft;

	if (reader->count || draft->broken)
		return;
	fault_add(draft->faults, draft->config->file, reader->listeners ?
	    reader->listeners->line : 1, NULL, "listeners", "%s; write "
	    "listeners = ( { name = \"echo\"; listen = "
	    "\"tcp://127.0.0.1:7007\"; handler = \"echo\"; } "
	    ");", reader->listeners ? "is empty" : "is missing");
}

static void
draft_begin(struct draft *draft, const char *file)
{
	struct config *config = draft->config;

	config->file = draft_printf(draft, "%s", file);
	draft->given = draft_alloc(draft, top_table.count *
	    sizeof(*draft->given));
	draft->is_bad = draft_alloc(draft, top_table.count *
	    sizeof(*draft->is_bad));
	if (rows_set_defaults(&top_table, config, &config->arena))
		draft->failed = true;
}

int
draft_read_text(struct draft *draft, const char *file, const char *text)
{
	struct reader reader = { .draft = draft };
	struct value *root;

	draft_begin(draft, file);
	if (draft->failed)
		return 0;
	root = parse_document(&draft->config->arena, draft->config->file, text,
	    strlen(text), NULL, draft->directory, draft->faults,
	    &draft->failed);
	read_main(&reader, root);
	check_any(&reader);
	read_listeners(&reader);
	free(reader.groups);
	return 0;
}

int
draft_read_files(struct draft *draft, const char *path)
{
	struct reader reader = { .draft = draft };
	struct buf text;
	struct stat st;
	struct err err;
	int r;

	draft_begin(draft, path);
	if (draft->failed)
		return 0;
	buf_init(&text, 0);
	r = file_read(path, LEX_FILE_BYTES, &text, &st, &err);
	if (r)
		fault_add(draft->faults, path, 0, NULL, NULL, "%s", err.text);
	else
		read_main(&reader, parse_file(draft, draft->config->file, &text,
		    &st));
	buf_free(&text);
	if (r)
		return r;
	read_parts(&reader);
	check_any(&reader);
	read_listeners(&reader);
	free(reader.groups);
	return 0;
}
