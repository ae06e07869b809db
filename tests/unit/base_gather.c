/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/gather.h"
#include "base_suites.h"

#define PATIENCE_MS 20000

static int file;
static struct gather *gather;
static char written[1 << 20];   /* by the gather */
static size_t written_len;
static unsigned lines, writes;

static void
keep(char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		lines += text[i] == '\n';
	ck_assert_uint_le(len, GATHER_MAX);
	ck_assert_uint_le(written_len + len, sizeof(written));
	memcpy(written + written_len, text, len);
	written_len += len;
	text[-1] = '\n';        /* it may */
	writes++;
}

static void
begin(void)
{
	file = gather_new(3);
	ck_assert_int_ge(file, 0);
	gather = gather_open(file, 1, keep);
	ck_assert_ptr_nonnull(gather);
}

static void
end(void)
{
	gather_close(&gather);
	(void)close(file);
}

static void
put(const char *line)
{
	gather_put(gather, line, strlen(line));
}

/* Is the timer readable within this time? */
static bool
is_due(int ms)
{
	struct pollfd pfd = { .fd = gather_timer(gather), .events = POLLIN };

	return poll(&pfd, 1, ms) == 1;
}

START_TEST(lines_wait_and_are_written_together)
{
	put("one\n");
	put("two\n");
	ck_assert_uint_eq(writes, 0);
	gather_flush(gather);
	ck_assert_uint_eq(writes, 1);
	ck_assert_uint_eq(lines, 2);
	ck_assert_uint_eq(written_len, 8);
	ck_assert_int_eq(memcmp(written, "one\ntwo\n", 8), 0);
	gather_flush(gather);
	ck_assert_uint_eq(writes, 1);
}
END_TEST

START_TEST(a_full_gather_is_written_before_the_next_line)
{
	char line[101];

	memset(line, 'x', 99);
	memcpy(line + 99, "\n", 2);
	for (int i = 0; i <= GATHER_MAX / 100; i++)
		put(line);
	ck_assert_uint_eq(writes, 1);
	ck_assert_uint_eq(lines, GATHER_MAX / 100);
	gather_close(&gather);
	ck_assert_uint_eq(writes, 2);
	ck_assert_uint_eq(lines, GATHER_MAX / 100 + 1);
}
END_TEST

START_TEST(a_line_of_the_largest_size_fits)
{
	char line[GATHER_MAX];

	memset(line, 'x', sizeof(line));
	put("first\n");
	gather_put(gather, line, sizeof(line));
	gather_flush(gather);
	ck_assert_uint_eq(writes, 2);
	ck_assert_uint_eq(written_len, 6 + GATHER_MAX);
}
END_TEST

START_TEST(the_timer_runs_while_lines_wait)
{
	ck_assert(!is_due(0));
	put("one\n");
	ck_assert(is_due(PATIENCE_MS));
	gather_due(gather);
	ck_assert_uint_eq(lines, 1);
	ck_assert(!is_due(3 * GATHER_MS));
	put("two\n");
	ck_assert(is_due(PATIENCE_MS));
	gather_due(gather);
	ck_assert_uint_eq(lines, 2);
}
END_TEST

static int64_t
timer_ms(void)
{
	struct itimerspec left;

	ck_assert_int_eq(timerfd_gettime(gather_timer(gather), &left), 0);
	return left.it_value.tv_sec * 1000 + left.it_value.tv_nsec / 1000000;
}

START_TEST(many_lines_wait_longer_few_do_not)
{
	for (int i = 0; i < GATHER_MANY; i++)
		put("one of many\n");
	ck_assert_int_le(timer_ms(), GATHER_MS);
	gather_due(gather);
	put("alone\n");
	ck_assert_int_gt(timer_ms(), GATHER_MS);
	ck_assert_int_le(timer_ms(), GATHER_LONG_MS);
	gather_due(gather);
	put("alone again\n");
	ck_assert_int_le(timer_ms(), GATHER_MS);
}
END_TEST

START_TEST(a_dead_process_s_lines_are_rescued_once)
{
	char found[GATHER_MAX];
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct gather *own = gather_open(file, 2, keep);
		gather_put(own, "one\n", 4);
		gather_put(own, "two\n", 4);
		(void)raise(SIGKILL);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_uint_eq(gather_rescue(file, 1, found), 0);
	ck_assert_uint_eq(gather_rescue(file, 2, found), 8);
	ck_assert_int_eq(memcmp(found, "one\ntwo\n", 8), 0);
	ck_assert_uint_eq(gather_rescue(file, 2, found), 0);
}
END_TEST

START_TEST(a_length_that_is_none_is_survived)
{
	const uint32_t huge = UINT32_MAX;
	char found[GATHER_MAX];

	ck_assert_int_eq(pwrite(file, &huge, sizeof(huge), 0), sizeof(huge));
	ck_assert_uint_eq(gather_rescue(file, 0, found), GATHER_MAX);
	ck_assert_uint_eq(gather_rescue(file, 0, found), 0);
	/* not of this file */
	ck_assert_uint_eq(gather_rescue(file, 99, found), 0);
	ck_assert_uint_eq(gather_rescue(-1, 0, found), 0);
}
END_TEST

START_TEST(no_process_can_resize_the_file)
{
	ck_assert_int_eq(ftruncate(file, 0), -1);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_ptr_null(gather_open(-1, 0, keep));
}
END_TEST

#define THREADS 4
#define EACH 2000

static void *
put_many(void *arg)
{
	char line[64];

	for (int i = 0; i < EACH; i++) {
		(void)snprintf(line, sizeof(line), "thread %d line %d\n",
		    (int)(intptr_t)arg, i);
		put(line);
	}
	return NULL;
}

START_TEST(threads_do_not_mix_lines)
{
	pthread_t threads[THREADS];
	int next[THREADS] = { 0 };
	char *at = written;

	for (intptr_t i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, put_many,
		    (void *)i), 0);
	for (int i = 0; i < THREADS; i++)
		(void)pthread_join(threads[i], NULL);
	gather_flush(gather);
	ck_assert_uint_eq(lines, THREADS * EACH);
	for (unsigned i = 0; i < lines; i++, at = strchr(at, '\n') + 1) {
		int thread, line;
		ck_assert_int_eq(sscanf(at, "thread %d line %d\n", &thread,
		    &line), 2);
		ck_assert(thread >= 0 && thread < THREADS);
		ck_assert_int_eq(line, next[thread]++);
	}
}
END_TEST

Suite *
gather_suite(void)
{
	Suite *suite = suite_create("gather");
	TCase *tcase = tcase_create("gather");

	tcase_add_checked_fixture(tcase, begin, end);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, lines_wait_and_are_written_together);
	tcase_add_test(tcase, a_full_gather_is_written_before_the_next_line);
	tcase_add_test(tcase, a_line_of_the_largest_size_fits);
	tcase_add_test(tcase, the_timer_runs_while_lines_wait);
	tcase_add_test(tcase, many_lines_wait_longer_few_do_not);
	tcase_add_test(tcase, a_dead_process_s_lines_are_rescued_once);
	tcase_add_test(tcase, a_length_that_is_none_is_survived);
	tcase_add_test(tcase, no_process_can_resize_the_file);
	tcase_add_test(tcase, threads_do_not_mix_lines);
	suite_add_tcase(suite, tcase);
	return suite;
}
