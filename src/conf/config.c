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

static int64_t
most_workers(const struct listener_conf *conf)
{
	return conf->max_workers > conf->workers ? conf->max_workers :
	    conf->workers;
}

int64_t
listener_lanes(const struct listener_conf *conf)
{
	switch ((enum concurrency)conf->concurrency) {
	case CONCURRENCY_THREADED:
		return conf->workers > 0 ? most_workers(conf) : 0;
	case CONCURRENCY_SYNC:
	case CONCURRENCY_PREFORK:
		return 1;
	case CONCURRENCY_FORKING:
	case CONCURRENCY_EVENT:
		break;
	}
	return 0;
}

int64_t
listener_lanes_all(const struct listener_conf *conf)
{
	return conf->concurrency == CONCURRENCY_PREFORK ? most_workers(conf) :
	    listener_lanes(conf);
}

int64_t
listener_silent_max(const struct listener_conf *conf)
{
	int64_t lanes = listener_lanes_all(conf);

	return lanes > 0 ? conf->max_connections - lanes : 0;
}
