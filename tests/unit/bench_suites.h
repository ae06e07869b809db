/* SPDX-License-Identifier: ISC */
#ifndef UNIT_BENCH_SUITES_H
#define UNIT_BENCH_SUITES_H

#include <check.h>

/* The suites of socketserver-bench, one a file bench_NAME.c. */
Suite *bench_hist_suite(void);
Suite *bench_talk_suite(void);
Suite *bench_options_suite(void);
Suite *bench_figures_suite(void);

#endif
