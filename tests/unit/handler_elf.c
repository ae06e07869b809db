/* SPDX-License-Identifier: ISC */
/* What the look at a handler's bytes accepts, refuses and survives. The object
 * looked at is made here, in memory, so that every byte is known. */
#include <check.h>
#include <elf.h>
#include <errno.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>

#include "abi/socketserver.h"
#include "handler/elf.h"
#include "handler_suites.h"

#if __SIZEOF_POINTER__ == 8
#define NATIVE ELFCLASS64
#else
#define NATIVE ELFCLASS32
#endif

struct object {
	ElfW(Ehdr) eh;
	ElfW(Phdr) ph[3];               /* LOAD, NOTE, GNU_STACK */
	struct ss_note note;
};

static unsigned
own_machine_code(void)
{
#if defined(__x86_64__)
	return EM_X86_64;
#elif defined(__aarch64__)
	return EM_AARCH64;
#elif defined(__i386__)
	return EM_386;
#elif defined(__riscv)
	return EM_RISCV;
#else
	return EM_NONE;
#endif
}

static struct object
object_make(void)
{
	struct object o;

	memset(&o, 0, sizeof(o));
	memcpy(o.eh.e_ident, ELFMAG, SELFMAG);
	o.eh.e_ident[EI_CLASS] = NATIVE;
	o.eh.e_ident[EI_DATA] =
	    __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB;
	o.eh.e_type = ET_DYN;
	o.eh.e_machine = (ElfW(Half))own_machine_code();
	o.eh.e_phoff = offsetof(struct object, ph);
	o.eh.e_phentsize = sizeof(ElfW(Phdr));
	o.eh.e_phnum = 3;
	o.ph[0] = (ElfW(Phdr)){ .p_type = PT_LOAD, .p_filesz = sizeof(o) };
	o.ph[1] = (ElfW(Phdr)){ .p_type = PT_NOTE,
		.p_offset = offsetof(struct object, note),
		.p_filesz = sizeof(o.note) };
	o.ph[2] = (ElfW(Phdr)){ .p_type = PT_GNU_STACK,
		.p_flags = PF_R | PF_W };
	o.note = (struct ss_note){ 14, 4, 1, "socketserverd", SS_ABI };
	return o;
}

static void
expect_refused(const struct object *o, const char *what)
{
	struct err err = { "" };
	uint32_t abi;

	ck_assert_int_eq(elf_check(o, sizeof(*o), &abi, &err), -ENOEXEC);
	ck_assert_msg(strstr(err.text, what) != NULL, "%s", err.text);
}

START_TEST(a_sound_object_is_accepted_with_its_abi)
{
	struct object o = object_make();
	struct err err;
	uint32_t abi;

	ck_assert_int_eq(elf_check(&o, sizeof(o), &abi, &err), 0);
	ck_assert_uint_eq(abi, SS_ABI);
}
END_TEST

START_TEST(another_machine_is_named)
{
	struct object o = object_make();

	o.eh.e_machine = own_machine_code() == EM_S390 ? EM_MIPS : EM_S390;
	expect_refused(&o, "is built for s390");
}
END_TEST

START_TEST(an_object_without_the_note_is_no_handler)
{
	struct object o = object_make();

	o.note.name[0] = 'S';
	expect_refused(&o, "is not a socketserverd handler");
}
END_TEST

START_TEST(another_abi_is_refused_with_both_versions)
{
	struct object o = object_make();

	o.note.abi = 7 << 16;
	expect_refused(&o, "is built for handler ABI 7.0; this daemon has 1.0");
}
END_TEST

START_TEST(a_newer_minor_abi_is_accepted)
{
	struct object o = object_make();
	uint32_t abi;

	o.note.abi = SS_ABI + 1;
	ck_assert_int_eq(elf_check(&o, sizeof(o), &abi, NULL), 0);
}
END_TEST

START_TEST(an_executable_stack_is_refused)
{
	struct object o = object_make();

	o.ph[2].p_flags |= PF_X;
	expect_refused(&o, "executable stack");
}
END_TEST

START_TEST(a_program_is_not_a_shared_object)
{
	struct object o = object_make();

	o.eh.e_type = ET_REL;
	expect_refused(&o, "not a shared object");
}
END_TEST

START_TEST(every_truncation_is_refused_without_reading_past_the_end)
{
	struct object o = object_make();
	uint32_t abi;

	for (size_t size = 0; size < sizeof(o); size++) {
		unsigned char *copy = malloc(size + 1);
		ck_assert_ptr_nonnull(copy);
		memcpy(copy, &o, size);
		ck_assert_int_eq(elf_check(copy, size, &abi, NULL), -ENOEXEC);
		free(copy);
	}
}
END_TEST

START_TEST(every_byte_may_be_anything)
{
	struct object o = object_make();
	static const unsigned char extremes[] = { 0, 1, 0x7f, 0x80, 0xff };
	uint32_t abi;

	for (size_t at = 0; at < sizeof(o); at++)
		for (size_t i = 0; i < sizeof(extremes); i++) {
			struct object bad = o;
			((unsigned char *)&bad)[at] = extremes[i];
			int r = elf_check(&bad, sizeof(bad), &abi, NULL);
			ck_assert(r == 0 || r == -ENOEXEC);
		}
}
END_TEST

Suite *
elf_suite(void)
{
	Suite *suite = suite_create("elf");
	TCase *tc = tcase_create("elf");

	tcase_add_test(tc, a_sound_object_is_accepted_with_its_abi);
	tcase_add_test(tc, another_machine_is_named);
	tcase_add_test(tc, an_object_without_the_note_is_no_handler);
	tcase_add_test(tc, another_abi_is_refused_with_both_versions);
	tcase_add_test(tc, a_newer_minor_abi_is_accepted);
	tcase_add_test(tc, an_executable_stack_is_refused);
	tcase_add_test(tc, a_program_is_not_a_shared_object);
	tcase_add_test(tc,
	    every_truncation_is_refused_without_reading_past_the_end);
	tcase_add_test(tc, every_byte_may_be_anything);
	suite_add_tcase(suite, tc);
	return suite;
}
