/* SPDX-License-Identifier: ISC */
/* The life of one request, with a handler that writes down what is called and
 * a peer that is a script. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "handler/api.h"
#include "handler/request.h"
#include "handler_suites.h"

/* -- a host, a handler, a peer ------------------------------------------ */

static char calls[256];                 /* what the handler was called for */
static int setup_status, handle_status, verify_answer;
static int (*handle_body)(ss_request *rq);

static void
note(const char *call)
{
	(void)strncat(calls, call, sizeof(calls) - strlen(calls) - 1);
	(void)strncat(calls, " ", sizeof(calls) - strlen(calls) - 1);
}

static int
on_verify(ss_request *rq)
{
	(void)rq;
	note("verify");
	return verify_answer;
}

static int
on_setup(ss_request *rq)
{
	(void)rq;
	note("setup");
	return setup_status;
}

static int
on_handle(ss_request *rq)
{
	note("handle");
	return handle_body != NULL ? handle_body(rq) : handle_status;
}

static void
on_finish(ss_request *rq)
{
	(void)rq;
	note("finish");
}

static void
on_error(ss_request *rq, int status)
{
	char text[32];

	(void)rq;
	(void)snprintf(text, sizeof(text), "error(%d)", status);
	note(text);
}

static struct listener_conf conf;
static struct module module;
static struct host host;
static struct request request;
static struct endpoint endpoint;
static int ends[2];                     /* the daemon's, the peer's */

/* The peer's script: chunks that come, one a read. */
static const char *chunks[16];
static size_t chunk_next;
static int read_error;
static bool is_shed_meanwhile;          /* during the next read */
static char idle_reads[16];             /* "+-": which could be shed */
static char sent[65536];
static size_t sent_len;

static ssize_t
script_read(struct request *rq, void *data, size_t size)
{
	const char *chunk = chunks[chunk_next];

	(void)strncat(idle_reads, rq->is_idle ? "+" : "-",
	    sizeof(idle_reads) - strlen(idle_reads) - 1);
	if (is_shed_meanwhile && rq->is_idle)
		ck_assert(seat_shed(rq->seat,
		    seat_idle_since(rq->seat, clock_now())));
	is_shed_meanwhile = false;
	if (chunk == NULL)
		return read_error != 0 ? -read_error : 0;
	size_t len = strlen(chunk);
	ck_assert_uint_le(len, size);
	memcpy(data, chunk, len);
	chunk_next++;
	return (ssize_t)len;
}

static int
script_write(struct request *rq, const void *data, size_t len)
{
	rq->bytes_out += len;
	memcpy(sent + sent_len, data, len);
	sent_len += len;
	return 0;
}

static int
script_sleep(struct request *rq, int64_t ms)
{
	(void)rq;
	(void)ms;
	return 0;
}

static const struct io script = { script_read, script_write, script_sleep };

static int
keep_reply(const struct arrival *arrival, const void *data, size_t len)
{
	(void)arrival;
	if (len > 0)
		memcpy(sent + sent_len, data, len);
	sent_len += len;
	note("reply");
	return 0;
}

static const struct transport stream = { .scheme = "tcp", .is_stream = true };
static const struct transport datagram = { .scheme = "udp",
	.reply = keep_reply };

static void
set_up(void)
{
	struct faults faults;
	int fd;

	memset(&conf, 0, sizeof(conf));
	conf.name = "test";
	conf.file = "test.conf";
	conf.refuse_text = "no\n";
	conf.read_buffer_bytes = 8192;
	memset(&module, 0, sizeof(module));
	module.handler = (struct ss_handler){
		.abi = SS_ABI, .size = sizeof(struct ss_handler),
		.name = "test", .kinds = SS_STREAM | SS_DATAGRAM,
		.verify = on_verify, .setup = on_setup, .handle = on_handle,
		.finish = on_finish, .error = on_error,
	};
	faults_init(&faults);
	ck_assert_int_eq(host_init(&host, &conf, &module, &faults), 0);
	host.size = (struct stats_size){ .slots = 1, .seats = 1 };
	host.slab = stats_new(host.size, &fd);
	ck_assert_ptr_nonnull(host.slab);
	host.stats = &host.slab->slots[0];
	(void)close(fd);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	verify_answer = 1;
	setup_status = handle_status = 0;
	request_init(&request, &host, &script, "Thread-1");
}

static void
tear_down(void)
{
	request_free(&request);
	host_free(&host);
	stats_free(&host.slab, host.size);
	(void)close(ends[1]);
}

