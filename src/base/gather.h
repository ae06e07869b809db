/* SPDX-License-Identifier: ISC */
#ifndef BASE_GATHER_H
#define BASE_GATHER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * Lines that wait to be written together, in a place of a process's own in
 * memory that the supervisor has too: a process that dies, of whatever, loses
 * none of them. A line is there when it is there whole.
 *
 * In a service any thread may put lines; its main thread watches the timer. A
 * child that it forks must leave them alone: the memory is not in it. What the
 * supervisor finds in a place is hostile input.
 */
#define GATHER_MAX 16384        /* bytes: in pieces of this size a line costs a
				 * file half of what it does in those of 4 KiB */
#define GATHER_MS 100           /* as long may a line wait; and where MANY came */
#define GATHER_MANY 8           /* in that time, as long as LONG_MS: each wake-up */
#define GATHER_LONG_MS 1000     /* of many processes takes time from the rest */

struct gather;

/* Writes them all; lines[-1] is scratch. Called by whoever puts or flushes, one
 * at a time. */
typedef void gather_write_fn(char *lines, size_t len);

/* -- the supervisor ------------------------------------------------------ */

/* Places for so many processes: a memory file that nobody can resize, owned by
 * the caller; or -errno. */
int gather_new(unsigned slots);
/* What the process of this place, which is dead, left there; the place is
 * empty then. How many bytes, at most GATHER_MAX. */
size_t gather_rescue(int file, unsigned slot, char lines[GATHER_MAX]);

/* -- a service ----------------------------------------------------------- */

/* NULL with errno. The caller may close `file`. */
struct gather *gather_open(int file, unsigned slot, gather_write_fn *write);
/* What is still there is written first. */
void gather_close(struct gather **gather);
/* One line with its newline, at most GATHER_MAX bytes. */
void gather_put(struct gather *gather, const char *line, size_t len);
void gather_flush(struct gather *gather);
/* Readable when the oldest line has waited as long as it may. Idle while there is
 * none. Owned by the gather. */
int gather_timer(const struct gather *gather);
/* The timer is readable: write them. */
void gather_due(struct gather *gather);

#endif
