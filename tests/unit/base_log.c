/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/gather.h"
#include "base/log.h"
#include "base_suites.h"

static int reader;              /* the end of the log's pipe */
static char text[1 << 20];      /* what was logged */

/* Log into a pipe that does not block. */
static void
begin(void)
{
	int fds[2];

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	reader = fds[0];
	log_use(fds[1], LOG_KIND_STREAM, LOG_FORMAT_TEXT, LOG_LEVEL_INFO, true);
}

/* Everything that waits in the pipe, as text. */
static const char *
logged(void)
{
	ssize_t n = read(reader, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static unsigned
count_lines(const char *lines)
{
	unsigned n = 0;

	for (; (lines = strchr(lines, '\n')); lines++)
		n++;
	return n;
}

/* The line without its time, which is checked for its form. */
static const char *
untimed(const char *line)
{
	const char form[] = "time=0000-00-00T00:00:00.000000Z ";

	for (size_t i = 0; i < sizeof(form) - 1; i++) {
		if (form[i] == '0')
			ck_assert(line[i] >= '0' && line[i] <= '9');
		else
			ck_assert_int_eq(line[i], form[i]);
	}
	return line + sizeof(form) - 1;
}

START_TEST(levels_have_words)
{
	static const char *const words[] = {
		"debug", "info", "notice", "warning", "error",
	};

	for (int i = 0; i < 5; i++) {
		ck_assert_int_eq(log_level_parse(words[i]), i);
		ck_assert_str_eq(log_level_word((enum log_level)i), words[i]);
	}
	ck_assert_int_eq(log_level_parse("INFO"), -EINVAL);
	ck_assert_int_eq(log_level_parse(""), -EINVAL);
}
END_TEST

START_TEST(a_record_below_the_level_is_not_written)
{
	log_debug("no");
	ck_assert_str_eq(logged(), "");
	log_set_level(LOG_LEVEL_DEBUG);
	ck_assert(log_is_on(LOG_LEVEL_DEBUG));
	log_debug("yes");
	ck_assert_str_eq(untimed(logged()), "level=debug message=\"yes\"\n");
	log_set_level(LOG_LEVEL_ERROR);
	log_warning("no");
	log_access(&(struct log_access){ .result = "ok" });
	ck_assert_str_eq(logged(), "");
	log_error("yes %d", 1);
	ck_assert_str_eq(untimed(logged()), "level=error message=\"yes 1\"\n");
}
END_TEST

START_TEST(errno_is_used_and_kept)
{
	errno = ENOENT;
	log_info("%m");
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_str_eq(untimed(logged()),
	    "level=info message=\"No such file or directory\"\n");
	fd_close(&reader);
	(void)signal(SIGPIPE, SIG_IGN);
	log_info("lost");
	log_access(&(struct log_access){ .result = "ok" });
	log_flush();
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_uint_eq(log_dropped(), 2);
}
END_TEST

START_TEST(newlines_at_the_end_are_no_part_of_a_message)
{
	log_info("hello\r\n\n");
	ck_assert_str_eq(untimed(logged()), "level=info message=\"hello\"\n");
	log_info("%s", "\n");
	ck_assert_str_eq(untimed(logged()), "level=info message=\"\"\n");
}
END_TEST

START_TEST(a_hostile_message_is_one_line)
{
	char *huge = malloc(1 << 20);
	const char *line;

	ck_assert_ptr_nonnull(huge);
	memset(huge, '\n', 1 << 20);
	huge[(1 << 20) - 1] = '\0';
	log_info("a%cb%s", 0, huge);
	line = logged();
	ck_assert_uint_eq(count_lines(line), 1);
	ck_assert_uint_le(strlen(line), 4096);
	ck_assert_ptr_nonnull(strstr(line, "message=\"a\\x00b\\x0a"));
	ck_assert_str_eq(line + strlen(line) - 5, "...\"\n");
	memset(huge, '\xe6', (1 << 20) - 1);
	log_info("%s", huge);
	ck_assert_uint_eq(count_lines(logged()), 1);
	free(huge);
}
END_TEST

START_TEST(a_message_that_cannot_be_formatted_is_told)
{
	const wchar_t wide[] = { 0x7fffffff, 0 };

	log_info("%ls", (const wchar_t *)wide);
	ck_assert_ptr_nonnull(strstr(logged(), "cannot be formatted"));
}
END_TEST

START_TEST(access_lines_can_be_off)
{
	const struct log_access access = {
		.fields = { .listener = "echo", .request = 1 },
		.result = "ok", .duration_ns = 1500000000,
	};

	log_access(&access);
	ck_assert_str_eq(untimed(logged()),
	    "level=info listener=echo request=1 "
	    "result=ok bytes_in=0 bytes_out=0 seconds=1.500000 "
	    "message=\"request\"\n");
	log_use(dup(log_fd()), LOG_KIND_STREAM, LOG_FORMAT_TEXT, LOG_LEVEL_INFO,
	    false);
	log_access(&access);
	ck_assert_str_eq(logged(), "");
}
END_TEST

/* What the line says is when the request ended. */
START_TEST(an_access_line_has_the_time_of_its_end)
{
	const int64_t span = 3600 * CLOCK_SECOND;
	time_t at;
	struct tm then = { 0 };
	const char *line;

	log_access(&(struct log_access){
		.result = "ok", .ended_at = clock_now() + span,
	});
	line = logged();
	ck_assert_ptr_nonnull(strptime(line, "time=%Y-%m-%dT%H:%M:%S", &then));
	at = time(NULL) + span / CLOCK_SECOND;
	ck_assert_int_ge(timegm(&then), at - 2);
	ck_assert_int_le(timegm(&then), at + 2);
}
END_TEST

/* Log until the pipe is full, and once more. */
static unsigned
fill(void)
{
	const uint64_t before = log_dropped();
	unsigned n = 0;

	while (log_dropped() == before) {
		log_info("filling");
		n++;
	}
	return n;
}

START_TEST(a_full_pipe_drops_and_tells_later)
{
	unsigned n = fill();
	const char *lines;

	for (int i = 0; i < 9; i++)
		log_info("lost");
	ck_assert_uint_eq(log_dropped(), 10);
	ck_assert_uint_eq(count_lines(logged()), n - 1);
	log_info("found");
	lines = logged();
	ck_assert_uint_eq(count_lines(lines), 2);
	ck_assert_ptr_nonnull(strstr(lines, "message=\"found\"\n"));
	ck_assert_ptr_nonnull(strstr(lines, "level=warning message=\"10 log "
	    "records were lost: they could not be written\"\n"));
	log_info("again");
	ck_assert_uint_eq(count_lines(logged()), 1);
	log_flush();
	ck_assert_str_eq(logged(), "");
}
END_TEST

START_TEST(a_flush_tells_what_was_dropped)
{
	(void)fill();
	(void)logged();
	log_flush();
	ck_assert_ptr_nonnull(strstr(logged(), "1 log records were lost"));
}
END_TEST

/* The same with a pipe that would block: the log must ask first. */
START_TEST(a_pipe_that_blocks_is_not_waited_for)
{
	int fds[2];

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	log_use(fds[1], LOG_KIND_STREAM, LOG_FORMAT_TEXT, LOG_LEVEL_INFO, true);
	ck_assert_uint_gt(fill(), 100);
}
END_TEST

START_TEST(standard_error_is_opened_anew_when_it_is_a_pipe)
{
	enum log_kind kind;
	struct err err;
	int fds[2], fd;

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	ck_assert_int_eq(dup2(fds[1], 2), 2);
	fd = log_sink_open("stderr", &kind, &err);
	ck_assert_int_gt(fd, 2);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	ck_assert(fcntl(fd, F_GETFL) & O_NONBLOCK);
	ck_assert(!(fcntl(2, F_GETFL) & O_NONBLOCK));
	ck_assert_int_eq(kind, LOG_KIND_STREAM);
	log_use(fd, kind, LOG_FORMAT_TEXT, LOG_LEVEL_INFO, true);
	ck_assert_uint_gt(fill(), 100);
}
END_TEST

START_TEST(standard_error_keeps_its_offset_when_it_is_a_file)
{
	enum log_kind kind;
	struct err err;
	struct buf buf;
	FILE *file = tmpfile();
	int fd;

	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(dup2(fileno(file), 2), 2);
	fd = log_sink_open("auto", &kind, &err);
	log_use(fd, kind, LOG_FORMAT_TEXT, LOG_LEVEL_INFO, true);
	log_info("one");
	ck_assert_int_eq(fd_write_all(2, "two\n", 4), 0);
	log_info("three");
	ck_assert_int_eq(lseek(2, 0, SEEK_SET), 0);
	buf_init(&buf, 0);
	ck_assert_int_eq(fd_read_all(2, &buf, 0), 0);
	ck_assert_ptr_nonnull(strstr(buf.data, "message=\"one\"\ntwo\ntime="));
	ck_assert_ptr_nonnull(strstr(buf.data, "message=\"three\"\n"));
	buf_free(&buf);
	(void)fclose(file);
}
END_TEST

START_TEST(a_socket_is_not_waited_for)
{
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
			     fds),
	    0);
	log_use(fds[1], LOG_KIND_STREAM, LOG_FORMAT_TEXT, LOG_LEVEL_INFO, true);
	log_info("hello");
	reader = fds[0];
	ck_assert_str_eq(untimed(logged()), "level=info message=\"hello\"\n");
	ck_assert_uint_gt(fill(), 10);
	fd_close(&reader);
	log_info("nobody");             /* no SIGPIPE */
	ck_assert_uint_ge(log_dropped(), 2);
}
END_TEST

