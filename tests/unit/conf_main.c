/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "conf_suites.h"

/* From simple to complex: the first failure is the one to read. */
static Suite *(*const suites[])(void) = {
	rows_suite, number_suite, lex_suite, digest_suite, diff_suite,
	flat_suite, child_suite, load_suite, bad_suite, doc_suite,
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
