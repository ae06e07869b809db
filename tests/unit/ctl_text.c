/* SPDX-License-Identifier: ISC */
/* Text of others: what reaches a terminal, how wide it is, durations. */
#include <errno.h>
#include <string.h>

#include "ctl/text.h"
#include "ctl_suites.h"

static void
expect_clean(const char *text, size_t len, const char *wanted)
{
	struct buf out;

	buf_init(&out, 0);
	text_clean(&out, text, len);
	ck_assert_str_eq(out.data, wanted);
	buf_free(&out);
}

START_TEST(what_does_not_print_is_escaped)
{
	expect_clean("plain", 5, "plain");
	expect_clean("請 é", 6, "請 é");
	expect_clean("\033[2Jx", 5, "\\x1b[2Jx");
	expect_clean("a\nb\tc\r", 6, "a\\x0ab\\x09c\\x0d");
	expect_clean("a\0b\177", 4, "a\\x00b\\x7f");
	expect_clean("\302\233", 2, "\\xc2\\x9b");     /* C1: CSI */
	expect_clean("\342\200\256", 3, "\\xe2\\x80\\xae"); /* U+202E */
	expect_clean("\346\350", 2, "\\xe6\\xe8");
}
END_TEST

START_TEST(json_stays_json)
{
	const char text[] = "{\n \"a\": \"\177\302\233\342\200\256請\"}";
	struct buf out;

	buf_init(&out, 0);
	text_clean_json(&out, text, strlen(text));
	ck_assert_str_eq(out.data,
	    "{\n \"a\": \"\\u007f\\u009b\\u202e請\"}");
	buf_free(&out);
}
END_TEST

START_TEST(wide_characters_take_two_columns)
{
	ck_assert_uint_eq(text_width(""), 0);
	ck_assert_uint_eq(text_width("web"), 3);
	ck_assert_uint_eq(text_width("é"), 1);
	ck_assert_uint_eq(text_width("e\314\201"), 1);  /* combining acute */
	ck_assert_uint_eq(text_width("中文"), 4);
	ck_assert_uint_eq(text_width("\360\237\230\200"), 2);
}
END_TEST

/* Every way to cut a text in two shows the same. */
START_TEST(a_stream_may_be_cut_anywhere)
{
	const char text[] = "請\tx\r\n\033[0m\ré\360\237\230\200\346\n";
	const char wanted[] =
	    "請\tx\n\\x1b[0m\\x0dé\360\237\230\200\\xe6\n";
	size_t cut, len = sizeof(text) - 1;

	for (cut = 0; cut <= len; cut++) {
		struct text_stream stream = { .count = 0 };
		struct buf out;

		buf_init(&out, 0);
		text_stream_feed(&stream, &out, text, cut);
		text_stream_feed(&stream, &out, text + cut, len - cut);
		text_stream_end(&stream, &out);
		ck_assert_msg(strcmp(out.data, wanted) == 0, "cut at %zu: %s",
		    cut, out.data);
		buf_free(&out);
	}
}
END_TEST

START_TEST(half_a_character_is_shown_at_the_end)
{
	struct text_stream stream = { .count = 0 };
	struct buf out;

	buf_init(&out, 0);
	text_stream_feed(&stream, &out, "a\346\254", 3);
	ck_assert_str_eq(out.data, "a");
	text_stream_end(&stream, &out);
	ck_assert_str_eq(out.data, "a\\xe6\\xac");
	buf_free(&out);
}
END_TEST

START_TEST(a_span_has_its_two_largest_units)
{
	static const struct {
		int64_t seconds;
		const char *longer, *shorter;
	} rows[] = {
		{ -5, "0 s", "0s" }, { 0, "0 s", "0s" }, { 59, "59 s", "59s" },
		{ 60, "1 min", "1m" }, { 61, "1 min 1 s", "1m1s" },
		{ 10920, "3 h 2 min", "3h2m" }, { 3601, "1 h", "1h" },
		{ 90000, "1 d 1 h", "1d1h" },
		{ INT64_MAX, "106751991167300 d 15 h", "106751991167300d15h" },
	};
	char text[TEXT_SPAN_SIZE];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ck_assert_str_eq(text_span(text, rows[i].seconds,
		    TEXT_SPAN_LONG), rows[i].longer);
		ck_assert_str_eq(text_span(text, rows[i].seconds,
		    TEXT_SPAN_SHORT), rows[i].shorter);
	}
}
END_TEST

START_TEST(a_duration_may_be_plain_seconds)
{
	static const struct {
		const char *text;
		int64_t ms;
	} rows[] = {
		{ "60", 60000 }, { "1.5", 1500 }, { "60s", 60000 },
		{ "5m", 300000 }, { "1h", 3600000 }, { "1500ms", 1500 },
		{ "0.0001", 1 },
	};
	static const char *const bad[] = { "", "0", "0s", "-1", "x", "5x",
		"5 s", "1e3", "1..2", "+5",
		"11111111111111111111111111111111111111111111111111111111111111"
		"1111" };
	int64_t ms;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ck_assert_int_eq(text_duration(rows[i].text, &ms), 0);
		ck_assert_int_eq(ms, rows[i].ms);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(text_duration(bad[i], &ms) == -EINVAL, "%s",
		    bad[i]);
	ck_assert_int_eq(text_duration("9999999999999h", &ms), -ERANGE);
}
END_TEST

Suite *
ctl_text_suite(void)
{
	Suite *suite = suite_create("ctl/text");
	TCase *tc = tcase_create("text");

	tcase_add_test(tc, what_does_not_print_is_escaped);
	tcase_add_test(tc, json_stays_json);
	tcase_add_test(tc, wide_characters_take_two_columns);
	tcase_add_test(tc, a_stream_may_be_cut_anywhere);
	tcase_add_test(tc, half_a_character_is_shown_at_the_end);
	tcase_add_test(tc, a_span_has_its_two_largest_units);
	tcase_add_test(tc, a_duration_may_be_plain_seconds);
	suite_add_tcase(suite, tc);
	return suite;
}
