/* SPDX-License-Identifier: ISC */
/* The histogram against the same spans in a sorted array. */
#include <math.h>
#include <stdlib.h>

#include "bench/hist.h"
#include "bench_suites.h"

#define SPANS 20000
#define NEAR 0.005              /* a bucket's middle is nearer than that */

static struct hist hist;

static void
expect_near(int64_t got, int64_t wanted)
{
	double off = fabs((double)got - (double)wanted);

	ck_assert_msg(off <= 1 || off <= NEAR * (double)wanted,
	    "%lld is not near %lld", (long long)got, (long long)wanted);
}

START_TEST(nothing_is_all_zero)
{
	hist_clear(&hist);
	ck_assert_int_eq(hist_quantile(&hist, 0.5), 0);
	ck_assert_int_eq(hist_quantile(&hist, 1), 0);
	ck_assert_double_eq(hist_mean(&hist), 0);
}
END_TEST

START_TEST(one_span_is_every_quantile)
{
	static const int64_t spans[] = { 0, 1, 127, 128, 255, 256, 257, 12345,
		999999999, INT64_MAX };

	hist_clear(&hist);
	hist_add(&hist, spans[_i]);
	ck_assert_int_eq(hist_quantile(&hist, 0), spans[_i]);
	ck_assert_int_eq(hist_quantile(&hist, 0.5), spans[_i]);
	ck_assert_int_eq(hist_quantile(&hist, 1), spans[_i]);
	ck_assert_int_eq(hist.least, spans[_i]);
	ck_assert_int_eq(hist.most, spans[_i]);
}
END_TEST

START_TEST(small_spans_are_exact)
{
	hist_clear(&hist);
	for (int64_t span = 0; span < 256; span++)
		hist_add(&hist, span);
	for (int i = 1; i < 256; i++)
		ck_assert_int_eq(hist_quantile(&hist, i / 256.0), i - 1);
	ck_assert_double_eq(hist_mean(&hist), 127.5);
}
END_TEST

/* Two spans, of which the first must be told: each power of two and around. */
START_TEST(every_size_is_near)
{
	for (unsigned bit = 0; bit < 62; bit++)
		for (int64_t off = -1; off <= 1; off++) {
			int64_t span = (1LL << bit) + (bit > 1 ? off : 0);

			hist_clear(&hist);
			hist_add(&hist, span);
			hist_add(&hist, INT64_MAX);
			expect_near(hist_quantile(&hist, 0.5), span);
			ck_assert_int_eq(hist_quantile(&hist, 1), INT64_MAX);
		}
}
END_TEST

static int
compare(const void *a, const void *b)
{
	int64_t one = *(const int64_t *)a, other = *(const int64_t *)b;

	return (one > other) - (one < other);
}

START_TEST(quantiles_are_those_of_the_sorted_spans)
{
	static const double shares[] = { 0.001, 0.1, 0.5, 0.9, 0.99, 0.999 };
	static int64_t spans[SPANS];
	double sum = 0;

	srandom(7);
	hist_clear(&hist);
	for (int i = 0; i < SPANS; i++) {       /* from 1 ns to 1 s */
		spans[i] = (int64_t)pow(10, (double)random() / RAND_MAX * 9);
		hist_add(&hist, spans[i]);
		sum += (double)spans[i];
	}
	qsort(spans, SPANS, sizeof(spans[0]), compare);
	for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++)
		expect_near(hist_quantile(&hist, shares[i]),
		    spans[(int)ceil(shares[i] * SPANS) - 1]);
	ck_assert_int_eq(hist.most, spans[SPANS - 1]);
	ck_assert_int_eq(hist.least, spans[0]);
	ck_assert_uint_eq(hist.count, SPANS);
	ck_assert_double_eq_tol(hist_mean(&hist), sum / SPANS, 1e-6 * sum);
}
END_TEST

START_TEST(a_clock_that_goes_back_counts_as_nothing)
{
	hist_clear(&hist);
	hist_add(&hist, -5);
	ck_assert_int_eq(hist.least, 0);
	ck_assert_int_eq(hist_quantile(&hist, 1), 0);
	ck_assert_uint_eq(hist.count, 1);
}
END_TEST

Suite *
bench_hist_suite(void)
{
	Suite *suite = suite_create("bench hist");
	TCase *tcase = tcase_create("hist");

	tcase_add_test(tcase, nothing_is_all_zero);
	tcase_add_loop_test(tcase, one_span_is_every_quantile, 0, 10);
	tcase_add_test(tcase, small_spans_are_exact);
	tcase_add_test(tcase, every_size_is_near);
	tcase_add_test(tcase, quantiles_are_those_of_the_sorted_spans);
	tcase_add_test(tcase, a_clock_that_goes_back_counts_as_nothing);
	suite_add_tcase(suite, tcase);
	return suite;
}
