/* SPDX-License-Identifier: ISC */
#ifndef UNIT_SUPER_SUITES_H
#define UNIT_SUPER_SUITES_H

#include <check.h>

/*
 * The suites of the supervisor, one a file super_NAME.c. Those that start
 * processes start tests/fixtures/fake_service.
 */
Suite *options_suite(void);
Suite *backoff_suite(void);
Suite *bound_suite(void);
Suite *crash_suite(void);
Suite *drops_suite(void);
Suite *files_suite(void);       /* pid file, address file */
Suite *daemonize_suite(void);
Suite *store_suite(void);
Suite *notify_suite(void);
Suite *spawn_suite(void);
Suite *state_suite(void);
Suite *generation_suite(void);
Suite *control_suite(void);
Suite *loader_suite(void);

/* Its path; absolute when the test environment is set. */
const char *fake_service_path(void);

#endif
