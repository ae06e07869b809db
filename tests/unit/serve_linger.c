/* SPDX-License-Identifier: ISC */
/* Closing without a reset: what the list does with peers that go on sending. */
#include <check.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "serve/linger.h"
#include "serve_suites.h"

static struct loop *loop;
static struct linger_list *list;
static bool is_idle;

static void
set_up(void)
{
	loop = loop_new();
	ck_assert_ptr_nonnull(loop);
	list = linger_new(loop);
	ck_assert_ptr_nonnull(list);
	is_idle = false;
}

static void
tear_down(void)
{
	linger_free(&list);
	loop_free(&loop);
}

static void
note_idle(void *arg)
{
	(void)arg;
	is_idle = true;
}

static int
must_linger(void)
{
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	linger_add(list, ends[0]);
	return ends[1];
}

/* Turn the loop until `done` or the deadline. */
static void
turn_until(const bool *done)
{
	int64_t until = clock_after_ms(10000);

	while (!*done && clock_now() < until)
		(void)loop_turn(loop, clock_left_ms(until));
	ck_assert(*done);
}

START_TEST(an_empty_list_is_idle_at_once)
{
	linger_when_idle(list, note_idle, NULL);
	ck_assert(is_idle);
}
END_TEST

START_TEST(what_the_peer_sends_is_read_away_until_it_ends)
{
	static const char block[65536];
	int peer = must_linger();

	linger_when_idle(list, note_idle, NULL);
	ck_assert(!is_idle);
	for (int i = 0; i < 64; i++) {
		size_t sent = 0;
		while (sent < sizeof(block)) {
			ssize_t n = send(peer, block + sent,
			    sizeof(block) - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
			if (n > 0)
				sent += (size_t)n;
			else
				(void)loop_turn(loop, 1000);
		}
	}
	(void)close(peer);
	turn_until(&is_idle);
}
END_TEST

START_TEST(a_peer_that_never_ends_is_given_up)
{
	char byte;
	int peer = must_linger();

	linger_when_idle(list, note_idle, NULL);
	turn_until(&is_idle);
	ck_assert_int_eq(recv(peer, &byte, 1, 0), 0);
	(void)close(peer);
}
END_TEST

START_TEST(one_too_many_is_closed_at_once)
{
	enum { MANY = 300 };
	int peers[MANY], closed = 0;
	char byte;

	for (int i = 0; i < MANY; i++)
		peers[i] = must_linger();
	for (int i = 0; i < MANY; i++) {
		if (recv(peers[i], &byte, 1, MSG_DONTWAIT) == 0)
			closed++;
		(void)close(peers[i]);
	}
	ck_assert_int_eq(closed, MANY - 256);
	linger_when_idle(list, note_idle, NULL);
	turn_until(&is_idle);
}
END_TEST

Suite *
linger_suite(void)
{
	Suite *suite = suite_create("linger");
	TCase *tc = tcase_create("linger");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, an_empty_list_is_idle_at_once);
	tcase_add_test(tc, what_the_peer_sends_is_read_away_until_it_ends);
	tcase_add_test(tc, a_peer_that_never_ends_is_given_up);
	tcase_add_test(tc, one_too_many_is_closed_at_once);
	suite_add_tcase(suite, tc);
	return suite;
}
