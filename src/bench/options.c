/* SPDX-License-Identifier: ISC */
/*
 * The command line: options_table[] at the end says everything about each
 * option, workloads[] (workload.c) about each workload.
 */
#include "bench/options.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

#include "base/suggest.h"
#include "bench/dial.h"
#include "bench/workload.h"

#define DEFAULT_DURATION_MS 5000
#define DATAGRAM_MOST 65507     /* UDP over IPv4, udp(7) */
#define TABLE_MOST (1LL << 30)  /* bytes of times: connections x depth x 8 */

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
set_expect(struct options *options, const struct option_row *row,
    const char *value, struct err *err)
{
	(void)row;
	if (strcmp(value, "echo") == 0) {
		options->expect = TALK_ECHO;
	} else if (strcmp(value, "upper") == 0) {
		options->expect = TALK_UPPER;
	} else {
		err_set(err, "--expect %s: it is echo or upper; --reply is for "
		    "another answer", value);
		return -EINVAL;
	}
	return 0;
}

static int
workload_unknown(const char *word, struct err *err)
{
	struct suggest suggest;

	suggest_init(&suggest, word);
	for (const struct workload *row = workloads; row->name != NULL; row++)
		suggest_offer(&suggest, row->name);
	err_set(err, "there is no workload \"%s\"%s%s%s", word,
	    suggest.best != NULL ? "; did you mean \"" : "",
	    suggest.best != NULL ? suggest.best : "",
	    suggest.best != NULL ? "\"?" : "");
	return -EINVAL;
}

static void
default_to(int64_t *field, int64_t value)
{
	if (*field < 0)
		*field = value;
}

static void
fill_in(struct options *options)
{
	const struct workload *workload = options->workload;

	default_to(&options->connections, workload->connections);
	default_to(&options->depth, workload->depth);
	default_to(&options->size_bytes, workload->size_bytes);
	default_to(&options->timeout_ms, workload->timeout_ms);
	default_to(&options->duration_ms,
	    options->requests > 0 ? 0 : DEFAULT_DURATION_MS);
}

static bool
is_line_missing(const struct options *options)
{
	return options->reply != NULL && options->line == NULL &&
	    options->workload->is_greeted;
}

/* NULL, or what does not go together. */
static const char *
conflict_of(const struct options *options)
{
	bool is_datagram = !addr_is_stream(&options->address);
	const char *name = options->workload->name;

	if (is_datagram != (options->workload->wire == WIRE_DATAGRAM))
		return is_datagram ? "this workload is for connections; that "
		    "for datagrams is udp" : "the workload udp is for "
		    "udp:// and unixgram: addresses";
	if (options->workload->is_fresh && options->depth > 1)
		return "--depth is for connections that are kept";
	if (is_datagram && options->size_bytes > DATAGRAM_MOST)
		return "--size: a datagram has 65507 bytes at most";
	if (options->pid > 0 && options->cgroup != NULL)
		return "--pid and --cgroup exclude each other";
	if (options->is_silent && strcmp(name, "idle") != 0 &&
	    strcmp(name, "deaf") != 0)
		return "--silent goes with idle and deaf only";
	if (is_line_missing(options))
		return "--reply is the answer to --line here";
	if (options->line != NULL && options->reply == NULL &&
	    options->expect == TALK_UPPER)
		return "--line needs --reply, unless it is echoed";
	if (options->expect == TALK_UPPER && options->size_bytes < 2)
		return "--expect upper: a line has two bytes at least";
	if (options->greeting != NULL && is_datagram)
		return "--greeting is for connections";
	if (options->connections * options->depth > TABLE_MOST / 8)
		return "--connections and --depth: more than memory holds";
	return NULL;
}

static int
words_parse(struct options *options, char **words, int count, struct err *err)
{
	const char *conflict;
	int r;

	if (count < 1 || count > 2) {
		err_set(err, count < 1 ? "which workload, and which address?" :
		    "%s: what is this word for?", words[count < 1 ? 0 : 2]);
		return -EINVAL;
	}
	options->workload = workload_find(words[0]);
	if (options->workload == NULL)
		return workload_unknown(words[0], err);
	if (count == 1) {
		err_set(err, "which address? Write tcp://HOST:PORT, "
		    "udp://HOST:PORT, unix:PATH or unixgram:PATH");
		return -EINVAL;
	}
	options->address_text = words[1];
	r = dial_address(&options->address, words[1], err);
	if (r < 0)
		return r;
	fill_in(options);
	conflict = conflict_of(options);
	if (conflict != NULL)
		err_set(err, "%s", conflict);
	return conflict != NULL ? -EINVAL : 0;
}

