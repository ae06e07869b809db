/* SPDX-License-Identifier: ISC */
#ifndef SUPER_LOAD_H
#define SUPER_LOAD_H

#include "base/buf.h"
#include "base/exit.h"
#include "conf/config.h"
#include "super/options.h"
#include "super/spawn.h"

/*
 * The configuration that the command line names, read and checked whole: by a
 * short-lived child, then by the probe that loads its handlers. This waits, for
 * many seconds if it must: at a start, and in the process of a loader.
 *
 * Faults are appended to a buf, a line each; a line at least whenever the
 * result is not EXIT_OK.
 */
#define LOAD_FAULTS_MAX (2 * 1024 * 1024)

/* EXIT_OK and *config is the caller's; else NULL. Handlers not looked at. */
enum exit_code load_config(const struct options *options,
    struct config **config, struct buf *faults);
/* The same, and its handlers and their options. */
enum exit_code load_checked(const struct options *options,
    const struct program *program, struct config **config,
    struct buf *faults);
/* To standard error, and free them. */
void load_print_faults(struct buf *faults);

#endif
