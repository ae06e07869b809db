/* SPDX-License-Identifier: ISC */
#include "conf/value.h"

#include <string.h>

struct value *
value_find(const struct value *group, const char *name)
{
	if (!group || group->type != VALUE_GROUP)
		return NULL;
	for (struct value *v = group->members; v; v = v->next)
		if (v->name && strcmp(v->name, name) == 0)
			return v;
	return NULL;
}

static size_t
count_members(const struct value *value)
{
	size_t n = 0;

	for (const struct value *v = value->members; v; v = v->next)
		n++;
	return n;
}

static bool
groups_equal(const struct value *a, const struct value *b)
{
	if (count_members(a) != count_members(b))
		return false;
	for (const struct value *v = a->members; v; v = v->next) {
		const struct value *other = value_find(b, v->name);

		if (!other || !value_equals(v, other))
			return false;
	}
	return true;
}

static bool
lists_equal(const struct value *a, const struct value *b)
{
	if (count_members(a) != count_members(b))
		return false;
	for (a = a->members, b = b->members; a; a = a->next, b = b->next)
		if (!value_equals(a, b))
			return false;
	return true;
}

bool
value_equals(const struct value *a, const struct value *b)
{
	static const struct value empty = { .type = VALUE_GROUP };

	a = a ? a : &empty;
	b = b ? b : &empty;
	if (a->type != b->type)
		return false;
	switch (a->type) {
	case VALUE_BOOL:
	case VALUE_INT:
		return a->integer == b->integer;
	case VALUE_FLOAT:
		return memcmp(&a->real, &b->real, sizeof(a->real)) == 0;
	case VALUE_STRING:
		return strcmp(a->string, b->string) == 0;
	case VALUE_LIST:
		return lists_equal(a, b);
	case VALUE_GROUP:
		return groups_equal(a, b);
	}
	return false;
}

static const char *const type_words[] = {
	[VALUE_BOOL] = "a boolean",
	[VALUE_INT] = "a whole number",
	[VALUE_FLOAT] = "a number with a fraction",
	[VALUE_STRING] = "a string",
	[VALUE_LIST] = "a list",
	[VALUE_GROUP] = "a group",
};

const char *
value_type_word(enum value_type type)
{
	return type_words[type];
}
