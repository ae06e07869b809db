/* SPDX-License-Identifier: ISC */
/* From the command line to a checked configuration. */
#include "super/load.h"

#include <stdio.h>

#include "conf/fault.h"
#include "conf/read.h"
#include "super/probe.h"

static const enum exit_code result_codes[] = {
	[CONFIG_OK] = EXIT_OK,
	[CONFIG_FAULTS] = EXIT_CONFIG,
	[CONFIG_NO_FILE] = EXIT_NO_FILE,
	[CONFIG_SYSTEM] = EXIT_SYSTEM,
};

static enum config_result
load_text(const struct options *options, struct config **config,
    struct faults *faults)
{
	if (options->address != NULL)
		return config_run(options->address, options->handler,
		    options->model, options->settings, options->setting_count,
		    config, faults);
	return config_load(options->file, config, faults);
}

static void
put_err(struct buf *faults, const struct err *err)
{
	if (err->text[0] != '\0')
		(void)buf_printf(faults, "socketserverd: %s\n", err->text);
}

static void
put_text(struct buf *faults, const struct buf *text)
{
	(void)buf_append(faults, text->data != NULL ? text->data : "",
	    text->len);
}

/* Whatever could be read, perhaps with faults elsewhere in it. */
static enum exit_code
load_any(const struct options *options, struct config **config,
    struct buf *text)
{
	enum config_result result;
	struct faults faults;

	*config = NULL;
	faults_init(&faults);
	result = load_text(options, config, &faults);
	put_text(text, &faults.text);
	faults_free(&faults);
	/* The command line has the last word, before anybody reads it. */
	if (*config != NULL && options->log_level >= 0)
		(*config)->log.level = options->log_level;
	return result_codes[result];
}

static enum exit_code
check_handlers(const struct program *program, const struct config *config,
    struct buf *faults)
{
	struct err err = { "" };
	enum exit_code code;
	struct buf report;

	code = (enum exit_code)probe_check(program, config, &report, &err);
	put_text(faults, &report);
	put_err(faults, &err);
	buf_free(&report);
	return code;
}

enum exit_code
load_config(const struct options *options, struct config **config,
    struct buf *faults)
{
	enum exit_code code = load_any(options, config, faults);

	if (code != EXIT_OK)
		config_free(config);
	return code;
}

enum exit_code
load_checked(const struct options *options, const struct program *program,
    struct config **config, struct buf *faults)
{
	enum exit_code code = load_any(options, config, faults);
	enum exit_code handlers = EXIT_OK;

	/* With faults, what is sound is looked at all the same: every fault
	 * is told in one run. */
	if (*config != NULL)
		handlers = check_handlers(program, *config, faults);
	if (code == EXIT_OK)
		code = handlers;
	if (code != EXIT_OK)
		config_free(config);
	return code;
}

void
load_print_faults(struct buf *faults)
{
	if (faults->data != NULL)
		(void)fputs(faults->data, stderr);
	buf_free(faults);
}
