/* SPDX-License-Identifier: ISC */
#include "base/channel.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"

/* Room for descriptors in one message: those a hostile sender adds beyond it
 * are discarded by the kernel (MSG_CTRUNC, unix(7)). */
#define CHANNEL_FDS 4

static const struct {
	const char *name;
	enum channel_side to;
	bool has_fd;
} messages[MESSAGE_TYPES] = {
	[MESSAGE_TAKE] = { "TAKE", CHANNEL_SERVICE, false },
	[MESSAGE_DRAIN] = { "DRAIN", CHANNEL_SERVICE, false },
	[MESSAGE_LOG_FD] = { "LOG_FD", CHANNEL_SERVICE, true },
	[MESSAGE_LOG_LEVEL] = { "LOG_LEVEL", CHANNEL_SERVICE, false },
	[MESSAGE_LOG] = { "LOG", CHANNEL_SERVICE, false },
	[MESSAGE_KILL] = { "KILL", CHANNEL_SERVICE, false },
	[MESSAGE_PING] = { "PING", CHANNEL_SERVICE, false },
	[MESSAGE_READY] = { "READY", CHANNEL_SUPERVISOR, false },
	[MESSAGE_FAILED] = { "FAILED", CHANNEL_SUPERVISOR, false },
	[MESSAGE_BUSY] = { "BUSY", CHANNEL_SUPERVISOR, false },
	[MESSAGE_RELEASED] = { "RELEASED", CHANNEL_SUPERVISOR, false },
	[MESSAGE_PONG] = { "PONG", CHANNEL_SUPERVISOR, false },
	[MESSAGE_DONE] = { "DONE", CHANNEL_SUPERVISOR, false },
	[MESSAGE_SHED] = { "SHED", CHANNEL_SERVICE, false },
	[MESSAGE_FULL] = { "FULL", CHANNEL_SUPERVISOR, false },
};

/* Aligned for a cmsghdr. */
union control {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(CHANNEL_FDS * sizeof(int))];
};

int
channel_pair(int fds[2])
{
	const int type = SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK;

	return socketpair(AF_UNIX, type, 0, fds) < 0 ? -errno : 0;
}

static void
control_put_fd(struct msghdr *header, union control *control, int fd)
{
	struct cmsghdr *cmsg = &control->header;

	memset(control, 0, sizeof(*control));
	header->msg_control = control;
	header->msg_controllen = CMSG_SPACE(sizeof(fd));
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
}

int
channel_send(int channel, enum message_type type, int64_t value,
    const char *text, int fd)
{
	struct message message = {
		.type = type, .size = sizeof(message), .value = value,
	};
	struct iovec iov = { &message, sizeof(message) };
	struct msghdr header = { .msg_iov = &iov, .msg_iovlen = 1 };
	union control control;
	ssize_t n;

	if (text)
		memcpy(message.text, text,
		    strnlen(text, CHANNEL_TEXT_SIZE - 1));
	if (fd >= 0)
		control_put_fd(&header, &control, fd);
	do
		n = sendmsg(channel, &header, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == ECONNRESET ? -EPIPE : -errno;
	return 0;
}

/* Move the first descriptor to *fd and close the others. */
static void
control_take_fds(struct msghdr *header, int *fd)
{
	struct cmsghdr *cmsg;

	for (cmsg = CMSG_FIRSTHDR(header); cmsg;
	     cmsg = CMSG_NXTHDR(header, cmsg)) {
		size_t count = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (cmsg->cmsg_level != SOL_SOCKET ||
		    cmsg->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < count; i++) {
			int one;

			memcpy(&one, CMSG_DATA(cmsg) + i * sizeof(one),
			    sizeof(one));
			if (*fd < 0)
				*fd = one;
			else
				fd_close(&one);
		}
	}
}

static bool
is_allowed(const struct message *message, enum channel_side side)
{
	return message->type > MESSAGE_NONE && message->type < MESSAGE_TYPES &&
	    message->size == sizeof(*message) &&
	    messages[message->type].to == side &&
	    memchr(message->text, '\0', sizeof(message->text));
}

/* Nothing was read: an empty packet looks like the end, but nobody hung up. */
static int
channel_ended(int channel)
{
	struct pollfd pfd = { .fd = channel };

	if (poll(&pfd, 1, 0) == 1 && pfd.revents & (POLLHUP | POLLERR))
		return -EPIPE;
	return -EPROTO;
}

static int
message_check(const struct message *message, enum channel_side side,
    const struct msghdr *header, int *fd)
{
	if (header->msg_flags & (MSG_TRUNC | MSG_CTRUNC) ||
	    !is_allowed(message, side))
		return -EPROTO;
	if (messages[message->type].has_fd)
		return *fd < 0 ? -EPROTO : 0;
	fd_close(fd);
	return 0;
}

int
channel_receive(int channel, enum channel_side side, struct message *message,
    int *fd)
{
	struct iovec iov = { message, sizeof(*message) };
	union control control;
	struct msghdr header = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	ssize_t n;
	int r;

	*fd = -1;
	do
		n = recvmsg(channel, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == ECONNRESET ? -EPIPE : -errno;
	control_take_fds(&header, fd);
	if (n == sizeof(*message))
		r = message_check(message, side, &header, fd);
	else
		r = n ? -EPROTO : channel_ended(channel);
	if (r)
		fd_close(fd);
	return r;
}

const char *
message_name(enum message_type type)
{
	if (type <= MESSAGE_NONE || type >= MESSAGE_TYPES)
		return "unknown";
	return messages[type].name;
}
