/* SPDX-License-Identifier: ISC */
#ifndef BENCH_DOCUMENT_H
#define BENCH_DOCUMENT_H

#include <stdio.h>

/* What the build prints: the lists of the manual page and the completion for
 * bash and zsh. 0, or -ENOENT. */
int document_print(FILE *out, const char *name);

#endif
