/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/record.h"
#include "base/utf8.h"
#include "base_suites.h"

#define WALL 1795254000123456789LL      /* 2026-11-21T09:40:00.123456789Z */

static char bytes[RECORD_MAX + 2];      /* a NUL behind it */

static const char *
format_record(enum log_kind kind, enum log_format format,
    const struct record *record)
{
	size_t len = record_format(bytes, kind, format, record);

	ck_assert_uint_le(len, RECORD_MAX);
	bytes[1 + len] = '\0';
	return bytes + 1;
}

static const char *
format_message(enum log_format format, const char *message, size_t len)
{
	return format_record(LOG_KIND_STREAM, format, &(struct record){
		.level = LOG_LEVEL_INFO, .wall_ns = WALL, .message = message,
		.message_len = len,
	});
}

static const struct log_fields all_fields = {
	.listener = "echo", .generation = 1, .worker = "Thread-2",
	.peer = "127.0.0.1:50312", .request = 7, .reason = "access",
};

static const struct record full = {
	.level = LOG_LEVEL_WARNING, .wall_ns = WALL, .fields = &all_fields,
	.message = "no \"luck\"", .message_len = 9,
};

static const struct log_access access_fields = {
	.fields = {
		.listener = "echo", .worker = "Thread-2", .peer = "[::1]:7",
		.request = 7,
	},
	.result = "ok", .bytes_in = 5, .bytes_out = UINT64_MAX,
	.duration_ns = 123456,
};

static const struct record access_record = {
	.level = LOG_LEVEL_INFO, .wall_ns = WALL,
	.fields = &access_fields.fields, .access = &access_fields,
	.message = "request", .message_len = 7,
};

START_TEST(a_line_of_text_has_its_fields_in_order)
{
	ck_assert_str_eq(format_record(LOG_KIND_STREAM, LOG_FORMAT_TEXT, &full),
	    "time=2026-11-21T09:40:00.123456Z level=warning listener=echo "
	    "generation=1 worker=Thread-2 peer=127.0.0.1:50312 request=7 "
	    "reason=access message=\"no \\\"luck\\\"\"\n");
}
END_TEST

START_TEST(a_line_of_json_has_the_same_keys)
{
	ck_assert_str_eq(format_record(LOG_KIND_STREAM, LOG_FORMAT_JSON, &full),
	    "{\"time\":\"2026-11-21T09:40:00.123456Z\",\"level\":\"warning\","
	    "\"listener\":\"echo\",\"generation\":1,\"worker\":\"Thread-2\","
	    "\"peer\":\"127.0.0.1:50312\",\"request\":7,\"reason\":\"access\","
	    "\"message\":\"no \\\"luck\\\"\"}\n");
}
END_TEST

START_TEST(an_access_line_has_its_figures)
{
	ck_assert_str_eq(format_record(LOG_KIND_STREAM, LOG_FORMAT_TEXT,
			     &access_record),
	    "time=2026-11-21T09:40:00.123456Z level=info "
	    "listener=echo worker=Thread-2 peer=\"[::1]:7\" request=7 "
	    "result=ok "
	    "bytes_in=5 bytes_out=18446744073709551615 seconds=0.000123 "
	    "message=\"request\"\n");
	ck_assert_str_eq(format_record(LOG_KIND_STREAM, LOG_FORMAT_JSON,
			     &access_record),
	    "{\"time\":\"2026-11-21T09:40:00.123456Z\","
	    "\"level\":\"info\",\"listener\":\"echo\",\"worker\":\"Thread-2\","
	    "\"peer\":\"[::1]:7\",\"request\":7,\"result\":\"ok\",\"bytes_in\":"
	    "5,"
	    "\"bytes_out\":18446744073709551615,\"seconds\":0.000123,"
	    "\"message\":\"request\"}\n");
}
END_TEST

START_TEST(a_syslog_packet_has_no_time_and_no_level)
{
	char expected[200];

	(void)snprintf(expected, sizeof(expected),
	    "<28>socketserverd[%d]: "
	    "listener=echo generation=1 worker=Thread-2 peer=127.0.0.1:50312 "
	    "request=7 reason=access message=\"no \\\"luck\\\"\"",
	    (int)getpid());
	ck_assert_str_eq(format_record(LOG_KIND_SYSLOG, LOG_FORMAT_TEXT, &full),
	    expected);
	(void)snprintf(expected, sizeof(expected), "<30>socketserverd[%d]: {"
	    "\"message\":\"x\"}", (int)getpid());
	ck_assert_str_eq(format_record(LOG_KIND_SYSLOG, LOG_FORMAT_JSON,
	    &(struct record){ .level = LOG_LEVEL_INFO, .message = "x",
	    .message_len = 1 }), expected);
}
END_TEST

