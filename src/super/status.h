/* SPDX-License-Identifier: ISC */
#ifndef SUPER_STATUS_H
#define SUPER_STATUS_H

#include <jansson.h>

struct listener;
struct super;

/*
 * What the daemon tells of itself over the control socket, as JSON. Supervisor
 * only; changes nothing. Each returns a value that is the caller's, or NULL out
 * of memory.
 */
json_t *status_daemon(const struct super *super);
/* Seconds until an unconfirmed configuration is undone; null: none waits. */
json_t *status_confirm(const struct super *super);
/* Names, states and addresses alone. */
json_t *status_list(const struct super *super);
/* All about one. */
json_t *status_show(const struct super *super, struct listener *listener);
/* "ready", or what else is the case: of one, or (NULL) of the daemon. */
const char *status_health(const struct super *super,
    const struct listener *listener);

#endif
