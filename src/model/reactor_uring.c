/* SPDX-License-Identifier: ISC */
/*
 * Fibers over io_uring(7). A connection that waits for its peer has one
 * receive under way, which stays for message after message (multishot) and
 * takes its room from a ring of buffers that all connections of the process
 * share; so an idle one owns no buffer. Receives are begun, and the thread
 * waits, in one system call a turn. Where many requests come with a turn, what
 * they send goes along with that call; else each send is a send(2) of its own.
 *
 * Where whole buffers come full, or the shared ones are used up (ENOBUFS), the
 * connection is "bulk": its receive is called off, and it waits for poll(2)'s
 * word and reads into the handler's own room, as much as there is. So nobody
 * hoards buffers, and a lack of them holds nobody up.
 *
 * The kernel does its part while this thread waits (DEFER_TASKRUN, Linux 6.1),
 * not in between; without that this reactor is not to be had.
 *
 * Connections may come by an accept that stays under way as well, a receive of
 * its kind. What else there is, the time, the supervisor, sockets that are shared
 * with other processes, goes through the loop, whose epoll set is one more thing
 * that the ring polls.
 */
#include <errno.h>
#include <liburing.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "model/event.h"

#define ENTRIES 1024            /* submissions a turn; more make it two calls */
#define COMPLETIONS 8192        /* a turn; more wait in the kernel */
#define BUFFERS 1024            /* a power of two */
#define BUFFER_SIZE 2048
#define A_BLOCK 64              /* connections that are made together */
#define MANY 8                  /* completions of a turn that is busy */
#define SOCKETS 64              /* that may be listened to */
#define GROUP 0                 /* of the buffers: the only one */
#define NO_BUFFER UINT32_MAX

/* In the low bits of a request's user_data. */
enum tag { TAG_RECEIVE, TAG_POLL, TAG_CANCEL, TAG_LOOP, TAG_SEND, TAG_ACCEPT,
    TAGS = 7 };

/* A connection: outlives its fiber while the kernel works on it. */
struct uring_connection {
	_Alignas(8) struct fiber *fiber; /* NULL: it is over */
	uint32_t first, last;           /* buffers received, not read yet */
	uint32_t taken;                 /* bytes read of the first */
	int end;                        /* 1: more may come; 0 or -errno */
	bool is_armed;                  /* a receive is under way */
	bool is_cancelled;              /* and was called off */
	bool is_bulk;
	unsigned polls, poll_events;    /* under way; the last one's */
	struct uring_connection *next;  /* free ones */
};

/* A socket that listens. What is wanted of it is asked for once a turn. */
struct uring_socket {
	_Alignas(8) int fd;
	bool is_wanted;                 /* connections are to come */
	bool is_armed;                  /* an accept is under way */
	bool is_cancelled;              /* and was called off */
};

/* They are given back all at once, also those that the kernel still has. */
struct block {
	struct block *next;
	struct uring_connection items[A_BLOCK];
};

struct ring {
	struct io_uring uring;
	struct io_uring_buf_ring *shared;       /* owned */
	char *room;                     /* owned: the buffers */
	struct {
		uint32_t len, next;
	} held[BUFFERS];
	struct block *blocks;           /* owned */
	struct uring_connection *unused;        /* of those in the blocks */
	struct uring_socket sockets[SOCKETS];
	unsigned socket_count;          /* the first so many may be in use */
	bool is_loop_polled;
	bool is_busy;                   /* many requests came with this turn */
};

static struct ring *
ring_of(const struct fiber *fiber)
{
	return fiber->event->ring;
}

/* -- asking the kernel -------------------------------------------------- */

static struct io_uring_sqe *
ask(struct ring *ring, const void *about, enum tag tag)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring->uring);

	if (sqe == NULL) {
		(void)io_uring_submit(&ring->uring);
		sqe = io_uring_get_sqe(&ring->uring);
	}
	if (sqe != NULL) {
		io_uring_prep_nop(sqe);
		sqe->user_data = (uintptr_t)about | tag;
	}
	return sqe;
}

