/* SPDX-License-Identifier: ISC */
/* Dropped datagrams: a counter that comes round, and how often is warned. */
#include "base/clock.h"
#include "super/drops.h"
#include "super_suites.h"

#define MINUTE (60 * CLOCK_SECOND)

START_TEST(a_counter_that_comes_round_goes_on)
{
	uint32_t last = 0;

	ck_assert_uint_eq(drops_since(&last, 5), 5);
	ck_assert_uint_eq(drops_since(&last, 5), 0);
	ck_assert_uint_eq(drops_since(&last, UINT32_MAX - 1), UINT32_MAX - 6);
	ck_assert_uint_eq(drops_since(&last, 3), 5);
	ck_assert_uint_eq(last, 3);
}
END_TEST

START_TEST(a_warning_comes_once_a_minute_while_they_grow)
{
	struct drops drops = { 0 };
	int64_t now = CLOCK_SECOND;

	ck_assert_int_eq(drops_to_tell(&drops, now), 0);
	drops.total = 10;
	ck_assert_int_eq(drops_to_tell(&drops, now), 10);
	ck_assert_int_eq(drops_to_tell(&drops, now + 2 * MINUTE), 0);
	drops.total = 15;
	ck_assert_int_eq(drops_to_tell(&drops, now + MINUTE - 1), 0);
	drops.total = 17;
	ck_assert_int_eq(drops_to_tell(&drops, now + MINUTE), 7);
	ck_assert_int_eq(drops.told, 17);
}
END_TEST

Suite *
drops_suite(void)
{
	Suite *suite = suite_create("drops");
	TCase *tc = tcase_create("drops");

	tcase_add_test(tc, a_counter_that_comes_round_goes_on);
	tcase_add_test(tc, a_warning_comes_once_a_minute_while_they_grow);
	suite_add_tcase(suite, tc);
	return suite;
}
