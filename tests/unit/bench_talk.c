/* SPDX-License-Identifier: ISC */
/* What is said and what must come back. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "bench/talk.h"
#include "bench_suites.h"

START_TEST(escapes_are_bytes)
{
	static const struct {
		const char *text, *bytes;
		size_t len;
	} rows[] = {
		{ "", "", 0 }, { "plain", "plain", 5 }, { "0\\n", "0\n", 2 },
		{ "\\r\\t\\\\", "\r\t\\", 3 }, { "a\\0b", "a\0b", 3 },
		{ "\\x41\\xfF.", "A\xff.", 3 }, { "电", "电", 3 },
	};
	struct err err;
	size_t len;
	char *got = talk_unescape(rows[_i].text, &len, &err);

	ck_assert_ptr_nonnull(got);
	ck_assert_uint_eq(len, rows[_i].len);
	ck_assert_mem_eq(got, rows[_i].bytes, len);
	free(got);
}
END_TEST

START_TEST(other_backslashes_are_refused)
{
	static const char *const texts[] = { "\\", "\\q", "\\x", "\\x4",
		"\\xg0", "end\\" };
	struct err err;
	size_t len;

	ck_assert_ptr_null(talk_unescape(texts[_i], &len, &err));
	ck_assert_ptr_nonnull(strstr(err.text, "a backslash stands before"));
}
END_TEST

/* Sizes below, at and above what the table holds of them. */
START_TEST(messages_differ_and_end_as_lines)
{
	static const size_t sizes[] = { 8, 64, 100, 4096, 65536, 1 << 20 };
	const struct talk_wish wish = { .size = sizes[_i] };
	size_t size = sizes[_i];
	struct talk talk;
	struct err err;

	ck_assert_int_eq(talk_make(&talk, &wish, &err), 0);
	ck_assert_uint_eq(talk.say_len, size);
	ck_assert_uint_eq(talk.say_total % size, 0);
	ck_assert_uint_ge(talk.say_total / size, 8);
	ck_assert_mem_eq(talk.say, talk.want, talk.say_total);
	for (size_t at = 0; at + size < talk.say_total; at += size) {
		ck_assert_int_eq(talk.say[at + size - 1], '\n');
		ck_assert_ptr_null(memchr(talk.say + at, '\n', size - 1));
		ck_assert_int_ne(memcmp(talk.say + at, talk.say + at + size,
		    size), 0);
	}
	talk_free(&talk);
	ck_assert_ptr_null(talk.say);
}
END_TEST

START_TEST(upper_case_has_no_newline)
{
	const struct talk_wish wish = { .size = 10, .expect = TALK_UPPER };
	struct talk talk;
	struct err err;

	ck_assert_int_eq(talk_make(&talk, &wish, &err), 0);
	ck_assert_uint_eq(talk.want_len, 9);
	ck_assert_uint_eq(talk.want_total / 9, talk.say_total / 10);
	for (size_t i = 0; i < talk.want_total; i++) {
		char said = talk.say[i / 9 * 10 + i % 9];

		ck_assert_int_eq(talk.want[i], toupper((unsigned char)said));
	}
	talk_free(&talk);
}
END_TEST

START_TEST(a_line_has_a_reply_of_another_length)
{
	const struct talk_wish wish = { .size = 64, .line = "0\\n",
		.reply = "yes", .greeting = "hi", .has_greeting = true };
	struct talk talk;
	struct err err;

	ck_assert_int_eq(talk_make(&talk, &wish, &err), 0);
	ck_assert_uint_eq(talk.say_len, 2);
	ck_assert_uint_eq(talk.want_len, 3);
	ck_assert_uint_eq(talk.say_total / 2, talk.want_total / 3);
	ck_assert_mem_eq(talk.say, "0\n0\n", 4);
	ck_assert_mem_eq(talk.want, "yesyes", 6);
	ck_assert_uint_eq(talk.greeting_len, 2);
	talk_free(&talk);
}
END_TEST

START_TEST(an_empty_line_is_no_message)
{
	const struct talk_wish wish = { .size = 64, .line = "" };
	struct talk talk;
	struct err err;

	ck_assert_int_lt(talk_make(&talk, &wish, &err), 0);
	ck_assert_ptr_nonnull(strstr(err.text, "no message"));
}
END_TEST

Suite *
bench_talk_suite(void)
{
	Suite *suite = suite_create("bench talk");
	TCase *tcase = tcase_create("talk");

	tcase_add_loop_test(tcase, escapes_are_bytes, 0, 7);
	tcase_add_loop_test(tcase, other_backslashes_are_refused, 0, 6);
	tcase_add_loop_test(tcase, messages_differ_and_end_as_lines, 0, 6);
	tcase_add_test(tcase, upper_case_has_no_newline);
	tcase_add_test(tcase, a_line_has_a_reply_of_another_length);
	tcase_add_test(tcase, an_empty_line_is_no_message);
	suite_add_tcase(suite, tcase);
	return suite;
}
