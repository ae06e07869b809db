/* SPDX-License-Identifier: ISC */
#ifndef UNIT_CTL_SUITES_H
#define UNIT_CTL_SUITES_H

#include <check.h>

/* The suites of socketserverctl, one a file ctl_NAME.c. */
Suite *ctl_text_suite(void);
Suite *ctl_options_suite(void);
Suite *ctl_view_suite(void);

#endif
