/* SPDX-License-Identifier: ISC */
/* A process that ended, in words. */
#include "super/crash.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "base/buf.h"
#include "base/sig.h"

/* info without a pid: somebody else has reaped it. */
static void
describe_end(struct crash *crash, const siginfo_t *info)
{
	char *how = crash->how;

	if (info->si_pid == 0) {
		(void)snprintf(how, sizeof(crash->how), "ended unseen");
	} else if (info->si_code == CLD_EXITED) {
		crash->status = info->si_status;
		(void)snprintf(how, sizeof(crash->how),
		    "exited with status %d", info->si_status);
	} else {
		crash->signal = info->si_status;
		(void)snprintf(how, sizeof(crash->how), "was killed by %s%s",
		    sig_name(info->si_status),
		    info->si_code == CLD_DUMPED ? " (core dumped)" : "");
	}
}

void
crash_describe(struct crash *crash, const siginfo_t *info, const char *why)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	crash->time_ns = now.tv_sec * 1000000000LL + now.tv_nsec;
	crash->signal = crash->status = 0;
	describe_end(crash, info);
	/* It may have ended by itself before our KILL came. */
	crash->was_ours = why != NULL && crash->signal == SIGKILL;
	if (crash->was_ours)
		(void)snprintf(crash->how, sizeof(crash->how), "%s", why);
}

void
crash_add_peer(struct crash *crash, const char *peer)
{
	if (crash->peer_count < CRASH_PEERS)
		(void)snprintf(crash->peers[crash->peer_count++],
		    CRASH_PEER_SIZE, "%s", peer);
}

static void
format_requests(struct buf *out, const struct crash *crash)
{
	size_t i;

	(void)buf_printf(out, " while serving %" PRId64 " request%s",
	    crash->active, crash->active == 1 ? "" : "s");
	for (i = 0; i < crash->peer_count; i++)
		(void)buf_printf(out, "%s%s", i == 0 ? " (" : ", ",
		    crash->peers[i]);
	if (crash->peer_count > 0 &&
	    crash->active > (int64_t)crash->peer_count)
		(void)buf_puts(out, ", ...");
	if (crash->peer_count > 0)
		(void)buf_puts(out, ")");
}

void
crash_format(const struct crash *crash, int64_t restart_ms, char *text,
    size_t size)
{
	struct buf out;

	buf_init(&out, 0);
	(void)buf_printf(&out, "service process %ld %s", (long)crash->pid,
	    crash->how);
	if (crash->was_ours)
		(void)buf_puts(&out, " and was killed by SIGKILL");
	if (!crash->was_ready)
		(void)buf_puts(&out, " before it was ready");
	else if (crash->active > 0)
		format_requests(&out, crash);
	if (restart_ms >= 0)
		(void)buf_printf(&out, "; restarting in %.1f s",
		    (double)restart_ms / 1000);
	(void)snprintf(text, size, "%s", out.data != NULL ? out.data : "");
	buf_free(&out);
}
