/* SPDX-License-Identifier: ISC */
/*
 * The command line: options_table[] at the end says everything about each
 * option, commands[] (control/command.c) about each command.
 */
#include "ctl/options.h"

#include <errno.h>
#include <string.h>

#include "base/suggest.h"

static int
set_action(struct options *options, const struct option_row *row,
    const char *value, struct err *err)
{
	(void)err;
	if (row->argument != NULL)
		options->document = value;
	options->action = (enum action)row->least;
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
	int first;

	*options = (struct options){ .socket = DEFAULT_SOCKET,
	    .command = COMMANDS };
	first = option_walk(options_table, options, argc, argv, err);
	if (first < 0 || options->action != ACTION_COMMAND)
		return first < 0 ? first : 0;
	if (first == argc) {
		err_set(err, "which command?");
		return -EINVAL;
	}
	options->command = command_find(argv[first]);
	if (options->command == COMMANDS)
		return command_unknown(argv[first], err);
	options->words = argv + first + 1;
	options->word_count = (size_t)(argc - first - 1);
	return words_check(options, err);
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
	int i;

	fputs("usage: socketserverctl [-s SOCKET] [--json] COMMAND "
	    "[WORD...]\n\nCommands:\n", out);
	for (i = 0; i < COMMANDS; i++)
		usage_command(out, &commands[i]);
	fputs("\nOptions:\n", out);
	option_print_help(out, options_table);
	fputs("\nSee socketserverctl(1).\n", out);
}

#define FIELD(name) offsetof(struct options, name)

const struct option_row options_table[] = {
	{ 's', "socket", "SOCKET", false, option_set_text,
	    "control socket; default " DEFAULT_SOCKET, FIELD(socket), 0, 0 },
	{ 0, "json", NULL, false, option_set_flag,
	    "print the daemon's result as JSON", FIELD(is_json), 0, 0 },
	{ 0, "confirm-within", "TIME", false, option_set_text,
	    "with reload: undo it unless it is confirmed in that time",
	    FIELD(confirm_within), 0, 0 },
	{ 'h', "help", NULL, false, set_action,
	    "print this", 0, ACTION_HELP, 0 },
	{ 'V', "version", NULL, false, set_action,
	    "print the version", 0, ACTION_VERSION, 0 },
	{ 0, "print", "DOCUMENT", true, set_action,
	    "options-mdoc, commands-mdoc, bash or zsh: for the build",
	    0, ACTION_PRINT, 0 },
	{ 0, NULL, NULL, false, NULL, NULL, 0, 0, 0 },
};
