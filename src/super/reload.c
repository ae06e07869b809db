/* SPDX-License-Identifier: ISC */
/*
 * A reload from the question to the answer:
 *
 *	start -> (loader) -> loaded -> plan, open -> carry_out
 *	    -> review ... settle -> review ... finish
 *
 * Until carry_out() everything can be thrown away.
 */
#include "super/reload.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "super/change.h"
#include "super/command.h"
#include "super/logging.h"
#include "super/notify.h"
#include "super/reload_item.h"
#include "super/super.h"
#include "super/tell.h"

#define BACK_AGAIN_MS 2000      /* from a failed way back to the next */

static void reload_start(struct reload *reload);
static void unconfirmed(struct timer *timer);

/* The end */

static void
start_again(struct timer *timer)
{
	struct reload *reload = timer->arg;

	if (reload->is_running || reload->queued == 0 ||
	    reload->super->phase != SUPER_SERVING ||
	    upgrade_is_running(&reload->super->upgrade))
		return;
	reload->request = reload->queue[0];
	reload->queued--;
	memmove(&reload->queue[0], &reload->queue[1],
	    reload->queued * sizeof(reload->queue[0]));
	reload_start(reload);
}

/* why NULL: all went well. */
static void
reload_end(struct reload *reload, const char *why)
{
	struct super *super = reload->super;

	if (reload->request.kind != RELOAD_PLAN) {
		reload->last = (struct reload_last){
			.at = clock_now(), .is_ok = why == NULL,
		};
		err_set(&reload->last.why, "%s", why != NULL ? why : "");
		super_notify_ready(super);
	}
	if (reload->request.ticket != 0)
		change_answer_reload(super, why);
	plan_clear(&reload->plan);
	faults_free(&reload->faults);
	reload->is_running = false;
	reload_resume(reload);
}

static void
confirm_within(struct reload *reload, int64_t ms)
{
	struct loop *loop = reload->super->loop;

	(void)timer_start(loop, &reload->confirm, loop_now(loop) +
	    ms * CLOCK_MS, unconfirmed, reload);
}

/* A fault before anything was changed: told line by line, as at a start. The
 * way back is tried until it succeeds: what is in its way may go. */
static void
reload_refuse(struct reload *reload, const char *why)
{
	const char *line = reload->faults.text.data, *end;

	if (reload->request.kind == RELOAD_PLAN) {
		reload_end(reload, why);
		return;
	}
	for (; line != NULL && *line != '\0'; line = end + (*end == '\n')) {
		end = line + strcspn(line, "\n");
		log_error("%.*s", (int)(end - line), line);
	}
	log_error("reload refused: %s; nothing has changed", why);
	if (reload->is_overdue)
		confirm_within(reload, BACK_AGAIN_MS);
	reload_end(reload, why);
}

static unsigned
count_results(const struct plan *plan, enum plan_result result)
{
	unsigned count = 0;
	size_t i;

	for (i = 0; i < plan->count; i++)
		count += plan->items[i].result == result;
	return count;
}

static void
unconfirmed(struct timer *timer)
{
	struct reload *reload = timer->arg;

	log_warning("the configuration was not confirmed in time: going back "
	    "to the one before");
	if (!reload_ask(reload,
	    &(struct reload_request){ .kind = RELOAD_BACK }))
		confirm_within(reload, BACK_AGAIN_MS);
}

void
reload_revive(struct reload *reload)
{
	if (reload->confirm.at != 0)
		(void)timer_start(reload->super->loop, &reload->confirm,
		    reload->confirm.at, unconfirmed, reload);
	reload_resume(reload);
}

/* What belongs to no listener, once all listeners have what they get. */
static void
reload_settle(struct reload *reload)
{
	struct super *super = reload->super;
	struct err err;

	reload->is_settled = true;
	logging_apply(super);
	if (super_write_addresses(super, &err) < 0)
		super_complain(super, NULL, err.text);
}

static void
reload_finish(struct reload *reload)
{
	unsigned failed = count_results(&reload->plan, PLAN_FAILED);
	unsigned done = count_results(&reload->plan, PLAN_DONE);
	struct err err;

	if (reload->request.confirm_ms > 0)
		confirm_within(reload, reload->request.confirm_ms);
	log_write(failed > 0 ? LOG_LEVEL_ERROR : LOG_LEVEL_NOTICE, NULL,
	    "reload: %u listener%s changed, %u unchanged, %u failed", done,
	    done == 1 ? "" : "s",
	    count_results(&reload->plan, PLAN_UNCHANGED), failed);
	err_set(&err, "%u of %u listeners could not be changed and go on as "
	    "they were", failed, failed + done);
	reload_end(reload, failed > 0 ? err.text : NULL);
}

/* Waiting for the generations that were started */

void
reload_review(struct reload *reload)
{
	struct plan *plan = &reload->plan;
	size_t i;

	if (!reload->is_running || !reload->is_carried_out)
		return;
	for (i = 0; i < plan->count; i++)
		if (plan->items[i].result == PLAN_PENDING)
			reload_item_judge(&plan->items[i]);
	if (count_results(plan, PLAN_PENDING) > 0)
		return;
	if (!reload->is_settled)
		reload_settle(reload);
	if (logging_is_followed(reload->super))
		reload_finish(reload);
}

/* Doing what was planned */

