/* SPDX-License-Identifier: ISC */
/*
 * The bundled handlers, each against the fake of tests/lib: what a peer sends,
 * receive by receive, and what it gets. The shared objects are the built ones.
 */
#include <check.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_api.h"

#define GREETING "欢迎致电 10086,请输入1xxx,0转人工服务."
#define RECORDED "通过可能会被录音.balabala一大推"
#define AGAIN "请重新输入."

static struct fake *fake;

/* A fake for the handler of this name, as built. */
static void
must_load(const char *name)
{
	const char *dir = getenv("HANDLER_DIR");
	const struct ss_handler *handler;
	char path[4096];
	void *object;

	(void)snprintf(path, sizeof(path), "%s/%s.so",
	    dir != NULL ? dir : "src/handlers/.libs", name);
	object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	ck_assert_msg(object != NULL, "%s", dlerror());
	handler = dlsym(object, SS_HANDLER_SYMBOL);
	ck_assert_ptr_nonnull(handler);
	fake_free(&fake);
	fake = fake_new(handler);
}

static void
teardown(void)
{
	fake_free(&fake);
}

static void
must_receive(const char *text)
{
	fake_receive(fake, text, strlen(text));
}

static void
must_serve(void)
{
	ck_assert_int_eq(fake_serve(fake), 0);
}

static void
expect(const char *text)
{
	ck_assert_str_eq(fake->out, text);
	ck_assert_uint_eq(fake->out_len, strlen(text));
}

/* One receive, one end: the commonest story. */
static void
expect_answer(const char *input, const char *output)
{
	must_receive(input);
	must_serve();
	expect(output);
}

static void
expect_reply(const char *input, const char *output)
{
	fake_datagram(fake, input, strlen(input));
	must_serve();
	expect(output);
	ck_assert_uint_eq(fake->replies, 1);
}

/* The same input cut in two at each offset gives the same output. */
static void
expect_whatever_the_cut(const char *name, const char *mode, const char *input,
    const char *output)
{
	size_t len = strlen(input);

	for (size_t cut = 0; cut <= len; cut++) {
		must_load(name);
		fake_set_string(fake, "mode", mode);
		if (cut > 0)
			fake_receive(fake, input, cut);
		if (cut < len)
			fake_receive(fake, input + cut, len - cut);
		must_serve();
		expect(output);
	}
}

static void
expect_byte_by_byte(const char *name, const char *mode, const char *input,
    const char *output)
{
	must_load(name);
	fake_set_string(fake, "mode", mode);
	for (size_t i = 0; i < strlen(input); i++)
		fake_receive(fake, input + i, 1);
	must_serve();
	expect(output);
}

START_TEST(every_handler_says_who_it_is)
{
	static const char *const names[] = { "echo", "uppercase", "bot10086",
	    "discard", "reply" };
	const unsigned all = SS_STREAM | SS_DATAGRAM | SS_THREADS | SS_FIBERS;
	const struct ss_handler *handler;

	must_load(names[_i]);
	handler = fake->handler;
	ck_assert_uint_eq(handler->abi, SS_ABI);
	ck_assert_uint_eq(handler->size, sizeof(struct ss_handler));
	ck_assert_str_eq(handler->name, names[_i]);
	ck_assert_str_ne(handler->version, "");
	ck_assert_str_ne(handler->summary, "");
	ck_assert_uint_eq(handler->kinds & all, all);
	ck_assert_uint_eq(handler->kinds & SS_NEEDS_FD, 0);
}
END_TEST

START_TEST(reads_first_is_said_by_who_never_speaks_first)
{
	static const struct {
		const char *name;
		bool reads_first;
	} table[] = {
		{ "echo", true }, { "uppercase", true }, { "discard", true },
		{ "bot10086", false }, { "reply", false },
	};

	must_load(table[_i].name);
	ck_assert_int_eq((fake->handler->kinds & SS_READS_FIRST) != 0,
	    table[_i].reads_first);
}
END_TEST

