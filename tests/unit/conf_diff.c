/* SPDX-License-Identifier: ISC */
/* What a reload has to do. The walks change one value of every row and want
 * exactly that key, with the class of its row. */
#include <string.h>
#include <unistd.h>

#include "conf/diff.h"
#include "conf_suites.h"
#include "conf_tools.h"

static const char *addresses[] = { "tcp://127.0.0.1:7", "tcp://127.0.0.1:8" };
static const char *words[] = { "changed", "twice" };
static struct value member = { .type = VALUE_INT, .name = "x", .integer = 1 };
static struct value options = { .type = VALUE_GROUP, .members = &member };

static struct config *config;

static void
setup(void)
{
	config = config_new();
	ck_assert_ptr_nonnull(config);
	ck_assert_int_eq(rows_set_defaults(&top_table, config,
	    &config->arena), 0);
}

static void
teardown(void)
{
	config_free(&config);
}

static struct listener_conf
listener_make(int64_t concurrency)
{
	struct listener_conf conf = { 0 };

	ck_assert_int_eq(rows_set_defaults(&listener_table, &conf,
	    &config->arena), 0);
	conf.concurrency = concurrency;
	conf.addresses = (struct string_list){ addresses, 1 };
	conf.handler_file = "/h/echo.so";
	conf.handler_digest = "10-1";
	conf.handler_build_id = "";
	return conf;
}

/* Another value, whether it is in the row's range or not. */
static void
alter(const struct conf_row *row, void *base)
{
	switch (row->type) {
	case ROW_BOOL:
		*row_bool(row, base) = !*row_bool(row, base);
		break;
	case ROW_STRING:
		*row_string(row, base) = "changed";
		break;
	case ROW_STRINGS:
	case ROW_STRING_OR_LIST:
		*row_list(row, base) = (struct string_list){ words, 1 };
		break;
	case ROW_OPTIONS:
		*row_options(row, base) = &options;
		break;
	case ROW_CHOICE:
		*row_number(row, base) = !*row_number(row, base);
		break;
	default:
		*row_number(row, base) += 1;
		break;
	}
}

static int64_t
model_of(const struct conf_row *row)
{
	int64_t model = CONCURRENCY_SYNC;

	while (!row_applies(row, model))
		model++;
	return model;
}

static struct change
must_find(const struct listener_conf *old, const struct listener_conf *new,
    enum change_kind kind, const char *path)
{
	struct change change;

	diff_listener(old, new, &change);
	ck_assert_msg(change.kind == kind, "%s: %s", path,
	    change_word(change.kind));
	ck_assert_msg(change.count == 1, "%s: %zu keys", path, change.count);
	ck_assert_str_eq(change.rows[0]->path, path);
	return change;
}

START_TEST(a_table_fits_into_a_change)
{
	ck_assert_uint_le(listener_table.count, CHANGE_ROWS_MAX);
	ck_assert_uint_le(top_table.count, CHANGE_ROWS_MAX);
}
END_TEST

START_TEST(equal_listeners_are_kept_whatever_their_place)
{
	struct listener_conf old = listener_make(CONCURRENCY_PREFORK);
	struct listener_conf new = listener_make(CONCURRENCY_PREFORK);
	struct change change;

	old.file = "a.conf";
	new.file = "b.conf";
	new.line = 9;
	diff_listener(&old, &new, &change);
	ck_assert_int_eq(change.kind, CHANGE_KEEP);
	ck_assert_uint_eq(change.count, 0);
	ck_assert(!change.needs_generation && !change.is_moved);
}
END_TEST

START_TEST(every_key_of_a_listener_is_found_alone_with_its_class)
{
	for (size_t i = 0; i < listener_table.count; i++) {
		const struct conf_row *row = &listener_table.rows[i];
		struct listener_conf old = listener_make(model_of(row)), new;
		bool is_enabled = strcmp(row->path, "enabled") == 0;
		struct change change;

		if (!row_has_value(row))
			continue;
		new = old;
		alter(row, &new);
		change = must_find(&old, &new, is_enabled ? CHANGE_REMOVE :
		    CHANGE_LIVE + row->reload, row->path);
		bool is_moved = strcmp(row->path, "reuse_port") == 0;
		ck_assert(change.needs_generation == (is_moved ||
		    row->reload == RELOAD_GENERATION));
		ck_assert(change.is_moved == is_moved);
	}
}
END_TEST

START_TEST(every_key_of_the_top_level_is_found_alone_with_its_class)
{
	for (size_t i = 0; i < top_table.count; i++) {
		const struct conf_row *row = &top_table.rows[i];
		struct config new = *config;
		struct change change;

		if (!row_has_value(row))
			continue;
		alter(row, &new);
		diff_top(config, &new, &change);
		ck_assert_int_eq(change.kind, row->reload == RELOAD_START ?
		    CHANGE_KEEP : CHANGE_LIVE + row->reload);
		ck_assert_uint_eq(change.count, 1);
		ck_assert_ptr_eq(change.rows[0], row);
	}
}
END_TEST

