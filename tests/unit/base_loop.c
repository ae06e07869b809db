/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/loop.h"
#include "base_suites.h"

#define MANY 200

static struct loop *loop;
static struct watch *survivor;  /* the one that stop_other() was called for */
static int calls;
static unsigned seen;           /* events of the last call */

static void
begin(void)
{
	loop = loop_new();
	ck_assert_ptr_nonnull(loop);
	survivor = NULL;
	calls = 0;
}

static void
end(void)
{
	loop_free(&loop);
	ck_assert_ptr_null(loop);
	loop_free(&loop);
}

/* A pipe with a byte in it: readable at once. */
static int
readable(void)
{
	int fds[2];

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	ck_assert_int_eq(fd_write_all(fds[1], "x", 1), 0);
	return fds[0];
}

static void
turn(void)
{
	ck_assert_int_eq(loop_turn(loop, 0), 0);
}

static void
count(struct watch *watch, uint32_t events)
{
	(void)watch;
	seen = events;
	calls++;
}

START_TEST(a_watch_is_called_while_it_is_ready)
{
	struct watch watch;
	char byte;

	ck_assert_int_eq(watch_start(loop, &watch, readable(), EPOLLIN, count,
	    NULL), 0);
	turn();
	turn();
	ck_assert_int_eq(calls, 2);
	ck_assert_uint_eq(seen, EPOLLIN);
	ck_assert_int_eq(read(watch.fd, &byte, 1), 1);
	turn();
	ck_assert_int_eq(calls, 2);
	watch_stop(loop, &watch);
	ck_assert_int_eq(watch.fd, -1);
	watch_stop(loop, &watch);
}
END_TEST

START_TEST(a_watch_changes_what_it_waits_for)
{
	struct watch watch;
	int fd = readable();

	ck_assert_int_eq(watch_start(loop, &watch, fd, 0, count, NULL), 0);
	turn();
	ck_assert_int_eq(calls, 0);
	ck_assert_int_eq(watch_change(loop, &watch, EPOLLIN), 0);
	turn();
	ck_assert_int_eq(calls, 1);
	watch_stop(loop, &watch);
}
END_TEST

START_TEST(a_watch_that_cannot_start_is_stopped)
{
	struct watch watch = { 0 };
	int fd = open("/", O_RDONLY | O_CLOEXEC);

	watch_stop(loop, &watch);       /* never started */
	ck_assert_int_eq(watch_start(loop, &watch, fd, EPOLLIN, count, NULL),
	    -EPERM);
	ck_assert_int_eq(watch.fd, -1);
	ck_assert_int_eq(watch_start(loop, &watch, -1, EPOLLIN, count, NULL),
	    -EBADF);
	watch_stop(loop, &watch);
}
END_TEST

/* Frees the other watch and puts a new pipe in the place of its descriptor. */
static void
stop_other(struct watch *watch, uint32_t events)
{
	struct watch *other = watch->arg;
	const int fd = other->fd;

	count(watch, events);
	ck_assert_ptr_null(survivor);
	survivor = watch;
	watch_stop(loop, other);
	ck_assert_int_eq(dup2(readable(), fd), fd);
	free(other);
}

START_TEST(a_stopped_watch_is_not_called_in_the_same_turn)
{
	struct watch *a = malloc(sizeof(*a)), *b = malloc(sizeof(*b));

	ck_assert(a && b);
	ck_assert_int_eq(watch_start(loop, a, readable(), EPOLLIN, stop_other,
	    b), 0);
	ck_assert_int_eq(watch_start(loop, b, readable(), EPOLLIN, stop_other,
	    a), 0);
	turn();                 /* both are ready; the first frees the other */
	ck_assert_int_eq(calls, 1);
	watch_stop(loop, survivor);
	free(survivor);
}
END_TEST

static void
stop_itself(struct watch *watch, uint32_t events)
{
	count(watch, events);
	watch_stop(loop, watch);
	free(watch);
}

