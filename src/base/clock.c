/* SPDX-License-Identifier: ISC */
#include "base/clock.h"

#include <limits.h>
#include <time.h>

/* Cannot fail: both clocks exist on every kernel since 2.6.32. */
static int64_t
clock_read(clockid_t id)
{
	struct timespec ts;

	(void)clock_gettime(id, &ts);
	return ts.tv_sec * CLOCK_SECOND + ts.tv_nsec;
}

int64_t
clock_now(void)
{
	return clock_read(CLOCK_MONOTONIC);
}

int64_t
clock_coarse(void)
{
	return clock_read(CLOCK_MONOTONIC_COARSE);
}

int64_t
clock_after_ms(int64_t ms)
{
	int64_t now = clock_now();

	if (!ms)
		return 0;
	if (ms > (CLOCK_NEVER - now) / CLOCK_MS)
		return CLOCK_NEVER;
	return now + ms * CLOCK_MS;
}

int
clock_left_ms(int64_t at)
{
	int64_t now, ms;

	if (!at || at == CLOCK_NEVER)
		return -1;
	now = clock_now();
	if (at <= now)
		return 0;
	ms = (at - now - 1) / CLOCK_MS + 1;
	return ms > INT_MAX ? INT_MAX : (int)ms;
}
