/* SPDX-License-Identifier: ISC */
/*
 * A list of chunks, each filled from the front. What is too large for a chunk
 * gets one of its own, placed behind the newest, whose room stays in use.
 */
#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_ALIGN _Alignof(max_align_t)
#define ARENA_CHUNK_SIZE 4096

struct arena_chunk {
	struct arena_chunk *next;       /* owned; older, or an oversized one */
	size_t size, used;              /* bytes of data */
	_Alignas(max_align_t) char data[];
};

static struct arena_chunk *
chunk_new(size_t size)
{
	struct arena_chunk *chunk;

	if (size > SIZE_MAX - sizeof(*chunk))
		return NULL;
	chunk = malloc(sizeof(*chunk) + size);
	if (!chunk)
		return NULL;
	chunk->next = NULL;
	chunk->size = size;
	chunk->used = 0;
	return chunk;
}

static void *
chunk_take(struct arena_chunk *chunk, size_t size)
{
	void *data = chunk->data + chunk->used;

	chunk->used += size;
	return memset(data, 0, size);
}

/* A chunk that has room for size bytes, linked into the arena. */
static struct arena_chunk *
arena_grow(struct arena *arena, size_t size)
{
	struct arena_chunk *chunk, *newest = arena->chunk;

	chunk = chunk_new(size > arena->chunk_size ? size : arena->chunk_size);
	if (!chunk)
		return NULL;
	if (newest && size > arena->chunk_size) {
		chunk->next = newest->next;
		newest->next = chunk;
	} else {
		chunk->next = newest;
		arena->chunk = chunk;
	}
	return chunk;
}

void
arena_init(struct arena *arena, size_t chunk_size)
{
	arena->chunk = NULL;
	arena->chunk_size = chunk_size ? chunk_size : ARENA_CHUNK_SIZE;
}

void *
arena_alloc(struct arena *arena, size_t size)
{
	struct arena_chunk *chunk = arena->chunk;

	if (size > SIZE_MAX - 2 * ARENA_ALIGN)
		return NULL;
	size = (size + !size + ARENA_ALIGN - 1) & ~(ARENA_ALIGN - 1);
	if (!chunk || chunk->size - chunk->used < size)
		chunk = arena_grow(arena, size);
	return chunk ? chunk_take(chunk, size) : NULL;
}

char *
arena_strndup(struct arena *arena, const char *text, size_t len)
{
	size_t n = strnlen(text, len);
	char *copy = arena_alloc(arena, n + 1);

	return copy ? memcpy(copy, text, n) : NULL;
}

char *
arena_strdup(struct arena *arena, const char *text)
{
	return arena_strndup(arena, text, strlen(text));
}

char *
arena_printf(struct arena *arena, const char *format, ...)
{
	va_list ap;
	char *text;
	int len;

	va_start(ap, format);
	len = vsnprintf(NULL, 0, format, ap);
	va_end(ap);
	if (len < 0)
		return NULL;
	text = arena_alloc(arena, (size_t)len + 1);
	if (!text)
		return NULL;
	va_start(ap, format);
	(void)vsnprintf(text, (size_t)len + 1, format, ap);
	va_end(ap);
	return text;
}

void
arena_reset(struct arena *arena)
{
	struct arena_chunk *chunk;

	while ((chunk = arena->chunk) && chunk->next) {
		arena->chunk = chunk->next;
		free(chunk);
	}
	if (chunk)
		chunk->used = 0;
}

void
arena_free(struct arena *arena)
{
	arena_reset(arena);
	free(arena->chunk);
	arena->chunk = NULL;
}
