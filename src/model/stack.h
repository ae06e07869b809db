/* SPDX-License-Identifier: ISC */
#ifndef MODEL_STACK_H
#define MODEL_STACK_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Stacks for contexts: addresses are reserved, memory is there once it is
 * touched, and under each stack lies a guard that a stack which grows too deep
 * runs into. The one given back last is given out first: it is in the cache.
 * Of stacks that lie idle only so many keep their memory. One thread.
 *
 * Where the kernel can guard a page of a mapping (MADV_GUARD_INSTALL, Linux
 * 6.13) many stacks are one mapping. Elsewhere each stack and each guard is one
 * of the process's mappings, whose number is limited (vm.max_map_count, 65530):
 * then there are no more stacks.
 */
struct stacks;

/* Each of at least `size` bytes, the guard apart. NULL: out of memory. */
struct stacks *stacks_new(size_t size);
void stacks_free(struct stacks **stacks);       /* none is in use */
/* Its lowest byte; NULL with errno. */
char *stack_get(struct stacks *stacks);
void stack_put(struct stacks *stacks, char *low);
/* Bytes of each. */
size_t stack_size(const struct stacks *stacks);
/* Is this the guard of the stack that begins at low? Calls nothing: for a
 * signal handler. */
bool stack_is_guard(const struct stacks *stacks, const char *low,
    const void *address);

#endif
