/* SPDX-License-Identifier: ISC */
#ifndef BENCH_OPTIONS_H
#define BENCH_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/addr.h"
#include "base/err.h"
#include "base/option.h"
#include "bench/talk.h"

/*
 * The command line of socketserver-bench. options_table[] and workloads[] are
 * its two tables: parsing, --help, the lists of the manual page and the
 * completion come from them.
 */
enum action { ACTION_RUN, ACTION_PRINT, ACTION_HELP, ACTION_VERSION, ACTIONS };

enum exit_status {
	STATUS_OK = 0,
	STATUS_FAULTS = 1,              /* errors were seen */
	STATUS_USAGE = 2,
	STATUS_NO_SERVER = 3,           /* no server answers */
};

struct workload;

struct options {                /* strings are borrowed from argv */
	enum action action;
	const struct workload *workload;
	const char *address_text;
	struct addr address;
	/* -1 = not given, filled in from the workload's own value */
	int64_t connections, depth, size_bytes, timeout_ms;
	int64_t requests;               /* 0 = no such end */
	int64_t duration_ms, warmup_ms;
	int64_t rate;                   /* 0 = as fast as answers come */
	enum talk_expect expect;
	const char *greeting, *line, *reply;    /* NULL = not given */
	bool is_silent, is_without_probe, is_json;
	int64_t pid;                    /* 0 = not given */
	const char *cgroup;
	int64_t cpu;                    /* -1 = wherever the system likes */
	const char *document;           /* --print */
};

extern const struct option_row options_table[]; /* ends with name NULL */

/* 0, or -EINVAL with a sentence for a usage error. */
int options_parse(struct options *options, int argc, char **argv,
    struct err *err);
void options_usage(FILE *out);

#endif
