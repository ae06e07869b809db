/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <string.h>

#include "base/number.h"
#include "base/suggest.h"
#include "conf/fault.h"
#include "conf_suites.h"

static int64_t
must_parse_duration(const char *text)
{
	int64_t ms = -1;

	ck_assert_msg(duration_parse(text, &ms) == 0, "%s", text);
	return ms;
}

START_TEST(durations_have_units)
{
	ck_assert_int_eq(must_parse_duration("250ms"), 250);
	ck_assert_int_eq(must_parse_duration("5s"), 5000);
	ck_assert_int_eq(must_parse_duration("2m"), 120000);
	ck_assert_int_eq(must_parse_duration("1h"), 3600000);
	ck_assert_int_eq(must_parse_duration("1d"), 86400000);
	ck_assert_int_eq(must_parse_duration("1.5m"), 90000);
	ck_assert_int_eq(must_parse_duration(".5s"), 500);
	ck_assert_int_eq(must_parse_duration("0s"), 0);
}
END_TEST

START_TEST(a_short_duration_is_not_none)
{
	int64_t ms;

	ck_assert_int_eq(must_parse_duration("0.2ms"), 1);
	ck_assert_int_eq(must_parse_duration("0.0000000001s"), 1);
	ck_assert_int_eq(duration_from_seconds(0.0001, &ms), 0);
	ck_assert_int_eq(ms, 1);
	ck_assert_int_eq(duration_from_seconds(1e-300, &ms), 0);
	ck_assert_int_eq(ms, 1);
	ck_assert_int_eq(duration_from_seconds(-0.0001, &ms), 0);
	ck_assert_int_eq(ms, -1);
	ck_assert_int_eq(duration_from_seconds(0.1, &ms), 0);
	ck_assert_int_eq(ms, 100);
	ck_assert_int_eq(duration_from_seconds(0.001, &ms), 0);
	ck_assert_int_eq(ms, 1);
}
END_TEST

START_TEST(what_is_no_duration_is_refused)
{
	static const char *const texts[] = { "", "5", "s", "5 s", "5x", "-5s",
		"1.2.3s", ".s", "5S", "5ss", "0x5s", "1e3s" };
	int64_t ms;

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		ck_assert_msg(duration_parse(texts[i], &ms) == -EINVAL, "%s",
		    texts[i]);
	ck_assert_int_eq(duration_parse("99999999999999999999h", &ms), -ERANGE);
	ck_assert_int_eq(duration_parse("9999999999999s", &ms), -ERANGE);
	ck_assert_int_eq(duration_from_seconds(1e300, &ms), -ERANGE);
}
END_TEST

START_TEST(sizes_have_units)
{
	int64_t bytes;

	ck_assert_int_eq(size_parse("64K", &bytes), 0);
	ck_assert_int_eq(bytes, 65536);
	ck_assert_int_eq(size_parse("16m", &bytes), 0);
	ck_assert_int_eq(bytes, 16777216);
	ck_assert_int_eq(size_parse("1G", &bytes), 0);
	ck_assert_int_eq(bytes, 1073741824);
	ck_assert_int_eq(size_parse("64", &bytes), -EINVAL);
	ck_assert_int_eq(size_parse("K", &bytes), -EINVAL);
	ck_assert_int_eq(size_parse("64KB", &bytes), -EINVAL);
	ck_assert_int_eq(size_parse("-1K", &bytes), -EINVAL);
	ck_assert_int_eq(size_parse("99999999999T", &bytes), -ERANGE);
}
END_TEST

START_TEST(numbers_are_printed_as_they_are_read)
{
	struct buf out;

	buf_init(&out, 0);
	duration_format(&out, 60000);
	(void)buf_puts(&out, " ");
	duration_format(&out, 100);
	(void)buf_puts(&out, " ");
	duration_format(&out, 1250);
	(void)buf_puts(&out, " ");
	duration_format(&out, 1);
	(void)buf_puts(&out, " ");
	size_format(&out, 8192);
	(void)buf_puts(&out, " ");
	size_format(&out, 1 << 20);
	(void)buf_puts(&out, " ");
	integer_format(&out, 1LL << 40);
	ck_assert_str_eq(out.data,
	    "60 0.1 1.25 0.001 8192 \"1M\" 1099511627776L");
	buf_free(&out);
}
END_TEST

START_TEST(distances_count_edits)
{
	ck_assert_uint_eq(suggest_distance("", ""), 0);
	ck_assert_uint_eq(suggest_distance("timeout", "timeout"), 0);
	ck_assert_uint_eq(suggest_distance("tiemout", "timeout"), 1);
	ck_assert_uint_eq(suggest_distance("timeot", "timeout"), 1);
	ck_assert_uint_eq(suggest_distance("timeoutt", "timeout"), 1);
	ck_assert_uint_eq(suggest_distance("dimeout", "timeout"), 1);
	ck_assert_uint_eq(suggest_distance("Max-Workers", "max_workers"), 0);
	ck_assert_uint_eq(suggest_distance("", "abc"), 3);
	ck_assert_uint_eq(suggest_distance("kitten", "sitting"), 3);
}
END_TEST

START_TEST(only_a_near_word_is_suggested)
{
	struct suggest near;

	suggest_init(&near, "wokers");
	suggest_offer(&near, "timeout");
	ck_assert_ptr_null(near.best);
	suggest_offer(&near, "workers");
	suggest_offer(&near, "max_workers");
	ck_assert_str_eq(near.best, "workers");
	suggest_init(&near, "xy");
	suggest_offer(&near, "to");
	ck_assert_ptr_null(near.best);
}
END_TEST

START_TEST(a_fault_is_one_line)
{
	struct faults faults;

	faults_init(&faults);
	fault_add(&faults, "a\nb", 7, "x\033[1m", "key", "bad \"%s\"; ok",
	    "\r\n");
	fault_add(&faults, "f", 0, NULL, NULL, "no line");
	ck_assert_str_eq(faults.text.data, "a\\x0Ab:7: listener \"x\\x1B[1m\": "
	    "key: bad \"\\x0D\\x0A\"; ok\nf: no line\n");
	ck_assert_uint_eq(faults.count, 2);
	faults_free(&faults);
}
END_TEST

START_TEST(faults_beyond_the_limit_are_counted)
{
	struct faults faults;
	size_t lines = 0;

	faults_init(&faults);
	for (unsigned i = 0; i < FAULTS_MAX + 50; i++)
		fault_add(&faults, "f", i, NULL, NULL, "bad");
	for (const char *p = faults.text.data; *p; p++)
		lines += *p == '\n';
	ck_assert_uint_eq(faults.count, FAULTS_MAX + 50);
	ck_assert_uint_eq(lines, FAULTS_MAX);
	faults_free(&faults);
}
END_TEST

Suite *
number_suite(void)
{
	Suite *suite = suite_create("conf numbers");
	TCase *tc = tcase_create("numbers");

	tcase_add_test(tc, durations_have_units);
	tcase_add_test(tc, a_short_duration_is_not_none);
	tcase_add_test(tc, what_is_no_duration_is_refused);
	tcase_add_test(tc, sizes_have_units);
	tcase_add_test(tc, numbers_are_printed_as_they_are_read);
	tcase_add_test(tc, distances_count_edits);
	tcase_add_test(tc, only_a_near_word_is_suggested);
	tcase_add_test(tc, a_fault_is_one_line);
	tcase_add_test(tc, faults_beyond_the_limit_are_counted);
	suite_add_tcase(suite, tc);
	return suite;
}
