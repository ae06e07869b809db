/* SPDX-License-Identifier: ISC */
#ifndef NET_SOCKET_H
#define NET_SOCKET_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "net/transport.h"

/*
 * What the transports share, inside net/ only: making a socket, setting its
 * options, taking from it, and the sentences for what goes wrong on the way.
 */

/* One integer socket option, with the configuration key it comes from. */
struct socket_option {
	int level, name;
	int64_t value;                  /* clamped to an int */
	const char *key;
};

/* ep->fd, close-on-exec and blocking, of ep->addr's family. */
int socket_new(struct endpoint *ep, int type, struct err *err);
int socket_set(int fd, const struct socket_option *options, size_t count,
    struct err *err);
/* Another socket of the same user may bind the same address (SO_REUSEPORT):
 * set before bind(2), or later on the one that is there. */
int socket_share_port(int fd, struct err *err);
/* An integer option of SOL_SOCKET; -errno. */
int socket_ask(int fd, int name);
/* SO_RCVTIMEO and SO_SNDTIMEO; 0 = none. */
int socket_set_timeouts(int fd, int64_t timeout_ms);
/* rcvbuf and sndbuf where they are set. */
int socket_set_buffers(int fd, const struct listener_conf *conf,
    struct err *err);
/* Where they are not set: back to the system's choice, as far as the kernel
 * can (Linux 5.14). */
void socket_reset_buffers(int fd, const struct listener_conf *conf);
int socket_bind(const struct endpoint *ep, struct err *err);
int socket_listen(const struct endpoint *ep, const struct listener_conf *conf,
    struct err *err);

/* errno of accept4 or recv as take() tells it: -ECONNABORTED for what concerns
 * one connection (or one earlier datagram) alone. */
int socket_take_error(int code);
/* take() of every stream. */
int socket_accept(const struct endpoint *ep, struct arrival *arrival,
    bool wait);
/* recvfrom(2) into the arrival, for sockets that need no more than the peer. */
int socket_receive(const struct endpoint *ep, struct arrival *arrival,
    bool wait);
/* sendto(2) to the peer, never blocking. -EDESTADDRREQ: it has no address. */
int socket_reply(const struct arrival *arrival, const void *data, size_t len);
/* The peer as the kernel wrote it, made canonical; unnamed becomes length 0. */
void socket_peer(struct arrival *arrival, socklen_t len);

#endif
