// SPDX-License-Identifier: ISC
/*
 * bare_uring.c - one ring of io_uring: the floor of "event" over io_uring
 *
 * Multishot accept, multishot recv into one ring of buffers for all, and one
 * send at a time for each connection; what else has come for it waits in a list
 * of buffers.  One system call for each turn of the loop.
 */
#include "bare.h"

#include <errno.h>
#include <liburing.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	RING_ENTRIES = 4096,
	COMPLETIONS = 16384,	/* so that it never overflows */
	BUFFERS = 4096,		/* a power of two */
	BUFFER_SIZE = 16384,
	GROUP = 0,
	NONE = -1,
};

/* What a completion is of: in the low bits of its pointer. */
enum { OF_ACCEPT, OF_RECV, OF_SEND, OF_MASK = 3 };

struct conn {
	int fd;
	int first, last;	/* buffers to be sent, or NONE */
	bool is_receiving;	/* the multishot recv is armed */
	bool is_sending;
	bool is_greeting;	/* what is being sent is no buffer */
	bool is_starved;	/* no buffer was free */
	bool has_ended;
	struct conn *next;	/* of those that are starved */
};

static struct bare bare;
static struct io_uring ring;
static struct io_uring_buf_ring *buffers;
static char *memory;
static int next_of[BUFFERS];
static unsigned length_of[BUFFERS];
static struct conn *starved;

static uint64_t
tag(const struct conn *conn, unsigned of)
{
	return (uintptr_t)conn | of;
}

static struct io_uring_sqe *
entry(void)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

	if (sqe == NULL) {
		(void)io_uring_submit(&ring);
		sqe = io_uring_get_sqe(&ring);
	}
	if (sqe == NULL)
		bare_fail("submission queue");
	return sqe;
}

static void
arm_accept(void)
{
	struct io_uring_sqe *sqe = entry();

	io_uring_prep_multishot_accept(sqe, bare.fd, NULL, NULL, SOCK_CLOEXEC);
	sqe->user_data = tag(NULL, OF_ACCEPT);
}

static void
arm_recv(struct conn *conn)
{
	struct io_uring_sqe *sqe = entry();

	io_uring_prep_recv_multishot(sqe, conn->fd, NULL, 0, 0);
	sqe->flags |= IOSQE_BUFFER_SELECT;
	sqe->buf_group = GROUP;
	sqe->user_data = tag(conn, OF_RECV);
	conn->is_receiving = true;
}

static void
send_start(struct conn *conn, const char *text, size_t len)
{
	struct io_uring_sqe *sqe = entry();

	/* MSG_WAITALL: the ring goes on after a short one */
	io_uring_prep_send(sqe, conn->fd, text, len,
	    MSG_NOSIGNAL | MSG_WAITALL);
	sqe->user_data = tag(conn, OF_SEND);
	conn->is_sending = true;
}

static char *
buffer_at(int id)
{
	return memory + (size_t)id * BUFFER_SIZE;
}

static void
buffer_give_back(int id)
{
	io_uring_buf_ring_add(buffers, buffer_at(id), BUFFER_SIZE,
	    (unsigned short)id, io_uring_buf_ring_mask(BUFFERS), 0);
	io_uring_buf_ring_advance(buffers, 1);
}

static void
starved_feed(void)
{
	struct conn *conn = starved;

	if (conn == NULL)
		return;
	starved = conn->next;
	conn->is_starved = false;
	arm_recv(conn);
}

static void
send_next(struct conn *conn)
{
	int id = conn->first;

	if (id == NONE || conn->is_sending)
		return;
	if (bare.reply)
		send_start(conn, bare.reply, bare.reply_len);
	else
		send_start(conn, buffer_at(id), length_of[id]);
}

static void
queue_push(struct conn *conn, int id, unsigned len)
{
	length_of[id] = len;
	next_of[id] = NONE;
	if (conn->first == NONE)
		conn->first = id;
	else
		next_of[conn->last] = id;
	conn->last = id;
}

static void
queue_pop(struct conn *conn)
{
	int id = conn->first;

	conn->first = next_of[id];
	buffer_give_back(id);
	starved_feed();
}

