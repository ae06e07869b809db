// SPDX-License-Identifier: ISC
/*
 * bare_pool.c - N threads blocked in accept: the floor of "threaded" with
 * workers
 */
#include "bare.h"

#include <errno.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

enum { STACK_SIZE = 128 << 10 };

static void *
thread_main(void *arg)
{
	const struct bare *bare = arg;

	for (;;)
		bare_serve(bare, bare_accept(bare));
	return NULL;
}

int
main(int argc, char **argv)
{
	struct bare bare;
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	bare_open(&bare, argc, argv, SOCK_STREAM);
	for (unsigned i = 0; i < bare.workers; i++) {
		errno = pthread_create(&thread, &attr, thread_main, &bare);
		if (errno)
			bare_fail("pthread_create");
	}
	for (;;)
		pause();
}
