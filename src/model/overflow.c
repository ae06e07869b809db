/* SPDX-License-Identifier: ISC */
/*
 * A fiber whose stack is full touches the guard below it. The kernel's signal
 * finds a handler on a stack of its own here, since the only one that knows
 * whose stack it was dies of it. Signal handlers do nothing elsewhere.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/log.h"
#include "model/event.h"

#define OWN_STACK (64 << 10)

/* The process's event model, for the signal handler. */
static struct {
	const struct event *event;
	stack_t stack;
	struct sigaction before;
} watched;

static void
tell(struct fiber *fiber)
{
	const struct host *host = fiber->request.host;
	struct log_fields fields = {
		.listener = host->conf->name,
		.generation = host->generation,
		.worker = fiber->request.worker,
		.request = fiber->request.id,
		.peer = request_peer(&fiber->request),
	};

	log_dying(&fields, "handler \"%s\": stack overflow: a request has "
	    "%zu KiB; raise stack_size, or keep large arrays off the stack",
	    host->module->handler.name,
	    stack_size(watched.event->stacks) >> 10);
}

/* What faulted faults again when this returns, and then it is fatal; a signal
 * that somebody sent must be sent again. */
static void
faulted(int number, siginfo_t *info, void *context)
{
	const struct event *event = watched.event;
	struct fiber *fiber = event != NULL ? event->running : NULL;
	const int saved = errno;

	(void)context;
	if (fiber != NULL &&
	    stack_is_guard(event->stacks, fiber->stack, info->si_addr))
		tell(fiber);
	(void)sigaction(number, &watched.before, NULL);
	if (info->si_code <= 0)
		(void)raise(number);
	errno = saved;
}

int
overflow_watch(const struct event *event)
{
	struct sigaction action = {
		.sa_sigaction = faulted,
		.sa_flags = SA_SIGINFO | SA_ONSTACK,
	};

	watched.stack.ss_size = OWN_STACK;
	watched.stack.ss_sp = mmap(NULL, OWN_STACK, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (watched.stack.ss_sp == MAP_FAILED)
		return -errno;
	if (sigaltstack(&watched.stack, NULL) < 0 ||
	    sigaction(SIGSEGV, &action, &watched.before) < 0)
		return -errno;
	watched.event = event;
	return 0;
}

void
overflow_unwatch(void)
{
	const stack_t none = { .ss_flags = SS_DISABLE };

	if (watched.event == NULL)
		return;
	watched.event = NULL;
	(void)sigaction(SIGSEGV, &watched.before, NULL);
	(void)sigaltstack(&none, NULL);
	(void)munmap(watched.stack.ss_sp, OWN_STACK);
}
