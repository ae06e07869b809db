/* SPDX-License-Identifier: ISC */
/*
 * A sequence lock without fences: the words are stored with release and loaded
 * with acquire, so that a reader who sees a new word also sees the odd sequence
 * that was stored before it.
 */
#include "base/seat.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

#include "base/clock.h"
#include "base/digits.h"

#define READ_TRIES 4
#define LEAVE_MS 1000           /* until one that was shed is given up */
#define WORD sizeof(uint64_t)

static void
put_words(_Atomic uint64_t *to, size_t size, const void *from, size_t len)
{
	const char *p = from;
	uint64_t word;

	if (len > size)
		len = size;
	for (; len >= WORD; p += WORD, len -= WORD) {
		memcpy(&word, p, WORD);
		atomic_store_explicit(to++, word, memory_order_release);
	}
	if (len == 0)
		return;
	word = 0;
	memcpy(&word, p, len);
	atomic_store_explicit(to, word, memory_order_release);
}

static void
get_words(void *to, const _Atomic uint64_t *from, size_t len)
{
	char *p = to;

	for (size_t i = 0; i < len / WORD; i++) {
		uint64_t word = atomic_load_explicit(&from[i],
		    memory_order_acquire);
		memcpy(p + i * WORD, &word, WORD);
	}
}

/* Even whatever a writer that died left. */
static uint32_t
write_begin(struct seat *seat)
{
	uint32_t sequence = atomic_load_explicit(&seat->sequence,
	    memory_order_relaxed) & ~1U;

	atomic_store_explicit(&seat->sequence, sequence + 1,
	    memory_order_relaxed);
	return sequence;
}

static void
write_end(struct seat *seat, uint32_t sequence)
{
	atomic_store_explicit(&seat->sequence, sequence + 2,
	    memory_order_release);
}

static void
put_local(struct seat *seat, const void *local, socklen_t len)
{
	put_words(seat->local, SEAT_ADDRESS_SIZE, local, len);
	atomic_store_explicit(&seat->local_len, len, memory_order_release);
}

void
seat_begin(struct seat *seat, const struct seat_entry *entry)
{
	uint32_t sequence = write_begin(seat);

	atomic_store_explicit(&seat->pid, 0, memory_order_release);
	atomic_store_explicit(&seat->idle_since, 0, memory_order_release);
	atomic_store_explicit(&seat->started_at, entry->started_at,
	    memory_order_release);
	atomic_store_explicit(&seat->bytes_in, 0, memory_order_release);
	atomic_store_explicit(&seat->bytes_out, 0, memory_order_release);
	put_words(seat->worker, SEAT_WORKER_SIZE, entry->worker,
	    strlen(entry->worker) + 1);
	put_words(seat->peer, SEAT_ADDRESS_SIZE, entry->peer, entry->peer_len);
	atomic_store_explicit(&seat->peer_len, entry->peer_len,
	    memory_order_release);
	put_local(seat, entry->local, entry->local_len);
	atomic_store_explicit(&seat->id, entry->id, memory_order_release);
	write_end(seat, sequence);
}

void
seat_set_pid(struct seat *seat, uint32_t pid)
{
	atomic_store_explicit(&seat->pid, pid, memory_order_relaxed);
}

void
seat_set_local(struct seat *seat, const void *local, socklen_t len)
{
	uint32_t sequence = write_begin(seat);

	put_local(seat, local, len);
	write_end(seat, sequence);
}

void
seat_end(struct seat *seat)
{
	atomic_store_explicit(&seat->id, 0, memory_order_release);
	/* Of one that died while it waited. */
	atomic_store_explicit(&seat->idle_since, 0, memory_order_relaxed);
}

bool
seat_kill(struct seat *seat, uint64_t id)
{
	if (id == 0 || atomic_load(&seat->id) != id)
		return false;
	atomic_store(&seat->killed, id);
	return true;
}

bool
seat_idle_end(struct seat *seat, bool is_cancelled)
{
	/* Once it is marked nobody else writes there. */
	const bool is_shed = is_cancelled && seat_is_shed(seat);

	atomic_store_explicit(&seat->idle_since, is_shed ?
	    -(clock_now() & ~INT64_C(1)) : 0, memory_order_relaxed);
	return is_shed;
}

