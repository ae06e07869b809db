/* SPDX-License-Identifier: ISC */
/* What a handler's file holds, in few words. */
#include <elf.h>
#include <errno.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/elf_note.h"
#include "conf/digest.h"
#include "conf_suites.h"
#include "conf_tools.h"

#if __SIZEOF_POINTER__ == 8
#define NATIVE ELFCLASS64
#else
#define NATIVE ELFCLASS32
#endif

struct note {
	uint32_t namesz, descsz, type;
	char name[4];
	unsigned char desc[8];
};

/* The least file that has notes: another one, then the build's. */
struct object {
	ElfW(Ehdr) eh;
	ElfW(Phdr) ph[2];
	struct note notes[2];
};

static struct object
object_make(void)
{
	struct object o;

	memset(&o, 0, sizeof(o));
	memcpy(o.eh.e_ident, ELFMAG, SELFMAG);
	o.eh.e_ident[EI_CLASS] = NATIVE;
	o.eh.e_ident[EI_DATA] = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ?
	    ELFDATA2LSB : ELFDATA2MSB;
	o.eh.e_phoff = offsetof(struct object, ph);
	o.eh.e_phentsize = sizeof(ElfW(Phdr));
	o.eh.e_phnum = 2;
	o.ph[0].p_type = PT_LOAD;
	o.ph[1] = (ElfW(Phdr)){ .p_type = PT_NOTE,
		.p_offset = offsetof(struct object, notes),
		.p_filesz = sizeof(o.notes) };
	o.notes[0] = (struct note){ 4, 8, 1, "GNU", "" };
	o.notes[1] = (struct note){ 4, 6, NT_GNU_BUILD_ID, "GNU",
		{ 0x01, 0x23, 0x45, 0xab, 0xcd, 0xef } };
	return o;
}

static void
must_write_bytes(const char *file, const void *data, size_t len)
{
	FILE *f = fopen(file, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(data, 1, len, f), len);
	ck_assert_int_eq(fclose(f), 0);
}

/* The values are those of the authors' test suite for FNV-1a. */
START_TEST(a_digest_is_the_size_and_the_known_hash)
{
	struct digest digest;

	must_write("f", "");
	ck_assert_int_eq(digest_file("f", 100, &digest), 0);
	ck_assert_str_eq(digest.text, "0-cbf29ce484222325");
	must_write("f", "foobar");
	ck_assert_int_eq(digest_file("f", 100, &digest), 0);
	ck_assert_str_eq(digest.text, "6-85944171f73967e8");
	ck_assert_str_eq(digest.build_id, "");
}
END_TEST

START_TEST(every_byte_of_a_long_file_counts)
{
	static const size_t places[] = { 0, 65535, 65536, 199999 };
	size_t size = 200000;
	char *data = calloc(1, size);
	struct digest first, other;

	must_write_bytes("f", data, size);
	ck_assert_int_eq(digest_file("f", size, &first), 0);
	for (size_t i = 0; i < 4; i++) {
		data[places[i]] = 1;
		must_write_bytes("f", data, size);
		ck_assert_int_eq(digest_file("f", size, &other), 0);
		ck_assert_str_ne(first.text, other.text);
		data[places[i]] = 0;
	}
	free(data);
}
END_TEST

START_TEST(what_is_no_file_or_too_long_has_no_digest)
{
	struct digest digest;

	must_write("f", "12345");
	ck_assert_int_eq(digest_file("f", 5, &digest), 0);
	ck_assert_int_eq(digest_file("f", 4, &digest), -EFBIG);
	ck_assert_str_eq(digest.text, "");
	ck_assert_int_eq(digest_file("none", 4, &digest), -ENOENT);
	ck_assert_int_eq(digest_file(".", 4, &digest), -EINVAL);
	ck_assert_int_eq(mkfifo("fifo", 0600), 0);
	ck_assert_int_eq(digest_file("fifo", 4, &digest), -EINVAL);
}
END_TEST