START_TEST(a_watch_may_free_itself)
{
	for (int i = 0; i < MANY; i++) {
		struct watch *watch = malloc(sizeof(*watch));

		ck_assert_ptr_nonnull(watch);
		ck_assert_int_eq(watch_start(loop, watch, readable(), EPOLLIN,
		    stop_itself, NULL), 0);
	}
	for (int i = 0; i < MANY && calls < MANY; i++)
		turn();
	ck_assert_int_eq(calls, MANY);
	turn();
	ck_assert_int_eq(calls, MANY);
}
END_TEST

/* Stops the other and starts it anew on another descriptor, not readable. */
static void
restart_other(struct watch *watch, uint32_t events)
{
	struct watch *other = watch->arg;
	int fds[2];

	count(watch, events);
	ck_assert_int_eq(pipe(fds), 0);
	watch_stop(loop, other);
	ck_assert_int_eq(watch_start(loop, other, fds[0], EPOLLIN,
			     restart_other, watch),
	    0);
}

START_TEST(a_restarted_watch_gets_no_old_event)
{
	struct watch a, b;

	ck_assert_int_eq(watch_start(loop, &a, readable(), EPOLLIN,
	    restart_other, &b), 0);
	ck_assert_int_eq(watch_start(loop, &b, readable(), EPOLLIN,
	    restart_other, &a), 0);
	turn();
	ck_assert_int_eq(calls, 1);
	watch_stop(loop, &a);
	watch_stop(loop, &b);
}
END_TEST

static void
silence_other(struct watch *watch, uint32_t events)
{
	count(watch, events);
	ck_assert_int_eq(watch_change(loop, watch->arg, EPOLLOUT), 0);
}

START_TEST(a_changed_watch_gets_no_old_event)
{
	struct watch a, b;

	ck_assert_int_eq(watch_start(loop, &a, readable(), EPOLLIN,
	    silence_other, &b), 0);
	ck_assert_int_eq(watch_start(loop, &b, readable(), EPOLLIN,
	    silence_other, &a), 0);
	turn();
	ck_assert_int_eq(calls, 1);
	watch_stop(loop, &a);
	watch_stop(loop, &b);
}
END_TEST

static int64_t last_at;

static void
in_order(struct timer *timer)
{
	ck_assert_int_ge(timer->at, last_at);
	ck_assert(!timer_is_running(timer));
	last_at = timer->at;
	calls++;
}

START_TEST(timers_run_in_order)
{
	struct timer timers[MANY] = { 0 };
	unsigned random = 1;

	for (int i = 0; i < MANY; i++) {
		random = random * 1103515245 + 12345;
		ck_assert_int_eq(timer_start(loop, &timers[i],
		    1 + random / 65536 % 1000, in_order, NULL), 0);
	}
	for (int i = 0; i < MANY; i += 3)       /* moved */
		ck_assert_int_eq(timer_start(loop, &timers[i],
		    2000 - timers[i].at, in_order, NULL), 0);
	for (int i = 1; i < MANY; i += 3)       /* stopped */
		timer_stop(loop, &timers[i]);
	last_at = 0;
	turn();
	ck_assert_int_eq(calls, MANY - (MANY + 1) / 3);
	for (int i = 0; i < MANY; i++)
		ck_assert(!timer_is_running(&timers[i]));
}
END_TEST

static void
start_again(struct timer *timer)
{
	calls++;
	ck_assert_int_eq(timer_start(loop, timer, 1, start_again, NULL), 0);
}

START_TEST(a_timer_that_starts_itself_does_not_hold_the_turn)
{
	struct timer timer = { 0 };

	ck_assert_int_eq(timer_start(loop, &timer, 1, start_again, NULL), 0);
	turn();
	ck_assert_int_eq(calls, 1);
	ck_assert(timer_is_running(&timer));
	turn();
	ck_assert_int_eq(calls, 2);
	timer_stop(loop, &timer);
	timer_stop(loop, &timer);
}
END_TEST

