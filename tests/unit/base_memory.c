/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/digits.h"
#include "base/err.h"
#include "base/exit.h"
#include "base/utf8.h"
#include "base_suites.h"

START_TEST(err_says_place_and_reason)
{
	struct err err;

	ck_assert_int_eq(err_errno(&err, EACCES, "cannot open %s", "/x"),
	    -EACCES);
	ck_assert_str_eq(err.text, "cannot open /x: Permission denied");
	err_prefix(&err, "listener \"%s\"", "web");
	ck_assert_str_eq(err.text,
	    "listener \"web\": cannot open /x: Permission denied");
}
END_TEST

START_TEST(err_takes_its_own_text_as_argument)
{
	struct err err;

	err_set(&err, "inner");
	err_set(&err, "outer (%s)", err.text);
	ck_assert_str_eq(err.text, "outer (inner)");
}
END_TEST

START_TEST(err_may_be_null)
{
	err_set(NULL, "%d", 1);
	err_prefix(NULL, "%d", 1);
	ck_assert_int_eq(err_errno(NULL, ENOMEM, "x"), -ENOMEM);
}
END_TEST

START_TEST(err_cuts_with_dots)
{
	struct err err;
	char text[2000];

	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	err_set(&err, "%s", text);
	ck_assert_uint_eq(strlen(err.text), sizeof(err.text) - 1);
	ck_assert_str_eq(err.text + sizeof(err.text) - 5, "a...");
	err_prefix(&err, "%s", text);
	ck_assert_uint_eq(strlen(err.text), sizeof(err.text) - 1);
	err_set(&err, "%.*s", (int)sizeof(err.text) - 1, text);
	ck_assert_int_eq(err.text[sizeof(err.text) - 2], 'a');
}
END_TEST

START_TEST(arena_gives_zeroed_aligned_memory)
{
	struct arena arena;

	arena_init(&arena, 100);
	for (size_t size = 0; size < 300; size += 7) {
		char *p = arena_alloc(&arena, size);

		ck_assert_ptr_nonnull(p);
		ck_assert_uint_eq((uintptr_t)p % _Alignof(max_align_t), 0);
		for (size_t i = 0; i < size; i++)
			ck_assert_int_eq(p[i], 0);
		memset(p, 0xff, size);
	}
	arena_free(&arena);
	ck_assert_ptr_null(arena.chunk);
}
END_TEST

START_TEST(arena_reset_keeps_the_first_chunk)
{
	struct arena arena;
	char *first, *again;

	arena_init(&arena, 64);
	first = arena_alloc(&arena, 32);
	memset(first, 1, 32);
	for (int i = 0; i < 20; i++)
		ck_assert_ptr_nonnull(arena_alloc(&arena, 50));
	ck_assert_ptr_nonnull(arena_alloc(&arena, 5000));
	arena_reset(&arena);
	again = arena_alloc(&arena, 32);
	ck_assert_ptr_eq(again, first);
	ck_assert_int_eq(again[0], 0);
	arena_free(&arena);
	arena_free(&arena);
}
END_TEST

START_TEST(arena_keeps_using_a_chunk_beside_an_oversized_one)
{
	struct arena arena;
	char *small, *next;

	arena_init(&arena, 256);
	small = arena_alloc(&arena, 16);
	ck_assert_ptr_nonnull(arena_alloc(&arena, 10000));
	next = arena_alloc(&arena, 16);
	ck_assert_ptr_eq(next, small + 16);
	arena_free(&arena);
}
END_TEST

START_TEST(arena_copies_text)
{
	struct arena arena;

	arena_init(&arena, 0);
	ck_assert_str_eq(arena_strdup(&arena, "one"), "one");
	ck_assert_str_eq(arena_strndup(&arena, "two-three", 3), "two");
	ck_assert_str_eq(arena_strndup(&arena, "two", 30), "two");
	ck_assert_str_eq(arena_printf(&arena, "%s %d", "n", 7), "n 7");
	arena_free(&arena);
}
END_TEST

START_TEST(arena_refuses_the_impossible)
{
	struct arena arena;

	arena_init(&arena, 0);
	ck_assert_ptr_null(arena_alloc(&arena, SIZE_MAX));
	ck_assert_ptr_null(arena_alloc(&arena, SIZE_MAX - 8));
	ck_assert_ptr_nonnull(arena_alloc(&arena, 8));
	arena_free(&arena);
}
END_TEST