int
options_parse(struct options *options, int argc, char **argv, struct err *err)
{
	int first;

	*options = (struct options){ .connections = -1, .depth = -1,
		.size_bytes = -1, .timeout_ms = -1, .duration_ms = -1,
		.warmup_ms = 500, .cpu = -1 };
	first = option_walk(options_table, options, argc, argv, err);
	if (first < 0 || options->action != ACTION_RUN)
		return first < 0 ? first : 0;
	return words_parse(options, argv + first, argc - first, err);
}

static void
usage_workload(FILE *out, const struct workload *row)
{
	char left[32];

	(void)snprintf(left, sizeof(left), "  %s", row->name);
	option_print_left(out, left, row->help);
}

void
options_usage(FILE *out)
{
	fputs("usage: socketserver-bench [OPTION...] WORKLOAD ADDRESS\n"
	    "\nWorkloads:\n", out);
	for (const struct workload *row = workloads; row->name != NULL; row++)
		usage_workload(out, row);
	fputs("\nOptions:\n", out);
	option_print_help(out, options_table);
	fputs("\nSee socketserver-bench(1).\n", out);
}

#define FIELD(name) offsetof(struct options, name)

const struct option_row options_table[] = {
	{ 'c', "connections", "N", false, option_set_number,
	    "connections, or sockets of datagrams; deaf: silent clients",
	    FIELD(connections), 1, 1000000 },
	{ 'n', "requests", "N", false, option_set_number,
	    "end after so many requests", FIELD(requests), 1, INT64_MAX / 2 },
	{ 'd', "duration", "TIME", false, option_set_ms,
	    "end after that time; default 5s, or with --requests none",
	    FIELD(duration_ms), 1, 1LL << 40 },
	{ 'w', "warmup", "TIME", false, option_set_ms,
	    "the same load before, not counted; default 500ms",
	    FIELD(warmup_ms), 0, 1LL << 40 },
	{ 's', "size", "SIZE", false, option_set_bytes,
	    "bytes of a request; default 64, for stream 64K",
	    FIELD(size_bytes), 1, 16 << 20 },
	{ 'D', "depth", "N", false, option_set_number,
	    "requests on their way at once on each connection",
	    FIELD(depth), 1, 65536 },
	{ 'r', "rate", "N", false, option_set_number,
	    "requests a second, whether or not answers come; latency is "
	    "counted from when one was due", FIELD(rate), 1, 100000000 },
	{ 't', "timeout", "TIME", false, option_set_ms,
	    "without an answer for so long is an error; default 5s, for udp "
	    "1s, for deaf 500ms", FIELD(timeout_ms), 1, 1LL << 30 },
	{ 'e', "expect", "WHAT", false, set_expect,
	    "what a right answer is: echo (default), or upper for the line in "
	    "upper case without its newline", 0, 0, 0 },
	{ 0, "greeting", "TEXT", false, option_set_text,
	    "what the server says first; \\n, \\xNN and the like are bytes",
	    FIELD(greeting), 0, 0 },
	{ 0, "line", "TEXT", false, option_set_text,
	    "what to say, instead of bytes that are made up",
	    FIELD(line), 0, 0 },
	{ 0, "reply", "TEXT", false, option_set_text,
	    "the right answer, where it is neither echo nor upper",
	    FIELD(reply), 0, 0 },
	{ 0, "silent", NULL, false, option_set_flag,
	    "with idle and deaf: connect and send nothing at all",
	    FIELD(is_silent), 0, 0 },
	{ 'p', "pid", "PID", false, option_set_number,
	    "show what processor time that process and all below it use",
	    FIELD(pid), 1, INT32_MAX },
	{ 0, "cgroup", "PATH", false, option_set_text,
	    "the same for a control group, by its directory",
	    FIELD(cgroup), 0, 0 },
	{ 0, "pin", "CPU", false, option_set_number,
	    "run on that processor only; the first is 0",
	    FIELD(cpu), 0, CPU_SETSIZE - 1 },
	{ 0, "no-probe", NULL, false, option_set_flag,
	    "do not measure the machine's own speed before and after",
	    FIELD(is_without_probe), 0, 0 },
	{ 'j', "json", NULL, false, option_set_flag,
	    "print one JSON object", FIELD(is_json), 0, 0 },
	{ 'h', "help", NULL, false, set_action,
	    "print this", 0, ACTION_HELP, 0 },
	{ 'V', "version", NULL, false, set_action,
	    "print the version", 0, ACTION_VERSION, 0 },
	{ 0, "print", "DOCUMENT", true, set_action,
	    "workloads-mdoc, options-mdoc, faults-mdoc, bash or zsh: for the "
	    "build",
	    0, ACTION_PRINT, 0 },
	{ 0, NULL, NULL, false, NULL, NULL, 0, 0, 0 },
};