START_TEST(the_build_id_is_found_behind_other_notes)
{
	struct object o = object_make();
	struct digest digest;

	must_write_bytes("f", &o, sizeof(o));
	ck_assert_int_eq(digest_file("f", sizeof(o), &digest), 0);
	ck_assert_str_eq(digest.build_id, "012345abcdef");
	o.notes[1].name[0] = 'X';
	must_write_bytes("f", &o, sizeof(o));
	ck_assert_int_eq(digest_file("f", sizeof(o), &digest), 0);
	ck_assert_str_eq(digest.build_id, "");
}
END_TEST

static const unsigned char *
find(const void *data, size_t size)
{
	size_t len;

	return elf_note_find(data, size, "GNU", NT_GNU_BUILD_ID, &len);
}

START_TEST(a_cut_object_is_not_read_past_its_end)
{
	struct object o = object_make();

	ck_assert_ptr_nonnull(find(&o, sizeof(o)));
	for (size_t size = 0; size < sizeof(o); size++) {
		/* exact: a tool sees a read past it */
		unsigned char *cut = malloc(size + 1);

		memcpy(cut, &o, size);
		ck_assert_ptr_null(find(cut, size));
		free(cut);
	}
}
END_TEST

START_TEST(every_byte_of_an_object_may_be_anything)
{
	static const unsigned char extremes[] = { 0, 1, 0x7f, 0x80, 0xff };
	struct object o = object_make();

	for (size_t at = 0; at < sizeof(o); at++)
		for (size_t i = 0; i < sizeof(extremes); i++) {
			struct object bad = o;
			unsigned char *bytes = (unsigned char *)&bad;
			const unsigned char *found;

			bytes[at] = extremes[i];
			found = find(bytes, sizeof(bad));
			ck_assert(!found || (found >= bytes &&
			    found <= bytes + sizeof(bad)));
		}
}
END_TEST

START_TEST(listeners_of_one_handler_share_its_digest)
{
	struct object o = object_make();
	struct config *config;

	must_write_bytes("h/echo.so", &o, sizeof(o));
	must_write_conf("main.conf", "listeners = ( { name = \"a\"; "
	    "listen = \"tcp://127.0.0.1:0\"; handler = \"echo\"; },\n"
	    "{ name = \"b\"; listen = \"tcp://127.0.0.1:0\"; "
	    "handler = \"h/echo.so\"; },\n { name = \"c\"; enabled = false; "
	    "listen = \"tcp://127.0.0.1:0\"; handler = \"echo\"; } );\n");
	config = must_load("main.conf");
	for (size_t i = 0; i < 2; i++) {
		ck_assert_str_eq(config->listeners[i].handler_build_id,
		    "012345abcdef");
		ck_assert_ptr_nonnull(strchr(
		    config->listeners[i].handler_digest, '-'));
		ck_assert_str_eq(config->listeners[i].handler_digest,
		    config->listeners[0].handler_digest);
	}
	ck_assert_str_eq(config->listeners[2].handler_digest, "");
	config_free(&config);
}
END_TEST

Suite *
digest_suite(void)
{
	Suite *suite = suite_create("conf digest");
	TCase *tc = tcase_create("files");

	tcase_add_checked_fixture(tc, place_begin, place_end);
	tcase_add_test(tc, a_digest_is_the_size_and_the_known_hash);
	tcase_add_test(tc, every_byte_of_a_long_file_counts);
	tcase_add_test(tc, what_is_no_file_or_too_long_has_no_digest);
	tcase_add_test(tc, the_build_id_is_found_behind_other_notes);
	tcase_add_test(tc, a_cut_object_is_not_read_past_its_end);
	tcase_add_test(tc, every_byte_of_an_object_may_be_anything);
	tcase_add_test(tc, listeners_of_one_handler_share_its_digest);
	suite_add_tcase(suite, tc);
	return suite;
}
