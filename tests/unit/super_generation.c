/* SPDX-License-Identifier: ISC */
/* Generations: their table, and with a service program that behaves as told. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/sig.h"
#include "super/crash.h"
#include "super/generation.h"
#include "super/shed.h"
#include "super_suites.h"

#define PATIENCE_MS 20000

static struct program program;
static struct held *held;
static const struct bound_list none;
static struct listener_conf conf;
static struct generation_env env;
static struct generation *gen;
static int changes[GEN_STATES];         /* into each state */
static char complaint[CHANNEL_TEXT_SIZE];
static struct crash last_crash;
static unsigned crashes;

static void
changed(struct generation *g, enum gen_state from)
{
	(void)from;
	changes[g->state]++;
}

static void
progressed(struct generation *g)
{
	(void)g;
}

static void
complain(struct generation *g, const char *text)
{
	(void)g;
	(void)snprintf(complaint, sizeof(complaint), "%s", text);
}

static void
crashed(struct generation *g, const struct crash *crash)
{
	ck_assert_uint_eq(crash->generation, g->number);
	last_crash = *crash;
	crashes++;
}

static void
setup(void)
{
	struct config *config = config_new();
	struct err err;

	sig_reset();
	log_set_level(LOG_LEVEL_ERROR);
	setenv("FAKE_SAN_OPTIONS", "ready", 1);
	ck_assert(config != NULL);
	config->user = config->group = config->address_file = "";
	config->control.socket = config->control.group = "";
	config->log.target = "stderr";
	held = held_new(&config);
	conf = (struct listener_conf){
		.name = "web", .handler = "echo", .handler_file = "/echo.so",
		.handler_digest = "", .handler_build_id = "",
		.refuse_text = "", .bind_device = "", .owner = "",
		.group_owner = "", .user = "", .group = "", .chroot = "",
		.is_enabled = true, .concurrency = CONCURRENCY_THREADED,
		.max_connections = 100, .restart = { 10, 1000 },
		.drain_timeout_ms = 1000,
	};
	env = (struct generation_env){
		.loop = loop_new(), .program = &program,
		.log_kind = "stream", .log_fd = -1, .changed = changed,
		.progressed = progressed, .complain = complain, .crashed = crashed,
	};
	ck_assert(env.loop != NULL && held != NULL);
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
	held_put(&held);
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

	gen = generation_new(&env, held, &conf, 1, &none, &err);
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

	gen = generation_new(&env, held, &conf, 1, &none, &err);
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
	while (gen->workers[0].backoff.next_ms < 640)
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

/* It may die between two of its counters: taken, and not yet active. */
START_TEST(what_was_taken_is_accounted_for_after_a_crash)
{
	struct stats *stats;

	start();
	expect_state(GEN_SERVING);
	stats = &gen->slab->slots[0];
	stats_add(stats, COUNTER_ACCEPTED, 10);
	stats_add(stats, COUNTER_REQUESTS, 4);
	stats_add(stats, COUNTER_ACTIVE, 2);
	stats_refuse(stats, REASON_ACCESS);
	ck_assert_int_eq(kill(gen->workers[0].pid, SIGKILL), 0);
	expect_state(GEN_STARTING);
	ck_assert_int_eq(stats->counters[COUNTER_ACTIVE], 0);
	ck_assert_int_eq(stats->counters[COUNTER_ERRORS], 5);
}
END_TEST

/* What it handed to others is not lost with it; what came from them is. */
START_TEST(what_was_passed_on_is_no_loss)
{
	struct stats *stats;

	start();
	expect_state(GEN_SERVING);
	stats = &gen->slab->slots[0];
	stats_add(stats, COUNTER_ACCEPTED, 10);
	stats_add(stats, COUNTER_REQUESTS, 4);
	stats_add(stats, COUNTER_ACTIVE, 1);
	atomic_store(&stats->passed, 5);
	atomic_store(&stats->silent, 1);
	atomic_store(&stats->idle, 1);
	ck_assert_int_eq(kill(gen->workers[0].pid, SIGKILL), 0);
	expect_state(GEN_STARTING);
	ck_assert_int_eq(stats->counters[COUNTER_ERRORS], 1);
	ck_assert_int_eq(stats->counters[COUNTER_ACCEPTED], 10);
	ck_assert_uint_eq(stats->silent, 0);
	ck_assert_uint_eq(stats->idle, 0);
}
END_TEST

static struct seat *
seat_of(unsigned slot)
{
	return stats_seat(gen->slab, gen->size, slot, 0);
}

static void
idle_seat(unsigned slot, int64_t since)
{
	stats_use_seat(&gen->slab->slots[slot], 0);
	seat_idle_begin(seat_of(slot), since);
}

/* The fake ends when it is asked to shed. */
static void
expect_shed(unsigned slot)
{
	int64_t deadline_at = clock_after_ms(PATIENCE_MS);
	pid_t before = gen->workers[slot].pid;

	shed_full(gen, stats_ended(gen->slab, gen->slots));
	ck_assert(seat_is_shed(seat_of(slot)));
	while (gen->workers[slot].pid == before)
		(void)in_time(deadline_at);
}

START_TEST(of_all_processes_the_longest_wait_is_shed)
{
	conf.concurrency = CONCURRENCY_PREFORK;
	conf.workers = 3;
	start();
	expect_serving(3);
	idle_seat(0, 0);
	idle_seat(1, 500);
	idle_seat(2, 200);
	atomic_store(&gen->slab->slots[0].idle, 1);
	shed_full(gen, 0);      /* one is free: nobody is shed */
	atomic_store(&gen->slab->slots[0].idle, 0);
	stats_add(&gen->slab->slots[1], COUNTER_REQUESTS, 1);
	shed_full(gen, 0);      /* there has been a place meanwhile: nobody */
	pid_t first = gen->workers[1].pid;
	expect_shed(2);
	ck_assert_int_eq(gen->workers[1].pid, first);
	idle_seat(2, 0);
	expect_shed(1);
}
END_TEST

/* Sit down in slot 0. */
static void
seat_request(unsigned i, uint64_t id)
{
	const struct seat_entry entry = {
		.id = id, .worker = "Thread-1", .started_at = clock_now(),
		.peer = &(struct sockaddr_in){ .sin_family = AF_INET,
		    .sin_port = htons(4711) },
		.peer_len = sizeof(struct sockaddr_in),
	};

	seat_begin(stats_seat(gen->slab, gen->size, 0, i), &entry);
	stats_use_seat(&gen->slab->slots[0], i);
	stats_add(&gen->slab->slots[0], COUNTER_ACTIVE, 1);
}

/* What the log holds since it was led into the pipe. */
static const char *
logged(int reader)
{
	static char text[65536];
	ssize_t n = read(reader, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static int
must_log_to_pipe(void)
{
	int fds[2];

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	log_use(fds[1], LOG_KIND_STREAM, LOG_FORMAT_TEXT, LOG_LEVEL_INFO, true);
	return fds[0];
}

START_TEST(requests_of_a_dead_process_are_logged)
{
	struct seat_view view;
	int reader = must_log_to_pipe();
	const char *text;

	start();
	expect_state(GEN_SERVING);
	seat_request(0, 10000000001);
	seat_request(2, 10000000002);
	ck_assert_int_eq(kill(gen->workers[0].pid, SIGKILL), 0);
	expect_state(GEN_STARTING);
	text = logged(reader);
	ck_assert_ptr_nonnull(strstr(text, "request=10000000001"));
	ck_assert_ptr_nonnull(strstr(text, "request=10000000002"));
	ck_assert_ptr_nonnull(strstr(text, "result=crash"));
	ck_assert_ptr_nonnull(strstr(text, "peer=0.0.0.0:4711"));
	ck_assert(!seat_read(stats_seat(gen->slab, gen->size, 0, 2), &view));
	expect_state(GEN_SERVING);
}
END_TEST

/* Ended by force in a drain: no crash. */
START_TEST(requests_that_a_drain_cut_are_logged_as_such)
{
	int reader = must_log_to_pipe();
	const char *text;

	behave("deaf");
	start();
	expect_state(GEN_SERVING);
	seat_request(0, 7);
	generation_drain(gen);
	generation_kill(gen);
	expect_state(GEN_GONE);
	text = logged(reader);
	ck_assert_ptr_nonnull(strstr(text, "result=error"));
	ck_assert_ptr_nonnull(strstr(text, "reason=draining"));
	ck_assert_ptr_null(strstr(text, "result=crash"));
}
END_TEST

START_TEST(each_generation_has_ids_of_its_own)
{
	uint64_t blocks = 0;
	struct err err;

	env.id_blocks = &blocks;
	for (unsigned i = 0; i < 3; i++) {
		gen = generation_new(&env, held, &conf, i + 1, &none,
		    &err);
		ck_assert_msg(gen != NULL, "%s", err.text);
		ck_assert_uint_eq(gen->slab->next_id, i * 10000000000);
		generation_free(&gen);
	}
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

/* Nor is every line that it leaves there one. */
START_TEST(lines_of_a_dead_process_are_written_if_they_are_lines)
{
	char text[4096];
	int fds[2];
	ssize_t n;

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	log_use(fds[1], LOG_KIND_STREAM, LOG_FORMAT_TEXT, LOG_LEVEL_WARNING,
	    true);
	behave("lines");
	start();
	expect_state(GEN_SERVING);
	expect_state(GEN_STARTING);
	n = read(fds[0], text, sizeof(text) - 1);
	ck_assert_int_gt(n, 0);
	text[n] = '\0';
	ck_assert_int_eq(strncmp(text, "good=1\ngood=2\ntime=", 19), 0);
	ck_assert_ptr_nonnull(strstr(text, "3 access lines that a service "
	    "process left are damaged and left out"));
	ck_assert_ptr_null(strstr(text, "forged"));
	ck_assert_ptr_null(strstr(text, "torn"));
	(void)close(fds[0]);
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

/* What is known of the dead */

static void
expect_crashes(unsigned n)
{
	int64_t deadline_at = clock_after_ms(PATIENCE_MS);

	while (crashes < n)
		(void)in_time(deadline_at);
}

START_TEST(a_crash_leaves_a_record)
{
	pid_t pid;

	start();
	expect_state(GEN_SERVING);
	pid = gen->workers[0].pid;
	stats_add(&gen->slab->slots[0], COUNTER_ACTIVE, 2);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	expect_crashes(1);
	ck_assert_str_eq(last_crash.how, "was killed by SIGKILL");
	ck_assert_int_eq(last_crash.signal, SIGKILL);
	ck_assert_int_eq(last_crash.pid, pid);
	ck_assert_int_eq(last_crash.active, 2);
	ck_assert_str_eq(last_crash.handler, "echo");
	ck_assert(last_crash.was_ready && !last_crash.was_ours);
	ck_assert_int_gt(last_crash.at, 0);
	ck_assert_int_gt(last_crash.time_ns, 0);
}
END_TEST

START_TEST(a_start_that_fails_leaves_a_record)
{
	behave("failed");
	start();
	expect_crashes(1);
	ck_assert(!last_crash.was_ready);
	ck_assert_int_eq(last_crash.signal, 0);
	ck_assert_int_ne(last_crash.status, 0);
}
END_TEST

START_TEST(whoever_was_asked_to_end_did_not_crash)
{
	start();
	expect_state(GEN_SERVING);
	generation_drain(gen);
	expect_state(GEN_GONE);
	ck_assert_uint_eq(crashes, 0);
}
END_TEST

START_TEST(a_kill_at_the_drain_deadline_is_no_crash)
{
	behave("deaf");
	conf.drain_timeout_ms = 0;
	start();
	expect_state(GEN_SERVING);
	generation_drain(gen);
	expect_state(GEN_GONE);
	ck_assert_uint_eq(crashes, 0);
}
END_TEST

/* Nobody but us should; but then it must neither be waited for for ever, nor
 * may its number be sent a signal: it may be another's. */
START_TEST(a_process_that_somebody_else_reaped_is_replaced)
{
	pid_t pid;

	start();
	expect_state(GEN_SERVING);
	pid = gen->workers[0].pid;
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	expect_crashes(1);
	ck_assert_str_eq(last_crash.how, "ended unseen");
	expect_state(GEN_SERVING);
	ck_assert_int_ne(gen->workers[0].pid, 0);
}
END_TEST

START_TEST(before_the_first_request_the_waits_grow_faster)
{
	conf.restart.maximum_ms = 100000;
	start();
	expect_state(GEN_SERVING);
	ck_assert_int_eq(kill(gen->workers[0].pid, SIGKILL), 0);
	expect_state(GEN_STARTING);
	ck_assert_int_eq(gen->workers[0].backoff.next_ms, 40);
	expect_state(GEN_SERVING);
	stats_add(&gen->slab->slots[0], COUNTER_ACCEPTED, 1);
	ck_assert_int_eq(kill(gen->workers[0].pid, SIGKILL), 0);
	expect_state(GEN_STARTING);
	ck_assert_int_eq(gen->workers[0].backoff.next_ms, 80);
}
END_TEST

START_TEST(a_slot_full_of_nonsense_is_survived)
{
	static const int64_t values[] = { -1, INT64_MAX, INT64_MIN };

	start();
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct stats *stats = &gen->slab->slots[0];

		expect_state(GEN_SERVING);
		for (unsigned c = 0; c < COUNTERS; c++)
			atomic_store(&stats->counters[c], values[i]);
		ck_assert_int_eq(kill(gen->workers[0].pid, SIGKILL), 0);
		expect_crashes((unsigned)i + 1);
		ck_assert_int_ge(stats->counters[COUNTER_ERRORS], 0);
		ck_assert_int_eq(stats->counters[COUNTER_ACTIVE], 0);
		ck_assert_int_ge(last_crash.active, 0);
		ck_assert_int_le(last_crash.active, conf.max_connections);
	}
}
END_TEST

/* The heartbeat */

static void
expect_asked(bool is_asked)
{
	int64_t deadline_at = clock_after_ms(PATIENCE_MS);

	while (gen->workers[0].heartbeat.is_asked != is_asked)
		(void)in_time(deadline_at);
}

START_TEST(one_that_answers_is_left_alone)
{
	pid_t pid;

	env.heartbeat_ms = 3000;
	start();
	expect_state(GEN_SERVING);
	pid = gen->workers[0].pid;
	expect_asked(true);
	expect_asked(false);
	ck_assert_uint_eq(crashes, 0);
	ck_assert_int_eq(gen->workers[0].pid, pid);
	ck_assert(timer_is_running(&gen->workers[0].timer));
}
END_TEST

START_TEST(one_that_is_silent_is_replaced)
{
	pid_t first;

	env.heartbeat_ms = 50;
	behave("deaf");
	start();
	expect_state(GEN_SERVING);
	first = gen->workers[0].pid;
	expect_crashes(1);
	ck_assert_str_eq(last_crash.how, "did not answer");
	ck_assert_int_eq(last_crash.pid, first);
	ck_assert(last_crash.was_ours);
	expect_state(GEN_SERVING);
	ck_assert_int_ne(gen->workers[0].pid, first);
}
END_TEST

/* Stopped is not dead: no end is seen, but no answer comes either. */
START_TEST(one_that_is_stopped_is_replaced)
{
	env.heartbeat_ms = 50;
	start();
	expect_state(GEN_SERVING);
	ck_assert_int_eq(kill(gen->workers[0].pid, SIGSTOP), 0);
	expect_crashes(1);
	ck_assert_str_eq(last_crash.how, "did not answer");
}
END_TEST

START_TEST(answers_that_nobody_asked_for_do_not_help)
{
	env.heartbeat_ms = 50;
	behave("boast");
	start();
	expect_crashes(1);
	ck_assert_str_eq(last_crash.how, "did not answer");
}
END_TEST

START_TEST(a_full_channel_is_silence)
{
	env.heartbeat_ms = 50;
	behave("deaf");
	start();
	expect_state(GEN_SERVING);
	while (channel_send(gen->workers[0].channel, MESSAGE_LOG_LEVEL, 1,
	    NULL, -1) == 0)
		continue;
	expect_crashes(1);
	ck_assert_str_eq(last_crash.how, "did not answer");
}
END_TEST

START_TEST(the_heartbeats_of_a_pool_are_spread)
{
	int64_t first = INT64_MAX, last = 0;

	conf.concurrency = CONCURRENCY_PREFORK;
	conf.workers = 20;
	start();
	expect_state(GEN_SERVING);
	for (unsigned i = 0; i < gen->slots; i++) {
		int64_t at = gen->workers[i].timer.at;

		first = at < first ? at : first;
		last = at > last ? at : last;
	}
	ck_assert_int_gt(last - first, HEARTBEAT_MS / 4 * CLOCK_MS);
	generation_kill(gen);
}
END_TEST

static void
add_tests_of_the_dead(TCase *tc)
{
	tcase_add_test(tc, a_crash_leaves_a_record);
	tcase_add_test(tc, a_start_that_fails_leaves_a_record);
	tcase_add_test(tc, whoever_was_asked_to_end_did_not_crash);
	tcase_add_test(tc, a_kill_at_the_drain_deadline_is_no_crash);
	tcase_add_test(tc, a_process_that_somebody_else_reaped_is_replaced);
	tcase_add_test(tc, before_the_first_request_the_waits_grow_faster);
	tcase_add_test(tc, a_slot_full_of_nonsense_is_survived);
	tcase_add_test(tc, one_that_answers_is_left_alone);
	tcase_add_test(tc, one_that_is_silent_is_replaced);
	tcase_add_test(tc, one_that_is_stopped_is_replaced);
	tcase_add_test(tc, answers_that_nobody_asked_for_do_not_help);
	tcase_add_test(tc, a_full_channel_is_silence);
	tcase_add_test(tc, the_heartbeats_of_a_pool_are_spread);
}

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
	tcase_add_test(tc, what_was_taken_is_accounted_for_after_a_crash);
	tcase_add_test(tc, what_was_passed_on_is_no_loss);
	tcase_add_test(tc, of_all_processes_the_longest_wait_is_shed);
	tcase_add_test(tc, requests_of_a_dead_process_are_logged);
	tcase_add_test(tc, requests_that_a_drain_cut_are_logged_as_such);
	tcase_add_test(tc, each_generation_has_ids_of_its_own);
	tcase_add_test(tc, a_wild_gauge_is_clamped);
	tcase_add_test(tc,
	    lines_of_a_dead_process_are_written_if_they_are_lines);
	tcase_add_test(tc, garbage_on_the_channel_ends_the_process);
	tcase_add_test(tc, one_that_is_deaf_is_killed_at_last);
	tcase_add_test(tc, a_kill_does_not_wait);
	tcase_add_test(tc, a_spent_process_is_replaced_at_once);
	tcase_add_test(tc, leaving_unasked_is_a_crash);
	tcase_add_test(tc, a_busy_pool_grows_to_its_maximum_and_shrinks_again);
	add_tests_of_the_dead(tc);
	suite_add_tcase(suite, tc);
	return suite;
}