START_TEST(a_key_of_another_model_is_no_change)
{
	for (size_t i = 0; i < listener_table.count; i++) {
		const struct conf_row *row = &listener_table.rows[i];
		struct listener_conf old = listener_make(CONCURRENCY_FORKING);
		struct listener_conf new = old;
		struct change change;

		if (!row_has_value(row) ||
		    row_applies(row, CONCURRENCY_FORKING))
			continue;
		alter(row, &new);
		diff_listener(&old, &new, &change);
		ck_assert_msg(change.kind == CHANGE_KEEP, "%s", row->path);
		ck_assert_uint_eq(change.count, 0);
	}
}
END_TEST

START_TEST(other_addresses_are_a_change_of_listen)
{
	struct listener_conf old = listener_make(CONCURRENCY_SYNC), new = old;
	struct change change;

	new.addresses.count = 2;
	change = must_find(&old, &new, CHANGE_SOCKET, "listen");
	ck_assert(change.is_moved && change.needs_generation);
	new.addresses = (struct string_list){ addresses + 1, 1 };
	change = must_find(&old, &new, CHANGE_SOCKET, "listen");
	ck_assert(change.is_moved);
}
END_TEST

START_TEST(another_handler_file_or_content_is_a_change_of_handler)
{
	struct listener_conf old = listener_make(CONCURRENCY_SYNC), new = old;

	new.handler_file = "/other/echo.so";
	(void)must_find(&old, &new, CHANGE_GENERATION, "handler");
	new = old;
	new.handler_digest = "10-2";
	(void)must_find(&old, &new, CHANGE_GENERATION, "handler");
}
END_TEST

START_TEST(the_heaviest_key_decides_and_all_are_named_in_order)
{
	struct listener_conf old = listener_make(CONCURRENCY_SYNC), new = old;
	struct change change;

	new.drain_timeout_ms = 1;
	new.backlog = 1;
	new.timeout_ms = 1;
	diff_listener(&old, &new, &change);
	ck_assert_int_eq(change.kind, CHANGE_SOCKET);
	ck_assert(change.needs_generation && !change.is_moved);
	ck_assert_uint_eq(change.count, 3);
	ck_assert_str_eq(change.rows[0]->path, "backlog");
	ck_assert_str_eq(change.rows[1]->path, "timeout");
	ck_assert_str_eq(change.rows[2]->path, "drain_timeout");
}
END_TEST

START_TEST(what_is_not_enabled_is_not_there)
{
	struct listener_conf on = listener_make(CONCURRENCY_SYNC), off = on;
	struct change change;

	off.is_enabled = false;
	(void)must_find(&on, &off, CHANGE_REMOVE, "enabled");
	(void)must_find(&off, &on, CHANGE_ADD, "enabled");
	diff_listener(NULL, &on, &change);
	ck_assert_int_eq(change.kind, CHANGE_ADD);
	diff_listener(&on, NULL, &change);
	ck_assert_int_eq(change.kind, CHANGE_REMOVE);
	ck_assert_uint_eq(change.count, 0);
	off.timeout_ms = 1;
	diff_listener(&off, NULL, &change);
	ck_assert_int_eq(change.kind, CHANGE_KEEP);
	diff_listener(NULL, &off, &change);
	ck_assert_int_eq(change.kind, CHANGE_KEEP);
}
END_TEST

/* Two files whose listener "a" is compared. */
static void
expect_between(const char *before, const char *after, enum change_kind kind,
    const char *path)
{
	struct config *old, *new;
	struct change change;

	must_write_conf("old.conf", before);
	must_write_conf("new.conf", after);
	old = must_load("old.conf");
	new = must_load("new.conf");
	diff_listener(config_find(old, "a"), config_find(new, "a"), &change);
	ck_assert_msg(change.kind == kind, "%s\n%s: %s", before, after,
	    change_word(change.kind));
	ck_assert_uint_eq(change.count, path != NULL);
	if (path)
		ck_assert_str_eq(change.rows[0]->path, path);
	config_free(&old);
	config_free(&new);
}

