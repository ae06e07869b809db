/* SPDX-License-Identifier: ISC */
/*
 * The command line: options_table[] at the end says everything about each
 * option, commands[] (control/command.c) about each command.
 */
#include "ctl/options.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "base/suggest.h"

#define OPTIONS_MAX 16          /* rows; a test walks the table */
#define LONG_BASE 256           /* val of a long option: above every letter */

static void
set_socket(struct options *options, const char *value)
{
	options->socket = value;
}

static void
set_json(struct options *options, const char *value)
{
	(void)value;
	options->is_json = true;
}

static void
set_confirm_within(struct options *options, const char *value)
{
	options->confirm_within = value;
}

static void
set_print(struct options *options, const char *value)
{
	options->document = value;
	options->action = ACTION_PRINT;
}

static void
set_help(struct options *options, const char *value)
{
	(void)value;
	options->action = ACTION_HELP;
}

static void
set_version(struct options *options, const char *value)
{
	(void)value;
	options->action = ACTION_VERSION;
}

/* The table in getopt_long(3)'s form. */
static void
getopt_prepare(struct option longs[OPTIONS_MAX + 1],
    char shorts[2 * OPTIONS_MAX + 2])
{
	const struct option_row *row;
	char *at = shorts;
	int i = 0;

	*at++ = ':';            /* a missing argument is ':', not '?' */
	for (row = options_table; row->name != NULL; row++, i++) {
		bool has_argument = row->argument != NULL;

		longs[i] = (struct option){ row->name, has_argument, NULL,
		    LONG_BASE + i };
		if (row->letter == 0)
			continue;
		*at++ = row->letter;
		if (has_argument)
			*at++ = ':';
	}
	*at = '\0';
	longs[i] = (struct option){ NULL, 0, NULL, 0 };
}

static const struct option_row *
row_find(int value)
{
	const struct option_row *row;

	if (value >= LONG_BASE)
		return &options_table[value - LONG_BASE];
	for (row = options_table; row->letter != value; row++)
		;
	return row;
}

static int
option_unknown(char **argv, int value, struct err *err)
{
	const char *word = argv[optind - 1];

	if (value == ':')
		err_set(err, "%s needs an argument", word);
	else if (optopt >= LONG_BASE)
		err_set(err, "%s takes no argument", word);
	else if (optopt > 0)
		err_set(err, "unknown option -%c", optopt);
	else
		err_set(err, "unknown option %s", word);
	return -EINVAL;
}

static int
options_walk(struct options *options, int argc, char **argv, struct err *err)
{
	struct option longs[OPTIONS_MAX + 1];
	char shorts[2 * OPTIONS_MAX + 2];
	int value;

	getopt_prepare(longs, shorts);
	optind = 0;             /* glibc: begin anew; tests call it often */
	opterr = 0;
	while ((value = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		if (value == ':' || value == '?')
			return option_unknown(argv, value, err);
		row_find(value)->set(options, optarg);
	}
	return 0;
}

static int
command_unknown(const char *word, struct err *err)
{
	struct suggest suggest;
	int i;

	suggest_init(&suggest, word);
	for (i = 0; i < COMMANDS; i++)
		suggest_offer(&suggest, commands[i].name);
	if (suggest.best != NULL)
		err_set(err, "there is no command \"%s\"; did you mean \"%s\"?",
		    word, suggest.best);
	else
		err_set(err, "there is no command \"%s\"", word);
	return -EINVAL;
}

static int
words_check(const struct options *options, struct err *err)
{
	const struct command_row *row = &commands[options->command];
	bool is_reload = options->command == COMMAND_RELOAD;
	/* its words are made of the option */
	size_t most = is_reload ? 0 : row->most;

	if (options->word_count < row->least || options->word_count > most)
		err_set(err, "usage: socketserverctl %s%s%s", row->name,
		    row->arguments[0] != '\0' ? " " : "", row->arguments);
	else if (options->confirm_within != NULL && !is_reload)
		err_set(err, "--confirm-within goes with reload only");
	else if (options->is_json && options->command == COMMAND_TALK)
		err_set(err, "--json does not go with talk");
	else
		return 0;
	return -EINVAL;
}

int
options_parse(struct options *options, int argc, char **argv, struct err *err)
{
	int r;

	*options = (struct options){ .socket = DEFAULT_SOCKET,
	    .command = COMMANDS };
	r = options_walk(options, argc, argv, err);
	if (r < 0 || options->action != ACTION_COMMAND)
		return r;
	if (optind == argc) {
		err_set(err, "which command?");
		return -EINVAL;
	}
	options->command = command_find(argv[optind]);
	if (options->command == COMMANDS)
		return command_unknown(argv[optind], err);
	options->words = argv + optind + 1;
	options->word_count = (size_t)(argc - optind - 1);
	return words_check(options, err);
}

static void
usage_option(FILE *out, const struct option_row *row)
{
	char left[64];

	(void)snprintf(left, sizeof(left), "--%s%s%s", row->name,
	    row->argument != NULL ? " " : "",
	    row->argument != NULL ? row->argument : "");
	if (row->letter != 0)
		fprintf(out, "  -%c, %-23s %s\n", row->letter, left, row->help);
	else
		fprintf(out, "      %-23s %s\n", left, row->help);
}

static void
usage_command(FILE *out, const struct command_row *row)
{
	char left[64];

	(void)snprintf(left, sizeof(left), "%s %s", row->name, row->arguments);
	if (strlen(left) > 27)
		fprintf(out, "  %s\n  %-27s %s\n", left, "", row->help);
	else
		fprintf(out, "  %-27s %s\n", left, row->help);
}

void
options_usage(FILE *out)
{
	const struct option_row *row;
	int i;

	fputs("usage: socketserverctl [-s SOCKET] [--json] COMMAND "
	    "[WORD...]\n\nCommands:\n", out);
	for (i = 0; i < COMMANDS; i++)
		usage_command(out, &commands[i]);
	fputs("\nOptions:\n", out);
	for (row = options_table; row->name != NULL; row++)
		if (!row->is_hidden)
			usage_option(out, row);
	fputs("\nSee socketserverctl(1).\n", out);
}

const struct option_row options_table[] = {
	{ 's', "socket", "SOCKET", false, set_socket,
	    "control socket; default " DEFAULT_SOCKET },
	{ 0, "json", NULL, false, set_json,
	    "print the daemon's result as JSON" },
	{ 0, "confirm-within", "TIME", false, set_confirm_within,
	    "with reload: undo it unless it is confirmed in that time" },
	{ 'h', "help", NULL, false, set_help,
	    "print this" },
	{ 'V', "version", NULL, false, set_version,
	    "print the version" },
	{ 0, "print", "DOCUMENT", true, set_print,
	    "options-mdoc, commands-mdoc, bash or zsh: for the build" },
	{ 0, NULL, NULL, false, NULL, NULL },
};