/* echo */

START_TEST(echo_gives_hello_again_and_again)
{
	must_load("echo");
	for (int i = 0; i < 3; i++)
		must_receive("Hello");
	must_serve();
	expect("HelloHelloHello");
	ck_assert_uint_eq(fake->writes_before_read, 0);
}
END_TEST

START_TEST(echo_of_a_silent_caller_is_nothing)
{
	must_load("echo");
	must_serve();
	expect("");
}
END_TEST

START_TEST(echo_carries_any_byte)
{
	char bytes[256];

	must_load("echo");
	for (int i = 0; i < 256; i++)
		bytes[i] = (char)i;
	fake_receive(fake, bytes, sizeof(bytes));
	must_serve();
	ck_assert_mem_eq(fake->out, bytes, sizeof(bytes));
	ck_assert_uint_eq(fake->out_len, sizeof(bytes));
}
END_TEST

START_TEST(echo_line_mode_answers_each_line)
{
	expect_whatever_the_cut("echo", "line", "one\ntwo\r\n\nrest",
	    "one\ntwo\r\n\nrest");
	must_load("echo");
	fake_set_string(fake, "mode", "line");
	must_receive("one\ntwo\n");
	must_serve();
	ck_assert_uint_eq(fake->writes, 3);     /* the last one is empty */
}
END_TEST

START_TEST(echo_puts_the_worker_before_each_message)
{
	must_load("echo");
	fake_set_string(fake, "prefix", "worker");
	must_receive("Hello World 1");
	must_receive("Hello World 2");
	must_serve();
	expect("Thread-2: Hello World 1Thread-2: Hello World 2");
	ck_assert_uint_eq(fake->writes, 3);
}
END_TEST

START_TEST(echo_names_a_process_or_a_fiber_too)
{
	static const char *const workers[] = { "Process-4711", "Fiber-7" };
	char wanted[64];

	must_load("echo");
	fake->worker = workers[_i];
	fake_set_string(fake, "prefix", "worker");
	(void)snprintf(wanted, sizeof(wanted), "%s: Hi", workers[_i]);
	expect_answer("Hi", wanted);
}
END_TEST

START_TEST(echo_puts_the_worker_before_each_line)
{
	must_load("echo");
	fake_set_string(fake, "prefix", "worker");
	fake_set_string(fake, "mode", "line");
	must_receive("a\nb");
	must_receive("c\n");
	must_serve();
	expect("Thread-2: a\nThread-2: bc\n");
}
END_TEST

START_TEST(echo_names_the_worker_once_in_a_line_of_any_length)
{
	static char line[100001];
	const char *prefix = "Thread-2: ";

	memset(line, 'x', sizeof(line) - 2);
	line[sizeof(line) - 2] = '\n';
	must_load("echo");
	fake_set_string(fake, "prefix", "worker");
	fake_set_string(fake, "mode", "line");
	must_receive(line);
	must_serve();
	ck_assert_uint_eq(fake->out_len, strlen(prefix) + strlen(line));
	ck_assert_str_eq(fake->out + strlen(prefix), line);
}
END_TEST

START_TEST(echo_returns_a_datagram_as_one)
{
	must_load("echo");
	expect_reply("hello", "hello");
}
END_TEST

START_TEST(echo_returns_the_largest_datagram_whole)
{
	static char bytes[65507];

	must_load("echo");
	memset(bytes, 'x', sizeof(bytes));
	fake_set_string(fake, "prefix", "worker");
	fake_datagram(fake, bytes, sizeof(bytes) - 10);
	must_serve();
	ck_assert_uint_eq(fake->out_len, sizeof(bytes));
	ck_assert_mem_eq(fake->out + 10, bytes, sizeof(bytes) - 10);
	ck_assert_uint_eq(fake->replies, 1);
}
END_TEST

