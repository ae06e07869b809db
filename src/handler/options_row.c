/* SPDX-License-Identifier: ISC */
/*
 * The rows that a handler declares: looking one up, saying what it allows, and
 * whether a table is sound at all. Any thread; owns nothing.
 */
#include "handler/options_row.h"

#include <inttypes.h>
#include <string.h>

#include "handler/options.h"

#define ROWS_MAX 256            /* more means that the end is missing */
#define DEPTH_MAX 4             /* groups inside each other */

size_t
option_rows(const struct ss_option *table)
{
	size_t count = 0;

	while (table && table[count].type != SS_OPTION_TYPE_END)
		count++;
	return count;
}

const struct ss_option *
option_find(const struct ss_option *table, const char *name)
{
	const struct ss_option *row;

	if (table == NULL)
		return NULL;
	/* Handlers ask in each request, with the same literal as in the table,
	 * which the compiler has only once. */
	for (row = table; row->type != SS_OPTION_TYPE_END; row++)
		if (row->name == name)
			return row;
	for (row = table; row->type != SS_OPTION_TYPE_END; row++)
		if (strcmp(row->name, name) == 0)
			return row;
	return NULL;
}

bool
option_is_within(double x, double min, double max)
{
	return x >= min && x <= max;
}

/* The words of "a|b|c", one after the other. */
static bool
next_choice(const char **at, const char **word, size_t *len)
{
	if (!*at)
		return false;
	*word = *at;
	*len = strcspn(*at, "|");
	*at = (*at)[*len] == '|' ? *at + *len + 1 : NULL;
	return true;
}

bool
option_is_choice(const char *choices, const char *text)
{
	const char *word;
	size_t len;

	while (next_choice(&choices, &word, &len))
		if (strlen(text) == len && memcmp(word, text, len) == 0)
			return true;
	return false;
}

static void
put_choices(struct buf *out, const char *choices)
{
	const char *word, *before = "";
	size_t len;

	while (next_choice(&choices, &word, &len)) {
		(void)buf_printf(out, "%s\"%.*s\"", before, (int)len, word);
		before = choices && strchr(choices, '|') ? ", " : " or ";
	}
}

void
option_put_allowed(struct buf *out, const struct ss_option *row)
{
	switch (row->type) {
	case SS_OPTION_TYPE_STRING:
		(void)buf_puts(out, "a string");
		break;
	case SS_OPTION_TYPE_INT:
		(void)buf_printf(out, "a whole number from %" PRId64 " to %"
		    PRId64, row->integer_min, row->integer_max);
		break;
	case SS_OPTION_TYPE_BOOL:
		(void)buf_puts(out, "true or false");
		break;
	case SS_OPTION_TYPE_SECONDS:
		(void)buf_printf(out, "a duration from %.15g to %.15g seconds, "
		    "as a number or as in \"250ms\"", row->seconds_min,
		    row->seconds_max);
		break;
	case SS_OPTION_TYPE_CHOICE:
		put_choices(out, row->choices);
		break;
	case SS_OPTION_TYPE_GROUPS:
		(void)buf_puts(out, "a list of groups, ( { ... }, { ... } ),");
		break;
	default:
		break;
	}
}

static const char *
check_row(const struct ss_option *row)
{
	switch (row->type) {
	case SS_OPTION_TYPE_INT:
		if (row->integer < row->integer_min ||
		    row->integer > row->integer_max)
			return "the default of a whole number is out of its "
			    "range";
		return NULL;
	case SS_OPTION_TYPE_SECONDS:
		if (!option_is_within(row->seconds, row->seconds_min,
			row->seconds_max))
			return "the default of a duration is out of its range";
		return NULL;
	case SS_OPTION_TYPE_CHOICE:
		if (!row->choices || row->choices[0] == '\0')
			return "an option of choices has none";
		if (row->string && !option_is_choice(row->choices, row->string))
			return "the default of an option is not one of its "
			    "choices";
		return NULL;
	case SS_OPTION_TYPE_GROUPS:
		return row->table ? NULL : "an option of groups has no table";
	default:
		return NULL;
	}
}

static bool
is_type(enum ss_option_type type)
{
	return type > SS_OPTION_TYPE_END && type <= SS_OPTION_TYPE_GROUPS;
}

static bool
is_name(const char *name)
{
	/* the names that libconfig can hold */
	return name && strspn(name, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-*") == strlen(name) &&
	    strcspn(name, "0123456789_-*") > 0 && name[0] != '\0';
}

static bool
is_repeated(const struct ss_option *table, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (strcmp(table[j].name, table[i].name) == 0)
			return true;
	return false;
}

static const char *
check_table(const struct ss_option *table, unsigned depth)
{
	if (depth > DEPTH_MAX)
		return "its groups of options go too deep";
	for (size_t i = 0; table && table[i].type != SS_OPTION_TYPE_END; i++) {
		const char *fault;

		if (i >= ROWS_MAX)
			return "its table of options does not end with "
			    "SS_OPTION_END";
		if (!is_type(table[i].type))
			return "an option has an unknown type";
		if (!is_name(table[i].name))
			return "an option has no proper name";
		if (is_repeated(table, i))
			return "two options have the same name";
		fault = check_row(&table[i]);
		if (!fault && table[i].type == SS_OPTION_TYPE_GROUPS)
			fault = check_table(table[i].table, depth + 1);
		if (fault)
			return fault;
	}
	return NULL;
}

const char *
options_table_check(const struct ss_option *table)
{
	return check_table(table, 1);
}
