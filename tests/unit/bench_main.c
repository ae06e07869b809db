/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "bench_suites.h"

/* From simple to complex: the first failure is the one to read. */
static Suite *(*const suites[])(void) = {
	bench_hist_suite, bench_talk_suite, bench_options_suite,
	bench_figures_suite,
};

int
main(void)
{
	SRunner *runner = srunner_create(NULL);
	int failed;

	for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++)
		srunner_add_suite(runner, suites[i]());
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
