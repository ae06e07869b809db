/* SPDX-License-Identifier: ISC */
/* The files that the supervisor writes, and its detaching. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/exit.h"
#include "super/address_file.h"
#include "super/daemonize.h"
#include "super/listener.h"
#include "super/pidfile.h"
#include "super_suites.h"

static char directory[64], path[128];

static void
setup(void)
{
	strcpy(directory, "/tmp/super_files.XXXXXX");
	ck_assert(mkdtemp(directory) != NULL);
	(void)snprintf(path, sizeof(path), "%s/file", directory);
}

static void
teardown(void)
{
	(void)unlink(path);
	(void)rmdir(directory);
}

static const char *
content(const char *name)
{
	static char text[1024];
	FILE *file = fopen(name, "re");
	size_t n = 0;

	if (file != NULL) {
		n = fread(text, 1, sizeof(text) - 1, file);
		fclose(file);
	}
	text[n] = '\0';
	return text;
}

START_TEST(pidfile_holds_the_pid_and_goes_at_the_end)
{
	struct pidfile pidfile;
	struct stat st;
	struct err err;

	ck_assert_int_eq(pidfile_open(&pidfile, path, &err), 0);
	ck_assert_int_eq(atoi(content(path)), getpid());
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0640);
	pidfile_close(&pidfile);
	ck_assert_int_ne(stat(path, &st), 0);
	ck_assert_int_eq(pidfile.fd, -1);
}
END_TEST

START_TEST(pidfile_that_is_held_names_its_holder)
{
	struct pidfile pidfile, second;
	struct err err;
	char pid[32];
	int status;

	ck_assert_int_eq(pidfile_open(&pidfile, path, &err), 0);
	(void)snprintf(pid, sizeof(pid), "process %d:", (int)getpid());
	if (fork() == 0)        /* a lock is a process's */
		_exit(pidfile_open(&second, path, &err) < 0 &&
		    strstr(err.text, pid) != NULL ? 0 : 1);
	wait(&status);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(atoi(content(path)), getpid());
	pidfile_close(&pidfile);
}
END_TEST

START_TEST(pidfile_of_a_dead_daemon_is_no_obstacle)
{
	struct pidfile pidfile;
	struct err err;
	FILE *file = fopen(path, "we");

	fputs("4194304999\nold text that is longer\n", file);
	fclose(file);
	ck_assert_int_eq(pidfile_open(&pidfile, path, &err), 0);
	ck_assert_int_eq(atoi(content(path)), getpid());
	ck_assert(strstr(content(path), "old") == NULL);
	pidfile_close(&pidfile);
}
END_TEST

START_TEST(pidfile_never_follows_a_link)
{
	struct pidfile pidfile;
	struct err err;
	char victim[160];
	FILE *file;

	(void)snprintf(victim, sizeof(victim), "%s.victim", path);
	file = fopen(victim, "we");
	fputs("precious", file);
	fclose(file);
	ck_assert_int_eq(symlink(victim, path), 0);
	ck_assert_int_lt(pidfile_open(&pidfile, path, &err), 0);
	ck_assert(strstr(err.text, "symbolic link") != NULL);
	ck_assert_str_eq(content(victim), "precious");
	(void)unlink(victim);
}
END_TEST

START_TEST(pidfile_is_a_plain_file)
{
	struct pidfile pidfile;
	struct err err;

	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_int_lt(pidfile_open(&pidfile, path, &err), 0);
	ck_assert(strstr(err.text, "plain file") != NULL);
	ck_assert_int_eq(pidfile.fd, -1);
}
END_TEST

