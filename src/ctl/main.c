/* SPDX-License-Identifier: ISC */
/*
 * socketserverctl: asks a running socketserverd over its control socket, and
 * shows what it says. Exits with a code of enum wire_code.
 */
#include <config.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "ctl/commands.h"
#include "ctl/document.h"
#include "ctl/options.h"
#include "ctl/output.h"

static enum wire_code
action_print(const struct options *options)
{
	if (document_print(stdout, options->document) == 0)
		return WIRE_OK;
	complain("there is no such document");
	return WIRE_USAGE;
}

static enum wire_code
action_help(const struct options *options)
{
	(void)options;
	options_usage(stdout);
	return WIRE_OK;
}

static enum wire_code
action_version(const struct options *options)
{
	(void)options;
	printf("socketserverctl %s\n", PACKAGE_VERSION);
	return WIRE_OK;
}

static enum wire_code (*const actions[ACTIONS])(const struct options *) = {
	[ACTION_COMMAND] = command_run,
	[ACTION_PRINT] = action_print,
	[ACTION_HELP] = action_help,
	[ACTION_VERSION] = action_version,
};

/* The three standard descriptors are open from here on; a closed output stays
 * one that takes nothing, so that it is an error to print. */
static void
fill_standard(void)
{
	bool is_closed = fcntl(STDOUT_FILENO, F_GETFD) < 0;
	int fd;

	(void)fd_fill_standard();
	if (!is_closed)
		return;
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		(void)dup2(fd, STDOUT_FILENO);
	fd_close(&fd);
}

/* A full disk or a closed pipe is not a success. */
static enum wire_code
flush_output(enum wire_code code)
{
	struct buf nothing;

	buf_init(&nothing, 0);
	if (code != WIRE_OK || output_write(&nothing) == WIRE_OK)
		return code;
	return WIRE_NO;
}

int
main(int argc, char **argv)
{
	struct options options;
	enum wire_code code;
	struct err err;

	fill_standard();
	(void)signal(SIGPIPE, SIG_IGN);
	if (options_parse(&options, argc, argv, &err) < 0) {
		complain(err.text);
		fputs("See socketserverctl --help.\n", stderr);
		return WIRE_USAGE;
	}
	code = actions[options.action](&options);
	return (int)flush_output(code);
}
