/* SPDX-License-Identifier: ISC */
#ifndef CTL_OUTPUT_H
#define CTL_OUTPUT_H

#include <stdbool.h>

#include "base/buf.h"
#include "control/wire.h"

/*
 * Standard output and standard error. A closed pipe is an error like a full
 * disk: SIGPIPE is ignored (main).
 */

/* A terminal that may be given colours: no NO_COLOR, not dumb. */
bool output_has_colour(void);
bool output_is_terminal(void);
/* Written whole and flushed. WIRE_OK, or WIRE_NO: the complaint is printed. */
enum wire_code output_write(const struct buf *out);
/* "socketserverctl: SENTENCE", cleaned. */
void complain(const char *sentence);
/* A line of the daemon's on standard error, cleaned. */
void complain_line(const char *line);

#endif
