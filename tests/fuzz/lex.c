/* SPDX-License-Identifier: ISC */
/*
 * The pass before libconfig, and libconfig behind it: whatever a file holds,
 * either there is a fault or a tree, and every place is one of the file's.
 */
#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "conf/lex.h"
#include "conf/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_places(const struct value *value, unsigned lines)
{
	for (const struct value *v = value->members; v; v = v->next) {
		assert(v->line >= 1 && v->line <= lines);
		assert(strcmp(v->file, "fuzz.conf") == 0);
		check_places(v, lines);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool is_short_of_memory = false;
	struct faults faults;
	struct arena arena;
	struct value *root;
	unsigned lines = 1;

	for (size_t i = 0; i < size; i++)
		lines += data[i] == '\n';
	arena_init(&arena, 0);
	faults_init(&faults);
	root = parse_document(&arena, "fuzz.conf", (const char *)data, size,
	    NULL, "/nonexistent", &faults, &is_short_of_memory);
	assert(root || faults.count || is_short_of_memory);
	if (root)
		check_places(root, lines);
	faults_free(&faults);
	arena_free(&arena);
	return 0;
}
