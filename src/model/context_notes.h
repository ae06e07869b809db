/* SPDX-License-Identifier: ISC */
#ifndef MODEL_CONTEXT_NOTES_H
#define MODEL_CONTEXT_NOTES_H

#include <config.h>
#include <stddef.h>

/*
 * What the tools that watch a program must be told of stacks: AddressSanitizer
 * and ThreadSanitizer of each switch, valgrind of each stack. Nothing is left
 * of it where a program is built for none of them (valgrind's note is a few
 * instructions that do nothing, once a stack).
 */
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#endif
#ifdef HAVE_VALGRIND_H
#include <valgrind/valgrind.h>
#else
#define VALGRIND_STACK_REGISTER(low, high) 0
#endif

struct context_notes {
	char *low;
	size_t size;
#ifdef __SANITIZE_ADDRESS__
	void *fake, *outside_fake;      /* what lies on the stack that was left */
	const void *outside_low;
	size_t outside_size;
#endif
#ifdef __SANITIZE_THREAD__
	void *fiber, *outside_fiber;
#endif
};

#ifdef __SANITIZE_ADDRESS__

static inline void
notes_before_enter(struct context_notes *notes)
{
	__sanitizer_start_switch_fiber(&notes->outside_fake, notes->low,
	    notes->size);
}

static inline void
notes_after_enter(struct context_notes *notes)
{
	__sanitizer_finish_switch_fiber(notes->outside_fake, NULL, NULL);
}

/* is_last: what the stack holds is not needed again. */
static inline void
notes_before_leave(struct context_notes *notes, int is_last)
{
	__sanitizer_start_switch_fiber(is_last ? NULL : &notes->fake,
	    notes->outside_low, notes->outside_size);
}

static inline void
notes_inside(struct context_notes *notes)
{
	__sanitizer_finish_switch_fiber(notes->fake, &notes->outside_low,
	    &notes->outside_size);
}

static inline void
notes_make(struct context_notes *notes)
{
	notes->fake = NULL;
}

static inline void
notes_end(struct context_notes *notes)
{
	(void)notes;
}

#elif defined(__SANITIZE_THREAD__)

static inline void
notes_before_enter(struct context_notes *notes)
{
	notes->outside_fiber = __tsan_get_current_fiber();
	__tsan_switch_to_fiber(notes->fiber, 0);
}

static inline void
notes_after_enter(struct context_notes *notes)
{
	(void)notes;
}

static inline void
notes_before_leave(struct context_notes *notes, int is_last)
{
	(void)is_last;
	__tsan_switch_to_fiber(notes->outside_fiber, 0);
}

static inline void
notes_inside(struct context_notes *notes)
{
	(void)notes;
}

static inline void
notes_make(struct context_notes *notes)
{
	notes->fiber = __tsan_create_fiber(0);
}

static inline void
notes_end(struct context_notes *notes)
{
	__tsan_destroy_fiber(notes->fiber);
}

#else

static inline void
notes_before_enter(struct context_notes *notes)
{
	(void)notes;
}

static inline void
notes_after_enter(struct context_notes *notes)
{
	(void)notes;
}

static inline void
notes_before_leave(struct context_notes *notes, int is_last)
{
	(void)notes;
	(void)is_last;
}

static inline void
notes_inside(struct context_notes *notes)
{
	(void)notes;
}

static inline void
notes_make(struct context_notes *notes)
{
	(void)notes;
}

static inline void
notes_end(struct context_notes *notes)
{
	(void)notes;
}

#endif

#endif
