/* SPDX-License-Identifier: ISC */
#ifndef HANDLER_OPTIONS_H
#define HANDLER_OPTIONS_H

#include "abi/socketserver.h"
#include "base/arena.h"
#include "conf/fault.h"
#include "conf/value.h"

/*
 * A listener's `options` against the table that its handler declares: strict
 * types, ranges, choices, required strings, "did you mean"; then the values in
 * force, defaults filled in, for ss_option_*() and ss_group_*().
 */
struct options;

/* given may be NULL. Every fault is added under the path "options.NAME" (a
 * fault of a missing option at file:line). NULL when there were faults; out of
 * memory is one of them. */
struct options *options_new(struct arena *arena, const struct ss_option *table,
    const struct value *given, const struct ss_api *api, const char *file,
    unsigned line, const char *listener, struct faults *faults);
const char *options_string(const struct options *options, const char *name);
int64_t options_int(const struct options *options, const char *name);
bool options_bool(const struct options *options, const char *name);
double options_seconds(const struct options *options, const char *name);
size_t options_groups(const struct options *options, const char *name);
const ss_group *options_group(const struct options *options, const char *name,
    size_t i);
const struct options *options_of_group(const ss_group *group);
/* A handler that declares a broken table (no name, unknown type, a default
 * out of its range) is refused: a sentence, or NULL when it is sound. */
const char *options_table_check(const struct ss_option *table);

#endif
