/* SPDX-License-Identifier: ISC */
/*
 * The table in getopt_long(3)'s terms, and the setters of plain fields. What is
 * printed from a table: option_print.c.
 */
#include "base/option.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "base/suggest.h"

#define LONG_BASE 256           /* val of a long option: above every letter */

static void *
field_of(struct options *options, const struct option_row *row)
{
	return (char *)options + row->field;
}

int
option_set_flag(struct options *options, const struct option_row *row,
    const char *value, struct err *err)
{
	(void)value;
	(void)err;
	*(bool *)field_of(options, row) = true;
	return 0;
}

int
option_set_text(struct options *options, const struct option_row *row,
    const char *value, struct err *err)
{
	(void)err;
	*(const char **)field_of(options, row) = value;
	return 0;
}

static int
number_put(struct options *options, const struct option_row *row,
    const char *value, int64_t number, struct err *err)
{
	if (number < row->least || number > row->most) {
		err_set(err, "--%s %s: it goes from %" PRId64 " to %" PRId64,
		    row->name, value, row->least, row->most);
		return -EINVAL;
	}
	*(int64_t *)field_of(options, row) = number;
	return 0;
}

static int
digits_parse(const char *text, int64_t *number)
{
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return -EINVAL;
	errno = 0;
	*number = strtoll(text, &end, 10);
	return *end != '\0' ? -EINVAL : errno != 0 ? -ERANGE : 0;
}

static int
not_a(struct err *err, const struct option_row *row, const char *value,
    const char *what)
{
	err_set(err, "--%s %s: this is no %s", row->name, value, what);
	return -EINVAL;
}

int
option_set_number(struct options *options, const struct option_row *row,
    const char *value, struct err *err)
{
	int64_t number;

	if (digits_parse(value, &number) < 0)
		return not_a(err, row, value, "number");
	return number_put(options, row, value, number, err);
}

int
option_set_bytes(struct options *options, const struct option_row *row,
    const char *value, struct err *err)
{
	int64_t number;

	if (digits_parse(value, &number) < 0 && size_parse(value, &number) < 0)
		return not_a(err, row, value, "size; write 64 or 64K");
	return number_put(options, row, value, number, err);
}

int
option_set_ms(struct options *options, const struct option_row *row,
    const char *value, struct err *err)
{
	int64_t ms;

	if (duration_parse_plain(value, &ms) < 0)
		return not_a(err, row, value, "time; write 5s or 250ms");
	return number_put(options, row, value, ms, err);
}

static int
argument_kind(const struct option_row *row)
{
	if (row->argument == NULL)
		return no_argument;
	return row->argument[0] == '[' ? optional_argument : required_argument;
}

/* The table in getopt_long(3)'s form. */
static void
getopt_prepare(const struct option_row *table,
    struct option longs[OPTION_ROWS_MAX + 1],
    char shorts[3 * OPTION_ROWS_MAX + 2])
{
	const struct option_row *row;
	char *at = shorts;
	int i = 0;

	*at++ = ':';            /* a missing argument is ':', not '?' */
	for (row = table; row->name != NULL; row++, i++) {
		int kind = argument_kind(row);

		longs[i] = (struct option){ row->name, kind, NULL,
		    LONG_BASE + i };
		if (row->letter == 0)
			continue;
		*at++ = row->letter;
		for (; kind > no_argument; kind--)
			*at++ = ':';    /* two for an optional one */
	}
	*at = '\0';
	longs[i] = (struct option){ NULL, 0, NULL, 0 };
}

static const struct option_row *
row_find(const struct option_row *table, int value)
{
	const struct option_row *row;

	if (value >= LONG_BASE)
		return &table[value - LONG_BASE];
	for (row = table; row->letter != value; row++)
		;
	return row;
}

static void
long_unknown(const struct option_row *table, const char *word, struct err *err)
{
	const struct option_row *row;
	struct suggest suggest;
	char name[64];

	(void)snprintf(name, sizeof(name), "%.*s",
	    (int)strcspn(word, "="), word);
	suggest_init(&suggest, name + strspn(name, "-"));
	for (row = table; row->name != NULL; row++)
		if (!row->is_hidden)
			suggest_offer(&suggest, row->name);
	err_set(err, "unknown option %s", word);
	if (suggest.best != NULL)
		err_set(err, "%s; did you mean --%s?", err->text,
		    suggest.best);
}

static int
option_unknown(const struct option_row *table, char **argv, int value,
    struct err *err)
{
	const char *word = argv[optind - 1];

	if (value == ':')
		err_set(err, "%s needs an argument", word);
	else if (optopt >= LONG_BASE)
		err_set(err, "%s takes no argument", word);
	else if (optopt > 0)
		err_set(err, "unknown option -%c", optopt);
	else
		long_unknown(table, word, err);
	return -EINVAL;
}

int
option_walk(const struct option_row *table, struct options *options, int argc,
    char **argv, struct err *err)
{
	struct option longs[OPTION_ROWS_MAX + 1];
	char shorts[3 * OPTION_ROWS_MAX + 2];
	const struct option_row *row;
	int value, r;

	getopt_prepare(table, longs, shorts);
	optind = 0;             /* glibc: begin anew; tests call it often */
	opterr = 0;
	while ((value = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		if (value == ':' || value == '?')
			return option_unknown(table, argv, value, err);
		row = row_find(table, value);
		r = row->set(options, row, optarg, err);
		if (r < 0)
			return r;
	}
	return optind;
}
