/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/flat.h"
#include "conf_suites.h"
#include "conf_tools.h"

static const char everything[] =
    "user = \"root\"; log = { target = \"file:/tmp/l\"; level = \"debug\"; "
    "format = \"json\"; access = false; };\n"
    "defaults = { timeout = \"1m\"; };\n"
    "listeners = ( { name = \"a\"; listen = ( \"tcp://127.0.0.1:0\", "
    "\"unix:@x\" ); handler = \"echo\"; allow = [ \"10.0.0.0/8\" ];\n"
    "  refuse_text = \"full \\\"\\\\\\n\\x01\xc3\xa9\"; limits = { memory = "
    "\"1G\"; };\n  options = { s = \"a\\tb\"; i = -5000000000L; f = 0.1; b = "
    "true; g = ( { x = 1; }, 2, ( ) ); e = { }; }; },\n"
    " { name = \"b\"; enabled = false; listen = \"tcp://127.0.0.1:7\"; handler "
    "= \"none\"; concurrency = \"prefork\"; workers = 3; } );\n";

static struct config *
load_everything(void)
{
	const char *text = everything;

	/* naming root is for root only */
	if (geteuid() != 0)
		text = strchr(everything, ';') + 1;
	must_write_conf("main.conf", text);
	return must_load("main.conf");
}

START_TEST(what_is_encoded_decodes_to_the_same)
{
	struct config *config = load_everything(), *again;
	struct buf first, second;
	struct err err = { "" };

	buf_init(&first, 0);
	buf_init(&second, 0);
	ck_assert_int_eq(flat_encode(&first, config), 0);
	again = flat_decode(first.data, first.len, &err);
	ck_assert_msg(again != NULL, "%s", err.text);
	ck_assert_int_eq(flat_encode(&second, again), 0);
	ck_assert_str_eq(first.data, second.data);
	ck_assert_str_eq(again->listeners[0].refuse_text,
	    "full \"\\\n\x01\xc3\xa9");
	ck_assert_int_eq(value_find(again->listeners[0].options, "i")->integer,
	    -5000000000LL);
	ck_assert_double_eq(value_find(again->listeners[0].options, "f")->real,
	    0.1);
	ck_assert_uint_eq(value_find(again->listeners[0].options, "s")->line,
	    6);
	ck_assert_uint_eq(again->listeners[1].line, 7);
	buf_free(&first);
	buf_free(&second);
	config_free(&config);
	config_free(&again);
}
END_TEST

START_TEST(one_listener_alone_can_be_sent)
{
	struct config *config = load_everything(), *again;
	struct buf text;
	struct err err = { "" };

	buf_init(&text, 0);
	ck_assert_int_eq(flat_encode_listener(&text, config,
	    &config->listeners[1]), 0);
	again = flat_decode(text.data, text.len, &err);
	ck_assert_msg(again != NULL, "%s", err.text);
	ck_assert_uint_eq(again->listener_count, 1);
	ck_assert_str_eq(again->listeners[0].name, "b");
	ck_assert_int_eq(again->listeners[0].workers, 3);
	ck_assert_str_eq(again->log.target, "file:/tmp/l");
	buf_free(&text);
	config_free(&config);
	config_free(&again);
}
END_TEST

START_TEST(a_cut_text_is_refused_wherever_it_is_cut)
{
	struct config *config = load_everything(), *again;
	struct buf text;
	struct err err = { "" };

	buf_init(&text, 0);
	ck_assert_int_eq(flat_encode(&text, config), 0);
	for (size_t len = 0; len < text.len; len++) {
		/* exact: a tool sees a read past it */
		char *cut = malloc(len + 1);

		memcpy(cut, text.data, len);
		again = flat_decode(cut, len, &err);
		ck_assert_ptr_null(again);
		ck_assert_uint_gt(strlen(err.text), 0);
		free(cut);
	}
	buf_free(&text);
	config_free(&config);
}
END_TEST