START_TEST(a_journal_packet_has_fields_of_its_own)
{
	ck_assert_str_eq(format_record(LOG_KIND_JOURNAL, LOG_FORMAT_TEXT,
			     &full),
	    "PRIORITY=4\nSYSLOG_IDENTIFIER=socketserverd\n"
	    "SOCKETSERVERD_LISTENER=echo\nSOCKETSERVERD_GENERATION=1\n"
	    "SOCKETSERVERD_WORKER=Thread-2\n"
	    "SOCKETSERVERD_PEER=127.0.0.1:50312\nSOCKETSERVERD_REQUEST=7\n"
	    "SOCKETSERVERD_REASON=access\n"
	    "MESSAGE=listener=echo generation=1 worker=Thread-2 "
	    "peer=127.0.0.1:50312 request=7 reason=access "
	    "message=\"no \\\"luck\\\"\"\n");
	ck_assert_str_eq(format_record(LOG_KIND_JOURNAL, LOG_FORMAT_JSON,
			     &access_record),
	    "PRIORITY=6\nSYSLOG_IDENTIFIER=socketserverd\n"
	    "SOCKETSERVERD_LISTENER=echo\nSOCKETSERVERD_WORKER=Thread-2\n"
	    "SOCKETSERVERD_PEER=[::1]:7\nSOCKETSERVERD_REQUEST=7\n"
	    "SOCKETSERVERD_RESULT=ok\nSOCKETSERVERD_BYTES_IN=5\n"
	    "SOCKETSERVERD_BYTES_OUT=18446744073709551615\n"
	    "SOCKETSERVERD_SECONDS=0.000123\n"
	    "MESSAGE={\"listener\":\"echo\",\"worker\":\"Thread-2\","
	    "\"peer\":\"[::1]:7\",\"request\":7,\"result\":\"ok\",\"bytes_in\":"
	    "5,"
	    "\"bytes_out\":18446744073709551615,\"seconds\":0.000123,"
	    "\"message\":\"request\"}\n");
}
END_TEST

/* seconds since 1970, and what date -u says of them */
static const struct {
	int64_t second;
	const char *text;
} dates[] = {
	{ 0, "1970-01-01T00:00:00" },
	{ 68169599, "1972-02-28T23:59:59" },
	{ 68169600, "1972-02-29T00:00:00" },
	{ 68256000, "1972-03-01T00:00:00" },
	{ 946684799, "1999-12-31T23:59:59" },
	{ 951782400, "2000-02-29T00:00:00" },
	{ 1709164800, "2024-02-29T00:00:00" },
	{ 1795254000, "2026-11-21T09:40:00" },
	{ 4107542399, "2100-02-28T23:59:59" },
	{ 4107542400, "2100-03-01T00:00:00" },
	{ 9223372036, "2262-04-11T23:47:16" },
};

START_TEST(dates_are_right)
{
	char expected[64];
	const char *text = format_record(LOG_KIND_STREAM, LOG_FORMAT_TEXT,
	    &(struct record){ .wall_ns = dates[_i].second * 1000000000,
	    .message = "" });

	(void)snprintf(expected, sizeof(expected),
	    "time=%s.000000Z level=debug "
	    "message=\"\"\n",
	    dates[_i].text);
	ck_assert_str_eq(text, expected);
}
END_TEST

/* a message, and how text and JSON show it */
static const struct {
	const char *raw;
	size_t len;
	const char *text, *json;
} messages[] = {
	{ "", 0, "", "" },
	{ "a b", 3, "a b", "a b" },
	{ "a\nb", 3, "a\\x0ab", "a\\u000ab" },
	{ "a\0b", 3, "a\\x00b", "a\\u0000b" },
	{ "\r\x1b[31m", 6, "\\x0d\\x1b[31m", "\\u000d\\u001b[31m" },
	{ "\"\\", 2, "\\\"\\\\", "\\\"\\\\" },
	{ "\x7f\x80\xff", 3, "\\x7f\\x80\\xff", "\\u007f\\u0080\\u00ff" },
	{ "\xe6\xac\xa2", 3, "\xe6\xac\xa2", "\xe6\xac\xa2" },
	{ "\xe6\xac", 2, "\\xe6\\xac", "\\u00e6\\u00ac" },
	{ "\xc2\x85", 2, "\\xc2\\x85", "\\u00c2\\u0085" },
	{ "x\" level=error message=\"y", 25, "x\\\" level=error message=\\\"y",
	    "x\\\" level=error message=\\\"y" },
};

