/* SPDX-License-Identifier: ISC */
#ifndef SERVE_LINGER_H
#define SERVE_LINGER_H

#include <stdbool.h>

#include "base/loop.h"

/*
 * Connections whose side we have ended and whose peer may still be sending.
 * The main thread reads their rest away until the peer ends, 2 seconds at
 * most, so that no worker is held by a peer that takes its time. A bounded
 * number; one too many is closed at once.
 */
struct linger_list;

struct linger_list *linger_new(struct loop *loop);      /* NULL: no memory */
/* Any thread. Takes the descriptor over. */
void linger_add(struct linger_list *list, int fd);
/* Call idle() from the main thread when the last one is gone (at once when
 * there is none). */
void linger_when_idle(struct linger_list *list, void (*idle)(void *), void *arg);
/* A forked child: close the descriptors, write to nothing. */
void linger_forget(const struct linger_list *list);
void linger_free(struct linger_list **list);

#endif
