/* SPDX-License-Identifier: ISC */
#ifndef SUPER_CARRY_H
#define SUPER_CARRY_H

#include "super/state.h"

struct super;

/*
 * All that a supervisor is, for the program that goes on with it: one function
 * for each struct, which writes its fields or reads them. Descriptors go by
 * their numbers, times by the clock that all processes share.
 *
 * Reading makes everything that is pointed to, starts watches and timers in
 * super->loop, and touches nothing outside this process but what it has in
 * common with others (it writes to none of that); so it can be tried. What was
 * made before a failure is left: the process ends, or becomes another program.
 * Supervisor only.
 */
#define CARRY_FORMAT 2          /* another meaning of any line: count up */

/* super: serving, and no reload runs; or, to read, initialised, with a loop and
 * the service program. Ends in state_end(). */
void carry_super(struct state *state, struct super *super);

#endif
