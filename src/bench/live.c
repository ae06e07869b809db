/* SPDX-License-Identifier: ISC */
#include "bench/live.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"

#define LIVE_MS 500             /* between two lines */

static bool
is_shown(void)
{
	return isatty(STDERR_FILENO) == 1;
}

void
live_tick(struct load *load, int64_t now)
{
	struct run *run = load->arg;
	const struct tally *tally = load->tally;
	double seconds;

	if (now < run->live_at || !is_shown())
		return;
	run->live_at = now + LIVE_MS * CLOCK_MS;
	seconds = (double)(now - load->pace.start_at) / 1e9;
	fprintf(stderr, "\r\033[K%.0f s: %" PRIu64 " requests, %.0f/s, "
	    "p99 %.1f us, %" PRIu64 " errors", seconds, tally->done,
	    seconds > 0 ? (double)tally->done / seconds : 0,
	    (double)hist_quantile(&tally->hist, 0.99) / 1e3,
	    tally_faults(tally));
	(void)fflush(stderr);
}

void
live_say(const char *what)
{
	if (is_shown())
		fprintf(stderr, "\r\033[K%s ...", what);
}

void
live_clear(void)
{
	if (is_shown())
		fputs("\r\033[K", stderr);
}
