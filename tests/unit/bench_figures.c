/* SPDX-License-Identifier: ISC */
/* What is computed from what was counted, and what others count. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "bench/dial.h"
#include "bench/probe.h"
#include "bench/report.h"
#include "bench/usage.h"
#include "bench_suites.h"

static struct run run;

static void
run_clear(void)
{
	memset(&run, 0, sizeof(run));
	run.server_ns = -1;
}

START_TEST(figures_of_nothing_are_zero)
{
	struct figures figures;

	run_clear();
	figures_make(&figures, &run);
	ck_assert_double_eq(figures.requests_per_second, 0);
	ck_assert_double_eq(figures.server_us, 0);
	ck_assert_double_eq(figures.bytes_per_connection, 0);
}
END_TEST

START_TEST(figures_are_shares_of_what_was_counted)
{
	struct figures figures;

	run_clear();
	run.span_ns = 2000000000;
	run.tally.done = 1000;
	run.tally.bytes_in = 64000;
	run.tally.bytes_out = 32000;
	run.server_ns = 5000000;
	run.client_ns = 1000000000;
	run.has_memory = true;
	run.held = 10;
	run.empty.pss = 1000;
	run.full = (struct memory){ .pss = 11000, .page_tables = 5000,
		.kernel_stacks = 5000 };
	figures_make(&figures, &run);
	ck_assert_double_eq(figures.requests_per_second, 500);
	ck_assert_double_eq(figures.bytes_per_second, 48000);
	ck_assert_double_eq(figures.server_us, 5);
	ck_assert_double_eq(figures.client_us, 1000);
	ck_assert_double_eq(figures.client_share, 0.5);
	ck_assert_double_eq(figures.bytes_per_connection, 2000);
}
END_TEST

START_TEST(a_probe_that_differs_is_warned_of)
{
	static const struct {
		int64_t before, after;
		int warnings;
	} rows[] = {
		{ 0, 0, 0 }, { 1000, 1000, 0 }, { 1000, 1059, 0 },
		{ 1059, 1000, 0 }, { 1000, 1061, 1 }, { 1061, 1000, 1 },
		{ 1000, 2000, 1 },
	};
	char text[REPORT_WARNINGS][160];

	run_clear();
	run.probe_before_ns = rows[_i].before;
	run.probe_after_ns = rows[_i].after;
	ck_assert_int_eq(report_warnings(&run, text), rows[_i].warnings);
}
END_TEST

START_TEST(every_warning_is_given)
{
	char text[REPORT_WARNINGS][160];

	run_clear();
	run.probe_before_ns = 100;
	run.probe_after_ns = 200;
	run.steal = 0.5;
	run.span_ns = 100;
	run.client_ns = 95;
	run.is_interrupted = true;
	ck_assert_int_eq(report_warnings(&run, text), REPORT_WARNINGS);
	ck_assert_ptr_nonnull(strstr(text[0], "by 100 %"));
	ck_assert_ptr_nonnull(strstr(text[1], "took 50 %"));
	ck_assert_ptr_nonnull(strstr(text[2], "used 95 %"));
	ck_assert_ptr_nonnull(strstr(text[3], "interrupted"));
}
END_TEST

START_TEST(faults_are_counted_and_the_first_is_kept)
{
	static struct tally tally, other;

	tally_clear(&tally);
	tally_clear(&other);
	tally_fault(&other, FAULT_RESET, "before %d", 1);
	tally_fault(&other, FAULT_WRONG, "before");
	tally_fault(&tally, FAULT_WRONG, "first");
	tally_fault(&tally, FAULT_WRONG, "second");
	tally_add_faults(&tally, &other);
	ck_assert_uint_eq(tally_faults(&tally), 4);
	ck_assert_uint_eq(tally.faults[FAULT_WRONG], 3);
	ck_assert_str_eq(tally.first[FAULT_WRONG], "first");
	ck_assert_str_eq(tally.first[FAULT_RESET], "before 1");
	for (int i = 0; i < FAULTS; i++)
		ck_assert(faults[i].name != NULL && faults[i].text != NULL);
}
END_TEST

START_TEST(a_process_may_have_any_name)
{
	struct process_stat stat;

	ck_assert_int_eq(process_stat_parse(&stat, "42 (a) (b) R 3) S 7 1 1 0 "
	    "-1 4 10 20 30 40 500 600 70 80 20 0 1 0 99"), 0);
	ck_assert_int_eq(stat.pid, 42);
	ck_assert_int_eq(stat.parent, 7);
	ck_assert_uint_eq(stat.own_ticks, 1100);
	ck_assert_uint_eq(stat.waited_ticks, 150);
	ck_assert_int_lt(process_stat_parse(&stat, "42 (a"), 0);
	ck_assert_int_lt(process_stat_parse(&stat, ""), 0);
	ck_assert_int_lt(process_stat_parse(&stat, "42 (a) S 7 1"), 0);
}
END_TEST

START_TEST(a_group_counts_in_its_own_unit)
{
	int64_t ns;

	ck_assert_int_eq(cgroup_parse("usage_usec 12\nuser_usec 3\n", &ns), 0);
	ck_assert_int_eq(ns, 12000);
	ck_assert_int_eq(cgroup_parse("345678\n", &ns), 0);
	ck_assert_int_eq(ns, 345678);
	ck_assert_int_lt(cgroup_parse("nothing", &ns), 0);
	ck_assert_int_lt(cgroup_parse("", &ns), 0);
}
END_TEST

START_TEST(our_own_use_is_seen)
{
	const struct usage_of us = { .pid = getpid() };
	struct memory memory;
	int64_t before, after;
	struct err err;

	ck_assert_int_eq(usage_read(&us, &before, &err), 0);
	do
		ck_assert_int_eq(usage_read(&us, &after, &err), 0);
	while (after < before + 2000000);       /* it costs time itself */
	ck_assert_int_eq(memory_read(getpid(), &memory, &err), 0);
	ck_assert_uint_ge(memory.processes, 1);
	ck_assert_uint_ge(memory.threads, 1);
	ck_assert_uint_gt(memory.pss, 0);
	ck_assert_uint_eq(memory_sum(&memory), memory.pss +
	    memory.page_tables + memory.kernel_stacks);
}
END_TEST

