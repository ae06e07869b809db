/* SPDX-License-Identifier: ISC */
#ifndef SUPER_REQUESTS_H
#define SUPER_REQUESTS_H

#include "super/control.h"

struct super;

/*
 * The commands that are about requests, for the table of command.c. What is
 * told of them stands in memory that the services write to: it is checked when
 * it is read, and shown, nothing else.
 */
void requests_list(struct super *super, const struct control_request *request);
void requests_kill(struct super *super, const struct control_request *request);

#endif
