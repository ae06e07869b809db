/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/sig.h"
#include "base_suites.h"

static void
catcher(int signal)
{
	(void)signal;
}

START_TEST(reset_blocks_all_but_the_fatal)
{
	sigset_t set;

	sig_reset();
	ck_assert_int_eq(pthread_sigmask(SIG_SETMASK, NULL, &set), 0);
	ck_assert(sigismember(&set, SIGTERM) && sigismember(&set, SIGCHLD));
	ck_assert(sigismember(&set, SIGHUP) && sigismember(&set, SIG_NUDGE));
	ck_assert(!sigismember(&set, SIGSEGV) && !sigismember(&set, SIGABRT));
	ck_assert(!sigismember(&set, SIGTRAP) && !sigismember(&set, SIGBUS));
}
END_TEST

START_TEST(reset_clears_what_a_parent_left)
{
	struct sigaction action;

	(void)signal(SIGHUP, SIG_IGN);
	(void)signal(SIGCHLD, SIG_IGN);
	(void)signal(SIGBUS, SIG_IGN);
	(void)signal(SIGUSR1, catcher);
	(void)signal(SIGFPE, catcher);
	sig_reset();
	ck_assert(!sigaction(SIGHUP, NULL, &action));
	ck_assert(action.sa_handler == SIG_DFL);
	ck_assert(!sigaction(SIGCHLD, NULL, &action));
	ck_assert(action.sa_handler == SIG_DFL);
	ck_assert(!sigaction(SIGBUS, NULL, &action));
	ck_assert(action.sa_handler == SIG_DFL);
	ck_assert(!sigaction(SIGUSR1, NULL, &action));
	ck_assert(action.sa_handler == SIG_DFL);
	ck_assert(!sigaction(SIGPIPE, NULL, &action));
	ck_assert(action.sa_handler == SIG_IGN);
	ck_assert(!sigaction(SIGFPE, NULL, &action));
	ck_assert(action.sa_handler == catcher);        /* a sanitizer's */
}
END_TEST

START_TEST(signals_arrive_in_the_descriptor)
{
	static const int list[] = { SIGTERM, SIGCHLD, 0 };
	struct signalfd_siginfo info;
	int fd;

	sig_reset();
	fd = sig_open(list);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(sig_next(fd, &info), -EAGAIN);
	ck_assert_int_eq(kill(getpid(), SIGTERM), 0);
	ck_assert_int_eq(sig_next(fd, &info), 0);
	ck_assert_uint_eq(info.ssi_signo, SIGTERM);
	ck_assert_uint_eq(info.ssi_pid, (unsigned)getpid());
	ck_assert_int_eq(sig_next(fd, &info), -EAGAIN);
}
END_TEST

/* It is pending when the wait begins, so no race decides. */
START_TEST(a_nudge_ends_a_wait)
{
	sigset_t none;

	sig_reset();
	ck_assert_int_eq(kill(getpid(), SIG_NUDGE), 0);
	sig_nudge_accept();             /* delivered here, and survived */
	ck_assert_int_eq(sigpending(&none), 0);
	ck_assert(!sigismember(&none, SIG_NUDGE));
	ck_assert_int_eq(raise(SIG_NUDGE), 0);
}
END_TEST

START_TEST(signals_have_names)
{
	ck_assert_str_eq(sig_name(SIGSEGV), "SIGSEGV");
	ck_assert_str_eq(sig_name(SIGKILL), "SIGKILL");
	ck_assert_str_eq(sig_name(77), "signal 77");
	ck_assert_str_eq(sig_name(0), "signal 0");
	ck_assert_str_eq(sig_name(-1), "signal -1");
}
END_TEST

Suite *
sig_suite(void)
{
	Suite *suite = suite_create("sig");
	TCase *tcase = tcase_create("sig");

	tcase_add_test(tcase, reset_blocks_all_but_the_fatal);
	tcase_add_test(tcase, reset_clears_what_a_parent_left);
	tcase_add_test(tcase, signals_arrive_in_the_descriptor);
	tcase_add_test(tcase, a_nudge_ends_a_wait);
	tcase_add_test(tcase, signals_have_names);
	suite_add_tcase(suite, tcase);
	return suite;
}
