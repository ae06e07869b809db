/* SPDX-License-Identifier: ISC */
#ifndef MODEL_CONTEXT_H
#define MODEL_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "model/context_notes.h"

/*
 * A context: a function that runs on a stack of its own, in the same thread,
 * and stands still whenever it likes. One thread enters all its contexts from
 * its own stack, one at a time; a context is left for there alone.
 *
 * Two files, one of which is built: context_boost.c (Boost.Context's routines:
 * a dozen instructions a switch) and context_ucontext.c (two system calls).
 */
struct context {
	void *at;               /* where it stands */
	void *outside;          /* where the thread stands that entered it */
	void (*fn)(void *arg);
	void *arg;
	bool is_over;
	struct context_notes notes;
};

/* Begin at fn(arg) when it is entered first, on the stack from low on. fn ends
 * with context_end(). */
void context_make(struct context *context, char *low, size_t size,
    void (*fn)(void *arg), void *arg);
/* Returns at its context_leave() or context_end(). */
void context_enter(struct context *context);
/* Called on its own stack; returns when it is entered again. */
void context_leave(struct context *context);
/* The last that it does. */
_Noreturn void context_end(struct context *context);

#endif
