/* SPDX-License-Identifier: ISC */
/*
 * The flat text of a configuration: what can be decoded can be encoded, and
 * that text stands for the same.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "conf/flat.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
encode(struct buf *text, const struct config *config)
{
	int r;

	buf_init(text, 0);
	r = flat_encode(text, config);
	assert(r == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config *config, *again;
	struct buf first, second;
	struct err err;

	config = flat_decode((const char *)data, size, &err);
	if (!config) {
		assert(*err.text);
		return 0;
	}
	encode(&first, config);
	again = flat_decode(first.data, first.len, &err);
	assert(again);
	encode(&second, again);
	assert(first.len == second.len &&
	    memcmp(first.data, second.data, first.len) == 0);
	buf_free(&first);
	buf_free(&second);
	config_free(&config);
	config_free(&again);
	return 0;
}
