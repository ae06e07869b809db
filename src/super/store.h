/* SPDX-License-Identifier: ISC */
#ifndef SUPER_STORE_H
#define SUPER_STORE_H

#include <stdbool.h>
#include <stddef.h>

#include "conf/config.h"
#include "net/inherit.h"
#include "net/transport.h"

/*
 * The descriptor store: systemd keeps a duplicate of each listening socket that
 * we opened (sd_pid_notify_with_fds(3), FileDescriptorStoreMax= in the unit),
 * and hands all of them over at the next start. Between a stop, or a death, and
 * that start, connections wait in the sockets' queues instead of being refused.
 *
 * Sockets of socket units are systemd's own and are not stored; nor is one
 * whose port the kernel chose, which nobody asks for by its address.
 *
 * A stored socket goes by the name "socketserverd-DEVICE-INODE": of its file,
 * for a Unix socket with one, so that the next life knows whether the file that
 * it finds is that socket's; else of the socket. Supervisor only.
 */
struct store {
	size_t max;                     /* FDSTORE; 0 = there is no store */
	size_t held;                    /* what is in it */
	bool has_told;                  /* that it is full */
	bool is_left;                   /* as it is: the daemon ends */
	struct endpoint *found;         /* owned: handed over, not yet wanted */
	size_t found_count;
};

/* Takes what came from the store out of inherit. */
void store_open(struct store *store, struct inherit *inherit);
/* Is a socket with this address there? Then *ep serves it, as the configuration
 * says now; one that cannot is given up. */
bool store_find(struct store *store, const char *address,
    const struct listener_conf *conf, struct endpoint *ep);
/* Keep a socket that was opened for an address of a listener. The file of a
 * Unix socket then stays when the endpoint is closed. */
void store_keep(struct store *store, const char *address, struct endpoint *ep);
/* The socket is given up for good, and is about to be closed. Nothing happens
 * when it is not in the store. */
void store_drop(struct store *store, struct endpoint *ep);
/* The daemon ends: from now on nothing is dropped. */
void store_leave(struct store *store);
/* After the start: give up what no listener wanted. */
void store_sweep(struct store *store);
/* Close what is left here; the store itself and all files stay as they are. */
void store_close(struct store *store);

#endif
