/* SPDX-License-Identifier: ISC */
#ifndef SUPER_COMMAND_H
#define SUPER_COMMAND_H

#include <jansson.h>
#include <stdint.h>

#include "control/wire.h"
#include "super/control.h"

struct listener;
struct super;

/*
 * What the commands of the control socket do: the table is at the end of
 * command.c. Supervisor only. A command that cannot answer at once keeps the
 * request's ticket and answers later, with one of the functions below.
 */
/* arg: the struct super. */
void command_run(void *arg, const struct control_request *request);

/* Takes result; NULL = out of memory. */
void command_answer(struct super *super, uint64_t ticket, json_t *result);
/* {"version", "pid"} of this program. */
void command_answer_version(struct super *super, uint64_t ticket);
/* A list that is not whole: so many are left out. */
void command_answer_cut(struct super *super, uint64_t ticket, json_t *result,
    json_int_t left_out);
void command_refuse(struct super *super, uint64_t ticket, enum wire_code code,
    const char *format, ...) __attribute__((format(printf, 4, 5)));
/* Code 1, with fault lines (NULL = none) and a result, which is taken (NULL =
 * none). */
void command_refuse_with(struct super *super, uint64_t ticket,
    const char *why, const char *faults, json_t *result);
/* The listener that the request's second word names; NULL: there is none, and
 * the client has been told. */
struct listener *command_listener(struct super *super,
    const struct control_request *request);

#endif
