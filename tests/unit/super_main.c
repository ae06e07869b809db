/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>

#include "super_suites.h"

/* From simple to complex: the first failure is the one to read. */
static Suite *(*const suites[])(void) = {
	options_suite, backoff_suite, bound_suite, crash_suite, drops_suite,
	files_suite, daemonize_suite, store_suite, notify_suite, spawn_suite,
	loader_suite, generation_suite, control_suite, state_suite,
};

const char *
fake_service_path(void)
{
	static char path[4096];
	const char *top = getenv("top_builddir");

	(void)snprintf(path, sizeof(path), "%s/tests/fixtures/fake_service",
	    top != NULL ? top : ".");
	return path;
}

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
