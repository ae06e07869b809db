/* SPDX-License-Identifier: ISC */
/*
 * Fibers over epoll(7): the loop's own set. A connection is added when its
 * fiber waits first, edge-triggered and for everything, and never touched
 * again: a request costs its receive and its send, and its share of a wait.
 *
 * A receive that brings less than was asked for has emptied the socket; what
 * comes later brings an edge, so nobody asks again to hear EAGAIN.
 */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "model/event.h"

#define READABLE (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)
#define WRITABLE (EPOLLOUT | EPOLLHUP | EPOLLERR)
#define ENDED (EPOLLRDHUP | EPOLLHUP | EPOLLERR)

static int
epoll_open(struct event *event, struct err *err)
{
	(void)event;            /* the loop is there */
	(void)err;
	return 0;
}

static void
epoll_close(struct event *event)
{
	(void)event;
}

static int
epoll_turn(struct event *event)
{
	return loop_turn(event->env->loop, -1);
}

/* Nothing is known yet: trying tells. */
static void
epoll_adopt(struct fiber *fiber)
{
	fiber->epoll.is_readable = fiber->epoll.is_writable = true;
}

static void
connection_ready(struct watch *watch, uint32_t events)
{
	struct fiber *fiber = watch->arg;
	struct epoll_connection *c = &fiber->epoll;

	c->is_ended = c->is_ended || (events & ENDED);
	c->is_readable = c->is_readable || (events & READABLE);
	c->is_writable = c->is_writable || (events & WRITABLE);
	if ((fiber->wait == WAIT_READ && c->is_readable) ||
	    (fiber->wait == WAIT_WRITE && c->is_writable))
		fiber_wake(fiber, 0);
}

static ssize_t
epoll_read(struct fiber *fiber, void *data, size_t size)
{
	struct epoll_connection *c = &fiber->epoll;
	ssize_t n;

	if (!c->is_readable)
		return -EAGAIN;
	do
		n = recv(fiber->request.arrival.fd, data, size, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno != EAGAIN)
		return -errno;
	if (n < 0 || ((size_t)n < size && !c->is_ended))
		c->is_readable = false;
	return n < 0 ? -EAGAIN : n;
}

static ssize_t
epoll_write(struct fiber *fiber, const void *data, size_t len)
{
	struct epoll_connection *c = &fiber->epoll;
	ssize_t n;

	if (!c->is_writable)
		return -EAGAIN;
	do
		n = send(fiber->request.arrival.fd, data, len,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n >= 0)
		return n;
	if (errno != EAGAIN)
		return -errno;
	c->is_writable = false;
	return -EAGAIN;
}

/* The first edges tell how it is now. */
static int
epoll_prepare(struct fiber *fiber, bool is_write)
{
	struct epoll_connection *c = &fiber->epoll;
	int r;

	(void)is_write;
	if (c->is_registered)
		return 0;
	r = watch_start(fiber->event->env->loop, &c->watch,
	    fiber->request.arrival.fd,
	    EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, connection_ready, fiber);
	c->is_registered = r == 0;
	return r;
}

static void
epoll_release(struct fiber *fiber, bool is_closed_next)
{
	struct epoll_connection *c = &fiber->epoll;

	if (c->is_registered && is_closed_next)
		watch_forget(fiber->event->env->loop, &c->watch);
	else if (c->is_registered)
		watch_stop(fiber->event->env->loop, &c->watch);
	c->is_registered = false;
}

const struct reactor epoll_reactor = {
	.io = IO_EPOLL,
	.open = epoll_open,
	.close = epoll_close,
	.turn = epoll_turn,
	.adopt = epoll_adopt,
	.read = epoll_read,
	.write = epoll_write,
	.prepare = epoll_prepare,
	.release = epoll_release,
};
