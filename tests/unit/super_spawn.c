/* SPDX-License-Identifier: ISC */
/* How the service program is started: descriptors, environment, failures. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sig.h"
#include "super/reap.h"
#include "super/spawn.h"
#include "super_suites.h"

#define MANY 64

static const char *const report_argv[] = { "fake_service", "report", NULL };
static struct program program;
static char names[MANY][24];

static void
setup(void)
{
	struct err err;

	sig_reset();
	ck_assert_msg(program_open(&program, fake_service_path(), &err) == 0,
	    "%s", err.text);
}

static void
teardown(void)
{
	program_close(&program);
}

static int
numbered(size_t i)
{
	char text[24];
	int fd;

	(void)snprintf(text, sizeof(text), "%zu", i);
	(void)snprintf(names[i], sizeof(names[i]), "fd%zu", i);
	fd = fd_memory(names[i], text, strlen(text));
	ck_assert_int_ge(fd, 0);
	return fd;
}

static int
run(struct spawn *spawn)
{
	struct child child;
	struct err err;
	int status;

	ck_assert_int_eq(spawn_seal(spawn), 0);
	ck_assert_msg(spawn_start(spawn, &child, &err) == 0, "%s", err.text);
	ck_assert_int_ge(child.pidfd, 0);
	ck_assert_int_eq(waitpid(child.pid, &status, 0), child.pid);
	fd_close(&child.pidfd);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* The order of descriptors and where they lie are unrelated: forwards they
 * would overwrite what is still to be placed, backwards as well. */
static void
pass_many(size_t count, bool backwards)
{
	struct spawn spawn;
	int fds[MANY];

	ck_assert_int_eq(spawn_init(&spawn, &program, report_argv, count), 0);
	for (size_t i = 0; i < count; i++) {
		size_t number = backwards ? count - 1 - i : i;

		fds[number] = numbered(number);
	}
	for (size_t i = 0; i < count; i++)
		(void)spawn_pass(&spawn, names[i], fds[i]);
	ck_assert_int_eq(run(&spawn), (int)count);
	for (size_t i = 0; i < count; i++)
		fd_close(&fds[i]);
	spawn_free(&spawn);
}

START_TEST(descriptors_arrive_in_order)
{
	pass_many(0, false);
	pass_many(1, false);
	pass_many(MANY, false);
	pass_many(MANY, true);
}
END_TEST

START_TEST(one_descriptor_may_go_twice)
{
	struct spawn spawn;
	int fd = numbered(0);

	ck_assert_int_eq(spawn_init(&spawn, &program, report_argv, 2), 0);
	(void)spawn_pass(&spawn, names[0], fd);
	(void)spawn_pass(&spawn, names[0], fd);
	ck_assert_int_eq(run(&spawn), 2);
	fd_close(&fd);
	spawn_free(&spawn);
}
END_TEST

/* What a careless parent of the supervisor left open reaches no handler. */
START_TEST(leaked_descriptors_stay_behind)
{
	struct spawn spawn;
	int leak = dup2(2, 300);        /* not close-on-exec */

	ck_assert_int_eq(leak, 300);
	ck_assert_int_eq(spawn_init(&spawn, &program, report_argv, 1), 0);
	(void)spawn_pass(&spawn, names[0], numbered(0));
	ck_assert_int_eq(run(&spawn), 1);
	spawn_free(&spawn);
}
END_TEST

START_TEST(a_prepared_start_can_be_started_again)
{
	struct spawn spawn;
	int fd = numbered(0);
	size_t number;

	ck_assert_int_eq(spawn_init(&spawn, &program, report_argv, 1), 0);
	number = spawn_pass(&spawn, names[0], -1);
	for (int i = 0; i < 10; i++) {
		spawn_replace(&spawn, number, fd);
		ck_assert_int_eq(run(&spawn), 1);
	}
	fd_close(&fd);
	spawn_free(&spawn);
}
END_TEST

START_TEST(the_environment_is_an_allow_list)
{
	struct program again;
	struct err err;

	clearenv();
	setenv("PATH", "/bin", 1);
	setenv("LC_ALL", "C", 1);
	setenv("ASAN_OPTIONS", "x=1", 1);
	setenv("NOTIFY_SOCKET", "/run/x", 1);
	setenv("LISTEN_FDS", "3", 1);
	setenv("LD_PRELOAD_NOT", "x", 1);
	setenv("PATHOLOGY", "x", 1);
	ck_assert_int_eq(program_open(&again, fake_service_path(), &err), 0);
	ck_assert_uint_eq(again.env_count, 3);
	program_close(&again);
}
END_TEST

START_TEST(a_program_that_cannot_run_is_said_so)
{
	struct program bad;
	struct spawn spawn;
	struct child child;
	struct err err;
	int r, status;

	ck_assert_int_eq(program_open(&bad, "/no/such/program", &err), -ENOENT);
	ck_assert(strstr(err.text, "/no/such/program") != NULL);
	ck_assert_int_eq(bad.fd, -1);

	ck_assert_int_eq(program_open(&bad, fake_service_path(), &err), 0);
	fd_close(&bad.fd);
	bad.fd = open("/dev/null", O_PATH | O_CLOEXEC);
	strcpy(bad.path, "/dev/null");
	ck_assert_int_eq(spawn_init(&spawn, &bad, report_argv, 0), 0);
	ck_assert_int_eq(spawn_seal(&spawn), 0);
	r = spawn_start(&spawn, &child, &err);
	/* Where vfork is fork (ThreadSanitizer, valgrind) only the exit status
	 * can tell. */
	if (r == 0)
		ck_assert(waitpid(child.pid, &status, 0) == child.pid &&
		    WIFEXITED(status) && WEXITSTATUS(status) == 127);
	else
		ck_assert_int_eq(r, -EACCES);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);       /* reaped */
	spawn_free(&spawn);
	program_close(&bad);
}
END_TEST

