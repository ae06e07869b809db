// SPDX-License-Identifier: ISC
/*
 * bare_sync.c - one connection after the other: the floor of "sync"
 */
#include "bare.h"

#include <sys/socket.h>

int
main(int argc, char **argv)
{
	struct bare bare;

	bare_open(&bare, argc, argv, SOCK_STREAM);
	for (;;)
		bare_serve(&bare, bare_accept(&bare));
}
