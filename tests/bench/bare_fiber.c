// SPDX-License-Identifier: ISC
/*
 * bare_fiber.c - a fiber for each connection over edges of epoll
 *
 * The same conversation as bare_thread.c's, in plain blocking style: what would
 * block goes to the loop's stack instead (Boost.Context: six pushes and pops,
 * no signal mask).  Stacks are used again, the last one first.
 */
#include "bare_event.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum { STACK_SIZE = 16384 };

/* Boost.Context's own names (boost/context/detail/fcontext.hpp), which is a
 * header of C++ only. */
typedef void *fcontext_t;
typedef struct {
	fcontext_t from;
	void *data;
} transfer_t;
transfer_t jump_fcontext(fcontext_t to, void *data);
fcontext_t make_fcontext(void *top, size_t size, void (*fn)(transfer_t));

struct fiber {
	struct fiber *next;	/* of those that are free */
	fcontext_t context;	/* where it goes on */
	char *stack;		/* owned */
	int fd;
	bool has_more;		/* the last read has not emptied the socket */
	bool has_ended;
	unsigned events;	/* that have woken it */
};

static struct bare bare;
static int epoll;
static fcontext_t loop_context;
static struct fiber *free_fibers;
static char buffer[EVENT_BUFFER];	/* answered before anybody waits */

static void
fiber_wait(struct fiber *fiber)
{
	loop_context = jump_fcontext(loop_context, fiber).from;
}

static ssize_t
fiber_read(struct fiber *fiber)
{
	ssize_t len;

	for (;;) {
		while (!fiber->has_more)
			fiber_wait(fiber);
		len = recv(fiber->fd, buffer, sizeof(buffer), 0);
		/* a short read has emptied it, but for the end */
		fiber->has_more = len == (ssize_t)sizeof(buffer) ||
		    (len > 0 && fiber->events & (EPOLLRDHUP | EPOLLHUP));
		if (len >= 0 || errno != EAGAIN)
			return len;
	}
}

/* The shared buffer belongs to others while this one waits. */
static bool
fiber_write_rest(struct fiber *fiber, const char *data, size_t len)
{
	char *rest = malloc(len), *at = rest;
	ssize_t sent = 0;

	if (rest == NULL)
		bare_fail("malloc");
	memcpy(rest, data, len);
	while (len > 0 && (sent >= 0 || errno == EAGAIN)) {
		fiber_wait(fiber);
		sent = send(fiber->fd, at, len, MSG_NOSIGNAL);
		if (sent > 0) {
			at += sent;
			len -= (size_t)sent;
		}
	}
	free(rest);
	return len == 0;
}

static bool
fiber_write(struct fiber *fiber, const char *data, size_t len)
{
	ssize_t sent = len > 0 ? send(fiber->fd, data, len, MSG_NOSIGNAL) : 0;

	if (sent == (ssize_t)len)
		return true;
	if (sent < 0 && errno != EAGAIN)
		return false;
	if (sent < 0)
		sent = 0;
	return fiber_write_rest(fiber, data + sent, len - (size_t)sent);
}

static void
fiber_talk(struct fiber *fiber)
{
	ssize_t len;

	if (!fiber_write(fiber, bare.greeting, bare.greeting_len))
		return;
	while ((len = fiber_read(fiber)) > 0) {
		size_t size;
		const char *answer =
		    event_answer(&bare, buffer, (size_t)len, &size);

		if (!fiber_write(fiber, answer, size))
			return;
	}
}

static void
fiber_main(transfer_t transfer)
{
	struct fiber *fiber = transfer.data;

	loop_context = transfer.from;
	for (;;) {
		fiber_talk(fiber);
		fiber->has_ended = true;
		fiber_wait(fiber);
	}
}

static struct fiber *
fiber_new(void)
{
	struct fiber *fiber = free_fibers;

	if (fiber != NULL) {
		free_fibers = fiber->next;
		return fiber;
	}
	fiber = calloc(1, sizeof(*fiber));
	if (fiber == NULL)
		bare_fail("calloc");
	fiber->stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (fiber->stack == MAP_FAILED)
		bare_fail("mmap");
	fiber->context = make_fcontext(fiber->stack + STACK_SIZE, STACK_SIZE,
	    fiber_main);
	return fiber;
}

/* Until it waits, or has ended. */
static void
fiber_run(struct fiber *fiber)
{
	fiber->context = jump_fcontext(fiber->context, fiber).from;
	if (!fiber->has_ended)
		return;
	(void)close(fiber->fd);
	fiber->next = free_fibers;
	free_fibers = fiber;
}

static void
accept_ready(void)
{
	for (int i = 0; i < EVENT_BATCH; i++) {
		struct fiber *fiber;
		int fd = event_accept(&bare);

		if (fd < 0)
			return;
		fiber = fiber_new();
		fiber->fd = fd;
		fiber->has_ended = false;
		fiber->has_more = true;	/* the request is often there */
		fiber->events = 0;
		event_watch(epoll, fd, fiber);
		fiber_run(fiber);
	}
}

int
main(int argc, char **argv)
{
	struct epoll_event ready[EVENT_READY];

	bare_open(&bare, argc, argv, SOCK_STREAM);
	epoll = event_epoll(&bare);
	for (;;) {
		int count = epoll_wait(epoll, ready, EVENT_READY, -1);

		for (int i = 0; i < count; i++) {
			struct fiber *fiber = ready[i].data.ptr;

			if (fiber == NULL) {
				accept_ready();
				continue;
			}
			fiber->events = ready[i].events;
			if (ready[i].events & ~(unsigned)EPOLLOUT)
				fiber->has_more = true;
			fiber_run(fiber);
		}
	}
}
