/* SPDX-License-Identifier: ISC */
#ifndef CONF_FLAT_H
#define CONF_FLAT_H

#include "base/buf.h"
#include "base/err.h"
#include "conf/config.h"

/*
 * A configuration as flat lines, one value a line, in the order of the rows:
 * how it travels from the reading child to the supervisor and from there to a
 * service process. Decoding is bounded and trusts nothing.
 */
int flat_encode(struct buf *out, const struct config *config);
/* The top level and one listener alone: what a service process is given. */
int flat_encode_listener(struct buf *out, const struct config *config,
    const struct listener_conf *listener);
/* NULL with *err when the text is not what flat_encode() makes. */
struct config *flat_decode(const char *text, size_t len, struct err *err);

#endif
