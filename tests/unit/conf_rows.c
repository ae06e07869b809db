/* SPDX-License-Identifier: ISC */
#include <ctype.h>
#include <string.h>

#include "conf/row.h"
#include "conf_suites.h"

static const struct row_table *const tables[] = { &top_table, &listener_table };

#define for_each_row(table, row)                                              \
	for (size_t t_ = 0; t_ < 2; t_++)                                     \
		for (const struct row_table *table = tables[t_]; table;       \
		    table = NULL)                                             \
			for (const struct conf_row *row = table->rows;        \
			    row < table->rows + table->count; row++)

static bool
is_number(const struct conf_row *row)
{
	return row_has_value(row) && row->type != ROW_BOOL &&
	    row->type != ROW_STRING && row->type != ROW_STRINGS &&
	    row->type != ROW_STRING_OR_LIST && row->type != ROW_OPTIONS;
}

START_TEST(every_row_has_a_help_that_is_a_sentence)
{
	for_each_row(table, row) {
		size_t len = strlen(row->help);

		ck_assert_msg(len > 4, "%s", row->path);
		ck_assert_msg(row->help[len - 1] == '.', "%s", row->path);
		ck_assert_msg(!strstr(row->help, "  "), "%s", row->path);
	}
}
END_TEST

START_TEST(every_path_is_in_lower_case_and_unique)
{
	for_each_row(table, row) {
		for (const char *p = row->path; *p; p++)
			ck_assert_msg(islower((unsigned char)*p) || *p == '_' ||
			    *p == '.', "%s", row->path);
		ck_assert_ptr_eq(row_find(table, row->path), row);
	}
}
END_TEST

START_TEST(every_default_is_in_its_range_or_means_something)
{
	for_each_row(table, row) {
		if (!is_number(row) || row->unset)
			continue;
		if (row->type == ROW_KEEPALIVE && row->number == -1)
			continue;
		if (row->type == ROW_CHOICE) {
			ck_assert_ptr_nonnull(row->choices[row->number]);
			continue;
		}
		ck_assert_msg(row->min < row->max, "%s", row->path);
		ck_assert_msg(row->number >= row->min &&
		    row->number <= row->max, "%s", row->path);
	}
}
END_TEST

START_TEST(a_default_outside_the_range_says_what_it_means)
{
	for_each_row(table, row)
		if (is_number(row) && row->number < row->min &&
		    row->type != ROW_KEEPALIVE)
			ck_assert_msg(row->unset != NULL, "%s", row->path);
}
END_TEST

START_TEST(rows_without_a_default_have_an_example)
{
	for_each_row(table, row)
		if (row->unset || row->is_required)
			ck_assert_msg(row->example != NULL, "%s", row->path);
}
END_TEST

START_TEST(members_follow_their_group)
{
	for_each_row(table, row) {
		char group[64];
		const char *dot = strchr(row->path, '.');

		if (!dot)
			continue;
		memcpy(group, row->path, (size_t)(dot - row->path));
		group[dot - row->path] = '\0';
		ck_assert_ptr_nonnull(row_find(table, group));
		ck_assert_int_eq(row_find(table, group)->type, ROW_GROUP);
		ck_assert_msg(!strchr(dot + 1, '.'), "%s", row->path);
		ck_assert(strcmp(row[-1].path, group) == 0 ||
		    row_is_in(&row[-1], row_find(table, group)));
	}
}
END_TEST

START_TEST(no_two_rows_share_a_field)
{
	for_each_row(table, row)
		for (const struct conf_row *other = table->rows; other < row;
		    other++)
			ck_assert_msg(!row_has_value(row) ||
			    !row_has_value(other) ||
			    row->offset != other->offset, "%s and %s",
			    row->path, other->path);
}
END_TEST

START_TEST(every_default_is_recognized_as_one)
{
	struct config *config = config_new();
	struct listener_conf listener = { 0 };

	ck_assert_int_eq(rows_set_defaults(&top_table, config,
	    &config->arena), 0);
	ck_assert_int_eq(rows_set_defaults(&listener_table, &listener,
	    &config->arena), 0);
	for_each_row(table, row)
		ck_assert_msg(row_is_default(row, table == &top_table ?
		    (const void *)config : &listener), "%s", row->path);
	config_free(&config);
}
END_TEST

START_TEST(every_key_has_words_for_what_is_allowed)
{
	for_each_row(table, row) {
		struct buf allowed;

		buf_init(&allowed, 0);
		row_allowed(row, &allowed);
		ck_assert_msg(allowed.len > 5, "%s", row->path);
		buf_free(&allowed);
	}
}
END_TEST

Suite *
rows_suite(void)
{
	Suite *suite = suite_create("conf rows");
	TCase *tc = tcase_create("walk");

	tcase_add_test(tc, every_row_has_a_help_that_is_a_sentence);
	tcase_add_test(tc, every_path_is_in_lower_case_and_unique);
	tcase_add_test(tc, every_default_is_in_its_range_or_means_something);
	tcase_add_test(tc, a_default_outside_the_range_says_what_it_means);
	tcase_add_test(tc, rows_without_a_default_have_an_example);
	tcase_add_test(tc, members_follow_their_group);
	tcase_add_test(tc, no_two_rows_share_a_field);
	tcase_add_test(tc, every_default_is_recognized_as_one);
	tcase_add_test(tc, every_key_has_words_for_what_is_allowed);
	suite_add_tcase(suite, tc);
	return suite;
}
