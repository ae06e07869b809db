/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/inherit.h"
#include "net_help.h"

static void
hand_over(const char *pid, const char *fds, const char *names)
{
	const char *const values[] = { pid, fds, names };
	const char *const variables[] = {
		"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES",
	};

	for (size_t i = 0; i < 3; i++)
		if (values[i])
			setenv(variables[i], values[i], 1);
		else
			unsetenv(variables[i]);
}

/* 3, 4 and 5, open over exec as they come from another program. */
static void
make_three(void)
{
	int fd = open("/dev/null", O_RDWR);

	for (int i = 3; i < 6; i++)
		if (fd != i)
			ck_assert_int_eq(dup2(fd, i), i);
	if (fd > 5)
		close(fd);
	for (int i = 3; i < 6; i++)
		ck_assert_int_eq(fcntl(i, F_SETFD, 0), 0);
}

static void
must_be_cleared(void)
{
	ck_assert_ptr_null(getenv("LISTEN_PID"));
	ck_assert_ptr_null(getenv("LISTEN_FDS"));
	ck_assert_ptr_null(getenv("LISTEN_FDNAMES"));
}

START_TEST(descriptors_come_by_name)
{
	struct inherit inherit;
	char pid[16];

	make_three();
	(void)snprintf(pid, sizeof(pid), "%d", (int)getpid());
	hand_over(_i ? pid : NULL, "3", "config:socket:socket");
	ck_assert_int_eq(inherit_take(&inherit, NULL), 0);
	must_be_cleared();
	ck_assert_uint_eq(inherit.count, 3);
	for (int i = 3; i < 6; i++)
		ck_assert_int_eq(fcntl(i, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(inherit_find(&inherit, "socket"), 4);
	ck_assert_int_eq(inherit_find(&inherit, "socket"), 5);
	ck_assert_int_eq(inherit_find(&inherit, "socket"), -1);
	ck_assert_int_eq(inherit_find(&inherit, "log"), -1);
	inherit_free(&inherit);
	ck_assert_int_lt(fcntl(3, F_GETFD), 0);         /* nobody took it */
	ck_assert_int_ge(fcntl(4, F_GETFD), 0);
	inherit_free(&inherit);
}
END_TEST

START_TEST(without_names_they_are_unknown)
{
	struct inherit inherit;

	make_three();
	hand_over(NULL, "2", NULL);
	ck_assert_int_eq(inherit_take(&inherit, NULL), 0);
	ck_assert_uint_eq(inherit.count, 2);
	ck_assert_int_eq(inherit_find(&inherit, "unknown"), 3);
	ck_assert_int_eq(inherit_find(&inherit, "unknown"), 4);
	inherit_free(&inherit);
}
END_TEST

START_TEST(what_was_taken_can_be_returned)
{
	struct inherit inherit;
	int fd;

	make_three();
	hand_over(NULL, "2", "used:idle");
	ck_assert_int_eq(inherit_take(&inherit, NULL), 0);
	fd = inherit_find(&inherit, "used");
	inherit_close(&inherit);
	ck_assert_int_lt(fcntl(4, F_GETFD), 0);         /* nobody took it */
	ck_assert_int_eq(inherit_find(&inherit, "used"), -1);
	inherit_return(&inherit, "used", fd);
	ck_assert_int_eq(inherit_find(&inherit, "used"), fd);
	inherit_return(&inherit, "idle", fd);           /* is no such socket */
	ck_assert_int_lt(fcntl(fd, F_GETFD), 0);
	inherit_free(&inherit);
}
END_TEST

static const struct {
	const char *pid, *fds, *names;
} nothings[] = {
	{ NULL, NULL, NULL }, { "1", "3", "a:b:c" }, { NULL, "0", NULL },
	{ NULL, NULL, "a" }, { NULL, "0", "a" },
};

START_TEST(nothing_is_handed_over)
{
	struct inherit inherit;
	int flags = fcntl(3, F_GETFD);

	hand_over(nothings[_i].pid, nothings[_i].fds, nothings[_i].names);
	ck_assert_int_eq(inherit_take(&inherit, NULL), 0);
	must_be_cleared();
	ck_assert_uint_eq(inherit.count, 0);
	ck_assert_int_eq(inherit_find(&inherit, "a"), -1);
	ck_assert_int_eq(fcntl(3, F_GETFD), flags);
	inherit_free(&inherit);
}
END_TEST

static const struct {
	const char *pid, *fds, *names, *word;
} nonsense[] = {
	{ NULL, "x", NULL, "LISTEN_FDS=x" },
	{ NULL, "", NULL, "LISTEN_FDS=" },
	{ NULL, "-1", NULL, "LISTEN_FDS=-1" },
	{ NULL, "+1", NULL, "LISTEN_FDS=+1" },
	{ NULL, "1 ", NULL, "LISTEN_FDS=1" },
	{ NULL, "1025", NULL, "1024" },
	{ NULL, "99999999999999999999", NULL, "LISTEN_FDS" },
	{ "x", "1", NULL, "LISTEN_PID=x" },
	{ "0", "1", NULL, "LISTEN_PID=0" },
	{ "", "1", NULL, "LISTEN_PID" },
	{ NULL, "3", "a:b", "LISTEN_FDNAMES" },
	{ NULL, "2", "a:b:c", "LISTEN_FDNAMES" },
	{ NULL, "2", "", "LISTEN_FDNAMES" },
	{ NULL, "1", "0123456789012345678901234567890123456789"
	    "012345678901234567890123", "63 bytes" },
	{ NULL, "1000", NULL, "descriptor" },
};

START_TEST(nonsense_is_an_error)
{
	struct inherit inherit;
	struct err err = { "" };

	make_three();
	hand_over(nonsense[_i].pid, nonsense[_i].fds, nonsense[_i].names);
	ck_assert_int_lt(inherit_take(&inherit, &err), 0);
	ck_assert_msg(strstr(err.text, nonsense[_i].word) != NULL, "%s",
	    err.text);
	must_be_cleared();
	ck_assert_uint_eq(inherit.count, 0);
	inherit_free(&inherit);
}
END_TEST

Suite *
inherit_suite(void)
{
	Suite *suite = suite_create("inherit");
	TCase *tc = net_case(suite, "inherit");

	tcase_add_loop_test(tc, descriptors_come_by_name, 0, 2);
	tcase_add_test(tc, without_names_they_are_unknown);
	tcase_add_test(tc, what_was_taken_can_be_returned);
	tcase_add_loop_test(tc, nothing_is_handed_over, 0,
	    sizeof(nothings) / sizeof(nothings[0]));
	tcase_add_loop_test(tc, nonsense_is_an_error, 0,
	    sizeof(nonsense) / sizeof(nonsense[0]));
	return suite;
}
