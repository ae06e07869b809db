/* SPDX-License-Identifier: ISC */
/* The control socket: its words, its answers, and the life of a client. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "super/answer.h"
#include "super/control.h"
#include "super/words.h"
#include "super_suites.h"

#define PATIENCE_MS 20000
#define LARGE (4 << 20)         /* more than any socket's buffer takes */

static char directory[32], path[64];
static struct loop *loop;
static struct config *config;
static struct control *control;
static struct control_request last;     /* what came; words are copied */
static char last_words[WIRE_WORDS_MAX][64];
static unsigned runs;

/* "echo WORD" is answered at once, "large" with much, the rest by the test. */
static void
run(void *arg, const struct control_request *request)
{
	struct buf answer;

	(void)arg;
	runs++;
	last = *request;
	for (unsigned i = 0; i < request->count; i++)
		(void)snprintf(last_words[i], sizeof(last_words[i]), "%s",
		    request->words[i]);
	buf_init(&answer, 0);
	if (strcmp(request->words[0], "echo") == 0) {
		(void)buf_printf(&answer, "%s\n", request->words[1]);
	} else if (strcmp(request->words[0], "large") == 0) {
		ck_assert_int_eq(buf_reserve(&answer, LARGE), 0);
		memset(answer.data, 'x', LARGE);
		answer.len = LARGE;
		answer.data[LARGE - 1] = '\n';
	} else {
		return;
	}
	control_answer(control, request->ticket, &answer);
}

static int
open_control(struct control **it, struct err *err)
{
	return control_open(it, loop, config, run, NULL, err);
}

static void
setup(void)
{
	struct err err;

	strcpy(directory, "/tmp/super_control.XXXXXX");
	ck_assert(mkdtemp(directory) != NULL);
	(void)snprintf(path, sizeof(path), "%s/made/control", directory);
	log_set_level(LOG_LEVEL_ERROR);
	config = config_new();
	loop = loop_new();
	ck_assert(config != NULL && loop != NULL);
	config->control.socket = path;
	config->control.mode = 0640;
	config->control.group = "";
	runs = 0;
	ck_assert_msg(open_control(&control, &err) == 0, "%s", err.text);
}

static void
teardown(void)
{
	char made[128];

	control_close(&control);
	loop_free(&loop);
	config_free(&config);
	(void)snprintf(made, sizeof(made), "%s/made", directory);
	ck_assert_int_eq(rmdir(made), 0);       /* nothing is left in it */
	ck_assert_int_eq(rmdir(directory), 0);
}

/* Clients */

static int
dial(void)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	ck_assert_int_ge(fd, 0);
	(void)snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	ck_assert_int_eq(connect(fd, (const void *)&un, sizeof(un)), 0);
	return fd;
}

static void
say(int fd, const char *text)
{
	ck_assert_int_eq(send(fd, text, strlen(text), MSG_NOSIGNAL),
	    (ssize_t)strlen(text));
}

static void
turn(int64_t deadline_at)
{
	ck_assert(clock_now() < deadline_at);
	ck_assert_int_ge(loop_turn(loop, 20), 0);
}

/* What comes until a newline (it is replaced) or the end ("" then). */
static const char *
hear(int fd)
{
	static char text[1024];
	int64_t deadline_at = clock_after_ms(PATIENCE_MS);
	size_t len = 0;
	ssize_t n;

	for (;;) {
		n = recv(fd, text + len, 1, 0);
		if (n == 0 || (n < 0 && errno == ECONNRESET))
			break;
		if (n < 0) {
			turn(deadline_at);
			continue;
		}
		if (text[len] == '\n')
			break;
		len += (size_t)n;
		ck_assert(len < sizeof(text));
	}
	text[len] = '\0';
	return text;
}

static void
hear_end(int fd)
{
	ck_assert_str_eq(hear(fd), "");
	ck_assert_int_le(recv(fd, (char[1]){ 0 }, 1, 0), 0);
}

static void
wait_runs(unsigned n)
{
	int64_t deadline_at = clock_after_ms(PATIENCE_MS);

	while (runs < n)
		turn(deadline_at);
}

static unsigned
count_clients(void)
{
	unsigned n = 0;

	for (size_t i = 0; i < WIRE_CLIENTS_MAX; i++)
		n += control->clients[i].state != CONTROL_FREE;
	return n;
}

static void
wait_clients(unsigned n)
{
	int64_t deadline_at = clock_after_ms(PATIENCE_MS);

	while (count_clients() != n)
		turn(deadline_at);
}

/* Words */

