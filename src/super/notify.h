/* SPDX-License-Identifier: ISC */
#ifndef SUPER_NOTIFY_H
#define SUPER_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"

/*
 * What the service manager is told (sd_notify(3)); nothing happens where
 * there is none. Fixed sentences and numbers only, never a peer's or a
 * handler's text. The only user of libsystemd.
 */
struct notify_counts {
	unsigned ready, failed;         /* listeners */
	unsigned generation;            /* of the configuration; 0 = none yet */
};

/* Zeroed before notify_open(). */
struct notify {
	struct loop *loop;              /* borrowed */
	struct timer status, watchdog;
	int64_t status_at;              /* before that, no other status */
	int64_t watchdog_ns;            /* between two signs of life; 0 = none */
	struct notify_counts counts;    /* what the next status tells */
};

/* From now on the manager's watchdog is fed, as long as the loop turns. */
void notify_open(struct notify *notify, struct loop *loop);
void notify_close(struct notify *notify);
/* Serving: at the start, and at the end of a reload. */
void notify_ready(struct notify *notify, const struct notify_counts *counts);
void notify_reloading(void);
/* At most once a second; the last one is told in any case. */
void notify_status(struct notify *notify, const struct notify_counts *counts);
/* No status any more. */
void notify_stopping(struct notify *notify);
/* The stop goes on: do not kill the daemon within the next `ms`. */
void notify_extend(int64_t ms);
/* Keep a duplicate of the descriptor, until this program is started again or
 * says that it is not wanted any more. 0; -errno when there is no manager. */
int notify_store(int fd, const char *name);
void notify_unstore(const char *name);

#endif
