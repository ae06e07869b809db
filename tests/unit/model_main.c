/* SPDX-License-Identifier: ISC */
/* The tests of src/model. */
#include <stdlib.h>

#include "model_suites.h"

int
main(void)
{
	SRunner *runner = srunner_create(context_suite());

	srunner_add_suite(runner, stack_suite());
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
