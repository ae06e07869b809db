/* SPDX-License-Identifier: ISC */
/* A handler's options: what a file may give, what is in force, and what a
 * handler may declare. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "handler/options.h"
#include "handler_suites.h"

static const struct ss_option item_table[] = {
	SS_OPTION_STRING("input", NULL, "what is matched"),
	SS_OPTION_STRING("reply", "none", "what is sent"),
	SS_OPTION_INT("weight", 5, 1, 10, "how heavy"),
	SS_OPTION_END
};

static const struct ss_option table[] = {
	SS_OPTION_STRING("text", "hello", "a text"),
	SS_OPTION_INT("count", 3, 1, 100, "a number"),
	SS_OPTION_BOOL("strip", 1, "a switch"),
	SS_OPTION_SECONDS("pause", 0.5, 0, 60, "a duration"),
	SS_OPTION_CHOICE("mode", "line", "stream|line|both", "a word"),
	SS_OPTION_GROUPS("menu", item_table, "a list"),
	SS_OPTION_END
};

static const struct ss_option required_table[] = {
	SS_OPTION_STRING("text", NULL, "a text"),
	SS_OPTION_CHOICE("mode", NULL, "a|b", "a word"),
	SS_OPTION_END
};

static const struct ss_api api = { .abi = SS_ABI };
static struct arena arena;
static struct faults faults;

static void
setup(void)
{
	arena_init(&arena, 4096);
	faults_init(&faults);
}

static void
teardown(void)
{
	faults_free(&faults);
	arena_free(&arena);
}

/* Values as the reader of the file makes them */

static struct value *
value_new(enum value_type type, const char *name)
{
	struct value *value = arena_alloc(&arena, sizeof(*value));

	ck_assert_ptr_nonnull(value);
	value->type = type;
	value->name = name;
	value->file = "test.conf";
	value->line = 7;
	return value;
}

static struct value *
string_new(const char *name, const char *text)
{
	struct value *value = value_new(VALUE_STRING, name);

	value->string = text;
	return value;
}

static struct value *
int_new(const char *name, int64_t number)
{
	struct value *value = value_new(VALUE_INT, name);

	value->integer = number;
	return value;
}

static struct value *
bool_new(const char *name, bool is_true)
{
	struct value *value = value_new(VALUE_BOOL, name);

	value->integer = is_true;
	return value;
}

static struct value *
float_new(const char *name, double number)
{
	struct value *value = value_new(VALUE_FLOAT, name);

	value->real = number;
	return value;
}

static struct value *
append(struct value *to, struct value *member)
{
	struct value **at = &to->members;

	while (*at)
		at = &(*at)->next;
	*at = member;
	return to;
}

static struct value *
group_of(struct value *member)
{
	return append(value_new(VALUE_GROUP, NULL), member);
}

static struct options *
read_table(const struct ss_option *rows, const struct value *given)
{
	return options_new(&arena, rows, given, &api, "test.conf", 3, "web",
	    &faults);
}

/* One fault, and it reads like this. */
static void
must_fault(const struct ss_option *rows, const struct value *given,
    const char *expected)
{
	ck_assert_ptr_null(read_table(rows, given));
	ck_assert_uint_eq(faults.count, 1);
	ck_assert_str_eq(faults.text.data, expected);
}

static struct options *
must_read(const struct value *given)
{
	struct options *options = read_table(table, given);

	ck_assert_msg(options != NULL, "%s", faults.text.data);
	ck_assert_uint_eq(faults.count, 0);
	return options;
}

START_TEST(defaults_are_in_force)
{
	struct options *options = must_read(_i ? value_new(VALUE_GROUP,
	    "options") : NULL);

	ck_assert_str_eq(options_string(options, "text"), "hello");
	ck_assert_int_eq(options_int(options, "count"), 3);
	ck_assert(options_bool(options, "strip"));
	ck_assert_double_eq(options_seconds(options, "pause"), 0.5);
	ck_assert_str_eq(options_string(options, "mode"), "line");
	ck_assert_uint_eq(options_groups(options, "menu"), 0);
	ck_assert_ptr_null(options_group(options, "menu", 0));
}
END_TEST

