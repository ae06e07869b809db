/* SPDX-License-Identifier: ISC */
#ifndef SUPER_TELL_H
#define SUPER_TELL_H

#include "base/err.h"
#include "base/exit.h"

struct super;

/*
 * Saying what is wrong: to the log, and until the daemon serves also to the
 * person who started it, who may not see the log.
 */
/* listener NULL: it concerns none. */
void super_tell_starter(const struct super *super, const char *listener,
    const char *text);
void super_complain(const struct super *super, const char *listener,
    const char *text);
/* Complain; EXIT_SYSTEM. */
enum exit_code super_fail(const struct super *super, const struct err *err);

#endif
