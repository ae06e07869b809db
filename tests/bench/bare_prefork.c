// SPDX-License-Identifier: ISC
/*
 * bare_prefork.c - N processes blocked in accept: the floor of "prefork"
 */
#include "bare.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void
worker_start(const struct bare *bare)
{
	pid_t pid = fork();

	if (pid < 0)
		bare_fail("fork");
	if (pid > 0)
		return;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		bare_serve(bare, bare_accept(bare));
}

int
main(int argc, char **argv)
{
	struct bare bare;

	bare_open(&bare, argc, argv, SOCK_STREAM);
	for (unsigned i = 0; i < bare.workers; i++)
		worker_start(&bare);
	(void)wait(NULL);
	return 1;
}
