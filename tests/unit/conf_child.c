/* SPDX-License-Identifier: ISC */
/* Whatever becomes of the child, its caller has an answer or a sentence. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conf/child.h"
#include "conf_suites.h"

static struct buf answer;
static struct err err;

static void
begin(void)
{
	buf_init(&answer, 1 << 20);
}

static void
end(void)
{
	buf_free(&answer);
	/* nobody is left behind */
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
}

static int
run(child_fn *fn, long wall_ms)
{
	const struct child_limits limits = { .cpu_s = 1, .wall_ms = wall_ms };

	return child_run(fn, NULL, &limits, &answer, &err);
}

static void
say_hello(void *arg, struct buf *out)
{
	(void)arg;
	(void)buf_puts(out, "hello");
}

static void
die(void *arg, struct buf *out)
{
	(void)arg;
	(void)buf_puts(out, "half an ans");
	(void)raise(SIGKILL);
}

static void
leave(void *arg, struct buf *out)
{
	(void)arg;
	(void)out;
	_exit(2);
}

static void
wait_for_ever(void *arg, struct buf *out)
{
	(void)arg;
	(void)out;
	for (;;)
		(void)pause();
}

static void
spin(void *arg, struct buf *out)
{
	(void)arg;
	(void)out;
	for (volatile unsigned i = 0;; i++)
		;
}

static void
say_too_much(void *arg, struct buf *out)
{
	char block[4096];

	(void)arg;
	memset(block, 'x', sizeof(block));
	while (!out->failed)
		(void)buf_append(out, block, sizeof(block));
}

START_TEST(an_answer_arrives)
{
	ck_assert_int_eq(run(say_hello, 5000), 0);
	ck_assert_str_eq(answer.data, "hello");
}
END_TEST

START_TEST(a_killed_child_is_told)
{
	ck_assert_int_eq(run(die, 5000), -ECHILD);
	ck_assert_str_eq(err.text, "was killed by SIGKILL");
}
END_TEST

START_TEST(a_child_that_exits_is_told)
{
	ck_assert_int_eq(run(leave, 5000), -ECHILD);
	ck_assert_str_eq(err.text, "ended with status 2");
}
END_TEST

START_TEST(a_child_that_waits_is_ended)
{
	ck_assert_int_eq(run(wait_for_ever, 200), -ECHILD);
	ck_assert_ptr_nonnull(strstr(err.text, "took longer"));
}
END_TEST

START_TEST(a_child_that_spins_is_ended)
{
	ck_assert_int_eq(run(spin, 20000), -ECHILD);
	ck_assert_ptr_nonnull(strstr(err.text, "was killed by SIG"));
}
END_TEST

START_TEST(an_answer_that_is_too_long_is_no_answer)
{
	ck_assert_int_eq(run(say_too_much, 5000), -ECHILD);
	ck_assert_str_eq(err.text, "ended with status 2");
}
END_TEST

/* A caller may block TERM; it must not hold for the child. */
START_TEST(blocked_signals_are_open_in_the_child)
{
	sigset_t all;

	ck_assert_int_eq(sigfillset(&all), 0);
	ck_assert_int_eq(sigprocmask(SIG_BLOCK, &all, NULL), 0);
	ck_assert_int_eq(run(say_hello, 5000), 0);
	ck_assert_str_eq(answer.data, "hello");
}
END_TEST

Suite *
child_suite(void)
{
	Suite *suite = suite_create("conf child");
	TCase *tc = tcase_create("ends");

	tcase_add_checked_fixture(tc, begin, end);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, an_answer_arrives);
	tcase_add_test(tc, a_killed_child_is_told);
	tcase_add_test(tc, a_child_that_exits_is_told);
	tcase_add_test(tc, a_child_that_waits_is_ended);
	tcase_add_test(tc, a_child_that_spins_is_ended);
	tcase_add_test(tc, an_answer_that_is_too_long_is_no_answer);
	tcase_add_test(tc, blocked_signals_are_open_in_the_child);
	suite_add_tcase(suite, tc);
	return suite;
}