START_TEST(datagrams_are_one_a_record)
{
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds),
	    0);
	log_use(fds[1], LOG_KIND_JOURNAL, LOG_FORMAT_TEXT, LOG_LEVEL_INFO,
	    true);
	reader = fds[0];
	log_info("one");
	log_info("two");
	ck_assert_str_eq(logged(),
	    "PRIORITY=6\nSYSLOG_IDENTIFIER=socketserverd\n"
	    "MESSAGE=message=\"one\"\n");
	ck_assert_str_eq(logged(),
	    "PRIORITY=6\nSYSLOG_IDENTIFIER=socketserverd\n"
	    "MESSAGE=message=\"two\"\n");
	ck_assert_uint_gt(fill(), 1);
}
END_TEST

START_TEST(a_torn_record_is_ended_by_the_next)
{
	int fds[2], size = 4096;
	char byte;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
			     fds),
	    0);
	ck_assert_int_eq(setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &size,
	    sizeof(size)), 0);
	log_use(fds[1], LOG_KIND_STREAM, LOG_FORMAT_TEXT, LOG_LEVEL_INFO, true);
	reader = fds[0];
	for (int i = 0; i < 200; i++) {
		const char *at;

		(void)fill();
		ck_assert_int_eq(read(reader, &byte, 1), 1);
		for (at = logged(); *at; at = strchr(at, '\n') + 1)
			ck_assert_ptr_nonnull(strchr(at, '\n'));
	}
}
END_TEST