static void
stop_other_timer(struct timer *timer)
{
	calls++;
	timer_stop(loop, timer->arg);
}

START_TEST(a_stopped_timer_does_not_run_in_the_same_turn)
{
	struct timer a = { 0 }, b = { 0 };

	ck_assert_int_eq(timer_start(loop, &a, 1, stop_other_timer, &b), 0);
	ck_assert_int_eq(timer_start(loop, &b, 2, stop_other_timer, &a), 0);
	turn();
	ck_assert_int_eq(calls, 1);
	ck_assert(!timer_is_running(&b));
}
END_TEST

static void
count_timer(struct timer *timer)
{
	(void)timer;
	calls++;
}

START_TEST(a_turn_ends_with_the_first_timer)
{
	struct timer timer = { 0 };
	const int64_t at = clock_now() + 20 * CLOCK_MS;

	ck_assert_int_eq(timer_start(loop, &timer, at, count_timer, NULL), 0);
	ck_assert_int_eq(loop_turn(loop, -1), 0);
	ck_assert_int_eq(calls, 1);
	ck_assert_int_ge(loop_now(loop), at);
}
END_TEST

START_TEST(a_turn_ends_after_its_limit)
{
	struct timer timer = { 0 }, never = { 0 };

	ck_assert_int_eq(timer_start(loop, &never, CLOCK_NEVER, count_timer,
	    NULL), 0);
	ck_assert_int_eq(loop_turn(loop, 1), 0);
	ck_assert_int_eq(timer_start(loop, &timer, clock_now() + CLOCK_SECOND *
	    3600, count_timer, NULL), 0);
	ck_assert_int_eq(loop_turn(loop, 1), 0);
	ck_assert_int_eq(calls, 0);
}
END_TEST

static void
stop_timer(struct watch *watch, uint32_t events)
{
	count(watch, events);
	timer_stop(loop, watch->arg);
}

START_TEST(an_event_in_time_beats_its_deadline)
{
	struct timer deadline = { 0 };
	struct watch watch;

	ck_assert_int_eq(timer_start(loop, &deadline, 1, count_timer, NULL), 0);
	ck_assert_int_eq(watch_start(loop, &watch, readable(), EPOLLIN,
	    stop_timer, &deadline), 0);
	turn();
	ck_assert_int_eq(calls, 1);
	ck_assert(!timer_is_running(&deadline));
	watch_stop(loop, &watch);
}
END_TEST

Suite *
loop_suite(void)
{
	Suite *suite = suite_create("loop");
	TCase *tcase = tcase_create("loop");

	tcase_add_checked_fixture(tcase, begin, end);
	tcase_add_test(tcase, a_watch_is_called_while_it_is_ready);
	tcase_add_test(tcase, a_watch_changes_what_it_waits_for);
	tcase_add_test(tcase, a_watch_that_cannot_start_is_stopped);
	tcase_add_test(tcase, a_stopped_watch_is_not_called_in_the_same_turn);
	tcase_add_test(tcase, a_watch_may_free_itself);
	tcase_add_test(tcase, a_restarted_watch_gets_no_old_event);
	tcase_add_test(tcase, a_changed_watch_gets_no_old_event);
	tcase_add_test(tcase, timers_run_in_order);
	tcase_add_test(tcase,
	    a_timer_that_starts_itself_does_not_hold_the_turn);
	tcase_add_test(tcase, a_stopped_timer_does_not_run_in_the_same_turn);
	tcase_add_test(tcase, a_turn_ends_with_the_first_timer);
	tcase_add_test(tcase, a_turn_ends_after_its_limit);
	tcase_add_test(tcase, an_event_in_time_beats_its_deadline);
	suite_add_tcase(suite, tcase);
	return suite;
}