START_TEST(buf_grows_and_stays_terminated)
{
	struct buf buf;

	buf_init(&buf, 0);
	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(buf_append(&buf, "abc", 3), 0);
	ck_assert_uint_eq(buf.len, 3000);
	ck_assert_uint_eq(strlen(buf.data), 3000);
	buf_consume(&buf, 2998);
	ck_assert_str_eq(buf.data, "bc");
	ck_assert_int_eq(buf_printf(&buf, "-%d", 12), 0);
	ck_assert_int_eq(buf_puts(&buf, "!"), 0);
	ck_assert_str_eq(buf.data, "bc-12!");
	buf_clear(&buf);
	ck_assert_str_eq(buf.data, "");
	buf_free(&buf);
	ck_assert_ptr_null(buf.data);
	buf_consume(&buf, 0);
}
END_TEST

START_TEST(buf_stops_at_its_maximum_and_stays_failed)
{
	struct buf buf;

	buf_init(&buf, 10);
	ck_assert_int_eq(buf_puts(&buf, "12345678"), 0);
	ck_assert_int_eq(buf_puts(&buf, "abc"), -EMSGSIZE);
	ck_assert(buf.failed);
	ck_assert_int_eq(buf_puts(&buf, "9"), -EMSGSIZE);
	ck_assert_int_eq(buf_printf(&buf, "9"), -EMSGSIZE);
	ck_assert_str_eq(buf.data, "12345678");
	buf_clear(&buf);
	ck_assert_int_eq(buf_puts(&buf, "1234567890"), 0);
	buf_free(&buf);
}
END_TEST

START_TEST(buf_refuses_the_impossible)
{
	struct buf buf;

	buf_init(&buf, 0);
	ck_assert_int_eq(buf_append(&buf, "", 0), 0);
	ck_assert_int_eq(buf_append(&buf, "", SIZE_MAX), -ENOMEM);
	ck_assert(buf.failed);
	buf_free(&buf);
}
END_TEST

START_TEST(clock_rounds_up_and_knows_none)
{
	int64_t now = clock_now();

	ck_assert_int_gt(now, 0);
	ck_assert_int_eq(clock_left_ms(0), -1);
	ck_assert_int_eq(clock_left_ms(CLOCK_NEVER), -1);
	ck_assert_int_eq(clock_left_ms(now), 0);
	ck_assert_int_eq(clock_left_ms(INT64_MAX - 1), INT_MAX);
	ck_assert_int_gt(clock_left_ms(clock_now() + CLOCK_SECOND), 0);
	ck_assert_int_le(clock_left_ms(clock_now() + CLOCK_SECOND), 1000);
	ck_assert_int_eq(clock_after_ms(0), 0);
	ck_assert_int_ge(clock_after_ms(5), now + 5 * CLOCK_MS);
	ck_assert_int_eq(clock_after_ms(INT64_MAX), CLOCK_NEVER);
	ck_assert_int_le(clock_coarse(), clock_now());
}
END_TEST

START_TEST(exit_codes_have_help_and_are_unique)
{
	size_t n = 0;

	for (; exit_codes[n].help; n++)
		for (size_t i = 0; i < n; i++)
			ck_assert_int_ne((int)exit_codes[i].code,
			    (int)exit_codes[n].code);
	ck_assert_uint_eq(n, 7);
}
END_TEST

/* text, its length, what utf8_printable says of it */
static const struct {
	const char *text;
	size_t len, printable;
} characters[] = {
	{ "a", 1, 1 }, { "~", 1, 1 }, { " ", 1, 1 },
	{ "\0", 1, 0 }, { "\n", 1, 0 }, { "\x1b", 1, 0 }, { "\x7f", 1, 0 },
	{ "\xc3\xa9", 2, 2 },                   /* e acute */
	{ "\xe6\xac\xa2", 3, 3 },               /* 欢 */
	{ "\xf0\x9f\x98\x80", 4, 4 },           /* an emoji */
	{ "\xf4\x8f\xbf\xbf", 4, 4 },           /* U+10FFFF */
	{ "\xf4\x90\x80\x80", 4, 0 },           /* above it */
	{ "\xc0\xaf", 2, 0 }, { "\xc1\xbf", 2, 0 },     /* overlong */
	{ "\xe0\x80\xaf", 3, 0 }, { "\xf0\x80\x80\xaf", 4, 0 },
	{ "\xed\xa0\x80", 3, 0 }, { "\xed\xbf\xbf", 3, 0 },     /* surrogates */
	{ "\xed\x9f\xbf", 3, 3 }, { "\xee\x80\x80", 3, 3 },     /* next to */
	{ "\xc2\x85", 2, 0 }, { "\xc2\x9b", 2, 0 },     /* C1: NEL, CSI */
	{ "\xc2\xa0", 2, 2 },
	{ "\xe2\x80\xa8", 3, 0 },               /* U+2028 */
	{ "\xe2\x80\xae", 3, 0 },               /* U+202E */
	{ "\xe2\x81\xa6", 3, 0 },               /* U+2066 */
	{ "\x80", 1, 0 }, { "\xff", 1, 0 }, { "\xfe\x80", 2, 0 },
	{ "\xe6\xac", 2, 0 }, { "\xf0", 1, 0 }, { "\xe6z\xa2", 3, 0 },
};

