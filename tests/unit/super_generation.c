/* SPDX-License-Identifier: ISC */
/* Generations: their table, and with a service program that behaves as told. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/sig.h"
#include "super/generation.h"
#include "super_suites.h"

#define PATIENCE_MS 20000

static struct program program;
static struct config *config;
static struct listener_conf conf;
static struct generation_env env;
static struct generation *gen;
static int changes[GEN_STATES];         /* into each state */
static char complaint[CHANNEL_TEXT_SIZE];

static void
changed(struct generation *g, enum gen_state from)
{
	(void)from;
	changes[g->state]++;
}

static void
complain(struct generation *g, const char *text)
{
	(void)g;
	(void)snprintf(complaint, sizeof(complaint), "%s", text);
}

static void
setup(void)
{
	struct err err;

	sig_reset();
	log_set_level(LOG_LEVEL_ERROR);
	setenv("FAKE_SAN_OPTIONS", "ready", 1);
	config = config_new();
	config->user = config->group = config->address_file = "";
	config->log.target = "stderr";
	conf = (struct listener_conf){
		.name = "web", .handler = "echo", .handler_file = "/echo.so",
		.refuse_text = "", .bind_device = "", .owner = "",
		.group_owner = "", .user = "", .group = "", .chroot = "",
		.is_enabled = true, .concurrency = CONCURRENCY_THREADED,
		.max_connections = 100, .restart = { 10, 1000 },
		.drain_timeout_ms = 1000,
	};
	env = (struct generation_env){
		.loop = loop_new(), .program = &program, .config = config,
		.log_kind = "stream", .log_fd = -1, .changed = changed,
		.complain = complain,
	};
	ck_assert(env.loop != NULL && config != NULL);
	ck_assert_msg(program_open(&program, fake_service_path(), &err) == 0,
	    "%s", err.text);
}

static void
teardown(void)
{
	if (gen != NULL)
		generation_kill(gen);
	generation_free(&gen);
	program_close(&program);
	loop_free(&env.loop);
	config_free(&config);
}

/* The service program's environment is taken when it is opened. */
static void
behave(const char *word)
{
	struct err err;

	setenv("FAKE_SAN_OPTIONS", word, 1);
	program_close(&program);
	ck_assert_int_eq(program_open(&program, fake_service_path(), &err), 0);
}

static void
start(void)
{
	struct err err;

	gen = generation_new(&env, &conf, 1, NULL, 0, &err);
	ck_assert_msg(gen != NULL, "%s", err.text);
	ck_assert_int_eq(gen->state, GEN_STARTING);
	generation_start(gen);
}

static bool
in_time(int64_t deadline_at)
{
	ck_assert(clock_now() < deadline_at);
	ck_assert_int_ge(loop_turn(env.loop, 1000), 0);
	return true;
}

static void
expect_state(enum gen_state state)
{
	int64_t deadline_at = clock_after_ms(PATIENCE_MS);

	while (gen->state != state)
		(void)in_time(deadline_at);
}

static unsigned
count_serving(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < gen->slots; i++)
		n += gen->workers[i].state == WORKER_SERVING;
	return n;
}

static void
expect_serving(unsigned n)
{
	int64_t deadline_at = clock_after_ms(PATIENCE_MS);

	while (count_serving() != n)
		(void)in_time(deadline_at);
}

static void
expect_no_child(void)
{
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
}

/* The table */

START_TEST(no_state_has_two_ways_for_one_event)
{
	for (size_t i = 0; i < transition_count; i++)
		for (size_t j = i + 1; j < transition_count; j++)
			ck_assert(transitions[i].from != transitions[j].from ||
			    transitions[i].event != transitions[j].event);
}
END_TEST

START_TEST(every_state_is_reached_and_left_but_the_last)
{
	for (int state = 0; state < GEN_STATES; state++) {
		int in = state == GEN_STARTING, out = 0;

		for (size_t i = 0; i < transition_count; i++) {
			in += (int)transitions[i].to == state;
			out += (int)transitions[i].from == state;
		}
		ck_assert_int_gt(in, 0);
		ck_assert_int_eq(out == 0, state == GEN_GONE);
	}
}
END_TEST

