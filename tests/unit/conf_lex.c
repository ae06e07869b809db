/* SPDX-License-Identifier: ISC */
/* What no table of texts can say: places, limits, bytes that are no text. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/lex.h"
#include "conf/parse.h"
#include "conf_suites.h"
#include "conf_tools.h"

static struct arena arena;
static struct faults faults;

static void
begin(void)
{
	place_begin();
	arena_init(&arena, 0);
	faults_init(&faults);
}

static void
end(void)
{
	faults_free(&faults);
	arena_free(&arena);
	place_end();
}

static struct value *
parse_bytes(const char *text, size_t len)
{
	bool is_short = false;
	struct value *root = parse_document(&arena, "t.conf", text, len, NULL,
	    place(), &faults, &is_short);

	ck_assert(!is_short);
	return root;
}

static struct value *
must_parse(const char *text)
{
	struct value *root = parse_bytes(text, strlen(text));

	ck_assert_msg(root && !faults.count, "%s", faults.text.data ?
	    faults.text.data : "");
	return root;
}

static void
must_refuse(const char *text, size_t len, const char *line)
{
	struct value *root = parse_bytes(text, len);

	ck_assert(!root || faults.count);
	ck_assert_str_eq(faults.text.data, line);
}

START_TEST(every_type_arrives)
{
	struct value *root = must_parse("a = true; b = -5 c : 1.5, d = \"x\" "
	    "\"y\\n\\x41\"; e = ( 1, \"two\", { f = 3L; } ); g = [ 0x10 ]; "
	    "h = { }; i = FALSE; j = .5; k = 1e3; l = +7; m = (); n-o_p = 1");
	const struct value *e;

	ck_assert_int_eq(value_find(root, "a")->integer, 1);
	ck_assert_int_eq(value_find(root, "b")->integer, -5);
	ck_assert_double_eq(value_find(root, "c")->real, 1.5);
	ck_assert_str_eq(value_find(root, "d")->string, "xy\nA");
	e = value_find(root, "e");
	ck_assert_int_eq(e->type, VALUE_LIST);
	ck_assert_int_eq(e->members->integer, 1);
	ck_assert_ptr_null(e->members->name);
	ck_assert_str_eq(e->members->next->string, "two");
	ck_assert_int_eq(value_find(e->members->next->next, "f")->integer, 3);
	ck_assert_int_eq(value_find(root, "g")->members->integer, 16);
	ck_assert_int_eq(value_find(root, "h")->type, VALUE_GROUP);
	ck_assert_int_eq(value_find(root, "i")->integer, 0);
	ck_assert_double_eq(value_find(root, "j")->real, 0.5);
	ck_assert_double_eq(value_find(root, "k")->real, 1000);
	ck_assert_int_eq(value_find(root, "l")->integer, 7);
	ck_assert_ptr_null(value_find(root, "m")->members);
	ck_assert_int_eq(value_find(root, "n-o_p")->integer, 1);
}
END_TEST

START_TEST(every_value_knows_its_line)
{
	struct value *root = must_parse("# one\n/* two\n three */ a\n=\n5;\r\n"
	    "b = ( \"x\",\n\t\"y\"\n, { c = 1;\n d = 2; } );\n// end");
	const struct value *b = value_find(root, "b");

	ck_assert_uint_eq(value_find(root, "a")->line, 3);
	ck_assert_uint_eq(b->line, 6);
	ck_assert_uint_eq(b->members->line, 6);
	ck_assert_uint_eq(b->members->next->line, 7);
	ck_assert_uint_eq(b->members->next->next->line, 8);
	ck_assert_uint_eq(value_find(b->members->next->next, "d")->line, 9);
}
END_TEST

