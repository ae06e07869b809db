/* SPDX-License-Identifier: ISC */
#ifndef UNIT_MODEL_SUITES_H
#define UNIT_MODEL_SUITES_H

#include <check.h>

Suite *context_suite(void);
Suite *stack_suite(void);

#endif