static void
serve_stream(void)
{
	endpoint = (struct endpoint){ .transport = &stream, .fd = -1 };
	const struct arrival arrival = { .endpoint = &endpoint, .fd = ends[0] };

	request_begin(&request, &arrival, request_new_id(&host));
	/* The peer has ended its side, so that closing waits for nobody. */
	ck_assert_int_eq(shutdown(ends[1], SHUT_WR), 0);
	request_serve(&request);
	request_end(&request);
}

static void
serve_datagram(const char *text)
{
	static char data[1024];

	endpoint = (struct endpoint){ .transport = &datagram, .fd = -1 };
	(void)snprintf(data, sizeof(data), "%s", text);
	const struct arrival arrival = { .endpoint = &endpoint, .fd = -1,
		.data = data, .size = sizeof(data), .len = strlen(text) };

	request_begin(&request, &arrival, request_new_id(&host));
	request_serve(&request);
	request_end(&request);
}

static int64_t
count(enum counter counter)
{
	return host.stats->counters[counter];
}

/* -- the order of calls ------------------------------------------------- */

START_TEST(a_request_is_verified_set_up_handled_and_finished)
{
	serve_stream();
	ck_assert_str_eq(calls, "verify setup handle finish ");
	ck_assert_int_eq(count(COUNTER_REQUESTS), 1);
	ck_assert_int_eq(count(COUNTER_ERRORS), 0);
}
END_TEST

START_TEST(error_comes_before_finish)
{
	handle_status = 3;
	serve_stream();
	ck_assert_str_eq(calls, "verify setup handle error(3) finish ");
	ck_assert_int_eq(count(COUNTER_ERRORS), 1);
	ck_assert_int_eq(count(COUNTER_REQUESTS), 0);
}
END_TEST

START_TEST(a_setup_that_fails_is_neither_handled_nor_finished)
{
	setup_status = -1;
	serve_stream();
	ck_assert_str_eq(calls, "verify setup error(-1) ");
	ck_assert_int_eq(count(COUNTER_ERRORS), 1);
}
END_TEST

START_TEST(a_request_that_verify_refuses_gets_the_refuse_text)
{
	char text[16] = "";

	verify_answer = 0;
	serve_stream();
	ck_assert_str_eq(calls, "verify ");
	ck_assert_int_eq(count(COUNTER_REFUSED), 1);
	ck_assert_int_eq(host.stats->refused[REASON_VERIFY], 1);
	ck_assert_int_eq(read(ends[1], text, sizeof(text)), 3);
	ck_assert_str_eq(text, "no\n");
}
END_TEST

/* -- reading ------------------------------------------------------------ */

static int
read_all(ss_request *rq)
{
	char buf[64];
	ssize_t n;

	while ((n = rq->api->read(rq, buf, sizeof(buf))) > 0)
		continue;
	return 0;       /* whatever ended it */
}

static void
sit_where_sheds(void)
{
	conf.when_full = WHEN_FULL_SHED_IDLE;
	request.seat = host_seat(&host, 0);
}

START_TEST(a_wait_for_another_message_may_be_shed)
{
	sit_where_sheds();
	handle_body = read_all;
	read_error = ECANCELED;
	is_shed_meanwhile = true;
	serve_stream();
	ck_assert_int_eq(count(COUNTER_REFUSED), 1);
	ck_assert_int_eq(host.stats->refused[REASON_SHED_IDLE], 1);
	ck_assert_int_eq(count(COUNTER_REQUESTS), 0);
	ck_assert_int_eq(count(COUNTER_ERRORS), 0);
	ck_assert_int_eq(count(COUNTER_ACTIVE), -1);
}
END_TEST

START_TEST(a_message_at_the_last_moment_saves_it)
{
	sit_where_sheds();
	handle_body = read_all;
	chunks[0] = "just in time";
	is_shed_meanwhile = true;
	serve_stream();
	ck_assert_str_eq(idle_reads, "++");
	ck_assert_int_eq(count(COUNTER_REFUSED), 0);
	ck_assert_int_eq(count(COUNTER_REQUESTS), 1);
	ck_assert_int_eq(seat_idle_since(request.seat, clock_now()), 0);
}
END_TEST

static int
read_one_line(ss_request *rq)
{
	char line[64];

	while (rq->api->read_line(rq, line, sizeof(line)) > 0)
		continue;
	return 0;
}

