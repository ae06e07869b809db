/* SPDX-License-Identifier: ISC */
#include "base/stats.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

static const struct {
	const char *word, *help;
} reasons[REASONS] = {
	[REASON_NONE] = { NULL, "The request was served." },
	[REASON_MAX_CONNECTIONS] = { "max_connections",
	    "The listener already serves max_connections requests." },
	[REASON_ACCESS] = { "access",
	    "The peer's address is denied, or not among those allowed." },
	[REASON_VERIFY] = { "verify",
	    "The handler's verify function refused the request." },
	[REASON_DESCRIPTORS] = { "descriptors",
	    "The process or the system is out of descriptors, memory, threads "
	    "or processes." },
	[REASON_DATAGRAM_TOO_LONG] = { "datagram_too_long",
	    "The datagram is longer than max_datagram and was dropped whole." },
	[REASON_DRAINING] = { "draining",
	    "The listener is being stopped and takes nothing new." },
};

static const char *const counters[COUNTERS] = {
	[COUNTER_ACCEPTED] = "accepted",
	[COUNTER_REQUESTS] = "requests",
	[COUNTER_ERRORS] = "errors",
	[COUNTER_REFUSED] = "refused",
	[COUNTER_ACTIVE] = "active",
	[COUNTER_SERVING] = "serving",
	[COUNTER_BYTES_IN] = "bytes_in",
	[COUNTER_BYTES_OUT] = "bytes_out",
	[COUNTER_ACCEPT_ERRORS] = "accept_errors",
	[COUNTER_REPLY_ERRORS] = "reply_errors",
};

const char *
reason_word(enum reason reason)
{
	return reasons[reason].word;
}

const char *
reason_help(enum reason reason)
{
	return reasons[reason].help;
}

const char *
counter_name(enum counter counter)
{
	return counters[counter];
}

static size_t
slab_size(unsigned slots)
{
	return sizeof(struct stats_slab) + slots * sizeof(struct stats);
}

static struct stats_slab *
slab_map(int fd, unsigned slots)
{
	void *map = mmap(NULL, slab_size(slots), PROT_READ | PROT_WRITE,
	    MAP_SHARED, fd, 0);

	return map == MAP_FAILED ? NULL : map;
}

/* Sealed, so that no process can take pages away under the others (SIGBUS). */
static int
slab_size_file(int fd, unsigned slots)
{
	if (ftruncate(fd, (off_t)slab_size(slots)) < 0)
		return -1;
	return fcntl(fd, F_ADD_SEALS,
	    F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
}

struct stats_slab *
stats_new(unsigned slots, int *fd)
{
	struct stats_slab *slab = NULL;

	*fd = fd_memory_new("stats");
	if (*fd < 0) {
		errno = -*fd;
		*fd = -1;
		return NULL;
	}
	if (slab_size_file(*fd, slots) == 0)
		slab = slab_map(*fd, slots);
	if (!slab)
		fd_close(fd);
	return slab;
}

struct stats_slab *
stats_map(int fd, unsigned *slots)
{
	struct stat st;
	size_t size;

	if (fstat(fd, &st) < 0)
		return NULL;
	size = st.st_size > 0 ? (size_t)st.st_size : 0;
	if (!S_ISREG(st.st_mode) || size < slab_size(1) ||
	    (size - slab_size(0)) / sizeof(struct stats) > UINT_MAX) {
		errno = EINVAL;
		return NULL;
	}
	*slots = (unsigned)((size - slab_size(0)) / sizeof(struct stats));
	return slab_map(fd, *slots);
}

void
stats_free(struct stats_slab **slab, unsigned slots)
{
	if (*slab)
		(void)munmap(*slab, slab_size(slots)); /* ours: cannot fail */
	*slab = NULL;
}

void
stats_refuse(struct stats *stats, enum reason reason)
{
	stats_add(stats, COUNTER_REFUSED, 1);
	atomic_fetch_add_explicit(&stats->refused[reason], 1,
	    memory_order_relaxed);
}

/* A slot may hold anything: below zero counts as zero, the sum saturates. */
static void
add_clamped(_Atomic int64_t *sum, const _Atomic int64_t *value)
{
	int64_t a = atomic_load_explicit(sum, memory_order_relaxed);
	int64_t b = atomic_load_explicit(value, memory_order_relaxed);

	if (b < 0)
		b = 0;
	if (__builtin_add_overflow(a, b, &a))
		a = INT64_MAX;
	atomic_store_explicit(sum, a, memory_order_relaxed);
}

void
stats_sum(const struct stats_slab *slab, unsigned slots, struct stats *sum)
{
	for (unsigned i = 0; i < slots; i++) {
		const struct stats *slot = &slab->slots[i];

		for (unsigned c = 0; c < COUNTERS; c++)
			add_clamped(&sum->counters[c], &slot->counters[c]);
		for (unsigned r = 0; r < REASONS; r++)
			add_clamped(&sum->refused[r], &slot->refused[r]);
	}
}
