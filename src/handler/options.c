/* SPDX-License-Identifier: ISC */
/*
 * A handler's options: what the file gives against what the handler's table
 * declares. In a service process and in the throw-away process of -t; read-only
 * once made, so that any thread may ask.
 */
#include "handler/options.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/number.h"
#include "base/suggest.h"
#include "handler/options_row.h"

#define ALLOWED_MAX 1024        /* bytes of one list of choices */

struct option_value {
	const char *string;             /* STRING, CHOICE */
	int64_t integer;                /* INT, BOOL */
	double seconds;                 /* SECONDS */
	struct options **groups;        /* GROUPS */
	size_t group_count;
};

struct options {
	ss_group pub;                   /* first */
	const struct ss_option *table;  /* borrowed from the handler */
	struct option_value *values;    /* one a row */
};

/* What stays the same while one listener's options are read. */
struct reader {
	struct arena *arena;
	const struct ss_api *api;
	const char *listener;
	struct faults *faults;
};

/* Where a group of options stands. */
struct place {
	const char *path;               /* "options", "options.menu[2]" */
	const char *file;
	unsigned line;
};

static struct options *read_group(const struct reader *reader,
    const struct ss_option *table, const struct value *given,
    const struct place *place);

static const char *
path_of(const struct reader *reader, const struct place *place,
    const char *name)
{
	const char *path = arena_printf(reader->arena, "%s.%s", place->path,
	    name);

	return path ? path : name;
}

/* "NAME: WHAT; ALLOWED is allowed" */
static void
fault_value(const struct reader *reader, const struct place *place,
    const struct ss_option *row, const struct value *value, const char *what)
{
	struct buf allowed;

	buf_init(&allowed, ALLOWED_MAX);
	option_put_allowed(&allowed, row);
	fault_add(reader->faults, value->file, value->line, reader->listener,
	    path_of(reader, place, row->name), "%s; %s is allowed", what,
	    allowed.data ? allowed.data : "something else");
	buf_free(&allowed);
}

static void
fault_type(const struct reader *reader, const struct place *place,
    const struct ss_option *row, const struct value *value)
{
	const char *what = arena_printf(reader->arena, "%s is given",
	    value_type_word(value->type));

	fault_value(reader, place, row, value, what ? what : "a wrong type");
}

static void
fault_memory(const struct reader *reader, const struct place *place)
{
	fault_add(reader->faults, place->file, place->line, reader->listener,
	    place->path, "out of memory");
}

/* One function a type: the value in force from the value given. */

typedef void read_fn(const struct reader *reader, const struct place *place,
    const struct ss_option *row, const struct value *value,
    struct option_value *out);

static void
read_string(const struct reader *reader, const struct place *place,
    const struct ss_option *row, const struct value *value,
    struct option_value *out)
{
	if (value->type != VALUE_STRING) {
		fault_type(reader, place, row, value);
		return;
	}
	out->string = arena_strdup(reader->arena, value->string);
	if (!out->string)
		fault_memory(reader, place);
}

static void
read_choice(const struct reader *reader, const struct place *place,
    const struct ss_option *row, const struct value *value,
    struct option_value *out)
{
	const char *what;

	if (value->type == VALUE_STRING &&
	    !option_is_choice(row->choices, value->string)) {
		what = arena_printf(reader->arena, "\"%.200s\" is unknown",
		    value->string);
		fault_value(reader, place, row, value,
		    what ? what : "it is unknown");
		return;
	}
	read_string(reader, place, row, value, out);
}

static void
read_int(const struct reader *reader, const struct place *place,
    const struct ss_option *row, const struct value *value,
    struct option_value *out)
{
	const char *what;

	if (value->type != VALUE_INT) {
		fault_type(reader, place, row, value);
		return;
	}
	out->integer = value->integer;
	if (out->integer >= row->integer_min &&
	    out->integer <= row->integer_max)
		return;
	what = arena_printf(reader->arena, "%" PRId64 " is %s", out->integer,
	    out->integer < row->integer_min ? "too small" : "too large");
	fault_value(reader, place, row, value, what ? what : "out of range");
}

static void
read_bool(const struct reader *reader, const struct place *place,
    const struct ss_option *row, const struct value *value,
    struct option_value *out)
{
	if (value->type != VALUE_BOOL)
		fault_type(reader, place, row, value);
	else
		out->integer = value->integer != 0;
}

