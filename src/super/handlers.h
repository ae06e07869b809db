/* SPDX-License-Identifier: ISC */
#ifndef SUPER_HANDLERS_H
#define SUPER_HANDLERS_H

#include "base/exit.h"
#include "conf/config.h"
#include "super/spawn.h"

/*
 * -L: what a probe says of every shared object on the module path. config
 * NULL: the default path.
 */
enum exit_code handlers_list(const struct program *program,
    const struct config *config);

#endif
