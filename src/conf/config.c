/* SPDX-License-Identifier: ISC */
#include "conf/config.h"

#include <stdlib.h>
#include <string.h>

#define ARENA_CHUNK 16384

unsigned
config_processes(const struct listener_conf *conf)
{
	if (conf->concurrency != CONCURRENCY_PREFORK &&
	    conf->concurrency != CONCURRENCY_EVENT)
		return 1;
	return conf->workers > 0 ? (unsigned)conf->workers : PREFORK_WORKERS;
}

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

struct listener_conf *
config_find(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->listener_count; i++)
		if (strcmp(config->listeners[i].name, name) == 0)
			return &config->listeners[i];
	return NULL;
}
