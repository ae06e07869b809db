/* SPDX-License-Identifier: ISC */
#ifndef HANDLER_OPTIONS_ROW_H
#define HANDLER_OPTIONS_ROW_H

#include <stdbool.h>
#include <stddef.h>

#include "abi/socketserver.h"
#include "base/buf.h"

/* The rows of a handler's table of options, for options.c alone. A table may
 * be NULL: no rows. */
size_t option_rows(const struct ss_option *table);
/* NULL: no such row. */
const struct ss_option *option_find(const struct ss_option *table,
    const char *name);
bool option_is_choice(const char *choices, const char *text);
bool option_is_within(double x, double min, double max);       /* NaN: no */
/* "a whole number from 1 to 5": what the file may hold. */
void option_put_allowed(struct buf *out, const struct ss_option *row);

#endif
