/* SPDX-License-Identifier: ISC */
/*
 * The lock is in the process's own memory: it dies with it, and nobody waits
 * for a thread that is gone. What the supervisor needs is the length alone,
 * which grows after the bytes are there.
 */
#include "base/gather.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"

struct place {
	_Atomic uint32_t len;           /* of whole lines; <= GATHER_MAX */
	char bytes[1 + GATHER_MAX];     /* the first is the writer's scratch */
};

/* A place begins on a page: each process maps its own alone. */
#define PAGE ((size_t)sysconf(_SC_PAGESIZE))

struct gather {
	pthread_mutex_t lock;
	struct place *place;            /* shared with the supervisor */
	gather_write_fn *write;
	int timer;                      /* owned */
	bool is_timed;                  /* the timer runs, or is readable */
	int64_t wait_ms;                /* as long as it runs */
	int64_t lines;                  /* since it was started */
};

static size_t
place_size(void)
{
	return (sizeof(struct place) + PAGE - 1) / PAGE * PAGE;
}

static off_t
place_offset(unsigned slot)
{
	return (off_t)(slot * place_size());
}

int
gather_new(unsigned slots)
{
	int file = fd_memory_new("access-lines");

	if (file < 0)
		return file;
	/* Sealed: no process takes pages away under the others (SIGBUS). */
	if (ftruncate(file, place_offset(slots)) < 0 ||
	    fcntl(file, F_ADD_SEALS,
	    F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0) {
		int r = -errno;
		fd_close(&file);
		return r;
	}
	return file;
}

size_t
gather_rescue(int file, unsigned slot, char lines[GATHER_MAX])
{
	const uint32_t none = 0;
	const off_t at = place_offset(slot);
	uint32_t len = 0;
	ssize_t n;

	if (pread(file, &len, sizeof(len), at) != sizeof(len) || len == 0)
		return 0;
	if (len > GATHER_MAX)
		len = GATHER_MAX;
	n = pread(file, lines, len,
	    at + (off_t)offsetof(struct place, bytes) + 1);
	(void)!pwrite(file, &none, sizeof(none), at);
	return n > 0 ? (size_t)n : 0;
}

static int
gather_map(struct gather *gather, int file, unsigned slot)
{
	void *map = mmap(NULL, place_size(), PROT_READ | PROT_WRITE,
	    MAP_SHARED, file, place_offset(slot));

	if (map == MAP_FAILED)
		return -1;
	gather->place = map;
	atomic_store(&gather->place->len, 0);
	return madvise(map, place_size(), MADV_DONTFORK);
}

struct gather *
gather_open(int file, unsigned slot, gather_write_fn *write)
{
	struct gather *gather = calloc(1, sizeof(*gather));

	if (gather == NULL)
		return NULL;
	(void)pthread_mutex_init(&gather->lock, NULL);
	gather->write = write;
	gather->wait_ms = GATHER_MS;
	gather->timer = timerfd_create(CLOCK_MONOTONIC,
	    TFD_CLOEXEC | TFD_NONBLOCK);
	if (gather->timer < 0 || gather_map(gather, file, slot) < 0)
		gather_close(&gather);
	return gather;
}

/* Under the lock. Until the length is 0 the supervisor would write these lines
 * again: after a death in between some are there twice, none is missing. A
 * thread that is cancelled inside the write must not keep the lock. */
static void
write_all(struct gather *gather)
{
	struct place *place = gather->place;
	size_t len = atomic_load_explicit(&place->len, memory_order_relaxed);
	int state;

	if (len == 0)
		return;
	(void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	gather->write(place->bytes + 1, len);
	atomic_store_explicit(&place->len, 0, memory_order_release);
	(void)pthread_setcancelstate(state, NULL);
}

static void
start_timer(struct gather *gather)
{
	const struct itimerspec when = {
		.it_value.tv_sec = gather->wait_ms / 1000,
		.it_value.tv_nsec = gather->wait_ms % 1000 * CLOCK_MS,
	};

	/* cannot fail: a descriptor and a time that are good */
	(void)timerfd_settime(gather->timer, 0, &when, NULL);
	gather->is_timed = true;
	gather->lines = 0;
}

void
gather_put(struct gather *gather, const char *line, size_t len)
{
	struct place *place = gather->place;
	size_t have;

	(void)pthread_mutex_lock(&gather->lock);
	have = atomic_load_explicit(&place->len, memory_order_relaxed);
	if (have + len > GATHER_MAX) {
		write_all(gather);
		have = 0;
	}
	memcpy(place->bytes + 1 + have, line, len);
	atomic_store_explicit(&place->len, (uint32_t)(have + len),
	    memory_order_release);
	if (!gather->is_timed)
		start_timer(gather);
	gather->lines++;
	(void)pthread_mutex_unlock(&gather->lock);
}

void
gather_flush(struct gather *gather)
{
	(void)pthread_mutex_lock(&gather->lock);
	write_all(gather);
	(void)pthread_mutex_unlock(&gather->lock);
}

int
gather_timer(const struct gather *gather)
{
	return gather->timer;
}

void
gather_due(struct gather *gather)
{
	uint64_t times;

	(void)pthread_mutex_lock(&gather->lock);
	(void)!read(gather->timer, &times, sizeof(times));
	gather->is_timed = false;
	gather->wait_ms = gather->lines * GATHER_MS >=
	    GATHER_MANY * gather->wait_ms ? GATHER_LONG_MS : GATHER_MS;
	write_all(gather);
	(void)pthread_mutex_unlock(&gather->lock);
}

void
gather_close(struct gather **gatherp)
{
	struct gather *gather = *gatherp;

	if (gather == NULL)
		return;
	if (gather->place != NULL) {
		gather_flush(gather);
		(void)munmap(gather->place, place_size());
	}
	fd_close(&gather->timer);
	(void)pthread_mutex_destroy(&gather->lock);
	free(gather);
	*gatherp = NULL;
}
