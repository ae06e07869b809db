/* SPDX-License-Identifier: ISC */
/*
 * UDP. A socket bound to one address gets recvfrom and sendto, the cheapest
 * calls; one bound to every address learns from the kernel which address was
 * asked and answers from that.
 *
 * Never SO_REUSEADDR here: it lets another user's socket join the port and
 * take the datagrams.
 */
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/uio.h>

#include "base/fd.h"
#include "net/inet.h"
#include "net/socket.h"
#include "net/source.h"

/* Room for the packet information of either family, aligned for its header. */
union control {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo)) +
	    CMSG_SPACE(sizeof(struct in_pktinfo))];
};

static int
ask_packet_info(const struct endpoint *ep, struct err *err)
{
	bool is_6 = ep->addr.sa.ss_family == AF_INET6;
	const struct socket_option option = {
		is_6 ? IPPROTO_IPV6 : IPPROTO_IP,
		is_6 ? IPV6_RECVPKTINFO : IP_PKTINFO, 1, "packet information",
	};

	return socket_set(ep->fd, &option, ep->is_wildcard, err);
}

static int
udp_open(struct endpoint *ep, const struct listener_conf *conf, struct err *err)
{
	int r = socket_new(ep, SOCK_DGRAM, err);

	if (r == 0)
		r = inet_prepare(ep, conf, err);
	if (r == 0)
		r = ask_packet_info(ep, err);
	if (r == 0 && !ep->is_late)
		r = socket_bind(ep, err);
	if (r < 0)
		fd_close(&ep->fd);
	return r;
}

/* Bound, a socket gets datagrams at once. */
static int
udp_join(struct endpoint *ep, const struct listener_conf *conf, struct err *err)
{
	(void)conf;
	return socket_bind(ep, err);
}

static int
udp_ready(struct endpoint *ep, const struct listener_conf *conf,
    struct err *err)
{
	int r = ask_packet_info(ep, err);

	socket_reset_buffers(ep->fd, conf);
	return r < 0 ? r : socket_set_buffers(ep->fd, conf, err);
}

/* ip(7): ipi_spec_dst is the local address of the packet, also where the
 * packet was sent to many. */
static void
note_local_4(struct arrival *arrival, const struct in_pktinfo *info)
{
	const struct sockaddr_in local = {
		.sin_family = AF_INET,
		.sin_port = htons((in_port_t)inet_port(
		    &arrival->endpoint->addr)),
		.sin_addr = info->ipi_spec_dst,
	};

	arrival->local_ifindex = (unsigned)info->ipi_ifindex;
	if (local.sin_addr.s_addr == htonl(INADDR_ANY))
		return;
	memcpy(&arrival->local, &local, sizeof(local));
	arrival->local_len = sizeof(local);
}

/* ipv6(7): ipi6_addr is the destination as it stands in the packet. From a
 * group nobody can answer: then the kernel chooses. */
static void
note_local_6(struct arrival *arrival, const struct in6_pktinfo *info)
{
	struct sockaddr_in6 local = {
		.sin6_family = AF_INET6,
		.sin6_port = htons((in_port_t)inet_port(
		    &arrival->endpoint->addr)),
		.sin6_addr = info->ipi6_addr,
	};

	arrival->local_ifindex = info->ipi6_ifindex;
	if (IN6_IS_ADDR_MULTICAST(&local.sin6_addr))
		return;
	if (IN6_IS_ADDR_LINKLOCAL(&local.sin6_addr))
		local.sin6_scope_id = info->ipi6_ifindex;
	memcpy(&arrival->local, &local, sizeof(local));
	arrival->local_len = sizeof(local);
	addr_canonical(&arrival->local, &arrival->local_len);
}

static void
note_local(struct arrival *arrival, struct msghdr *msg)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c))
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO)
			note_local_4(arrival, (const void *)CMSG_DATA(c));
		else if (c->cmsg_level == IPPROTO_IPV6 &&
		    c->cmsg_type == IPV6_PKTINFO)
			note_local_6(arrival, (const void *)CMSG_DATA(c));
}