START_TEST(an_include_keeps_its_own_lines)
{
	struct value *root;

	must_make_directory("sub");
	must_write("sub/one.conf", "\nb = 2;\n@include \"two.conf\"\nd = 4;");
	must_write("two.conf", "c = 3;");
	root = must_parse("a = 1;\n  @include \"sub/one.conf\" # here\ne = 5;");
	ck_assert_uint_eq(value_find(root, "a")->line, 1);
	ck_assert_uint_eq(value_find(root, "b")->line, 2);
	ck_assert_ptr_nonnull(strstr(value_find(root, "b")->file,
	    "/sub/one.conf"));
	ck_assert_uint_eq(value_find(root, "c")->line, 1);
	ck_assert_ptr_nonnull(strstr(value_find(root, "c")->file, "/two.conf"));
	ck_assert_uint_eq(value_find(root, "d")->line, 4);
	ck_assert_uint_eq(value_find(root, "e")->line, 3);
	ck_assert_str_eq(value_find(root, "e")->file, "t.conf");
}
END_TEST

/* d1 includes d2, ... and so on: ten files inside each other are allowed. */
static void
write_chain(int count)
{
	for (int i = 1; i <= count; i++) {
		char name[32], text[64];

		snprintf(name, sizeof(name), "d%d", i);
		if (i < count)
			snprintf(text, sizeof(text), "@include "
			    "\"d%d\"\n", i + 1);
		else
			snprintf(text, sizeof(text), "deep = 1;");
		must_write(name, text);
	}
}

START_TEST(ten_includes_deep_is_allowed)
{
	write_chain(10);
	ck_assert_ptr_nonnull(value_find(must_parse("@include "
	    "\"d1\""), "deep"));
}
END_TEST

START_TEST(eleven_includes_deep_is_a_fault)
{
	const char *text = "@include \"d1\"";
	char line[512];

	write_chain(11);
	snprintf(line, sizeof(line), "%s/d10:1: @include: files are included "
	    "too deep; at most 10 inside each other are allowed\n", place());
	must_refuse(text, strlen(text), line);
}
END_TEST

START_TEST(includes_that_meet_again_are_a_fault)
{
	const char *text = "\n@include \"d1\"";
	char line[1024];

	must_write("d1", "@include \"d2\"");
	must_write("d2", "\n@include \"d1\"");
	snprintf(line, sizeof(line), "%s/d2:2: @include: %s/d1 includes "
	    "itself; remove this line\n", place(), place());
	must_refuse(text, strlen(text), line);
}
END_TEST

/* 2^10 times the same file: the total is bounded, not only the depth. */
START_TEST(includes_that_multiply_are_a_fault)
{
	static char big[1 << 20];

	for (int i = 1; i < 10; i++) {
		char name[32], text[64];

		snprintf(name, sizeof(name), "m%d", i);
		snprintf(text, sizeof(text), "@include \"m%d\"\n@include "
		    "\"m%d\"\n",
		    i + 1, i + 1);
		must_write(name, text);
	}
	memset(big, ' ', sizeof(big) - 2);
	must_write("m10", big);
	ck_assert_ptr_null(parse_bytes("@include \"m1\"", 13));
	ck_assert_uint_eq(faults.count, 1);
	ck_assert_ptr_nonnull(strstr(faults.text.data, "in all; include less"));
}
END_TEST

START_TEST(a_zero_byte_is_a_fault)
{
	must_refuse("a = 1;\n\0b = 2;", 14, "t.conf:2: the file holds a zero "
	    "byte; a configuration file is plain text\n");
}
END_TEST

START_TEST(a_zero_byte_in_a_comment_is_harmless)
{
	ck_assert_ptr_nonnull(parse_bytes("# \0\na = 1;", 10));
}
END_TEST

START_TEST(a_byte_order_mark_is_a_fault_and_no_more)
{
	struct value *root = parse_bytes("\xef\xbb\xbf" "a = 1;", 9);

	ck_assert_ptr_nonnull(value_find(root, "a"));
	ck_assert_str_eq(faults.text.data, "t.conf:1: the file begins with a "
	    "byte order mark; save it as UTF-8 without one\n");
}
END_TEST

START_TEST(too_many_settings_are_a_fault)
{
	static char text[64 * 1024];
	char line[128];
	size_t len = 0;

	for (int i = 0; i <= LEX_SETTINGS_MAX; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "k%d = 1;\n", i);
	snprintf(line, sizeof(line), "t.conf:%d: one group holds too many "
	    "settings; at most %d are allowed\n", LEX_SETTINGS_MAX + 1,
	    LEX_SETTINGS_MAX);
	must_refuse(text, len, line);
}
END_TEST