/* Every live state can be asked to end, and then only ends. */
START_TEST(draining_has_no_way_back)
{
	int drains = 0;

	for (size_t i = 0; i < transition_count; i++) {
		drains += transitions[i].event == GEN_EVENT_DRAIN;
		if (transitions[i].from == GEN_DRAINING)
			ck_assert_int_eq(transitions[i].to, GEN_GONE);
	}
	ck_assert_int_eq(drains, GEN_STATES - 2);
}
END_TEST

START_TEST(every_event_in_every_state)
{
	struct err err;

	gen = generation_new(&env, &conf, 1, NULL, 0, &err);
	for (int state = 0; state < GEN_STATES; state++)
		for (int event = 0; event < GEN_EVENTS; event++) {
			int to = -1;

			for (size_t i = 0; i < transition_count; i++)
				if ((int)transitions[i].from == state &&
				    (int)transitions[i].event == event)
					to = (int)transitions[i].to;
			gen->state = (enum gen_state)state;
			ck_assert(generation_event(gen, (enum gen_event)event)
			    == (to >= 0));
			ck_assert_int_eq(gen->state, to >= 0 ? to : state);
		}
}
END_TEST

/* With processes */

START_TEST(ready_then_drained)
{
	start();
	expect_state(GEN_SERVING);
	ck_assert(gen->has_settled);
	generation_drain(gen);
	ck_assert_int_eq(gen->state, GEN_DRAINING);
	expect_state(GEN_GONE);
	expect_no_child();
}
END_TEST

START_TEST(a_pool_serves_when_all_are_ready)
{
	conf.concurrency = CONCURRENCY_PREFORK;
	conf.workers = 5;
	start();
	expect_state(GEN_SERVING);
	ck_assert_uint_eq(count_serving(), 5);
	generation_drain(gen);
	expect_state(GEN_GONE);
	expect_no_child();
}
END_TEST

START_TEST(a_failed_start_is_tried_again)
{
	behave("failed");
	start();
	expect_state(GEN_FAILED);
	ck_assert_str_eq(complaint, "it does not open");
	complaint[0] = '\0';
	while (complaint[0] == '\0')
		(void)in_time(clock_after_ms(PATIENCE_MS));
	ck_assert_int_eq(gen->state, GEN_FAILED);
	generation_drain(gen);
	expect_state(GEN_GONE);
	expect_no_child();
}
END_TEST

START_TEST(a_crash_is_followed_by_a_new_process)
{
	pid_t first;

	start();
	expect_state(GEN_SERVING);
	first = gen->workers[0].pid;
	ck_assert_int_eq(kill(first, SIGKILL), 0);
	expect_state(GEN_STARTING);
	expect_state(GEN_SERVING);
	ck_assert_int_ne(gen->workers[0].pid, first);
}
END_TEST

START_TEST(the_waits_of_a_crash_loop_grow)
{
	behave("crash");
	start();
	while (gen->workers[0].backoff.next_ms < 160)
		(void)in_time(clock_after_ms(PATIENCE_MS));
	ck_assert_int_ge(changes[GEN_SERVING], 3);
	generation_drain(gen);
	expect_state(GEN_GONE);
	expect_no_child();
}
END_TEST

START_TEST(requests_of_a_dead_process_count_as_errors)
{
	struct stats *stats;

	start();
	expect_state(GEN_SERVING);
	stats = &gen->slab->slots[0];
	stats_add(stats, COUNTER_ACTIVE, 3);
	ck_assert_int_eq(kill(gen->workers[0].pid, SIGKILL), 0);
	expect_state(GEN_STARTING);
	ck_assert_int_eq(stats->counters[COUNTER_ACTIVE], 0);
	ck_assert_int_eq(stats->counters[COUNTER_ERRORS], 3);
}
END_TEST

/* What stands in shared memory is the service's to write. */
START_TEST(a_wild_gauge_is_clamped)
{
	struct stats *stats;

	start();
	expect_state(GEN_SERVING);
	stats = &gen->slab->slots[0];
	stats_add(stats, COUNTER_ACTIVE, INT64_MAX);
	ck_assert_int_eq(kill(gen->workers[0].pid, SIGKILL), 0);
	expect_state(GEN_STARTING);
	ck_assert_int_eq(stats->counters[COUNTER_ERRORS], 100);
}
END_TEST

