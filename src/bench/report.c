/* SPDX-License-Identifier: ISC */
#include <config.h>

#include "bench/report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bench/probe.h"
#include "bench/report_json.h"
#include "bench/workload.h"

#define STEAL_SHARE 0.02        /* of the processors' time: worth a word */
#define CLIENT_SHARE 0.90       /* of one processor: we are the limit */

static double
ratio(double a, double b)
{
	return b > 0 ? a / b : 0;
}

void
figures_make(struct figures *figures, const struct run *run)
{
	const struct tally *tally = &run->tally;
	double seconds = (double)run->span_ns / 1e9;
	double done = (double)tally->done;
	double grown = (double)memory_sum(&run->full) -
	    (double)memory_sum(&run->empty);

	*figures = (struct figures){
		.seconds = seconds,
		.requests_per_second = ratio(done, seconds),
		.bytes_per_second = ratio((double)(tally->bytes_in +
		    tally->bytes_out), seconds),
		.server_us = run->server_ns < 0 ? 0 :
		    ratio((double)run->server_ns / 1e3, done),
		.client_us = ratio((double)run->client_ns / 1e3, done),
		.client_share = ratio((double)run->client_ns / 1e9, seconds),
		.bytes_per_connection = run->has_memory ?
		    ratio(grown, (double)run->held) : 0,
	};
}

int
report_warnings(const struct run *run, char text[REPORT_WARNINGS][160])
{
	int64_t before = run->probe_before_ns, after = run->probe_after_ns;
	struct figures figures;
	int count = 0;

	figures_make(&figures, run);
	if (before > 0 && after > 0 && !probe_is_steady(before, after))
		(void)snprintf(text[count++], 160, "the machine's own speed "
		    "changed by %.0f %% meanwhile: measure again",
		    100 * (before > after ? (double)before / (double)after :
		    (double)after / (double)before) - 100);
	if (run->steal > STEAL_SHARE)
		(void)snprintf(text[count++], 160, "the host took %.0f %% of "
		    "the processors' time", 100 * run->steal);
	if (figures.client_share > CLIENT_SHARE)
		(void)snprintf(text[count++], 160, "this program used %.0f %% "
		    "of a processor: it may be the limit, not the server",
		    100 * figures.client_share);
	if (run->is_interrupted)
		(void)snprintf(text[count++], 160, "interrupted: it ended "
		    "before its time");
	return count;
}

static void
print_head(const struct run *run)
{
	const struct options *options = run->options;

	printf("%s on %s: ", options->workload->name, options->address_text);
	if (strcmp(options->workload->name, "deaf") == 0)
		printf("%" PRIu64 " silent clients, ", run->deaf);
	else
		printf("%" PRId64 " connections, ", options->connections);
	printf("%zu bytes", run->talk.say_len);
	if (options->depth > 1)
		printf(", %" PRId64 " at once", options->depth);
	if (options->rate > 0)
		printf(", %" PRId64 " due a second", options->rate);
	printf(", %.2f s\n\n", (double)run->span_ns / 1e9);
}

static void
print_speed(const struct run *run, const struct figures *figures)
{
	const struct hist *hist = &run->tally.hist;

	printf("requests    %" PRIu64 ", %.0f/s\n", run->tally.done,
	    figures->requests_per_second);
	printf("bytes       %" PRIu64 " out, %" PRIu64 " in, %.2f MB/s\n",
	    run->tally.bytes_out, run->tally.bytes_in,
	    figures->bytes_per_second / 1e6);
	printf("latency us  p50 %.1f, p90 %.1f, p99 %.1f, p99.9 %.1f, "
	    "max %.1f, mean %.1f\n",
	    (double)hist_quantile(hist, 0.5) / 1e3,
	    (double)hist_quantile(hist, 0.9) / 1e3,
	    (double)hist_quantile(hist, 0.99) / 1e3,
	    (double)hist_quantile(hist, 0.999) / 1e3,
	    (double)hist->most / 1e3, hist_mean(hist) / 1e3);
}

static void
print_cost(const struct run *run, const struct figures *figures)
{
	if (run->server_ns >= 0)
		printf("server CPU  %.2f us a request, %.3f s\n",
		    figures->server_us, (double)run->server_ns / 1e9);
	printf("client CPU  %.2f us a request, %.0f %% of a processor\n",
	    figures->client_us, 100 * figures->client_share);
	if (run->probe_before_ns > 0)
		printf("probe       %.2f us before, %.2f us after\n",
		    (double)run->probe_before_ns / 1e3,
		    (double)run->probe_after_ns / 1e3);
}

static void
print_memory(const struct run *run, const struct figures *figures)
{
	const struct memory *full = &run->full;

	printf("held        %" PRIu64 " connections\n", run->held);
	if (!run->has_memory)
		return;
	printf("memory      %.1f KiB before, %.1f KiB with them: %.2f KiB a "
	    "connection\n", (double)memory_sum(&run->empty) / 1024,
	    (double)memory_sum(full) / 1024,
	    figures->bytes_per_connection / 1024);
	printf("            now PSS %.1f, page tables %.1f, kernel stacks %.1f "
	    "KiB; %" PRIu64 " processes, %" PRIu64 " threads\n",
	    (double)full->pss / 1024, (double)full->page_tables / 1024,
	    (double)full->kernel_stacks / 1024, full->processes,
	    full->threads);
}

static void
print_faults(const struct run *run)
{
	const struct tally *tally = &run->tally;

	if (tally_faults(tally) == 0) {
		printf("errors      none\n");
		return;
	}
	printf("errors      %" PRIu64 "\n", tally_faults(tally));
	for (int i = 0; i < FAULTS; i++)
		if (tally->faults[i] > 0)
			printf("            %" PRIu64 " %s (the first: %s)\n",
			    tally->faults[i], faults[i].text, tally->first[i]);
}

static void
print_text(const struct run *run)
{
	char warnings[REPORT_WARNINGS][160];
	bool is_idle = strcmp(run->options->workload->name, "idle") == 0;
	struct figures figures;

	figures_make(&figures, run);
	print_head(run);
	if (is_idle) {
		print_memory(run, &figures);
	} else {
		print_speed(run, &figures);
		print_cost(run, &figures);
	}
	if (run->deaf > 0)
		printf("silent      %" PRIu64 ", of which the server closed %"
		    PRIu64 "\n", run->deaf, run->deaf_closed);
	print_faults(run);
	for (int i = 0, n = report_warnings(run, warnings); i < n; i++)
		printf("warning     %s\n", warnings[i]);
}

int
report_print(const struct run *run)
{
	if (run->options->is_json)
		report_print_json(run);
	else
		print_text(run);
	return fflush(stdout) == 0 && !ferror(stdout) ? 0 : -EIO;
}

void
complain(const char *sentence)
{
	fprintf(stderr, "socketserver-bench: %s\n", sentence);
}
