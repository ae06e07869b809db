/* SPDX-License-Identifier: ISC */
/*
 * Which UDP sources nobody may answer: port 0, the unspecified address,
 * multicast, broadcast, and the asked socket itself, under whichever of this
 * machine's addresses it hides.
 */
#include "net/source.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "base/fd.h"

static bool
is_answerable_4(const struct sockaddr_in *peer)
{
	in_addr_t address = ntohl(peer->sin_addr.s_addr);

	return address != INADDR_ANY && address != INADDR_BROADCAST &&
	    !IN_MULTICAST(address) && peer->sin_port != 0;
}

static bool
is_answerable_6(const struct sockaddr_in6 *peer)
{
	return !IN6_IS_ADDR_UNSPECIFIED(&peer->sin6_addr) &&
	    !IN6_IS_ADDR_MULTICAST(&peer->sin6_addr) && peer->sin6_port != 0;
}

static in_port_t
port_of(const struct sockaddr *sa)
{
	if (sa->sa_family == AF_INET)
		return ((const struct sockaddr_in *)(const void *)sa)->sin_port;
	return ((const struct sockaddr_in6 *)(const void *)sa)->sin6_port;
}

static bool
can_bind(const struct sockaddr *sa, socklen_t len)
{
	int fd = socket(sa->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool is_bound = fd >= 0 && bind(fd, sa, len) == 0;

	fd_close(&fd);
	return is_bound;
}

/*
 * Only an own address can be bound to. Where the machine is set to bind to any
 * (ip_nonlocal_bind), the probe says nothing: then an address of the
 * documentation ranges (RFC 5737, RFC 3849), which nobody has, can be bound
 * too.
 */
static bool
is_own_4(const struct sockaddr_in *peer)
{
	struct sockaddr_in probe = *peer;
	struct sockaddr_in nobody = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(0xc00002feU),  /* 192.0.2.254 */
	};

	probe.sin_port = 0;
	return can_bind((struct sockaddr *)&probe, sizeof(probe)) &&
	    !can_bind((struct sockaddr *)&nobody, sizeof(nobody));
}

static bool
is_own_6(const struct sockaddr_in6 *peer)
{
	struct sockaddr_in6 probe = *peer;
	struct sockaddr_in6 nobody = { .sin6_family = AF_INET6 };

	(void)inet_pton(AF_INET6, "2001:db8::ffff:fffe", &nobody.sin6_addr);
	probe.sin6_port = 0;
	return can_bind((struct sockaddr *)&probe, sizeof(probe)) &&
	    !can_bind((struct sockaddr *)&nobody, sizeof(nobody));
}

static bool
is_same_address(const struct sockaddr *a, const struct sockaddr *b)
{
	if (a->sa_family != b->sa_family)
		return false;
	if (a->sa_family == AF_INET)
		return ((const struct sockaddr_in *)(const void *)a)
		    ->sin_addr.s_addr ==
		    ((const struct sockaddr_in *)(const void *)b)
		    ->sin_addr.s_addr;
	return IN6_ARE_ADDR_EQUAL(
	    &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr,
	    &((const struct sockaddr_in6 *)(const void *)b)->sin6_addr);
}

/* The dear question is asked only of a peer with our own port number, which
 * is rare, but usual among servers: NTP, DNS. */
static bool
is_self(const struct sockaddr *peer, const struct sockaddr *local)
{
	if (port_of(peer) != port_of(local))
		return false;
	if (is_same_address(peer, local))
		return true;
	if (peer->sa_family == AF_INET)
		return is_own_4((const void *)peer);
	return is_own_6((const void *)peer);
}

bool
source_is_answerable(const struct sockaddr *peer, const struct sockaddr *local)
{
	switch (peer->sa_family) {
	case AF_INET:
		if (!is_answerable_4((const void *)peer))
			return false;
		break;
	case AF_INET6:
		if (!is_answerable_6((const void *)peer))
			return false;
		break;
	default:
		return false;
	}
	return !is_self(peer, local);
}
