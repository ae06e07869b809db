/* SPDX-License-Identifier: ISC */
/*
 * One request from admission to the access line. Runs in whatever thread,
 * child or fiber the model chose; waits only through rq->io.
 */
#include "handler/request.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/digits.h"
#include "base/fd.h"
#include "base/log.h"
#include "handler/api.h"

#define REPLY_MAX 65536         /* no datagram is longer */
#define BUFFER_KEEP 65536       /* a larger buffer is not kept for the next */
#define SHORT_LIFE 2            /* waits of the shortest: one read, one write */

static bool
is_stream(const struct arrival *arrival)
{
	return arrival->endpoint->transport->is_stream;
}

/* -- closing ------------------------------------------------------------ */

/* Throw away what the peer still sends. True at its end, or when it is gone. */
static bool
is_peer_done(int fd)
{
	char scratch[4096];
	ssize_t n;

	for (int i = 0; i < 16; i++) {
		n = recv(fd, scratch, sizeof(scratch), MSG_DONTWAIT);
		if (n == 0)
			return true;
		if (n < 0 && errno != EINTR)
			return errno != EAGAIN;
	}
	return false;
}

static void
linger_here(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	int64_t until = clock_after_ms(HOST_LINGER_MS);

	while (poll(&pfd, 1, clock_left_ms(until)) > 0 && !is_peer_done(fd) &&
	    clock_now() < until)
		;
}

/*
 * Closing a socket that has unread input resets the connection, and a reset
 * can overtake the last reply (RFC 1122, 4.2.2.13). So: end our side, read
 * until the peer ends its own, then close. Not here: no worker is held by a
 * peer that takes its time.
 */
static void
close_in_order(struct host *host, int fd, bool is_eof, int linger_socket)
{
	if (!is_eof && shutdown(fd, SHUT_WR) == 0 &&
	    !is_peer_done(fd)) {
		if (linger_socket < 0) {
			host->linger(host, fd);
			return;
		}
		if (fd_pass(linger_socket, fd) < 0)
			linger_here(fd);
	}
	fd_close(&fd);
}

static void
close_with_reset(int fd)
{
	const struct linger off = { .l_onoff = 1, .l_linger = 0 };

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &off, sizeof(off));
	fd_close(&fd);
}

/* -- the access line ---------------------------------------------------- */

static void
log_end(struct request *rq, const char *result)
{
	const int64_t now = clock_now();
	struct log_access access = {
		.fields = {
			.listener = rq->host->conf->name,
			.generation = rq->host->generation,
			.worker = rq->worker,
			.request = rq->id,
			.peer = request_peer(rq),
			.head = rq->head,
		},
		.result = result,
		.bytes_in = rq->bytes_in,
		.bytes_out = rq->bytes_out,
		.duration_ns = now - rq->started_at,
		.ended_at = now,
	};

	if (rq->reason != REASON_NONE)
		access.fields.reason = reason_word(rq->reason);
	log_access(&access);
}

static const char *
result_of(const struct request *rq)
{
	if (rq->reason == REASON_VERIFY || rq->reason == REASON_SHED_IDLE)
		return "refused";
	if (rq->is_killed)
		return "error";
	if (!rq->has_failed)
		return "ok";
	switch (rq->first_errno) {
	case ETIMEDOUT:
		return "timeout";
	case ECONNRESET:
	case ECONNABORTED:
	case EPIPE:
		return "reset";
	default:
		return "error";
	}
}

/* -- admission ---------------------------------------------------------- */

enum reason
request_admit(const struct host *host, const struct arrival *arrival)
{
	if (arrival->peer_len > 0 && !acl_permits(&host->acl,
	    (const struct sockaddr *)&arrival->peer))
		return REASON_ACCESS;
	return REASON_NONE;
}

static void
send_refuse_text(const struct host *host, int fd)
{
	const char *text = host->conf->refuse_text;

	if (text[0] != '\0')    /* best effort: the peer is not served */
		(void)send(fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL);
}

