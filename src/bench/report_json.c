/* SPDX-License-Identifier: ISC */
#include <config.h>

#include "bench/report_json.h"

#include <jansson.h>

#include "bench/report.h"
#include "bench/workload.h"

#define DIGITS 9                /* of a real number: enough for a figure */

static void
put(json_t *object, const char *key, json_t *value)
{
	(void)json_object_set_new(object, key, value);
}

static void
put_count(json_t *object, const char *key, uint64_t value)
{
	put(object, key, json_integer((json_int_t)value));
}

static void
put_number(json_t *object, const char *key, double value)
{
	put(object, key, json_real(value));
}

/* What is not UTF-8 is left out. */
static void
put_text(json_t *object, const char *key, const char *text)
{
	json_t *value = json_string(text);

	put(object, key, value != NULL ? value : json_null());
}

static json_t *
load_json(const struct run *run)
{
	const struct options *options = run->options;
	json_t *load = json_object();

	put_count(load, "connections", (uint64_t)options->connections);
	put_count(load, "depth", (uint64_t)options->depth);
	put_count(load, "request_bytes", run->talk.say_len);
	put_count(load, "answer_bytes", run->talk.want_len);
	put_count(load, "rate", (uint64_t)options->rate);
	return load;
}

static json_t *
latency_json(const struct hist *hist)
{
	json_t *latency = json_object();

	put_number(latency, "mean", hist_mean(hist) / 1e3);
	put_number(latency, "min", (double)hist->least / 1e3);
	put_number(latency, "p50", (double)hist_quantile(hist, 0.5) / 1e3);
	put_number(latency, "p90", (double)hist_quantile(hist, 0.9) / 1e3);
	put_number(latency, "p99", (double)hist_quantile(hist, 0.99) / 1e3);
	put_number(latency, "p99.9", (double)hist_quantile(hist, 0.999) / 1e3);
	put_number(latency, "max", (double)hist->most / 1e3);
	return latency;
}

static json_t *
faults_json(const struct tally *tally)
{
	json_t *object = json_object();

	for (int i = 0; i < FAULTS; i++)
		if (tally->faults[i] > 0)
			put_count(object, faults[i].name, tally->faults[i]);
	return object;
}

static json_t *
first_json(const struct tally *tally)
{
	json_t *object = json_object();

	for (int i = 0; i < FAULTS; i++)
		if (tally->faults[i] > 0)
			put_text(object, faults[i].name, tally->first[i]);
	return object;
}

static json_t *
memory_json(const struct memory *memory)
{
	json_t *object = json_object();

	put_count(object, "pss_bytes", memory->pss);
	put_count(object, "page_table_bytes", memory->page_tables);
	put_count(object, "kernel_stack_bytes", memory->kernel_stacks);
	put_count(object, "processes", memory->processes);
	put_count(object, "threads", memory->threads);
	return object;
}

static json_t *
warnings_json(const struct run *run)
{
	char text[REPORT_WARNINGS][160];
	json_t *array = json_array();

	for (int i = 0, n = report_warnings(run, text); i < n; i++)
		(void)json_array_append_new(array, json_string(text[i]));
	return array;
}

static void
put_cost(json_t *object, const struct run *run, const struct figures *figures)
{
	if (run->server_ns >= 0) {
		put_number(object, "server_cpu_seconds",
		    (double)run->server_ns / 1e9);
		put_number(object, "server_cpu_us_per_request",
		    figures->server_us);
	}
	put_number(object, "client_cpu_seconds", (double)run->client_ns / 1e9);
	put_number(object, "client_cpu_us_per_request", figures->client_us);
	put_number(object, "steal_share", run->steal);
	if (run->probe_before_ns > 0) {
		put_count(object, "probe_before_ns",
		    (uint64_t)run->probe_before_ns);
		put_count(object, "probe_after_ns",
		    (uint64_t)run->probe_after_ns);
	}
}

static void
put_held(json_t *object, const struct run *run, const struct figures *figures)
{
	if (run->deaf > 0) {
		put_count(object, "silent", run->deaf);
		put_count(object, "silent_closed_by_server", run->deaf_closed);
	}
	if (run->held > 0)
		put_count(object, "held", run->held);
	if (!run->has_memory)
		return;
	put(object, "memory_before", memory_json(&run->empty));
	put(object, "memory_held", memory_json(&run->full));
	put_number(object, "bytes_per_connection",
	    figures->bytes_per_connection);
}

void
report_print_json(const struct run *run)
{
	json_t *object = json_object();
	struct figures figures;

	figures_make(&figures, run);
	put_text(object, "version", PACKAGE_VERSION);
	put_text(object, "workload", run->options->workload->name);
	put_text(object, "address", run->options->address_text);
	put(object, "load", load_json(run));
	put_number(object, "seconds", figures.seconds);
	put_count(object, "requests", run->tally.done);
	put_number(object, "requests_per_second", figures.requests_per_second);
	put_count(object, "bytes_out", run->tally.bytes_out);
	put_count(object, "bytes_in", run->tally.bytes_in);
	put_number(object, "bytes_per_second", figures.bytes_per_second);
	put(object, "latency_us", latency_json(&run->tally.hist));
	put_cost(object, run, &figures);
	put_held(object, run, &figures);
	put_count(object, "errors", tally_faults(&run->tally));
	put(object, "errors_by_kind", faults_json(&run->tally));
	put(object, "first_errors", first_json(&run->tally));
	put(object, "warnings", warnings_json(run));
	(void)json_dumpf(object, stdout, JSON_REAL_PRECISION(DIGITS));
	(void)putchar('\n');
	json_decref(object);
}