START_TEST(options_are_compared_by_what_they_hold)
{
	static const char first[] = LISTENER_A(
	    "options = { a = 1; b = ( \"x\", { c = true; } ); };");

	expect_between(first, LISTENER_A("\n\noptions = {\n"
	    "b = ( \"x\", { c = true; } );\na = 1; };"), CHANGE_KEEP, NULL);
	expect_between(LISTENER_A(""), LISTENER_A("options = { };"),
	    CHANGE_KEEP, NULL);
	expect_between(first, LISTENER_A("options = { a = 1; };"),
	    CHANGE_GENERATION, "options");
	expect_between(first, LISTENER_A("options = { a = 2; b = ( \"x\", "
	    "{ c = true; } ); };"), CHANGE_GENERATION, "options");
	expect_between(first, LISTENER_A("options = { a = 1; b = ( \"x\", "
	    "{ d = true; } ); };"), CHANGE_GENERATION, "options");
	expect_between(first, LISTENER_A("options = { a = 1; b = ( "
	    "{ c = true; }, \"x\" ); };"), CHANGE_GENERATION, "options");
}
END_TEST

START_TEST(defaults_are_merged_before_anything_is_compared)
{
	expect_between("defaults = { timeout = 5; };\n" LISTENER_A(""),
	    LISTENER_A("timeout = \"5000ms\";"), CHANGE_KEEP, NULL);
	expect_between("defaults = { timeout = 5; };\n" LISTENER_A(""),
	    LISTENER_A(""), CHANGE_GENERATION, "timeout");
	expect_between("defaults = { max_workers = 9; };\n" LISTENER_A(""),
	    LISTENER_A(""), CHANGE_KEEP, NULL);
	expect_between(LISTENER_A("concurrency = \"threaded\";"),
	    LISTENER_A("concurrency = \"forking\";"), CHANGE_GENERATION,
	    "concurrency");
}
END_TEST

START_TEST(a_value_of_the_top_level_is_one_of_the_listeners_that_take_it)
{
	expect_between("drain_timeout = 5;\n" LISTENER_A(""), LISTENER_A(""),
	    CHANGE_LIVE, "drain_timeout");
	expect_between("drain_timeout = 5;\n" LISTENER_A("drain_timeout = 7;"),
	    LISTENER_A("drain_timeout = 7;"), CHANGE_KEEP, NULL);
	if (geteuid() != 0)
		return;
	expect_between("user = \"root\";\n" LISTENER_A(""), LISTENER_A(""),
	    CHANGE_GENERATION, "user");
	expect_between("user = \"root\";\n" LISTENER_A("user = \"daemon\";"),
	    LISTENER_A("user = \"daemon\";"), CHANGE_KEEP, NULL);
	expect_between("group = \"root\";\n" LISTENER_A(""), LISTENER_A(""),
	    CHANGE_GENERATION, "group");
}
END_TEST

START_TEST(a_handler_that_was_written_anew_is_a_change)
{
	struct config *old, *new;
	struct change change;

	must_write("h/echo.so", "one");
	must_write_conf("main.conf", LISTENER_A(""));
	old = must_load("main.conf");
	must_write("h/echo.so", "two");
	new = must_load("main.conf");
	diff_listener(config_find(old, "a"), config_find(new, "a"), &change);
	ck_assert_int_eq(change.kind, CHANGE_GENERATION);
	ck_assert_str_eq(change.rows[0]->path, "handler");
	config_free(&old);
	must_write("h/echo.so", "two");
	old = must_load("main.conf");
	diff_listener(config_find(old, "a"), config_find(new, "a"), &change);
	ck_assert_int_eq(change.kind, CHANGE_KEEP);
	config_free(&old);
	config_free(&new);
}
END_TEST

Suite *
diff_suite(void)
{
	Suite *suite = suite_create("conf diff");
	TCase *walk = tcase_create("walk"), *files = tcase_create("files");

	tcase_add_checked_fixture(walk, setup, teardown);
	tcase_add_test(walk, a_table_fits_into_a_change);
	tcase_add_test(walk, equal_listeners_are_kept_whatever_their_place);
	tcase_add_test(walk,
	    every_key_of_a_listener_is_found_alone_with_its_class);
	tcase_add_test(walk,
	    every_key_of_the_top_level_is_found_alone_with_its_class);
	tcase_add_test(walk, a_key_of_another_model_is_no_change);
	tcase_add_test(walk, other_addresses_are_a_change_of_listen);
	tcase_add_test(walk,
	    another_handler_file_or_content_is_a_change_of_handler);
	tcase_add_test(walk,
	    the_heaviest_key_decides_and_all_are_named_in_order);
	tcase_add_test(walk, what_is_not_enabled_is_not_there);
	suite_add_tcase(suite, walk);
	tcase_add_checked_fixture(files, place_begin, place_end);
	tcase_set_timeout(files, 60);
	tcase_add_test(files, options_are_compared_by_what_they_hold);
	tcase_add_test(files, defaults_are_merged_before_anything_is_compared);
	tcase_add_test(files,
	    a_value_of_the_top_level_is_one_of_the_listeners_that_take_it);
	tcase_add_test(files, a_handler_that_was_written_anew_is_a_change);
	suite_add_tcase(suite, files);
	return suite;
}
