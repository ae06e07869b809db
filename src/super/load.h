/* SPDX-License-Identifier: ISC */
#ifndef SUPER_LOAD_H
#define SUPER_LOAD_H

#include "base/exit.h"
#include "conf/config.h"
#include "super/options.h"
#include "super/spawn.h"

/*
 * The configuration that the command line names, read and checked whole: by a
 * short-lived child, then by the probe that loads its handlers. Faults are
 * printed on standard error.
 */
/* EXIT_OK and *config is the caller's; else NULL. Handlers not looked at. */
enum exit_code load_config(const struct options *options,
    struct config **config);
/* The same, and its handlers and their options. */
enum exit_code load_checked(const struct options *options,
    const struct program *program, struct config **config);

#endif
