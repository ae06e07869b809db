/* SPDX-License-Identifier: ISC */
#ifndef CTL_DOCUMENT_H
#define CTL_DOCUMENT_H

#include <stdio.h>

/*
 * What the build makes files from (--print NAME): parts of socketserverctl(1)
 * and the completion for bash and zsh, out of options_table[] and commands[].
 * 0, or -ENOENT: there is no such document.
 */
int document_print(FILE *out, const char *name);

#endif
