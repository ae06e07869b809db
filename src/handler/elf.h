/* SPDX-License-Identifier: ISC */
#ifndef HANDLER_ELF_H
#define HANDLER_ELF_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/*
 * A look at a shared object's bytes before the dynamic linker sees them: glibc
 * dies of SIGBUS on a truncated object, calls a foreign architecture "no such
 * file", and runs constructors before anything can be checked. Reads memory
 * only; trusts no length in it.
 */

/* 0 and the ABI word of the object's note, or -ENOEXEC with a sentence. */
int elf_check(const void *data, size_t size, uint32_t *abi, struct err *err);

#endif
