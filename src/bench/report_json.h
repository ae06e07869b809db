/* SPDX-License-Identifier: ISC */
#ifndef BENCH_REPORT_JSON_H
#define BENCH_REPORT_JSON_H

struct run;

/* One object on one line. */
void report_print_json(const struct run *run);

#endif
