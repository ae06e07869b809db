/* SPDX-License-Identifier: ISC */
/* The command line and the two tables behind it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/document.h"
#include "bench/options.h"
#include "bench/workload.h"
#include "bench_suites.h"

#define ARGS_MAX 20

/* Parse a line of words. What is borrowed from them lives until the next. */
static int
parse(struct options *options, struct err *err, const char *line)
{
	static char name[] = "socketserver-bench", words[512],
	    *argv[ARGS_MAX + 1];
	char *rest = words, *word;
	int argc = 0;

	(void)snprintf(words, sizeof(words), "%s", line);
	argv[argc++] = name;
	while ((word = strsep(&rest, " ")) != NULL && argc < ARGS_MAX)
		if (*word != '\0')
			argv[argc++] = word;
	argv[argc] = NULL;
	err->text[0] = '\0';
	return options_parse(options, argc, argv, err);
}

static void
must_parse(struct options *options, const char *line)
{
	struct err err;

	ck_assert_msg(parse(options, &err, line) == 0, "%s: %s", line,
	    err.text);
}

START_TEST(every_row_is_complete_and_unique)
{
	const struct option_row *row, *other;
	size_t count = 0;

	for (row = options_table; row->name != NULL; row++, count++) {
		ck_assert(row->set != NULL);
		ck_assert(row->help[strlen(row->help) - 1] != '.');
		for (other = row + 1; other->name != NULL; other++) {
			ck_assert_str_ne(row->name, other->name);
			ck_assert(row->letter == 0 ||
			    row->letter != other->letter);
		}
	}
	ck_assert_uint_lt(count, OPTION_ROWS_MAX);
}
END_TEST

START_TEST(every_workload_is_complete_and_found)
{
	for (const struct workload *row = workloads; row->name != NULL; row++) {
		ck_assert_ptr_eq(workload_find(row->name), row);
		ck_assert(row->run != NULL);
		ck_assert(row->help[strlen(row->help) - 1] != '.');
		ck_assert_int_gt(row->connections, 0);
		ck_assert_int_gt(row->depth, 0);
		ck_assert_int_gt(row->timeout_ms, 0);
	}
	ck_assert_ptr_null(workload_find("no such"));
}
END_TEST

START_TEST(a_workload_has_values_of_its_own)
{
	struct options options;

	must_parse(&options, "stream tcp://127.0.0.1:7");
	ck_assert_int_eq(options.size_bytes, 65536);
	ck_assert_int_eq(options.depth, 4);
	ck_assert_int_eq(options.duration_ms, 5000);
	ck_assert_int_eq(options.timeout_ms, 5000);
	must_parse(&options, "-n 10 -s 3 deaf unix:@x");
	ck_assert_int_eq(options.size_bytes, 3);
	ck_assert_int_eq(options.requests, 10);
	ck_assert_int_eq(options.duration_ms, 0);       /* no such end */
	ck_assert_int_eq(options.timeout_ms, 500);
}
END_TEST

START_TEST(numbers_have_units)
{
	struct options options;

	must_parse(&options, "rr -s 64K -d 1500ms -w 2 -t 1m --rate=100 "
	    "--pin 0 -j tcp://[::1]:7 -c2");
	ck_assert_int_eq(options.size_bytes, 65536);
	ck_assert_int_eq(options.duration_ms, 1500);
	ck_assert_int_eq(options.warmup_ms, 2000);
	ck_assert_int_eq(options.timeout_ms, 60000);
	ck_assert_int_eq(options.rate, 100);
	ck_assert_int_eq(options.cpu, 0);
	ck_assert_int_eq(options.connections, 2);
	ck_assert(options.is_json);
	ck_assert_str_eq(options.address_text, "tcp://[::1]:7");
}
END_TEST

