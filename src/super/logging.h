/* SPDX-License-Identifier: ISC */
#ifndef SUPER_LOGGING_H
#define SUPER_LOGGING_H

#include <stdbool.h>

#include "base/err.h"
#include "base/log.h"

struct super;

/*
 * Where the daemon logs and what: at the start, when a reload changed it, when
 * a file is opened again. Services write to the same descriptor and follow.
 */
/* At the start. 0 or -errno. */
int logging_open(struct super *super, struct err *err);
/* In a program that has taken over: where and as the one before it did. */
void logging_resume(struct super *super);
/* What the configuration in force says now, if that is something else. */
void logging_apply(struct super *super);
/* Do all services log as they were told last? */
bool logging_is_followed(const struct super *super);
/* Until the next reload. */
void logging_set_level(struct super *super, enum log_level level);
/* The signal USR1: a file that was rotated. */
void logging_reopen(struct super *super);

#endif
