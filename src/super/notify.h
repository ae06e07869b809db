/* SPDX-License-Identifier: ISC */
#ifndef SUPER_NOTIFY_H
#define SUPER_NOTIFY_H

#include <stdint.h>

/*
 * What the service manager is told (sd_notify(3)); nothing happens where
 * there is none. Fixed sentences and numbers only, never a peer's or a
 * handler's text. The only user of libsystemd.
 */
void notify_ready(unsigned ready, unsigned failed);
void notify_status(unsigned ready, unsigned failed);
void notify_stopping(void);
/* The stop goes on: do not kill the daemon within the next `ms`. */
void notify_extend(int64_t ms);

#endif