START_TEST(what_is_given_is_in_force)
{
	struct value *given = value_new(VALUE_GROUP, "options");
	struct options *options;

	append(given, string_new("text", ""));
	append(given, int_new("count", 100));
	append(given, bool_new("strip", false));
	append(given, int_new("pause", 60));
	append(given, string_new("mode", "both"));
	options = must_read(given);
	ck_assert_str_eq(options_string(options, "text"), "");
	ck_assert_int_eq(options_int(options, "count"), 100);
	ck_assert(!options_bool(options, "strip"));
	ck_assert_double_eq(options_seconds(options, "pause"), 60);
	ck_assert_str_eq(options_string(options, "mode"), "both");
}
END_TEST

START_TEST(durations_have_three_forms)
{
	struct value *values[] = {
		int_new("pause", 2), float_new("pause", 0.25),
		string_new("pause", "250ms"), string_new("pause", "1m"),
	};
	const double expected[] = { 2, 0.25, 0.25, 60 };
	struct options *options = must_read(group_of(values[_i]));

	ck_assert_double_eq(options_seconds(options, "pause"), expected[_i]);
}
END_TEST

static struct value *
menu_of(struct value *first, struct value *second, struct value *third)
{
	struct value *list = value_new(VALUE_LIST, "menu");

	append(list, first);
	append(list, second);
	return group_of(append(list, third));
}

START_TEST(groups_are_read_in_order)
{
	struct value *second = group_of(string_new("input", "2"));
	struct options *options;
	const ss_group *group;

	append(second, string_new("reply", "two"));
	append(second, int_new("weight", 10));
	options = must_read(menu_of(group_of(string_new("input", "1")), second,
	    group_of(string_new("input", "3"))));
	ck_assert_uint_eq(options_groups(options, "menu"), 3);
	group = options_group(options, "menu", 1);
	ck_assert_ptr_nonnull(group);
	ck_assert_ptr_eq(group->api, &api);
	ck_assert_str_eq(options_string(options_of_group(group), "input"), "2");
	ck_assert_str_eq(options_string(options_of_group(group), "reply"),
	    "two");
	ck_assert_int_eq(options_int(options_of_group(group), "weight"), 10);
	group = options_group(options, "menu", 2);
	ck_assert_str_eq(options_string(options_of_group(group), "input"), "3");
	ck_assert_str_eq(options_string(options_of_group(group), "reply"),
	    "none");
	ck_assert_ptr_null(options_group(options, "menu", 3));
}
END_TEST

START_TEST(wrong_questions_get_nothing)
{
	struct options *options = must_read(NULL);

	ck_assert_ptr_null(options_string(options, "nosuch"));
	ck_assert_ptr_null(options_string(options, "count"));
	ck_assert_ptr_null(options_string(options, NULL));
	ck_assert_int_eq(options_int(options, "text"), 0);
	ck_assert_int_eq(options_int(options, "strip"), 0);
	ck_assert(!options_bool(options, "count"));
	ck_assert_double_eq(options_seconds(options, "count"), 0);
	ck_assert_uint_eq(options_groups(options, "text"), 0);
	ck_assert_ptr_null(options_group(options, "text", 0));
	ck_assert_ptr_null(options_string(NULL, "text"));
	ck_assert_int_eq(options_int(options_of_group(NULL), "count"), 0);
}
END_TEST

#define PLACE "test.conf:7: listener \"web\": options."

START_TEST(a_wrong_type_is_a_fault)
{
	const struct {
		struct value *value;
		const char *fault;
	} cases[] = {
		{ int_new("text", 5), PLACE "text: a whole number is given; "
		  "a string is allowed\n" },
		{ string_new("count", "5"), PLACE "count: a string is given; "
		  "a whole number from 1 to 100 is allowed\n" },
		{ float_new("count", 5), PLACE "count: a number with a "
		  "fraction is given; a whole number from 1 to 100 is "
		  "allowed\n" },
		{ bool_new("count", true), PLACE "count: a boolean is given; "
		  "a whole number from 1 to 100 is allowed\n" },
		{ int_new("strip", 1), PLACE "strip: a whole number is given; "
		  "true or false is allowed\n" },
		{ bool_new("pause", true), PLACE "pause: a boolean is given; "
		  "a duration from 0 to 60 seconds, as a number or as in "
		  "\"250ms\" is allowed\n" },
		{ int_new("mode", 1), PLACE "mode: a whole number is given; "
		  "\"stream\", \"line\" or \"both\" is allowed\n" },
		{ value_new(VALUE_GROUP, "menu"), PLACE "menu: a group is "
		  "given; a list of groups, ( { ... }, { ... } ), is "
		  "allowed\n" },
	};

	must_fault(table, group_of(cases[_i].value), cases[_i].fault);
}
END_TEST

