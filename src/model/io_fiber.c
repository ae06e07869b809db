/* SPDX-License-Identifier: ISC */
/*
 * Waiting as a fiber: what the reactor has is taken; where it has nothing, the
 * thread goes on with other fibers. A fiber whose peer is always ready gives
 * way after PASSES_MAX reads and writes.
 *
 * The time is that of the loop's turn: a read or write costs no look at a clock.
 */
#include <errno.h>

#include "base/clock.h"
#include "model/event.h"

#define PASSES_MAX 32

static struct fiber *
fiber_of(struct request *rq)
{
	return (struct fiber *)rq;      /* its first member */
}

/* The end of a wait that begins now. */
static int64_t
deadline(const struct request *rq, int64_t now)
{
	int64_t at = rq->timeout_ms > 0 ? now + rq->timeout_ms * CLOCK_MS :
	    CLOCK_NEVER;

	return rq->session_at > 0 && rq->session_at < at ? rq->session_at : at;
}

/* May it go on? A kill comes by event_wake(), which sees to is_killed. */
static inline int
check(const struct request *rq)
{
	if (rq->is_killed || host_is_cancelled(rq->host))
		return -ECANCELED;
	if (rq->session_at > 0 && rq->session_at <=
	    loop_now(((const struct fiber *)rq)->event->env->loop))
		return -ETIMEDOUT;
	return 0;
}

static int
give_way(struct fiber *fiber)
{
	int r = fiber_wait(fiber, WAIT_SLEEP,
	    loop_now(fiber->event->env->loop));

	return r == -ETIMEDOUT ? check(&fiber->request) : r;
}

/* Before each read and write. */
static inline int
begin(struct fiber *fiber)
{
	int r = check(&fiber->request);

	return r == 0 && ++fiber->passes >= PASSES_MAX ? give_way(fiber) : r;
}

static int
wait_ready(struct fiber *fiber, enum fiber_wait wait, int64_t *until)
{
	struct request *rq = &fiber->request;
	int r = fiber->event->reactor->prepare(fiber, wait == WAIT_WRITE);

	if (*until == 0)
		*until = deadline(rq, loop_now(fiber->event->env->loop));
	(void)request_is_killed(rq, true);      /* shows how far it has come */
	if (r == 0)
		r = fiber_wait(fiber, wait, *until);
	return r == 0 ? check(rq) : r;
}

static ssize_t
fiber_read(struct request *rq, void *data, size_t size)
{
	struct fiber *fiber = fiber_of(rq);
	int64_t until = 0;
	int r = begin(fiber);

	while (r == 0) {
		ssize_t n = fiber->event->reactor->read(fiber, data, size);

		if (n != -EAGAIN)
			return n;
		r = wait_ready(fiber, WAIT_READ, &until);
	}
	return r;
}

static int
fiber_write(struct request *rq, const void *data, size_t len)
{
	struct fiber *fiber = fiber_of(rq);
	const char *p = data;
	int64_t until = 0;
	int r = begin(fiber);

	while (len > 0 && r == 0) {
		ssize_t n = fiber->event->reactor->write(fiber, p, len);

		if (n > 0) {
			p += n;
			len -= (size_t)n;
			rq->bytes_out += (uint64_t)n;
		} else if (n == -EAGAIN) {
			r = wait_ready(fiber, WAIT_WRITE, &until);
		} else {
			r = (int)n;
		}
	}
	return r;
}

static int
fiber_sleep(struct request *rq, int64_t ms)
{
	int64_t at = clock_now() + ms * CLOCK_MS;
	bool is_cut = rq->session_at > 0 && rq->session_at < at;
	int r;

	if (is_cut)
		at = rq->session_at;
	(void)request_is_killed(rq, true);
	while ((r = check(rq)) == 0 && (r = fiber_wait(fiber_of(rq), WAIT_SLEEP,
	    at)) == 0)
		continue;
	return r == -ETIMEDOUT && !is_cut ? 0 : r;
}

const struct io io_fiber = {
	.read = fiber_read,
	.write = fiber_write,
	.sleep = fiber_sleep,
};
