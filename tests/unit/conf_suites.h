/* SPDX-License-Identifier: ISC */
#ifndef UNIT_CONF_SUITES_H
#define UNIT_CONF_SUITES_H

#include <check.h>

/* The suites of layer 2, one a file conf_NAME.c. */
Suite *rows_suite(void);        /* a walk over schema.c */
/* durations, sizes, "did you mean", fault lines */
Suite *number_suite(void);
Suite *lex_suite(void);
Suite *digest_suite(void);      /* what a file holds, in few words */
Suite *diff_suite(void);        /* what a reload has to do; walks schema.c */
Suite *flat_suite(void);
Suite *child_suite(void);
Suite *load_suite(void);        /* good files: defaults, conf.d, includes, -r */
/* bad files: a table of texts and their faults */
Suite *bad_suite(void);
Suite *doc_suite(void);         /* -T, -H, the manual page, the example */

#endif