void
request_refuse(struct host *host, struct arrival *arrival, enum reason reason)
{
	struct request rq;

	request_init(&rq, host, NULL, NULL);
	request_begin(&rq, arrival, request_id_of(host, arrival));
	rq.reason = reason;
	stats_refuse(host->stats, reason);
	log_end(&rq, "refused");
	if (!is_stream(arrival))
		return;
	if (reason == REASON_MAX_CONNECTIONS &&
	    host->conf->when_full == WHEN_FULL_RESET) {
		close_with_reset(arrival->fd);
	} else {
		send_refuse_text(host, arrival->fd);
		close_in_order(host, arrival->fd, false, -1);
	}
	arrival->fd = -1;
}

/* -- reading and writing ------------------------------------------------ */

static int
note_failure(struct request *rq, int r)
{
	if (rq->first_errno == 0)
		rq->first_errno = -r;
	return r;
}

/* A datagram, or what was read ahead of a connection. */
static ssize_t
read_arrived(struct request *rq, void *data, size_t size)
{
	size_t left = rq->arrival.len - rq->data_taken;

	if (size > left)
		size = left;
	if (size > 0)
		memcpy(data, rq->arrival.data + rq->data_taken, size);
	rq->data_taken += size;
	return (ssize_t)size;
}

static bool
has_bytes(const struct request *rq)
{
	char byte;

	return recv(rq->arrival.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

/* Others may need its place more than it does; unless its peer has spoken, and
 * nobody has had the time to look. Inline, it would have the stack of every read
 * guarded. */
static __attribute__((noinline)) ssize_t
read_idle(struct request *rq, void *data, size_t size)
{
	rq->is_idle = true;
	seat_idle_begin(rq->seat, clock_now());
	ssize_t n = rq->io->read(rq, data, size);
	rq->is_idle = false;
	bool is_over = n == -ECANCELED && !has_bytes(rq);
	rq->is_shed = seat_idle_end(rq->seat, is_over);
	return n == -ECANCELED && !is_over ? rq->io->read(rq, data, size) : n;
}

/* Nothing of a message has come yet, and somebody would shed it for that. */
static bool
can_be_shed(const struct request *rq)
{
	return rq->host->conf->when_full == WHEN_FULL_SHED_IDLE &&
	    rq->in.len == 0 && rq->seat != NULL && !rq->is_shed;
}

static ssize_t
wait_for_bytes(struct request *rq, void *data, size_t size)
{
	if (rq->arrival.failure < 0)
		return rq->arrival.failure;
	return can_be_shed(rq) ? read_idle(rq, data, size) :
	    rq->io->read(rq, data, size);
}

/* Wait for bytes; what was written and not sent yet goes out first, as the
 * peer may be waiting for it. */
static ssize_t
receive(struct request *rq, void *data, size_t size)
{
	if (rq->is_eof)
		return 0;
	if (rq->out.len > 0) {
		int r = request_flush(rq);
		if (r < 0)
			return r;
	}
	ssize_t n = rq->data_taken < rq->arrival.len ?
	    read_arrived(rq, data, size) : wait_for_bytes(rq, data, size);
	if (n < 0)
		return note_failure(rq, (int)n);
	rq->is_eof = n == 0;
	rq->bytes_in += (uint64_t)n;
	return n;
}

static size_t
take_buffered(struct request *rq, void *data, size_t size)
{
	size_t left = rq->in.len - rq->in_taken;

	if (size > left)
		size = left;
	memcpy(data, rq->in.data + rq->in_taken, size);
	rq->in_taken += size;
	if (rq->in_taken < rq->in.len)
		return size;
	if (rq->host->scratch != NULL)
		buf_free(&rq->in);
	else
		buf_clear(&rq->in);
	rq->in_taken = 0;
	return size;
}

ssize_t
request_read(struct request *rq, void *data, size_t size)
{
	if (size == 0)
		return 0;
	if (!is_stream(&rq->arrival))
		return read_arrived(rq, data, size);
	if (rq->in.len > 0)
		return (ssize_t)take_buffered(rq, data, size);
	return receive(rq, data, size);
}

/* Length of the line at the start: with its newline, or `size` bytes when that
 * many are there; 0 = neither yet. */
static size_t
line_length(const char *start, size_t have, size_t size, size_t searched)
{
	size_t look = have < size ? have : size;
	const char *end = NULL;

	if (look > searched)
		end = memchr(start + searched, '\n', look - searched);
	if (end != NULL)
		return (size_t)(end - start) + 1;
	return have >= size ? size : 0;
}

/* Receive more behind what is buffered. */
static ssize_t
fill(struct request *rq)
{
	size_t room = host_read_room(rq->host);

	if (rq->in_taken > 0) {
		buf_consume(&rq->in, rq->in_taken);
		rq->in_taken = 0;
	}
	if (buf_reserve(&rq->in, room) < 0)
		return note_failure(rq, -ENOMEM);
	ssize_t n = receive(rq, rq->in.data + rq->in.len, room);
	if (n > 0)
		rq->in.len += (size_t)n;
	return n;
}

/* Nothing is buffered: receive in the room that is everybody's, where nothing
 * may stay. 0: no whole line, what came is buffered now. */
static ssize_t
line_by_scratch(struct request *rq, void *data, size_t size)
{
	char *scratch = rq->host->scratch;
	ssize_t n = receive(rq, scratch, host_read_room(rq->host));
	size_t len;

	if (n <= 0)
		return n;
	len = line_length(scratch, (size_t)n, size, 0);
	memcpy(data, scratch, len);
	if (len < (size_t)n && buf_append(&rq->in, scratch + len,
	    (size_t)n - len) < 0)
		return note_failure(rq, -ENOMEM);
	return (ssize_t)len;
}

static ssize_t
line_of_datagram(struct request *rq, void *data, size_t size)
{
	const char *start = rq->arrival.data + rq->data_taken;
	size_t left = rq->arrival.len - rq->data_taken;
	const char *end = left > 0 ? memchr(start, '\n', left) : NULL;

	if (end != NULL && (size_t)(end - start) + 1 < size)
		size = (size_t)(end - start) + 1;
	return read_arrived(rq, data, size);
}

ssize_t
request_read_line(struct request *rq, void *data, size_t size)
{
	size_t searched = 0;

	if (size == 0)
		return 0;
	if (!is_stream(&rq->arrival))
		return line_of_datagram(rq, data, size);
	if (rq->host->scratch != NULL && rq->in.len == 0 && !rq->is_eof) {
		ssize_t n = line_by_scratch(rq, data, size);
		if (n != 0)
			return n;
	}
	for (;;) {
		size_t len = line_length(rq->in.data + rq->in_taken,
		    rq->in.len - rq->in_taken, size, searched);
		searched = rq->in.len - rq->in_taken;
		if (len == 0 && rq->is_eof)
			len = searched;
		if (len > 0)
			return (ssize_t)take_buffered(rq, data, len);
		if (rq->is_eof)
			return 0;
		ssize_t n = fill(rq);
		if (n < 0)
			return n;
	}
}

int
request_sleep(struct request *rq, int64_t ms)
{
	int r = rq->io->sleep(rq, ms);

	return r < 0 ? note_failure(rq, r) : 0;
}

int
request_flush(struct request *rq)
{
	int r = 0;

	if (!is_stream(&rq->arrival)) {
		if (!rq->has_reply)
			return 0;
		r = rq->arrival.endpoint->transport->reply(&rq->arrival,
		    rq->out.data, rq->out.len);
		if (r < 0)
			stats_add(rq->host->stats, COUNTER_REPLY_ERRORS, 1);
		else
			rq->bytes_out += rq->out.len;
		rq->has_reply = false;
	} else if (rq->out.len > 0) {
		r = rq->io->write(rq, rq->out.data, rq->out.len);
	}
	buf_clear(&rq->out);
	return r < 0 ? note_failure(rq, r) : 0;
}

static int
write_datagram(struct request *rq, const void *data, size_t len)
{
	if (rq->out.len + len > REPLY_MAX)
		return -EMSGSIZE;
	rq->has_reply = true;
	return buf_append(&rq->out, data, len);
}

int
request_write(struct request *rq, const void *data, size_t len)
{
	size_t room = (size_t)rq->host->conf->write_buffer_bytes;

	if (!is_stream(&rq->arrival))
		return write_datagram(rq, data, len);
	if (rq->is_write_ended)
		return note_failure(rq, -EPIPE);
	if (len == 0)
		return 0;
	if (rq->out.len + len <= room)
		return buf_append(&rq->out, data, len);
	int r = request_flush(rq);
	if (r == 0 && len < room)
		return buf_append(&rq->out, data, len);
	if (r == 0 && (r = rq->io->write(rq, data, len)) < 0)
		(void)note_failure(rq, r);
	return r;
}

int
request_end_write(struct request *rq)
{
	int r = request_flush(rq);

	if (r < 0 || !is_stream(&rq->arrival))
		return r;
	rq->is_write_ended = true;
	return shutdown(rq->arrival.fd, SHUT_WR) < 0 ? -errno : 0;
}

/* -- addresses ---------------------------------------------------------- */

const char *
request_peer(struct request *rq)
{
	if (rq->peer[0] == '\0')
		(void)sockaddr_format((struct sockaddr *)&rq->arrival.peer,
		    rq->arrival.peer_len, rq->peer);
	return rq->peer;
}

static void
learn_local(struct arrival *arrival)
{
	if (arrival->local_len > 0)
		return;
	arrival->local_len = sizeof(arrival->local);
	if (getsockname(arrival->fd, (struct sockaddr *)&arrival->local,
	    &arrival->local_len) < 0)
		arrival->local_len = 0;
	addr_canonical(&arrival->local, &arrival->local_len);
}

const char *
request_local(struct request *rq)
{
	struct arrival *arrival = &rq->arrival;

	if (rq->local[0] != '\0')
		return rq->local;
	learn_local(arrival);
	return sockaddr_format((struct sockaddr *)&arrival->local,
	    arrival->local_len, rq->local);
}

/* -- its seat ----------------------------------------------------------- */

void
request_sit_down(struct seat *seat, const struct arrival *arrival, uint64_t id,
    const char *worker, int64_t started_at)
{
	const struct addr *bound = &arrival->endpoint->addr;
	const struct seat_entry entry = {
		.id = id,
		.started_at = started_at,
		.worker = worker,
		.peer = &arrival->peer,
		.peer_len = arrival->peer_len,
		.local = arrival->local_len > 0 ? &arrival->local : &bound->sa,
		.local_len = arrival->local_len > 0 ? arrival->local_len :
		    bound->len,
	};

	seat_begin(seat, &entry);
}

/* The socket's own address says less than the connection's where it is bound to
 * all; asking is a system call, which a short life is spared. */
static void
show_local(struct request *rq)
{
	struct arrival *arrival = &rq->arrival;

	if (!arrival->endpoint->is_wildcard || arrival->local_len > 0)
		return;
	learn_local(arrival);
	if (arrival->local_len > 0)
		seat_set_local(rq->seat, &arrival->local, arrival->local_len);
}

/* A forked child has not touched the page of its seat, and a short life should
 * not have to: each page is a fault. */
bool
request_is_killed(struct request *rq, bool was_woken)
{
	if (rq->is_shed || (rq->is_idle && seat_is_shed(rq->seat)))
		return true;
	if (rq->seat == NULL || rq->is_killed)
		return rq->is_killed;
	if (rq->waits < SHORT_LIFE && !was_woken) {
		rq->waits++;
		if (rq->linger_socket >= 0)     /* a forked child */
			return false;
	} else if (rq->waits == SHORT_LIFE) {
		rq->waits++;
		show_local(rq);
	}
	seat_set_bytes(rq->seat, rq->bytes_in, rq->bytes_out);
	rq->is_killed = seat_is_killed(rq->seat, rq->id);
	return rq->is_killed;
}

/* -- names -------------------------------------------------------------- */

void
worker_name(char name[WORKER_NAME_SIZE], const char *kind, unsigned number)
{
	char *end = stpcpy(name, kind);

	*end++ = '-';
	*digits_put(end, number) = '\0';
}

/* -- life --------------------------------------------------------------- */

void
request_init(struct request *rq, struct host *host, const struct io *io,
    const char *worker)
{
	memset(rq, 0, sizeof(*rq));
	rq->pub.api = &handler_api;
	rq->host = host;
	rq->io = io;
	rq->worker = worker;
	rq->linger_socket = -1;
	buf_init(&rq->in, 0);
	buf_init(&rq->out, 0);
}

uint64_t
request_new_id(struct host *host)
{
	return 1 + atomic_fetch_add_explicit(&host->slab->next_id, 1,
	    memory_order_relaxed);
}

uint64_t
request_id_of(struct host *host, const struct arrival *arrival)
{
	return arrival->id != 0 ? arrival->id : request_new_id(host);
}

void
request_begin(struct request *rq, const struct arrival *arrival, uint64_t id)
{
	const struct listener_conf *conf = rq->host->conf;

	rq->pub.data = NULL;
	if (arrival != &rq->arrival)    /* else it was taken there */
		rq->arrival = *arrival;
	rq->id = id;
	rq->started_at = arrival->since > 0 ? arrival->since : clock_now();
	rq->session_at = conf->session_timeout_ms == 0 ? 0 :
	    rq->started_at + conf->session_timeout_ms * CLOCK_MS;
	rq->timeout_ms = conf->timeout_ms;
	rq->socket_ms[0] = rq->socket_ms[1] = conf->timeout_ms;
	rq->bytes_in = is_stream(arrival) ? 0 : arrival->len;
	rq->bytes_out = 0;
	rq->first_errno = 0;
	rq->reason = REASON_NONE;
	rq->has_failed = false;
	rq->is_killed = false;
	rq->is_idle = false;
	rq->is_shed = false;
	rq->waits = is_stream(arrival) && arrival->len > 0; /* the first */
	rq->is_eof = false;
	rq->is_write_ended = false;
	rq->has_reply = false;
	rq->data_taken = 0;
	rq->in_taken = 0;
	rq->peer[0] = rq->local[0] = '\0';
	if (rq->seat != NULL)
		request_sit_down(rq->seat, arrival, id, rq->worker,
		    rq->started_at);
}

/* What is logged when the handler has no error(): a peer that went away or
 * stayed silent is everyday, anything else is worth a warning. */
static void
log_failure(struct request *rq, const char *step, int status)
{
	struct log_fields fields = {
		.listener = rq->host->conf->name,
		.generation = rq->host->generation,
		.worker = rq->worker,
		.request = rq->id,
		.peer = request_peer(rq),
	};
	enum log_level level = rq->first_errno != 0 ? LOG_LEVEL_INFO :
	    LOG_LEVEL_WARNING;

	log_write(level, &fields, "handler \"%s\": %s() returned %d%s%s",
	    rq->host->module->handler.name, step, status,
	    rq->first_errno != 0 ? ": " : "",
	    rq->first_errno != 0 ? strerrordesc_np(rq->first_errno) : "");
}

static void
fail(struct request *rq, const char *step, int status)
{
	const struct ss_handler *handler = &rq->host->module->handler;

	rq->has_failed = true;
	if (rq->first_errno == ECANCELED && !rq->is_killed && !rq->is_shed)
		rq->reason = REASON_DRAINING;
	if (handler->error != NULL)
		handler->error(&rq->pub, status);
	else
		log_failure(rq, step, status);
}

void
request_serve(struct request *rq)
{
	const struct ss_handler *handler = &rq->host->module->handler;
	int status;

	if (handler->verify != NULL && handler->verify(&rq->pub) == 0) {
		rq->reason = REASON_VERIFY;
		return;
	}
	if (handler->setup != NULL && (status = handler->setup(&rq->pub)) != 0) {
		fail(rq, "setup", status);
		return;
	}
	if ((status = handler->handle(&rq->pub)) != 0)
		fail(rq, "handle", status);
	if (handler->finish != NULL)
		handler->finish(&rq->pub);
}

static void
count_end(const struct request *rq)
{
	const struct host *host = rq->host;

	/* Beside each other: a crash in between is rare enough. */
	host_count(host, COUNTER_ACTIVE, -1);
	if (rq->reason == REASON_VERIFY || rq->reason == REASON_SHED_IDLE)
		stats_refuse(host->stats, rq->reason);
	else
		host_count(host, rq->has_failed ? COUNTER_ERRORS :
		    COUNTER_REQUESTS, 1);
	host_count(host, COUNTER_BYTES_IN, (int64_t)rq->bytes_in);
	host_count(host, COUNTER_BYTES_OUT, (int64_t)rq->bytes_out);
}

static void
keep_small(struct buf *buf)
{
	if (buf->cap > BUFFER_KEEP)
		buf_free(buf);
	else
		buf_clear(buf);
}

void
request_flush_last(struct request *rq)
{
	if (rq->reason == REASON_VERIFY) {
		if (is_stream(&rq->arrival))
			send_refuse_text(rq->host, rq->arrival.fd);
	} else if (request_flush(rq) < 0 && is_stream(&rq->arrival)) {
		rq->has_failed = true;          /* the peer lacks the end */
	}
}

bool
request_closes_at_once(const struct request *rq)
{
	return rq->is_eof || rq->is_killed || rq->is_shed ||
	    host_is_cancelled(rq->host);
}

void
request_close(struct request *rq)
{
	rq->has_failed = rq->has_failed || rq->is_killed || rq->is_shed;
	if (rq->is_shed && !rq->is_killed)
		rq->reason = REASON_SHED_IDLE;
	log_end(rq, result_of(rq));
	count_end(rq);
	if (is_stream(&rq->arrival))
		close_in_order(rq->host, rq->arrival.fd,
		    request_closes_at_once(rq), rq->linger_socket);
	rq->arrival.fd = -1;
	/* Last: who was shed for a newcomer is seen to leave until he is gone. */
	if (rq->seat != NULL && !rq->is_seat_lent)
		seat_end(rq->seat);
	keep_small(&rq->in);
	keep_small(&rq->out);
}

void
request_end(struct request *rq)
{
	request_flush_last(rq);
	request_close(rq);
}

void
request_abandon(struct host *host, struct arrival *arrival, const char *result)
{
	struct request rq;

	request_init(&rq, host, NULL, NULL);
	request_begin(&rq, arrival, request_id_of(host, arrival));
	rq.has_failed = true;
	log_end(&rq, result);
	count_end(&rq);
	fd_close(&arrival->fd);
}

void
request_free(struct request *rq)
{
	buf_free(&rq->in);
	buf_free(&rq->out);
}

void
request_crashed(struct host *host, uint64_t id, const char *worker,
    const struct sockaddr *peer, socklen_t peer_len, int64_t started_at)
{
	char text[ADDR_TEXT_SIZE];
	struct log_access access = {
		.fields = {
			.listener = host->conf->name,
			.generation = host->generation,
			.worker = worker,
			.request = id,
			.peer = sockaddr_format(peer, peer_len, text),
		},
		.result = "crash",
		.duration_ns = clock_now() - started_at,
	};

	stats_add(host->stats, COUNTER_ERRORS, 1);
	log_access(&access);
}
