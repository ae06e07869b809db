/* SPDX-License-Identifier: ISC */
#ifndef NET_TRANSPORT_H
#define NET_TRANSPORT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "base/addr.h"
#include "base/err.h"
#include "conf/config.h"

/*
 * How bytes arrive. A transport opens a listening socket (supervisor), readies
 * it for one generation (service), takes an arrival from it, and finishes the
 * arrival. One file each: tcp.c, udp.c, unix.c (stream and datagram); the
 * table transports[] is in transport.c.
 */
struct transport;

/* A socket of a listener, in the supervisor or in a service. */
struct endpoint {
	const struct transport *transport;
	struct addr addr;               /* as bound: the real port */
	int fd;                         /* owned */
	bool is_wildcard;               /* UDP: reply from the asked address */
	bool is_adopted;                /* somebody else opened it: what a
					 * socket is opened with is not ours */
	bool owns_path;                 /* Unix: this daemon made the file */
	bool is_beside;                 /* open it beside others on its address */
	bool is_late;                   /* it gets nothing before endpoint_join(),
					 * and may have no name until then */
	bool is_own;                    /* service: no other process of its
					 * generation takes from it */
	bool is_kept;                   /* the service manager has it too: a Unix
					 * socket's file stays at the close */
	int lock_fd;                    /* owned while owns_path: PATH.lock */
	dev_t path_dev;                 /* while owns_path: which file it is */
	ino_t path_ino;
	/* TCP: connections that may have been queued before ready() set what
	 * they inherit, and that prepare() must see to. Owned; NULL = none. */
	atomic_uint *queued;
	char address[ADDR_TEXT_SIZE];   /* addr_format() of addr */
};

/* One connection or one datagram. The owner of an arrival owns fd (streams)
 * and lends data (datagrams: room of size bytes). */
struct arrival {
	const struct endpoint *endpoint;        /* borrowed */
	int fd;                         /* the connection, or the endpoint's */
	struct sockaddr_storage peer;   /* canonical; peer_len 0 = unnamed */
	socklen_t peer_len;
	struct sockaddr_storage local;  /* asked address; len 0 = as endpoint */
	socklen_t local_len;
	unsigned local_ifindex;         /* datagram: came by it; 0 = unknown */
	char *data;                     /* the caller's buffer: of a datagram,
					 * or of what was read ahead */
	size_t size;                    /* its room, bytes: max_datagram + 1 */
	size_t len;                     /* bytes that came */
	int failure;                    /* -errno that reading ahead met */
	/* A connection that was admitted and then waited for its first bytes:
	 * the number of its request (0 = it did not), and since when. */
	uint64_t id;
	int64_t since;
};

struct transport {
	const char *scheme;             /* "tcp", "udp", "unix", "unixgram" */
	enum addr_kind kind;
	bool is_stream;
	/* Bind (and listen). In the supervisor. 0 or -errno with a sentence
	 * that says what to do. Where is_late, leave the last step to join(). */
	int (*open)(struct endpoint *ep, const struct listener_conf *conf,
	    struct err *err);
	/* NULL where no second socket can have the address. */
	int (*join)(struct endpoint *ep, const struct listener_conf *conf,
	    struct err *err);
	/* Supervisor: claim what belongs to the name of a bound socket of an
	 * earlier life. -ESTALE: it is not there any more. NULL: nothing
	 * does. */
	int (*claim)(struct endpoint *ep, struct err *err);
	/* Set what belongs to a generation: timeouts, nodelay, keepalive,
	 * buffers. In the service, and for a socket that was handed in. */
	int (*ready)(struct endpoint *ep, const struct listener_conf *conf,
	    struct err *err);
	/* What a reload changes of a socket that stays open: the keys of class
	 * RELOAD_SOCKET that do not only count when it is bound. In the
	 * supervisor; a service may be taking meanwhile. What was done before
	 * a failure stays done. */
	int (*apply)(struct endpoint *ep, const struct listener_conf *conf,
	    struct err *err);
	/* accept4 | recvmsg. Blocks unless the descriptor is O_NONBLOCK; a
	 * datagram's also not when wait is false (there is no MSG_DONTWAIT for
	 * accept). 0, or -errno:
	 * -EAGAIN nothing there; -EINTR nudged;
	 * -EMFILE -ENFILE -ENOBUFS -ENOMEM pause;
	 * -EMSGSIZE a datagram longer than max_datagram was dropped (peer is
	 * filled in);
	 * -EBADMSG a datagram nobody may answer was dropped (source port 0,
	 * multicast source, the socket's own address; peer is filled in);
	 * -ECONNABORTED for every error of one connection alone: take again;
	 * any other: the socket itself is broken, e.g. -EINVAL when another
	 * holder shut it down. */
	int (*take)(const struct endpoint *ep, struct arrival *arrival,
	    bool wait);
	/* Stream: per-connection options where they are not inherited (TCP: for
	 * the few that were queued before ready()). May be NULL. */
	int (*prepare)(const struct arrival *arrival,
	    const struct listener_conf *conf);
	/* Datagram: send a reply to the peer from the address that was asked,
	 * never blocking. 0 or -errno. NULL for streams. */
	int (*reply)(const struct arrival *arrival, const void *data,
	    size_t len);
	/* Supervisor: close, and remove the file of a Unix socket it owns. */
	void (*close)(struct endpoint *ep);
};

