/* SPDX-License-Identifier: ISC */
/*
 * A service process as its handler sees it. Calls the handler's open, close
 * and tick; requests are request.c's.
 */
#include "handler/host.h"

#include <errno.h>
#include <string.h>

#include "handler/api.h"
#include "handler/options.h"

static void
add_rules(struct host *host, struct acl_list *list,
    const struct string_list *texts, const char *key, struct faults *faults)
{
	struct err err;

	for (size_t i = 0; i < texts->count; i++)
		if (acl_add(list, &host->arena, texts->items[i], &err) < 0)
			fault_add(faults, host->conf->file, host->conf->line,
			    host->conf->name, key, "%s", err.text);
}

int
host_init(struct host *host, const struct listener_conf *conf,
    struct module *module, struct faults *faults)
{
	memset(host, 0, sizeof(*host));
	host->service.api = &handler_api;
	host->conf = conf;
	host->module = module;
	arena_init(&host->arena, 1024);
	add_rules(host, &host->acl.allow, &conf->allow, "allow", faults);
	add_rules(host, &host->acl.deny, &conf->deny, "deny", faults);
	host->options = options_new(&host->arena, module->handler.options,
	    conf->options, &handler_api, conf->file, conf->line, conf->name,
	    faults);
	if (host->options == NULL && faults->count == 0)
		return -ENOMEM;
	return faults->count > 0 ? -EINVAL : 0;
}

void
host_free(struct host *host)
{
	arena_free(&host->arena);
}

int
host_open(struct host *host, struct err *err)
{
	const struct ss_handler *handler = &host->module->handler;

	if (handler->open == NULL)
		return 0;
	host->is_opening = true;
	int status = handler->open(&host->service);
	host->is_opening = false;
	if (status == 0)
		return 0;
	err_set(err, "handler \"%s\": open() returned %d%s%s", handler->name,
	    status, host->last_log[0] ? ": " : "", host->last_log);
	return -ECANCELED;
}

void
host_close(struct host *host)
{
	if (host->module->handler.close != NULL)
		host->module->handler.close(&host->service);
}

bool
host_has_tick(const struct host *host)
{
	return host->conf->tick_ms > 0 && host->module->handler.tick != NULL;
}

void
host_tick(struct host *host)
{
	host->module->handler.tick(&host->service);
}
