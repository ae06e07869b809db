/* SPDX-License-Identifier: ISC */
/* How long a dead process's successor waits, by a clock that the test moves. */
#include "base/clock.h"
#include "super/backoff.h"
#include "super_suites.h"

static void
expect_about(int64_t ms, int64_t least)
{
	ck_assert_int_ge(ms, least);
	ck_assert_int_le(ms, least + least / 4);
}

START_TEST(it_doubles_up_to_the_maximum)
{
	static const int64_t waits[] = { 100, 200, 400, 800, 1000, 1000 };
	struct backoff backoff;
	int64_t now = CLOCK_SECOND;

	backoff_init(&backoff, 100, 1000, 7);
	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		expect_about(backoff_next(&backoff, now, true), waits[i]);
		now += CLOCK_SECOND;
	}
}
END_TEST

START_TEST(before_the_first_request_it_grows_fourfold)
{
	static const int64_t waits[] = { 100, 400, 1600, 5000, 5000 };
	struct backoff backoff;

	backoff_init(&backoff, 100, 5000, 7);
	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++)
		expect_about(backoff_next(&backoff, 1, false), waits[i]);
}
END_TEST

START_TEST(the_step_is_that_of_the_last_death)
{
	struct backoff backoff;

	backoff_init(&backoff, 100, 60000, 7);
	expect_about(backoff_next(&backoff, 1, false), 100);
	expect_about(backoff_next(&backoff, 1, true), 400);
	expect_about(backoff_next(&backoff, 1, true), 800);
	expect_about(backoff_next(&backoff, 1, false), 1600);
	expect_about(backoff_next(&backoff, 1, true), 6400);
}
END_TEST

/* Nobody came to a listener that ran well for long. */
START_TEST(an_idle_minute_is_health_too)
{
	struct backoff backoff;

	backoff_init(&backoff, 100, 60000, 7);
	backoff_serving(&backoff, CLOCK_SECOND);
	expect_about(backoff_next(&backoff, 61 * CLOCK_SECOND, false), 100);
	expect_about(backoff_next(&backoff, 62 * CLOCK_SECOND, false), 200);
}
END_TEST

START_TEST(it_is_never_permanent)
{
	struct backoff backoff;

	backoff_init(&backoff, 100, 60000, 7);
	for (int i = 0; i < 1000; i++)
		ck_assert_int_le(backoff_next(&backoff, 1, false), 75000);
	backoff_serving(&backoff, CLOCK_SECOND);
	expect_about(backoff_next(&backoff, 61 * CLOCK_SECOND, true), 100);
}
END_TEST

START_TEST(a_minute_of_health_begins_anew)
{
	struct backoff backoff;
	int64_t now = CLOCK_SECOND;

	backoff_init(&backoff, 100, 60000, 7);
	for (int i = 0; i < 5; i++)
		(void)backoff_next(&backoff, now, true);
	backoff_serving(&backoff, now);
	expect_about(backoff_next(&backoff, now + 59 * CLOCK_SECOND, true), 3200);
	backoff_serving(&backoff, now);
	expect_about(backoff_next(&backoff, now + 60 * CLOCK_SECOND, true), 100);
}
END_TEST

START_TEST(health_counts_once)
{
	struct backoff backoff;
	int64_t now = CLOCK_SECOND;

	backoff_init(&backoff, 100, 60000, 7);
	backoff_serving(&backoff, now);
	now += 61 * CLOCK_SECOND;
	expect_about(backoff_next(&backoff, now, true), 100);
	/* died again before it served: that was no health */
	expect_about(backoff_next(&backoff, now + 61 * CLOCK_SECOND, true), 200);
}
END_TEST

START_TEST(other_limits_count_from_the_next_wait_on)
{
	struct backoff backoff;

	backoff_init(&backoff, 100, 60000, 7);
	backoff_limit(&backoff, 8000, 60000);
	expect_about(backoff_next(&backoff, 1, true), 8000);
	backoff_limit(&backoff, 8000, 9000);
	expect_about(backoff_next(&backoff, 1, true), 9000);
	backoff_init(&backoff, 8000, 60000, 7);
	backoff_limit(&backoff, 100, 60000);
	expect_about(backoff_next(&backoff, 1, true), 100);
}
END_TEST

START_TEST(it_never_spins_whatever_is_configured)
{
	struct backoff backoff;

	backoff_init(&backoff, 0, 0, 0);
	for (int i = 0; i < 100; i++)
		ck_assert_int_ge(backoff_next(&backoff, 1, true), BACKOFF_FLOOR_MS);
	backoff_init(&backoff, 500, 100, 0);
	ck_assert_int_ge(backoff_next(&backoff, 1, true), 500);
}
END_TEST

START_TEST(it_never_overflows)
{
	struct backoff backoff;

	backoff_init(&backoff, 1, INT64_MAX / 2, 3);
	for (int i = 0; i < 200; i++)
		ck_assert_int_gt(backoff_next(&backoff, 1, i % 2), 0);
}
END_TEST

START_TEST(two_do_not_come_back_together)
{
	struct backoff a, b;
	int differ = 0;

	backoff_init(&a, 1000, 60000, 1);
	backoff_init(&b, 1000, 60000, 2);
	for (int i = 0; i < 10; i++)
		differ += backoff_next(&a, 1, true) != backoff_next(&b, 1, true);
	ck_assert_int_gt(differ, 5);
}
END_TEST

START_TEST(many_that_are_due_together_start_in_lots)
{
	struct backoff_gate gate = { 0 };
	int64_t last = 0, lots[100] = { 0 };

	for (int i = 0; i < 500; i++) {
		int64_t ms = backoff_pass(&gate, 77);

		ck_assert_int_ge(ms, last);
		last = ms;
		lots[ms / BACKOFF_APART_MS]++;
	}
	for (int i = 0; i < 500 / BACKOFF_A_TURN; i++)
		ck_assert_int_eq(lots[i], BACKOFF_A_TURN);
	/* another turn begins anew */
	ck_assert_int_eq(backoff_pass(&gate, 78), 0);
}
END_TEST

Suite *
backoff_suite(void)
{
	Suite *suite = suite_create("backoff");
	TCase *tc = tcase_create("backoff");

	tcase_add_test(tc, it_doubles_up_to_the_maximum);
	tcase_add_test(tc, before_the_first_request_it_grows_fourfold);
	tcase_add_test(tc, the_step_is_that_of_the_last_death);
	tcase_add_test(tc, an_idle_minute_is_health_too);
	tcase_add_test(tc, it_is_never_permanent);
	tcase_add_test(tc, a_minute_of_health_begins_anew);
	tcase_add_test(tc, health_counts_once);
	tcase_add_test(tc, other_limits_count_from_the_next_wait_on);
	tcase_add_test(tc, it_never_spins_whatever_is_configured);
	tcase_add_test(tc, it_never_overflows);
	tcase_add_test(tc, many_that_are_due_together_start_in_lots);
	tcase_add_test(tc, two_do_not_come_back_together);
	suite_add_tcase(suite, tc);
	return suite;
}