int64_t
seat_idle_since(const struct seat *seat, int64_t now)
{
	int64_t since = atomic_load_explicit(&seat->idle_since,
	    memory_order_relaxed);

	if (since >= 0)
		return since;
	return since < LEAVE_MS * CLOCK_MS - now ? SEAT_SHED : 0;
}

bool
seat_shed(struct seat *seat, int64_t since)
{
	return since > 0 && atomic_compare_exchange_strong(&seat->idle_since,
	    &since, -(clock_now() | 1));
}

bool
seat_holds_killed(const struct seat *seat)
{
	uint64_t id = atomic_load(&seat->id);

	return id != 0 && atomic_load(&seat->killed) == id;
}

/* -- reading ------------------------------------------------------------ */

static void
read_words(const struct seat *seat, struct seat_view *view, uint32_t *pid)
{
	view->id = atomic_load_explicit(&seat->id, memory_order_acquire);
	view->is_killed = seat_is_killed(seat, view->id);
	view->started_at = atomic_load_explicit(&seat->started_at,
	    memory_order_acquire);
	view->bytes_in = atomic_load_explicit(&seat->bytes_in,
	    memory_order_acquire);
	view->bytes_out = atomic_load_explicit(&seat->bytes_out,
	    memory_order_acquire);
	view->peer_len = atomic_load_explicit(&seat->peer_len,
	    memory_order_acquire);
	view->local_len = atomic_load_explicit(&seat->local_len,
	    memory_order_acquire);
	*pid = atomic_load_explicit(&seat->pid, memory_order_acquire);
	get_words(view->worker, seat->worker, SEAT_WORKER_SIZE);
	get_words(&view->peer, seat->peer, SEAT_ADDRESS_SIZE);
	get_words(&view->local, seat->local, SEAT_ADDRESS_SIZE);
}

/* The same sequence before and after, and an even one. */
static bool
read_once(const struct seat *seat, struct seat_view *view, uint32_t *pid)
{
	uint32_t sequence = atomic_load_explicit(&seat->sequence,
	    memory_order_acquire);

	read_words(seat, view, pid);
	return sequence % 2 == 0 && atomic_load_explicit(&seat->sequence,
	    memory_order_relaxed) == sequence;
}

static socklen_t
check_address(const struct sockaddr_storage *sa, socklen_t len)
{
	switch (sa->ss_family) {
	case AF_INET:
		return len == sizeof(struct sockaddr_in) ? len : 0;
	case AF_INET6:
		return len == sizeof(struct sockaddr_in6) ? len : 0;
	case AF_UNIX:
		return len > sizeof(sa_family_t) &&
		    len <= sizeof(struct sockaddr_un) ? len : 0;
	default:
		return 0;
	}
}

/* "Process-4711" of a forked child, whose name came after the rest. */
static void
name_child(char *worker, uint32_t pid)
{
	*digits_put(stpcpy(worker, "Process-"), pid) = '\0';
}

static void
check_worker(char worker[SEAT_WORKER_SIZE], uint32_t pid)
{
	worker[SEAT_WORKER_SIZE - 1] = '\0';
	if (worker[0] == '\0' && pid != 0)
		name_child(worker, pid);
	for (char *p = worker; *p != '\0'; p++)
		if (*p <= ' ' || *p > '~')
			*p = '?';
}

bool
seat_read(const struct seat *seat, struct seat_view *view)
{
	int64_t now = clock_now();
	uint32_t pid;
	int tries = 0;

	memset(view, 0, sizeof(*view));
	while (!read_once(seat, view, &pid))
		if (++tries == READ_TRIES)
			return false;
	if (view->id == 0)
		return false;
	if (view->started_at < 0 || view->started_at > now)
		view->started_at = now;
	view->peer_len = check_address(&view->peer, view->peer_len);
	view->local_len = check_address(&view->local, view->local_len);
	check_worker(view->worker, pid);
	return true;
}
