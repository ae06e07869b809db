/* SPDX-License-Identifier: ISC */
/* The queue of arrivals that outlives their sockets. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "serve/backlog.h"
#include "serve_suites.h"

static const struct transport stream = { .is_stream = true };
static const struct transport datagram = { .is_stream = false };
static struct endpoint streams = { .transport = &stream, .fd = -1 };
static struct endpoint datagrams = { .transport = &datagram, .fd = -1 };
static struct backlog backlog;

static void
set_up(void)
{
	backlog_init(&backlog);
}

static void
tear_down(void)
{
	backlog_free(&backlog);
}

static void
must_add_stream(int fd)
{
	const struct arrival arrival = { .endpoint = &streams, .fd = fd };

	ck_assert_int_eq(backlog_add(&backlog, &arrival), 0);
}

START_TEST(arrivals_come_out_in_the_order_they_came)
{
	struct arrival arrival = { .fd = -1 };

	for (int fd = 1000; fd < 1010; fd++)
		must_add_stream(fd);
	for (int fd = 1000; fd < 1010; fd++) {
		ck_assert_int_eq(backlog_take(&backlog, &arrival, false), 0);
		ck_assert_int_eq(arrival.fd, fd);
	}
	ck_assert_int_eq(backlog_take(&backlog, &arrival, false), -EAGAIN);
}
END_TEST

START_TEST(a_datagram_is_copied_whole)
{
	char in[] = "hello", out[16] = "";
	struct arrival arrival = { .endpoint = &datagrams, .fd = -1,
		.data = in, .size = sizeof(in), .len = 5 };

	ck_assert_int_eq(backlog_add(&backlog, &arrival), 0);
	memset(in, 'x', sizeof(in));
	arrival = (struct arrival){ .data = out, .size = sizeof(out) };
	ck_assert_int_eq(backlog_take(&backlog, &arrival, true), 0);
	ck_assert_uint_eq(arrival.len, 5);
	ck_assert_ptr_eq(arrival.data, out);
	ck_assert_str_eq(out, "hello");
}
END_TEST

START_TEST(an_empty_complete_queue_says_there_will_be_no_more)
{
	struct arrival arrival = { .fd = -1 };

	must_add_stream(1000);
	backlog_complete(&backlog);
	ck_assert_int_eq(backlog_take(&backlog, &arrival, true), 0);
	ck_assert_int_eq(backlog_take(&backlog, &arrival, true), -ECANCELED);
}
END_TEST

static void *
take_one(void *arg)
{
	struct arrival arrival = { .fd = -1 };
	int *result = arg;

	*result = backlog_take(&backlog, &arrival, true);
	return NULL;
}

START_TEST(whoever_waits_is_woken_by_the_end)
{
	pthread_t threads[3];
	int results[3] = { 0 };

	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, take_one,
		    &results[i]), 0);
	backlog_complete(&backlog);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
		ck_assert_int_eq(results[i], -ECANCELED);
	}
}
END_TEST

START_TEST(forgetting_closes_all_connections_but_the_one_to_keep)
{
	int a[2], b[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, a), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, b), 0);
	must_add_stream(a[0]);
	must_add_stream(b[0]);
	backlog_forget(&backlog, b[0]);
	ck_assert_int_eq(fcntl(a[0], F_GETFD), -1);
	ck_assert_int_ge(fcntl(b[0], F_GETFD), 0);
	(void)close(a[1]);
	(void)close(b[1]);
}
END_TEST

Suite *
backlog_suite(void)
{
	Suite *suite = suite_create("backlog");
	TCase *tc = tcase_create("backlog");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, arrivals_come_out_in_the_order_they_came);
	tcase_add_test(tc, a_datagram_is_copied_whole);
	tcase_add_test(tc, an_empty_complete_queue_says_there_will_be_no_more);
	tcase_add_test(tc, whoever_waits_is_woken_by_the_end);
	tcase_add_test(tc, forgetting_closes_all_connections_but_the_one_to_keep);
	suite_add_tcase(suite, tc);
	return suite;
}
