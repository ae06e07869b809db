/* SPDX-License-Identifier: ISC */
/*
 * socketserver-service: runs one listener's handler, or looks at handlers for
 * socketserverd. Started by socketserverd, not by people.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/fd.h"
#include "base/sig.h"
#include "net/inherit.h"
#include "serve/probe.h"
#include "serve/service.h"

static enum exit_code
usage(void)
{
	(void)fputs("socketserver-service is started by socketserverd; "
	    "see socketserverd(8)\n", stderr);
	return EXIT_USAGE;
}

/* serve --slot N --generation N --log KIND, in this order. */
static enum exit_code
serve(int argc, char **argv, struct inherit *inherit)
{
	if (argc != 8 || strcmp(argv[2], "--slot") != 0 ||
	    strcmp(argv[4], "--generation") != 0 ||
	    strcmp(argv[6], "--log") != 0)
		return usage();
	const struct service_args args = {
		.slot = (unsigned)strtoul(argv[3], NULL, 10),
		.generation = (unsigned)strtoul(argv[5], NULL, 10),
		.log_kind = argv[7],
	};
	return service_run(&args, inherit);
}

static enum exit_code
run(int argc, char **argv, struct inherit *inherit)
{
	if (strcmp(argv[1], "serve") == 0)
		return serve(argc, argv, inherit);
	/* Nobody is left to read what a probe finds. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (strcmp(argv[1], "check") == 0)
		return probe_check(inherit);
	if (strcmp(argv[1], "describe") == 0)
		return probe_describe(argv + 2);
	return usage();
}

int
main(int argc, char **argv)
{
	struct inherit inherit;
	struct err err;

	(void)fd_fill_standard();
	sig_reset();
	(void)prctl(PR_SET_NAME, "socketserver-se");
	if (argc < 2)
		return (int)usage();
	if (inherit_take(&inherit, &err) < 0) {
		(void)fprintf(stderr, "socketserver-service: %s\n", err.text);
		return EXIT_SYSTEM;
	}
	enum exit_code code = run(argc, argv, &inherit);
	inherit_free(&inherit);
	return (int)code;
}
