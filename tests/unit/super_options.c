/* SPDX-License-Identifier: ISC */
/* The command line, from its table. */
#include <stdlib.h>
#include <string.h>

#include "super/options.h"
#include "super_suites.h"

#define ARGS_MAX 16

/* Parse a line of words. What is borrowed from them lives until the next. */
static int
parse(struct options *options, struct err *err, const char *line)
{
	static char name[] = "socketserverd", words[512], *argv[ARGS_MAX + 1];
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
expect_fault(const char *line, const char *part)
{
	struct options options;
	struct err err;

	ck_assert_int_lt(parse(&options, &err, line), 0);
	ck_assert_msg(strstr(err.text, part) != NULL,
	    "%s: \"%s\" has no \"%s\"", line, err.text, part);
	options_free(&options);
}

START_TEST(every_row_is_complete_and_unique)
{
	const struct option_row *row, *other;
	size_t count = 0;

	for (row = options_table; row->name != NULL; row++, count++) {
		ck_assert(row->set != NULL);
		ck_assert(row->help != NULL && row->help[0] != '\0');
		ck_assert(row->help[strlen(row->help) - 1] != '.');
		ck_assert(row->letter != 0 || row->is_hidden);
		for (other = row + 1; other->name != NULL; other++) {
			ck_assert_str_ne(row->name, other->name);
			ck_assert(row->letter == 0 ||
			    row->letter != other->letter);
		}
	}
	ck_assert_uint_lt(count, OPTION_ROWS_MAX);
}
END_TEST

/* A row that no parser knows is a row nobody can use. */
START_TEST(every_row_is_accepted_in_both_spellings)
{
	const struct option_row *row;
	struct options options;
	struct err err;
	char line[256];

	for (row = options_table; row->name != NULL; row++) {
		const char *argument = row->argument == NULL ||
		    row->argument[0] == '[' ? "" : row->letter == 'r' ?
		    " tcp://127.0.0.1:0 echo" : row->letter == 'l' ? " debug" :
		    row->letter == 'o' ? " a=b -r x y" :
		    row->letter == 'm' ? " sync -r x y" : " x";

		(void)snprintf(line, sizeof(line), "--%s%s", row->name,
		    argument);
		ck_assert_msg(parse(&options, &err, line) == 0, "%s: %s", line,
		    err.text);
		options_free(&options);
		if (row->letter == 0)
			continue;
		(void)snprintf(line, sizeof(line), "-%c%s", row->letter,
		    argument);
		ck_assert_msg(parse(&options, &err, line) == 0, "%s: %s", line,
		    err.text);
		options_free(&options);
	}
}
END_TEST

START_TEST(without_words_it_serves_the_default_file)
{
	struct options options;
	struct err err;

	ck_assert_int_eq(parse(&options, &err, ""), 0);
	ck_assert_int_eq(options.action, ACTION_SERVE);
	ck_assert(strstr(options.file, "socketserverd.conf") != NULL);
	ck_assert(!options.is_file_given && !options.is_daemon);
	ck_assert_int_eq(options.log_level, -1);
	options_free(&options);
}
END_TEST

START_TEST(run_takes_a_handler_and_its_options)
{
	struct options options;
	struct err err;

	ck_assert_int_eq(parse(&options, &err, "-r tcp://127.0.0.1:0 echo "
	    "-m forking -o a=1 -o b=2"), 0);
	ck_assert_str_eq(options.address, "tcp://127.0.0.1:0");
	ck_assert_str_eq(options.handler, "echo");
	ck_assert_str_eq(options.model, "forking");
	ck_assert_uint_eq(options.setting_count, 2);
	ck_assert_str_eq(options.settings[1], "b=2");
	options_free(&options);
}
END_TEST

START_TEST(help_config_takes_a_key_in_three_spellings)
{
	static const char *const lines[] = {
		"-H backlog", "-Hbacklog", "--help-config=backlog",
	};
	struct options options;
	struct err err;

	for (size_t i = 0; i < 3; i++) {
		ck_assert_int_eq(parse(&options, &err, lines[i]), 0);
		ck_assert_int_eq(options.action, ACTION_HELP_CONFIG);
		ck_assert_str_eq(options.key, "backlog");
		options_free(&options);
	}
}
END_TEST

START_TEST(faults_say_what_is_wrong)
{
	expect_fault("-x", "-x");
	expect_fault("--no-such", "--no-such");
	expect_fault("-c", "needs an argument");
	expect_fault("-l loud", "debug, info");
	expect_fault("-t -T", "exclude");
	expect_fault("-r tcp://127.0.0.1:0", "HANDLER");
	expect_fault("-r tcp://127.0.0.1:0 echo -c file", "exclude");
	expect_fault("-m sync", "-r");
	expect_fault("-o a=b", "-r");
	expect_fault("-r x echo -o a", "NAME=VALUE");
	expect_fault("-r x echo -o =b", "NAME=VALUE");
	expect_fault("serve", "serve");
	expect_fault("-t extra", "extra");
}
END_TEST

START_TEST(the_texts_name_every_public_row)
{
	const struct option_row *row;
	char *usage = NULL, *mdoc = NULL, name[64];
	size_t len;
	FILE *out = open_memstream(&usage, &len);

	options_usage(out);
	fclose(out);
	out = open_memstream(&mdoc, &len);
	options_mdoc(out);
	fclose(out);
	for (row = options_table; row->name != NULL; row++) {
		(void)snprintf(name, sizeof(name), "--%s", row->name);
		ck_assert((strstr(usage, name) != NULL) != row->is_hidden);
		(void)snprintf(name, sizeof(name), "Fl -%s", row->name);
		ck_assert((strstr(mdoc, name) != NULL) != row->is_hidden);
	}
	free(usage);
	free(mdoc);
}
END_TEST

Suite *
options_suite(void)
{
	Suite *suite = suite_create("options");
	TCase *tc = tcase_create("options");

	tcase_add_test(tc, every_row_is_complete_and_unique);
	tcase_add_test(tc, every_row_is_accepted_in_both_spellings);
	tcase_add_test(tc, without_words_it_serves_the_default_file);
	tcase_add_test(tc, run_takes_a_handler_and_its_options);
	tcase_add_test(tc, help_config_takes_a_key_in_three_spellings);
	tcase_add_test(tc, faults_say_what_is_wrong);
	tcase_add_test(tc, the_texts_name_every_public_row);
	suite_add_tcase(suite, tc);
	return suite;
}
