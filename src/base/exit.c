/* SPDX-License-Identifier: ISC */
#include "base/exit.h"

#include <stddef.h>

const struct exit_code_row exit_codes[] = {
	{ EXIT_OK, "success" },
	{ EXIT_USAGE, "the command line is wrong" },
	{ EXIT_NO_FILE, "there is no such configuration file" },
	{ EXIT_SYSTEM, "an operating-system error at start" },
	{ EXIT_OPEN, "a service process: the handler's open() failed" },
	{ EXIT_ORPHAN, "a service process: the supervisor is gone" },
	{ EXIT_CONFIG, "the configuration is wrong" },
	{ EXIT_OK, NULL },
};
