/* SPDX-License-Identifier: ISC */
/* The configuration read again beside a loop, by a child that may do anything. */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/sig.h"
#include "super/loader.h"
#include "super_suites.h"

#define PATIENCE_MS 20000
#define GOOD "listeners = ( { name = \"a\"; handler = \"./h.so\"; listen = " \
	"\"tcp://127.0.0.1:0\"; } );\n"

static char directory[64];
static struct loop *loop;
static struct program program;
static struct options options;
static struct loader loader;

/* What `done` was told, and how often. */
static struct {
	int calls;
	enum exit_code code;
	struct config *config;
	char faults[4096];
} result;

static void
must_write(const char *file, const char *text)
{
	FILE *f = fopen(file, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

/* As a supervisor: started in a directory, at work in "/". */
static void
setup(void)
{
	struct err err;

	sig_reset();
	strcpy(directory, "/tmp/unit-loader-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	ck_assert_msg(program_open(&program, fake_service_path(), &err) == 0,
	    "%s", err.text);
	(void)umask(022);
	ck_assert_int_eq(chdir(directory), 0);
	must_write("h.so", "");
	must_write("main.conf", GOOD);
	options = (struct options){ .file = "main.conf", .log_level = -1 };
	loop = loop_new();
	loader_init(&loader);
	ck_assert_int_eq(chdir("/"), 0);
	memset(&result, 0, sizeof(result));
}

static void
teardown(void)
{
	ck_assert_int_eq(chdir(directory), 0);
	(void)unlink("main.conf");
	(void)unlink("conf.d/b.conf");
	(void)rmdir("conf.d");
	(void)unlink("h.so");
	ck_assert_int_eq(rmdir(directory), 0);
	loader_free(&loader);
	config_free(&result.config);
	program_close(&program);
	loop_free(&loop);
}

static void
done(void *arg, enum exit_code code, struct config *config, const char *faults)
{
	ck_assert_ptr_eq(arg, &result);
	ck_assert(!loader_is_running(&loader));
	config_free(&result.config);
	result.calls++;
	result.code = code;
	result.config = config;
	(void)snprintf(result.faults, sizeof(result.faults), "%s", faults);
}

static void
must_start(void)
{
	struct err err;

	ck_assert_msg(loader_start(&loader, loop, &options, &program, done,
	    &result, &err) == 0, "%s", err.text);
	ck_assert(loader_is_running(&loader));
	ck_assert_int_eq(result.calls, 0);
}

static void
must_finish(void)
{
	int64_t until = clock_after_ms(PATIENCE_MS);

	while (result.calls == 0) {
		ck_assert_int_lt(clock_now(), until);
		ck_assert_int_eq(loop_turn(loop, clock_left_ms(until)), 0);
	}
	ck_assert_int_eq(result.calls, 1);
}

static void
must_load(void)
{
	must_start();
	must_finish();
	ck_assert_msg(result.code == EXIT_OK, "%s", result.faults);
	ck_assert_ptr_nonnull(result.config);
}

static void
must_fail(enum exit_code code, const char *words)
{
	must_start();
	must_finish();
	ck_assert_int_eq(result.code, code);
	ck_assert_ptr_null(result.config);
	ck_assert_msg(strstr(result.faults, words) != NULL, "%s",
	    result.faults);
}

START_TEST(a_good_file_is_a_configuration)
{
	char wanted[128];

	options.log_level = 0;
	must_load();
	ck_assert_str_eq(result.faults, "");
	ck_assert_uint_eq(result.config->listener_count, 1);
	ck_assert_str_eq(result.config->listeners[0].name, "a");
	ck_assert_int_eq(result.config->log.level, 0);
	(void)snprintf(wanted, sizeof(wanted), "%s/h.so", directory);
	ck_assert_str_eq(result.config->listeners[0].handler_file, wanted);
	ck_assert_str_eq(result.config->listeners[0].handler_digest,
	    "0-cbf29ce484222325");
}
END_TEST

START_TEST(parts_beside_a_relative_file_are_found)
{
	ck_assert_int_eq(chdir(directory), 0);
	ck_assert_int_eq(mkdir("conf.d", 0755), 0);
	must_write("conf.d/b.conf", "listeners = ( { name = \"b\"; handler = "
	    "\"./h.so\"; listen = \"tcp://127.0.0.1:0\"; } );\n");
	ck_assert_int_eq(chdir("/"), 0);
	must_load();
	ck_assert_uint_eq(result.config->listener_count, 2);
}
END_TEST

START_TEST(the_command_line_means_what_it_meant)
{
	options.address = "tcp://127.0.0.1:0";
	options.handler = "./h.so";
	must_load();
	ck_assert_uint_eq(result.config->listener_count, 1);
}
END_TEST

START_TEST(faults_come_with_their_lines)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/main.conf", directory);
	must_write(path, "listeners = ( { name = \"a\"; handler = "
	    "\"./h.so\";\n listen = \"tcp://127.0.0.1:0\";\n backlog = 0; } );"
	    "\nuzer = \"x\";\n");
	must_fail(EXIT_CONFIG, "main.conf:3: listener \"a\": backlog: 0 is ");
	ck_assert_ptr_nonnull(strstr(result.faults, "main.conf:4: uzer: "));
}
END_TEST

START_TEST(faults_of_handlers_come_too)
{
	struct err err;

	program_close(&program);
	setenv("FAKE_SAN_OPTIONS", "faulty", 1);
	ck_assert_int_eq(program_open(&program, fake_service_path(), &err), 0);
	must_fail(EXIT_CONFIG, "a fault of a handler\n");
}
END_TEST

START_TEST(a_missing_file_is_told_so)
{
	options.file = "none.conf";
	must_fail(EXIT_NO_FILE, "none.conf: cannot be opened: No such file");
}
END_TEST

START_TEST(an_absolute_file_needs_no_directory)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/main.conf", directory);
	options.file = path;
	free(loader.directory);
	loader.directory = strdup("/nonexistent");
	must_load();
}
END_TEST