static int
receive_with_local(const struct endpoint *ep, struct arrival *arrival,
    bool wait)
{
	union control control;
	struct iovec iov = { arrival->data, arrival->size };
	struct msghdr msg = {
		.msg_name = &arrival->peer,
		.msg_namelen = sizeof(arrival->peer),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control),
	};
	ssize_t n = recvmsg(ep->fd, &msg, wait ? 0 : MSG_DONTWAIT);

	if (n < 0)
		return socket_take_error(errno);
	arrival->endpoint = ep;
	arrival->fd = ep->fd;
	arrival->len = (size_t)n;
	arrival->local_len = 0;
	arrival->local_ifindex = 0;
	socket_peer(arrival, msg.msg_namelen);
	note_local(arrival, &msg);
	return 0;
}

/* The room is one byte more than the longest datagram allowed. */
static int
udp_take(const struct endpoint *ep, struct arrival *arrival, bool wait)
{
	int r = ep->is_wildcard ? receive_with_local(ep, arrival, wait) :
	    socket_receive(ep, arrival, wait);
	const struct sockaddr_storage *local;

	if (r < 0)
		return r;
	local = arrival->local_len > 0 ? &arrival->local : &ep->addr.sa;
	if (!source_is_answerable((const struct sockaddr *)&arrival->peer,
		(const struct sockaddr *)local))
		return -EBADMSG;
	return arrival->len >= arrival->size ? -EMSGSIZE : 0;
}

/* The address as a socket of the family wants it: a socket of IPv6 that also
 * takes IPv4 (handed over by systemd) names it ::ffff:a.b.c.d. */
static void
name_for(struct sockaddr_storage *sa, socklen_t *len, int family)
{
	const struct sockaddr_in *in = (const void *)sa;
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

	if (family != AF_INET6 || sa->ss_family != AF_INET)
		return;
	in6.sin6_port = in->sin_port;
	memset(&in6.sin6_addr.s6_addr[10], 0xff, 2);
	memcpy(&in6.sin6_addr.s6_addr[12], &in->sin_addr, 4);
	memcpy(sa, &in6, sizeof(in6));
	*len = sizeof(in6);
}

static void
put_packet_info(struct msghdr *msg, int type, const void *info, size_t size)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);

	assert(c);              /* msg has room for it */
	c->cmsg_level = type == IP_PKTINFO ? IPPROTO_IP : IPPROTO_IPV6;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(c), info, size);
	msg->msg_controllen = CMSG_SPACE(size);
}

/* Answer from the address that was asked. */
static void
put_local(struct msghdr *msg, const struct arrival *arrival, int family)
{
	struct sockaddr_storage sa = arrival->local;
	socklen_t len = arrival->local_len;
	const struct sockaddr_in *in = (const void *)&sa;
	const struct sockaddr_in6 *in6 = (const void *)&sa;
	struct in_pktinfo info_4 = { 0 };
	struct in6_pktinfo info_6 = { 0 };

	name_for(&sa, &len, family);
	if (family == AF_INET) {
		info_4.ipi_spec_dst = in->sin_addr;
		put_packet_info(msg, IP_PKTINFO, &info_4, sizeof(info_4));
		return;
	}
	info_6.ipi6_addr = in6->sin6_addr;
	info_6.ipi6_ifindex = in6->sin6_scope_id;
	put_packet_info(msg, IPV6_PKTINFO, &info_6, sizeof(info_6));
}

static int
reply_from_local(const struct arrival *arrival, const void *data, size_t len)
{
	int family = arrival->endpoint->addr.sa.ss_family;
	struct sockaddr_storage peer = arrival->peer;
	socklen_t peer_len = arrival->peer_len;
	union control control;
	struct iovec iov = { (void *)(uintptr_t)data, len };
	struct msghdr msg = {
		.msg_name = &peer,
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control),
	};

	memset(&control, 0, sizeof(control));
	name_for(&peer, &peer_len, family);
	msg.msg_namelen = peer_len;
	put_local(&msg, arrival, family);
	if (sendmsg(arrival->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return -errno;
	return 0;
}

static int
udp_reply(const struct arrival *arrival, const void *data, size_t len)
{
	if (arrival->local_len > 0)
		return reply_from_local(arrival, data, len);
	return socket_reply(arrival, data, len);
}

static void
udp_close(struct endpoint *ep)
{
	fd_close(&ep->fd);
}

const struct transport udp_transport = {
	.scheme = "udp",
	.kind = ADDR_UDP,
	.open = udp_open,
	.join = udp_join,
	.ready = udp_ready,
	.apply = inet_apply,
	.take = udp_take,
	.reply = udp_reply,
	.close = udp_close,
};
