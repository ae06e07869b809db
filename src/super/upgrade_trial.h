/* SPDX-License-Identifier: ISC */
#ifndef SUPER_UPGRADE_TRIAL_H
#define SUPER_UPGRADE_TRIAL_H

#include <stdbool.h>

#include "base/err.h"
#include "super/state.h"

struct super;

/*
 * What upgrade.c and upgrade_trial.c know of each other; nobody else includes
 * this.
 */
#define UPGRADE_YES "can take over: "   /* and the version */

/* upgrade_trial.c: try super->upgrade.program. It ends in one call of
 * upgrade_exec() or upgrade_fail(). 0, or -errno when nothing was begun. */
int trial_begin(struct super *super, struct err *err);

/* upgrade.c */
/* The descriptor of the state, to be closed; or -errno. The descriptors that
 * stand in it are in state->fds, which is the caller's to free. */
int upgrade_write_state(struct super *super, struct state *state,
    struct err *err);
void state_set_inherited(const struct state *state, bool on);
/* Does not return, but for a failure. */
void upgrade_exec_program(int fd, const char *path, char **argv);
/* The program that was tried is good: become it. */
void upgrade_exec(struct super *super);
/* Stop waiting for the trial. */
void upgrade_forget(struct super *super);
/* This program goes on; whoever asked is told why. */
void upgrade_fail(struct super *super, const char *why);

#endif
