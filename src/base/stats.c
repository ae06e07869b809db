/* SPDX-License-Identifier: ISC */
#include "base/stats.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"

#define PAGE 4096
#define SLOTS_MAX 65536
#define WORDS_MS 5              /* first words are on their way until then */

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
	[REASON_SHED_IDLE] = { "shed_idle",
	    "It waited longest for another message of its peer, and another "
	    "request needed its place (when_full = \"shed_idle\")." },
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
slots_size(unsigned slots)
{
	return sizeof(struct stats_slab) + slots * sizeof(struct stats);
}

/* The seats are many: they follow on a page of their own, away from the
 * counters, so that those stay together. */
static size_t
seats_offset(unsigned slots)
{
	return (slots_size(slots) + PAGE - 1) / PAGE * PAGE;
}

static size_t
slab_bytes(struct stats_size size)
{
	return seats_offset(size.slots) +
	    (size_t)size.slots * size.seats * sizeof(struct seat);
}

static struct stats_slab *
slab_map(int fd, struct stats_size size)
{
	void *map = mmap(NULL, slab_bytes(size), PROT_READ | PROT_WRITE,
	    MAP_SHARED, fd, 0);

	return map == MAP_FAILED ? NULL : map;
}

/* Sealed, so that no process can take pages away under the others (SIGBUS). */
static int
slab_size_file(int fd, struct stats_size size)
{
	if (ftruncate(fd, (off_t)slab_bytes(size)) < 0)
		return -1;
	return fcntl(fd, F_ADD_SEALS,
	    F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
}

struct stats_slab *
stats_new(struct stats_size size, int *fd)
{
	struct stats_slab *slab = NULL;

	*fd = fd_memory_new("stats");
	if (*fd < 0) {
		errno = -*fd;
		*fd = -1;
		return NULL;
	}
	if (slab_size_file(*fd, size) == 0)
		slab = slab_map(*fd, size);
	if (!slab) {
		fd_close(fd);
		return NULL;
	}
	slab->slot_count = size.slots;
	slab->seat_count = size.seats;
	return slab;
}

/* As the file itself says, if that agrees with what it is. */
static bool
slab_read_size(int fd, struct stats_size *size)
{
	struct stats_slab head;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return false;
	errno = EINVAL;
	if (!S_ISREG(st.st_mode) ||
	    pread(fd, &head, sizeof(head), 0) != sizeof(head))
		return false;
	*size = (struct stats_size){ head.slot_count, head.seat_count };
	return size->slots > 0 && size->slots <= SLOTS_MAX &&
	    size->seats <= STATS_SEATS_MAX &&
	    slab_bytes(*size) == (size_t)st.st_size;
}

struct stats_slab *
stats_map(int fd, struct stats_size *size)
{
	return slab_read_size(fd, size) ? slab_map(fd, *size) : NULL;
}

struct stats_slab *
stats_attach(int fd, struct stats_size size)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return NULL;
	if (st.st_size == (off_t)slab_bytes(size))
		return slab_map(fd, size);
	errno = EINVAL;
	return NULL;
}

void
stats_free(struct stats_slab **slab, struct stats_size size)
{
	if (*slab)
		(void)munmap(*slab, slab_bytes(size));  /* ours: cannot fail */
	*slab = NULL;
}

struct seat *
stats_seat(struct stats_slab *slab, struct stats_size size,
    unsigned slot, unsigned i)
{
	char *seats = (char *)slab + seats_offset(size.slots);

	return (struct seat *)(void *)seats + (size_t)slot * size.seats + i;
}

void
stats_use_seat(struct stats *stats, unsigned i)
{
	uint32_t used = atomic_load_explicit(&stats->seats_used,
	    memory_order_relaxed);

	while (used <= i && !atomic_compare_exchange_weak(&stats->seats_used,
	    &used, i + 1))
		continue;
}

unsigned
stats_seats_used(const struct stats_slab *slab, struct stats_size size,
    unsigned slot)
{
	uint32_t used = atomic_load(&slab->slots[slot].seats_used);

	return used < size.seats ? used : size.seats;
}

struct seat *
stats_longest_wait(struct stats_slab *slab, struct stats_size size,
    unsigned slot, int64_t *since)
{
	const unsigned used = stats_seats_used(slab, size, slot);
	const int64_t now = clock_now();
	struct seat *longest = NULL;

	*since = now - WORDS_MS * CLOCK_MS;
	for (unsigned i = 0; i < used; i++) {
		struct seat *seat = stats_seat(slab, size, slot, i);
		int64_t at = seat_idle_since(seat, now);
		if (at != 0 && at < *since) {
			*since = at;
			longest = seat;
		}
	}
	return longest;
}

uint64_t
stats_idle(const struct stats_slab *slab, unsigned slots)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < slots; i++)
		sum += atomic_load(&slab->slots[i].idle);
	return sum;
}

uint64_t
stats_silent(const struct stats_slab *slab, unsigned slots)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < slots; i++)
		sum += atomic_load_explicit(&slab->slots[i].silent,
		    memory_order_relaxed);
	return sum;
}

int64_t
stats_ended(const struct stats_slab *slab, unsigned slots)
{
	static const enum counter ends[] = {
		COUNTER_REQUESTS, COUNTER_ERRORS, COUNTER_REFUSED,
	};
	uint64_t sum = 0;

	for (unsigned i = 0; i < slots; i++)
		for (size_t end = 0; end < sizeof(ends) / sizeof(ends[0]);
		    end++)
			sum += (uint64_t)atomic_load(
			    &slab->slots[i].counters[ends[end]]);
	return (int64_t)sum;
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
	add_clamped(&sum->counters[COUNTER_ACTIVE], &slab->relayed);
}
