/* SPDX-License-Identifier: ISC */
/* Connections without a word: what becomes of them, and of those that go from
 * one process to another. */
#include <check.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/channel.h"
#include "base/clock.h"
#include "base/fd.h"
#include "serve/lobby.h"
#include "serve/relay.h"
#include "serve_suites.h"

#define SEATS 4
#define FIRST_SEAT 1
#define ADMITTED 10

static const struct transport stream = { .scheme = "tcp", .is_stream = true };
static struct endpoint endpoints[2] = {
	{ .transport = &stream, .fd = -1 }, { .transport = &stream, .fd = -1 },
};
static struct listener_conf conf;
static struct module module;
static struct host host;
static struct loop *loop;
static struct lobby *lobby;
static struct arrival last_ready, last_shed;
static int ready_count, shed_count;

static void
note_ready(void *arg, struct arrival *arrival)
{
	(void)arg;
	last_ready = *arrival;
	ready_count++;
	fd_close(&arrival->fd);
}

static void
note_shed(void *arg, struct arrival *arrival)
{
	(void)arg;
	last_shed = *arrival;
	shed_count++;
	fd_close(&arrival->fd);
}

static void
must_make_lobby(void)
{
	lobby = lobby_new(loop, &host, FIRST_SEAT, note_ready, NULL);
	ck_assert_ptr_nonnull(lobby);
}

static void
set_up(void)
{
	int fd;

	memset(&conf, 0, sizeof(conf));
	memset(&host, 0, sizeof(host));
	conf.name = "test";
	conf.timeout_ms = 60000;
	host.conf = &conf;
	host.module = &module;
	host.size = (struct stats_size){ 2, SEATS };
	host.slab = stats_new(host.size, &fd);
	ck_assert_ptr_nonnull(host.slab);
	(void)close(fd);
	host.stats = &host.slab->slots[0];
	stats_add(host.stats, COUNTER_ACCEPTED, ADMITTED);
	stats_add(host.stats, COUNTER_ACTIVE, ADMITTED);
	loop = loop_new();
	ready_count = shed_count = 0;
	must_make_lobby();
}

static void
tear_down(void)
{
	lobby_free(&lobby);
	loop_free(&loop);
	stats_free(&host.slab, host.size);
}

/* Our end; the peer's is returned. */
static int
must_add(void)
{
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
	    ends), 0);
	const struct arrival arrival = {
		.endpoint = &endpoints[0], .fd = ends[0],
	};
	ck_assert_int_eq(lobby_add(lobby, &arrival), 0);
	return ends[1];
}

static void
turn_until(const int *count, int wanted)
{
	int64_t until = clock_after_ms(10000);

	while (*count < wanted && clock_now() < until)
		(void)loop_turn(loop, clock_left_ms(until));
	ck_assert_int_eq(*count, wanted);
}

static void
turn_once(void)
{
	(void)loop_turn(loop, 0);
}

static int64_t
counted(enum counter counter)
{
	return atomic_load(&host.stats->counters[counter]);
}

START_TEST(who_says_nothing_waits)
{
	int peer = must_add();

	turn_once();
	turn_once();
	ck_assert_int_eq(ready_count, 0);
	ck_assert_uint_eq(stats_silent(host.slab, 2), 1);
	(void)close(peer);
}
END_TEST

START_TEST(a_word_or_the_end_makes_it_ready)
{
	int one = must_add(), other = must_add();

	ck_assert_int_eq(send(one, "x", 1, 0), 1);
	turn_until(&ready_count, 1);
	ck_assert_uint_ne(last_ready.id, 0);
	ck_assert_int_gt(last_ready.since, 0);
	(void)close(other);
	turn_until(&ready_count, 2);
	ck_assert_uint_eq(stats_silent(host.slab, 2), 0);
	(void)close(one);
}
END_TEST

