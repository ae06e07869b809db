/* SPDX-License-Identifier: ISC */
/*
 * The command line: options_table[] at the end says everything about each
 * option; above it are the functions that the rows name, and what turns the
 * table into getopt_long(3)'s terms and into text.
 */
#include "super/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define DEFAULT_FILE SYSCONFDIR "/socketserverd/socketserverd.conf"

static int
set_action(struct options *options, const struct option_row *row,
    enum action action, struct err *err)
{
	if (options->action_letter != 0 &&
	    options->action_letter != row->letter) {
		err_set(err, "-%c and -%c exclude each other",
		    options->action_letter, row->letter);
		return -EINVAL;
	}
	options->action = action;
	options->action_letter = row->letter;
	return 0;
}

static int
set_file(struct options *options, const struct option_row *row,
    const char *value, struct err *err)
{
	(void)row;
	(void)err;
	options->file = value;
	options->is_file_given = true;
	return 0;
}

static int
set_test(struct options *options, const struct option_row *row,
    const char *value, struct err *err)
{
	(void)value;
	return set_action(options, row, ACTION_TEST, err);
}

static int
set_dump(struct options *options, const struct option_row *row,
    const char *value, struct err *err)
{
	(void)value;
	return set_action(options, row, ACTION_DUMP, err);
}

static int
set_list(struct options *options, const struct option_row *row,
    const char *value, struct err *err)
{
	(void)value;
	return set_action(options, row, ACTION_LIST_HANDLERS, err);
}

static int
set_help_config(struct options *options, const struct option_row *row,
    const char *value, struct err *err)
{
	options->key = value;
	return set_action(options, row, ACTION_HELP_CONFIG, err);
}

static int
set_run(struct options *options, const struct option_row *row,
    const char *value, struct err *err)
{
	(void)row;
	(void)err;
	options->address = value;
	return 0;
}

static int
set_model(struct options *options, const struct option_row *row,
    const char *value, struct err *err)
{
	(void)row;
	(void)err;
	options->model = value;
	return 0;
}

static int
set_setting(struct options *options, const struct option_row *row,
    const char *value, struct err *err)
{
	const char *equals = strchr(value, '=');

	if (equals == NULL || equals == value) {
		err_set(err, "-%c %s: write NAME=VALUE", row->letter, value);
		return -EINVAL;
	}
	/* argv's own strings: getopt(3) only hands them out as const. */
	options->settings[options->setting_count++] = (char *)(size_t)value;
	return 0;
}

static int
set_daemon(struct options *options, const struct option_row *row,
    const char *value, struct err *err)
{
	(void)row;
	(void)value;
	(void)err;
	options->is_daemon = true;
	return 0;
}

static int
set_pidfile(struct options *options, const struct option_row *row,
    const char *value, struct err *err)
{
	(void)row;
	(void)err;
	options->pidfile = value;
	return 0;
}

static int
set_log_level(struct options *options, const struct option_row *row,
    const char *value, struct err *err)
{
	options->log_level = log_level_parse(value);
	if (options->log_level >= 0)
		return 0;
	err_set(err, "-%c %s: the levels are debug, info, notice, warning and "
	    "error", row->letter, value);
	return -EINVAL;
}

static int
set_help(struct options *options, const struct option_row *row,
    const char *value, struct err *err)
{
	(void)value;
	return set_action(options, row, ACTION_HELP, err);
}

static int
set_version(struct options *options, const struct option_row *row,
    const char *value, struct err *err)
{
	(void)value;
	return set_action(options, row, ACTION_VERSION, err);
}

static int
set_print(struct options *options, const struct option_row *row,
    const char *value, struct err *err)
{
	(void)row;
	(void)err;
	options->document = value;
	options->action = ACTION_PRINT;
	return 0;
}

static int
set_try(struct options *options, const struct option_row *row,
    const char *value, struct err *err)
{
	(void)row;
	(void)value;
	(void)err;
	options->action = ACTION_TRY;
	return 0;
}

/* The words that are no options: -r's HANDLER, -H's KEY. */
static int
options_operands(struct options *options, int i, int argc, char **argv,
    struct err *err)
{
	if (options->address != NULL && i < argc)
		options->handler = argv[i++];
	if (options->action == ACTION_HELP_CONFIG && options->key == NULL &&
	    i < argc)
		options->key = argv[i++];
	if (i == argc)
		return 0;
	err_set(err, "%s: what is this word for?", argv[i]);
	return -EINVAL;
}

