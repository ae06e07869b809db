/* SPDX-License-Identifier: ISC */
#ifndef SUPER_CHANGE_H
#define SUPER_CHANGE_H

#include "super/control.h"

struct super;

/*
 * The commands that change what is served, for the table of command.c. Each
 * answers, or keeps the ticket and has the answer given when it is done.
 */
void change_plan(struct super *super, const struct control_request *request);
void change_reload(struct super *super, const struct control_request *request);
void change_confirm(struct super *super,
    const struct control_request *request);
void change_rollback(struct super *super,
    const struct control_request *request);
void change_start(struct super *super, const struct control_request *request);
void change_stop(struct super *super, const struct control_request *request);
void change_restart(struct super *super,
    const struct control_request *request);
void change_drain(struct super *super, const struct control_request *request);

/* What the reload did, or only planned; why NULL: all went well. */
void change_answer_reload(struct super *super, const char *why);

#endif
