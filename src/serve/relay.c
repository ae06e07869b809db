/* SPDX-License-Identifier: ISC */
/*
 * A connection between two processes is active in neither: the slab counts it.
 * So accepted = served + failed + refused + active stays true whoever dies.
 */
#include "serve/relay.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"

/* Both ends are the same program's. */
struct letter {
	uint64_t id;
	int64_t since;
	uint32_t endpoint;
	uint32_t peer_len, local_len;
	struct sockaddr_storage peer, local;
};

union control {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(sizeof(int))];
};

static void
count_moved(struct relay *relay, int64_t n)
{
	struct stats *stats = relay->host->stats;

	stats_add(stats, COUNTER_ACTIVE, -n);
	atomic_fetch_add_explicit(&stats->passed, n, memory_order_relaxed);
	atomic_fetch_add_explicit(&relay->host->slab->relayed, n,
	    memory_order_relaxed);
}

static void
letter_write(const struct relay *relay, const struct arrival *arrival,
    struct letter *letter)
{
	memset(letter, 0, sizeof(*letter));
	letter->id = arrival->id;
	letter->since = arrival->since;
	letter->endpoint = (uint32_t)(arrival->endpoint - relay->endpoints);
	letter->peer = arrival->peer;
	letter->peer_len = arrival->peer_len;
	letter->local = arrival->local;
	letter->local_len = arrival->local_len;
}

/* The lengths are no more than there is room for. */
static bool
letter_read(const struct relay *relay, const struct letter *letter,
    struct arrival *arrival)
{
	if (letter->endpoint >= relay->count || letter->id == 0 ||
	    letter->peer_len > sizeof(letter->peer) ||
	    letter->local_len > sizeof(letter->local))
		return false;
	*arrival = (struct arrival){
		.endpoint = &relay->endpoints[letter->endpoint],
		.id = letter->id, .since = letter->since,
		.peer = letter->peer, .peer_len = letter->peer_len,
		.local = letter->local, .local_len = letter->local_len,
	};
	return true;
}

int
relay_send(struct relay *relay, struct arrival *arrival)
{
	struct letter letter;
	union control control = { .bytes = { 0 } };
	struct iovec iov = { &letter, sizeof(letter) };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};

	letter_write(relay, arrival, &letter);
	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.header), &arrival->fd, sizeof(int));
	/* Before: whoever takes it counts it away. */
	count_moved(relay, 1);
	if (sendmsg(relay->out, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
		int r = -errno;
		count_moved(relay, -1);
		return r;
	}
	fd_close(&arrival->fd);
	return 0;
}

static int
control_fd(struct msghdr *msg)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	int fd = -1;

	if (c != NULL && c->cmsg_level == SOL_SOCKET &&
	    c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

int
relay_take(struct relay *relay, struct arrival *arrival)
{
	struct letter letter;
	union control control;
	struct iovec iov = { &letter, sizeof(letter) };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	ssize_t n = recvmsg(relay->in, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (n < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	int fd = control_fd(&msg);
	count_moved(relay, -1);
	if (fd >= 0 && n == sizeof(letter) &&
	    letter_read(relay, &letter, arrival)) {
		arrival->fd = fd;
		return 0;
	}
	/* Out of descriptors: the kernel has closed it (unix(7)). */
	fd_close(&fd);
	stats_add(relay->host->stats, COUNTER_ACTIVE, -1);
	stats_add(relay->host->stats, COUNTER_ERRORS, 1);
	return -EBADMSG;
}

int64_t
relay_count(const struct relay *relay)
{
	return relay->in < 0 ? 0 : atomic_load_explicit(
	    &relay->host->slab->relayed, memory_order_relaxed);
}

void
relay_close(struct relay *relay)
{
	fd_close(&relay->in);
	fd_close(&relay->out);
}