START_TEST(utf8_judges_characters)
{
	ck_assert_uint_eq(utf8_printable(characters[_i].text,
	    characters[_i].len), characters[_i].printable);
}
END_TEST

START_TEST(utf8_trims_half_a_character)
{
	ck_assert_uint_eq(utf8_trim("", 0), 0);
	ck_assert_uint_eq(utf8_trim("ab", 2), 2);
	ck_assert_uint_eq(utf8_trim("a\xe6\xac\xa2", 4), 4);
	ck_assert_uint_eq(utf8_trim("a\xe6\xac", 3), 1);
	ck_assert_uint_eq(utf8_trim("a\xe6", 2), 1);
	ck_assert_uint_eq(utf8_trim("\xf0\x9f\x98", 3), 0);
	ck_assert_uint_eq(utf8_trim("\x80\x80\x80\x80\x80", 5), 5);
	ck_assert_uint_eq(utf8_trim("\x80\x80", 2), 2);
}
END_TEST

static void
must_be_digits(uint64_t n)
{
	char text[DIGITS_MAX + 1], expected[DIGITS_MAX + 1];

	*digits_put(text, n) = '\0';
	(void)snprintf(expected, sizeof(expected), "%" PRIu64, n);
	ck_assert_str_eq(text, expected);
}

START_TEST(digits_are_those_of_printf)
{
	for (uint64_t n = 1; n <= UINT64_MAX / 10; n *= 10) {
		must_be_digits(n - 1);
		must_be_digits(n);
		must_be_digits(n + 1);
		must_be_digits(9 * n);
	}
	for (uint64_t n = 0; n < 20000; n++)
		must_be_digits(n);
	must_be_digits(UINT64_MAX);
}
END_TEST

START_TEST(digits_have_zeros_in_front)
{
	char text[13];

	*digits_put_6(digits_put_4(digits_put_2(text, 7), 50), 1020) = '\0';
	ck_assert_str_eq(text, "070050001020");
	*digits_put_6(digits_put_4(digits_put_2(text, 99), 9876), 654321) =
	    '\0';
	ck_assert_str_eq(text, "999876654321");
}
END_TEST

Suite *
memory_suite(void)
{
	Suite *suite = suite_create("memory");
	TCase *tcase = tcase_create("memory");

	tcase_add_test(tcase, err_says_place_and_reason);
	tcase_add_test(tcase, err_takes_its_own_text_as_argument);
	tcase_add_test(tcase, err_may_be_null);
	tcase_add_test(tcase, err_cuts_with_dots);
	tcase_add_test(tcase, arena_gives_zeroed_aligned_memory);
	tcase_add_test(tcase, arena_reset_keeps_the_first_chunk);
	tcase_add_test(tcase,
	    arena_keeps_using_a_chunk_beside_an_oversized_one);
	tcase_add_test(tcase, arena_copies_text);
	tcase_add_test(tcase, arena_refuses_the_impossible);
	tcase_add_test(tcase, buf_grows_and_stays_terminated);
	tcase_add_test(tcase, buf_stops_at_its_maximum_and_stays_failed);
	tcase_add_test(tcase, buf_refuses_the_impossible);
	tcase_add_test(tcase, clock_rounds_up_and_knows_none);
	tcase_add_test(tcase, digits_are_those_of_printf);
	tcase_add_test(tcase, digits_have_zeros_in_front);
	tcase_add_test(tcase, exit_codes_have_help_and_are_unique);
	tcase_add_loop_test(tcase, utf8_judges_characters, 0,
	    (int)(sizeof(characters) / sizeof(characters[0])));
	tcase_add_test(tcase, utf8_trims_half_a_character);
	suite_add_tcase(suite, tcase);
	return suite;
}