/* --- children that misbehave --- */

static void
work_killed(const struct options *o, const struct program *p, int fd)
{
	(void)o;
	(void)p;
	(void)!write(fd, "loaded 0 0 9\n", 13);
	(void)raise(SIGKILL);
}

static void
work_status(const struct options *o, const struct program *p, int fd)
{
	(void)o;
	(void)p;
	(void)fd;
	_exit(7);
}

/* Says all that is wanted, and does not end. */
static void
work_hangs(const struct options *o, const struct program *p, int fd)
{
	(void)o;
	(void)p;
	(void)!write(fd, "loaded 78 2 0\nx\n", 16);
	fd_close(&fd);
	for (;;)
		(void)pause();
}

static const char *garbage;

static void
work_garbage(const struct options *o, const struct program *p, int fd)
{
	(void)o;
	(void)p;
	(void)fd_write_all(fd, garbage, strlen(garbage));
}

static void
work_endless(const struct options *o, const struct program *p, int fd)
{
	static const char block[65536];

	(void)o;
	(void)p;
	while (fd_write_all(fd, block, sizeof(block)) == 0)
		continue;
	for (;;)
		(void)pause();
}

START_TEST(a_child_that_is_killed_is_a_failed_load)
{
	loader.work = work_killed;
	must_fail(EXIT_SYSTEM, "was killed by SIGKILL; nothing was changed");
}
END_TEST

START_TEST(a_child_that_gives_up_is_a_failed_load)
{
	loader.work = work_status;
	must_fail(EXIT_SYSTEM, "ended with status 7");
}
END_TEST

START_TEST(a_child_that_hangs_ends_at_its_deadline)
{
	pid_t pid;
	int status;

	loader.work = work_hangs;
	loader.deadline_ms = 100;
	must_start();
	pid = loader.pid;
	must_finish();
	ck_assert_int_eq(result.code, EXIT_SYSTEM);
	ck_assert_ptr_nonnull(strstr(result.faults, "took longer than 0.1 s"));
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}
END_TEST

static const char *const lies[] = {
	"", "\n", "loaded", "loaded 0 0 0", "loaded 0 0 0\n",
	"loaded 78 0 0\n", "loaded 78 5 0\nabc\n", "loaded 78 3 0\nabc\n",
	"loaded 5 4 0\nabc\n", "loaded -1 4 0\nabc\n",
	"loaded 0 0 22\nsocketserverd-config 1",
	"loaded 0 0 4\nabc\n", "loaded 78 4 4\nabc\nabc\n",
	"loaded 78 18446744073709551615 5\nabc\n",
	"loaded 78 99999999999999999999999 5\nabc\n",
	"loaded 78 4 18446744073709551615\nabc\n",
};

#define LIES (int)(sizeof(lies) / sizeof(lies[0]))

START_TEST(a_lying_child_is_a_failed_load)
{
	loader.work = work_garbage;
	garbage = lies[_i];
	must_fail(EXIT_SYSTEM, "gave a wrong answer; nothing was changed");
}
END_TEST

START_TEST(control_bytes_do_not_pass)
{
	loader.work = work_garbage;
	garbage = "loaded 78 6 0\na\x1b[2J\n";
	must_fail(EXIT_CONFIG, "a?[2J\n");
}
END_TEST

START_TEST(an_endless_answer_ends)
{
	loader.work = work_endless;
	must_fail(EXIT_SYSTEM, "gave an answer that is too long");
}
END_TEST

/* --- its surroundings --- */

static int left_open;

static void
work_lists(const struct options *o, const struct program *p, int fd)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;

	(void)o;
	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		int n = atoi(entry->d_name);

		if (entry->d_name[0] != '.' && n > 2 && n != fd &&
		    n != p->fd && n != dirfd(dir))
			left_open++;
	}
	if (dir == NULL || left_open > 0 || getpgid(0) != getpid())
		_exit(9);
	(void)!write(fd, "loaded 78 5 0\ngood\n", 19);
}

