/* SPDX-License-Identifier: ISC */
/*
 * Socket addresses as text, for logs and handlers. Runs once a request, so IPv4
 * goes without printf(3).
 */
#include "base/addr.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <sys/un.h>

#include "base/digits.h"
#include "base/utf8.h"

/* Bytes put one after the other into a text of ADDR_TEXT_SIZE. */
struct writer {
	char *text;
	size_t len;
};

static void
put_bytes(struct writer *w, const char *data, size_t len)
{
	if (len > ADDR_TEXT_SIZE - 1 - w->len)
		len = ADDR_TEXT_SIZE - 1 - w->len;
	memcpy(w->text + w->len, data, len);
	w->len += len;
	w->text[w->len] = '\0';
}

static void
put_text(struct writer *w, const char *text)
{
	put_bytes(w, text, strlen(text));
}

static void
put_number(struct writer *w, unsigned n)
{
	char digits[DIGITS_MAX];

	put_bytes(w, digits, (size_t)(digits_put(digits, n) - digits));
}

/* The text is empty: there is room. */
static void
put_ipv4(struct writer *w, const struct sockaddr_in *sin)
{
	const uint32_t host = ntohl(sin->sin_addr.s_addr);
	char *to = w->text;

	for (unsigned shift = 32; shift; shift -= 8) {
		to = digits_put(to, host >> (shift - 8) & 0xff);
		*to++ = shift > 8 ? '.' : ':';
	}
	to = digits_put(to, ntohs(sin->sin_port));
	*to = '\0';
	w->len = (size_t)(to - w->text);
}

static void
put_scope(struct writer *w, unsigned index)
{
	char name[IF_NAMESIZE];

	put_text(w, "%");
	if (if_indextoname(index, name))
		put_text(w, name);
	else
		put_number(w, index);
}

static void
put_ipv6(struct writer *w, const struct sockaddr_in6 *sin6)
{
	char host[INET6_ADDRSTRLEN] = "";

	(void)inet_ntop(AF_INET6, &sin6->sin6_addr, host, sizeof(host));
	put_text(w, "[");
	put_text(w, host);
	if (sin6->sin6_scope_id)
		put_scope(w, sin6->sin6_scope_id);
	put_text(w, "]:");
	put_number(w, ntohs(sin6->sin6_port));
}

/* One character, or one byte escaped, when there is room for it and for the
 * "..." of a name that goes on. How many bytes were taken; 0 = no room. */
static size_t
put_character(struct writer *w, const char *text, size_t len)
{
	const char hex[] = "0123456789abcdef";
	const uint8_t byte = (uint8_t)text[0];
	const char escape[] = { '\\', 'x', hex[byte >> 4], hex[byte & 15] };
	const size_t room = ADDR_TEXT_SIZE - 1 - w->len;
	size_t n = utf8_printable(text, len);
	size_t need = n ? n : sizeof(escape), taken = n ? n : 1;

	if (room < need + (taken < len ? 3 : 0))
		return 0;
	put_bytes(w, n ? text : escape, need);
	return taken;
}

static void
put_unix_name(struct writer *w, const char *name, size_t len)
{
	while (len) {
		size_t n = put_character(w, name, len);

		if (!n) {
			put_text(w, "...");
			return;
		}
		name += n;
		len -= n;
	}
}

/* unix(7): the name may fill sun_path without a NUL, or not exist at all. */
static void
put_unix(struct writer *w, const struct sockaddr_un *sun, socklen_t len)
{
	const size_t offset = offsetof(struct sockaddr_un, sun_path);
	size_t n = len > offset ? len - offset : 0;

	if (!n)
		return;
	if (sun->sun_path[0]) {
		put_unix_name(w, sun->sun_path, strnlen(sun->sun_path, n));
		return;
	}
	put_text(w, "@");
	put_unix_name(w, sun->sun_path + 1, n - 1);
}

static void
put_sockaddr(struct writer *w, const struct sockaddr *sa, socklen_t len)
{
	const void *any = sa;

	switch (len ? sa->sa_family : AF_UNIX) {
	case AF_INET:
		put_ipv4(w, any);
		break;
	case AF_INET6:
		put_ipv6(w, any);
		break;
	case AF_UNIX:
		put_unix(w, any, len);
		break;
	default:
		put_text(w, "family ");
		put_number(w, sa->sa_family);
	}
}

const char *
sockaddr_format(const struct sockaddr *sa, socklen_t len,
    char text[ADDR_TEXT_SIZE])
{
	struct writer w = { .text = text };

	text[0] = '\0';
	if (!len || sa->sa_family == AF_UNIX)
		put_text(&w, "unix:");
	put_sockaddr(&w, sa, len);
	return text;
}
