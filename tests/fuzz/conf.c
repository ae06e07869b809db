/* SPDX-License-Identifier: ISC */
/*
 * A whole file by the rows, as far as it asks nothing of the system: whatever
 * it holds, it is read or there is a fault, and what was read can be printed.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/doc.h"
#include "conf/draft.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
print(const struct config *config)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int r;

	assert(out);
	r = config_dump(out, config);
	assert(r == 0);
	(void)fclose(out);
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct faults faults;
	struct draft draft = { .config = config_new(), .faults = &faults,
		.directory = "/nonexistent" };
	char *text = malloc(size + 1);

	assert(draft.config && text);
	memcpy(text, data, size);
	text[size] = '\0';
	faults_init(&faults);
	(void)draft_read_text(&draft, "fuzz.conf", text);
	assert(!draft.failed);
	assert(draft.config->listener_count || faults.count);
	if (!faults.count)
		print(draft.config);
	faults_free(&faults);
	config_free(&draft.config);
	free(text);
	return 0;
}
