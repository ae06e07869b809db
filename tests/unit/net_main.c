/* SPDX-License-Identifier: ISC */
/* The tests of src/net. */
#include <stdlib.h>

#include "net_help.h"

int
main(void)
{
	SRunner *runner = srunner_create(transport_suite());

	srunner_add_suite(runner, tcp_suite());
	srunner_add_suite(runner, udp_suite());
	srunner_add_suite(runner, unix_suite());
	srunner_add_suite(runner, apply_suite());
	srunner_add_suite(runner, inherit_suite());
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
