/* SPDX-License-Identifier: ISC */
/*
 * The engine of the rows, inward: a value of a file into the field of its row.
 * Types are strict: no number for a boolean, no string for a count.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/number.h"
#include "base/suggest.h"
#include "conf/row.h"

#define SENTENCE_MAX 480

/* "VALUE REASON; ALLOWED is allowed" */
static int
refuse(const struct conf_row *row, const struct value *value,
    const char *reason, struct err *err)
{
	struct buf what, allowed;

	buf_init(&what, SENTENCE_MAX);
	buf_init(&allowed, SENTENCE_MAX);
	value_show(value, &what);
	row_allowed(row, &allowed);
	err_set(err, "%s %s; %s is "
	    "allowed", what.data ? what.data : "the value",
	    reason, allowed.data ? allowed.data : "another");
	buf_free(&what);
	buf_free(&allowed);
	return -EINVAL;
}

/* A value of a wrong type: its word says more than the value. */
static int
refuse_type(const struct conf_row *row, const struct value *value,
    struct err *err)
{
	struct buf allowed;
	bool is_bare = value->type == VALUE_LIST || value->type == VALUE_GROUP;

	if (!is_bare && value->type != VALUE_STRING)
		return refuse(row, value, value->type == VALUE_BOOL ?
		    "is a boolean" : value->type == VALUE_INT ? "is a number" :
		    "is a number with a fraction", err);
	if (!is_bare)
		return refuse(row, value, "is a string", err);
	buf_init(&allowed, SENTENCE_MAX);
	row_allowed(row, &allowed);
	err_set(err, "%s is given; %s is allowed", value_type_word(value->type),
	    allowed.data ? allowed.data : "another");
	buf_free(&allowed);
	return -EINVAL;
}

/* The limit that was missed, in the row's own notation. */
static int
refuse_range(const struct conf_row *row, const struct value *value,
    bool is_below, struct err *err)
{
	struct err reason;
	struct buf limit;
	struct conf_row plain = *row;
	int64_t number = is_below ? row->min : row->max;

	plain.offset = 0;
	buf_init(&limit, SENTENCE_MAX);
	row_format(&plain, &number, 0, &limit);
	err_set(&reason, "is %s %s", is_below ? "below" : "above",
	    limit.data ? limit.data : "the limit");
	buf_free(&limit);
	return refuse(row, value, reason.text, err);
}

static int
store(const struct conf_row *row, void *base, const struct value *value,
    int64_t number, struct err *err)
{
	if (number < row->min)
		return refuse_range(row, value, true, err);
	if (number > row->max)
		return refuse_range(row, value, false, err);
	*row_number(row, base) = number;
	return 0;
}

static int
assign_int(const struct conf_row *row, void *base, const struct value *value,
    struct err *err)
{
	if (value->type != VALUE_INT)
		return refuse_type(row, value, err);
	return store(row, base, value, value->integer, err);
}

static int
assign_size(const struct conf_row *row, void *base, const struct value *value,
    struct err *err)
{
	int64_t bytes;
	int r;

	if (value->type != VALUE_STRING)
		return assign_int(row, base, value, err);
	r = size_parse(value->string, &bytes);
	if (r == -ERANGE)
		return refuse_range(row, value, false, err);
	if (r)
		return refuse(row, value, "is not a size", err);
	return store(row, base, value, bytes, err);
}

/* What a duration says in milliseconds: 0, -EINVAL, -ERANGE. */
static int
duration_of(const struct value *value, int64_t *ms)
{
	switch (value->type) {
	case VALUE_INT:
		if (__builtin_mul_overflow(value->integer, 1000, ms))
			return -ERANGE;
		return 0;
	case VALUE_FLOAT:
		return duration_from_seconds(value->real, ms);
	case VALUE_STRING:
		return duration_parse(value->string, ms);
	default:
		return -EINVAL;
	}
}

static int
assign_duration(const struct conf_row *row, void *base,
    const struct value *value, struct err *err)
{
	int64_t ms;
	int r = duration_of(value, &ms);

	if (r == -ERANGE)
		return refuse(row, value, "is out of range", err);
	if (r && value->type == VALUE_STRING)
		return refuse(row, value, "is not a duration", err);
	if (r)
		return refuse_type(row, value, err);
	return store(row, base, value, ms, err);
}

static int
assign_seconds(const struct conf_row *row, void *base,
    const struct value *value, struct err *err)
{
	int64_t ms;
	int r = duration_of(value, &ms);

	if (r == -ERANGE)
		return refuse(row, value, "is out of range", err);
	if (r && value->type == VALUE_STRING)
		return refuse(row, value, "is not a duration", err);
	if (r)
		return refuse_type(row, value, err);
	if (ms % 1000)
		return refuse(row, value, "is not a whole number of "
		    "seconds", err);
	return store(row, base, value, ms / 1000, err);
}

static int
assign_keepalive(const struct conf_row *row, void *base,
    const struct value *value, struct err *err)
{
	if (value->type != VALUE_BOOL)
		return assign_seconds(row, base, value, err);
	*row_number(row, base) = value->integer ? -1 : 0;
	return 0;
}

