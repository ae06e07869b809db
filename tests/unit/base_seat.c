/* SPDX-License-Identifier: ISC */
/* Seats: what is written is read, and what makes no sense is not believed. */
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
#include <sys/un.h>

#include "base/clock.h"
#include "base/seat.h"
#include "base_suites.h"

static struct seat seat;
static struct seat_view view;
static struct sockaddr_in peer, local;

static void
begin(void)
{
	memset(&seat, 0, sizeof(seat));
	peer = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = 7 };
	local = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = 8 };
}

static void
sit_down(uint64_t id, const char *worker)
{
	const struct seat_entry entry = {
		.id = id, .started_at = clock_now(), .worker = worker,
		.peer = &peer, .peer_len = sizeof(peer),
		.local = &local, .local_len = sizeof(local),
	};

	seat_begin(&seat, &entry);
}

START_TEST(who_sits_down_is_seen)
{
	sit_down(42, "Thread-2");
	seat_set_bytes(&seat, 10, 20);
	ck_assert(seat_read(&seat, &view));
	ck_assert_uint_eq(view.id, 42);
	ck_assert_str_eq(view.worker, "Thread-2");
	ck_assert_uint_eq(view.bytes_in, 10);
	ck_assert_uint_eq(view.bytes_out, 20);
	ck_assert_uint_eq(view.peer_len, sizeof(peer));
	ck_assert_mem_eq(&view.peer, &peer, sizeof(peer));
	ck_assert_mem_eq(&view.local, &local, sizeof(local));
	ck_assert_int_le(view.started_at, clock_now());
	ck_assert(!view.is_killed);
}
END_TEST

START_TEST(who_has_left_is_not_seen)
{
	ck_assert(!seat_read(&seat, &view));
	sit_down(42, "Thread-2");
	seat_end(&seat);
	ck_assert(!seat_read(&seat, &view));
}
END_TEST

START_TEST(the_next_one_leaves_nothing_of_the_last)
{
	sit_down(1, "Thread-1234567");
	seat_set_bytes(&seat, 10, 20);
	ck_assert(seat_kill(&seat, 1));
	seat_end(&seat);
	sit_down(2, "T");
	ck_assert(seat_read(&seat, &view));
	ck_assert_str_eq(view.worker, "T");
	ck_assert_uint_eq(view.bytes_in, 0);
	ck_assert(!view.is_killed);
}
END_TEST

START_TEST(a_kill_finds_only_whom_it_means)
{
	ck_assert(!seat_kill(&seat, 0));
	sit_down(1, "T");
	ck_assert(!seat_kill(&seat, 2));
	ck_assert(!seat_holds_killed(&seat));
	ck_assert(seat_kill(&seat, 1));
	ck_assert(seat_holds_killed(&seat));
	ck_assert(seat_is_killed(&seat, 1));
	seat_end(&seat);
	ck_assert(!seat_holds_killed(&seat));
}
END_TEST

START_TEST(a_child_is_named_by_its_number)
{
	sit_down(1, "");
	seat_set_pid(&seat, 4711);
	ck_assert(seat_read(&seat, &view));
	ck_assert_str_eq(view.worker, "Process-4711");
	seat_set_pid(&seat, UINT32_MAX);
	ck_assert(seat_read(&seat, &view));
	ck_assert_str_eq(view.worker, "Process-4294967295");
}
END_TEST

START_TEST(the_local_address_may_follow)
{
	sit_down(1, "T");
	local.sin_port = 99;
	seat_set_local(&seat, &local, sizeof(local));
	ck_assert(seat_read(&seat, &view));
	ck_assert_mem_eq(&view.local, &local, sizeof(local));
}
END_TEST

/* A writer that died within: not read, and the next one puts it right. */
START_TEST(what_is_half_written_is_not_read)
{
	sit_down(1, "T");
	seat.sequence++;
	ck_assert(!seat_read(&seat, &view));
	sit_down(2, "T");
	ck_assert(seat_read(&seat, &view));
}
END_TEST

START_TEST(lengths_and_families_are_checked)
{
	static const socklen_t wild[] = { 0, 1, 15, 17, 112, 128, 129, 1 << 20,
		UINT32_MAX };

	sit_down(1, "T");
	for (size_t i = 0; i < sizeof(wild) / sizeof(wild[0]); i++) {
		seat.peer_len = seat.local_len = wild[i];
		ck_assert(seat_read(&seat, &view));
		ck_assert_uint_eq(view.peer_len, 0);
		ck_assert_uint_eq(view.local_len, 0);
	}
	memset((void *)&seat.peer, 0xff, sizeof(seat.peer));
	seat.peer_len = sizeof(peer);
	ck_assert(seat_read(&seat, &view));
	ck_assert_uint_eq(view.peer_len, 0);
}
END_TEST

START_TEST(an_unnamed_or_full_unix_address_is_fit)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	const struct seat_entry entry = {
		.id = 1, .worker = "T", .peer = &peer, .peer_len = 0,
		.local = &un, .local_len = sizeof(un),
	};

	memset(un.sun_path, 'x', sizeof(un.sun_path));
	seat_begin(&seat, &entry);
	ck_assert(seat_read(&seat, &view));
	ck_assert_uint_eq(view.peer_len, 0);
	ck_assert_uint_eq(view.local_len, sizeof(un));
	ck_assert_mem_eq(&view.local, &un, sizeof(un));
}
END_TEST

