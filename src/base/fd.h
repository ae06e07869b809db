/* SPDX-License-Identifier: ISC */
#ifndef BASE_FD_H
#define BASE_FD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * Descriptors: close-on-exec from birth, -1 when there is none. Every function
 * restarts after EINTR and returns 0, or a descriptor that the caller owns, or
 * -errno. Any process and thread may call; fd_close, the two setters,
 * fd_fill_standard, fd_write_all and fd_open_nofollow are async-signal-safe and
 * so may run between fork and exec.
 */
/* Sets -1 and keeps errno; closing -1 is a no-op. */
void fd_close(int *fd);
int fd_set_cloexec(int fd, bool on);
/* O_NONBLOCK is shared with every process that holds the same open file. */
int fd_set_nonblock(int fd, bool on);
/* Open /dev/null on 0, 1 and 2 where they are closed (those three stay open
 * over exec): the first act of every program. */
int fd_fill_standard(void);
/* -EAGAIN when a non-blocking descriptor took only a part. */
int fd_write_all(int fd, const void *data, size_t len);
/* Append what comes until end of file; -ETIMEDOUT after deadline_at
 * (clock_now() nanoseconds, 0 = none), -EMSGSIZE over buf->max. */
int fd_read_all(int fd, struct buf *buf, long long deadline_at);
/* An empty memory file for the caller to size and to seal. */
int fd_memory_new(const char *name);
/* Hand a descriptor to whoever reads the other end of a Unix socket, without
 * waiting; and take one: -EAGAIN none, -EPIPE the other side is gone. */
int fd_pass(int socket, int fd);
int fd_catch(int socket);
/* A sealed memory file that holds data, rewound, for another process. */
int fd_memory(const char *name, const void *data, size_t len);
/* open(2) that does not follow a symbolic link in the last component (-ELOOP)
 * and never acquires a controlling terminal: pidfiles, logs, lock files. */
int fd_open_nofollow(const char *path, int flags, mode_t mode);
/* Replace a file whole: temporary file beside it, mode as given whatever the
 * umask, fsync, rename. On failure the old file stands and no other is left. */
int fd_replace_file(const char *path, const void *data, size_t len, mode_t mode,
    struct err *err);

#endif