START_TEST(a_value_out_of_range_is_a_fault)
{
	const struct {
		struct value *value;
		const char *fault;
	} cases[] = {
		{ int_new("count", 0), PLACE "count: 0 is too small; a whole "
		  "number from 1 to 100 is allowed\n" },
		{ int_new("count", INT64_MAX), PLACE "count: "
		  "9223372036854775807 is too large; a whole number from 1 to "
		  "100 is allowed\n" },
		{ int_new("pause", -1), PLACE "pause: -1 seconds is too "
		  "short; a duration from 0 to 60 seconds, as a number or as "
		  "in \"250ms\" is allowed\n" },
		{ string_new("pause", "2m"), PLACE "pause: 120 seconds is too "
		  "long; a duration from 0 to 60 seconds, as a number or as in "
		  "\"250ms\" is allowed\n" },
		{ string_new("pause", "soon"), PLACE "pause: \"soon\" is no "
		  "duration; a duration from 0 to 60 seconds, as a number or "
		  "as in \"250ms\" is allowed\n" },
		{ string_new("mode", "lines"), PLACE "mode: \"lines\" is "
		  "unknown; \"stream\", \"line\" or \"both\" is allowed\n" },
		{ string_new("mode", "stream|line"), PLACE "mode: "
		  "\"stream|line\" is unknown; \"stream\", \"line\" or "
		  "\"both\" is allowed\n" },
	};

	must_fault(table, group_of(cases[_i].value), cases[_i].fault);
}
END_TEST

START_TEST(no_number_is_no_duration)
{
	const double odd[] = { NAN, INFINITY, -INFINITY };

	ck_assert_ptr_null(read_table(table, group_of(float_new("pause",
	    odd[_i]))));
	ck_assert_uint_eq(faults.count, 1);
}
END_TEST

START_TEST(an_unknown_option_is_a_fault)
{
	must_fault(table, group_of(int_new(_i ? "cuont" : "zzzzzzzz", 1)), _i ?
	    PLACE "cuont: the handler has no such option; did you mean "
	    "\"count\"?\n" :
	    PLACE "zzzzzzzz: the handler has no such option; it has text, "
	    "count, strip, pause, mode, menu\n");
}
END_TEST

START_TEST(a_handler_without_options_has_none)
{
	ck_assert_ptr_nonnull(read_table(NULL, NULL));
	must_fault(NULL, group_of(int_new("count", 1)), PLACE "count: the "
	    "handler has no such option; it has none\n");
}
END_TEST

START_TEST(what_is_missing_is_told_at_the_listener)
{
	ck_assert_ptr_null(read_table(required_table, _i ?
	    value_new(VALUE_GROUP, "options") : NULL));
	ck_assert_uint_eq(faults.count, 2);
	ck_assert_str_eq(faults.text.data,
	    "test.conf:3: listener \"web\": options.text: it is missing; the "
	    "handler needs a string\n"
	    "test.conf:3: listener \"web\": options.mode: it is missing; the "
	    "handler needs \"a\" or \"b\"\n");
}
END_TEST

START_TEST(a_fault_in_a_group_has_its_path)
{
	struct value *bad = group_of(int_new("weight", 11));

	append(bad, string_new("inptu", "x"));
	bad->line = 12;
	ck_assert_ptr_null(read_table(table, menu_of(
	    group_of(string_new("input", "1")), string_new(NULL, "x"), bad)));
	ck_assert_str_eq(faults.text.data,
	    PLACE "menu[1]: a string is given; a group, { ... }, is allowed\n"
	    "test.conf:12: listener \"web\": options.menu[2].input: it is "
	    "missing; the handler needs a string\n"
	    PLACE "menu[2].weight: 11 is too large; a whole number from 1 to "
	    "10 is allowed\n"
	    PLACE "menu[2].inptu: the handler has no such option; did you mean "
	    "\"input\"?\n");
	ck_assert_uint_eq(faults.count, 4);
}
END_TEST

/* What a handler may not declare */

static const struct ss_option loop_table[] = {
	SS_OPTION_GROUPS("again", loop_table, "for ever"),
	SS_OPTION_END
};

