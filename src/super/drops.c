/* SPDX-License-Identifier: ISC */
#include "super/drops.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/log.h"
#include "super/listener.h"

#define LOOK_EVERY_MS 10000
#define TELL_EVERY_NS (60 * CLOCK_SECOND)

uint32_t
drops_since(uint32_t *last, uint32_t now)
{
	uint32_t more = now - *last;

	*last = now;
	return more;
}

int64_t
drops_to_tell(struct drops *drops, int64_t now)
{
	int64_t more = drops->total - drops->told;

	if (more == 0 || (drops->told_at != 0 &&
	    now - drops->told_at < TELL_EVERY_NS))
		return 0;
	drops->told = drops->total;
	drops->told_at = now;
	return more;
}

static bool
is_udp(const struct bound *bound)
{
	return bound->endpoint.transport == &udp_transport;
}

void
drops_look(struct listener *listener)
{
	struct log_fields fields = { .listener = listener->name };
	struct endpoint_queue queue = { 0 };
	int64_t more;
	size_t i;

	for (i = 0; i < listener->sockets.count; i++) {
		struct bound *bound = listener->sockets.items[i];

		if (is_udp(bound) &&
		    endpoint_queue(&bound->endpoint, &queue) == 0)
			listener->drops.total += drops_since(&bound->dropped,
			    queue.dropped);
	}
	more = drops_to_tell(&listener->drops, clock_now());
	if (more > 0)
		log_write(LOG_LEVEL_WARNING, &fields, "the kernel dropped %"
		    PRId64 " datagrams, %" PRId64 " in all: they came faster "
		    "than they were served, and a queue of %" PRIu32 " bytes "
		    "was full; raise rcvbuf, up to net.core.rmem_max", more,
		    listener->drops.total, queue.size_bytes);
}

static void
look_again(struct timer *timer)
{
	struct listener *listener = timer->arg;

	drops_look(listener);
	drops_watch(listener);
}

void
drops_watch(struct listener *listener)
{
	struct timer *timer = &listener->drops.timer;
	struct loop *loop = listener->env->loop;
	bool has_udp = false;
	size_t i;

	for (i = 0; i < listener->sockets.count; i++)
		has_udp = has_udp || is_udp(listener->sockets.items[i]);
	if (!has_udp || loop == NULL || timer_is_running(timer))
		return;
	/* Without memory for a timer: when somebody asks. */
	(void)timer_start(loop, timer, loop_now(loop) +
	    LOOK_EVERY_MS * CLOCK_MS, look_again, listener);
}
