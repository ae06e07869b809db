/* SPDX-License-Identifier: ISC */
#include "base/elf_note.h"

#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <string.h>

#define NATIVE_CLASS (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32)
#define NATIVE_DATA                                                           \
	(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB)

static uint64_t
padded(uint32_t size)
{
	return ((uint64_t)size + 3) & ~3ULL;
}

const unsigned char *
elf_note_in(const unsigned char *notes, size_t size, const char *owner,
    uint32_t type, size_t *len)
{
	size_t owner_size = strlen(owner) + 1;
	uint64_t at = 0;

	while (size - at >= sizeof(ElfW(Nhdr))) {
		ElfW(Nhdr) nh;
		uint64_t name = at + sizeof(nh), desc, next;

		memcpy(&nh, notes + at, sizeof(nh));
		desc = name + padded(nh.n_namesz);
		next = desc + padded(nh.n_descsz);
		if (next > size)
			return NULL;
		if (nh.n_type == type && nh.n_namesz == owner_size &&
		    memcmp(notes + name, owner, owner_size) == 0) {
			*len = nh.n_descsz;
			return notes + desc;
		}
		at = next;
	}
	return NULL;
}

static bool
holds(size_t size, uint64_t offset, uint64_t len)
{
	return offset <= size && len <= size - offset;
}

/* Its program headers are all in data. */
static bool
take_header(const void *data, size_t size, ElfW(Ehdr) *eh)
{
	if (size < sizeof(*eh))
		return false;
	memcpy(eh, data, sizeof(*eh));
	return memcmp(eh->e_ident, ELFMAG, SELFMAG) == 0 &&
	    eh->e_ident[EI_CLASS] == NATIVE_CLASS &&
	    eh->e_ident[EI_DATA] == NATIVE_DATA &&
	    eh->e_phentsize == sizeof(ElfW(Phdr)) && holds(size, eh->e_phoff,
	    (uint64_t)eh->e_phnum * sizeof(ElfW(Phdr)));
}

const unsigned char *
elf_note_find(const void *data, size_t size, const char *owner, uint32_t type,
    size_t *len)
{
	const unsigned char *bytes = data, *found = NULL;
	ElfW(Ehdr) eh;

	if (!take_header(data, size, &eh))
		return NULL;
	for (unsigned i = 0; i < eh.e_phnum && !found; i++) {
		ElfW(Phdr) ph;

		memcpy(&ph, bytes + eh.e_phoff + i * sizeof(ph), sizeof(ph));
		if (ph.p_type == PT_NOTE &&
		    holds(size, ph.p_offset, ph.p_filesz))
			found = elf_note_in(bytes + ph.p_offset, ph.p_filesz,
			    owner, type, len);
	}
	return found;
}