START_TEST(echo_returns_an_empty_datagram_as_one)
{
	must_load("echo");
	fake_set_string(fake, "mode", _i == 0 ? "stream" : "line");
	expect_reply("", "");
}
END_TEST

/* uppercase */

START_TEST(uppercase_answers_once_and_ends)
{
	must_load("uppercase");
	must_receive("hello world with TCP\n");
	must_receive("more\n");
	must_serve();
	expect("HELLO WORLD WITH TCP");
	ck_assert_uint_eq(fake->reads, 1);
}
END_TEST

START_TEST(uppercase_python_is_nice)
{
	must_load("uppercase");
	expect_answer("python is nice\n", "PYTHON IS NICE");
}
END_TEST

START_TEST(uppercase_strips_what_python_strips)
{
	must_load("uppercase");
	expect_answer(" \t\n\r\x0b\x0c a \t b \t\n\r\x0b\x0c ", "A \t B");
}
END_TEST

START_TEST(uppercase_keeps_what_python_keeps)
{
	must_load("uppercase");
	expect_answer("\xc2\xa0z\xc3\xa9\xc3\x9f{`[@",
	    "\xc2\xa0Z\xc3\xa9\xc3\x9f{`[@");
}
END_TEST

START_TEST(uppercase_keeps_white_space_when_told)
{
	must_load("uppercase");
	fake_set_bool(fake, "strip", false);
	expect_answer(" a\r\n", " A\r\n");
}
END_TEST

START_TEST(uppercase_takes_1024_bytes)
{
	char bytes[1500];

	must_load("uppercase");
	memset(bytes, 'a', sizeof(bytes));
	fake_receive(fake, bytes, sizeof(bytes));
	must_serve();
	ck_assert_uint_eq(fake->out_len, 1024);
}
END_TEST

START_TEST(uppercase_of_nothing_is_nothing)
{
	must_load("uppercase");
	expect_answer(" \n", "");
}
END_TEST

START_TEST(uppercase_line_mode_stays)
{
	expect_whatever_the_cut("uppercase", "line",
	    "hello\n  two words \r\n\nrest", "HELLO\nTWO WORDS\n\nREST");
	expect_byte_by_byte("uppercase", "line", "a\nb\n", "A\nB\n");
	must_load("uppercase");
	fake_set_bool(fake, "strip", false);
	fake_set_string(fake, "mode", "line");
	expect_answer(" a\r\nb ", " A\r\nB ");
}
END_TEST

START_TEST(uppercase_replies_to_each_datagram)
{
	static const char *const table[][2] = {
		{ "hello world with UDP\n", "HELLO WORLD WITH UDP" },
		{ "", "" }, { "\n", "" },
	};

	must_load("uppercase");
	expect_reply(table[_i][0], table[_i][1]);
}
END_TEST

START_TEST(uppercase_line_mode_replies_with_one_datagram)
{
	must_load("uppercase");
	fake_set_string(fake, "mode", "line");
	expect_reply("a\nb\n", "A\nB\n");
}
END_TEST

/* bot10086 */

START_TEST(bot_greets_before_it_reads)
{
	must_load("bot10086");
	must_serve();
	expect(GREETING);
	ck_assert_uint_eq(fake->writes_before_read, 1);
}
END_TEST

START_TEST(bot_answers)
{
	static const char *const table[][2] = {
		{ "0", RECORDED },
		{ "0\n", RECORDED },            /* as netcat sends it */
		{ "0\r\n", RECORDED },
		{ "0\r", RECORDED },
		{ "abc", AGAIN },
		{ "00", AGAIN },
		{ " 0", AGAIN },                /* compared as it is */
		{ "0 ", AGAIN },
		{ "EXIT", AGAIN },
		{ "exit now", AGAIN },
		{ "\n", AGAIN },                /* an empty line is a message */
		{ "\r\n", AGAIN },
		{ "0\n\n0", RECORDED AGAIN RECORDED },
		{ "0\nabc\n", RECORDED AGAIN },
		{ "0\nabc", RECORDED AGAIN },
		{ "exit", "" }, { "exit\n", "" }, { "exit\r\n", "" },
		{ "0\nabc\nexit\n", RECORDED AGAIN },
		{ "exit\n0\n", "" },
	};
	char wanted[512];

	must_load("bot10086");
	(void)snprintf(wanted, sizeof(wanted), "%s%s", GREETING, table[_i][1]);
	expect_answer(table[_i][0], wanted);
}
END_TEST

