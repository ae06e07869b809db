/* SPDX-License-Identifier: ISC */
#ifndef BASE_ACL_H
#define BASE_ACL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/arena.h"
#include "base/err.h"

/*
 * Access rules: deny wins; with a non-empty allow list everything else is
 * refused. Peers of Unix sockets are not subject to them. An IPv4 peer is
 * matched by IPv4 prefixes alone, also when the socket says ::ffff:a.b.c.d;
 * "::/0" is every IPv6 peer and no IPv4 one. Read-only after acl_add: any
 * thread may ask.
 */
struct acl_prefix {
	uint8_t bytes[16];
	int family;             /* AF_INET or AF_INET6 */
	unsigned bits;          /* at most 32 or 128 */
};

struct acl_list {
	struct acl_prefix *items;       /* in the arena given to acl_add() */
	size_t count;
};

struct acl {
	struct acl_list allow, deny;
};

/* "192.0.2.0/24", "2001:db8::/32", "127.0.0.1"; "::ffff:192.0.2.0/120" is IPv4.
 * Host bits set or an impossible mask is -EINVAL with *err. */
int acl_parse(struct acl_prefix *prefix, const char *text, struct err *err);
/* 0, -EINVAL or -ENOMEM with *err. */
int acl_add(struct acl_list *list, struct arena *arena, const char *text,
    struct err *err);
/* peer NULL or not IP: permitted. */
bool acl_permits(const struct acl *acl, const struct sockaddr *peer);

#endif