START_TEST(a_full_disk_is_survived)
{
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	log_replace_fd(dup(fd), log_kind());
	log_info("lost");
	ck_assert_uint_eq(log_dropped(), 1);
	log_use(fd, LOG_KIND_STREAM, LOG_FORMAT_TEXT, LOG_LEVEL_INFO, true);
	log_info("lost");
	log_access(&(struct log_access){ .result = "ok" });
	ck_assert_uint_eq(log_dropped(), 3);
}
END_TEST

START_TEST(a_closed_descriptor_is_survived)
{
	int fd = log_fd();

	fd_close(&fd);
	log_info("lost");
	ck_assert_uint_eq(log_dropped(), 1);
}
END_TEST

START_TEST(the_sink_is_replaced_under_its_number)
{
	const int before = log_fd();
	int fds[2];

	log_info("one");
	ck_assert_int_eq(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	log_replace_fd(fds[1], log_kind());
	ck_assert_int_eq(log_fd(), before);
	ck_assert_int_eq(fcntl(fds[1], F_GETFD), -1);
	ck_assert_int_eq(fcntl(before, F_GETFD), FD_CLOEXEC);
	log_info("two");
	ck_assert_str_eq(untimed(logged()), "level=info message=\"one\"\n");
	reader = fds[0];
	ck_assert_str_eq(untimed(logged()), "level=info message=\"two\"\n");
}
END_TEST

START_TEST(standard_error_is_not_replaced)
{
	int fds[2];

	log_use(-1, LOG_KIND_STREAM, LOG_FORMAT_TEXT, LOG_LEVEL_INFO, true);
	ck_assert_int_eq(log_fd(), 2);
	ck_assert_int_eq(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	log_replace_fd(fds[1], log_kind());
	ck_assert_int_eq(log_fd(), fds[1]);
	reader = fds[0];
	log_info("two");
	ck_assert_str_eq(untimed(logged()), "level=info message=\"two\"\n");
}
END_TEST

START_TEST(a_file_is_appended_to_and_no_link_followed)
{
	char path[] = "/tmp/base_log.XXXXXX", target[64];
	enum log_kind kind;
	struct err err;
	struct stat st;
	int fd = mkostemp(path, O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(unlink(path), 0);
	(void)umask(0);
	(void)snprintf(target, sizeof(target), "file:%s", path);
	for (int i = 0; i < 2; i++) {
		fd = log_sink_open(target, &kind, &err);
		ck_assert_int_ge(fd, 0);
		ck_assert_int_eq(kind, LOG_KIND_STREAM);
		log_use(fd, kind, LOG_FORMAT_TEXT, LOG_LEVEL_INFO, true);
		log_info("%d", i);
	}
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0640);
	reader = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_uint_eq(count_lines(logged()), 2);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(symlink("/dev/null", path), 0);
	ck_assert_int_eq(log_sink_open(target, &kind, &err), -ELOOP);
	ck_assert_ptr_nonnull(strstr(err.text, path));
	ck_assert_int_eq(unlink(path), 0);
}
END_TEST

START_TEST(a_target_that_is_none_is_refused)
{
	static const char *const bad[] = {
		"", "stdout", "file:", "file:x", "stderr:", "syslog ", "/x",
	};
	enum log_kind kind;
	struct err err;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_int_eq(log_sink_open(bad[i], &kind, &err), -EINVAL);
		ck_assert_ptr_nonnull(strstr(err.text, "no log target"));
	}
	ck_assert_int_eq(log_sink_open("file:/none/x", &kind, &err), -ENOENT);
}
END_TEST

static int64_t
second_now(void)
{
	return clock_coarse() / CLOCK_SECOND;
}

/* The sum of the reports of records left out among the lines. */
static unsigned
sum_left_out(const char *lines)
{
	static const char before[] = "level=warning listener=noisy message=\"";
	unsigned sum = 0;

	while ((lines = strstr(lines, before))) {
		char *end;

		lines += strlen(before);
		sum += (unsigned)strtoul(lines, &end, 10);
		ck_assert_int_eq(strncmp(end, " log records were left out: "
		    "more than 1000 in a second\"", 54), 0);
	}
	return sum;
}

/* Whatever the seconds of this run are: each has at most 1,000, and nothing is
 * lost untold. */
START_TEST(a_flood_of_one_listener_is_thinned)
{
	const struct log_fields fields = { .listener = "noisy" };
	const int64_t begin_second = second_now();
	unsigned kept = 0, left_out = 0, reports = 0, total = 0;
	int64_t seconds;

	do {
		const char *lines;
		unsigned sum;

		log_write(LOG_LEVEL_ERROR, &fields, "again");
		total++;
		lines = logged();
		sum = sum_left_out(lines);
		left_out += sum;
		reports += sum > 0;
		kept += count_lines(lines) - (sum > 0);
		seconds = second_now() - begin_second;
	} while (!reports && seconds < 5);
	ck_assert_uint_le(kept, 1000 * ((unsigned)seconds + 1));
	ck_assert_uint_eq(kept + left_out, total);
	ck_assert_uint_eq(log_dropped(), 0);
}
END_TEST

START_TEST(a_flood_thins_nothing_else)
{
	const struct log_fields fields = { .listener = "noisy" };
	unsigned kept = 0;

	for (int i = 0; i < 3000; i++) {
		log_access(&(struct log_access){ .fields = fields,
		    .result = "ok" });
		log_notice("of the daemon itself");
		kept += count_lines(logged());
	}
	ck_assert_uint_eq(kept, 6000);
}
END_TEST

/* Through a gather of this process. */
static void
gather_begin(void)
{
	int file = gather_new(1);

	ck_assert_int_ge(file, 0);
	ck_assert_int_ge(log_gather(file, 0), 0);
	(void)close(file);
}

START_TEST(gathered_lines_come_before_what_is_logged_later)
{
	const char *lines;

	gather_begin();
	log_access(&(struct log_access){ .result = "ok" });
	ck_assert_str_eq(logged(), "");
	log_warning("later");
	lines = logged();
	ck_assert_uint_eq(count_lines(lines), 2);
	ck_assert_ptr_nonnull(strstr(untimed(lines), "result=ok"));
	ck_assert_ptr_nonnull(strstr(strchr(lines, '\n'), "later"));
	log_access(&(struct log_access){ .result = "ok" });
	log_gather_due();
	ck_assert_uint_eq(count_lines(logged()), 1);
	log_access(&(struct log_access){ .result = "ok" });
	log_gather_end();
	ck_assert_uint_eq(count_lines(logged()), 1);
}
END_TEST

static const size_t gathered_most = GATHER_MAX / 100;

/* More than a pipe takes whole: whole lines all the same. A pipe with O_DIRECT
 * keeps writes apart (pipe(2)). */
START_TEST(gathered_lines_reach_a_pipe_in_pieces_that_it_takes_whole)
{
	int fds[2];
	size_t seen = 0;
	ssize_t n;

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC | O_NONBLOCK | O_DIRECT), 0);
	log_replace_fd(fds[1], LOG_KIND_STREAM);
	gather_begin();
	for (size_t i = 0; i < gathered_most; i++)
		log_access(&(struct log_access){ .result = "ok" });
	log_flush();
	while ((n = read(fds[0], text, sizeof(text) - 1)) > 0) {
		ck_assert_int_le(n, PIPE_BUF);
		ck_assert_int_eq(text[n - 1], '\n');
		text[n] = '\0';
		seen += count_lines(text);
	}
	ck_assert_uint_eq(seen, gathered_most);
	ck_assert_uint_eq(log_dropped(), 0);
}
END_TEST

