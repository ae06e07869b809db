/* SPDX-License-Identifier: ISC */
/*
 * By the assembly routines of Boost.Context, which keep what the ABI of the
 * processor says a call keeps, and no more: no signal mask, so no system call.
 * They are declared here as in boost/context/detail/fcontext.hpp, which is C++.
 */
#include "model/context.h"

#include <stdlib.h>

struct transfer {
	void *from;             /* where the context that was left stands */
	void *data;
};

extern struct transfer jump_fcontext(void *to, void *data);
extern void *make_fcontext(void *top, size_t size,
    void (*fn)(struct transfer));

static void
context_main(struct transfer transfer)
{
	struct context *context = transfer.data;

	context->outside = transfer.from;
	notes_inside(&context->notes);
	context->fn(context->arg);
	abort();                /* it ends with context_end() */
}

void
context_make(struct context *context, char *low, size_t size,
    void (*fn)(void *arg), void *arg)
{
	context->fn = fn;
	context->arg = arg;
	context->is_over = false;
	context->notes.low = low;
	context->notes.size = size;
	notes_make(&context->notes);
	context->at = make_fcontext(low + size, size, context_main);
}

void
context_enter(struct context *context)
{
	notes_before_enter(&context->notes);
	context->at = jump_fcontext(context->at, context).from;
	notes_after_enter(&context->notes);
	if (context->is_over)
		notes_end(&context->notes);
}

void
context_leave(struct context *context)
{
	notes_before_leave(&context->notes, 0);
	context->outside = jump_fcontext(context->outside, context).from;
	notes_inside(&context->notes);
}

void
context_end(struct context *context)
{
	context->is_over = true;
	notes_before_leave(&context->notes, 1);
	(void)jump_fcontext(context->outside, NULL);
	abort();                /* nobody enters it again */
}
