/* SPDX-License-Identifier: ISC */
/*
 * socketserverd: the supervisor, and what its command line can ask for
 * instead. actions[] says which function does what.
 */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/exit.h"
#include "base/fd.h"
#include "base/sig.h"
#include "conf/doc.h"
#include "super/handlers.h"
#include "super/load.h"
#include "super/options.h"
#include "super/super.h"

static enum exit_code
complain(const struct err *err, enum exit_code code)
{
	fprintf(stderr, "socketserverd: %s\n", err->text);
	return code;
}

static enum exit_code
action_serve(const struct options *options)
{
	return super_run(options);
}

static enum exit_code
action_try(const struct options *options)
{
	return super_try(options);
}

static enum exit_code
check(const struct options *options, struct config **config)
{
	struct program program;
	struct buf faults;
	struct err err;
	enum exit_code code;

	*config = NULL;
	if (program_open(&program, NULL, &err) < 0)
		return complain(&err, EXIT_SYSTEM);
	buf_init(&faults, LOAD_FAULTS_MAX);
	code = load_checked(options, &program, config, &faults);
	load_print_faults(&faults);
	program_close(&program);
	return code;
}

static enum exit_code
action_test(const struct options *options)
{
	struct config *config;
	enum exit_code code = check(options, &config);

	config_free(&config);
	return code;
}

static enum exit_code
action_dump(const struct options *options)
{
	struct config *config;
	enum exit_code code = check(options, &config);

	if (config != NULL && config_dump(stdout, config) < 0)
		code = EXIT_SYSTEM;
	config_free(&config);
	return code;
}

/* Without a file, unless one was asked for, the default module path. */
static enum exit_code
load_module_path(const struct options *options, struct config **config)
{
	enum exit_code code = EXIT_OK;
	struct buf faults;
	struct stat st;

	*config = NULL;
	buf_init(&faults, LOAD_FAULTS_MAX);
	if (options->is_file_given || stat(options->file, &st) == 0)
		code = load_config(options, config, &faults);
	load_print_faults(&faults);
	return code;
}

static enum exit_code
action_list_handlers(const struct options *options)
{
	struct config *config;
	struct program program;
	struct err err;
	enum exit_code code = load_module_path(options, &config);

	if (code != EXIT_OK)
		return code;
	if (program_open(&program, NULL, &err) < 0)
		code = complain(&err, EXIT_SYSTEM);
	else
		code = handlers_list(&program, config);
	program_close(&program);
	config_free(&config);
	return code;
}

static enum exit_code
action_help_config(const struct options *options)
{
	const char *near = NULL;
	int r = config_help(stdout, options->key, &near);

	if (r == 0)
		return EXIT_OK;
	if (r != -ENOENT)
		return EXIT_SYSTEM;
	fprintf(stderr, "socketserverd: there is no key \"%s\"", options->key);
	if (near != NULL)
		fprintf(stderr, "; did you mean \"%s\"?", near);
	fputs("\n", stderr);
	return EXIT_USAGE;
}

static enum exit_code
action_help(const struct options *options)
{
	(void)options;
	options_usage(stdout);
	return EXIT_OK;
}

static enum exit_code
action_version(const struct options *options)
{
	(void)options;
	printf("socketserverd %s\n%s", PACKAGE_VERSION, BUILD_SUMMARY);
	return EXIT_OK;
}

/* What the build makes documents from */

static int
print_options(FILE *out)
{
	options_mdoc(out);
	return 0;
}

static int
print_exit_codes(FILE *out)
{
	const struct exit_code_row *row;

	for (row = exit_codes; row->help != NULL; row++)
		fprintf(out, ".It %d\n%c%s.\n", row->code,
		    row->help[0] >= 'a' && row->help[0] <= 'z' ?
		    row->help[0] - 'a' + 'A' : row->help[0], row->help + 1);
	return 0;
}

static const struct document {
	const char *name;
	int (*print)(FILE *out);
} documents[] = {
	{ "mdoc", config_print_mdoc },
	{ "example", config_print_example },
	{ "options-mdoc", print_options },
	{ "exit-mdoc", print_exit_codes },
};

static enum exit_code
action_print(const struct options *options)
{
	size_t i;

	for (i = 0; i < sizeof(documents) / sizeof(documents[0]); i++)
		if (strcmp(documents[i].name, options->document) == 0)
			return documents[i].print(stdout) < 0 ? EXIT_SYSTEM :
			    EXIT_OK;
	fprintf(stderr, "socketserverd: there is no document \"%s\"\n",
	    options->document);
	return EXIT_USAGE;
}

static enum exit_code (*const actions[ACTIONS])(const struct options *) = {
	[ACTION_SERVE] = action_serve,
	[ACTION_TEST] = action_test,
	[ACTION_DUMP] = action_dump,
	[ACTION_LIST_HANDLERS] = action_list_handlers,
	[ACTION_HELP_CONFIG] = action_help_config,
	[ACTION_PRINT] = action_print,
	[ACTION_TRY] = action_try,
	[ACTION_HELP] = action_help,
	[ACTION_VERSION] = action_version,
};

/* A full disk or a closed pipe is not a success. */
static enum exit_code
flush_output(enum exit_code code)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	fputs("socketserverd: cannot write to standard output\n", stderr);
	return code != EXIT_OK ? code : EXIT_SYSTEM;
}

int
main(int argc, char **argv)
{
	struct options options;
	enum exit_code code;
	struct err err;

	(void)fd_fill_standard();       /* no /dev/null: as we were started */
	sig_reset();
	(void)umask(0077);
	if (options_parse(&options, argc, argv, &err) < 0) {
		code = complain(&err, EXIT_USAGE);
		fputs("See socketserverd --help.\n", stderr);
	} else {
		code = flush_output(actions[options.action](&options));
	}
	options_free(&options);
	return (int)code;
}
