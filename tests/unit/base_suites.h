/* SPDX-License-Identifier: ISC */
#ifndef UNIT_BASE_SUITES_H
#define UNIT_BASE_SUITES_H

#include <check.h>

/*
 * The suites of layer 1, one a file base_NAME.c. Check runs every test in a
 * forked child, so a test may change its descriptors, signals and log.
 */
Suite *memory_suite(void);      /* err, arena, buf, clock, digits, exit, utf8 */
Suite *option_suite(void);
Suite *fd_suite(void);
Suite *addr_suite(void);
Suite *acl_suite(void);
Suite *stats_suite(void);
Suite *totals_suite(void);
Suite *channel_suite(void);
Suite *sig_suite(void);
Suite *loop_suite(void);
Suite *record_suite(void);
Suite *gather_suite(void);
Suite *seat_suite(void);
Suite *log_suite(void);

#endif