START_TEST(gathered_lines_reach_a_file_in_one_piece)
{
	int file = fd_memory_new("a-file");
	struct stat st;

	log_replace_fd(file, LOG_KIND_STREAM);
	gather_begin();
	/* a line of an access record is longer than 100 bytes */
	for (size_t i = 0; i < gathered_most; i++) {
		log_access(&(struct log_access){ .result = "ok" });
		ck_assert_int_eq(fstat(log_fd(), &st), 0);
		if (st.st_size > 0)
			break;
	}
	ck_assert_int_gt(st.st_size, GATHER_MAX - PIPE_BUF);
	ck_assert_int_le(st.st_size, GATHER_MAX);
}
END_TEST

/* As when the log's file is opened anew. */
START_TEST(gathered_lines_go_to_the_sink_of_their_time)
{
	int fds[2];

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	gather_begin();
	log_access(&(struct log_access){ .result = "ok" });
	log_replace_fd(fds[1], LOG_KIND_STREAM);
	ck_assert_uint_eq(count_lines(logged()), 1);
	log_access(&(struct log_access){ .result = "ok" });
	log_flush();
	ck_assert_str_eq(logged(), "");
	reader = fds[0];
	ck_assert_uint_eq(count_lines(logged()), 1);
}
END_TEST

START_TEST(a_forked_child_gathers_nothing)
{
	int status;

	gather_begin();
	log_access(&(struct log_access){ .result = "ok" });
	pid_t pid = fork();
	if (pid == 0) {
		log_access(&(struct log_access){ .result = "crash" });
		log_flush();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_ptr_nonnull(strstr(logged(), "result=crash"));
	log_flush();
	ck_assert_ptr_nonnull(strstr(logged(), "result=ok"));
}
END_TEST

START_TEST(gathered_lines_that_are_lost_are_counted)
{
	gather_begin();
	log_access(&(struct log_access){ .result = "ok" });
	log_access(&(struct log_access){ .result = "ok" });
	fd_close(&reader);
	(void)signal(SIGPIPE, SIG_IGN);
	log_flush();
	ck_assert_uint_eq(log_dropped(), 2);
}
END_TEST

START_TEST(only_lines_are_rescued)
{
	static const char left[] = "a=\"\xe8\xaf\xb7\"\n\xff\n\tb\nc=1\nd";

	ck_assert_uint_eq(log_rescue(left, sizeof(left) - 1), 3);
	ck_assert_str_eq(logged(), "a=\"\xe8\xaf\xb7\"\nc=1\n");
	ck_assert_uint_eq(log_rescue("", 0), 0);
	ck_assert_str_eq(logged(), "");
}
END_TEST

static void *
log_many(void *arg)
{
	for (int i = 0; i < 300; i++)
		log_info("%s", (const char *)arg);
	return NULL;
}

START_TEST(threads_do_not_mix_lines)
{
	FILE *file = tmpfile();
	pthread_t threads[4];
	const char *at;

	ck_assert_ptr_nonnull(file);
	log_use(dup(fileno(file)), LOG_KIND_STREAM, LOG_FORMAT_TEXT,
	    LOG_LEVEL_INFO, true);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, log_many,
		    (void *)(uintptr_t)"a message of some length"), 0);
	log_replace_fd(dup(log_fd()), log_kind());
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	ck_assert_int_eq(lseek(fileno(file), 0, SEEK_SET), 0);
	reader = fileno(file);
	at = logged();
	ck_assert_uint_eq(count_lines(at), 1200);
	for (; *at; at = strchr(at, '\n') + 1)
		ck_assert_int_eq(strncmp(untimed(at), "level=info message=\""
		    "a message of some length\"\n", 46), 0);
	(void)fclose(file);
}
END_TEST

