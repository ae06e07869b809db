/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/stats.h"
#include "base_suites.h"

START_TEST(two_mappings_are_one_memory)
{
	struct stats_slab *mine, *other;
	struct stats_size size = { 0 };
	int fd;

	mine = stats_new((struct stats_size){ 3, 2 }, &fd);
	ck_assert_ptr_nonnull(mine);
	other = stats_map(fd, &size);
	ck_assert_ptr_nonnull(other);
	ck_assert_uint_eq(size.slots, 3);
	ck_assert_uint_eq(size.seats, 2);
	fd_close(&fd);
	stats_add(&other->slots[2], COUNTER_REQUESTS, 5);
	ck_assert_int_eq(mine->slots[2].counters[COUNTER_REQUESTS], 5);
	stats_free(&other, size);
	ck_assert_ptr_null(other);
	stats_free(&other, size);
	ck_assert_int_eq(mine->slots[2].counters[COUNTER_REQUESTS], 5);
	stats_free(&mine, size);
}
END_TEST

START_TEST(nobody_can_resize_the_file)
{
	struct stats_slab *slab;
	int fd;

	slab = stats_new((struct stats_size){ 1, 0 }, &fd);
	ck_assert_ptr_nonnull(slab);
	ck_assert_int_eq(ftruncate(fd, 0), -1);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_int_eq(ftruncate(fd, 1 << 20), -1);
	ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
	stats_free(&slab, (struct stats_size){ 1, 0 });
}
END_TEST

/* What others wrote over its head does not keep its owner from it. */
START_TEST(who_knows_the_size_asks_the_file_alone)
{
	const struct stats_size size = { 3, 2 }, wrong = { 9000, 2 };
	struct stats_slab *mine, *again;
	int fd;

	mine = stats_new(size, &fd);
	ck_assert_ptr_nonnull(mine);
	mine->slot_count = UINT32_MAX;
	stats_add(&mine->slots[2], COUNTER_REQUESTS, 5);
	again = stats_attach(fd, size);
	ck_assert_ptr_nonnull(again);
	ck_assert_int_eq(again->slots[2].counters[COUNTER_REQUESTS], 5);
	stats_free(&again, size);
	ck_assert_ptr_null(stats_attach(fd, wrong));
	ck_assert_int_eq(errno, EINVAL);
	stats_free(&mine, size);
	fd_close(&fd);
	ck_assert_ptr_null(stats_attach(-1, size));
}
END_TEST

START_TEST(what_is_no_slab_is_refused)
{
	struct stats_size size;
	int fd = fd_memory("short", "x", 1), fds[2];

	ck_assert_ptr_null(stats_map(fd, &size));
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_ptr_null(stats_map(fds[0], &size));
	ck_assert_ptr_null(stats_map(-1, &size));
	ck_assert_int_eq(errno, EBADF);
}
END_TEST

START_TEST(slots_share_no_cache_line)
{
	ck_assert_uint_eq(sizeof(struct stats) % 64, 0);
	ck_assert_uint_eq(sizeof(struct stats_slab) % 64, 0);
}
END_TEST

START_TEST(a_refusal_counts_twice)
{
	struct stats stats = { 0 };

	stats_refuse(&stats, REASON_ACCESS);
	stats_refuse(&stats, REASON_VERIFY);
	stats_refuse(&stats, REASON_ACCESS);
	ck_assert_int_eq(stats.counters[COUNTER_REFUSED], 3);
	ck_assert_int_eq(stats.refused[REASON_ACCESS], 2);
	ck_assert_int_eq(stats.refused[REASON_VERIFY], 1);
}
END_TEST

START_TEST(a_hostile_slot_is_clamped)
{
	struct stats sum = { 0 };
	struct stats_slab *slab;
	int fd;

	slab = stats_new((struct stats_size){ 3, 2 }, &fd);
	ck_assert_ptr_nonnull(slab);
	slab->slots[0].counters[COUNTER_ACTIVE] = -100;
	slab->slots[1].counters[COUNTER_ACTIVE] = 7;
	slab->slots[0].counters[COUNTER_BYTES_IN] = INT64_MAX;
	slab->slots[1].counters[COUNTER_BYTES_IN] = INT64_MAX;
	slab->slots[2].counters[COUNTER_BYTES_IN] = INT64_MIN;
	slab->slots[2].refused[REASON_ACCESS] = 4;
	stats_sum(slab, 3, &sum);
	ck_assert_int_eq(sum.counters[COUNTER_ACTIVE], 7);
	ck_assert_int_eq(sum.counters[COUNTER_BYTES_IN], INT64_MAX);
	ck_assert_int_eq(sum.refused[REASON_ACCESS], 4);
	stats_free(&slab, (struct stats_size){ 3, 2 });
}
END_TEST

START_TEST(every_row_has_its_words)
{
	ck_assert_ptr_null(reason_word(REASON_NONE));
	for (unsigned r = REASON_NONE + 1; r < REASONS; r++) {
		ck_assert_ptr_nonnull(reason_word((enum reason)r));
		ck_assert_ptr_nonnull(reason_help((enum reason)r));
	}
	for (unsigned c = 0; c < COUNTERS; c++)
		ck_assert_ptr_nonnull(counter_name((enum counter)c));
	ck_assert_str_eq(reason_word(REASON_DATAGRAM_TOO_LONG),
	    "datagram_too_long");
	ck_assert_str_eq(counter_name(COUNTER_REPLY_ERRORS), "reply_errors");
}
END_TEST

Suite *
stats_suite(void)
{
	Suite *suite = suite_create("stats");
	TCase *tcase = tcase_create("stats");

	tcase_add_test(tcase, two_mappings_are_one_memory);
	tcase_add_test(tcase, nobody_can_resize_the_file);
	tcase_add_test(tcase, who_knows_the_size_asks_the_file_alone);
	tcase_add_test(tcase, what_is_no_slab_is_refused);
	tcase_add_test(tcase, slots_share_no_cache_line);
	tcase_add_test(tcase, a_refusal_counts_twice);
	tcase_add_test(tcase, a_hostile_slot_is_clamped);
	tcase_add_test(tcase, every_row_has_its_words);
	suite_add_tcase(suite, tcase);
	return suite;
}