static int
options_check(const struct options *options, struct err *err)
{
	if (options->address != NULL && options->handler == NULL)
		err_set(err, "-r %s needs a HANDLER after the address",
		    options->address);
	else if (options->address != NULL && options->is_file_given)
		err_set(err, "-r and -c exclude each other");
	else if (options->address == NULL && options->model != NULL)
		err_set(err, "-m goes with -r only; in a file it is "
		    "`concurrency`");
	else if (options->address == NULL && options->setting_count > 0)
		err_set(err, "-o goes with -r only; in a file it is `options`");
	else
		return 0;
	return -EINVAL;
}

int
options_parse(struct options *options, int argc, char **argv, struct err *err)
{
	int r;

	*options = (struct options){ .file = DEFAULT_FILE, .log_level = -1 };
	options->settings = calloc((size_t)argc + 1, sizeof(char *));
	options->argv = calloc((size_t)argc + 1, sizeof(char *));
	if (options->settings == NULL || options->argv == NULL)
		return err_errno(err, ENOMEM, "command line");
	/* getopt(3) puts it into another order */
	memcpy(options->argv, argv, (size_t)argc * sizeof(char *));
	r = option_walk(options_table, options, argc, argv, err);
	if (r >= 0)
		r = options_operands(options, r, argc, argv, err);
	if (r == 0)
		r = options_check(options, err);
	return r;
}

void
options_free(struct options *options)
{
	free(options->settings);
	options->settings = NULL;
	free(options->argv);
	options->argv = NULL;
}

void
options_usage(FILE *out)
{
	fputs("usage: socketserverd [-c FILE] [-t | -T | -L | -H [KEY]] [-d] "
	    "[-p PIDFILE]\n"
	    "                     [-l LEVEL] [-h] [-V]\n"
	    "       socketserverd -r ADDRESS HANDLER [-m MODEL] "
	    "[-o OPTION=VALUE]...\n\n", out);
	option_print_help(out, options_table);
	fputs("\nSee socketserverd(8) and socketserverd.conf(5).\n", out);
}

void
options_mdoc(FILE *out)
{
	option_print_mdoc(out, options_table);
}

const struct option_row options_table[] = {
	{ 'c', "config", "FILE", false, set_file,
	    "configuration file; default " DEFAULT_FILE, 0, 0, 0 },
	{ 't', "test", NULL, false, set_test,
	    "check the configuration whole, print every fault, and exit",
	    0, 0, 0 },
	{ 'T', "dump", NULL, false, set_dump,
	    "as -t, then print the configuration in force", 0, 0, 0 },
	{ 'L', "list-handlers", NULL, false, set_list,
	    "list the handlers on the module path", 0, 0, 0 },
	{ 'H', "help-config", "[KEY]", false, set_help_config,
	    "print the reference of every configuration key, or of one",
	    0, 0, 0 },
	{ 'r', "run", "ADDRESS HANDLER", false, set_run,
	    "serve one listener without a configuration file", 0, 0, 0 },
	{ 'm', "model", "MODEL", false, set_model,
	    "with -r: sync, threaded, forking, prefork or event",
	    0, 0, 0 },
	{ 'o', "option", "NAME=VALUE", false, set_setting,
	    "with -r: an option of the handler; may be repeated", 0, 0, 0 },
	{ 'd', "daemon", NULL, false, set_daemon,
	    "detach; return 0 once the daemon serves, else say why not",
	    0, 0, 0 },
	{ 'p', "pidfile", "FILE", false, set_pidfile,
	    "write a locked pid file", 0, 0, 0 },
	{ 'l', "log-level", "LEVEL", false, set_log_level,
	    "debug, info, notice, warning or error", 0, 0, 0 },
	{ 'h', "help", NULL, false, set_help,
	    "print this", 0, 0, 0 },
	{ 'V', "version", NULL, false, set_version,
	    "print the version and what it was built with", 0, 0, 0 },
	{ 0, "print", "DOCUMENT", true, set_print,
	    "mdoc, example, options-mdoc or exit-mdoc: for the build",
	    0, 0, 0 },
	{ 0, "try-to-take-over", NULL, true, set_try,
	    "say whether the state on standard input is understood: for "
	    "an upgrade", 0, 0, 0 },
	{ 0, NULL, NULL, false, NULL, NULL, 0, 0, 0 },
};