START_TEST(garbage_on_the_channel_ends_the_process)
{
	behave("garbage");
	start();
	expect_state(GEN_SERVING);
	expect_state(GEN_STARTING);
	expect_state(GEN_SERVING);
}
END_TEST

START_TEST(one_that_is_deaf_is_killed_at_last)
{
	behave("deaf");
	conf.drain_timeout_ms = 0;
	start();
	expect_state(GEN_SERVING);
	generation_drain(gen);
	expect_state(GEN_GONE);
	expect_no_child();
}
END_TEST

START_TEST(a_kill_does_not_wait)
{
	int64_t before;

	behave("deaf");
	conf.drain_timeout_ms = 60000;
	start();
	expect_state(GEN_SERVING);
	generation_drain(gen);
	before = clock_now();
	generation_kill(gen);
	expect_state(GEN_GONE);
	ck_assert_int_lt(clock_now() - before, 5 * CLOCK_SECOND);
	expect_no_child();
}
END_TEST

START_TEST(a_spent_process_is_replaced_at_once)
{
	behave("spent");
	conf.max_requests = 1;
	conf.restart.initial_ms = conf.restart.maximum_ms = 600000;
	start();
	while (changes[GEN_SERVING] < 5)
		(void)in_time(clock_after_ms(PATIENCE_MS));
}
END_TEST

/* Nobody asked it to leave: it waits like one that crashed. */
START_TEST(leaving_unasked_is_a_crash)
{
	behave("spent");
	start();
	while (gen->workers[0].backoff.next_ms < 80)
		(void)in_time(clock_after_ms(PATIENCE_MS));
}
END_TEST

START_TEST(a_busy_pool_grows_to_its_maximum_and_shrinks_again)
{
	behave("busy");
	conf.concurrency = CONCURRENCY_PREFORK;
	conf.workers = 2;
	conf.max_workers = 7;
	conf.min_spare = 2;
	conf.max_spare = 4;
	start();
	ck_assert(gen->slab->is_scaling);
	for (unsigned i = 0; i < 7; i++)
		stats_add(&gen->slab->slots[i], COUNTER_ACTIVE, i < 2);
	expect_serving(4);      /* as many again */
	for (unsigned i = 2; i < 4; i++)
		stats_add(&gen->slab->slots[i], COUNTER_ACTIVE, 1);
	expect_serving(7);      /* not eight */
	/* all idle: one a second, until max_spare is reached */
	for (unsigned i = 0; i < 7; i++)
		atomic_store(&gen->slab->slots[i].counters[COUNTER_ACTIVE], 0);
	expect_serving(4);
	ck_assert_int_eq(gen->state, GEN_SERVING);
	generation_drain(gen);
	expect_state(GEN_GONE);
	expect_no_child();
}
END_TEST

Suite *
generation_suite(void)
{
	Suite *suite = suite_create("generation");
	TCase *tc = tcase_create("generation");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, no_state_has_two_ways_for_one_event);
	tcase_add_test(tc, every_state_is_reached_and_left_but_the_last);
	tcase_add_test(tc, draining_has_no_way_back);
	tcase_add_test(tc, every_event_in_every_state);
	tcase_add_test(tc, ready_then_drained);
	tcase_add_test(tc, a_pool_serves_when_all_are_ready);
	tcase_add_test(tc, a_failed_start_is_tried_again);
	tcase_add_test(tc, a_crash_is_followed_by_a_new_process);
	tcase_add_test(tc, the_waits_of_a_crash_loop_grow);
	tcase_add_test(tc, requests_of_a_dead_process_count_as_errors);
	tcase_add_test(tc, a_wild_gauge_is_clamped);
	tcase_add_test(tc, garbage_on_the_channel_ends_the_process);
	tcase_add_test(tc, one_that_is_deaf_is_killed_at_last);
	tcase_add_test(tc, a_kill_does_not_wait);
	tcase_add_test(tc, a_spent_process_is_replaced_at_once);
	tcase_add_test(tc, leaving_unasked_is_a_crash);
	tcase_add_test(tc, a_busy_pool_grows_to_its_maximum_and_shrinks_again);
	suite_add_tcase(suite, tc);
	return suite;
}
