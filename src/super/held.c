/* SPDX-License-Identifier: ISC */
#include "super/held.h"

#include <stdlib.h>

struct held *
held_new(struct config **config)
{
	struct held *held = malloc(sizeof(*held));

	if (held == NULL) {
		config_free(config);
		return NULL;
	}
	*held = (struct held){ .config = *config, .holders = 1 };
	*config = NULL;
	return held;
}

struct held *
held_get(struct held *held)
{
	held->holders++;
	return held;
}

void
held_put(struct held **held)
{
	struct held *old = *held;

	*held = NULL;
	if (old == NULL || --old->holders > 0)
		return;
	config_free(&old->config);
	free(old);
}

bool
held_serves(const struct held *held)
{
	const struct config *config = held->config;
	size_t i;

	for (i = 0; i < config->listener_count; i++)
		if (config->listeners[i].is_enabled)
			return true;
	return false;
}

const struct listener_conf *
held_listener(const struct held *held, const char *name)
{
	const struct listener_conf *conf = config_find(held->config, name);

	return conf != NULL && conf->is_enabled ? conf : NULL;
}
