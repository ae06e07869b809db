/* SPDX-License-Identifier: ISC */
/* The dead, in words. */
#include <string.h>
#include <sys/wait.h>

#include "super/crash.h"
#include "super_suites.h"

static struct crash crash;

static void
describe(int code, int status, const char *why)
{
	siginfo_t info = { 0 };

	info.si_pid = 4711;
	info.si_code = code;
	info.si_status = status;
	crash = (struct crash){ .pid = 4711, .was_ready = true };
	crash_describe(&crash, &info, why);
}

static void
expect_line(int64_t restart_ms, const char *wanted)
{
	char text[CRASH_TEXT_SIZE];

	crash_format(&crash, restart_ms, text, sizeof(text));
	ck_assert_str_eq(text, wanted);
}

START_TEST(every_way_to_end_has_its_words)
{
	describe(CLD_KILLED, SIGSEGV, NULL);
	ck_assert_str_eq(crash.how, "was killed by SIGSEGV");
	ck_assert_int_eq(crash.signal, SIGSEGV);
	describe(CLD_DUMPED, SIGABRT, NULL);
	ck_assert_str_eq(crash.how, "was killed by SIGABRT (core dumped)");
	describe(CLD_EXITED, 3, NULL);
	ck_assert_str_eq(crash.how, "exited with status 3");
	ck_assert_int_eq(crash.signal, 0);
	ck_assert_int_eq(crash.status, 3);
}
END_TEST

START_TEST(our_kill_is_told_by_its_reason)
{
	describe(CLD_KILLED, SIGKILL, "did not answer");
	ck_assert_str_eq(crash.how, "did not answer");
	ck_assert(crash.was_ours);
	expect_line(100, "service process 4711 did not answer and was killed "
	    "by SIGKILL; restarting in 0.1 s");
	/* it was quicker than we were */
	describe(CLD_KILLED, SIGSEGV, "did not answer");
	ck_assert_str_eq(crash.how, "was killed by SIGSEGV");
	ck_assert(!crash.was_ours);
}
END_TEST

START_TEST(one_line_says_it_all)
{
	describe(CLD_KILLED, SIGSEGV, NULL);
	expect_line(-1, "service process 4711 was killed by SIGSEGV");
	crash.active = 1;
	expect_line(100, "service process 4711 was killed by SIGSEGV while "
	    "serving 1 request; restarting in 0.1 s");
	crash.active = 2;
	crash_add_peer(&crash, "127.0.0.1:5");
	expect_line(-1, "service process 4711 was killed by SIGSEGV while "
	    "serving 2 requests (127.0.0.1:5, ...)");
	crash_add_peer(&crash, "unix:");
	expect_line(-1, "service process 4711 was killed by SIGSEGV while "
	    "serving 2 requests (127.0.0.1:5, unix:)");
	crash.was_ready = false;
	expect_line(-1, "service process 4711 was killed by SIGSEGV before it "
	    "was ready");
}
END_TEST

START_TEST(a_crowd_of_long_peers_has_room)
{
	char peer[4 * CRASH_PEER_SIZE], text[CRASH_TEXT_SIZE];

	memset(peer, 'x', sizeof(peer) - 1);
	peer[sizeof(peer) - 1] = '\0';
	describe(CLD_DUMPED, SIGSEGV, NULL);
	crash.active = INT64_MAX;
	for (int i = 0; i < 3 * CRASH_PEERS; i++)
		crash_add_peer(&crash, peer);
	ck_assert_uint_eq(crash.peer_count, CRASH_PEERS);
	crash_format(&crash, 60000, text, sizeof(text));
	ck_assert_ptr_nonnull(strstr(text, ", ...); restarting in 60.0 s"));
}
END_TEST

Suite *
crash_suite(void)
{
	Suite *suite = suite_create("crash");
	TCase *tc = tcase_create("crash");

	tcase_add_test(tc, every_way_to_end_has_its_words);
	tcase_add_test(tc, our_kill_is_told_by_its_reason);
	tcase_add_test(tc, one_line_says_it_all);
	tcase_add_test(tc, a_crowd_of_long_peers_has_room);
	suite_add_tcase(suite, tc);
	return suite;
}
