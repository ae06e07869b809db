/* SPDX-License-Identifier: ISC */
/*
 * sd_notify(3), in the supervisor. Its results are left aside on purpose:
 * without a service manager every call is a no-op, and with one there is
 * nobody else to tell.
 */
#include "super/notify.h"

#include <inttypes.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

void
notify_ready(unsigned ready, unsigned failed)
{
	(void)sd_notifyf(0,
	    "READY=1\nMAINPID=%ld\nSTATUS=%u listeners ready, %u failed",
	    (long)getpid(), ready, failed);
}

void
notify_status(unsigned ready, unsigned failed)
{
	(void)sd_notifyf(0, "STATUS=%u listeners ready, %u failed", ready,
	    failed);
}

void
notify_stopping(void)
{
	(void)sd_notify(0, "STOPPING=1\nSTATUS=stopping");
}

void
notify_extend(int64_t ms)
{
	(void)sd_notifyf(0, "EXTEND_TIMEOUT_USEC=%" PRId64, ms * 1000);
}
