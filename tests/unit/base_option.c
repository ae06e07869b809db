/* SPDX-License-Identifier: ISC */
/* A command line from a table of the test's own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/option.h"
#include "base_suites.h"

struct options {
	bool is_loud;
	const char *name;
	int64_t count, bytes, ms;
};

#define FIELD(name) offsetof(struct options, name)

static const struct option_row table[] = {
	{ 'l', "loud", NULL, false, option_set_flag, "be loud", FIELD(is_loud),
	    0, 0 },
	{ 'n', "name", "[NAME]", false, option_set_text, "a name of its own, "
	    "which is told in so many words that one line cannot hold them",
	    FIELD(name), 0, 0 },
	{ 'c', "count", "N", false, option_set_number, "a \\n and a --dash",
	    FIELD(count), 2, 9 },
	{ 0, "bytes", "SIZE", false, option_set_bytes, "it's [a: size]; so far",
	    FIELD(bytes), 0, 1 << 20 },
	{ 't', "time", "TIME", true, option_set_ms, "hidden", FIELD(ms), 1,
	    5000 },
	{ 0, NULL, NULL, false, NULL, NULL, 0, 0, 0 },
};

static int
walk(struct options *options, struct err *err, const char *line)
{
	static char program[] = "program", words[256], *argv[16];
	char *rest = words, *word;
	int argc = 0;

	(void)snprintf(words, sizeof(words), "%s", line);
	argv[argc++] = program;
	while ((word = strsep(&rest, " ")) != NULL)
		argv[argc++] = word;
	argv[argc] = NULL;
	*options = (struct options){ 0 };
	return option_walk(table, options, argc, argv, err);
}

START_TEST(rows_fill_their_fields)
{
	struct options options;
	struct err err;

	ck_assert_int_eq(walk(&options, &err,
	    "word -l --name=me -c 9 --bytes 4K -t 1.5 --"), 10);
	ck_assert(options.is_loud);
	ck_assert_str_eq(options.name, "me");
	ck_assert_int_eq(options.count, 9);
	ck_assert_int_eq(options.bytes, 4096);
	ck_assert_int_eq(options.ms, 1500);
	ck_assert_int_eq(walk(&options, &err, "-n --bytes=17"), 3);
	ck_assert_ptr_null(options.name);
	ck_assert_int_eq(options.bytes, 17);
}
END_TEST

static const struct {
	const char *line, *text;
} bad[] = {
	{ "-c 1", "--count 1: it goes from 2 to 9" },
	{ "-c 10", "--count 10: it goes from 2 to 9" },
	{ "-c +3", "--count +3: this is no number" },
	{ "-c 3.", "--count 3.: this is no number" },
	{ "--bytes 4X", "--bytes 4X: this is no size; write 64 or 64K" },
	{ "-t 5.001", "--time 5.001: it goes from 1 to 5000" },
	{ "-t x", "--time x: this is no time; write 5s or 250ms" },
	{ "--lound", "unknown option --lound; did you mean --loud?" },
	{ "--cuont=3", "unknown option --cuont=3; did you mean --count?" },
	{ "--tiem=3", "unknown option --tiem=3" },
	{ "--loud=3", "--loud=3 takes no argument" },
	{ "-c", "-c needs an argument" },
	{ "-lx", "unknown option -x" },
};

START_TEST(what_is_wrong_is_one_sentence)
{
	struct options options;
	struct err err;

	ck_assert_int_lt(walk(&options, &err, bad[_i].line), 0);
	ck_assert_str_eq(err.text, bad[_i].text);
}
END_TEST

static void
expect_printed(void (*print)(FILE *out, const struct option_row *table),
    const char *wanted)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	print(out, table);
	(void)fclose(out);
	ck_assert_str_eq(text, wanted);
	free(text);
}

START_TEST(everything_is_printed_from_the_rows)
{
	expect_printed(option_print_help,
	    "  -l, --loud                  be loud\n"
	    "  -n, --name [NAME]           a name of its own, which is told in "
	    "so many words\n"
	    "                              that one line cannot hold them\n"
	    "  -c, --count N               a \\n and a --dash\n"
	    "      --bytes SIZE            it's [a: size]; so far\n");
	expect_printed(option_print_mdoc,
	    ".It Fl l , Fl -loud\nBe loud.\n"
	    ".It Fl n , Fl -name Op Ar NAME\nA name of its own, which is told "
	    "in so many words that one line cannot hold them.\n"
	    ".It Fl c , Fl -count Ar N\nA \\en and a \\--dash.\n"
	    ".It Fl -bytes Ar SIZE\nIt's [a: size]; so far.\n");
	expect_printed(option_print_bash,
	    "-l --loud -n --name -c --count --bytes");
	expect_printed(option_print_zsh,
	    "\t\t'(-l --loud)'{-l,--loud}'[be loud]' \\\n"
	    "\t\t'(-n --name)'{-n,--name}'[a name of its own, which is told "
	    "in so many words that one line cannot hold them]:[NAME]:' \\\n"
	    "\t\t'(-c --count)'{-c,--count}'[a \\n and a --dash]:N:' \\\n"
	    "\t\t'--bytes[it'\\''s \\[a\\: size\\]]:SIZE:' \\\n");
}
END_TEST

Suite *
option_suite(void)
{
	Suite *suite = suite_create("option");
	TCase *tcase = tcase_create("option");

	tcase_add_test(tcase, rows_fill_their_fields);
	tcase_add_loop_test(tcase, what_is_wrong_is_one_sentence, 0,
	    sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(tcase, everything_is_printed_from_the_rows);
	suite_add_tcase(suite, tcase);
	return suite;
}
