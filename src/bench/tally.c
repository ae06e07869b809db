/* SPDX-License-Identifier: ISC */
#include "bench/tally.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void
tally_clear(struct tally *tally)
{
	memset(tally, 0, sizeof(*tally));
}

void
tally_fault(struct tally *tally, enum fault fault, const char *format, ...)
{
	va_list ap;

	if (tally->faults[fault]++ > 0)
		return;
	va_start(ap, format);
	(void)vsnprintf(tally->first[fault], sizeof(tally->first[fault]),
	    format, ap);
	va_end(ap);
}

uint64_t
tally_faults(const struct tally *tally)
{
	uint64_t sum = 0;

	for (int i = 0; i < FAULTS; i++)
		sum += tally->faults[i];
	return sum;
}

void
tally_add_faults(struct tally *tally, const struct tally *other)
{
	for (int i = 0; i < FAULTS; i++) {
		if (tally->faults[i] == 0)
			memcpy(tally->first[i], other->first[i],
			    sizeof(tally->first[i]));
		tally->faults[i] += other->faults[i];
	}
}

const struct fault_row faults[FAULTS] = {
	[FAULT_CONNECT] = { "connect", "not connected" },
	[FAULT_PORTS] = { "ports", "no free port" },
	[FAULT_RESET] = { "reset", "reset" },
	[FAULT_CLOSED] = { "closed", "closed too early" },
	[FAULT_TIMEOUT] = { "timeout", "not answered in time" },
	[FAULT_WRONG] = { "wrong_bytes", "wrong bytes" },
	[FAULT_EXCESS] = { "excess_bytes", "too many bytes" },
	[FAULT_LOST] = { "lost", "datagrams lost" },
	[FAULT_LATE] = { "late", "datagrams late" },
	[FAULT_SYSTEM] = { "system", "system errors" },
};