static const struct {
	const char *line;
	int count;              /* -1: refused */
} lines[] = {
	{ "ping", 1 },
	{ "show web", 2 },
	{ "a b c d e f g h", 8 },
	{ "!~ {\"}", 2 },
	{ "", -1 },
	{ " ", -1 },
	{ " ping", -1 },
	{ "ping ", -1 },
	{ "show  web", -1 },
	{ "show\tweb", -1 },
	{ "ping\r", -1 },
	{ "\x1b[2J", -1 },
	{ "ping\x7f", -1 },
	{ "\xc3\xa9", -1 },
	{ "a b c d e f g h i", -1 },
};

START_TEST(words_are_split_at_single_spaces)
{
	const char *words[WIRE_WORDS_MAX], *fault;
	char line[64];
	int count;

	strcpy(line, lines[_i].line);
	count = words_split(line, strlen(line), words, &fault);
	if (lines[_i].count < 0) {
		ck_assert_int_eq(count, -EINVAL);
		ck_assert(fault != NULL);
		return;
	}
	ck_assert_int_eq(count, lines[_i].count);
	ck_assert(words[0] == line);
	for (int i = 0; i < count; i++) {
		ck_assert(strchr(words[i], ' ') == NULL);
		ck_assert(words[i][0] != '\0');
	}
}
END_TEST

START_TEST(words_have_no_nul_inside)
{
	const char *words[WIRE_WORDS_MAX], *fault;
	char line[] = "ping\0stop\n";

	ck_assert_int_eq(words_split(line, 9, words, &fault), -EINVAL);
}
END_TEST

/* Answers */

START_TEST(answer_is_one_line_of_json)
{
	struct buf line;

	answer_result(&line, json_pack("{s:i}", "pid", 5));
	ck_assert_str_eq(line.data, "{\"ok\":true,\"result\":{\"pid\":5}}\n");
	buf_free(&line);
	answer_refuse(&line, WIRE_DENIED, "no, \"%s\"", "x\ny");
	ck_assert_str_eq(line.data, "{\"ok\":false,\"code\":4,"
	    "\"error\":\"no, \\\"x\\\\x0ay\\\"\"}\n");
	buf_free(&line);
}
END_TEST

