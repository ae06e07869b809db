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

enum exit_code
load_config(const struct options *options, struct config **config)
{
	enum config_result result;
	struct faults faults;

	*config = NULL;
	faults_init(&faults);
	result = load_text(options, config, &faults);
	if (faults.text.data != NULL)
		fputs(faults.text.data, stderr);
	if (faults.count > FAULTS_MAX)
		fprintf(stderr, "%s: %u more faults are not shown\n",
		    options->file, faults.count - FAULTS_MAX);
	faults_free(&faults);
	/* The command line has the last word, before anybody reads it. */
	if (*config != NULL && options->log_level >= 0)
		(*config)->log.level = options->log_level;
	return result_codes[result];
}

enum exit_code
load_checked(const struct options *options, const struct program *program,
    struct config **config)
{
	enum exit_code code = load_config(options, config);
	struct err err = { "" };
	struct buf report;

	if (code != EXIT_OK)
		return code;
	code = (enum exit_code)probe_check(program, *config, &report, &err);
	if (report.data != NULL)
		fputs(report.data, stderr);
	if (err.text[0] != '\0')
		fprintf(stderr, "socketserverd: %s\n", err.text);
	buf_free(&report);
	if (code != EXIT_OK)
		config_free(config);
	return code;
}