/* A journal's socket; *other is its reader. */
static int
must_journal(int *other)
{
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC |
	    SOCK_NONBLOCK, 0, fds), 0);
	*other = fds[0];
	return fds[1];
}

START_TEST(the_kind_changes_with_the_descriptor)
{
	int journal, old = log_fd();

	log_replace_fd(must_journal(&journal), LOG_KIND_JOURNAL);
	ck_assert_int_eq(log_kind(), LOG_KIND_JOURNAL);
	ck_assert_int_eq(fcntl(old, F_GETFD), -1);
	log_info("one");
	ck_assert_str_eq(logged(), "");
	reader = journal;
	ck_assert_str_eq(logged(),
	    "PRIORITY=6\nSYSLOG_IDENTIFIER=socketserverd\n"
	    "MESSAGE=message=\"one\"\n");
}
END_TEST

START_TEST(gathered_lines_stay_with_the_old_kind)
{
	int journal;

	gather_begin();
	log_access(&(struct log_access){ .result = "ok" });
	log_access(&(struct log_access){ .result = "reset" });
	log_replace_fd(must_journal(&journal), LOG_KIND_JOURNAL);
	ck_assert_uint_eq(count_lines(logged()), 2);
	log_access(&(struct log_access){ .result = "reset" });
	reader = journal;
	ck_assert_ptr_nonnull(strstr(logged(), "result=reset"));
	ck_assert_uint_eq(log_dropped(), 0);
}
END_TEST

