/* SPDX-License-Identifier: ISC */
#ifndef NET_UNIX_PATH_H
#define NET_UNIX_PATH_H

#include "base/err.h"
#include "net/transport.h"

/*
 * The file of a Unix socket, and PATH.lock beside it, which says that a
 * supervisor lives that serves it. Supervisor only (it changes the umask for a
 * moment); inside net/ only.
 */

/* Take the path and bind ep->fd to it, with its mode and owner; afterwards
 * owns_path is true. A stale socket is replaced; a live one, and anything that
 * is no socket, is refused. On failure nothing is left behind. */
int unix_path_bind(struct endpoint *ep, const struct listener_conf *conf,
    struct err *err);
/* Give the file that is still ours another mode and other owners. At no time
 * may anybody use it who may neither before nor after. */
int unix_path_apply(struct endpoint *ep, const struct listener_conf *conf,
    struct err *err);
/* Take the path again for a socket that is bound to it: path_dev and path_ino
 * say to which file. -ESTALE: that file is not there any more. */
int unix_path_claim(struct endpoint *ep, struct err *err);
/* The opposite. */
void unix_path_disclaim(struct endpoint *ep);
/* Remove what is still ours, but for a file that stays (is_kept). Call it while
 * ep->fd is open. */
void unix_path_release(struct endpoint *ep);

#endif