START_TEST(nothing_escapes_the_message)
{
	char expected[200];

	(void)snprintf(expected, sizeof(expected), "time=2026-11-21T09:40:00."
	    "123456Z level=info message=\"%s\"\n", messages[_i].text);
	ck_assert_str_eq(format_message(LOG_FORMAT_TEXT, messages[_i].raw,
	    messages[_i].len), expected);
	(void)snprintf(expected, sizeof(expected),
	    "{\"time\":\"2026-11-21T09:40:"
	    "00.123456Z\",\"level\":\"info\",\"message\":\"%s\"}\n",
	    messages[_i].json);
	ck_assert_str_eq(format_message(LOG_FORMAT_JSON, messages[_i].raw,
	    messages[_i].len), expected);
}
END_TEST

START_TEST(a_value_that_is_not_bare_is_quoted)
{
	const struct log_fields fields = {
		.listener = "", .worker = "a b", .peer = "x=\"y\"\n",
	};

	ck_assert_str_eq(format_record(LOG_KIND_STREAM, LOG_FORMAT_TEXT,
	    &(struct record){ .wall_ns = WALL, .fields = &fields,
	    .message = "" }), "time=2026-11-21T09:40:00.123456Z level=debug "
	    "listener=\"\" worker=\"a b\" peer=\"x=\\\"y\\\"\\x0a\" "
	    "message=\"\"\n");
}
END_TEST

START_TEST(what_is_too_long_ends_in_dots)
{
	static char long_message[9000];
	const char *text;

	memset(long_message, 'a', sizeof(long_message));
	text = format_message(LOG_FORMAT_TEXT, long_message, 5000);
	ck_assert_uint_ge(strlen(text), RECORD_MAX - 8);
	ck_assert_str_eq(text + strlen(text) - 6, "a...\"\n");
	memset(long_message, '\n', sizeof(long_message));
	text = format_message(LOG_FORMAT_JSON, long_message, 5000);
	ck_assert_str_eq(text + strlen(text) - 12, "\\u000a...\"}\n");
	text = format_record(LOG_KIND_STREAM, LOG_FORMAT_TEXT,
	    &(struct record){ .wall_ns = WALL, .message = "x", .message_len = 1,
	    .is_cut = true });
	ck_assert_str_eq(text + strlen(text) - 7, "\"x...\"\n");
}
END_TEST

/* The checks of random records: plain C, as there are millions of bytes. */

/* Is line[0..len) one record of printable characters? */
static bool
is_line(const char *line, size_t len, bool has_newline)
{
	if (has_newline && (!len || line[--len] != '\n'))
		return false;
	while (len) {
		size_t n = utf8_printable(line, len);

		if (!n)
			return false;
		line += n;
		len -= n;
	}
	return true;
}