static void
set_up(struct io_uring_sqe *sqe, uint8_t opcode, int fd)
{
	sqe->opcode = opcode;
	sqe->fd = fd;
}

static int
ask_receive(struct ring *ring, struct uring_connection *c)
{
	struct io_uring_sqe *sqe = ask(ring, c, TAG_RECEIVE);

	if (sqe == NULL)
		return -EAGAIN;
	set_up(sqe, IORING_OP_RECV, c->fiber->request.arrival.fd);
	sqe->ioprio = IORING_RECV_MULTISHOT;
	sqe->flags = IOSQE_BUFFER_SELECT;
	sqe->buf_group = GROUP;
	c->is_armed = true;
	c->is_cancelled = false;
	return 0;
}

static int
ask_poll(struct ring *ring, struct uring_connection *c, unsigned events)
{
	struct io_uring_sqe *sqe;

	if (c->polls > 0 && c->poll_events == events)
		return 0;
	sqe = ask(ring, c, TAG_POLL);
	if (sqe == NULL)
		return -EAGAIN;
	set_up(sqe, IORING_OP_POLL_ADD, c->fiber->request.arrival.fd);
	sqe->poll32_events = events;
	c->polls++;
	c->poll_events = events;
	return 0;
}

static bool
call_off(struct ring *ring, const void *about, enum tag tag)
{
	struct io_uring_sqe *sqe = ask(ring, NULL, TAG_CANCEL);

	if (sqe == NULL)
		return false;   /* a connection's ends with its data */
	set_up(sqe, IORING_OP_ASYNC_CANCEL, -1);
	sqe->addr = (uintptr_t)about | tag;
	sqe->cancel_flags = IORING_ASYNC_CANCEL_ALL;
	return true;
}

static void
call_off_receive(struct ring *ring, struct uring_connection *c)
{
	if (!c->is_armed || c->is_cancelled)
		return;
	(void)call_off(ring, c, TAG_RECEIVE);
	c->is_cancelled = true;
}

/* -- buffers ------------------------------------------------------------ */

static void
buffer_give_back(struct ring *ring, uint32_t i)
{
	io_uring_buf_ring_add(ring->shared, ring->room + i * BUFFER_SIZE,
	    BUFFER_SIZE, (unsigned short)i, BUFFERS - 1, 0);
	io_uring_buf_ring_advance(ring->shared, 1);
}

static void
buffer_hold(struct ring *ring, struct uring_connection *c, uint32_t i,
    uint32_t len)
{
	ring->held[i].len = len;
	ring->held[i].next = NO_BUFFER;
	if (c->first == NO_BUFFER)
		c->first = i;
	else
		ring->held[c->last].next = i;
	c->last = i;
}

static uint32_t
buffer_drop(struct ring *ring, struct uring_connection *c)
{
	uint32_t i = c->first;

	c->first = ring->held[i].next;
	c->taken = 0;
	buffer_give_back(ring, i);
	return c->first;
}

static ssize_t
buffer_read(struct ring *ring, struct uring_connection *c, void *data,
    size_t size)
{
	uint32_t i = c->first;
	size_t left = ring->held[i].len - c->taken;

	if (size > left)
		size = left;
	memcpy(data, ring->room + i * BUFFER_SIZE + c->taken, size);
	c->taken += (uint32_t)size;
	if (size == left)
		(void)buffer_drop(ring, c);
	return (ssize_t)size;
}

/* -- connections -------------------------------------------------------- */

static void
connection_free(struct ring *ring, struct uring_connection *c)
{
	if (c->is_armed || c->polls > 0)
		return;         /* the last completion does it */
	while (c->first != NO_BUFFER)
		(void)buffer_drop(ring, c);
	c->next = ring->unused;
	ring->unused = c;
}

static void
add_block(struct ring *ring)
{
	struct block *block = malloc(sizeof(*block));

	if (block == NULL)
		return;
	block->next = ring->blocks;
	ring->blocks = block;
	for (int i = 0; i < A_BLOCK; i++) {
		block->items[i].next = ring->unused;
		ring->unused = &block->items[i];
	}
}

