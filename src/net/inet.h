/* SPDX-License-Identifier: ISC */
#ifndef NET_INET_H
#define NET_INET_H

#include <stdbool.h>

#include "base/addr.h"
#include "base/err.h"
#include "net/transport.h"

/* What TCP and UDP have in common, inside net/ only. */

/* The options that must be set before bind(2), and is_wildcard. */
int inet_prepare(struct endpoint *ep, const struct listener_conf *conf,
    struct err *err);
/* Of an open socket: bind_device. */
int inet_apply(struct endpoint *ep, const struct listener_conf *conf,
    struct err *err);
bool inet_is_wildcard(const struct addr *addr);
/* In host order; 0 for what has no port. */
unsigned inet_port(const struct addr *addr);

#endif
