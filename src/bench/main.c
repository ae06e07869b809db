/* SPDX-License-Identifier: ISC */
/*
 * socketserver-bench: puts load on a server, checks every byte that comes back
 * and says how long it took. Exits with an enum exit_status.
 */
#include <config.h>

#include <stdio.h>

#include "base/fd.h"
#include "base/sig.h"
#include "bench/document.h"
#include "bench/live.h"
#include "bench/options.h"
#include "bench/probe.h"
#include "bench/report.h"
#include "bench/workload.h"

static int
action_print(const struct options *options)
{
	if (document_print(stdout, options->document) == 0)
		return STATUS_OK;
	complain("there is no such document");
	return STATUS_USAGE;
}

static int
action_help(const struct options *options)
{
	(void)options;
	options_usage(stdout);
	return STATUS_OK;
}

static int
action_version(const struct options *options)
{
	(void)options;
	printf("socketserver-bench %s\n", PACKAGE_VERSION);
	return STATUS_OK;
}

static int
no_server(const struct run *run)
{
	const struct tally *tally = tally_faults(&run->tally) > 0 ?
	    &run->tally : &run->before;
	const char *why = tally->faults[FAULT_CONNECT] > 0 ?
	    tally->first[FAULT_CONNECT] : tally->first[FAULT_LOST];
	char text[512];

	(void)snprintf(text, sizeof(text), "%s: no server answers: %s",
	    run->options->address_text, why);
	complain(text);
	return STATUS_NO_SERVER;
}

/* The second probe, what was found, and what that means. */
static int
conclude(struct run *run, struct err *err)
{
	int r = 0;

	if (run->load.is_hopeless)
		return no_server(run);
	if (run->probe_before_ns > 0)
		r = probe_run(&run->probe_after_ns, err);
	live_clear();
	if (r < 0) {
		complain(err->text);
		return STATUS_FAULTS;
	}
	tally_add_faults(&run->tally, &run->before);
	if (report_print(run) < 0) {
		complain("cannot write to standard output");
		return STATUS_FAULTS;
	}
	return tally_faults(&run->tally) > 0 ? STATUS_FAULTS : STATUS_OK;
}

static int
action_run(const struct options *options)
{
	static struct run run;
	struct err err;
	int status, r = run_open(&run, options, &err);

	if (r == 0)
		r = options->workload->run(&run, &err);
	live_clear();
	if (r == 0) {
		status = conclude(&run, &err);
	} else {
		complain(err.text);
		status = STATUS_USAGE;
	}
	run_close(&run);
	return status;
}

static int (*const actions[ACTIONS])(const struct options *) = {
	[ACTION_RUN] = action_run,
	[ACTION_PRINT] = action_print,
	[ACTION_HELP] = action_help,
	[ACTION_VERSION] = action_version,
};

int
main(int argc, char **argv)
{
	struct options options;
	struct err err;
	int status;

	(void)fd_fill_standard();
	sig_reset();
	if (options_parse(&options, argc, argv, &err) < 0) {
		complain(err.text);
		fputs("See socketserver-bench --help.\n", stderr);
		return STATUS_USAGE;
	}
	status = actions[options.action](&options);
	if (status == STATUS_OK && (fflush(stdout) != 0 || ferror(stdout))) {
		complain("cannot write to standard output");
		return STATUS_FAULTS;
	}
	return status;
}