START_TEST(the_rest_of_a_line_is_not_shed)
{
	sit_where_sheds();
	handle_body = read_one_line;
	chunks[0] = "one\nhalf ";
	chunks[1] = "of it\n";
	serve_stream();
	ck_assert_str_eq(idle_reads, "+-+");
}
END_TEST

START_TEST(without_shed_idle_no_wait_is_shed)
{
	request.seat = host_seat(&host, 0);
	handle_body = read_all;
	chunks[0] = "x";
	serve_stream();
	ck_assert_str_eq(idle_reads, "--");
}
END_TEST

START_TEST(one_that_nobody_served_is_abandoned)
{
	struct arrival arrival = {
		.endpoint = &endpoint, .fd = ends[0], .id = 5, .since = 1,
	};
	char byte;

	endpoint = (struct endpoint){ .transport = &stream, .fd = -1 };
	request_abandon(&host, &arrival, "timeout");
	ck_assert_int_eq(arrival.fd, -1);
	ck_assert_int_eq(read(ends[1], &byte, 1), 0);
	ck_assert_int_eq(count(COUNTER_ERRORS), 1);
	ck_assert_int_eq(count(COUNTER_ACTIVE), -1);
	ck_assert_str_eq(calls, "");
}
END_TEST

static int
read_lines(ss_request *rq)
{
	char line[64];
	ssize_t n;

	while ((n = rq->api->read_line(rq, line, sizeof(line))) > 0) {
		rq->api->write(rq, "[", 1);
		rq->api->write(rq, line, (size_t)n);
		rq->api->write(rq, "]", 1);
	}
	return (int)n;
}

START_TEST(a_line_is_the_same_wherever_it_is_split)
{
	static const char text[] = "one\ntwo\n\nlast";

	for (size_t at = 1; at < sizeof(text) - 1; at++) {
		char head[32], tail[32];
		(void)snprintf(head, sizeof(head), "%.*s", (int)at, text);
		(void)snprintf(tail, sizeof(tail), "%s", text + at);
		chunks[0] = head;
		chunks[1] = tail;
		chunks[2] = NULL;
		chunk_next = sent_len = 0;
		handle_body = read_lines;
		tear_down();
		set_up();
		serve_stream();
		ck_assert_mem_eq(sent, "[one\n][two\n][\n][last]", sent_len);
		ck_assert_uint_eq(sent_len, 21);
	}
}
END_TEST

static int
read_short_lines(ss_request *rq)
{
	char line[4];
	ssize_t n;

	while ((n = rq->api->read_line(rq, line, sizeof(line))) > 0) {
		rq->api->write(rq, line, (size_t)n);
		rq->api->write(rq, "|", 1);
	}
	return 0;
}

START_TEST(a_long_line_comes_in_pieces_of_the_size_asked_for)
{
	chunks[0] = "abcdefghij\nkl\n";
	handle_body = read_short_lines;
	serve_stream();
	sent[sent_len] = '\0';
	ck_assert_str_eq(sent, "abcd|efgh|ij\n|kl\n|");
}
END_TEST

static int
read_until_it_times_out(ss_request *rq)
{
	char line[64];

	ck_assert_int_eq(rq->api->read_line(rq, line, sizeof(line)), -1);
	ck_assert_int_eq(errno, ETIMEDOUT);
	/* What had come is still there. */
	ck_assert_int_eq(rq->api->read(rq, line, sizeof(line)), 4);
	ck_assert_mem_eq(line, "half", 4);
	return -1;
}

START_TEST(half_a_line_survives_a_timeout)
{
	chunks[0] = "half";
	read_error = ETIMEDOUT;
	handle_body = read_until_it_times_out;
	serve_stream();
	ck_assert_int_eq(request.first_errno, ETIMEDOUT);
}
END_TEST

static int
answer_in_two_writes(ss_request *rq)
{
	char byte;

	rq->api->write(rq, "a", 1);
	rq->api->write(rq, "b", 1);
	ck_assert_uint_eq(sent_len, 0);         /* still in the buffer */
	(void)rq->api->read(rq, &byte, 1);      /* would wait: sends first */
	ck_assert_uint_eq(sent_len, 2);
	rq->api->write(rq, "c", 1);
	return 0;
}

START_TEST(buffered_writes_go_out_before_a_wait_and_at_the_end)
{
	conf.write_buffer_bytes = 16;
	handle_body = answer_in_two_writes;
	serve_stream();
	ck_assert_mem_eq(sent, "abc", 3);
	ck_assert_int_eq(count(COUNTER_BYTES_OUT), 3);
}
END_TEST