START_TEST(address_file_has_a_line_a_socket)
{
	static char web_name[] = "web", echo_name[] = "echo";
	struct bound tcp = { .endpoint.address = "tcp://127.0.0.1:40123" };
	struct bound path_socket = { .endpoint.address = "unix:/run/web" };
	struct bound udp = { .endpoint.address = "udp://[::1]:7" };
	struct bound *of_web[] = { &tcp, &path_socket }, *of_echo[] = { &udp };
	struct listener web = { .name = web_name, .sockets = { of_web, 2 } };
	struct listener echo = { .name = echo_name, .sockets = { of_echo, 1 } };
	struct listener *const listeners[] = { &web, &echo };
	struct err err;

	ck_assert_int_eq(address_file_write(path, listeners, 2, &err), 0);
	ck_assert_str_eq(content(path), "web tcp://127.0.0.1:40123\n"
	    "web unix:/run/web\necho udp://[::1]:7\n");
}
END_TEST

/* In a child, so that the "daemon" is not this test. What its starter returned;
 * act is what the daemon does. */
static int
status_of(void (*act)(struct daemonize *))
{
	struct daemonize daemonize;
	struct err err;
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		daemonize_init(&daemonize);
		if (daemonize_start(&daemonize, &status, &err) > 0)
			_exit(status);
		act(&daemonize);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
act_serve(struct daemonize *daemonize)
{
	daemonize_detach(daemonize, false);
	daemonize_tell(daemonize, EXIT_OK);
	daemonize_tell(daemonize, EXIT_SYSTEM); /* too late: the first counts */
}

static void
act_fail(struct daemonize *daemonize)
{
	daemonize_tell(daemonize, EXIT_CONFIG);
}

static void
act_die(struct daemonize *daemonize)
{
	(void)daemonize;
	(void)raise(SIGKILL);
}

/* The starter must return while the daemon goes on. */
static void
act_go_on(struct daemonize *daemonize)
{
	act_serve(daemonize);
	(void)alarm(2);
	(void)pause();
}

START_TEST(starter_learns_that_the_daemon_serves)
{
	ck_assert_int_eq(status_of(act_serve), EXIT_OK);
	ck_assert_int_eq(status_of(act_go_on), EXIT_OK);
}
END_TEST

START_TEST(starter_learns_why_it_does_not)
{
	ck_assert_int_eq(status_of(act_fail), EXIT_CONFIG);
	ck_assert_int_eq(status_of(act_die), EXIT_SYSTEM);      /* says so */
}
END_TEST

/* Neither the session, nor a terminal, nor the starter's descriptors. */
static void
act_look(struct daemonize *daemonize)
{
	struct stat null, st;
	int code = EXIT_OK;

	daemonize_detach(daemonize, false);
	(void)stat("/dev/null", &null);
	for (int fd = 0; fd < 3; fd++)
		if (fstat(fd, &st) != 0 || st.st_rdev != null.st_rdev)
			code = 10 + fd;
	if (getsid(0) == getpid() || open("/dev/tty", O_RDWR) >= 0)
		code = 20;
	daemonize_tell(daemonize, code);
}

START_TEST(daemon_is_detached)
{
	ck_assert_int_eq(status_of(act_look), EXIT_OK);
}
END_TEST

Suite *
files_suite(void)
{
	Suite *suite = suite_create("files");
	TCase *tc = tcase_create("files");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, pidfile_holds_the_pid_and_goes_at_the_end);
	tcase_add_test(tc, pidfile_that_is_held_names_its_holder);
	tcase_add_test(tc, pidfile_of_a_dead_daemon_is_no_obstacle);
	tcase_add_test(tc, pidfile_never_follows_a_link);
	tcase_add_test(tc, pidfile_is_a_plain_file);
	tcase_add_test(tc, address_file_has_a_line_a_socket);
	suite_add_tcase(suite, tc);
	return suite;
}

Suite *
daemonize_suite(void)
{
	Suite *suite = suite_create("daemonize");
	TCase *tc = tcase_create("daemonize");

	tcase_add_test(tc, starter_learns_that_the_daemon_serves);
	tcase_add_test(tc, starter_learns_why_it_does_not);
	tcase_add_test(tc, daemon_is_detached);
	suite_add_tcase(suite, tc);
	return suite;
}
