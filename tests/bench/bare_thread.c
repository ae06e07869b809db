// SPDX-License-Identifier: ISC
/*
 * bare_thread.c - pthread_create for each connection: the floor of "threaded"
 */
#include "bare.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/socket.h>

enum { STACK_SIZE = 128 << 10 };

static struct bare bare;

static void *
thread_main(void *arg)
{
	bare_serve(&bare, (int)(intptr_t)arg);
	return NULL;
}

int
main(int argc, char **argv)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	bare_open(&bare, argc, argv, SOCK_STREAM);
	for (;;) {
		intptr_t fd = bare_accept(&bare);

		errno = pthread_create(&thread, &attr, thread_main, (void *)fd);
		if (errno)
			bare_fail("pthread_create");
	}
}
