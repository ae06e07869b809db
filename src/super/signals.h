/* SPDX-License-Identifier: ISC */
#ifndef SUPER_SIGNALS_H
#define SUPER_SIGNALS_H

#include "base/err.h"

struct super;

/*
 * Signals reach the supervisor in its loop, through a signalfd; signals[] says
 * what each does.
 */
int signals_open(struct super *super, struct err *err);
void signals_close(struct super *super);

#endif