extern const struct transport tcp_transport, udp_transport, unix_transport,
    unixgram_transport;
extern const struct transport *const transports[];      /* NULL-terminated */

const struct transport *transport_of(enum addr_kind kind);
/* Supervisor: open one address. */
int endpoint_open(struct endpoint *ep, const char *address,
    const struct listener_conf *conf, struct err *err);
/* Supervisor: one more socket on the address of `first`, which lets it in
 * (SO_REUSEPORT); the kernel deals out what arrives among them. is_late: from
 * endpoint_join() on. The first was bound without, so that an address that
 * another program has, or another daemon like this one, is in use. */
int endpoint_open_beside(struct endpoint *ep, const struct endpoint *first,
    const struct listener_conf *conf, bool is_late, struct err *err);
int endpoint_join(struct endpoint *ep, const struct listener_conf *conf,
    struct err *err);
/* Recognise an inherited socket by asking the kernel what it is. */
int endpoint_adopt(struct endpoint *ep, int fd, struct err *err);
/* Service: a socket of the supervisor's. One that is late there is not bound,
 * or does not listen, before the sockets are this service's to take from; then
 * endpoint_settle() learns its name. */
int endpoint_receive(struct endpoint *ep, int fd, struct err *err);
int endpoint_settle(struct endpoint *ep, struct err *err);
/* Supervisor: backlog, mode, owner and so on of another configuration. An
 * adopted socket is left as it is. */
int endpoint_apply(struct endpoint *ep, const struct listener_conf *conf,
    struct err *err);
/* Supervisor: serve again with an adopted socket that an earlier life of this
 * daemon opened, as the configuration says now. For a Unix socket with a file,
 * path_dev and path_ino say which one was its. On failure the endpoint is as it
 * was, and the socket had better be given up. */
int endpoint_resume(struct endpoint *ep, const struct listener_conf *conf,
    struct err *err);
void endpoint_close(struct endpoint *ep);
/* As take() of a stream, where somebody else accepted: fd is the connection, or
 * -errno. */
int endpoint_accepted(const struct endpoint *ep, struct arrival *arrival,
    int fd);
/* What the kernel says of a datagram socket's queue. 0, or -errno before Linux
 * 4.12. */
struct endpoint_queue {
	uint32_t dropped;       /* since the socket was made; comes round */
	uint32_t size_bytes;    /* as SO_RCVBUF counts them */
};
int endpoint_queue(const struct endpoint *ep, struct endpoint_queue *queue);
/* Does nothing wait in its queue? */
bool endpoint_is_empty(const struct endpoint *ep);
/* Blocking or not, for every process that holds the socket. */
int endpoint_set_nonblock(const struct endpoint *ep, bool on);
/* Service: may others have sockets of their own on this address? */
bool endpoint_shares_port(const struct endpoint *ep);

#endif
