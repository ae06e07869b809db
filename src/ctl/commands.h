/* SPDX-License-Identifier: ISC */
#ifndef CTL_COMMANDS_H
#define CTL_COMMANDS_H

#include <jansson.h>

#include "base/err.h"
#include "control/wire.h"
#include "ctl/options.h"

/*
 * What each command does here: asks the daemon, prints what it says, and
 * returns what to exit with. behaviours[] has a row for each of commands[].
 */
enum wire_code command_run(const struct options *options);

/* One question of a command that is done here: the result out of the answer,
 * owned by the caller. Prints nothing. */
enum wire_code command_result(const struct options *options,
    enum command command, json_t **result, struct err *err);

#endif
