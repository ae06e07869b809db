/* SPDX-License-Identifier: ISC */
#ifndef CONF_DOC_H
#define CONF_DOC_H

#include <stdio.h>

#include "conf/config.h"

/*
 * What is printed from the rows: the configuration in force (-T), the
 * reference (-H), the reference part of socketserverd.conf(5) and the
 * commented example file.
 */
int config_dump(FILE *out, const struct config *config);        /* loads again as it is */
/* key NULL: every row. -ENOENT: no such key, *near is the nearest or NULL. */
int config_help(FILE *out, const char *key, const char **near);
int config_print_mdoc(FILE *out);
int config_print_example(FILE *out);

#endif
