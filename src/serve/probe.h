/* SPDX-License-Identifier: ISC */
#ifndef SERVE_PROBE_H
#define SERVE_PROBE_H

#include "base/exit.h"
#include "net/inherit.h"

/*
 * Looking at handlers without serving: throw-away processes without
 * privileges, so that a constructor that crashes, hangs or worse harms nobody
 * and is reported.
 */

/* The configuration comes as "config"; each enabled listener's handler is
 * loaded and its options are checked in a child of its own; fault lines go to
 * "report". EXIT_OK or EXIT_CONFIG. */
enum exit_code probe_check(struct inherit *inherit);
/* A line for each file on standard output: name, version, kinds, summary,
 * file, separated by tabs; faults on standard error. */
enum exit_code probe_describe(char **files);

#endif
