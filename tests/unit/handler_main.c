/* SPDX-License-Identifier: ISC */
/* The tests of src/handler. */
#include <stdlib.h>

#include "handler_suites.h"

int
main(void)
{
	SRunner *runner = srunner_create(elf_suite());

	srunner_add_suite(runner, options_suite());
	srunner_add_suite(runner, request_suite());
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