static bool
seconds_of(const struct value *value, double *seconds)
{
	int64_t ms;

	switch (value->type) {
	case VALUE_INT:
		*seconds = (double)value->integer;
		return true;
	case VALUE_FLOAT:
		*seconds = value->real;
		return true;
	case VALUE_STRING:
		if (duration_parse(value->string, &ms) < 0)
			return false;
		*seconds = (double)ms / 1000;
		return true;
	default:
		return false;
	}
}

static void
read_seconds(const struct reader *reader, const struct place *place,
    const struct ss_option *row, const struct value *value,
    struct option_value *out)
{
	const char *what;

	if (!seconds_of(value, &out->seconds)) {
		if (value->type != VALUE_STRING) {
			fault_type(reader, place, row, value);
			return;
		}
		what = arena_printf(reader->arena, "\"%.200s\" is no duration",
		    value->string);
	} else if (!option_is_within(out->seconds, row->seconds_min,
		row->seconds_max)) {
		what = arena_printf(reader->arena, "%.15g seconds is %s",
		    out->seconds, out->seconds < row->seconds_min ?
		    "too short" : "too long");
	} else {
		return;
	}
	fault_value(reader, place, row, value, what ? what : "out of range");
}

static size_t
count_members(const struct value *value)
{
	size_t count = 0;

	for (const struct value *v = value->members; v; v = v->next)
		count++;
	return count;
}

static void
read_member(const struct reader *reader, const struct place *outer,
    const struct ss_option *row, const struct value *member,
    struct option_value *out)
{
	struct place place = { .file = member->file, .line = member->line };

	place.path = arena_printf(reader->arena, "%s.%s[%zu]", outer->path,
	    row->name, out->group_count);
	if (!place.path)
		place.path = row->name;
	if (member->type == VALUE_GROUP)
		out->groups[out->group_count] = read_group(reader, row->table,
		    member, &place);
	else
		fault_add(reader->faults, member->file, member->line,
		    reader->listener, place.path, "%s is given; a group, "
		    "{ ... }, is allowed", value_type_word(member->type));
	out->group_count++;
}

static void
read_groups(const struct reader *reader, const struct place *place,
    const struct ss_option *row, const struct value *value,
    struct option_value *out)
{
	size_t count = count_members(value);

	if (value->type != VALUE_LIST) {
		fault_type(reader, place, row, value);
		return;
	}
	if (count == 0)
		return;
	out->groups = arena_alloc(reader->arena, count * sizeof(*out->groups));
	if (!out->groups) {
		fault_memory(reader, place);
		return;
	}
	for (const struct value *v = value->members; v; v = v->next)
		read_member(reader, place, row, v, out);
}

static read_fn *const readers[] = {
	[SS_OPTION_TYPE_STRING] = read_string,
	[SS_OPTION_TYPE_INT] = read_int,
	[SS_OPTION_TYPE_BOOL] = read_bool,
	[SS_OPTION_TYPE_SECONDS] = read_seconds,
	[SS_OPTION_TYPE_CHOICE] = read_choice,
	[SS_OPTION_TYPE_GROUPS] = read_groups,
};

/* A whole group */

static bool
is_required(const struct ss_option *row)
{
	return !row->string && (row->type == SS_OPTION_TYPE_STRING ||
	    row->type == SS_OPTION_TYPE_CHOICE);
}

static void
read_default(const struct reader *reader, const struct place *place,
    const struct ss_option *row, struct option_value *out)
{
	struct buf allowed;

	out->string = row->string;
	out->integer = row->type == SS_OPTION_TYPE_BOOL ? row->integer != 0 :
	    row->integer;
	out->seconds = row->seconds;
	if (!is_required(row))
		return;
	buf_init(&allowed, ALLOWED_MAX);
	option_put_allowed(&allowed, row);
	fault_add(reader->faults, place->file, place->line, reader->listener,
	    path_of(reader, place, row->name),
	    "it is missing; the handler needs %s",
	    allowed.data ? allowed.data : "it");
	buf_free(&allowed);
}

static void
put_names(struct buf *out, const struct ss_option *table)
{
	for (size_t i = 0, n = option_rows(table); i < n; i++)
		(void)buf_printf(out, "%s%s", i ? ", " : "", table[i].name);
}

