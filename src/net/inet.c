/* SPDX-License-Identifier: ISC */
/*
 * What TCP and UDP have in common before bind(2). In the supervisor.
 */
#include "net/inet.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>

#include "net/socket.h"

static int
set_device(const struct endpoint *ep, const char *device, struct err *err)
{
	if (setsockopt(ep->fd, SOL_SOCKET, SO_BINDTODEVICE, device,
		(socklen_t)strlen(device) + 1) == 0)
		return 0;
	if (errno == EPERM) {
		err_set(err, "cannot set bind_device to \"%s\": it needs "
		    "CAP_NET_RAW", device);
		return -EPERM;
	}
	return err_errno(err, errno, "cannot set bind_device to \"%s\"",
	    device);
}

/* Setting what it has already may need a privilege too (socket(7)). */
int
inet_apply(struct endpoint *ep, const struct listener_conf *conf,
    struct err *err)
{
	char now[IFNAMSIZ] = "";
	socklen_t len = sizeof(now);

	if (getsockopt(ep->fd, SOL_SOCKET, SO_BINDTODEVICE, now, &len) < 0)
		return err_errno(err, errno, "cannot ask %s for its "
		    "bind_device", ep->address);
	return strcmp(now, conf->bind_device) == 0 ? 0 :
	    set_device(ep, conf->bind_device, err);
}

int
inet_prepare(struct endpoint *ep, const struct listener_conf *conf,
    struct err *err)
{
	bool is_6 = ep->addr.sa.ss_family == AF_INET6;
	const struct socket_option v6only = {
		IPPROTO_IPV6, IPV6_V6ONLY, 1, "IPV6_V6ONLY",
	};
	const struct socket_option freebind = {
		is_6 ? IPPROTO_IPV6 : IPPROTO_IP,
		is_6 ? IPV6_FREEBIND : IP_FREEBIND, 1, "freebind",
	};
	int r = socket_set(ep->fd, &v6only, is_6, err);

	ep->is_wildcard = inet_is_wildcard(&ep->addr);
	if (r == 0)
		r = socket_set(ep->fd, &freebind, conf->freebind, err);
	if (r == 0 && conf->bind_device && *conf->bind_device)
		r = set_device(ep, conf->bind_device, err);
	if (r == 0 && ep->is_beside)
		r = socket_share_port(ep->fd, err);
	if (r == 0)
		r = socket_set_buffers(ep->fd, conf, err);
	return r;
}

bool
inet_is_wildcard(const struct addr *addr)
{
	const struct sockaddr_in *in = (const void *)&addr->sa;
	const struct sockaddr_in6 *in6 = (const void *)&addr->sa;

	if (addr->sa.ss_family == AF_INET)
		return in->sin_addr.s_addr == htonl(INADDR_ANY);
	return addr->sa.ss_family == AF_INET6 &&
	    IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr);
}

unsigned
inet_port(const struct addr *addr)
{
	const struct sockaddr_in *in = (const void *)&addr->sa;
	const struct sockaddr_in6 *in6 = (const void *)&addr->sa;

	if (addr->sa.ss_family == AF_INET)
		return ntohs(in->sin_port);
	return addr->sa.ss_family == AF_INET6 ? ntohs(in6->sin6_port) : 0;
}