START_TEST(bot_talks_until_exit)
{
	must_load("bot10086");
	must_receive("0");
	must_receive("abc");
	must_receive("exit");
	must_receive("0");
	must_serve();
	expect(GREETING RECORDED AGAIN);
	ck_assert_uint_eq(fake->reads, 3);
	ck_assert_uint_eq(fake->writes, 3);     /* one for each answer */
}
END_TEST

START_TEST(bot_ends_when_the_caller_hangs_up)
{
	must_load("bot10086");
	must_receive("0");
	must_serve();
	expect(GREETING RECORDED);
}
END_TEST

START_TEST(bot_takes_each_receive_for_a_message)
{
	must_load("bot10086");
	must_receive("ex");
	must_receive("it");
	must_serve();
	expect(GREETING AGAIN AGAIN);
}
END_TEST

START_TEST(bot_message_with_a_nul_is_not_a_shorter_one)
{
	must_load("bot10086");
	fake_receive(fake, "0\0", 2);
	must_serve();
	expect(GREETING AGAIN);
}
END_TEST

START_TEST(bot_receives_1024_bytes_at_a_time)
{
	char bytes[1025];

	must_load("bot10086");
	memset(bytes, '0', sizeof(bytes));
	fake_receive(fake, bytes, sizeof(bytes));
	must_serve();
	expect(GREETING AGAIN RECORDED);
}
END_TEST

START_TEST(bot_own_menu_replaces_the_default)
{
	struct fake_group *group;

	must_load("bot10086");
	fake_set_string(fake, "greeting", "Hi.");
	fake_set_string(fake, "fallback", "What?");
	fake_set_string(fake, "exit", "bye");
	group = fake_add_group(fake, "menu");
	fake_group_set_string(group, "input", "1");
	fake_group_set_string(group, "reply", "one");
	group = fake_add_group(fake, "menu");
	fake_group_set_string(group, "input", "2");
	fake_group_set_string(group, "reply", "two");
	expect_answer("2\n1\n0\nexit\nbye\n1\n", "Hi.twooneWhat?What?");
}
END_TEST

START_TEST(bot_replies_to_each_datagram)
{
	static const char *const table[][2] = {
		{ "0", RECORDED }, { "0\n", RECORDED }, { "abc", AGAIN },
		{ "", AGAIN }, { "\n", AGAIN },
		{ "0\nabc\n", RECORDED AGAIN },
	};

	must_load("bot10086");
	expect_reply(table[_i][0], table[_i][1]);
}
END_TEST

START_TEST(bot_says_nothing_to_an_exit_by_datagram)
{
	must_load("bot10086");
	fake_datagram(fake, "exit\n", 5);
	must_serve();
	ck_assert_uint_eq(fake->replies, 0);
	ck_assert_uint_eq(fake->writes, 0);
}
END_TEST

/* reply */

START_TEST(reply_needs_its_text)
{
	const struct ss_option *row;

	must_load("reply");
	row = fake->handler->options;
	ck_assert_str_eq(row->name, "text");
	ck_assert_ptr_null(row->string);
}
END_TEST

START_TEST(reply_answers_once)
{
	must_load("reply");
	fake_set_string(fake, "text", "不要回答,不要回答,不要回答");
	must_receive("请求占领地球");
	must_receive("again");
	must_serve();
	expect("不要回答,不要回答,不要回答");
	ck_assert_uint_eq(fake->reads, 1);
	ck_assert_str_eq(fake->log, "");
}
END_TEST

