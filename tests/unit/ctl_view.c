/* SPDX-License-Identifier: ISC */
/* Results as text: what is told, and that anything can be thrown at it. */
#include <string.h>

#include "base/clock.h"
#include "ctl/rates.h"
#include "ctl/view.h"
#include "ctl_suites.h"

static json_t *
must_parse(const char *text)
{
	json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);

	ck_assert_msg(value != NULL, "%s", text);
	return value;
}

/* The text of a result; it lives until the next. */
static const char *
shown(view_fn *view_of, const char *json, bool is_colour)
{
	static char text[8192];
	json_t *result = must_parse(json);
	struct view view;

	view_init(&view, is_colour);
	view_of(&view, result);
	ck_assert(!view.out.failed);
	(void)snprintf(text, sizeof(text), "%s",
	    view.out.data != NULL ? view.out.data : "");
	view_free(&view);
	json_decref(result);
	return text;
}

static const char status[] =
    "{\"version\":\"0.1.0\",\"pid\":4711,\"state\":\"serving\","
    "\"uptime_seconds\":10920,\"generation\":4,\"config\":\"/etc/x.conf\","
    "\"last_reload\":{\"ok\":true,\"seconds_ago\":60},"
    "\"confirm_seconds\":null,\"listeners\":["
    "{\"name\":\"web\",\"state\":\"serving\",\"addresses\":"
    "[\"tcp://127.0.0.1:80\",\"unix:/run/w\"],\"handler\":\"echo\","
    "\"concurrency\":\"prefork\",\"io\":null,\"workers\":[1,2],\"active\":3,"
    "\"requests\":100,\"errors\":5,\"refused\":{\"rate\":4,\"access\":3},"
    "\"restarts\":1,\"generation\":2,\"uptime_seconds\":61}]}";

START_TEST(the_status_is_a_table)
{
	ck_assert_str_eq(shown(view_status, status, false),
	    "socketserverd 0.1.0, pid 4711, serving, up 3 h 2 min; "
	    "configuration 4 from /etc/x.conf, reloaded 1 min ago\n"
	    "\n"
	    "NAME  ADDRESS             MODEL    HANDLER  STATE    WORKERS  NOW"
	    "  REQUESTS  REFUSED  ERRORS  RESTARTS  UPTIME\n"
	    "web   tcp://127.0.0.1:80  prefork  echo     serving        2    3"
	    "       100        7       5         1    1m1s\n"
	    "      unix:/run/w\n");
}
END_TEST

START_TEST(the_status_tells_what_went_wrong)
{
	const char *text = shown(view_status, "{\"last_reload\":{\"ok\":false,"
	    "\"seconds_ago\":5,\"error\":\"no\"},\"confirm_seconds\":42}",
	    false);

	ck_assert(strstr(text, "the last reload, 5 s ago, failed: no\n"));
	ck_assert(strstr(text, "undone in 42 s unless confirmed"));
}
END_TEST

START_TEST(only_states_have_colour)
{
	const char *text = shown(view_status, status, true);

	ck_assert(strstr(text, "  \033[32mserving\033[0m  ") != NULL);
	ck_assert_ptr_eq(strstr(strstr(text, "\033[0m") + 1, "\033"), NULL);
	ck_assert(strstr(shown(view_health, "{\"health\":\"failed\"}", true),
	    "\033[31mfailed\033[0m\n") != NULL);
}
END_TEST

START_TEST(columns_are_aligned_over_wide_names)
{
	ck_assert_str_eq(shown(view_list, "["
	    "{\"name\":\"中文\",\"state\":\"serving\",\"addresses\":[\"a\"]},"
	    "{\"name\":\"x\",\"state\":\"failed\",\"addresses\":[]}]", false),
	    "NAME  STATE    ADDRESS\n"
	    "中文  serving  a\n"
	    "x     failed   -\n");
}
END_TEST

START_TEST(a_plan_has_a_line_for_each_listener)
{
	ck_assert_str_eq(shown(view_plan, "{\"changes\":["
	    "{\"name\":\"a\",\"action\":\"keep\",\"keys\":[]},"
	    "{\"name\":\"b\",\"action\":\"generation\","
	    "\"keys\":[\"workers\",\"options\"],\"result\":\"done\"},"
	    "{\"name\":\"c\",\"action\":\"socket\",\"keys\":[\"listen\"],"
	    "\"result\":\"failed\",\"error\":\"in use\"},"
	    "{\"name\":\"d\",\"action\":\"add\",\"keys\":[],"
	    "\"result\":\"unchanged\"},"
	    "{\"name\":\"e\",\"action\":\"keep\",\"result\":\"unchanged\"}],"
	    "\"settings\":[\"log.level\"],\"confirm_seconds\":60}", false),
	    "a: keep\n"
	    "b: generation (workers, options)\n"
	    "c: socket (listen): failed: in use\n"
	    "d: add: not done\n"
	    "e: keep\n"
	    "top level: log.level\n"
	    "undone in 1 min unless confirmed (socketserverctl confirm)\n");
}
END_TEST

START_TEST(a_plan_knows_whether_there_is_something_to_do)
{
	static const struct {
		const char *json;
		bool has_changes;
	} rows[] = {
		{ "{\"changes\":[],\"settings\":[]}", false },
		{ "{\"changes\":[{\"name\":\"a\",\"action\":\"keep\"}]}",
		    false },
		{ "{\"changes\":[{\"name\":\"a\",\"action\":\"live\"}]}",
		    true },
		{ "{\"changes\":[],\"settings\":[\"log.level\"]}", true },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *plan = must_parse(rows[i].json);

		ck_assert(plan_has_changes(plan) == rows[i].has_changes);
		json_decref(plan);
	}
}
END_TEST