START_TEST(the_child_has_no_descriptor_of_the_supervisor)
{
	/* not close-on-exec, and far away */
	int far = fcntl(2, F_DUPFD, 300);

	loader.work = work_lists;
	must_fail(EXIT_CONFIG, "good\n");
	close(far);
}
END_TEST

START_TEST(one_load_at_a_time)
{
	struct err err;

	must_start();
	ck_assert_int_lt(loader_start(&loader, loop, &options, &program, done,
	    &result, &err), 0);
	ck_assert_ptr_nonnull(strstr(err.text, "already"));
	must_finish();
	ck_assert_int_eq(result.code, EXIT_OK);
}
END_TEST

static void
done_again(void *arg, enum exit_code code, struct config *config,
    const char *faults)
{
	(void)faults;
	ck_assert_int_eq(code, EXIT_OK);
	config_free(&config);
	(void)arg;
	must_start();
}

START_TEST(it_can_be_started_from_its_own_answer)
{
	struct err err;

	ck_assert_int_eq(loader_start(&loader, loop, &options, &program,
	    done_again, NULL, &err), 0);
	must_finish();
	ck_assert_int_eq(result.code, EXIT_OK);
}
END_TEST

START_TEST(a_cancelled_load_is_not_told)
{
	pid_t pid;
	int status;

	loader.work = work_hangs;
	must_start();
	pid = loader.pid;
	loader_cancel(&loader);
	ck_assert(!loader_is_running(&loader));
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status));
	(void)loop_turn(loop, 0);
	ck_assert_int_eq(result.calls, 0);
	loader_cancel(&loader);
}
END_TEST

/* The zombie is seen by the supervisor's reaper before the loop sees it. */
START_TEST(the_reaper_may_be_first)
{
	siginfo_t info;

	loader.work = work_killed;
	must_start();
	ck_assert_int_eq(waitid(P_PID, (id_t)loader.pid, &info,
	    WEXITED | WNOWAIT), 0);
	ck_assert(!loader_reap(&loader, 1));
	ck_assert(loader_reap(&loader, info.si_pid));
	ck_assert_int_eq(result.calls, 1);
	ck_assert_ptr_nonnull(strstr(result.faults, "was killed by SIGKILL"));
	ck_assert_int_eq(waitpid(info.si_pid, NULL, WNOHANG), -1);
	(void)loop_turn(loop, 0);
	ck_assert_int_eq(result.calls, 1);
}
END_TEST

/* Somebody else took the status: a whole answer is still one. */
START_TEST(an_answer_counts_without_a_status)
{
	must_start();
	ck_assert_int_eq(waitpid(loader.pid, NULL, 0), loader.pid);
	must_finish();
	ck_assert_int_eq(result.code, EXIT_OK);
	ck_assert_ptr_nonnull(result.config);
}
END_TEST

START_TEST(the_child_dies_with_the_supervisor)
{
	int fds[2], status;
	pid_t super, child;

	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	ck_assert_int_eq(pipe(fds), 0);
	super = fork();
	if (super == 0) {
		loader.work = work_hangs;
		must_start();
		(void)!write(fds[1], &loader.pid, sizeof(loader.pid));
		(void)raise(SIGKILL);
	}
	ck_assert_int_eq(read(fds[0], &child, sizeof(child)), sizeof(child));
	ck_assert_int_eq(waitpid(super, NULL, 0), super);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFSIGNALED(status) || WIFEXITED(status));
	close(fds[0]);
	close(fds[1]);
}
END_TEST

Suite *
loader_suite(void)
{
	Suite *suite = suite_create("loader");
	TCase *tc = tcase_create("loader");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_good_file_is_a_configuration);
	tcase_add_test(tc, parts_beside_a_relative_file_are_found);
	tcase_add_test(tc, the_command_line_means_what_it_meant);
	tcase_add_test(tc, faults_come_with_their_lines);
	tcase_add_test(tc, faults_of_handlers_come_too);
	tcase_add_test(tc, a_missing_file_is_told_so);
	tcase_add_test(tc, an_absolute_file_needs_no_directory);
	tcase_add_test(tc, a_child_that_is_killed_is_a_failed_load);
	tcase_add_test(tc, a_child_that_gives_up_is_a_failed_load);
	tcase_add_test(tc, a_child_that_hangs_ends_at_its_deadline);
	tcase_add_loop_test(tc, a_lying_child_is_a_failed_load, 0, LIES);
	tcase_add_test(tc, control_bytes_do_not_pass);
	tcase_add_test(tc, an_endless_answer_ends);
	tcase_add_test(tc, the_child_has_no_descriptor_of_the_supervisor);
	tcase_add_test(tc, one_load_at_a_time);
	tcase_add_test(tc, it_can_be_started_from_its_own_answer);
	tcase_add_test(tc, a_cancelled_load_is_not_told);
	tcase_add_test(tc, the_reaper_may_be_first);
	tcase_add_test(tc, an_answer_counts_without_a_status);
	tcase_add_test(tc, the_child_dies_with_the_supervisor);
	suite_add_tcase(suite, tc);
	return suite;
}