/* Where the kept descriptor is refused, the name serves. */
START_TEST(the_path_is_the_second_way)
{
	struct spawn spawn;

	fd_close(&program.fd);
	program.fd = open("/dev/null", O_PATH | O_CLOEXEC);
	ck_assert_int_eq(spawn_init(&spawn, &program, report_argv, 0), 0);
	ck_assert_int_eq(run(&spawn), 0);
	spawn_free(&spawn);
}
END_TEST

static bool
has_children(void)
{
	siginfo_t info;

	return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

/* A handler's child with a session of its own, whose parent is gone. */
static void
leave_a_stray(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		if (fork() == 0 && setsid() > 0)
			for (;;)
				(void)pause();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

START_TEST(strays_end_with_the_supervisor)
{
	struct earlier earlier;

	ck_assert(!has_children());
	earlier_take(&earlier);
	ck_assert_uint_eq(earlier.count, 0);
	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	for (int i = 0; i < 5; i++)
		leave_a_stray();
	ck_assert(has_children());
	reap_strays(&earlier);
	ck_assert(!has_children());
}
END_TEST

static pid_t
child_that_stays(void)
{
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			(void)pause();
	return pid;
}

START_TEST(children_of_an_earlier_program_are_spared)
{
	pid_t first = child_that_stays(), second = child_that_stays();
	struct earlier earlier;

	earlier_take(&earlier);
	ck_assert_uint_eq(earlier.count, 2);
	ck_assert(!earlier.is_unknown);
	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	leave_a_stray();
	/* adopted by a program that was replaced: its own again */
	earlier_forget(&earlier, second);
	reap_strays(&earlier);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), 0);
	ck_assert_int_eq(kill(second, 0), -1);
	ck_assert_int_eq(kill(first, SIGKILL), 0);
	ck_assert_int_eq(waitpid(-1, NULL, 0), first);
	ck_assert(!has_children());
}
END_TEST

START_TEST(more_of_them_than_can_be_kept_are_spared_all)
{
	struct earlier earlier;
	pid_t pids[REAP_EARLIER + 1];

	for (size_t i = 0; i <= REAP_EARLIER; i++)
		pids[i] = child_that_stays();
	earlier_take(&earlier);
	ck_assert(earlier.is_unknown);
	reap_strays(&earlier);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), 0);
	for (size_t i = 0; i <= REAP_EARLIER; i++) {
		ck_assert_int_eq(kill(pids[i], SIGKILL), 0);
		ck_assert_int_eq(waitpid(pids[i], NULL, 0), pids[i]);
	}
}
END_TEST

START_TEST(one_that_was_reaped_is_forgotten)
{
	pid_t pid = child_that_stays();
	struct earlier earlier;
	siginfo_t info;

	earlier_take(&earlier);
	ck_assert_uint_eq(earlier.count, 1);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT),
	    0);
	while (reap_ended(&earlier, NULL, NULL))
		continue;
	/* its number may be anybody's from now on */
	ck_assert_uint_eq(earlier.count, 0);
	ck_assert(!has_children());
}
END_TEST

static bool
count_looked(void *arg, pid_t pid)
{
	ck_assert_int_gt(pid, 0);
	++*(int *)arg;
	return false;
}

/* Many dead children are taken a portion a turn, and all in the end. */
START_TEST(reaping_is_bounded_and_complete)
{
	struct earlier earlier = { 0 };
	int looked = 0, turns = 0;
	siginfo_t info;

	for (int i = 0; i < 100; i++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info,
		    WEXITED | WNOWAIT), 0);
	}
	do
		turns++;
	while (reap_ended(&earlier, count_looked, &looked));
	ck_assert_int_eq(looked, 100);
	ck_assert_int_gt(turns, 1);
	ck_assert(!has_children());
}
END_TEST

Suite *
spawn_suite(void)
{
	Suite *suite = suite_create("spawn");
	TCase *tc = tcase_create("spawn");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, descriptors_arrive_in_order);
	tcase_add_test(tc, one_descriptor_may_go_twice);
	tcase_add_test(tc, leaked_descriptors_stay_behind);
	tcase_add_test(tc, a_prepared_start_can_be_started_again);
	tcase_add_test(tc, the_environment_is_an_allow_list);
	tcase_add_test(tc, a_program_that_cannot_run_is_said_so);
	tcase_add_test(tc, the_path_is_the_second_way);
	tcase_add_test(tc, strays_end_with_the_supervisor);
	tcase_add_test(tc, children_of_an_earlier_program_are_spared);
	tcase_add_test(tc, more_of_them_than_can_be_kept_are_spared_all);
	tcase_add_test(tc, one_that_was_reaped_is_forgotten);
	tcase_add_test(tc, reaping_is_bounded_and_complete);
	suite_add_tcase(suite, tc);
	return suite;
}
