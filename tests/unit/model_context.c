/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "model/context.h"
#include "model_suites.h"

#define SIZE (64 << 10)
#define MANY 50
#define TURNS 100

struct walker {
	struct context context;
	char *stack;
	int number, turns;
	double sum;             /* floating point must survive a switch */
};

static void
walk(void *arg)
{
	struct walker *w = arg;
	double sum = 0;
	char here[256];         /* and so must what lies on the stack */

	memset(here, w->number, sizeof(here));
	for (int i = 0; i < TURNS; i++) {
		sum += w->number + i / 4.0;
		w->turns++;
		context_leave(&w->context);
	}
	for (size_t i = 0; i < sizeof(here); i++)
		ck_assert_int_eq(here[i], (char)w->number);
	w->sum = sum;
	context_end(&w->context);
}

static void
walker_init(struct walker *w, int number)
{
	memset(w, 0, sizeof(*w));
	w->stack = malloc(SIZE);
	ck_assert_ptr_nonnull(w->stack);
	w->number = number;
	context_make(&w->context, w->stack, SIZE, walk, w);
}

START_TEST(many_take_turns)
{
	struct walker walkers[MANY];

	for (int i = 0; i < MANY; i++)
		walker_init(&walkers[i], i);
	for (int turn = 1; turn <= TURNS + 1; turn++)
		for (int i = 0; i < MANY; i++) {
			context_enter(&walkers[i].context);
			ck_assert_int_eq(walkers[i].turns,
			    turn > TURNS ? TURNS : turn);
			ck_assert_int_eq(walkers[i].context.is_over,
			    turn > TURNS);
		}
	for (int i = 0; i < MANY; i++) {
		ck_assert_double_eq(walkers[i].sum,
		    TURNS * i + TURNS * (TURNS - 1) / 8.0);
		free(walkers[i].stack);
	}
}
END_TEST

static void
end_at_once(void *arg)
{
	struct walker *w = arg;

	w->turns++;
	context_end(&w->context);
}

START_TEST(a_stack_serves_one_after_another)
{
	struct walker w;

	walker_init(&w, 0);
	for (int i = 1; i <= 3; i++) {
		context_make(&w.context, w.stack, SIZE, end_at_once, &w);
		ck_assert(!w.context.is_over);
		context_enter(&w.context);
		ck_assert(w.context.is_over);
		ck_assert_int_eq(w.turns, i);
	}
	free(w.stack);
}
END_TEST

Suite *
context_suite(void)
{
	Suite *suite = suite_create("model context");
	TCase *tc = tcase_create("contexts");

	tcase_add_test(tc, many_take_turns);
	tcase_add_test(tc, a_stack_serves_one_after_another);
	suite_add_tcase(suite, tc);
	return suite;
}
