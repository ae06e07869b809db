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
