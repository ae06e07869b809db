/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base_suites.h"

static char directory[] = "/tmp/base_fd.XXXXXX";

static void
enter_directory(void)
{
	ck_assert_ptr_nonnull(mkdtemp(directory));
	ck_assert_int_eq(chdir(directory), 0);
}

static void
leave_directory(void)
{
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_int_eq(rmdir(directory), 0); /* fails if a test left a file */
}

static bool
is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

START_TEST(close_clears_and_keeps_errno)
{
	int fd = dup(0), copy = fd;

	errno = EPERM;
	fd_close(&fd);
	ck_assert_int_eq(fd, -1);
	ck_assert(!is_open(copy));
	errno = EPERM;
	fd_close(&fd);
	ck_assert_int_eq(errno, EPERM);
}
END_TEST

START_TEST(flags_are_set_and_cleared)
{
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_eq(fd_set_cloexec(fds[0], true), 0);
	ck_assert_int_eq(fcntl(fds[0], F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(fd_set_cloexec(fds[0], false), 0);
	ck_assert_int_eq(fcntl(fds[0], F_GETFD), 0);
	ck_assert_int_eq(fd_set_nonblock(fds[0], true), 0);
	ck_assert(fcntl(fds[0], F_GETFL) & O_NONBLOCK);
	ck_assert_int_eq(fd_set_nonblock(fds[0], false), 0);
	ck_assert(!(fcntl(fds[0], F_GETFL) & O_NONBLOCK));
	ck_assert_int_eq(fd_set_nonblock(-1, true), -EBADF);
	ck_assert_int_eq(fd_set_cloexec(-1, true), -EBADF);
}
END_TEST

START_TEST(standard_descriptors_are_filled)
{
	int probe;

	(void)close(0);
	(void)close(2);
	ck_assert_int_eq(fd_fill_standard(), 0);
	for (int fd = 0; fd <= 2; fd++)
		ck_assert_int_eq(fcntl(fd, F_GETFD), 0);
	probe = dup(0);
	ck_assert_int_gt(probe, 2);
	ck_assert_int_eq(fd_fill_standard(), 0);
}
END_TEST

START_TEST(a_pipe_is_read_to_its_end)
{
	struct buf buf;
	int fds[2];

	buf_init(&buf, 100);
	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_eq(fd_write_all(fds[1], "hello", 5), 0);
	fd_close(&fds[1]);
	ck_assert_int_eq(fd_read_all(fds[0], &buf, 0), 0);
	ck_assert_str_eq(buf.data, "hello");
	buf_free(&buf);
}
END_TEST

START_TEST(reading_stops_at_the_deadline)
{
	struct buf buf;
	int fds[2];

	buf_init(&buf, 0);
	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_eq(fd_write_all(fds[1], "x", 1), 0);
	ck_assert_int_eq(fd_read_all(fds[0], &buf, clock_after_ms(20)),
	    -ETIMEDOUT);
	ck_assert_str_eq(buf.data, "x");
	ck_assert_int_eq(fd_read_all(fds[0], &buf, clock_now() - 1),
	    -ETIMEDOUT);
	buf_free(&buf);
}
END_TEST

START_TEST(reading_stops_at_the_maximum)
{
	struct buf buf;
	int fds[2];

	buf_init(&buf, 3);
	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_eq(fd_write_all(fds[1], "abcd", 4), 0);
	fd_close(&fds[1]);
	ck_assert_int_eq(fd_read_all(fds[0], &buf, 0), -EMSGSIZE);
	buf_free(&buf);
	ck_assert_int_eq(fd_read_all(-1, &buf, clock_after_ms(5)), -ETIMEDOUT);
}
END_TEST

START_TEST(a_memory_file_is_sealed_and_rewound)
{
	struct buf buf;
	int fd = fd_memory("config", "text", 4);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(fd_write_all(fd, "x", 1), -EPERM);
	ck_assert_int_ne(ftruncate(fd, 0), 0);
	buf_init(&buf, 0);
	ck_assert_int_eq(fd_read_all(fd, &buf, 0), 0);
	ck_assert_str_eq(buf.data, "text");
	buf_free(&buf);
}
END_TEST

START_TEST(a_symbolic_link_is_not_followed)
{
	int fd;

	ck_assert_int_eq(symlink("victim", "link"), 0);
	ck_assert_int_eq(fd_open_nofollow("link", O_WRONLY | O_CREAT, 0640),
	    -ELOOP);
	ck_assert_int_eq(access("victim", F_OK), -1);
	ck_assert_int_eq(unlink("link"), 0);
	fd = fd_open_nofollow("plain", O_WRONLY | O_CREAT, 0640);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(unlink("plain"), 0);
}
END_TEST

START_TEST(a_file_is_replaced_whole)
{
	struct err err;
	struct stat st;
	struct buf buf;
	int fd;

	(void)umask(077);
	ck_assert_int_eq(fd_replace_file("f", "one", 3, 0600, &err), 0);
	ck_assert_int_eq(fd_replace_file("f", "second", 6, 0644, &err), 0);
	ck_assert_int_eq(stat("f", &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0644);
	fd = fd_open_nofollow("f", O_RDONLY, 0);
	buf_init(&buf, 0);
	ck_assert_int_eq(fd_read_all(fd, &buf, 0), 0);
	ck_assert_str_eq(buf.data, "second");
	buf_free(&buf);
	ck_assert_int_eq(unlink("f"), 0);
}
END_TEST

START_TEST(a_file_that_cannot_be_replaced_leaves_no_other)
{
	struct err err;

	ck_assert_int_eq(fd_replace_file("none/f", "x", 1, 0600, &err),
	    -ENOENT);
	ck_assert_ptr_nonnull(strstr(err.text, "beside none/f"));
	ck_assert_int_eq(mkdir("d", 0700), 0);
	ck_assert_int_eq(fd_replace_file("d", "x", 1, 0600, &err), -EISDIR);
	ck_assert_ptr_nonnull(strstr(err.text, "cannot write d: "));
	ck_assert_int_eq(rmdir("d"), 0);
}
END_TEST

Suite *
fd_suite(void)
{
	Suite *suite = suite_create("fd");
	TCase *tcase = tcase_create("descriptors");
	TCase *files = tcase_create("files");

	tcase_add_test(tcase, close_clears_and_keeps_errno);
	tcase_add_test(tcase, flags_are_set_and_cleared);
	tcase_add_test(tcase, standard_descriptors_are_filled);
	tcase_add_test(tcase, a_pipe_is_read_to_its_end);
	tcase_add_test(tcase, reading_stops_at_the_deadline);
	tcase_add_test(tcase, reading_stops_at_the_maximum);
	tcase_add_test(tcase, a_memory_file_is_sealed_and_rewound);
	tcase_add_checked_fixture(files, enter_directory, leave_directory);
	tcase_add_test(files, a_symbolic_link_is_not_followed);
	tcase_add_test(files, a_file_is_replaced_whole);
	tcase_add_test(files, a_file_that_cannot_be_replaced_leaves_no_other);
	suite_add_tcase(suite, tcase);
	suite_add_tcase(suite, files);
	return suite;
}
