/* SPDX-License-Identifier: ISC */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

/*
 * Memory that lives and dies together: one arena a configuration, one a
 * request. Not thread-safe; its owner is one thread at a time. An allocation
 * that fails returns NULL and leaves the arena as it was; nothing aborts. What
 * is allocated is freed by arena_reset() or arena_free() only.
 */
struct arena_chunk;

struct arena {
	struct arena_chunk *chunk;      /* owned, newest first */
	size_t chunk_size;              /* of the next chunk, in bytes */
};

/* Allocates nothing yet. chunk_size 0: a page. */
void arena_init(struct arena *arena, size_t chunk_size);
/* Zeroed memory, aligned for any type. Size 0 gives a pointer of its own. */
void *arena_alloc(struct arena *arena, size_t size);
char *arena_strdup(struct arena *arena, const char *text);
/* At most len bytes of text, and a NUL. */
char *arena_strndup(struct arena *arena, const char *text, size_t len);
char *arena_printf(struct arena *arena, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Forget everything but keep the first chunk for the next use. */
void arena_reset(struct arena *arena);
void arena_free(struct arena *arena);

#endif
