/* SPDX-License-Identifier: ISC */
/* What is printed from the rows is whole, and what can be read again is. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/doc.h"
#include "conf/row.h"
#include "conf_suites.h"
#include "conf_tools.h"

static char *text;
static size_t len;

static void
end(void)
{
	free(text);
	text = NULL;
	place_end();
}

static FILE *
open_text(void)
{
	FILE *out;

	free(text);
	text = NULL;
	out = open_memstream(&text, &len);
	ck_assert_ptr_nonnull(out);
	return out;
}

static void
must_dump(const struct config *config, const char *file)
{
	FILE *out = open_text();

	ck_assert_int_eq(config_dump(out, config), 0);
	fclose(out);
	must_write(file, text);
}

START_TEST(a_dump_loads_to_the_same)
{
	struct config *config, *again;
	char *first, *second;

	must_write_conf("main.conf", "drain_timeout = 7; log = { level = "
	    "\"debug\"; };\n"
	    "defaults = { timeout = \"1m\"; workers = 5; };\n"
	    "listeners = ( { name = \"a\"; listen = ( \"tcp://*:0\", "
	    "\"unix:s\" ); handler = \"echo\"; mode = \"0600\"; keepalive = 9; "
	    "limits = { memory = \"1G\"; core = 0; }; tick = 0.125;\n"
	    "refuse_text = \"\\x01\\\"\\\\ \\t\\n\"; allow = [ \"10.0.0.0/8\" "
	    "]; options = { s = \"a\\tb\"; i = -5000000000L; f = 0.1; b = "
	    "true; g = ( { x = 1; }, 2, ( ) ); e = { }; l = 1e300; }; },\n"
	    "{ name = \"b\"; enabled = false; listen = \"tcp://none:7\"; "
	    "handler = \"none\"; concurrency = \"prefork\"; max_workers = 9; "
	    "},\n{ name = \"c\"; listen = \"fd:c\"; handler = \"./h/echo.so\"; "
	    "concurrency = \"sync\"; drain_timeout = 1; } );");
	config = must_load("main.conf");
	must_dump(config, "dump.conf");
	again = must_load("dump.conf");
	first = flat_of(config);
	second = flat_of(again);
	ck_assert_str_eq(first, second);
	free(first);
	free(second);
	config_free(&config);
	config_free(&again);
}
END_TEST

START_TEST(a_dump_marks_defaults)
{
	struct config *config;

	must_write_conf("main.conf", LISTENER_A("timeout = 5;"));
	config = must_load("main.conf");
	must_dump(config, "dump.conf");
	ck_assert_ptr_nonnull(strstr(text, "\t\ttimeout = 5;\n"));
	ck_assert_ptr_nonnull(strstr(text, "\t\tbacklog = 4096;  # default\n"));
	ck_assert_ptr_nonnull(strstr(text, "\t\tdrain_timeout = 30;  # "
	    "default\n"));
	ck_assert_ptr_nonnull(strstr(text, "\t\t# chroot is not set (none)\n"));
	ck_assert_ptr_null(strstr(text, "max_spare"));  /* not of this model */
	config_free(&config);
}
END_TEST

static void
help(const char *key)
{
	FILE *out = open_text();
	const char *near = NULL;

	ck_assert_int_eq(config_help(out, key, &near), 0);
	fclose(out);
}

START_TEST(help_tells_what_a_row_says)
{
	help("backlog");
	ck_assert_ptr_nonnull(strstr(text, "a whole number from 1 to 1000000"));
	ck_assert_ptr_nonnull(strstr(text, "default  4096"));
	ck_assert_ptr_nonnull(strstr(text,
	    "reload   socket: applied to the open socket"));
	ck_assert_ptr_nonnull(strstr(text, "only     addresses of tcp:, unix:"));
	ck_assert_ptr_nonnull(strstr(text, "fd:      Backlog= in"));
	ck_assert_ptr_nonnull(strstr(text, "somaxconn"));
	help("limits.nofile");
	ck_assert_ptr_nonnull(strstr(text, "RLIMIT_NOFILE"));
	ck_assert_ptr_null(strstr(text, "RLIMIT_AS"));
	help("limits");
	ck_assert_ptr_nonnull(strstr(text, "RLIMIT_NOFILE"));
	ck_assert_ptr_nonnull(strstr(text, "RLIMIT_AS"));
	help("user");
	ck_assert_ptr_nonnull(strstr(text, "user  (top level)"));
	ck_assert_ptr_nonnull(strstr(text, "user  (listener)"));
}
END_TEST

START_TEST(help_without_a_key_tells_all)
{
	help(NULL);
	for (size_t i = 0; i < top_table.count; i++)
		ck_assert_ptr_nonnull(strstr(text, top_table.rows[i].path));
	for (size_t i = 0; i < listener_table.count; i++)
		ck_assert_ptr_nonnull(strstr(text,
		    listener_table.rows[i].path));
}
END_TEST