START_TEST(reply_serves_a_browser)
{
	must_load("reply");
	fake_set_string(fake, "text", "HTTP/1.1 200 OK\r\n\r\nHello, World");
	expect_answer("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
	    "HTTP/1.1 200 OK\r\n\r\nHello, World");
}
END_TEST

START_TEST(reply_speaks_first_when_told)
{
	must_load("reply");
	fake_set_string(fake, "text", "Hello");
	fake_set_bool(fake, "read_first", false);
	fake->read_errno = ETIMEDOUT;
	must_serve();
	expect("Hello");
	ck_assert_uint_eq(fake->reads, 0);
}
END_TEST

START_TEST(reply_waits_when_not_told)
{
	must_load("reply");
	fake_set_string(fake, "text", "Hello");
	fake->read_errno = ETIMEDOUT;
	ck_assert_int_ne(fake_serve(fake), 0);
	expect("");
}
END_TEST

START_TEST(reply_logs_the_request_when_told)
{
	must_load("reply");
	fake_set_string(fake, "text", "Hello");
	fake_set_bool(fake, "log_request", true);
	must_receive("GET %s%n");
	must_serve();
	ck_assert_str_eq(fake->log, "GET %s%n\n");
}
END_TEST

START_TEST(reply_replies_to_each_datagram)
{
	must_load("reply");
	fake_set_string(fake, "text", "Hello");
	expect_reply(_i == 0 ? "" : "anything", "Hello");
}
END_TEST

/* discard */

START_TEST(discard_reads_all_and_says_nothing)
{
	must_load("discard");
	must_receive("one");
	must_receive("two");
	must_serve();
	ck_assert_uint_eq(fake->reads, 2);
	ck_assert_uint_eq(fake->writes, 0);
	ck_assert_str_eq(fake->log, "");
}
END_TEST

START_TEST(discard_logs_when_told)
{
	must_load("discard");
	fake_set_bool(fake, "log", true);
	must_receive("one");
	must_receive("%s");
	must_serve();
	ck_assert_str_eq(fake->log, "one\n%s\n");
}
END_TEST

START_TEST(discard_does_not_reply_to_a_datagram)
{
	must_load("discard");
	fake_datagram(fake, "one", 3);
	must_serve();
	ck_assert_uint_eq(fake->replies, 0);
}
END_TEST

/* Peers that fail */

START_TEST(a_silent_peer_is_an_error)
{
	static const char *const names[] = { "echo", "uppercase", "bot10086",
	    "discard" };

	must_load(names[_i]);
	fake->read_errno = ETIMEDOUT;
	ck_assert_int_ne(fake_serve(fake), 0);
	ck_assert_uint_eq(fake->errors, 1);
}
END_TEST

START_TEST(a_dead_peer_is_an_error)
{
	static const char *const names[] = { "echo", "uppercase", "bot10086" };

	must_load(names[_i]);
	fake->write_limit = 0;
	must_receive("0\n0\n0\n");
	ck_assert_int_ne(fake_serve(fake), 0);
	ck_assert_uint_eq(fake->writes, 0);
}
END_TEST

START_TEST(bot_stops_at_the_first_write_that_fails)
{
	must_load("bot10086");
	fake->write_limit = 2;
	must_receive("0\n0\n0\n");
	ck_assert_int_ne(fake_serve(fake), 0);
	expect(GREETING RECORDED);
}
END_TEST

static void
add_echo(TCase *tc)
{
	tcase_add_test(tc, echo_gives_hello_again_and_again);
	tcase_add_test(tc, echo_of_a_silent_caller_is_nothing);
	tcase_add_test(tc, echo_carries_any_byte);
	tcase_add_test(tc, echo_line_mode_answers_each_line);
	tcase_add_test(tc, echo_puts_the_worker_before_each_message);
	tcase_add_loop_test(tc, echo_names_a_process_or_a_fiber_too, 0, 2);
	tcase_add_test(tc, echo_puts_the_worker_before_each_line);
	tcase_add_test(tc, echo_names_the_worker_once_in_a_line_of_any_length);
	tcase_add_test(tc, echo_returns_a_datagram_as_one);
	tcase_add_test(tc, echo_returns_the_largest_datagram_whole);
	tcase_add_loop_test(tc, echo_returns_an_empty_datagram_as_one, 0, 2);
}