static const struct {
	struct ss_option rows[3];
	const char *word;
} broken[] = {
	{ { SS_OPTION_STRING(NULL, "", ""), SS_OPTION_END }, "name" },
	{ { SS_OPTION_STRING("", "", ""), SS_OPTION_END }, "name" },
	{ { SS_OPTION_STRING("1a", "", ""), SS_OPTION_END }, "name" },
	{ { SS_OPTION_STRING("a b", "", ""), SS_OPTION_END }, "name" },
	{ { SS_OPTION_BOOL("a", 0, ""), SS_OPTION_BOOL("a", 0, ""),
	    SS_OPTION_END }, "same name" },
	{ { { .type = SS_OPTION_TYPE_GROUPS + 1, .name = "a" },
	    SS_OPTION_END }, "unknown type" },
	{ { SS_OPTION_INT("a", 0, 1, 2, ""), SS_OPTION_END }, "range" },
	{ { SS_OPTION_INT("a", 3, 1, 2, ""), SS_OPTION_END }, "range" },
	{ { SS_OPTION_SECONDS("a", 3, 1, 2, ""), SS_OPTION_END }, "range" },
	{ { SS_OPTION_SECONDS("a", NAN, 1, 2, ""), SS_OPTION_END }, "range" },
	{ { SS_OPTION_CHOICE("a", "x", NULL, ""), SS_OPTION_END }, "choices" },
	{ { SS_OPTION_CHOICE("a", "x", "", ""), SS_OPTION_END }, "choices" },
	{ { SS_OPTION_CHOICE("a", "x", "xx|y", ""), SS_OPTION_END },
	  "choices" },
	{ { SS_OPTION_GROUPS("a", NULL, ""), SS_OPTION_END }, "no table" },
	{ { SS_OPTION_GROUPS("a", loop_table, ""), SS_OPTION_END },
	  "too deep" },
};

START_TEST(a_broken_table_is_refused)
{
	const char *fault = options_table_check(broken[_i].rows);

	ck_assert_ptr_nonnull(fault);
	ck_assert_msg(strstr(fault, broken[_i].word) != NULL, "%s", fault);
}
END_TEST

START_TEST(a_table_without_an_end_is_refused)
{
	/* exactly as many rows as are looked at, under a sanitizer */
	struct ss_option *rows = calloc(257, sizeof(*rows));
	static char names[257][8];

	ck_assert_ptr_nonnull(rows);
	for (size_t i = 0; i < 257; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "a%zu", i);
		rows[i] = (struct ss_option)SS_OPTION_BOOL(names[i], 0, "");
	}
	ck_assert_ptr_nonnull(strstr(options_table_check(rows),
	    "SS_OPTION_END"));
	free(rows);
}
END_TEST

START_TEST(a_sound_table_is_sound)
{
	ck_assert_ptr_null(options_table_check(NULL));
	ck_assert_ptr_null(options_table_check(table));
	ck_assert_ptr_null(options_table_check(required_table));
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, defaults_are_in_force, 0, 2);
	tcase_add_test(tc, what_is_given_is_in_force);
	tcase_add_loop_test(tc, durations_have_three_forms, 0, 4);
	tcase_add_test(tc, groups_are_read_in_order);
	tcase_add_test(tc, wrong_questions_get_nothing);
	tcase_add_loop_test(tc, a_wrong_type_is_a_fault, 0, 8);
	tcase_add_loop_test(tc, a_value_out_of_range_is_a_fault, 0, 7);
	tcase_add_loop_test(tc, no_number_is_no_duration, 0, 3);
	tcase_add_loop_test(tc, an_unknown_option_is_a_fault, 0, 2);
	tcase_add_test(tc, a_handler_without_options_has_none);
	tcase_add_loop_test(tc, what_is_missing_is_told_at_the_listener, 0, 2);
	tcase_add_test(tc, a_fault_in_a_group_has_its_path);
	tcase_add_loop_test(tc, a_broken_table_is_refused, 0,
	    sizeof(broken) / sizeof(broken[0]));
	tcase_add_test(tc, a_table_without_an_end_is_refused);
	tcase_add_test(tc, a_sound_table_is_sound);
}

Suite *
options_suite(void)
{
	Suite *suite = suite_create("options");
	TCase *tc = tcase_create("options");

	tcase_add_checked_fixture(tc, setup, teardown);
	add_tests(tc);
	suite_add_tcase(suite, tc);
	return suite;
}