START_TEST(help_names_the_nearest_key)
{
	static const char *const pairs[][2] = {
		{ "tiemout", "timeout" }, { "nofile", "limits.nofile" },
		{ "nofil", "limits.nofile" }, { "limits.nofil",
		    "limits.nofile" },
		{ "listener", "listeners" }, { "level", "log.level" },
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		FILE *out = open_text();
		const char *near = NULL;

		ck_assert_int_eq(config_help(out, pairs[i][0], &near), -ENOENT);
		ck_assert_str_eq(near, pairs[i][1]);
		fclose(out);
	}
}
END_TEST

START_TEST(the_manual_has_every_key)
{
	FILE *out = open_text();

	ck_assert_int_eq(config_print_mdoc(out), 0);
	fclose(out);
	for (size_t i = 0; i < listener_table.count; i++) {
		char item[80];

		snprintf(item, sizeof(item), ".It Ic %s\n",
		    listener_table.rows[i].path);
		ck_assert_msg(strstr(text, item) != NULL, "%s", item);
	}
}
END_TEST

static void
print_example(void)
{
	FILE *out = open_text();

	ck_assert_int_eq(config_print_example(out), 0);
	fclose(out);
}

/* The example with its module_path set to where this test has handlers. */
START_TEST(the_example_loads)
{
	struct config *config;

	must_write("h/bot10086.so", "");
	must_write("h/uppercase.so", "");
	print_example();
	must_write_conf("example.conf", text);
	config = must_load("example.conf");
	ck_assert_uint_eq(config->listener_count, 3);
	config_free(&config);
}
END_TEST

/* Every commented key, made active, is one that loads. */
START_TEST(the_example_holds_every_key)
{
	print_example();
	for (size_t i = 0; i < listener_table.count; i++) {
		char item[80];

		if (listener_table.rows[i].type == ROW_SECTION)
			continue;
		snprintf(item, sizeof(item), "%s = ",
		    row_key(&listener_table.rows[i]));
		ck_assert_msg(strstr(text, item) != NULL, "%s", item);
	}
}
END_TEST

/* Lines "#key = value;" after the heading, without their "#". */
static void
must_write_uncommented(const char *file)
{
	char *heading = strstr(text, "# ---- a listener's keys"), *line, *rest;
	struct buf out;

	buf_init(&out, 0);
	ck_assert_ptr_nonnull(heading);
	(void)buf_puts(&out, "listeners = ( {\n");
	for (line = strtok_r(heading, "\n", &rest); line;
	    line = strtok_r(NULL, "\n", &rest))
		if (line[0] == '#' && line[1] != ' ' &&
		    strncmp(line, "#listen ", 8) != 0 &&
		    strncmp(line, "#user", 5) != 0 &&
		    strncmp(line, "#group", 6) != 0 &&
		    strncmp(line, "#owner", 6) != 0 &&
		    strncmp(line, "#chroot", 7) != 0 &&
		    strncmp(line, "#stack_size", 11) != 0 &&
		    strncmp(line, "#io ", 4) != 0)
			(void)buf_printf(&out, "%s\n", line + 1);
	/* addresses of the forms that all the keys are for */
	(void)buf_puts(&out, "listen = ( \"tcp://127.0.0.1:0\", \"unix:s\" "
	    "); concurrency = \"prefork\"; } );\n");
	must_write_conf(file, out.data);
	buf_free(&out);
}

START_TEST(the_keys_of_the_example_load)
{
	struct config *config;
	char *concurrency;

	print_example();
	concurrency = strstr(text, "#concurrency");
	ck_assert_ptr_nonnull(concurrency);
	concurrency[1] = ' ';
	must_write_uncommented("keys.conf");
	config = must_load("keys.conf");
	ck_assert_int_eq(config->listeners[0].mode, 0660);
	ck_assert_int_eq(config->listeners[0].limits.nofile, 4096);
	config_free(&config);
}
END_TEST

Suite *
doc_suite(void)
{
	Suite *suite = suite_create("conf doc");
	TCase *tc = tcase_create("print");

	tcase_add_checked_fixture(tc, place_begin, end);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_dump_loads_to_the_same);
	tcase_add_test(tc, a_dump_marks_defaults);
	tcase_add_test(tc, help_tells_what_a_row_says);
	tcase_add_test(tc, help_without_a_key_tells_all);
	tcase_add_test(tc, help_names_the_nearest_key);
	tcase_add_test(tc, the_manual_has_every_key);
	tcase_add_test(tc, the_example_loads);
	tcase_add_test(tc, the_example_holds_every_key);
	tcase_add_test(tc, the_keys_of_the_example_load);
	suite_add_tcase(suite, tc);
	return suite;
}
