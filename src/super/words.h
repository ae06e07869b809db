/* SPDX-License-Identifier: ISC */
#ifndef SUPER_WORDS_H
#define SUPER_WORDS_H

#include <stddef.h>

#include "control/wire.h"

/*
 * A request of the control socket, cut into its words. Pure.
 *
 * line: len bytes, and one more that is overwritten. The number of words, which
 * point into line, at least 1; or -EINVAL with *fault, a sentence.
 */
int words_split(char *line, size_t len, const char *words[WIRE_WORDS_MAX],
    const char **fault);

#endif