static struct uring_connection *
connection_new(struct ring *ring, struct fiber *fiber)
{
	struct uring_connection *c;

	if (ring->unused == NULL)
		add_block(ring);
	c = ring->unused;
	if (c == NULL)
		return NULL;
	ring->unused = c->next;
	*c = (struct uring_connection){
		.fiber = fiber, .end = 1, .first = NO_BUFFER,
	};
	return c;
}

static void
received(struct ring *ring, struct uring_connection *c,
    const struct io_uring_cqe *cqe)
{
	if (cqe->flags & IORING_CQE_F_BUFFER)
		buffer_hold(ring, c, cqe->flags >> IORING_CQE_BUFFER_SHIFT,
		    cqe->res > 0 ? (uint32_t)cqe->res : 0);
	if (!(cqe->flags & IORING_CQE_F_MORE))
		c->is_armed = false;
	if (cqe->res == BUFFER_SIZE || cqe->res == -ENOBUFS)
		c->is_bulk = true;
	else if (cqe->res <= 0 && cqe->res != -ECANCELED)
		c->end = cqe->res;
	if (c->is_bulk)
		call_off_receive(ring, c);
	if (c->fiber == NULL)
		connection_free(ring, c);
	else if (c->fiber->wait == WAIT_READ)
		fiber_wake(c->fiber, 0);
}

static void
polled(struct ring *ring, struct uring_connection *c)
{
	c->polls--;
	if (c->fiber == NULL)
		connection_free(ring, c);
	else if (c->fiber->wait == WAIT_READ || c->fiber->wait == WAIT_WRITE)
		fiber_wake(c->fiber, 0);
}

/* -- the reactor -------------------------------------------------------- */

static void
uring_adopt(struct fiber *fiber)
{
	fiber->uring = NULL;
}

/* The first message is often there already: that, too, is read as in bulk, unless
 * its receive can be begun along with many others. While one is under way no other
 * may overtake it. */