START_TEST(form_and_access_change_while_it_runs)
{
	log_set_format(LOG_FORMAT_JSON);
	log_info("one");
	ck_assert_int_eq(logged()[0], '{');
	log_set_access(false);
	log_access(&(struct log_access){ .result = "ok" });
	ck_assert_str_eq(logged(), "");
	log_set_access(true);
	log_set_format(LOG_FORMAT_TEXT);
	log_access(&(struct log_access){ .result = "ok" });
	ck_assert_ptr_nonnull(strstr(untimed(logged()), "result=ok"));
}
END_TEST

/* Each record is framed for where it goes, whoever writes meanwhile. */
START_TEST(threads_write_while_the_kind_changes)
{
	FILE *file = tmpfile();
	pthread_t threads[4];
	unsigned in_journal = 0, in_file = 0;
	const char *at;
	int journal;

	ck_assert_ptr_nonnull(file);
	log_use(dup(fileno(file)), LOG_KIND_STREAM, LOG_FORMAT_TEXT,
	    LOG_LEVEL_INFO, true);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, log_many,
		    (void *)(uintptr_t)"a message of some length"), 0);
	for (int i = 0; i < 50; i++) {
		log_replace_fd(must_journal(&journal), LOG_KIND_JOURNAL);
		log_replace_fd(dup(fileno(file)), LOG_KIND_STREAM);
		log_set_level(LOG_LEVEL_INFO);
		for (reader = journal; *logged();) {
			ck_assert_int_eq(strncmp(text, "PRIORITY=", 9), 0);
			in_journal += strstr(text, "some length") != NULL;
		}
		(void)close(journal);
	}
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	ck_assert_int_eq(lseek(fileno(file), 0, SEEK_SET), 0);
	reader = fileno(file);
	/* reports of what was dropped are lines, too */
	for (at = logged(); *at; at = strchr(at, '\n') + 1)
		in_file += strncmp(untimed(at), "level=info message=\""
		    "a message of some length\"\n", 46) == 0;
	ck_assert_uint_ge(in_file + in_journal + log_dropped(), 1200);
	ck_assert_uint_le(in_file + in_journal, 1200);
	(void)fclose(file);
}
END_TEST