static const struct {
	const char *line, *part;
} bad[] = {
	{ "", "which workload, and which address?" },
	{ "rr", "which address?" },
	{ "rr tcp://127.0.0.1:7 more", "more: what is this word for?" },
	{ "rrr tcp://127.0.0.1:7", "did you mean \"rr\"?" },
	{ "nothing-like-it tcp://127.0.0.1:7", "there is no workload" },
	{ "rr 127.0.0.1:7", "\"127.0.0.1:7\"" },
	{ "rr tcp://127.0.0.1:0", "no address to connect to" },
	{ "rr fd:web", "no address to connect to" },
	{ "rr udp://127.0.0.1:7", "that for datagrams is udp" },
	{ "udp unix:/x", "the workload udp is for udp://" },
	{ "udp -s 64K udp://127.0.0.1:7", "65507" },
	{ "crr -D 2 tcp://127.0.0.1:7", "--depth is for connections that are" },
	{ "rr --silent tcp://127.0.0.1:7", "--silent goes with" },
	{ "rr -p 1 --cgroup /x tcp://127.0.0.1:7", "exclude each other" },
	{ "greeting --reply x tcp://127.0.0.1:7", "the answer to --line" },
	{ "rr -e upper --line x tcp://127.0.0.1:7", "--line needs --reply" },
	{ "rr -e lower tcp://127.0.0.1:7", "it is echo or upper" },
	{ "rr -e upper -s 1 tcp://127.0.0.1:7", "two bytes at least" },
	{ "rr -c 0 tcp://127.0.0.1:7", "it goes from 1 to 1000000" },
	{ "rr -c 12x tcp://127.0.0.1:7", "this is no number" },
	{ "rr -c -1 tcp://127.0.0.1:7", "this is no number" },
	{ "rr -n 99999999999999999999 tcp://127.0.0.1:7", "no number" },
	{ "rr -s 64Q tcp://127.0.0.1:7", "this is no size" },
	{ "rr -d 5y tcp://127.0.0.1:7", "this is no time" },
	{ "rr -d 0 tcp://127.0.0.1:7", "it goes from 1" },
	{ "rr -c 1000000 -D 65536 tcp://127.0.0.1:7", "more than memory" },
	{ "rr --conections 3 tcp://127.0.0.1:7", "did you mean --connect" },
	{ "rr -c", "-c needs an argument" },
	{ "rr --json=3 tcp://127.0.0.1:7", "takes no argument" },
	{ "-Q", "unknown option -Q" },
};

START_TEST(what_is_wrong_is_said)
{
	struct options options;
	struct err err;

	ck_assert_int_lt(parse(&options, &err, bad[_i].line), 0);
	ck_assert_msg(strstr(err.text, bad[_i].part) != NULL,
	    "%s: \"%s\" has no \"%s\"", bad[_i].line, err.text, bad[_i].part);
}
END_TEST

/* The text of a document. */
static char *
printed(const char *name)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	ck_assert_int_eq(document_print(out, name), 0);
	(void)fclose(out);
	return text;
}

START_TEST(documents_name_everything)
{
	static const char *const names[] = { "options-mdoc", "bash", "zsh" };
	char *text = printed(names[_i]);

	for (const struct option_row *row = options_table; row->name != NULL;
	    row++) {
		char word[64];

		(void)snprintf(word, sizeof(word), "-%s", row->name);
		ck_assert_msg((strstr(text, word) != NULL) != row->is_hidden,
		    "%s: %s", names[_i], row->name);
	}
	free(text);
	text = printed(_i == 0 ? "workloads-mdoc" : names[_i]);
	for (const struct workload *row = workloads; row->name != NULL; row++)
		ck_assert_ptr_nonnull(strstr(text, row->name));
	free(text);
	ck_assert_int_lt(document_print(stdout, "no such"), 0);
}
END_TEST

START_TEST(help_and_version_need_no_address)
{
	struct options options;

	must_parse(&options, "-h");
	ck_assert_int_eq(options.action, ACTION_HELP);
	must_parse(&options, "--version rr");
	ck_assert_int_eq(options.action, ACTION_VERSION);
	must_parse(&options, "--print bash");
	ck_assert_int_eq(options.action, ACTION_PRINT);
	ck_assert_str_eq(options.document, "bash");
}
END_TEST

Suite *
bench_options_suite(void)
{
	Suite *suite = suite_create("bench options");
	TCase *tcase = tcase_create("options");

	tcase_add_test(tcase, every_row_is_complete_and_unique);
	tcase_add_test(tcase, every_workload_is_complete_and_found);
	tcase_add_test(tcase, a_workload_has_values_of_its_own);
	tcase_add_test(tcase, numbers_have_units);
	tcase_add_loop_test(tcase, what_is_wrong_is_said, 0,
	    sizeof(bad) / sizeof(bad[0]));
	tcase_add_loop_test(tcase, documents_name_everything, 0, 3);
	tcase_add_test(tcase, help_and_version_need_no_address);
	suite_add_tcase(suite, tcase);
	return suite;
}
