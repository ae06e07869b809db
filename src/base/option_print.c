/* SPDX-License-Identifier: ISC */
#include "base/option.h"

#include <ctype.h>
#include <string.h>

#define LINE_COLUMNS 80
#define HELP_COLUMN 30          /* of --help, behind the names */

/* As much of a text as fits into len columns, up to a space. */
static size_t
line_length(const char *text, size_t len)
{
	size_t at = len;

	if (strlen(text) <= len)
		return strlen(text);
	while (at > 0 && text[at] != ' ')
		at--;
	return at > 0 ? at : strlen(text);
}

void
option_print_left(FILE *out, const char *left, const char *help)
{
	const size_t width = LINE_COLUMNS - HELP_COLUMN;
	size_t len = line_length(help, width);

	fprintf(out, "%-*s%.*s\n", HELP_COLUMN, left, (int)len, help);
	for (help += len; *help == ' '; help += len) {
		help++;
		len = line_length(help, width);
		fprintf(out, "%*s%.*s\n", HELP_COLUMN, "", (int)len, help);
	}
}

static void
help_row(FILE *out, const struct option_row *row)
{
	char left[64], letter[8] = "    ";

	if (row->letter != 0)
		(void)snprintf(letter, sizeof(letter), "-%c, ", row->letter);
	(void)snprintf(left, sizeof(left), "  %s--%s%s%s ", letter, row->name,
	    row->argument != NULL ? " " : "",
	    row->argument != NULL ? row->argument : "");
	option_print_left(out, left, row->help);
}

void
option_print_help(FILE *out, const struct option_row *table)
{
	for (; table->name != NULL; table++)
		if (!table->is_hidden)
			help_row(out, table);
}

/* "FILE" is Ar FILE, "ADDRESS HANDLER" is Ar ADDRESS HANDLER, "[KEY]" is
 * Op Ar KEY. */
static void
mdoc_argument(FILE *out, const char *argument)
{
	if (argument == NULL)
		return;
	if (argument[0] == '[')
		fprintf(out, " Op Ar %.*s", (int)strlen(argument) - 2,
		    argument + 1);
	else
		fprintf(out, " Ar %s", argument);
}

/* A sentence; a backslash and a dash would mean something else. */
static void
mdoc_help(FILE *out, const char *help)
{
	fputc(toupper((unsigned char)*help++), out);
	for (; *help != '\0'; help++) {
		if (*help == '\\')
			fputs("\\e", out);
		else if (help[0] == '-' && help[-1] == ' ')
			fputs("\\-", out);
		else
			fputc(*help, out);
	}
	fputs(".\n", out);
}

static void
mdoc_row(FILE *out, const struct option_row *row)
{
	fputs(".It", out);
	if (row->letter != 0)
		fprintf(out, " Fl %c ,", row->letter);
	fprintf(out, " Fl -%s", row->name);
	mdoc_argument(out, row->argument);
	fputc('\n', out);
	mdoc_help(out, row->help);
}

void
option_print_mdoc(FILE *out, const struct option_row *table)
{
	for (; table->name != NULL; table++)
		if (!table->is_hidden)
			mdoc_row(out, table);
}

void
option_print_bash(FILE *out, const struct option_row *table)
{
	const char *before = "";

	for (; table->name != NULL; table++) {
		if (table->is_hidden)
			continue;
		fputs(before, out);
		if (table->letter != 0)
			fprintf(out, "-%c ", table->letter);
		fprintf(out, "--%s", table->name);
		before = " ";
	}
}

/* In single quotes; what zsh has a meaning for is escaped. */
void
option_print_zsh_text(FILE *out, const char *text)
{
	for (; *text != '\0' && *text != ';'; text++) {
		if (*text == '\'')
			fputs("'\\''", out);
		else if (strchr("[]:", *text) != NULL)
			fprintf(out, "\\%c", *text);
		else
			fputc(*text, out);
	}
}

static bool
is_a_file(const char *argument)
{
	return strcmp(argument, "SOCKET") == 0 || strcmp(argument, "PATH") == 0;
}

static void
zsh_row(FILE *out, const struct option_row *row)
{
	if (row->letter != 0)
		fprintf(out, "\t\t'(-%c --%s)'{-%c,--%s}'[", row->letter,
		    row->name, row->letter, row->name);
	else
		fprintf(out, "\t\t'--%s[", row->name);
	option_print_zsh_text(out, row->help);
	fputc(']', out);
	if (row->argument != NULL)
		fprintf(out, ":%s:%s", row->argument,
		    is_a_file(row->argument) ? "_files" : "");
	fputs("' \\\n", out);
}

void
option_print_zsh(FILE *out, const struct option_row *table)
{
	for (; table->name != NULL; table++)
		if (!table->is_hidden)
			zsh_row(out, table);
}