START_TEST(show_tells_of_processes_and_crashes)
{
	const char *text = shown(view_show, "{\"name\":\"web\",\"generations\":"
	    "[{\"number\":7,\"state\":\"draining\",\"active\":2,\"workers\":"
	    "[{\"pid\":99,\"slot\":1,\"state\":\"draining\",\"seconds\":5}]}],"
	    "\"refused\":{\"rate\":2},\"counters\":{\"accepted\":9},"
	    "\"crash\":{\"time\":\"T\",\"seconds_ago\":3,"
	    "\"how\":\"was killed by SIGSEGV\",\"worker\":98,"
	    "\"peers\":[\"1.2.3.4:5\"]},\"retry_seconds\":4}", false);

	ck_assert(strstr(text, "next try     in 4 s\n"));
	ck_assert(strstr(text, "refused      rate 2\n"));
	ck_assert(strstr(text, "counters     accepted 9\n"));
	ck_assert(strstr(text, "generation 7: draining"));
	ck_assert(strstr(text, "  process 99, slot 1, draining for 5 s\n"));
	ck_assert(strstr(text, "process 98 was killed by SIGSEGV, 3 s ago"));
	ck_assert(strstr(text, "  it served 1.2.3.4:5\n"));
}
END_TEST

static view_fn *const views[] = { view_status, view_show, view_list,
	view_connections, view_health, view_plan, view_state, view_kill,
	view_level, view_version, view_nothing };

/* Nothing makes a view fail, and no control byte comes through. */
START_TEST(any_result_can_be_shown)
{
	static const char *const results[] = {
		"null", "1", "\"\\u001b[2J\"", "[]", "{}", "[1,null,\"x\",[]]",
		"{\"listeners\":7}", "{\"listeners\":[1,{},[],null]}",
		"{\"listeners\":[{\"name\":\"\\u001b]0;x\\u0007\","
		    "\"addresses\":[1,{}],\"refused\":{\"a\":9e300,"
		    "\"b\":9223372036854775807,\"c\":9223372036854775807},"
		    "\"workers\":{},\"uptime_seconds\":-1e300}]}",
		"{\"version\":\"\\u009b1m\\n\",\"pid\":\"\\u202e\","
		    "\"state\":\"\\r\\n\",\"config\":\"\\t\",\"name\":\"\\b\","
		    "\"level\":\"\\n\",\"health\":\"\\n\",\"id\":1.5}",
		"{\"changes\":[7,{\"name\":\"\\u001b\",\"keys\":[\"\\n\",1]}],"
		    "\"settings\":[{}],\"confirm_seconds\":-5}",
		"{\"crash\":{\"peers\":[1,\"\\u001b\"]},\"generations\":"
		    "[{\"workers\":[{\"state\":\"\\u001b\"}]}]}",
	};
	size_t i, j;

	for (i = 0; i < sizeof(results) / sizeof(results[0]); i++)
		for (j = 0; j < sizeof(views) / sizeof(views[0]); j++) {
			const char *text = shown(views[j], results[i], false);

			for (; *text != '\0'; text++)
				ck_assert_msg((unsigned char)*text >= ' ' ||
				    *text == '\n', "%zu/%zu", i, j);
		}
}
END_TEST

START_TEST(rates_are_the_difference_of_two_answers)
{
	json_t *first = must_parse("{\"listeners\":["
	    "{\"name\":\"a\",\"requests\":100},"
	    "{\"name\":\"b\",\"requests\":50}]}");
	json_t *second = must_parse("{\"listeners\":["
	    "{\"name\":\"a\",\"requests\":150},{\"name\":\"b\",\"requests\":0},"
	    "{\"name\":\"c\",\"requests\":7}]}");
	struct rates rates = { .last = NULL };

	ck_assert_int_eq(rates_update(&rates, first, CLOCK_SECOND), 0);
	ck_assert(rates_of(&rates, "a") < 0);
	ck_assert_int_eq(rates_update(&rates, second, 3 * CLOCK_SECOND), 0);
	ck_assert_double_eq(rates_of(&rates, "a"), 25.0);
	ck_assert(rates_of(&rates, "b") < 0);
	ck_assert(rates_of(&rates, "c") < 0);
	rates_free(&rates);
	json_decref(first);
	json_decref(second);
}
END_TEST

Suite *
ctl_view_suite(void)
{
	Suite *suite = suite_create("ctl/view");
	TCase *tc = tcase_create("view");

	tcase_add_test(tc, the_status_is_a_table);
	tcase_add_test(tc, the_status_tells_what_went_wrong);
	tcase_add_test(tc, only_states_have_colour);
	tcase_add_test(tc, columns_are_aligned_over_wide_names);
	tcase_add_test(tc, a_plan_has_a_line_for_each_listener);
	tcase_add_test(tc, a_plan_knows_whether_there_is_something_to_do);
	tcase_add_test(tc, show_tells_of_processes_and_crashes);
	tcase_add_test(tc, any_result_can_be_shown);
	tcase_add_test(tc, rates_are_the_difference_of_two_answers);
	suite_add_tcase(suite, tc);
	return suite;
}
