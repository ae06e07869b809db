/* SPDX-License-Identifier: ISC */
/*
 * sd_notify(3), in the supervisor. Its results are left aside on purpose:
 * without a service manager every call is a no-op, and with one there is
 * nobody else to tell.
 */
#include "super/notify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "base/clock.h"

#define STATUS_EVERY_NS CLOCK_SECOND
#define STATUS_SIZE 128

/* The timer in the loop proves what the manager wants to know: that the loop
 * comes round. */
static void
watchdog_due(struct timer *timer)
{
	struct notify *notify = timer->arg;

	(void)sd_notify(0, "WATCHDOG=1");
	(void)timer_start(notify->loop, timer,
	    loop_now(notify->loop) + notify->watchdog_ns, watchdog_due, notify);
}

void
notify_open(struct notify *notify, struct loop *loop)
{
	uint64_t us = 0;

	*notify = (struct notify){ .loop = loop };
	if (sd_watchdog_enabled(0, &us) <= 0)
		return;
	/* half the interval, as sd_watchdog_enabled(3) advises */
	notify->watchdog_ns = (int64_t)(us / 2) * 1000;
	notify->watchdog.arg = notify;
	watchdog_due(&notify->watchdog);
}

void
notify_close(struct notify *notify)
{
	if (notify->loop == NULL)
		return;
	timer_stop(notify->loop, &notify->status);
	timer_stop(notify->loop, &notify->watchdog);
	notify->loop = NULL;
}

/* "STATUS=8 listeners ready, 1 failed, generation 12" */
static void
status_format(char text[STATUS_SIZE], const struct notify_counts *counts)
{
	int n = snprintf(text, STATUS_SIZE,
	    "STATUS=%u listener%s ready, %u failed", counts->ready,
	    counts->ready == 1 ? "" : "s", counts->failed);

	if (counts->generation > 0)
		(void)snprintf(text + n, STATUS_SIZE - (size_t)n,
		    ", generation %u", counts->generation);
}

void
notify_ready(struct notify *notify, const struct notify_counts *counts)
{
	char status[STATUS_SIZE];

	timer_stop(notify->loop, &notify->status);
	notify->status_at = loop_now(notify->loop) + STATUS_EVERY_NS;
	status_format(status, counts);
	(void)sd_notifyf(0, "READY=1\nMAINPID=%ld\n%s", (long)getpid(),
	    status);
}

/* The time is for Type=notify-reload, from systemd 253 on. */
void
notify_reloading(void)
{
	(void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRId64
	    "\nSTATUS=reloading", clock_now() / 1000);
}

static void
status_due(struct timer *timer)
{
	struct notify *notify = timer->arg;
	char status[STATUS_SIZE];

	notify->status_at = loop_now(notify->loop) + STATUS_EVERY_NS;
	status_format(status, &notify->counts);
	(void)sd_notify(0, status);
}

void
notify_status(struct notify *notify, const struct notify_counts *counts)
{
	notify->counts = *counts;
	if (!timer_is_running(&notify->status))
		(void)timer_start(notify->loop, &notify->status,
		    notify->status_at, status_due, notify);
}

void
notify_stopping(struct notify *notify)
{
	timer_stop(notify->loop, &notify->status);
	(void)sd_notify(0, "STOPPING=1\nSTATUS=stopping");
}

void
notify_extend(int64_t ms)
{
	(void)sd_notifyf(0, "EXTEND_TIMEOUT_USEC=%" PRId64, ms * 1000);
}

/* FDPOLL=0: or the manager drops a socket that has an error pending, as a
 * datagram socket may. */
int
notify_store(int fd, const char *name)
{
	char text[256];
	int r;

	(void)snprintf(text, sizeof(text), "FDSTORE=1\nFDNAME=%s\nFDPOLL=0",
	    name);
	r = sd_pid_notify_with_fds(0, 0, text, &fd, 1);
	return r > 0 ? 0 : r < 0 ? r : -ENOTCONN;
}

void
notify_unstore(const char *name)
{
	(void)sd_notifyf(0, "FDSTOREREMOVE=1\nFDNAME=%s", name);
}
