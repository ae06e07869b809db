/* SPDX-License-Identifier: ISC */
#ifndef BASE_ADDR_H
#define BASE_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "base/err.h"

/*
 * Addresses as an operator writes them: tcp://HOST:PORT, udp://HOST:PORT,
 * unix:PATH, unixgram:PATH, unix:@NAME, fd:NAME. An IPv4-mapped IPv6 address
 * is IPv4 from the first moment (addr_canonical), before a rule or log sees it.
 *
 * Everything but addr_resolve() is pure and may be called by any thread; only
 * the scope of a link-local address (fe80::1%lo) asks the kernel.
 */
enum addr_kind { ADDR_TCP, ADDR_UDP, ADDR_UNIX, ADDR_UNIXGRAM, ADDR_FD };

#define ADDR_TEXT_SIZE 128      /* the longest text form, with its NUL */

struct addr {
	enum addr_kind kind;
	struct sockaddr_storage sa;
	socklen_t len;                  /* 0 for ADDR_FD and unnamed peers */
	char fd_name[64];               /* ADDR_FD */
};

/* Numeric forms only (and fd:); what addresses[] of a listener holds. 0, or
 * -EINVAL with *err. */
int addr_parse(struct addr *addr, const char *text, struct err *err);
/* The same with a host name or "*": at most max results; the number, or
 * -errno with *err (-EINVAL syntax, -ENOENT no such host). May ask the
 * resolver: never in the supervisor. "*" is 0.0.0.0, then [::]. */
int addr_resolve(struct addr *addrs, size_t max, const char *text,
    struct err *err);
bool addr_is_stream(const struct addr *addr);
/* "tcp://127.0.0.1:7", "unix:/run/x", "unix:@name": the form of `listen`, which
 * addr_parse() takes back. Returns text. */
const char *addr_format(const struct addr *addr, char text[ADDR_TEXT_SIZE]);
/* "127.0.0.1:50312", "[::1]:7", "unix:/run/x", "unix:@name", "unix:" unnamed:
 * the form of ss_peer(). Bytes of a foreign Unix name that do not print are
 * shown as \xNN, a name too long for that ends in "...". Returns text. */
const char *sockaddr_format(const struct sockaddr *sa, socklen_t len,
    char text[ADDR_TEXT_SIZE]);
/* An IPv4-mapped IPv6 address becomes AF_INET, in place. */
void addr_canonical(struct sockaddr_storage *sa, socklen_t *len);

#endif