START_TEST(answer_shows_any_bytes)
{
	static const struct { const char *text, *shown; } rows[] = {
		{ "plain", "plain" }, { "", "" },
		{ "\xe8\xaf\xb7", "\xe8\xaf\xb7" },
		{ "a\xff\xfe\x62", "a\\xff\\xfe" "b" },
		{ "\xed\xa0\x80", "\\xed\\xa0\\x80" },
		{ "\x1b[31m", "\\x1b[31m" },
		{ "cut \xe8\xaf", "cut \\xe8\\xaf" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *text = answer_text(rows[i].text);

		ck_assert_ptr_nonnull(text);
		ck_assert_str_eq(json_string_value(text), rows[i].shown);
		json_decref(text);
	}
}
END_TEST

START_TEST(answer_that_is_too_long_says_so)
{
	char *text = malloc(WIRE_ANSWER_MAX);
	struct buf line;

	memset(text, 'x', WIRE_ANSWER_MAX - 1);
	text[WIRE_ANSWER_MAX - 1] = '\0';
	answer_result(&line, json_string(text));
	free(text);
	ck_assert_ptr_nonnull(strstr(line.data, "{\"ok\":false,\"code\":1,"));
	ck_assert_uint_lt(line.len, 200);
	buf_free(&line);
	answer_result(&line, NULL);
	ck_assert_ptr_nonnull(strstr(line.data, "{\"ok\":false,\"code\":1,"));
	buf_free(&line);
}
END_TEST

/* The socket */

START_TEST(socket_has_its_mode_and_goes_at_the_end)
{
	struct control *second;
	struct stat st;
	struct err err;

	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert(S_ISSOCK(st.st_mode));
	ck_assert_int_eq(st.st_mode & 0777, 0640);
	ck_assert_int_eq(open_control(&second, &err), -EADDRINUSE);
	ck_assert_ptr_null(second);
	ck_assert_ptr_nonnull(strstr(err.text, "another socketserverd"));
	ck_assert_ptr_nonnull(strstr(err.text, "control.socket"));
	control_close(&control);
	ck_assert_ptr_null(control);
	ck_assert_int_ne(stat(path, &st), 0);
	control_close(&control);
}
END_TEST

START_TEST(directory_is_made_one_level_deep)
{
	char deep[160], made[128];
	struct control *second;
	struct stat st;
	struct err err;
	mode_t mask = umask(0077);

	(void)snprintf(made, sizeof(made), "%s/made", directory);
	control_close(&control);
	ck_assert_int_eq(rmdir(made), 0);
	ck_assert_int_eq(open_control(&control, &err), 0);
	(void)umask(mask);
	ck_assert_int_eq(stat(made, &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0755);
	(void)snprintf(deep, sizeof(deep), "%s/no/where/control", directory);
	config->control.socket = deep;
	ck_assert_int_eq(open_control(&second, &err), -ENOENT);
}
END_TEST

/* Clients */

START_TEST(command_is_run_and_answered)
{
	int fd = dial();

	say(fd, "echo hello\n");
	ck_assert_str_eq(hear(fd), "hello");
	ck_assert_int_eq(last.count, 2);
	ck_assert(last.may_change);
	ck_assert_int_eq(last.uid, getuid());
	ck_assert_int_eq(last.pid, getpid());
	say(fd, "echo ag");
	wait_clients(1);
	say(fd, "ain\n");
	ck_assert_str_eq(hear(fd), "again");
	close(fd);
	wait_clients(0);
}
END_TEST

START_TEST(commands_that_follow_wait_for_the_answer)
{
	int fd = dial();
	uint64_t first;
	struct buf answer;

	say(fd, "slow\necho one\necho two\n");
	wait_runs(1);
	for (int i = 0; i < 3; i++)
		ck_assert_int_ge(loop_turn(loop, 0), 0);
	ck_assert_int_eq(runs, 1);
	first = last.ticket;
	buf_init(&answer, 0);
	(void)buf_puts(&answer, "late\n");
	control_answer(control, first, &answer);
	ck_assert_ptr_null(answer.data);
	ck_assert_str_eq(hear(fd), "late");
	ck_assert_str_eq(hear(fd), "one");
	ck_assert_str_eq(hear(fd), "two");
	ck_assert(last.ticket > first);
	close(fd);
}
END_TEST

START_TEST(answer_to_who_has_left_goes_nowhere)
{
	int fd = dial(), other;
	struct buf answer;
	uint64_t ticket;

	say(fd, "slow\n");
	wait_runs(1);
	ticket = last.ticket;
	close(fd);
	wait_clients(0);
	other = dial();         /* has the slot now */
	say(other, "slow\n");
	wait_runs(2);
	for (int i = 0; i < 2; i++) {
		buf_init(&answer, 0);
		(void)buf_puts(&answer, "for another\n");
		control_answer(control, ticket, &answer);
		ck_assert_ptr_null(answer.data);
		ticket = 0;
	}
	buf_init(&answer, 0);
	(void)buf_puts(&answer, "yours\n");
	control_answer(control, last.ticket, &answer);
	ck_assert_str_eq(hear(other), "yours");
	close(other);
}
END_TEST

START_TEST(half_closed_client_has_its_answer)
{
	int fd = dial();

	say(fd, "echo bye\n");
	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	ck_assert_str_eq(hear(fd), "bye");
	hear_end(fd);
	close(fd);
	wait_clients(0);
}
END_TEST

START_TEST(line_that_is_wrong_is_refused)
{
	int fd = dial();

	say(fd, "show  web\n");
	ck_assert_ptr_nonnull(strstr(hear(fd), "one space"));
	say(fd, "\n");
	ck_assert_ptr_nonnull(strstr(hear(fd), "\"code\":2"));
	say(fd, "echo on\n");
	ck_assert_str_eq(hear(fd), "on");
	ck_assert_int_eq(runs, 1);
	close(fd);
}
END_TEST

START_TEST(line_that_is_too_long_is_the_last)
{
	char text[WIRE_REQUEST_MAX + 1];
	int fd = dial();

	memset(text, 'x', sizeof(text));
	text[WIRE_REQUEST_MAX - 1] = '\n';      /* just fits */
	ck_assert_int_eq(send(fd, text, WIRE_REQUEST_MAX, 0),
	    WIRE_REQUEST_MAX);
	wait_runs(1);
	close(fd);
	wait_clients(0);
	fd = dial();
	text[WIRE_REQUEST_MAX - 1] = 'x';
	ck_assert_int_eq(send(fd, text, sizeof(text), 0),
	    (ssize_t)sizeof(text));
	ck_assert_ptr_nonnull(strstr(hear(fd), "too long"));
	hear_end(fd);
	ck_assert_int_eq(runs, 1);
	close(fd);
}
END_TEST

START_TEST(line_that_is_begun_has_a_deadline)
{
	int slow, idle, fd;

	control->deadline_ms = 50;
	control->idle_ms = 1000 * PATIENCE_MS;
	idle = dial();
	slow = dial();
	say(slow, "pi");
	hear_end(slow);
	say(idle, "echo still\n");
	ck_assert_str_eq(hear(idle), "still");
	control->idle_ms = 50;
	fd = dial();
	hear_end(fd);
	close(fd);
	close(slow);
	close(idle);
}
END_TEST

START_TEST(answer_that_is_not_taken_has_a_deadline)
{
	int slow = dial(), fd;

	control->deadline_ms = 200;
	say(slow, "large\n");
	wait_runs(1);
	fd = dial();
	say(fd, "echo meanwhile\n");
	ck_assert_str_eq(hear(fd), "meanwhile");
	close(fd);
	wait_clients(0);
	close(slow);
}
END_TEST

START_TEST(large_answer_arrives_whole)
{
	int64_t deadline_at = clock_after_ms(PATIENCE_MS);
	static char text[65536];
	size_t len = 0;
	int fd = dial();

	control->deadline_ms = PATIENCE_MS;
	say(fd, "large\n");
	while (len < LARGE) {
		ssize_t n = recv(fd, text, sizeof(text), 0);

		if (n < 0)
			turn(deadline_at);
		else
			len += (size_t)n;
		ck_assert(n != 0);
	}
	ck_assert_uint_eq(len, LARGE);
	close(fd);
}
END_TEST

START_TEST(one_client_too_many_is_told)
{
	int fds[WIRE_CLIENTS_MAX], fd;

	for (unsigned i = 0; i < WIRE_CLIENTS_MAX; i++)
		fds[i] = dial();
	wait_clients(WIRE_CLIENTS_MAX);
	fd = dial();
	ck_assert_ptr_nonnull(strstr(hear(fd), "\"code\":1"));
	hear_end(fd);
	close(fd);
	close(fds[5]);
	wait_clients(WIRE_CLIENTS_MAX - 1);
	fds[5] = dial();
	say(fds[5], "echo room\n");
	ck_assert_str_eq(hear(fds[5]), "room");
	for (unsigned i = 0; i < WIRE_CLIENTS_MAX; i++)
		close(fds[i]);
	wait_clients(0);
}
END_TEST

/* A client that runs has nothing to be read: no turn may be spent on it. */
START_TEST(client_that_waits_costs_no_turn)
{
	int fd = dial(), idle = dial();
	int64_t begin;

	say(fd, "slow\necho more\n");
	wait_runs(1);
	wait_clients(2);
	ck_assert_int_eq(loop_turn(loop, 0), 0);
	begin = clock_now();
	ck_assert_int_eq(loop_turn(loop, 100), 0);
	ck_assert(clock_now() - begin >= 50 * CLOCK_MS);
	close(fd);
	close(idle);
}
END_TEST

START_TEST(descriptors_that_are_sent_along_are_not_kept)
{
	char space[CMSG_SPACE(sizeof(int))] = { 0 }, text[] = "echo x\n";
	struct iovec iov = { text, strlen(text) };
	struct msghdr message = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = space, .msg_controllen = sizeof(space),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	int fd = dial(), ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &ends[1], sizeof(int));
	ck_assert_int_eq(sendmsg(fd, &message, 0), (ssize_t)strlen(text));
	ck_assert_str_eq(hear(fd), "x");
	close(ends[1]);
	ck_assert_int_eq(read(ends[0], text, 1), 0);    /* nobody has it */
	close(ends[0]);
	close(fd);
}
END_TEST

Suite *
control_suite(void)
{
	Suite *suite = suite_create("control");
	TCase *tc = tcase_create("words");

	tcase_add_loop_test(tc, words_are_split_at_single_spaces, 0,
	    (int)(sizeof(lines) / sizeof(lines[0])));
	tcase_add_test(tc, words_have_no_nul_inside);
	tcase_add_test(tc, answer_is_one_line_of_json);
	tcase_add_test(tc, answer_shows_any_bytes);
	tcase_add_test(tc, answer_that_is_too_long_says_so);
	suite_add_tcase(suite, tc);
	tc = tcase_create("socket");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, socket_has_its_mode_and_goes_at_the_end);
	tcase_add_test(tc, directory_is_made_one_level_deep);
	tcase_add_test(tc, command_is_run_and_answered);
	tcase_add_test(tc, commands_that_follow_wait_for_the_answer);
	tcase_add_test(tc, answer_to_who_has_left_goes_nowhere);
	tcase_add_test(tc, half_closed_client_has_its_answer);
	tcase_add_test(tc, line_that_is_wrong_is_refused);
	tcase_add_test(tc, line_that_is_too_long_is_the_last);
	tcase_add_test(tc, line_that_is_begun_has_a_deadline);
	tcase_add_test(tc, answer_that_is_not_taken_has_a_deadline);
	tcase_add_test(tc, large_answer_arrives_whole);
	tcase_add_test(tc, one_client_too_many_is_told);
	tcase_add_test(tc, client_that_waits_costs_no_turn);
	tcase_add_test(tc, descriptors_that_are_sent_along_are_not_kept);
	suite_add_tcase(suite, tc);
	return suite;
}
