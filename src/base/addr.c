/* SPDX-License-Identifier: ISC */
/*
 * Addresses from text. schemes[] tells how one begins; what stands behind that
 * is a host and a port, a path, or a name. Text from addresses: addr_text.c.
 */
#include "base/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#define HOST_SIZE 256           /* a host name (RFC 1035: 253) with its NUL */

/* HOST:PORT taken apart. */
struct host_port {
	char host[HOST_SIZE];
	bool is_bracketed;
	uint16_t port;
};

struct scheme {
	const char *prefix;
	bool is_stream;
	bool is_ip;
	int (*parse)(struct addr *addr, const char *rest, const char *text,
	    struct err *err);
};

static int
addr_fault(struct err *err, const char *text, const char *what)
{
	err_set(err, "\"%s\": %s", text, what);
	return -EINVAL;
}

/* 0 to 65535 in decimal: no sign, space, leading zero or service name. */
static int
port_parse(uint16_t *port, const char *text)
{
	const size_t len = strlen(text);

	if (len < 1 || len > 5 || strspn(text, "0123456789") != len)
		return -EINVAL;
	if ((text[0] == '0' && len > 1) || atoi(text) > UINT16_MAX)
		return -EINVAL;
	*port = (uint16_t)atoi(text);
	return 0;
}

static int
host_port_split(struct host_port *hp, const char *rest, const char *text,
    struct err *err)
{
	const char *host = rest, *end = strrchr(rest, ':'), *port;

	hp->is_bracketed = rest[0] == '[';
	if (hp->is_bracketed) {
		host++;
		end = strchr(host, ']');
	}
	if (!end || (hp->is_bracketed && end[1] != ':'))
		return addr_fault(err, text, "the port is missing; write "
		    "HOST:PORT, port 0 for any");
	port = end + (hp->is_bracketed ? 2 : 1);
	if (port_parse(&hp->port, port))
		return addr_fault(err, text,
		    "a port is a number from 0 to 65535");
	if (end == host)
		return addr_fault(err, text, "the host is missing; write an "
		    "address, or * for every address");
	if ((size_t)(end - host) >= sizeof(hp->host))
		return addr_fault(err, text, "the host name is too long");
	memcpy(hp->host, host, (size_t)(end - host));
	hp->host[end - host] = '\0';
	if (!hp->is_bracketed && strchr(hp->host, ':'))
		return addr_fault(err, text,
		    "an IPv6 address stands in brackets, "
		    "as in [::1]:7");
	return 0;
}

/* The interface behind '%': a name, or its number as it is. */
static int
scope_parse(uint32_t *scope, const char *text)
{
	char *end;
	unsigned long number;

	*scope = if_nametoindex(text);
	if (*scope)
		return 0;
	if (text[0] < '1' || text[0] > '9')
		return -EINVAL;
	errno = 0;
	number = strtoul(text, &end, 10);
	if (errno || *end || number > INT32_MAX)
		return -EINVAL;
	*scope = (uint32_t)number;
	return 0;
}

static bool
has_scope(const struct in6_addr *in6)
{
	return IN6_IS_ADDR_LINKLOCAL(in6) || IN6_IS_ADDR_MC_LINKLOCAL(in6) ||
	    IN6_IS_ADDR_MC_NODELOCAL(in6);
}

static int
ipv6_parse(struct addr *addr, struct host_port *hp, const char *text,
    struct err *err)
{
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6 };
	char *scope = strchr(hp->host, '%');

	if (scope)
		*scope++ = '\0';
	if (inet_pton(AF_INET6, hp->host, &sin6.sin6_addr) != 1)
		return addr_fault(err, text, "not an IPv6 address in brackets");
	if (scope && !has_scope(&sin6.sin6_addr))
		return addr_fault(err, text, "only a link-local address has an "
		    "interface behind %");
	if (scope && scope_parse(&sin6.sin6_scope_id, scope))
		return addr_fault(err, text,
		    "there is no interface of that name");
	sin6.sin6_port = htons(hp->port);
	memcpy(&addr->sa, &sin6, sizeof(sin6));
	addr->len = sizeof(sin6);
	addr_canonical(&addr->sa, &addr->len);
	return 0;
}

static void
ipv4_fill(struct addr *addr, struct in_addr host, uint16_t port)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr = host,
	};

	memcpy(&addr->sa, &sin, sizeof(sin));
	addr->len = sizeof(sin);
}

/* 0, -ENOENT when the host is no number, -EINVAL with *err. */
static int
host_numeric(struct addr *addr, struct host_port *hp, const char *text,
    struct err *err)
{
	struct in_addr host;

