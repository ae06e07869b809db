/* SPDX-License-Identifier: ISC */
/*
 * The check of a handler's file before it is loaded: elf(5), in the class and
 * byte order of this program alone.
 */
#include "handler/elf.h"

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <stdbool.h>
#include <string.h>

#include "abi/socketserver.h"
#include "base/elf_note.h"

#define NATIVE_CLASS (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32)
#define NATIVE_DATA \
	(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB)

struct image {
	const unsigned char *data;
	size_t size;
};

static const struct machine {
	unsigned code;
	const char *name;
} machines[] = {
	{ EM_386, "x86 (32 bits)" },
	{ EM_X86_64, "x86-64" },
	{ EM_ARM, "arm" },
	{ EM_AARCH64, "aarch64" },
	{ EM_RISCV, "riscv" },
	{ EM_PPC64, "powerpc64" },
	{ EM_S390, "s390" },
	{ EM_MIPS, "mips" },
};

static const char *
machine_name(unsigned code)
{
	for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++)
		if (machines[i].code == code)
			return machines[i].name;
	return "another machine";
}

/* This program's own machine, read from its own header in memory. */
static int
own_machine(struct dl_phdr_info *info, size_t size, void *arg)
{
	unsigned *machine = arg;
	(void)size;
	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *ph = &info->dlpi_phdr[i];
		if (ph->p_type != PT_LOAD || ph->p_offset != 0)
			continue;
		const ElfW(Ehdr) *eh = (const void *)(info->dlpi_addr +
		    ph->p_vaddr);
		*machine = eh->e_machine;
		return 1;
	}
	return 0;
}

static bool
image_holds(const struct image *image, uint64_t offset, uint64_t len)
{
	return offset <= image->size && len <= image->size - offset;
}

static int
check_header(const struct image *image, ElfW(Ehdr) *eh, struct err *err)
{
	unsigned machine = EM_NONE;

	if (image->size < sizeof(*eh) ||
	    memcmp(image->data, ELFMAG, SELFMAG) != 0) {
		err_set(err, "is not a shared object; build it with cc -shared -fPIC");
		return -ENOEXEC;
	}
	memcpy(eh, image->data, sizeof(*eh));
	if (eh->e_ident[EI_CLASS] != NATIVE_CLASS ||
	    eh->e_ident[EI_DATA] != NATIVE_DATA) {
		err_set(err, "has the word size or byte order of another machine");
		return -ENOEXEC;
	}
	dl_iterate_phdr(own_machine, &machine);
	if (machine != EM_NONE && eh->e_machine != machine) {
		err_set(err, "is built for %s; this daemon needs %s",
		    machine_name(eh->e_machine), machine_name(machine));
		return -ENOEXEC;
	}
	if (eh->e_type != ET_DYN) {
		err_set(err, "is an ELF file but not a shared object; "
		    "link it with -shared");
		return -ENOEXEC;
	}
	if (eh->e_phentsize != sizeof(ElfW(Phdr)) || !image_holds(image,
	    eh->e_phoff, (uint64_t)eh->e_phnum * sizeof(ElfW(Phdr)))) {
		err_set(err, "is damaged: its program headers are not in the file");
		return -ENOEXEC;
	}
	return 0;
}

/* The ABI word of our note in a PT_NOTE segment, or 0. */
static uint32_t
find_abi(const struct image *image, uint64_t offset, uint64_t len)
{
	size_t desc_len = 0;
	const unsigned char *desc = elf_note_in(image->data + offset, len,
	    "socketserverd", 1, &desc_len);
	uint32_t abi = 0;

	if (desc != NULL && desc_len == sizeof(abi))
		memcpy(&abi, desc, sizeof(abi));
	return abi;
}

static int
check_segment(const struct image *image, const ElfW(Phdr) *ph, uint32_t *abi,
    struct err *err)
{
	bool is_used = ph->p_type == PT_LOAD || ph->p_type == PT_NOTE ||
	    ph->p_type == PT_DYNAMIC;

	if (is_used && !image_holds(image, ph->p_offset, ph->p_filesz)) {
		err_set(err, "is truncated; copy or build it again");
		return -ENOEXEC;
	}
	if (ph->p_type == PT_GNU_STACK && ph->p_flags & PF_X) {
		err_set(err, "asks for an executable stack; "
		    "link it with -z noexecstack");
		return -ENOEXEC;
	}
	if (ph->p_type == PT_NOTE && *abi == 0)
		*abi = find_abi(image, ph->p_offset, ph->p_filesz);
	return 0;
}

int
elf_check(const void *data, size_t size, uint32_t *abi, struct err *err)
{
	struct image image = { data, size };
	ElfW(Ehdr) eh;

	*abi = 0;
	int r = check_header(&image, &eh, err);
	for (unsigned i = 0; r == 0 && i < eh.e_phnum; i++) {
		ElfW(Phdr) ph;
		memcpy(&ph, image.data + eh.e_phoff + i * sizeof(ph),
		    sizeof(ph));
		r = check_segment(&image, &ph, abi, err);
	}
	if (r < 0)
		return r;
	if (*abi == 0) {
		err_set(err, "is not a socketserverd handler: it has no "
		    "SS_HANDLER() of <socketserver.h>");
		return -ENOEXEC;
	}
	if (*abi >> 16 != SS_ABI_MAJOR) {
		err_set(err, "is built for handler ABI %u.%u; this daemon has "
		    "%u.%u: build it again with this version's socketserver.h",
		    *abi >> 16, *abi & 0xffff, SS_ABI_MAJOR, SS_ABI_MINOR);
		return -ENOEXEC;
	}
	return 0;
}