static void
add_uppercase(TCase *tc)
{
	tcase_add_test(tc, uppercase_answers_once_and_ends);
	tcase_add_test(tc, uppercase_python_is_nice);
	tcase_add_test(tc, uppercase_strips_what_python_strips);
	tcase_add_test(tc, uppercase_keeps_what_python_keeps);
	tcase_add_test(tc, uppercase_keeps_white_space_when_told);
	tcase_add_test(tc, uppercase_takes_1024_bytes);
	tcase_add_test(tc, uppercase_of_nothing_is_nothing);
	tcase_add_test(tc, uppercase_line_mode_stays);
	tcase_add_loop_test(tc, uppercase_replies_to_each_datagram, 0, 3);
	tcase_add_test(tc, uppercase_line_mode_replies_with_one_datagram);
}

static void
add_bot(TCase *tc)
{
	tcase_add_test(tc, bot_greets_before_it_reads);
	tcase_add_loop_test(tc, bot_answers, 0, 20);
	tcase_add_test(tc, bot_talks_until_exit);
	tcase_add_test(tc, bot_ends_when_the_caller_hangs_up);
	tcase_add_test(tc, bot_takes_each_receive_for_a_message);
	tcase_add_test(tc, bot_message_with_a_nul_is_not_a_shorter_one);
	tcase_add_test(tc, bot_receives_1024_bytes_at_a_time);
	tcase_add_test(tc, bot_own_menu_replaces_the_default);
	tcase_add_loop_test(tc, bot_replies_to_each_datagram, 0, 6);
	tcase_add_test(tc, bot_says_nothing_to_an_exit_by_datagram);
}

static void
add_reply_and_discard(TCase *tc)
{
	tcase_add_test(tc, reply_needs_its_text);
	tcase_add_test(tc, reply_answers_once);
	tcase_add_test(tc, reply_serves_a_browser);
	tcase_add_test(tc, reply_speaks_first_when_told);
	tcase_add_test(tc, reply_waits_when_not_told);
	tcase_add_test(tc, reply_logs_the_request_when_told);
	tcase_add_loop_test(tc, reply_replies_to_each_datagram, 0, 2);
	tcase_add_test(tc, discard_reads_all_and_says_nothing);
	tcase_add_test(tc, discard_logs_when_told);
	tcase_add_test(tc, discard_does_not_reply_to_a_datagram);
}

static void
add_all(TCase *tc)
{
	tcase_add_loop_test(tc, every_handler_says_who_it_is, 0, 5);
	tcase_add_loop_test(tc, reads_first_is_said_by_who_never_speaks_first,
	    0, 5);
	tcase_add_loop_test(tc, a_silent_peer_is_an_error, 0, 4);
	tcase_add_loop_test(tc, a_dead_peer_is_an_error, 0, 3);
	tcase_add_test(tc, bot_stops_at_the_first_write_that_fails);
}

int
main(void)
{
	static const struct {
		const char *name;
		void (*add)(TCase *tc);
	} cases[] = {
		{ "all", add_all }, { "echo", add_echo },
		{ "uppercase", add_uppercase }, { "bot10086", add_bot },
		{ "reply and discard", add_reply_and_discard },
	};
	Suite *suite = suite_create("handlers");
	SRunner *runner = srunner_create(suite);
	int failed;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		TCase *tc = tcase_create(cases[i].name);

		tcase_add_checked_fixture(tc, NULL, teardown);
		cases[i].add(tc);
		suite_add_tcase(suite, tc);
	}
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
