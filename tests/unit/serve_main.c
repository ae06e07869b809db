/* SPDX-License-Identifier: ISC */
/* The tests of src/serve. */
#include <stdlib.h>

#include "serve_suites.h"

int
main(void)
{
	SRunner *runner = srunner_create(backlog_suite());

	srunner_add_suite(runner, linger_suite());
	srunner_add_suite(runner, lobby_suite());
	srunner_add_suite(runner, service_suite());
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
