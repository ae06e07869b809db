/* SPDX-License-Identifier: ISC */
#ifndef CONF_PARSE_H
#define CONF_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "conf/fault.h"
#include "conf/value.h"

/*
 * One document, a file with what it includes, as a tree of values. The only
 * place that knows libconfig. It may exit or take long on a text made to harm
 * it: in the reading child only.
 */
/* The file's group of settings, or NULL with *is_short_of_memory or faults. A
 * tree can come with faults too: what could be read round them. */
struct value *parse_document(struct arena *arena, const char *file,
    const char *text, size_t len, const struct stat *st, const char *directory,
    struct faults *faults, bool *is_short_of_memory);
/* What the pass before libconfig found about a value, for its reader to report
 * (lex.h); NULL = nothing. */
const char *value_fault(const struct value *value);
/* The name that a setting given twice had; NULL = it is the first. */
const char *value_duplicate_of(const struct value *value);

#endif
