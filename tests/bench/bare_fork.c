// SPDX-License-Identifier: ISC
/*
 * bare_fork.c - fork for each connection: the floor of "forking"
 *
 * Linked as a compiler links by default (lazy binding), which is what a plain
 * server would do.  Children are reaped at the next connection.
 */
#include "bare.h"

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void
fork_serve(const struct bare *bare, int fd)
{
	pid_t pid = fork();

	if (pid < 0)
		bare_fail("fork");
	if (pid == 0) {
		(void)close(bare->fd);
		bare_serve(bare, fd);
		_exit(0);
	}
	(void)close(fd);
}

int
main(int argc, char **argv)
{
	struct bare bare;

	bare_open(&bare, argc, argv, SOCK_STREAM);
	for (;;) {
		fork_serve(&bare, bare_accept(&bare));
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	}
}
