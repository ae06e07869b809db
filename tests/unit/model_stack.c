/* SPDX-License-Identifier: ISC */
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/stack.h"
#include "model_suites.h"

#define SIZE (64 << 10)
#define MANY 400                /* more than keep their memory */

static struct stacks *stacks;

static void
begin(void)
{
	stacks = stacks_new(SIZE);
	ck_assert_ptr_nonnull(stacks);
}

static void
end(void)
{
	stacks_free(&stacks);
	ck_assert_ptr_null(stacks);
}

START_TEST(a_stack_has_the_size_that_was_asked_for)
{
	char *low = stack_get(stacks);

	ck_assert_ptr_nonnull(low);
	ck_assert_uint_ge(stack_size(stacks), SIZE);
	memset(low, 1, stack_size(stacks));
	stack_put(stacks, low);
}
END_TEST

START_TEST(the_last_given_back_is_the_first_given_out)
{
	char *a = stack_get(stacks), *b = stack_get(stacks);

	ck_assert_ptr_ne(a, b);
	stack_put(stacks, a);
	stack_put(stacks, b);
	ck_assert_ptr_eq(stack_get(stacks), b);
	ck_assert_ptr_eq(stack_get(stacks), a);
	stack_put(stacks, a);
	stack_put(stacks, b);
}
END_TEST

/* In a child, which does nothing else. */
static int
touch(volatile char *at)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		(void)signal(SIGSEGV, SIG_DFL);
		*at = 1;
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

START_TEST(below_each_stack_is_a_guard)
{
	char *low[3];

	for (int i = 0; i < 3; i++)
		low[i] = stack_get(stacks);
	for (int i = 0; i < 3; i++) {
		int status = touch(low[i] - 1);

		ck_assert(stack_is_guard(stacks, low[i], low[i] - 1));
		ck_assert(!stack_is_guard(stacks, low[i], low[i]));
		ck_assert_msg(status != 0, "the guard can be written to");
		ck_assert_int_eq(touch(low[i]), 0);
		stack_put(stacks, low[i]);
	}
}
END_TEST

START_TEST(of_many_idle_ones_few_keep_their_memory)
{
	char *low[MANY];
	int kept = 0;

	for (int i = 0; i < MANY; i++) {
		low[i] = stack_get(stacks);
		ck_assert_ptr_nonnull(low[i]);
		low[i][0] = 1;
	}
	for (int i = 0; i < MANY; i++)
		stack_put(stacks, low[i]);
	for (int i = 0; i < MANY; i++)
		kept += low[i][0];      /* what was taken away reads as 0 */
	ck_assert_int_ge(kept, 1);
	ck_assert_int_lt(kept, MANY);
	/* The warm ones come first. */
	ck_assert_ptr_eq(stack_get(stacks), low[MANY - 1]);
	ck_assert_int_eq(low[MANY - 1][0], 1);
}
END_TEST

Suite *
stack_suite(void)
{
	Suite *suite = suite_create("model stack");
	TCase *tc = tcase_create("stacks");

	tcase_add_checked_fixture(tc, begin, end);
	tcase_add_test(tc, a_stack_has_the_size_that_was_asked_for);
	tcase_add_test(tc, the_last_given_back_is_the_first_given_out);
	tcase_add_test(tc, below_each_stack_is_a_guard);
	tcase_add_test(tc, of_many_idle_ones_few_keep_their_memory);
	suite_add_tcase(suite, tc);
	return suite;
}