static ssize_t
uring_read(struct fiber *fiber, void *data, size_t size)
{
	struct uring_connection *c = fiber->uring;
	ssize_t n;

	if (c != NULL && c->first != NO_BUFFER)
		return buffer_read(ring_of(fiber), c, data, size);
	if (c != NULL && c->end <= 0)
		return c->end;
	if (c == NULL ? ring_of(fiber)->is_busy : !c->is_bulk || c->is_armed)
		return -EAGAIN;
	do
		n = recv(fiber->request.arrival.fd, data, size, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (c != NULL && n > 0 && n < BUFFER_SIZE && (size_t)n < size)
		c->is_bulk = false;
	return n < 0 ? -errno : n;
}

/* With those of others, at the end of this turn, where it succeeds or fails at
 * once; the fiber, from whose stack the kernel reads, stands still so long. */
static ssize_t
send_with_others(struct fiber *fiber, const void *data, size_t len)
{
	struct ring *ring = ring_of(fiber);
	struct io_uring_sqe *sqe = ask(ring, fiber, TAG_SEND);

	if (sqe == NULL)
		return -ENOBUFS;
	set_up(sqe, IORING_OP_SEND, fiber->request.arrival.fd);
	sqe->addr = (uintptr_t)data;
	sqe->len = (uint32_t)len;
	sqe->msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL;
	return fiber_wait(fiber, WAIT_SENT, CLOCK_NEVER);
}

static ssize_t
uring_write(struct fiber *fiber, const void *data, size_t len)
{
	ssize_t n;

	if (ring_of(fiber)->is_busy && len <= BUFFER_SIZE)
		return send_with_others(fiber, data, len);
	do
		n = send(fiber->request.arrival.fd, data, len,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

static int
uring_prepare(struct fiber *fiber, bool is_write)
{
	struct ring *ring = ring_of(fiber);
	struct uring_connection *c = fiber->uring;

	if (c == NULL)
		c = fiber->uring = connection_new(ring, fiber);
	if (c == NULL)
		return -ENOMEM;
	if (is_write)
		return ask_poll(ring, c, POLLOUT);
	if (c->is_armed)
		return 0;       /* or called off: its end wakes us */
	if (!c->is_bulk)
		return ask_receive(ring, c);
	return ask_poll(ring, c, POLLIN | POLLRDHUP);
}

/* The file stays open until the kernel has done with it: at the end of this
 * turn. */
static void
uring_release(struct fiber *fiber, bool is_closed_next)
{
	struct ring *ring = ring_of(fiber);
	struct uring_connection *c = fiber->uring;

	(void)is_closed_next;
	if (c == NULL)
		return;
	c->fiber = NULL;
	call_off_receive(ring, c);
	if (c->polls > 0)
		(void)call_off(ring, c, TAG_POLL);
	connection_free(ring, c);
	fiber->uring = NULL;
}

static void
ask_accept(struct ring *ring, struct uring_socket *s)
{
	struct io_uring_sqe *sqe = ask(ring, s, TAG_ACCEPT);

	if (sqe == NULL)
		return;         /* the next turn does */
	set_up(sqe, IORING_OP_ACCEPT, s->fd);
	sqe->ioprio = IORING_ACCEPT_MULTISHOT;
	sqe->accept_flags = SOCK_CLOEXEC;
	s->is_armed = true;
	s->is_cancelled = false;
}

static void
settle_sockets(struct ring *ring)
{
	for (unsigned i = 0; i < ring->socket_count; i++) {
		struct uring_socket *s = &ring->sockets[i];

		if (s->is_wanted && !s->is_armed)
			ask_accept(ring, s);
		if (!s->is_wanted && s->is_armed && !s->is_cancelled)
			s->is_cancelled = call_off(ring, s, TAG_ACCEPT);
	}
}

static void
accepted(struct event *event, struct uring_socket *s,
    const struct io_uring_cqe *cqe)
{
	struct ring *ring = event->ring;
	struct model_env *env = event->env;
	const unsigned i = (unsigned)(s - ring->sockets);

	s->is_armed = (cqe->flags & IORING_CQE_F_MORE) != 0;
	if (cqe->res != -ECANCELED)
		env->accepted(env, i, cqe->res);
	if (!s->is_armed && !s->is_wanted)
		env->unlistened(env);
}

static bool
uring_listen(struct event *event, unsigned i, int fd)
{
	struct ring *ring = event->ring;

	if (i >= SOCKETS)
		return false;
	if (i >= ring->socket_count)
		ring->socket_count = i + 1;
	ring->sockets[i].is_wanted = fd >= 0;
	if (fd >= 0)
		ring->sockets[i].fd = fd;
	return true;
}

static bool
uring_is_listening(const struct event *event)
{
	const struct ring *ring = event->ring;

	for (unsigned i = 0; i < ring->socket_count; i++)
		if (ring->sockets[i].is_armed)
			return true;
	return false;
}

static void
poll_loop(struct event *event)
{
	struct ring *ring = event->ring;
	struct io_uring_sqe *sqe;

	if (ring->is_loop_polled)
		return;
	sqe = ask(ring, NULL, TAG_LOOP);
	if (sqe == NULL)
		return;         /* the next turn does */
	set_up(sqe, IORING_OP_POLL_ADD, loop_fd(event->env->loop));
	sqe->poll32_events = POLLIN;
	ring->is_loop_polled = true;
}

static void
complete(struct event *event, const struct io_uring_cqe *cqe)
{
	struct ring *ring = event->ring;
	void *about = (void *)(uintptr_t)(cqe->user_data & ~(uint64_t)TAGS);

	switch ((enum tag)(cqe->user_data & TAGS)) {
	case TAG_RECEIVE:
		received(ring, about, cqe);
		break;
	case TAG_POLL:
		polled(ring, about);
		break;
	case TAG_LOOP:
		ring->is_loop_polled = false;
		break;
	case TAG_SEND:
		fiber_sent(about, cqe->res);
		break;
	case TAG_ACCEPT:
		accepted(event, about, cqe);
		break;
	case TAG_CANCEL:
	case TAGS:
		break;
	}
}

static int
wait_for_more(struct event *event)
{
	struct ring *ring = event->ring;
	struct io_uring_cqe *cqe;
	int ms = loop_wait_ms(event->env->loop, -1);
	struct __kernel_timespec ts = {
		.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * CLOCK_MS,
	};
	int r = io_uring_submit_and_wait_timeout(&ring->uring, &cqe, 1,
	    ms < 0 ? NULL : &ts, NULL);

	/* Too many completions at once: those that are there come first. */
	return r >= 0 || r == -ETIME || r == -EINTR || r == -EBUSY ||
	    r == -EAGAIN ? 0 : r;
}

static int
uring_turn(struct event *event)
{
	struct ring *ring = event->ring;
	struct io_uring_cqe *cqe;
	unsigned head, done = 0;
	int r;

	poll_loop(event);
	settle_sockets(ring);
	r = wait_for_more(event);
	if (r < 0)
		return r;
	loop_refresh(event->env->loop);
	ring->is_busy = io_uring_cq_ready(&ring->uring) >= MANY;
	io_uring_for_each_cqe(&ring->uring, head, cqe) {
		complete(event, cqe);
		done++;
	}
	io_uring_cq_advance(&ring->uring, done);
	if (!ring->is_loop_polled)
		return loop_turn(event->env->loop, 0);
	loop_run_timers(event->env->loop);
	return 0;
}

/* -- its life ----------------------------------------------------------- */

static int
make_buffers(struct ring *ring)
{
	const size_t size = BUFFERS * sizeof(struct io_uring_buf);
	struct io_uring_buf_reg reg = { .ring_entries = BUFFERS };
	int r;

	ring->shared = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	/* All of it is used in turn: it had better be there from the start. */
	ring->room = mmap(NULL, BUFFERS * BUFFER_SIZE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (ring->shared == MAP_FAILED || ring->room == MAP_FAILED)
		return -ENOMEM;
	reg.ring_addr = (uintptr_t)ring->shared;
	r = io_uring_register_buf_ring(&ring->uring, &reg, 0);
	if (r < 0)
		return r;
	io_uring_buf_ring_init(ring->shared);
	for (uint32_t i = 0; i < BUFFERS; i++)
		buffer_give_back(ring, i);
	return 0;
}

static int
uring_open(struct event *event, struct err *err)
{
	struct ring *ring = calloc(1, sizeof(*ring));
	struct io_uring_params params = {
		.flags = IORING_SETUP_SINGLE_ISSUER |
		    IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SUBMIT_ALL |
		    IORING_SETUP_CQSIZE,
		.cq_entries = COMPLETIONS,
	};
	int r;

	if (ring == NULL)
		return err_errno(err, ENOMEM, "io_uring");
	ring->shared = MAP_FAILED;
	ring->room = MAP_FAILED;
	r = io_uring_queue_init_params(ENTRIES, &ring->uring, &params);
	if (r < 0) {
		free(ring);
		return err_errno(err, -r, "io_uring");
	}
	event->ring = ring;
	r = make_buffers(ring);
	return r < 0 ? err_errno(err, -r, "io_uring's buffers") : 0;
}

static void
uring_close(struct event *event)
{
	struct ring *ring = event->ring;
	struct block *block;

	if (ring == NULL)
		return;
	io_uring_queue_exit(&ring->uring);
	if (ring->shared != MAP_FAILED)
		(void)munmap(ring->shared,
		    BUFFERS * sizeof(struct io_uring_buf));
	if (ring->room != MAP_FAILED)
		(void)munmap(ring->room, BUFFERS * BUFFER_SIZE);
	while ((block = ring->blocks) != NULL) {
		ring->blocks = block->next;
		free(block);
	}
	free(ring);
	event->ring = NULL;
}

const struct reactor uring_reactor = {
	.io = IO_URING,
	.open = uring_open,
	.close = uring_close,
	.turn = uring_turn,
	.listen = uring_listen,
	.is_listening = uring_is_listening,
	.adopt = uring_adopt,
	.read = uring_read,
	.write = uring_write,
	.prepare = uring_prepare,
	.release = uring_release,
};