static void
fault_unknown(const struct reader *reader, const struct ss_option *table,
    const struct value *value, const struct place *place)
{
	struct suggest near;
	struct buf names;
	const char *path = path_of(reader, place, value->name);

	suggest_init(&near, value->name);
	for (size_t i = 0, n = option_rows(table); i < n; i++)
		suggest_offer(&near, table[i].name);
	if (near.best) {
		fault_add(reader->faults, value->file, value->line,
		    reader->listener, path, "the handler has no such option; "
		    "did you mean \"%s\"?", near.best);
		return;
	}
	buf_init(&names, ALLOWED_MAX);
	put_names(&names, table);
	fault_add(reader->faults, value->file, value->line, reader->listener,
	    path, "the handler has no such option; %s%s",
	    names.len ? "it has " : "it has none",
	    names.data ? names.data : "");
	buf_free(&names);
}

static void
find_unknown(const struct reader *reader, const struct ss_option *table,
    const struct value *given, const struct place *place)
{
	if (!given)
		return;
	for (const struct value *v = given->members; v; v = v->next)
		if (v->name && !option_find(table, v->name))
			fault_unknown(reader, table, v, place);
}

static struct options *
options_alloc(const struct reader *reader, const struct ss_option *table)
{
	size_t rows = option_rows(table);
	struct options *options = arena_alloc(reader->arena, sizeof(*options));

	if (!options)
		return NULL;
	options->pub.api = reader->api;
	options->table = table;
	options->values = arena_alloc(reader->arena,
	    (rows + 1) * sizeof(*options->values));
	return options->values ? options : NULL;
}

static struct options *
read_group(const struct reader *reader, const struct ss_option *table,
    const struct value *given, const struct place *place)
{
	struct options *options = options_alloc(reader, table);

	if (!options) {
		fault_memory(reader, place);
		return NULL;
	}
	for (size_t i = 0, n = option_rows(table); i < n; i++) {
		const struct value *value = value_find(given, table[i].name);

		if (value)
			readers[table[i].type](reader, place, &table[i], value,
			    &options->values[i]);
		else
			read_default(reader, place, &table[i],
			    &options->values[i]);
	}
	find_unknown(reader, table, given, place);
	return options;
}

struct options *
options_new(struct arena *arena, const struct ss_option *table,
    const struct value *given, const struct ss_api *api, const char *file,
    unsigned line, const char *listener, struct faults *faults)
{
	const struct reader reader = { arena, api, listener, faults };
	const struct place place = { "options", file, line };
	unsigned before = faults->count;
	struct options *options;

	options = read_group(&reader, table, given, &place);
	return faults->count == before ? options : NULL;
}

/* The values in force */

/* Of one of two types. */
static const struct option_value *
find_value(const struct options *options, const char *name,
    enum ss_option_type type, enum ss_option_type or_type)
{
	const struct ss_option *row;

	if (!options || !name)
		return NULL;
	row = option_find(options->table, name);
	if (!row || (row->type != type && row->type != or_type))
		return NULL;
	return &options->values[row - options->table];
}

const char *
options_string(const struct options *options, const char *name)
{
	const struct option_value *value = find_value(options, name,
	    SS_OPTION_TYPE_STRING, SS_OPTION_TYPE_CHOICE);

	return value ? value->string : NULL;
}

int64_t
options_int(const struct options *options, const char *name)
{
	const struct option_value *value = find_value(options, name,
	    SS_OPTION_TYPE_INT, SS_OPTION_TYPE_INT);

	return value ? value->integer : 0;
}

bool
options_bool(const struct options *options, const char *name)
{
	const struct option_value *value = find_value(options, name,
	    SS_OPTION_TYPE_BOOL, SS_OPTION_TYPE_BOOL);

	return value && value->integer != 0;
}

double
options_seconds(const struct options *options, const char *name)
{
	const struct option_value *value = find_value(options, name,
	    SS_OPTION_TYPE_SECONDS, SS_OPTION_TYPE_SECONDS);

	return value ? value->seconds : 0;
}

size_t
options_groups(const struct options *options, const char *name)
{
	const struct option_value *value = find_value(options, name,
	    SS_OPTION_TYPE_GROUPS, SS_OPTION_TYPE_GROUPS);

	return value ? value->group_count : 0;
}

const ss_group *
options_group(const struct options *options, const char *name, size_t i)
{
	const struct option_value *value = find_value(options, name,
	    SS_OPTION_TYPE_GROUPS, SS_OPTION_TYPE_GROUPS);

	if (!value || i >= value->group_count)
		return NULL;
	return &value->groups[i]->pub;
}

const struct options *
options_of_group(const ss_group *group)
{
	return (const struct options *)(const void *)group;
}
