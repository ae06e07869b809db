/* SPDX-License-Identifier: ISC */
#ifndef UNIT_SERVE_SUITES_H
#define UNIT_SERVE_SUITES_H

#include <check.h>

Suite *backlog_suite(void);
Suite *linger_suite(void);
Suite *lobby_suite(void);
Suite *service_suite(void);

#endif
