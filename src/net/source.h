/* SPDX-License-Identifier: ISC */
#ifndef NET_SOURCE_H
#define NET_SOURCE_H

#include <stdbool.h>
#include <sys/socket.h>

/*
 * May a datagram be answered? One whose source is forged can make two servers,
 * or one server and itself, talk for ever. Any thread; inside net/ only.
 */

/* peer is canonical; local is where the datagram was sent to, with the port. */
bool source_is_answerable(const struct sockaddr *peer,
    const struct sockaddr *local);

#endif
