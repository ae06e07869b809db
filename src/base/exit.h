/* SPDX-License-Identifier: ISC */
#ifndef BASE_EXIT_H
#define BASE_EXIT_H

/* Exit statuses, as in sysexits(3). The table exit_codes[] is in exit.c; the
 * manual pages print it. */
enum exit_code {
	EXIT_OK = 0,
	EXIT_USAGE = 64,        /* the command line is wrong */
	EXIT_NO_FILE = 66,      /* no such configuration file */
	EXIT_SYSTEM = 71,       /* an operating-system error at start */
	EXIT_OPEN = 75,         /* service: the handler's open() failed; again
				 * later */
	EXIT_ORPHAN = 76,       /* service: the supervisor is gone */
	EXIT_CONFIG = 78,       /* the configuration is wrong */
};

struct exit_code_row {
	enum exit_code code;
	const char *help;
};
extern const struct exit_code_row exit_codes[]; /* ends with help NULL */

#endif