Suite *
log_suite(void)
{
	Suite *suite = suite_create("log");
	TCase *tcase = tcase_create("log");

	tcase_add_checked_fixture(tcase, begin, NULL);
	tcase_set_timeout(tcase, 30);
	tcase_add_test(tcase, levels_have_words);
	tcase_add_test(tcase, a_record_below_the_level_is_not_written);
	tcase_add_test(tcase, errno_is_used_and_kept);
	tcase_add_test(tcase, newlines_at_the_end_are_no_part_of_a_message);
	tcase_add_test(tcase, a_hostile_message_is_one_line);
	tcase_add_test(tcase, a_message_that_cannot_be_formatted_is_told);
	tcase_add_test(tcase, access_lines_can_be_off);
	tcase_add_test(tcase, an_access_line_has_the_time_of_its_end);
	tcase_add_test(tcase, a_full_pipe_drops_and_tells_later);
	tcase_add_test(tcase, a_flush_tells_what_was_dropped);
	tcase_add_test(tcase, a_pipe_that_blocks_is_not_waited_for);
	tcase_add_test(tcase, standard_error_is_opened_anew_when_it_is_a_pipe);
	tcase_add_test(tcase,
	    standard_error_keeps_its_offset_when_it_is_a_file);
	tcase_add_test(tcase, a_socket_is_not_waited_for);
	tcase_add_test(tcase, datagrams_are_one_a_record);
	tcase_add_test(tcase, a_torn_record_is_ended_by_the_next);
	tcase_add_test(tcase, a_full_disk_is_survived);
	tcase_add_test(tcase, a_closed_descriptor_is_survived);
	tcase_add_test(tcase, the_sink_is_replaced_under_its_number);
	tcase_add_test(tcase, standard_error_is_not_replaced);
	tcase_add_test(tcase, a_file_is_appended_to_and_no_link_followed);
	tcase_add_test(tcase, a_target_that_is_none_is_refused);
	tcase_add_test(tcase, a_flood_of_one_listener_is_thinned);
	tcase_add_test(tcase, a_flood_thins_nothing_else);
	tcase_add_test(tcase, gathered_lines_come_before_what_is_logged_later);
	tcase_add_test(tcase,
	    gathered_lines_reach_a_pipe_in_pieces_that_it_takes_whole);
	tcase_add_test(tcase, gathered_lines_reach_a_file_in_one_piece);
	tcase_add_test(tcase, gathered_lines_go_to_the_sink_of_their_time);
	tcase_add_test(tcase, a_forked_child_gathers_nothing);
	tcase_add_test(tcase, gathered_lines_that_are_lost_are_counted);
	tcase_add_test(tcase, only_lines_are_rescued);
	tcase_add_test(tcase, threads_do_not_mix_lines);
	tcase_add_test(tcase, the_kind_changes_with_the_descriptor);
	tcase_add_test(tcase, gathered_lines_stay_with_the_old_kind);
	tcase_add_test(tcase, form_and_access_change_while_it_runs);
	tcase_add_test(tcase, threads_write_while_the_kind_changes);
	suite_add_tcase(suite, tcase);
	return suite;
}
