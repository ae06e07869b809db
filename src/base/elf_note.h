/* SPDX-License-Identifier: ISC */
#ifndef BASE_ELF_NOTE_H
#define BASE_ELF_NOTE_H

#include <stddef.h>
#include <stdint.h>

/*
 * Notes of an ELF file (elf(5), "Notes (Nhdr)") in the class and byte order of
 * this program. Reads memory only and trusts no length in it; a file of another
 * machine has no notes. Any process and thread may call.
 */
/* In the bytes of one PT_NOTE segment: what the first note of that owner and
 * type holds, and its length; NULL = there is none. */
const unsigned char *elf_note_in(const unsigned char *notes, size_t size,
    const char *owner, uint32_t type, size_t *len);
/* In a file, of which data is at least the beginning: segments that are not
 * whole in it are passed over. */
const unsigned char *elf_note_find(const void *data, size_t size,
    const char *owner, uint32_t type, size_t *len);

#endif