START_TEST(texts_and_times_are_checked)
{
	memset((void *)&seat, 0xff, sizeof(seat));
	seat.sequence = 2;
	seat.started_at = INT64_MAX;
	ck_assert(seat_read(&seat, &view));
	ck_assert_uint_eq(strlen(view.worker), SEAT_WORKER_SIZE - 1);
	ck_assert_int_eq(view.worker[0], '?');
	ck_assert_int_le(view.started_at, clock_now());
	seat.started_at = -1;
	ck_assert(seat_read(&seat, &view));
	ck_assert_int_ge(view.started_at, 0);
}
END_TEST

static void *
sit_in_turns(void *arg)
{
	(void)arg;
	for (uint64_t id = 1; id <= 200000; id++) {
		peer.sin_port = local.sin_port = (in_port_t)id;
		sit_down(id, "T");
	}
	return NULL;
}

START_TEST(a_reader_never_sees_two_at_once)
{
	pthread_t thread;
	uint64_t id = 0;

	ck_assert_int_eq(pthread_create(&thread, NULL, sit_in_turns, NULL), 0);
	while (id < 200000) {
		struct sockaddr_in a, b;

		if (!seat_read(&seat, &view))
			continue;
		id = view.id;
		memcpy(&a, &view.peer, sizeof(a));
		memcpy(&b, &view.local, sizeof(b));
		ck_assert_uint_eq(a.sin_port, (in_port_t)id);
		ck_assert_uint_eq(b.sin_port, (in_port_t)id);
	}
	(void)pthread_join(thread, NULL);
}
END_TEST

START_TEST(only_the_wait_that_was_meant_is_shed)
{
	seat_idle_begin(&seat, 100);
	ck_assert(!seat_shed(&seat, 0));
	ck_assert(!seat_shed(&seat, 99));
	ck_assert(!seat_idle_end(&seat, false));
	ck_assert(!seat_shed(&seat, 100));       /* its message has come */
	seat_idle_begin(&seat, 200);
	ck_assert(seat_shed(&seat, 200));
	ck_assert(seat_is_shed(&seat));
	ck_assert_int_eq(seat_idle_since(&seat, clock_now()), SEAT_SHED);
	ck_assert(!seat_shed(&seat, SEAT_SHED));
	ck_assert(seat_idle_end(&seat, true));
	ck_assert(!seat_is_shed(&seat));
	ck_assert(!seat_idle_end(&seat, true));
	seat_idle_begin(&seat, 300);
	ck_assert(seat_shed(&seat, 300));
	ck_assert(!seat_idle_end(&seat, false)); /* its message came as well */
	ck_assert_int_eq(seat_idle_since(&seat, 0), 0);
	seat_idle_begin(&seat, 400);
	ck_assert(seat_shed(&seat, 400));
	seat_end(&seat);                        /* it has died meanwhile */
	ck_assert_int_eq(seat_idle_since(&seat, 0), 0);
}
END_TEST

START_TEST(who_was_shed_is_about_to_leave_for_a_second)
{
	seat_idle_begin(&seat, 100);
	ck_assert(seat_shed(&seat, 100));
	ck_assert_int_eq(seat_idle_since(&seat, clock_now()), SEAT_SHED);
	ck_assert_int_eq(seat_idle_since(&seat, clock_now() + CLOCK_SECOND), 0);
	ck_assert(seat_is_shed(&seat));         /* all the same */
	ck_assert(seat_idle_end(&seat, true));
	ck_assert_int_eq(seat_idle_since(&seat, clock_now()), SEAT_SHED);
	ck_assert_int_eq(seat_idle_since(&seat, clock_now() + CLOCK_SECOND), 0);
	ck_assert(!seat_shed(&seat, SEAT_SHED));
}
END_TEST

START_TEST(seats_share_no_cache_line)
{
	ck_assert_uint_eq(sizeof(struct seat) % 64, 0);
	ck_assert_uint_ge(SEAT_ADDRESS_SIZE, sizeof(struct sockaddr_un));
}
END_TEST

Suite *
seat_suite(void)
{
	Suite *suite = suite_create("seat");
	TCase *tcase = tcase_create("seat");

	tcase_add_checked_fixture(tcase, begin, NULL);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, who_sits_down_is_seen);
	tcase_add_test(tcase, who_has_left_is_not_seen);
	tcase_add_test(tcase, the_next_one_leaves_nothing_of_the_last);
	tcase_add_test(tcase, a_kill_finds_only_whom_it_means);
	tcase_add_test(tcase, a_child_is_named_by_its_number);
	tcase_add_test(tcase, the_local_address_may_follow);
	tcase_add_test(tcase, what_is_half_written_is_not_read);
	tcase_add_test(tcase, lengths_and_families_are_checked);
	tcase_add_test(tcase, an_unnamed_or_full_unix_address_is_fit);
	tcase_add_test(tcase, texts_and_times_are_checked);
	tcase_add_test(tcase, a_reader_never_sees_two_at_once);
	tcase_add_test(tcase, only_the_wait_that_was_meant_is_shed);
	tcase_add_test(tcase, who_was_shed_is_about_to_leave_for_a_second);
	tcase_add_test(tcase, seats_share_no_cache_line);
	suite_add_tcase(suite, tcase);
	return suite;
}