START_TEST(it_sits_where_it_can_be_seen_as_long_as_there_are_seats)
{
	struct seat_view view;
	int peers[SEATS];

	for (int i = 0; i < SEATS; i++)
		peers[i] = must_add();
	turn_once();
	ck_assert(!seat_read(host_seat(&host, 0), &view));
	for (unsigned i = FIRST_SEAT; i < SEATS; i++)
		ck_assert(seat_read(host_seat(&host, i), &view));
	for (int i = 0; i < SEATS; i++)
		(void)close(peers[i]);
	turn_until(&ready_count, SEATS);
	for (unsigned i = FIRST_SEAT; i < SEATS; i++)
		ck_assert(!seat_read(host_seat(&host, i), &view));
}
END_TEST

START_TEST(its_time_runs_from_when_it_came)
{
	int peer;
	char byte;

	lobby_free(&lobby);
	conf.timeout_ms = 0;
	conf.session_timeout_ms = 30;
	must_make_lobby();
	int64_t began = clock_now();
	peer = must_add();
	while (counted(COUNTER_ERRORS) == 0)
		(void)loop_turn(loop, 1000);
	ck_assert_int_ge(clock_now() - began, 30 * CLOCK_MS);
	ck_assert_int_eq(recv(peer, &byte, 1, 0), 0);
	ck_assert_int_eq(counted(COUNTER_ACTIVE), ADMITTED - 1);
	ck_assert_int_eq(ready_count, 0);
	(void)close(peer);
}
END_TEST

START_TEST(one_can_be_killed_by_its_number)
{
	struct seat_view view;
	int peer = must_add();
	char byte;

	turn_once();
	ck_assert(seat_read(host_seat(&host, FIRST_SEAT), &view));
	ck_assert(!lobby_kill(lobby, view.id + 1));
	ck_assert(lobby_kill(lobby, view.id));
	ck_assert_int_eq(recv(peer, &byte, 1, 0), 0);
	ck_assert_int_eq(counted(COUNTER_ERRORS), 1);
	ck_assert(!lobby_kill(lobby, view.id));
	(void)close(peer);
}
END_TEST

START_TEST(beyond_the_limit_the_oldest_is_shed)
{
	int peers[3];

	lobby_limit(lobby, 2, note_shed);
	for (int i = 0; i < 3; i++)
		peers[i] = must_add();
	turn_until(&shed_count, 1);
	ck_assert_uint_eq(stats_silent(host.slab, 2), 2);
	/* request numbers are given in the order of coming */
	ck_assert_uint_eq(last_shed.id, 1);
	for (int i = 0; i < 3; i++)
		(void)close(peers[i]);
}
END_TEST

START_TEST(it_closes_when_it_is_empty_and_takes_nobody_then)
{
	struct arrival arrival;
	int peer = must_add();

	ck_assert(!lobby_close(lobby));
	ck_assert(lobby_pop(lobby, &arrival));
	ck_assert(lobby_close(lobby));
	ck_assert_int_eq(lobby_add(lobby, &arrival), -ECANCELED);
	ck_assert(!lobby_pop(lobby, &arrival));
	(void)close(arrival.fd);
	(void)close(peer);
}
END_TEST

/* -- the relay ---------------------------------------------------------- */

static struct relay here, there;
static struct host other;

static void
relay_set_up(void)
{
	int ends[2];

	set_up();
	other = host;
	other.slot = 1;
	other.stats = &host.slab->slots[1];
	ck_assert_int_eq(channel_pair(ends), 0);
	here = (struct relay){ ends[0], ends[1], &host, endpoints, 2 };
	there = here;
	there.host = &other;
}

static void
relay_tear_down(void)
{
	relay_close(&here);
	tear_down();
}