/* One NAME=value a line. */
static bool
is_journal(const char *packet, size_t len)
{
	while (len) {
		const char *end = memchr(packet, '\n', len);
		size_t n, name = strspn(packet, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_");

		if (!end || !name || packet[name] != '=')
			return false;
		n = (size_t)(end - packet) + 1;
		if (!is_line(packet, n, true))
			return false;
		packet += n;
		len -= n;
	}
	return true;
}

/* Quotes stand in pairs, and the one brace outside of them ends the line. */
static bool
is_json(const char *line, size_t len)
{
	bool is_quoted = false;

	for (size_t i = 1; i < len - 2; i++) {
		if (is_quoted && line[i] == '\\') {
			if (!strchr("\"\\u", line[++i]))
				return false;
		} else if (line[i] == '"') {
			is_quoted = !is_quoted;
		} else if (!is_quoted && line[i] == '}') {
			return false;
		}
	}
	return !is_quoted && line[0] == '{' && line[len - 2] == '}';
}

START_TEST(an_access_line_says_request_by_itself)
{
	struct record silent = access_record;
	char expected[sizeof(bytes)];

	silent.message = NULL;
	for (int i = 0; i < 6; i++) {
		const enum log_kind kind = (enum log_kind)(i % 3);
		const enum log_format format = (enum log_format)(i / 3);

		strcpy(expected, format_record(kind, format, &access_record));
		ck_assert_str_eq(format_record(kind, format, &silent),
		    expected);
	}
}
END_TEST

/* The kept text is of one sink, style and level: none of them gets another's. */
START_TEST(a_head_that_is_kept_changes_no_byte)
{
	static char quoted[] = "a \"b\"", long_name[150];
	struct log_head heads[3] = { 0 };
	char expected[sizeof(bytes)];

	memset(long_name, 'x', sizeof(long_name) - 1);
	for (unsigned i = 0; i < 3 * 3 * 2 * 2 * 3; i++) {
		struct log_fields fields = all_fields;
		struct record record = full;

		fields.worker = (char *[]){ "Thread-2", quoted,
		    long_name }[i % 3];
		record.level = i / 18 % 2 ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR;
		record.fields = &fields;
		strcpy(expected, format_record((enum log_kind)(i / 3 % 3),
		    (enum log_format)(i / 9 % 2), &record));
		fields.head = &heads[i % 3];
		for (int again = 0; again < 2; again++)
			ck_assert_str_eq(format_record(
			    (enum log_kind)(i / 3 % 3),
			    (enum log_format)(i / 9 % 2), &record), expected);
	}
}
END_TEST

static unsigned seed = 1;

static unsigned
random_below(unsigned n)
{
	seed = seed * 1103515245 + 12345;
	return seed / 65536 % n;
}

/* len bytes, of which many are the interesting ones. */
static void
random_bytes(char *data, size_t len)
{
	static const char odd[] =
	    "\0\n\r\"\\\x1b\x7f\x80\xbf\xc2\xe2\xf0\xff{}=";

	for (size_t i = 0; i < len; i++)
		data[i] = random_below(2) ? odd[random_below(sizeof(odd))] :
		    (char)random_below(256);
}

START_TEST(no_bytes_forge_a_record)
{
	static char message[RECORD_MAX + 100], texts[4][400];

	for (int round = 0; round < 4000; round++) {
		struct log_fields fields = {
			.listener = texts[0], .peer = texts[1],
			.worker = texts[2], .reason = texts[3],
			.request = UINT64_MAX, .generation = 0xffffffff,
		};
		struct log_access access = {
			.result = texts[0], .bytes_in = UINT64_MAX,
			.bytes_out = UINT64_MAX, .duration_ns = INT64_MAX,
		};
		const size_t message_len = random_below(sizeof(message));
		struct record record = {
			.level = LOG_LEVEL_ERROR, .wall_ns = INT64_MAX,
			.fields = &fields, .message = message,
			.message_len = message_len,
			.access = round % 2 ? &access : NULL,
		};
		const enum log_kind kind = (enum log_kind)(round / 2 % 3);
		const enum log_format format = (enum log_format)(round / 6 % 2);
		size_t len;

		random_bytes(message, message_len);
		for (int i = 0; i < 4; i++) {
			random_bytes(texts[i], sizeof(texts[i]) - 1);
			texts[i][random_below(sizeof(texts[i]))] = '\0';
		}
		len = record_format(bytes, kind, format, &record);
		ck_assert_uint_le(len, RECORD_MAX);
		ck_assert(kind == LOG_KIND_JOURNAL ?
			is_journal(bytes + 1, len) :
			is_line(bytes + 1, len, kind == LOG_KIND_STREAM));
		ck_assert(kind != LOG_KIND_STREAM ||
		    format != LOG_FORMAT_JSON || is_json(bytes + 1, len));
	}
}
END_TEST

Suite *
record_suite(void)
{
	Suite *suite = suite_create("record");
	TCase *tcase = tcase_create("record");

	tcase_set_timeout(tcase, 60);   /* random records under valgrind */
	tcase_add_test(tcase, a_line_of_text_has_its_fields_in_order);
	tcase_add_test(tcase, a_line_of_json_has_the_same_keys);
	tcase_add_test(tcase, an_access_line_has_its_figures);
	tcase_add_test(tcase, an_access_line_says_request_by_itself);
	tcase_add_test(tcase, a_head_that_is_kept_changes_no_byte);
	tcase_add_test(tcase, a_syslog_packet_has_no_time_and_no_level);
	tcase_add_test(tcase, a_journal_packet_has_fields_of_its_own);
	tcase_add_loop_test(tcase, dates_are_right, 0,
	    (int)(sizeof(dates) / sizeof(dates[0])));
	tcase_add_loop_test(tcase, nothing_escapes_the_message, 0,
	    (int)(sizeof(messages) / sizeof(messages[0])));
	tcase_add_test(tcase, a_value_that_is_not_bare_is_quoted);
	tcase_add_test(tcase, what_is_too_long_ends_in_dots);
	tcase_add_test(tcase, no_bytes_forge_a_record);
	suite_add_tcase(suite, tcase);
	return suite;
}