START_TEST(a_thousand_settings_in_each_of_many_groups_are_read)
{
	struct buf text;

	buf_init(&text, 0);
	for (int i = 0; i < 20; i++) {
		(void)buf_printf(&text, "g%d = {\n", i);
		for (int j = 0; j < LEX_SETTINGS_MAX; j++)
			(void)buf_printf(&text, "k%d = 1;\n", j);
		(void)buf_puts(&text, "};\n");
	}
	ck_assert_ptr_nonnull(value_find(must_parse(text.data), "g19"));
	buf_free(&text);
}
END_TEST

START_TEST(the_deepest_brackets_are_read)
{
	char text[2 * LEX_DEPTH_MAX + 16] = "a = ";

	for (int i = 0; i < LEX_DEPTH_MAX; i++) {
		text[4 + i] = '(';
		text[4 + LEX_DEPTH_MAX + i] = ')';
	}
	(void)must_parse(text);
}
END_TEST

START_TEST(a_name_given_thrice_is_reported_twice)
{
	struct value *root = parse_bytes("a = 1;\na = 2;\na = 3;", 20);
	struct value *second = value_find(root, "a")->next;

	ck_assert_str_eq(value_duplicate_of(second), "a");
	ck_assert_str_eq(value_duplicate_of(second->next), "a");
}
END_TEST

START_TEST(what_the_reader_was_to_report_is_told_when_there_is_no_text)
{
	const char *text = "a = 0660;\nb = yes;\nb = 1;\nc = (";

	ck_assert_ptr_null(parse_bytes(text, strlen(text)));
	ck_assert_str_eq(faults.text.data,
	    "t.conf:4: ( is never closed; close it with )\n"
	    "t.conf:1: a: 0660 begins with 0 but would be read as decimal; "
	    "write a string for an octal mode, or leave out the 0\n"
	    "t.conf:2: b: yes is no value; write true\n"
	    "t.conf:3: b: is given twice in one group, first at t.conf:2; "
	    "remove one\n");
}
END_TEST

START_TEST(the_largest_integers_are_read)
{
	struct value *root = must_parse("a = 2147483647; b = -2147483648; "
	    "c = 9223372036854775807L; d = -9223372036854775808L; "
	    "e = 0x7fffffff; f = 0; g = -0;");

	ck_assert_int_eq(value_find(root, "a")->integer, INT32_MAX);
	ck_assert_int_eq(value_find(root, "b")->integer, INT32_MIN);
	ck_assert_int_eq(value_find(root, "c")->integer, INT64_MAX);
	ck_assert_int_eq(value_find(root, "d")->integer, INT64_MIN);
	ck_assert_int_eq(value_find(root, "e")->integer, INT32_MAX);
}
END_TEST

Suite *
lex_suite(void)
{
	Suite *suite = suite_create("conf lex");
	TCase *tc = tcase_create("texts");

	tcase_add_checked_fixture(tc, begin, end);
	tcase_add_test(tc, every_type_arrives);
	tcase_add_test(tc, every_value_knows_its_line);
	tcase_add_test(tc, the_largest_integers_are_read);
	tcase_add_test(tc, an_include_keeps_its_own_lines);
	tcase_add_test(tc, ten_includes_deep_is_allowed);
	tcase_add_test(tc, eleven_includes_deep_is_a_fault);
	tcase_add_test(tc, includes_that_meet_again_are_a_fault);
	tcase_add_test(tc, includes_that_multiply_are_a_fault);
	tcase_add_test(tc, a_zero_byte_is_a_fault);
	tcase_add_test(tc, a_zero_byte_in_a_comment_is_harmless);
	tcase_add_test(tc, a_byte_order_mark_is_a_fault_and_no_more);
	tcase_add_test(tc, too_many_settings_are_a_fault);
	tcase_add_test(tc, a_thousand_settings_in_each_of_many_groups_are_read);
	tcase_add_test(tc, the_deepest_brackets_are_read);
	tcase_add_test(tc, a_name_given_thrice_is_reported_twice);
	tcase_add_test(tc,
	    what_the_reader_was_to_report_is_told_when_there_is_no_text);
	suite_add_tcase(suite, tc);
	return suite;
}