static void
conn_close_if_done(struct conn *conn)
{
	if (!conn->has_ended || conn->is_receiving || conn->is_sending ||
	    conn->is_starved || conn->first != NONE)
		return;
	(void)close(conn->fd);
	free(conn);
}

static void
conn_open(int fd)
{
	struct conn *conn = calloc(1, sizeof(*conn));

	if (conn == NULL)
		bare_fail("calloc");
	conn->fd = fd;
	conn->first = NONE;
	arm_recv(conn);
	conn->is_greeting = bare.greeting_len > 0;
	if (conn->is_greeting)
		send_start(conn, bare.greeting, bare.greeting_len);
}

static void
recv_done(struct conn *conn, const struct io_uring_cqe *cqe)
{
	bool is_armed = cqe->flags & IORING_CQE_F_MORE;

	conn->is_receiving = is_armed;
	if (cqe->res > 0) {
		queue_push(conn, (int)(cqe->flags >> IORING_CQE_BUFFER_SHIFT),
		    (unsigned)cqe->res);
		send_next(conn);
		if (!is_armed)
			arm_recv(conn);
	} else if (cqe->res == -ENOBUFS) {
		conn->is_starved = true;
		conn->next = starved;
		starved = conn;
	} else {
		conn->has_ended = true;
	}
}

static void
send_done(struct conn *conn, const struct io_uring_cqe *cqe)
{
	conn->is_sending = false;
	if (!conn->is_greeting)
		queue_pop(conn);
	conn->is_greeting = false;
	if (cqe->res < 0) {
		conn->has_ended = true;
		(void)shutdown(conn->fd, SHUT_RDWR);	/* ends the recv */
		while (conn->first != NONE)
			queue_pop(conn);
	}
	send_next(conn);
}

static void
complete(const struct io_uring_cqe *cqe)
{
	struct conn *conn = (void *)(uintptr_t)
	    (cqe->user_data & ~(uint64_t)OF_MASK);
	unsigned of = cqe->user_data & OF_MASK;

	if (of == OF_ACCEPT) {
		if (cqe->res >= 0)
			conn_open(cqe->res);
		if (!(cqe->flags & IORING_CQE_F_MORE))
			arm_accept();
		return;
	}
	if (of == OF_RECV)
		recv_done(conn, cqe);
	else
		send_done(conn, cqe);
	conn_close_if_done(conn);
}

static void
buffers_open(void)
{
	struct io_uring_buf_reg reg = { .ring_entries = BUFFERS,
		.bgid = GROUP };

	memory = aligned_alloc(4096, (size_t)BUFFERS * BUFFER_SIZE);
	buffers = aligned_alloc(4096, BUFFERS * sizeof(struct io_uring_buf));
	if (memory == NULL || buffers == NULL)
		bare_fail("buffers");
	reg.ring_addr = (uintptr_t)buffers;
	io_uring_buf_ring_init(buffers);
	errno = -io_uring_register_buf_ring(&ring, &reg, 0);
	if (errno)
		bare_fail("ring of buffers");
	for (int id = 0; id < BUFFERS; id++)
		buffer_give_back(id);
}

static void
ring_open(void)
{
	struct io_uring_params params = {
		.flags = IORING_SETUP_SINGLE_ISSUER |
		    IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SUBMIT_ALL |
		    IORING_SETUP_CQSIZE,
		.cq_entries = COMPLETIONS,
	};

	errno = -io_uring_queue_init_params(RING_ENTRIES, &ring, &params);
	if (errno)
		bare_fail("io_uring");
	(void)io_uring_register_ring_fd(&ring);
}

int
main(int argc, char **argv)
{
	ring_open();		/* before the port is told */
	buffers_open();
	bare_open(&bare, argc, argv, SOCK_STREAM);
	arm_accept();
	for (;;) {
		struct io_uring_cqe *cqe;
		unsigned head, count = 0;

		(void)io_uring_submit_and_wait(&ring, 1);
		io_uring_for_each_cqe(&ring, head, cqe) {
			complete(cqe);
			count++;
		}
		io_uring_cq_advance(&ring, count);
	}
}
