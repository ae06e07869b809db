/* SPDX-License-Identifier: ISC */
/*
 * Waiting in system calls: for models with a thread or a process a request.
 *
 * The timeout of a wait is the socket's own SO_RCVTIMEO and SO_SNDTIMEO
 * (socket(7)), set once for all connections, so that a read costs one system
 * call. EINTR comes from SIG_NUDGE: see whether the wait was cancelled, then
 * wait for what is left of the time.
 */
#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "handler/request.h"

enum direction { RECEIVE, SEND };

/* One wait that may take several system calls. */
struct span {
	int64_t since;
	bool is_resumed;
};

static int
socket_timeout(struct request *rq, enum direction direction, int64_t ms)
{
	struct timeval tv = { ms / 1000, ms % 1000 * 1000 };

	if (rq->socket_ms[direction] == ms)
		return 0;
	if (setsockopt(rq->arrival.fd, SOL_SOCKET,
	    direction == RECEIVE ? SO_RCVTIMEO : SO_SNDTIMEO, &tv,
	    sizeof(tv)) < 0)
		return -errno;
	rq->socket_ms[direction] = ms;
	return 0;
}

static int64_t
sooner(int64_t a_ms, int64_t b_ms)
{
	return a_ms == 0 || b_ms < a_ms ? b_ms : a_ms;
}

/* Before each system call of a wait: may it go on, and for how long? */
static int
span_arm(const struct span *span, struct request *rq, enum direction direction)
{
	int64_t ms = rq->timeout_ms;

	if (host_is_cancelled(rq->host) ||
	    request_is_killed(rq, span->is_resumed))
		return -ECANCELED;
	if (ms > 0 && span->is_resumed) {
		ms -= (clock_now() - span->since) / CLOCK_MS;
		if (ms <= 0)
			return -ETIMEDOUT;
	}
	if (rq->session_at > 0) {
		int64_t left = (rq->session_at - clock_now()) / CLOCK_MS;
		if (left <= 0)
			return -ETIMEDOUT;
		ms = sooner(ms, left);
	}
	return socket_timeout(rq, direction, ms);
}

static ssize_t
block_read(struct request *rq, void *data, size_t size)
{
	struct span span = { .since = clock_coarse() };

	for (;;) {
		int r = span_arm(&span, rq, RECEIVE);
		if (r < 0)
			return r;
		ssize_t n = recv(rq->arrival.fd, data, size, 0);
		if (n >= 0)
			return n;
		if (errno == EAGAIN)
			return -ETIMEDOUT;
		if (errno != EINTR)
			return -errno;
		span.is_resumed = true;
	}
}

static int
block_write(struct request *rq, const void *data, size_t len)
{
	struct span span = { .since = clock_coarse() };
	const char *p = data;

	while (len > 0) {
		int r = span_arm(&span, rq, SEND);
		if (r < 0)
			return r;
		ssize_t n = send(rq->arrival.fd, p, len, MSG_NOSIGNAL);
		if (n < 0 && errno == EAGAIN)
			return -ETIMEDOUT;
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			p += n;
			len -= (size_t)n;
			rq->bytes_out += (uint64_t)n;
		}
		span.is_resumed = true;
	}
	return 0;
}

static int
block_sleep(struct request *rq, int64_t ms)
{
	int64_t at = clock_now() + ms * CLOCK_MS;
	bool is_cut = rq->session_at > 0 && rq->session_at < at;
	bool was_woken = false;

	log_tell();
	if (is_cut)
		at = rq->session_at;
	struct timespec ts = { at / CLOCK_SECOND, at % CLOCK_SECOND };
	while (!host_is_cancelled(rq->host) &&
	    !request_is_killed(rq, was_woken)) {
		if (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts,
		    NULL) == 0)
			return is_cut ? -ETIMEDOUT : 0;
		was_woken = true;
	}
	return -ECANCELED;
}

const struct io io_block = {
	.read = block_read,
	.write = block_write,
	.sleep = block_sleep,
};
