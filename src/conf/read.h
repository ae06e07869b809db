/* SPDX-License-Identifier: ISC */
#ifndef CONF_READ_H
#define CONF_READ_H

#include "conf/config.h"
#include "conf/fault.h"

/*
 * From files to a struct config. config_load() is what the supervisor calls:
 * it reads, checks and resolves in a short-lived child with limits, so that
 * nothing a file holds (libconfig can exit, leak and take quadratic time) is a
 * risk to the caller, and decodes the flat text that the child answers with.
 */
enum config_result { CONFIG_OK, CONFIG_FAULTS, CONFIG_NO_FILE, CONFIG_SYSTEM };

/* Any result but CONFIG_OK: the faults say why, one line at least. *config is
 * owned by the caller: all of it on CONFIG_OK; on CONFIG_FAULTS, for looking at
 * their handlers, the listeners that can be told apart from the faulty ones, or
 * NULL; else NULL. */
enum config_result config_load(const char *path, struct config **config,
    struct faults *faults);

/* One listener without a file (-r): the same rows and checks, through a text
 * made of the arguments. options: "NAME=VALUE" strings. */
enum config_result config_run(const char *address, const char *handler,
    const char *model, char **options, size_t option_count,
    struct config **config, struct faults *faults);

#endif
