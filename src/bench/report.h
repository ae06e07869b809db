/* SPDX-License-Identifier: ISC */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include "bench/run.h"

/* What a run has found, for people or as one JSON object. */

/* Figures that come from others; all 0 where there is nothing to divide by. */
struct figures {
	double seconds;
	double requests_per_second;
	double bytes_per_second;        /* both ways */
	double server_us, client_us;    /* processor time for a request */
	double client_share;            /* of one processor */
	double bytes_per_connection;    /* idle: of the server's memory */
};
void figures_make(struct figures *figures, const struct run *run);

#define REPORT_WARNINGS 4
/* Sentences about what makes the figures worth less; how many. */
int report_warnings(const struct run *run, char text[REPORT_WARNINGS][160]);

/* To standard output, whole. 0, or -EIO. */
int report_print(const struct run *run);
/* "socketserver-bench: SENTENCE" on standard error. */
void complain(const char *sentence);

#endif
