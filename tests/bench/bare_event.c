// SPDX-License-Identifier: ISC
#include "bare_event.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>

int
event_accept(const struct bare *bare)
{
	int fd;

	do
		fd = accept4(bare->fd, NULL, NULL,
		    SOCK_CLOEXEC | SOCK_NONBLOCK);
	while (fd < 0 && (errno == EINTR || errno == ECONNABORTED));
	if (fd < 0 && errno != EAGAIN)
		bare_fail("accept");
	return fd;
}

int
event_epoll(const struct bare *bare)
{
	struct epoll_event event = { .events = EPOLLIN };
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	if (epoll < 0 || fcntl(bare->fd, F_SETFL, O_NONBLOCK) < 0 ||
	    epoll_ctl(epoll, EPOLL_CTL_ADD, bare->fd, &event) < 0)
		bare_fail("epoll");
	return epoll;
}

void
event_watch(int epoll, int fd, void *data)
{
	struct epoll_event event = {
		.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
		.data.ptr = data,
	};

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
		bare_fail("epoll_ctl");
}

const char *
event_answer(const struct bare *bare, const char *data, size_t len,
    size_t *size)
{
	*size = bare->reply ? bare->reply_len : len;
	return bare->reply ? bare->reply : data;
}
