/* SPDX-License-Identifier: ISC */
/* What the supervisor makes of counters that anybody may have written to. */
#include <stdint.h>

#include "base/fd.h"
#include "base/totals.h"
#include "base_suites.h"

#define SLOTS 4

static const struct stats_size size = { SLOTS, 0 };
static struct stats_slab *slab;

static void
setup(void)
{
	int fd;

	slab = stats_new(size, &fd);
	ck_assert_ptr_nonnull(slab);
	fd_close(&fd);
}

static void
teardown(void)
{
	stats_free(&slab, size);
}

static void
fill(unsigned slot, int64_t value)
{
	for (unsigned c = 0; c < COUNTERS; c++)
		atomic_store(&slab->slots[slot].counters[c], value);
	for (unsigned r = 0; r < REASONS; r++)
		atomic_store(&slab->slots[slot].refused[r], value);
}

static void
expect_all(const struct totals *totals, int64_t value)
{
	for (unsigned c = 0; c < COUNTERS; c++)
		ck_assert_int_eq(totals->counters[c], value);
	for (unsigned r = 0; r < REASONS; r++)
		ck_assert_int_eq(totals->refused[r], value);
}

START_TEST(slots_add_up)
{
	struct totals totals = { 0 };

	for (unsigned i = 0; i < SLOTS; i++)
		fill(i, i + 1);
	totals_add(&totals, slab, SLOTS);
	expect_all(&totals, 10);
	totals_add(&totals, slab, 1);
	expect_all(&totals, 11);
}
END_TEST

START_TEST(below_zero_is_nothing)
{
	struct totals totals = { 0 };

	fill(0, -1);
	fill(1, INT64_MIN);
	fill(2, 5);
	totals_add(&totals, slab, SLOTS);
	expect_all(&totals, 5);
}
END_TEST

START_TEST(too_much_is_the_most_there_is)
{
	struct totals totals = { 0 };

	for (unsigned i = 0; i < SLOTS; i++)
		fill(i, INT64_MAX);
	totals_add(&totals, slab, SLOTS);
	expect_all(&totals, INT64_MAX);
	totals_add(&totals, slab, SLOTS);
	expect_all(&totals, INT64_MAX);
}
END_TEST

START_TEST(what_has_ended_leaves_no_gauge)
{
	struct totals totals = { 0 };

	fill(0, 3);
	fill(1, -7);
	totals_fold(&totals, slab, SLOTS);
	ck_assert_int_eq(totals.counters[COUNTER_ACTIVE], 0);
	ck_assert_int_eq(totals.counters[COUNTER_SERVING], 0);
	ck_assert_int_eq(totals.counters[COUNTER_REQUESTS], 3);
	ck_assert_int_eq(totals.counters[COUNTER_BYTES_OUT], 3);
	ck_assert_int_eq(totals.refused[REASON_ACCESS], 3);
}
END_TEST

START_TEST(what_was_shown_never_falls)
{
	static const int64_t values[] = { 7, -1, 3, INT64_MIN, 0, 9, INT64_MAX,
	    -1 };
	struct totals shown = { 0 };

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct totals now = { 0 }, before = shown;

		fill(0, values[i]);
		totals_add(&now, slab, SLOTS);
		totals_raise(&shown, &now);
		ck_assert_int_ge(shown.counters[COUNTER_REQUESTS],
		    before.counters[COUNTER_REQUESTS]);
		ck_assert_int_ge(shown.refused[REASON_VERIFY],
		    before.refused[REASON_VERIFY]);
		ck_assert_int_eq(shown.counters[COUNTER_ACTIVE],
		    values[i] > 0 ? values[i] : 0);
	}
	ck_assert_int_eq(shown.counters[COUNTER_REQUESTS], INT64_MAX);
}
END_TEST
/* Between two processes it is active in neither. */
START_TEST(what_is_relayed_is_active_and_lost_in_the_end)
{
	struct totals now = { 0 }, then = { 0 };

	fill(0, 3);
	atomic_store(&slab->relayed, 2);
	totals_add(&now, slab, SLOTS);
	ck_assert_int_eq(now.counters[COUNTER_ACTIVE], 5);
	totals_fold(&then, slab, SLOTS);
	ck_assert_int_eq(then.counters[COUNTER_ACTIVE], 0);
	ck_assert_int_eq(then.counters[COUNTER_ERRORS], 5);
	atomic_store(&slab->relayed, -9);
	now = (struct totals){ 0 };
	totals_add(&now, slab, SLOTS);
	ck_assert_int_eq(now.counters[COUNTER_ACTIVE], 3);
}
END_TEST

Suite *
totals_suite(void)
{
	Suite *suite = suite_create("totals");
	TCase *tcase = tcase_create("totals");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, slots_add_up);
	tcase_add_test(tcase, below_zero_is_nothing);
	tcase_add_test(tcase, too_much_is_the_most_there_is);
	tcase_add_test(tcase, what_has_ended_leaves_no_gauge);
	tcase_add_test(tcase, what_is_relayed_is_active_and_lost_in_the_end);
	tcase_add_test(tcase, what_was_shown_never_falls);
	suite_add_tcase(suite, tcase);
	return suite;
}
