/* SPDX-License-Identifier: ISC */
#include "base/acl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAPPED_BITS 96 /* of ::ffff:0:0/96, the IPv4-mapped addresses */

static int
acl_fault(struct err *err, const char *text, const char *what)
{
	err_set(err, "\"%s\": %s", text, what);
	return -EINVAL;
}

/* Up to three decimal digits without a leading zero, at most max. */
static int
bits_parse(unsigned *bits, const char *text, unsigned max)
{
	const size_t len = strlen(text);

	if (len < 1 || len > 3 || strspn(text, "0123456789") != len)
		return -EINVAL;
	if (text[0] == '0' && len > 1)
		return -EINVAL;
	*bits = (unsigned)atoi(text);
	return *bits > max ? -EINVAL : 0;
}

static void
clear_host_bits(struct acl_prefix *prefix)
{
	for (unsigned i = 0; i < sizeof(prefix->bytes); i++) {
		const unsigned first = i * 8;

		if (first >= prefix->bits)
			prefix->bytes[i] = 0;
		else if (first + 8 > prefix->bits)
			prefix->bytes[i] &= (uint8_t)(0xff00U >>
			    (prefix->bits - first));
	}
}

static int
check_host_bits(const struct acl_prefix *prefix, const char *text,
    struct err *err)
{
	struct acl_prefix network = *prefix;
	char host[INET6_ADDRSTRLEN] = "", right[INET6_ADDRSTRLEN] = "";

	clear_host_bits(&network);
	if (!memcmp(network.bytes, prefix->bytes, sizeof(network.bytes)))
		return 0;
	(void)inet_ntop(prefix->family, prefix->bytes, host, sizeof(host));
	(void)inet_ntop(prefix->family, network.bytes, right, sizeof(right));
	err_set(err, "\"%s\": bits are set behind the prefix; write %s/%u for "
	    "the network, %s for the one address", text, right, prefix->bits,
	    host);
	return -EINVAL;
}

static bool
is_mapped(const uint8_t bytes[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	return !memcmp(bytes, mapped, sizeof(mapped));
}

static void
prefix_unmap(struct acl_prefix *prefix)
{
	if (prefix->family != AF_INET6 || prefix->bits < MAPPED_BITS ||
	    !is_mapped(prefix->bytes))
		return;
	memmove(prefix->bytes, prefix->bytes + 12, 4);
	memset(prefix->bytes + 4, 0, 12);
	prefix->family = AF_INET;
	prefix->bits -= MAPPED_BITS;
}

int
acl_parse(struct acl_prefix *prefix, const char *text, struct err *err)
{
	char host[INET6_ADDRSTRLEN];
	const char *slash = strchrnul(text, '/');
	const size_t len = (size_t)(slash - text);
	unsigned max;

	memset(prefix, 0, sizeof(*prefix));
	if (len >= sizeof(host))
		return acl_fault(err, text, "not an address or a prefix");
	memcpy(host, text, len);
	host[len] = '\0';
	prefix->family = strchr(host, ':') ? AF_INET6 : AF_INET;
	max = prefix->family == AF_INET6 ? 128 : 32;
	prefix->bits = max;
	if (inet_pton(prefix->family, host, prefix->bytes) != 1)
		return acl_fault(err, text, "not an address or a prefix; write "
		    "one as 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32");
	if (*slash && bits_parse(&prefix->bits, slash + 1, max))
		return acl_fault(err, text, max == 32 ?
		    "the length of an IPv4 prefix is 0 to 32" :
		    "the length of an IPv6 prefix is 0 to 128");
	prefix_unmap(prefix);
	return check_host_bits(prefix, text, err);
}

/* The list's room is the next power of two: its count tells when it is full. */
static int
list_grow(struct acl_list *list, struct arena *arena)
{
	struct acl_prefix *items;
	const size_t count = list->count;

	if (count & (count - 1))
		return 0;
	items = arena_alloc(arena, (count ? 2 * count : 1) * sizeof(*items));
	if (!items)
		return -ENOMEM;
	if (count)
		memcpy(items, list->items, count * sizeof(*items));
	list->items = items;
	return 0;
}

int
acl_add(struct acl_list *list, struct arena *arena, const char *text,
    struct err *err)
{
	struct acl_prefix prefix;
	int r = acl_parse(&prefix, text, err);

	if (r)
		return r;
	if (list_grow(list, arena))
		return err_errno(err, ENOMEM, "\"%s\"", text);
	list->items[list->count++] = prefix;
	return 0;
}

static bool
prefix_holds(const struct acl_prefix *prefix, const struct acl_prefix *host)
{
	const unsigned whole = prefix->bits / 8, rest = prefix->bits % 8;

	if (prefix->family != host->family)
		return false;
	for (unsigned i = 0; i < whole; i++)
		if (prefix->bytes[i] != host->bytes[i])
			return false;
	return !rest || (prefix->bytes[whole] ^ host->bytes[whole]) >>
	    (8 - rest) == 0;
}

static bool
list_holds(const struct acl_list *list, const struct acl_prefix *host)
{
	for (size_t i = 0; i < list->count; i++)
		if (prefix_holds(&list->items[i], host))
			return true;
	return false;
}

/* A peer as a prefix of full length; false when it is not IP. */
static bool
host_of(struct acl_prefix *host, const struct sockaddr *peer)
{
	struct sockaddr_in6 sin6;
	struct sockaddr_in sin;

	memset(host, 0, sizeof(*host));
	if (!peer ||
	    (peer->sa_family != AF_INET && peer->sa_family != AF_INET6))
		return false;
	host->family = peer->sa_family;
	if (host->family == AF_INET) {
		memcpy(&sin, peer, sizeof(sin));
		memcpy(host->bytes, &sin.sin_addr, 4);
		host->bits = 32;
		return true;
	}
	memcpy(&sin6, peer, sizeof(sin6));
	memcpy(host->bytes, &sin6.sin6_addr, 16);
	host->bits = 128;
	prefix_unmap(host);
	return true;
}

bool
acl_permits(const struct acl *acl, const struct sockaddr *peer)
{
	struct acl_prefix host;

	if (!acl->allow.count && !acl->deny.count)
		return true;
	if (!host_of(&host, peer))
		return true;
	if (list_holds(&acl->deny, &host))
		return false;
	return !acl->allow.count || list_holds(&acl->allow, &host);
}
