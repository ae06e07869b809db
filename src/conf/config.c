/* SPDX-License-Identifier: ISC */
#include "conf/config.h"

#include <stdlib.h>

#define ARENA_CHUNK 16384

struct config *
config_new(void)
{
	struct config *config = calloc(1, sizeof(*config));

	if (!config)
		return NULL;
	arena_init(&config->arena, ARENA_CHUNK);
	return config;
}

void
config_free(struct config **config)
{
	if (!*config)
		return;
	arena_free(&(*config)->arena);
	free(*config);
	*config = NULL;
}
