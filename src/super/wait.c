/* SPDX-License-Identifier: ISC */
#include "super/wait.h"

#include <stdio.h>

#include "super/command.h"
#include "super/super.h"

static void
answer_state(struct super *super, uint64_t ticket,
    const struct listener *listener)
{
	command_answer(super, ticket, json_pack("{s:s, s:s}", "name",
	    listener->name, "state", listener_state(listener)));
}

/* true: answered. */
static bool
wait_judge(struct super *super, const struct wait *wait)
{
	const struct listener *listener = super_listener(super, wait->name);

	if (listener == NULL) {
		command_refuse(super, wait->ticket, WIRE_NO, "listener \"%s\" "
		    "was removed meanwhile", wait->name);
		return true;
	}
	if (wait->generation == 0) {
		if (!listener_is_idle(listener))
			return false;
		answer_state(super, wait->ticket, listener);
		return true;
	}
	switch (listener_fate(listener, wait->generation)) {
	case LISTENER_PENDING:
		return false;
	case LISTENER_DONE:
		answer_state(super, wait->ticket, listener);
		return true;
	default:
		command_refuse(super, wait->ticket, WIRE_NO, "listener \"%s\" "
		    "does not start: %s", wait->name, listener->complaint.text);
		return true;
	}
}

void
wait_review(struct super *super)
{
	size_t i;

	for (i = 0; i < WAITS_MAX; i++)
		if (super->waits[i].ticket != 0 &&
		    wait_judge(super, &super->waits[i]))
			super->waits[i].ticket = 0;
}

void
wait_add(struct super *super, uint64_t ticket,
    const struct listener *listener, unsigned generation)
{
	struct wait *wait = NULL;
	size_t i;

	for (i = 0; i < WAITS_MAX && wait == NULL; i++)
		if (super->waits[i].ticket == 0)
			wait = &super->waits[i];
	if (wait == NULL) {
		command_refuse(super, ticket, WIRE_NO, "too many commands wait "
		    "for listeners; this one is carried out, but not waited "
		    "for");
		return;
	}
	wait->ticket = ticket;
	wait->generation = generation;
	(void)snprintf(wait->name, sizeof(wait->name), "%s", listener->name);
	wait_review(super);
}