START_TEST(a_write_after_the_end_of_our_side_is_a_broken_pipe)
{
	endpoint = (struct endpoint){ .transport = &stream, .fd = -1 };
	const struct arrival arrival = { .endpoint = &endpoint, .fd = ends[0] };

	request_begin(&request, &arrival, request_new_id(&host));
	ck_assert_int_eq(request_end_write(&request), 0);
	ck_assert_int_eq(request_write(&request, "x", 1), -EPIPE);
}
END_TEST

/* -- datagrams ---------------------------------------------------------- */

static int
echo_datagram(ss_request *rq)
{
	char data[64];
	ssize_t n = rq->api->read(rq, data, sizeof(data));

	ck_assert_int_eq(rq->api->read(rq, data + n, 1), 0);
	return rq->api->write(rq, data, (size_t)n);
}

START_TEST(a_datagram_is_read_once_and_answered_once)
{
	handle_body = echo_datagram;
	serve_datagram("hello");
	ck_assert_str_eq(calls, "verify setup handle finish reply ");
	ck_assert_mem_eq(sent, "hello", 5);
	ck_assert_int_eq(count(COUNTER_BYTES_IN), 5);
	ck_assert_int_eq(count(COUNTER_BYTES_OUT), 5);
}
END_TEST

START_TEST(an_empty_datagram_is_answered_by_an_empty_one)
{
	handle_body = echo_datagram;
	serve_datagram("");
	ck_assert_str_eq(calls, "verify setup handle finish reply ");
	ck_assert_uint_eq(sent_len, 0);
}
END_TEST

START_TEST(a_handler_that_does_not_write_sends_nothing)
{
	serve_datagram("hello");
	ck_assert_str_eq(calls, "verify setup handle finish ");
}
END_TEST

static int
write_too_much(ss_request *rq)
{
	static char block[60000];

	ck_assert_int_eq(rq->api->write(rq, block, sizeof(block)), 0);
	ck_assert_int_eq(rq->api->write(rq, block, sizeof(block)), -1);
	ck_assert_int_eq(errno, EMSGSIZE);
	return 0;
}

START_TEST(a_reply_longer_than_any_datagram_is_an_error_at_once)
{
	handle_body = write_too_much;
	serve_datagram("x");
}
END_TEST

static int
print_long(ss_request *rq)
{
	char format[1024];
	va_list none;

	memset(&none, 0, sizeof(none));
	memset(format, 'x', sizeof(format) - 1);
	format[sizeof(format) - 1] = '\0';
	return rq->api->vprintf(rq, format, none);
}

START_TEST(a_long_printf_is_not_cut)
{
	handle_body = print_long;
	serve_datagram("x");
	ck_assert_uint_eq(sent_len, 1023);
}
END_TEST

Suite *
request_suite(void)
{
	Suite *suite = suite_create("request");
	TCase *tc = tcase_create("request");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, a_request_is_verified_set_up_handled_and_finished);
	tcase_add_test(tc, error_comes_before_finish);
	tcase_add_test(tc, a_setup_that_fails_is_neither_handled_nor_finished);
	tcase_add_test(tc, a_request_that_verify_refuses_gets_the_refuse_text);
	tcase_add_test(tc, a_wait_for_another_message_may_be_shed);
	tcase_add_test(tc, a_message_at_the_last_moment_saves_it);
	tcase_add_test(tc, the_rest_of_a_line_is_not_shed);
	tcase_add_test(tc, without_shed_idle_no_wait_is_shed);
	tcase_add_test(tc, one_that_nobody_served_is_abandoned);
	tcase_add_test(tc, a_line_is_the_same_wherever_it_is_split);
	tcase_add_test(tc, a_long_line_comes_in_pieces_of_the_size_asked_for);
	tcase_add_test(tc, half_a_line_survives_a_timeout);
	tcase_add_test(tc, buffered_writes_go_out_before_a_wait_and_at_the_end);
	tcase_add_test(tc, a_write_after_the_end_of_our_side_is_a_broken_pipe);
	tcase_add_test(tc, a_datagram_is_read_once_and_answered_once);
	tcase_add_test(tc, an_empty_datagram_is_answered_by_an_empty_one);
	tcase_add_test(tc, a_handler_that_does_not_write_sends_nothing);
	tcase_add_test(tc, a_reply_longer_than_any_datagram_is_an_error_at_once);
	tcase_add_test(tc, a_long_printf_is_not_cut);
	suite_add_tcase(suite, tc);
	return suite;
}