/* from in a good text becomes to. */
static void
must_refuse_change(const char *from, const char *to)
{
	struct config *config = load_everything();
	struct buf text, changed;
	struct err err = { "" };
	const char *at;

	buf_init(&text, 0);
	buf_init(&changed, 0);
	ck_assert_int_eq(flat_encode(&text, config), 0);
	at = strstr(text.data, from);
	ck_assert_msg(at != NULL, "%s", from);
	(void)buf_append(&changed, text.data, (size_t)(at - text.data));
	(void)buf_puts(&changed, to);
	(void)buf_puts(&changed, at + strlen(from));
	ck_assert_msg(!flat_decode(changed.data, changed.len, &err), "%s", to);
	ck_assert_msg(strstr(err.text, "expected") != NULL, "%s", err.text);
	buf_free(&text);
	buf_free(&changed);
	config_free(&config);
}

START_TEST(a_changed_text_is_refused)
{
	must_refuse_change("socketserverd-config 1", "socketserverd-config 2");
	must_refuse_change("listeners 2", "listeners 3");
	must_refuse_change("listeners 2", "listeners 1");
	must_refuse_change("listeners 2", "listeners 99999999999999999999");
	must_refuse_change("listeners 2", "listeners -1");
	must_refuse_change("log.level 0", "log.level 5");
	must_refuse_change("log.level 0", "log.level -1");
	must_refuse_change("log.access 0", "log.access 2");
	must_refuse_change("concurrency 1", "concurrency 5");
	must_refuse_change("backlog 4096", "backlog 0");
	must_refuse_change("backlog 4096", "backlog");
	must_refuse_change("backlog 4096", "backlog  4096");
	must_refuse_change("backlog 4096", "backlog 4096 ");
	must_refuse_change("allow 1 ", "allow 2 ");
	must_refuse_change("allow 1 ", "allow 4000000000 ");
	must_refuse_change("name \"a\"", "name \"a\\00\"");
	must_refuse_change("name \"a\"", "name \"a\\4\"");
	must_refuse_change("name \"a\"", "name \"a\\4G\"");
	must_refuse_change("name \"a\"", "name \"a\n\"");
	must_refuse_change("options 1", "options 2");
	must_refuse_change("float \"f\" 0x", "float \"f\" inf0x");
	must_refuse_change("group \"options\"", "list \"options\"");
	must_refuse_change("int \"i\"", "int \"\"");
	must_refuse_change("bool \"b\" 1", "bool \"b\" 2");
	must_refuse_change("\nend\n", "\nend\n\n");
}
END_TEST

START_TEST(nesting_without_end_is_refused)
{
	struct config *config = load_everything();
	struct buf text, deep;
	struct err err = { "" };
	const char *at;

	buf_init(&text, 0);
	buf_init(&deep, 0);
	ck_assert_int_eq(flat_encode(&text, config), 0);
	at = strstr(text.data, "@at \"main.conf\" 6\ngroup");
	ck_assert_ptr_nonnull(at);
	(void)buf_append(&deep, text.data, (size_t)(at - text.data));
	for (int i = 0; i < 100000; i++)
		(void)buf_puts(&deep, "@at \"f\" 1\ngroup \"x\" 1\n");
	ck_assert_ptr_null(flat_decode(deep.data, deep.len, &err));
	ck_assert_ptr_nonnull(strstr(err.text, "nested less deep"));
	buf_free(&text);
	buf_free(&deep);
	config_free(&config);
}
END_TEST

Suite *
flat_suite(void)
{
	Suite *suite = suite_create("conf flat");
	TCase *tc = tcase_create("texts");

	tcase_add_checked_fixture(tc, place_begin, place_end);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, what_is_encoded_decodes_to_the_same);
	tcase_add_test(tc, one_listener_alone_can_be_sent);
	tcase_add_test(tc, a_cut_text_is_refused_wherever_it_is_cut);
	tcase_add_test(tc, a_changed_text_is_refused);
	tcase_add_test(tc, nesting_without_end_is_refused);
	suite_add_tcase(suite, tc);
	return suite;
}
