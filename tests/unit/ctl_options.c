/* SPDX-License-Identifier: ISC */
/* The command line, the tables behind it, and the line on the wire. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/client.h"
#include "ctl/document.h"
#include "ctl/options.h"
#include "ctl_suites.h"

#define ARGS_MAX 16

/* Parse a line of words. What is borrowed from them lives until the next. */
static int
parse(struct options *options, struct err *err, const char *line)
{
	static char name[] = "socketserverctl", words[512], *argv[ARGS_MAX + 1];
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

START_TEST(every_command_is_complete_and_found)
{
	for (int i = 0; i < COMMANDS; i++) {
		const struct command_row *row = &commands[i];

		ck_assert_int_eq((int)command_find(row->name), i);
		ck_assert(row->least <= row->most);
		ck_assert_uint_lt(row->most, WIRE_WORDS_MAX);
		ck_assert(row->help[strlen(row->help) - 1] != '.');
		ck_assert(row->text[strlen(row->text) - 1] == '.');
		ck_assert((row->most == 0) == (row->arguments[0] == '\0'));
	}
}
END_TEST

START_TEST(options_stand_anywhere)
{
	static const char *const lines[] = {
		"-s /x --json show web", "show --json web -s /x",
		"show web --socket=/x --json", "show -s/x web --json",
	};
	struct options options;
	struct err err;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		ck_assert_int_eq(parse(&options, &err, lines[i]), 0);
		ck_assert_int_eq(options.command, COMMAND_SHOW);
		ck_assert_str_eq(options.socket, "/x");
		ck_assert(options.is_json);
		ck_assert_uint_eq(options.word_count, 1);
		ck_assert_str_eq(options.words[0], "web");
	}
}
END_TEST

START_TEST(the_default_socket_is_the_daemons)
{
	struct options options;
	struct err err;

	ck_assert_int_eq(parse(&options, &err, "ping"), 0);
	ck_assert_str_eq(options.socket,
	    RUNSTATEDIR "/socketserverd/control.sock");
}
END_TEST

START_TEST(a_wrong_line_says_what_is_wrong)
{
	expect_fault("", "which command?");
	expect_fault("statsu", "did you mean \"status\"?");
	expect_fault("qqqqqqqqq", "there is no command \"qqqqqqqqq\"");
	expect_fault("--nosuch ping", "unknown option --nosuch");
	expect_fault("-x ping", "unknown option -x");
	expect_fault("ping -s", "-s needs an argument");
	expect_fault("--json=yes ping", "takes no argument");
	expect_fault("show", "socketserverctl show NAME");
	expect_fault("show a b", "socketserverctl show NAME");
	expect_fault("ping pong", "socketserverctl ping");
	expect_fault("reload now", "socketserverctl reload");
	expect_fault("talk a b c", "socketserverctl talk LISTENER [ADDRESS]");
	expect_fault("plan --confirm-within 5s", "goes with reload only");
	expect_fault("talk web --json", "does not go with talk");
}
END_TEST

static enum wire_code
line_of(char text[WIRE_REQUEST_MAX + 1], const char *const *words,
    size_t count)
{
	struct buf line;
	struct err err;
	enum wire_code code;

	buf_init(&line, 0);
	code = client_line(&line, "show", words, count, &err);
	if (code == WIRE_OK)
		(void)snprintf(text, WIRE_REQUEST_MAX + 1, "%s", line.data);
	buf_free(&line);
	return code;
}

START_TEST(the_line_is_words_with_one_space_between)
{
	const char *words[] = { "a", "請", "b" };
	char text[WIRE_REQUEST_MAX + 1];

	ck_assert_int_eq(line_of(text, words, 3), WIRE_OK);
	ck_assert_str_eq(text, "show a 請 b\n");
}
END_TEST

START_TEST(what_is_no_word_is_not_sent)
{
	static const char *const bad[] = { "", "a b", "a\nstop", "\t", "a\177",
		" " };
	char text[WIRE_REQUEST_MAX + 1], longest[WIRE_REQUEST_MAX + 1];
	const char *word = longest;
	size_t room = WIRE_REQUEST_MAX - strlen("show \n");

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_int_eq(line_of(text, &bad[i], 1), WIRE_USAGE);
	memset(longest, 'x', sizeof(longest));
	longest[room] = '\0';
	ck_assert_int_eq(line_of(text, &word, 1), WIRE_OK);
	longest[room] = 'x';
	longest[room + 1] = '\0';
	ck_assert_int_eq(line_of(text, &word, 1), WIRE_USAGE);
}
END_TEST

/* Whatever is printed from the tables names every command. */
START_TEST(every_document_has_every_command)
{
	static const char *const names[] = { "commands-mdoc", "bash", "zsh" };
	char *text;
	size_t size;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		FILE *out = open_memstream(&text, &size);

		ck_assert_int_eq(document_print(out, names[i]), 0);
		ck_assert_int_eq(fclose(out), 0);
		for (int c = 0; c < COMMANDS; c++)
			ck_assert_msg(strstr(text, commands[c].name) != NULL,
			    "%s has no %s", names[i], commands[c].name);
		free(text);
	}
	ck_assert_int_lt(document_print(stdout, "nosuch"), 0);
}
END_TEST

Suite *
ctl_options_suite(void)
{
	Suite *suite = suite_create("ctl/options");
	TCase *tc = tcase_create("options");

	tcase_add_test(tc, every_row_is_complete_and_unique);
	tcase_add_test(tc, every_command_is_complete_and_found);
	tcase_add_test(tc, options_stand_anywhere);
	tcase_add_test(tc, the_default_socket_is_the_daemons);
	tcase_add_test(tc, a_wrong_line_says_what_is_wrong);
	tcase_add_test(tc, the_line_is_words_with_one_space_between);
	tcase_add_test(tc, what_is_no_word_is_not_sent);
	tcase_add_test(tc, every_document_has_every_command);
	suite_add_tcase(suite, tc);
	return suite;
}