START_TEST(a_connection_moves_with_all_that_is_known_of_it)
{
	struct arrival got;
	int ends[2];
	char byte;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	struct arrival sent = {
		.endpoint = &endpoints[1], .fd = ends[0], .id = 7, .since = 99,
		.peer = { .ss_family = AF_UNIX }, .peer_len = 2,
	};
	ck_assert_int_eq(relay_take(&there, &got), -EAGAIN);
	ck_assert_int_eq(relay_send(&here, &sent), 0);
	ck_assert_int_eq(sent.fd, -1);
	ck_assert_int_eq(relay_count(&there), 1);
	ck_assert_int_eq(relay_take(&there, &got), 0);
	ck_assert_ptr_eq(got.endpoint, &endpoints[1]);
	ck_assert_uint_eq(got.id, 7);
	ck_assert_int_eq(got.since, 99);
	ck_assert_uint_eq(got.peer_len, 2);
	ck_assert_int_eq(got.peer.ss_family, AF_UNIX);
	ck_assert_int_eq(send(got.fd, "x", 1, 0), 1);
	ck_assert_int_eq(recv(ends[1], &byte, 1, 0), 1);
	(void)close(got.fd);
	(void)close(ends[1]);
}
END_TEST

/* accepted = served + failed + refused + active, at each moment */
START_TEST(it_is_active_somewhere_all_the_time)
{
	struct arrival arrival = { .endpoint = &endpoints[0], .id = 1 };
	struct stats sum;
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	arrival.fd = ends[0];
	ck_assert_int_eq(relay_send(&here, &arrival), 0);
	ck_assert_int_eq(counted(COUNTER_ACTIVE), ADMITTED - 1);
	memset(&sum, 0, sizeof(sum));
	stats_sum(host.slab, 2, &sum);
	ck_assert_int_eq(sum.counters[COUNTER_ACTIVE], ADMITTED);
	ck_assert_int_eq(relay_take(&there, &arrival), 0);
	ck_assert_int_eq(other.stats->counters[COUNTER_ACTIVE], 1);
	ck_assert_int_eq(relay_count(&here), 0);
	ck_assert_int_eq(host.stats->passed + other.stats->passed, 0);
	(void)close(arrival.fd);
	(void)close(ends[1]);
}
END_TEST

START_TEST(what_is_no_connection_is_told_from_one)
{
	struct arrival arrival = { .endpoint = &endpoints[0], .id = 1 };

	ck_assert_int_eq(send(here.out, "hello", 5, 0), 5);
	ck_assert_int_eq(relay_take(&here, &arrival), -EBADMSG);
	ck_assert_int_eq(relay_take(&here, &arrival), -EAGAIN);
	arrival.fd = -1;
	ck_assert_int_lt(relay_send(&here, &arrival), 0);
	ck_assert_int_eq(counted(COUNTER_ACTIVE), ADMITTED);
	arrival.id = 0;
	ck_assert_int_eq((arrival.fd = dup(2)) >= 0, 1);
	ck_assert_int_eq(relay_send(&here, &arrival), 0);
	ck_assert_int_eq(relay_take(&here, &arrival), -EBADMSG);
}
END_TEST

Suite *
lobby_suite(void)
{
	Suite *suite = suite_create("lobby");
	TCase *tc = tcase_create("lobby"), *relay = tcase_create("relay");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, who_says_nothing_waits);
	tcase_add_test(tc, a_word_or_the_end_makes_it_ready);
	tcase_add_test(tc,
	    it_sits_where_it_can_be_seen_as_long_as_there_are_seats);
	tcase_add_test(tc, its_time_runs_from_when_it_came);
	tcase_add_test(tc, one_can_be_killed_by_its_number);
	tcase_add_test(tc, beyond_the_limit_the_oldest_is_shed);
	tcase_add_test(tc, it_closes_when_it_is_empty_and_takes_nobody_then);
	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(relay, relay_set_up, relay_tear_down);
	tcase_add_test(relay, a_connection_moves_with_all_that_is_known_of_it);
	tcase_add_test(relay, it_is_active_somewhere_all_the_time);
	tcase_add_test(relay, what_is_no_connection_is_told_from_one);
	suite_add_tcase(suite, relay);
	return suite;
}