START_TEST(sources_change_with_the_number_on_the_loopback_only)
{
	static const struct {
		const char *address;
		uint64_t number;
		const char *source;             /* NULL = the system's */
	} rows[] = {
		{ "tcp://127.0.0.1:7", 0, NULL },
		{ "tcp://127.0.0.1:7", 24999, NULL },
		{ "tcp://127.0.0.1:7", 25000, "127.0.0.2" },
		{ "udp://127.9.0.1:7", 50000, "127.0.0.3" },
		{ "tcp://127.0.0.1:7", 199 * 25000, "127.0.0.200" },
		{ "tcp://127.0.0.1:7", 200 * 25000, NULL },
		{ "tcp://10.0.0.1:7", 25000, NULL },
		{ "tcp://[::1]:7", 25000, NULL },
		{ "unix:/x", 25000, NULL },
	};
	struct sockaddr_storage source;
	const struct sockaddr_in *sin = (const struct sockaddr_in *)&source;
	struct addr addr;
	struct err err;
	bool is_chosen;

	ck_assert_int_eq(dial_address(&addr, rows[_i].address, &err), 0);
	is_chosen = dial_source(&addr, rows[_i].number, &source);
	ck_assert_int_eq(is_chosen, rows[_i].source != NULL);
	if (is_chosen)
		ck_assert_str_eq(inet_ntoa(sin->sin_addr), rows[_i].source);
}
END_TEST

Suite *
bench_figures_suite(void)
{
	Suite *suite = suite_create("bench figures");
	TCase *tcase = tcase_create("figures");

	tcase_add_test(tcase, figures_of_nothing_are_zero);
	tcase_add_test(tcase, figures_are_shares_of_what_was_counted);
	tcase_add_loop_test(tcase, a_probe_that_differs_is_warned_of, 0, 7);
	tcase_add_test(tcase, every_warning_is_given);
	tcase_add_test(tcase, faults_are_counted_and_the_first_is_kept);
	tcase_add_test(tcase, a_process_may_have_any_name);
	tcase_add_test(tcase, a_group_counts_in_its_own_unit);
	tcase_add_test(tcase, our_own_use_is_seen);
	tcase_add_loop_test(tcase,
	    sources_change_with_the_number_on_the_loopback_only, 0, 9);
	suite_add_tcase(suite, tcase);
	return suite;
}
