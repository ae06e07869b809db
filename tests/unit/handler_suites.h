/* SPDX-License-Identifier: ISC */
#ifndef UNIT_HANDLER_SUITES_H
#define UNIT_HANDLER_SUITES_H

#include <check.h>

Suite *elf_suite(void);
Suite *options_suite(void);
Suite *request_suite(void);

#endif
