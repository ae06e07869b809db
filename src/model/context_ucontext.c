/* SPDX-License-Identifier: ISC */
/*
 * By makecontext(3) and swapcontext(3), where Boost.Context is not found. What
 * they need to keep a context lies at the top of its stack.
 */
#include "model/context.h"

#include <stdint.h>
#include <stdlib.h>
#include <ucontext.h>

struct pair {
	ucontext_t inside, outside;
};

/* makecontext(3) hands over integers only. */
static void
context_main(unsigned high, unsigned low)
{
	struct context *context = (void *)((uintptr_t)high << 32 | low);

	notes_inside(&context->notes);
	context->fn(context->arg);
	abort();                /* it ends with context_end() */
}

void
context_make(struct context *context, char *low, size_t size,
    void (*fn)(void *arg), void *arg)
{
	const uintptr_t self = (uintptr_t)context;
	struct pair *pair;

	size = (size - sizeof(*pair)) & ~(size_t)63;
	pair = (void *)(low + size);
	context->at = &pair->inside;
	context->outside = &pair->outside;
	context->fn = fn;
	context->arg = arg;
	context->is_over = false;
	context->notes.low = low;
	context->notes.size = size;
	notes_make(&context->notes);
	(void)getcontext(&pair->inside);        /* cannot fail */
	pair->inside.uc_stack.ss_sp = low;
	pair->inside.uc_stack.ss_size = size;
	pair->inside.uc_link = NULL;
	makecontext(&pair->inside, (void (*)(void))(uintptr_t)context_main, 2,
	    (unsigned)(self >> 32), (unsigned)self);
}

void
context_enter(struct context *context)
{
	notes_before_enter(&context->notes);
	(void)swapcontext(context->outside, context->at);
	notes_after_enter(&context->notes);
	if (context->is_over)
		notes_end(&context->notes);
}

void
context_leave(struct context *context)
{
	notes_before_leave(&context->notes, 0);
	(void)swapcontext(context->at, context->outside);
	notes_inside(&context->notes);
}

void
context_end(struct context *context)
{
	context->is_over = true;
	notes_before_leave(&context->notes, 1);
	(void)setcontext(context->outside);
	abort();                /* nobody enters it again */
}