/* Listeners that go away first, so that they let go of sockets that move. */
static void
reload_carry_out(struct reload *reload)
{
	struct super *super = reload->super;
	struct plan *plan = &reload->plan;
	size_t i;

	held_put(&reload->previous);
	reload->previous = super->held;
	super->held = held_get(plan->held);
	if (reload->request.kind == RELOAD_BACK)
		held_put(&reload->previous);    /* no way forth again */
	reload->applied++;
	for (i = 0; i < plan->count; i++)
		if (plan->items[i].conf == NULL)
			reload_item_do(&plan->items[i], super, plan->held);
	for (i = 0; i < plan->count; i++)
		if (plan->items[i].conf != NULL)
			reload_item_do(&plan->items[i], super, plan->held);
	reload->is_carried_out = true;
	reload_review(reload);
}

/* From a configuration to a plan with open sockets */

static void
reload_to(struct reload *reload, struct held *held)
{
	struct super *super = reload->super;

	if (plan_make(&reload->plan, super->listeners, super->listener_count,
	    super->held->config, held) < 0) {
		reload_refuse(reload, "out of memory");
		return;
	}
	if (reload->request.kind == RELOAD_PLAN) {
		reload_end(reload, NULL);
		return;
	}
	if (plan_open(&reload->plan, super->listeners, super->listener_count,
	    &super->inherit, &super->store, &reload->faults) < 0) {
		reload_refuse(reload, "an address cannot be opened");
		return;
	}
	reload_carry_out(reload);
}

/* The loader's answer. Takes the configuration over. */
static void
reload_loaded(void *arg, enum exit_code code, struct config *config,
    const char *faults)
{
	struct reload *reload = arg;
	struct held *held;

	if (faults != NULL)
		(void)buf_puts(&reload->faults.text, faults);
	if (code != EXIT_OK || config == NULL) {
		config_free(&config);
		reload_refuse(reload, code == EXIT_NO_FILE ?
		    "the configuration file cannot be read" :
		    "the configuration has a fault");
		return;
	}
	held = held_new(&config);
	if (held == NULL) {
		reload_refuse(reload, "out of memory");
		return;
	}
	if (held_serves(held)) {
		reload_to(reload, held);
	} else {
		fault_add(&reload->faults, held->config->file, 0, NULL, NULL,
		    HELD_SERVES_NOT);
		reload_refuse(reload, "the configuration has a fault");
	}
	held_put(&held);
}

static void
reload_back(struct reload *reload)
{
	struct held *back;

	if (reload->previous == NULL) {
		reload_refuse(reload, "there is no configuration before this "
		    "one");
		return;
	}
	/* Asked by a timer that is over, or before it is. */
	reload->is_overdue = reload->request.ticket == 0 ||
	    timer_is_running(&reload->confirm);
	timer_stop(reload->super->loop, &reload->confirm);
	back = held_get(reload->previous);
	reload_to(reload, back);
	held_put(&back);
}

static void
reload_start(struct reload *reload)
{
	struct super *super = reload->super;
	struct err err;

	reload->is_running = true;
	reload->is_carried_out = reload->is_settled = false;
	reload->is_overdue = false;
	faults_init(&reload->faults);
	if (reload->request.kind != RELOAD_PLAN)
		notify_reloading();
	if (reload->request.kind == RELOAD_BACK) {
		reload_back(reload);
		return;
	}
	if (reload->request.kind == RELOAD_APPLY &&
	    timer_is_running(&reload->confirm)) {
		reload_refuse(reload, "a configuration waits to be confirmed; "
		    "socketserverctl confirm or rollback first");
		return;
	}
	if (loader_start(&reload->loader, super->loop, super->options,
	    &super->program, reload_loaded, reload, &err) < 0)
		reload_refuse(reload, err.text);
}

/* What others ask */

void
reload_init(struct reload *reload, struct super *super)
{
	*reload = (struct reload){ .super = super };
}

/* One signal is as good as many; so is one that comes while another waits. */
static bool
is_asked_already(const struct reload *reload,
    const struct reload_request *request)
{
	unsigned i;

	for (i = 0; request->ticket == 0 && i < reload->queued; i++)
		if (reload->queue[i].ticket == 0 &&
		    reload->queue[i].kind == request->kind)
			return true;
	return false;
}

bool
reload_ask(struct reload *reload, const struct reload_request *request)
{
	if (reload->super->phase > SUPER_SERVING)
		return false;
	if (is_asked_already(reload, request))
		return true;
	if (reload->queued == RELOAD_QUEUE_MAX)
		return false;
	reload->queue[reload->queued++] = *request;
	reload_resume(reload);
	return true;
}

void
reload_resume(struct reload *reload)
{
	if (!reload->is_running)
		(void)timer_start(reload->super->loop, &reload->again,
		    loop_now(reload->super->loop), start_again, reload);
}

int64_t
reload_confirm_ms(const struct reload *reload)
{
	int64_t left;

	if (!timer_is_running(&reload->confirm))
		return -1;
	left = (reload->confirm.at - clock_now()) / CLOCK_MS;
	return left > 0 ? left : 0;
}

bool
reload_confirm(struct reload *reload)
{
	if (!timer_is_running(&reload->confirm))
		return false;
	timer_stop(reload->super->loop, &reload->confirm);
	log_notice("the configuration was confirmed");
	return true;
}

void
reload_cancel(struct reload *reload)
{
	static const char why[] = "the daemon is stopping";
	struct loop *loop = reload->super->loop;
	unsigned i;

	timer_stop(loop, &reload->confirm);
	loader_cancel(&reload->loader);
	if (reload->is_running)
		reload_end(reload, why);
	for (i = 0; i < reload->queued; i++)
		if (reload->queue[i].ticket != 0)
			command_refuse(reload->super, reload->queue[i].ticket,
			    WIRE_NO, "%s", why);
	reload->queued = 0;
	timer_stop(loop, &reload->again);
}

void
reload_free(struct reload *reload)
{
	loader_free(&reload->loader);
	held_put(&reload->previous);
}
