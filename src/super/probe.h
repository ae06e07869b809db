/* SPDX-License-Identifier: ISC */
#ifndef SUPER_PROBE_H
#define SUPER_PROBE_H

#include "base/buf.h"
#include "base/err.h"
#include "conf/config.h"
#include "super/spawn.h"

/*
 * What only a loaded handler can answer is asked in a throw-away process: the
 * supervisor never loads one. Each probe has a deadline and a bounded answer;
 * control bytes in the answer are replaced, since a handler's constructor may
 * have written it. The result is the probe's exit status (EXIT_OK,
 * EXIT_CONFIG), or EXIT_SYSTEM with *err when there is no answer.
 */
#define PROBE_DEADLINE_MS 15000

/* Fault lines, one a fault, into *report. */
int probe_check(const struct program *program, const struct config *config,
    struct buf *report, struct err *err);
/* A line `name version kinds summary file`, separated by tabs, for each
 * loadable file into *report; faults go to standard error at once. files ends
 * with NULL. */
int probe_describe(const struct program *program, const char *const *files,
    struct buf *report, struct err *err);

#endif