/* "auto" is stored as -1; the check puts the processors' number there. */
static int
assign_workers(const struct conf_row *row, void *base,
    const struct value *value, struct err *err)
{
	if (value->type != VALUE_STRING)
		return assign_int(row, base, value, err);
	if (strcmp(value->string, "auto") != 0)
		return refuse_type(row, value, err);
	*row_number(row, base) = -1;
	return 0;
}

static int
assign_mode(const struct conf_row *row, void *base, const struct value *value,
    struct err *err)
{
	int64_t mode = 0;
	const char *p = value->string;

	if (value->type != VALUE_STRING)
		return refuse_type(row, value, err);
	for (; *p >= '0' && *p <= '7' && mode <= 0777; p++)
		mode = mode * 8 + (*p - '0');
	if (*p || p == value->string)
		return refuse(row, value, "is not a mode", err);
	return store(row, base, value, mode, err);
}

static int
refuse_choice(const struct conf_row *row, const struct value *value,
    struct err *err)
{
	struct err reason;
	struct suggest near;

	suggest_init(&near, value->string);
	for (size_t i = 0; row->choices[i]; i++)
		suggest_offer(&near, row->choices[i]);
	if (!near.best)
		return refuse(row, value, "is unknown", err);
	err_set(&reason, "is unknown, \"%s\" may be meant", near.best);
	return refuse(row, value, reason.text, err);
}

static int
assign_choice(const struct conf_row *row, void *base, const struct value *value,
    struct err *err)
{
	if (value->type != VALUE_STRING)
		return refuse_type(row, value, err);
	for (size_t i = 0; row->choices[i]; i++) {
		if (strcmp(row->choices[i], value->string) != 0)
			continue;
		*row_number(row, base) = (int64_t)i;
		return 0;
	}
	return refuse_choice(row, value, err);
}

static int
assign_bool(const struct conf_row *row, void *base, const struct value *value,
    struct err *err)
{
	if (value->type != VALUE_BOOL)
		return refuse_type(row, value, err);
	*row_bool(row, base) = value->integer != 0;
	return 0;
}

static int
check_length(const struct conf_row *row, const struct value *value,
    struct err *err)
{
	size_t len = strlen(value->string);

	if (row->max && len > (size_t)row->max) {
		err_set(err, "is %zu bytes long; at most %" PRId64 " are "
		    "allowed",
		    len, row->max);
		return -EINVAL;
	}
	if (!len && row->min > 0) {
		err_set(err, "is empty; leave the key out, or write a value");
		return -EINVAL;
	}
	return 0;
}

static int
assign_string(const struct conf_row *row, void *base, const struct value *value,
    struct err *err)
{
	int r;

	if (value->type != VALUE_STRING)
		return refuse_type(row, value, err);
	r = check_length(row, value, err);
	if (!r)
		*row_string(row, base) = value->string;
	return r;
}

static size_t
count_members(const struct value *list)
{
	size_t n = 0;

	for (const struct value *v = list->members; v; v = v->next)
		n++;
	return n;
}

static int
assign_list(const struct conf_row *row, void *base, const struct value *value,
    struct arena *arena, struct err *err)
{
	struct string_list *list = row_list(row, base);
	bool is_single = value->type == VALUE_STRING;
	size_t count = is_single ? 1 : count_members(value), i = 0;
	const char **items;

	if (value->type != VALUE_LIST &&
	    !(is_single && row->type == ROW_STRING_OR_LIST))
		return refuse_type(row, value, err);
	items = arena_alloc(arena, (count + 1) * sizeof(*items));
	if (!items)
		return -ENOMEM;
	if (is_single)
		items[0] = value->string;
	for (const struct value *v = value->members; v; v = v->next) {
		if (v->type != VALUE_STRING)
			return refuse_type(row, v, err);
		items[i++] = v->string;
	}
	list->items = items;
	list->count = count;
	return 0;
}

static int
assign_options(const struct conf_row *row, void *base,
    const struct value *value, struct arena *arena, struct err *err)
{
	struct value *copy;

	if (value->type != VALUE_GROUP)
		return refuse_type(row, value, err);
	*row_options(row, base) = NULL;
	if (!value->members)
		return 0;
	copy = arena_alloc(arena, sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	*copy = *value;
	copy->next = NULL;
	*row_options(row, base) = copy;
	return 0;
}

int
row_assign(const struct conf_row *row, void *base, const struct value *value,
    struct arena *arena, struct err *err)
{
	switch (row->type) {
	case ROW_BOOL:
		return assign_bool(row, base, value, err);
	case ROW_INT:
		return assign_int(row, base, value, err);
	case ROW_SIZE:
		return assign_size(row, base, value, err);
	case ROW_DURATION:
		return assign_duration(row, base, value, err);
	case ROW_SECONDS:
		return assign_seconds(row, base, value, err);
	case ROW_KEEPALIVE:
		return assign_keepalive(row, base, value, err);
	case ROW_WORKERS:
		return assign_workers(row, base, value, err);
	case ROW_MODE:
		return assign_mode(row, base, value, err);
	case ROW_CHOICE:
		return assign_choice(row, base, value, err);
	case ROW_STRING:
		return assign_string(row, base, value, err);
	case ROW_STRINGS:
	case ROW_STRING_OR_LIST:
		return assign_list(row, base, value, arena, err);
	case ROW_OPTIONS:
		return assign_options(row, base, value, arena, err);
	case ROW_GROUP:
	case ROW_SECTION:
		break;
	}
	return refuse_type(row, value, err);
}
