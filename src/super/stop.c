/* SPDX-License-Identifier: ISC */
/*
 * How the daemon stops: not ready any more (lame_duck), then draining, then
 * gone; or at once, when it is asked a second time.
 */
#include "base/clock.h"
#include "base/log.h"
#include "super/super.h"

#define EXTEND_EVERY_MS 5000
#define EXTEND_BY_MS 15000

static void
extend_again(struct timer *timer)
{
	struct super *super = timer->arg;

	notify_extend(EXTEND_BY_MS);
	(void)timer_start(super->loop, timer,
	    loop_now(super->loop) + EXTEND_EVERY_MS * CLOCK_MS, extend_again,
	    super);
}

static void
super_drain(struct super *super)
{
	size_t i;

	super->phase = SUPER_STOPPING;
	timer_stop(super->loop, &super->lame_duck);
	for (i = 0; i < super->listener_count; i++)
		listener_stop(super->listeners[i], LISTENER_STOPPED);
	super_check_finished(super);
}

static void
super_stop_now(struct super *super, const char *who)
{
	size_t i;

	log_notice("%s while stopping: ending at once", who);
	if (super->phase == SUPER_LAME)
		super_drain(super);
	for (i = 0; i < super->listener_count; i++)
		listener_kill(super->listeners[i]);
}

static void
lame_duck_over(struct timer *timer)
{
	struct super *super = timer->arg;

	log_notice("draining");
	super_drain(super);
}

/* Nobody is told to come any more, and who comes all the same is served: the
 * load balancers need a moment to hear of it. */
static void
super_be_lame(struct super *super, int64_t ms)
{
	super->phase = SUPER_LAME;
	log_notice("not ready any more; still accepting for %.1f s",
	    (double)ms / 1000);
	if (timer_start(super->loop, &super->lame_duck,
	    loop_now(super->loop) + ms * CLOCK_MS, lame_duck_over, super) < 0)
		super_drain(super);
}

void
super_stop(struct super *super, const char *who)
{
	int64_t lame_ms = super->held->config->lame_duck_ms;

	if (super->phase >= SUPER_LAME) {
		super_stop_now(super, who);
		return;
	}
	log_notice("stopping on %s", who);
	upgrade_cancel(super);
	reload_cancel(&super->reload);
	notify_stopping(&super->notify);
	store_leave(&super->store);
	super->extend.arg = super;
	extend_again(&super->extend);
	if (lame_ms > 0 && super->phase == SUPER_SERVING)
		super_be_lame(super, lame_ms);
	else
		super_drain(super);
}
