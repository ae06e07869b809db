/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "base_suites.h"

/* From simple to complex: the first failure is the one to read. */
static Suite *(*const suites[])(void) = {
	memory_suite, option_suite, fd_suite, addr_suite, acl_suite,
	stats_suite, totals_suite,
	channel_suite, sig_suite, loop_suite, record_suite, gather_suite,
	seat_suite,
	log_suite,
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