	if (hp->is_bracketed)
		return ipv6_parse(addr, hp, text, err);
	if (inet_pton(AF_INET, hp->host, &host) != 1)
		return -ENOENT;
	ipv4_fill(addr, host, hp->port);
	return 0;
}

static int
parse_ip(struct addr *addr, const char *rest, const char *text, struct err *err)
{
	struct host_port hp;
	int r = host_port_split(&hp, rest, text, err);

	if (!r)
		r = host_numeric(addr, &hp, text, err);
	if (r == -ENOENT)
		return addr_fault(err, text,
		    "the host is not a numeric address");
	return r;
}

static bool
has_control(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return true;
	return false;
}

/* An abstract name begins with a NUL, written '@', and has none at its end. */
static int
parse_unix(struct addr *addr, const char *rest, const char *text,
    struct err *err)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	const bool is_abstract = rest[0] == '@';
	const size_t n = strlen(rest);

	if (!is_abstract && rest[0] != '/')
		return addr_fault(err, text, "the path of a Unix socket begins "
		    "with /, an abstract name with @");
	if (n == 1)
		return addr_fault(err, text, "the name of the Unix socket is "
		    "missing");
	if (n >= sizeof(sun.sun_path))
		return addr_fault(err, text, "a Unix socket's name has at most "
		    "107 bytes");
	if (has_control(rest))
		return addr_fault(err, text,
		    "a Unix socket's name has no control "
		    "characters");
	memcpy(sun.sun_path, rest, n);
	if (is_abstract)
		sun.sun_path[0] = '\0';
	memcpy(&addr->sa, &sun, sizeof(sun));
	addr->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n +
	    !is_abstract);
	return 0;
}

/* A name of sd_listen_fds_with_names(3): no colon, no control characters. */
static int
parse_fd(struct addr *addr, const char *rest, const char *text, struct err *err)
{
	const size_t n = strlen(rest);

	if (!n || n >= sizeof(addr->fd_name) || strchr(rest, ':') ||
	    has_control(rest))
		return addr_fault(err, text, "a descriptor's name has 1 to 63 "
		    "characters, no colon among them");
	memcpy(addr->fd_name, rest, n + 1);
	return 0;
}

static const struct scheme schemes[] = {
	[ADDR_TCP] = { "tcp://", true, true, parse_ip },
	[ADDR_UDP] = { "udp://", false, true, parse_ip },
	[ADDR_UNIX] = { "unix:", true, false, parse_unix },
	[ADDR_UNIXGRAM] = { "unixgram:", false, false, parse_unix },
	/* what a descriptor is shows when it is looked at */
	[ADDR_FD] = { "fd:", true, false, parse_fd },
};
#define SCHEMES (sizeof(schemes) / sizeof(schemes[0]))

static const struct scheme *
scheme_find(const char *text, struct err *err)
{
	for (size_t i = 0; i < SCHEMES; i++) {
		const char *prefix = schemes[i].prefix;

		if (!strncmp(text, prefix, strlen(prefix)))
			return &schemes[i];
	}
	(void)addr_fault(err, text, "an address is tcp://HOST:PORT, "
	    "udp://HOST:PORT, unix:PATH, unixgram:PATH or fd:NAME");
	return NULL;
}

static enum addr_kind
scheme_kind(const struct scheme *scheme)
{
	return (enum addr_kind)(scheme - schemes);
}

static bool
is_known(const struct addr *addrs, size_t count, const struct addr *addr)
{
	for (size_t i = 0; i < count; i++)
		if (addrs[i].len == addr->len &&
		    !memcmp(&addrs[i].sa, &addr->sa, addr->len))
			return true;
	return false;
}

/* Copy what the resolver found, each address once. */
static size_t
copy_found(struct addr *addrs, size_t max, enum addr_kind kind,
    const struct addrinfo *ai)
{
	size_t count = 0;

	for (; ai && count < max; ai = ai->ai_next) {
		struct addr *addr = &addrs[count];

		if (ai->ai_addrlen > sizeof(addr->sa))
			continue;
		memset(addr, 0, sizeof(*addr));
		addr->kind = kind;
		memcpy(&addr->sa, ai->ai_addr, ai->ai_addrlen);
		addr->len = ai->ai_addrlen;
		addr_canonical(&addr->sa, &addr->len);
		if (!is_known(addrs, count, addr))
			count++;
	}
	return count;
}

