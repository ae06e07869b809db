/* SPDX-License-Identifier: ISC */
/* In place of reactor_uring.c where liburing was not found. */
#include <errno.h>

#include "model/reactor.h"

static int
nouring_open(struct event *event, struct err *err)
{
	(void)event;
	return err_errno(err, ENOSYS, "io_uring: this socketserverd was built "
	    "without liburing");
}

static void
nouring_close(struct event *event)
{
	(void)event;
}

const struct reactor uring_reactor = {
	.io = IO_URING,
	.open = nouring_open,
	.close = nouring_close,
};
