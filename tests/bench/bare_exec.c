// SPDX-License-Identifier: ISC
/*
 * bare_exec.c - the conversation on standard input and output
 *
 * What the inetd-style peers (xinetd, tcpserver, ncat) execute for each
 * connection.  Linked statically: the cheapest program they can start.
 * Usage: bare_exec [GREETING REPLY]
 */
#include "bare.h"

#include <string.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	struct bare bare = { .fd = -1 };

	if (argc == 3) {
		bare.greeting = argv[1];
		bare.greeting_len = strlen(argv[1]);
		bare.reply = argv[2];
		bare.reply_len = strlen(argv[2]);
	}
	bare_talk(&bare, STDIN_FILENO, STDOUT_FILENO);
	_exit(0);
}