static int
resolve_name(struct addr *addrs, size_t max, const struct scheme *scheme,
    const struct host_port *hp, const char *text, struct err *err)
{
	const struct addrinfo hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = scheme->is_stream ? SOCK_STREAM : SOCK_DGRAM,
		.ai_flags = AI_NUMERICSERV,
	};
	struct addrinfo *found = NULL;
	char port[8];
	size_t count;
	int r;

	(void)snprintf(port, sizeof(port), "%u", hp->port);
	r = getaddrinfo(hp->host, port, &hints, &found);
	if (r) {
		err_set(err, "\"%s\": cannot find the host \"%s\": %s", text,
		    hp->host,
		    r == EAI_SYSTEM ? strerror(errno) : gai_strerror(r));
		return -ENOENT;
	}
	count = copy_found(addrs, max, scheme_kind(scheme), found);
	freeaddrinfo(found);
	if (!count)
		return err_errno(err, ENOENT, "\"%s\"", text);
	return (int)count;
}

/* Two sockets, so that the system's default for IPV6_V6ONLY plays no part. */
static int
resolve_wildcard(struct addr *addrs, size_t max, const struct scheme *scheme,
    uint16_t port)
{
	const struct sockaddr_in6 sin6 = {
		.sin6_family = AF_INET6, .sin6_port = htons(port),
	};

	addrs[0] = (struct addr){ .kind = scheme_kind(scheme) };
	ipv4_fill(&addrs[0], (struct in_addr){ INADDR_ANY }, port);
	if (max < 2)
		return 1;
	addrs[1] = (struct addr){ .kind = scheme_kind(scheme) };
	addrs[1].len = sizeof(sin6);
	memcpy(&addrs[1].sa, &sin6, sizeof(sin6));
	return 2;
}

static int
resolve_ip(struct addr *addrs, size_t max, const struct scheme *scheme,
    const char *text, struct err *err)
{
	struct host_port hp;
	int r = host_port_split(&hp, text + strlen(scheme->prefix), text, err);

	if (r)
		return r;
	if (!strcmp(hp.host, "*") && !hp.is_bracketed)
		return resolve_wildcard(addrs, max, scheme, hp.port);
	addrs[0] = (struct addr){ .kind = scheme_kind(scheme) };
	r = host_numeric(&addrs[0], &hp, text, err);
	if (r == -ENOENT)
		return resolve_name(addrs, max, scheme, &hp, text, err);
	return r ? r : 1;
}

void
addr_canonical(struct sockaddr_storage *sa, socklen_t *len)
{
	struct sockaddr_in6 sin6;
	struct sockaddr_in sin = { .sin_family = AF_INET };

	if (sa->ss_family != AF_INET6 || *len < sizeof(sin6))
		return;
	memcpy(&sin6, sa, sizeof(sin6));
	if (!IN6_IS_ADDR_V4MAPPED(&sin6.sin6_addr))
		return;
	sin.sin_port = sin6.sin6_port;
	memcpy(&sin.sin_addr, &sin6.sin6_addr.s6_addr[12], 4);
	memset(sa, 0, sizeof(sin6));
	memcpy(sa, &sin, sizeof(sin));
	*len = sizeof(sin);
}

int
addr_parse(struct addr *addr, const char *text, struct err *err)
{
	const struct scheme *scheme = scheme_find(text, err);

	memset(addr, 0, sizeof(*addr));
	if (!scheme)
		return -EINVAL;
	addr->kind = scheme_kind(scheme);
	return scheme->parse(addr, text + strlen(scheme->prefix), text, err);
}

int
addr_resolve(struct addr *addrs, size_t max, const char *text, struct err *err)
{
	const struct scheme *scheme = scheme_find(text, err);
	int r;

	if (!scheme || !max)
		return -EINVAL;
	if (scheme->is_ip)
		return resolve_ip(addrs, max, scheme, text, err);
	r = addr_parse(&addrs[0], text, err);
	return r ? r : 1;
}

bool
addr_is_stream(const struct addr *addr)
{
	return schemes[addr->kind].is_stream;
}

const char *
addr_format(const struct addr *addr, char text[ADDR_TEXT_SIZE])
{
	char rest[ADDR_TEXT_SIZE];
	const char *name = addr->fd_name;
	const void *sa = &addr->sa;

	if (addr->kind != ADDR_FD)
		name = sockaddr_format(sa, addr->len, rest);
	if (addr->kind == ADDR_UNIX || addr->kind == ADDR_UNIXGRAM)
		name += strlen("unix:");
	(void)snprintf(text, ADDR_TEXT_SIZE, "%s%s",
	    schemes[addr->kind].prefix, name);
	return text;
}
