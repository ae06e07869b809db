/* SPDX-License-Identifier: ISC */
#ifndef SUPER_START_H
#define SUPER_START_H

#include "base/exit.h"

struct super;

/*
 * From an empty supervisor to one whose listeners are bound and whose services
 * are being started. What was made is left for super_run() to undo, whatever
 * the result.
 */
enum exit_code super_start(struct super *super);

#endif
