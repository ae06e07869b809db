/* SPDX-License-Identifier: ISC */
#include "model/stack.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "model/context_notes.h"

#define A_BLOCK 64              /* stacks that are made together */
#define WARM_MAX 256            /* idle ones that keep their memory */

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102  /* Linux 6.13, asm-generic/mman-common.h */
#endif

struct block {
	struct block *next;
	char *base;             /* owned: a mapping of A_BLOCK strides */
};

struct stacks {
	size_t page, stride;    /* a guard, then a stack */
	struct block *blocks;   /* owned */
	char **idle;            /* owned: the coldest first, taken from the end */
	size_t idle_count, made;
	size_t cold_count;      /* idle ones without memory; <= idle_count */
};

struct stacks *
stacks_new(size_t size)
{
	struct stacks *stacks = calloc(1, sizeof(*stacks));

	if (stacks == NULL)
		return NULL;
	stacks->page = (size_t)sysconf(_SC_PAGESIZE);
	stacks->stride = (size + stacks->page - 1) / stacks->page *
	    stacks->page + stacks->page;
	return stacks;
}

static int
guard(const struct stacks *stacks, char *low)
{
	if (madvise(low, stacks->page, MADV_GUARD_INSTALL) == 0)
		return 0;
	return mprotect(low, stacks->page, PROT_NONE);
}

/* Huge pages would fill what nobody touched. */
static char *
map_block(const struct stacks *stacks)
{
	const size_t size = A_BLOCK * stacks->stride;
	char *base = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);

	if (base == MAP_FAILED)
		return NULL;
	(void)madvise(base, size, MADV_NOHUGEPAGE);
	for (int i = 0; i < A_BLOCK; i++)
		if (guard(stacks, base + (size_t)i * stacks->stride) < 0) {
			(void)munmap(base, size);
			return NULL;
		}
	return base;
}

static int
add_block(struct stacks *stacks)
{
	char **idle = reallocarray(stacks->idle, stacks->made + A_BLOCK,
	    sizeof(*idle));
	struct block *block = malloc(sizeof(*block));

	if (idle != NULL)
		stacks->idle = idle;
	if (idle == NULL || block == NULL ||
	    (block->base = map_block(stacks)) == NULL) {
		free(block);
		return -1;
	}
	block->next = stacks->blocks;
	stacks->blocks = block;
	stacks->made += A_BLOCK;
	for (size_t i = A_BLOCK; i > 0; i--) {
		char *low = block->base + (i - 1) * stacks->stride +
		    stacks->page;

		(void)VALGRIND_STACK_REGISTER(low,
		    low + stack_size(stacks) - 1);
		stacks->idle[stacks->idle_count++] = low;
	}
	stacks->cold_count = A_BLOCK;   /* there were no others */
	return 0;
}

char *
stack_get(struct stacks *stacks)
{
	if (stacks->idle_count == 0 && add_block(stacks) < 0) {
		errno = ENOMEM;
		return NULL;
	}
	char *low = stacks->idle[--stacks->idle_count];
	if (stacks->cold_count > stacks->idle_count)
		stacks->cold_count = stacks->idle_count;
	return low;
}

void
stack_put(struct stacks *stacks, char *low)
{
	stacks->idle[stacks->idle_count++] = low;
	if (stacks->idle_count - stacks->cold_count > WARM_MAX)
		(void)madvise(stacks->idle[stacks->cold_count++],
		    stack_size(stacks), MADV_DONTNEED);
}

size_t
stack_size(const struct stacks *stacks)
{
	return stacks->stride - stacks->page;
}

bool
stack_is_guard(const struct stacks *stacks, const char *low,
    const void *address)
{
	const char *at = address;

	return at < low && at >= low - stacks->page;
}

void
stacks_free(struct stacks **stacksp)
{
	struct stacks *stacks = *stacksp;
	struct block *block;

	if (stacks == NULL)
		return;
	while ((block = stacks->blocks) != NULL) {
		stacks->blocks = block->next;
		(void)munmap(block->base, A_BLOCK * stacks->stride);
		free(block);
	}
	free(stacks->idle);
	free(stacks);
	*stacksp = NULL;
}
