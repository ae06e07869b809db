/* SPDX-License-Identifier: ISC */
#include "conf/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"

const char *
file_type_word(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return "a directory";
	case S_IFIFO:
		return "a FIFO";
	case S_IFSOCK:
		return "a socket";
	case S_IFCHR:
	case S_IFBLK:
		return "a device";
	default:
		return "no regular file";
	}
}

const char *
file_distrust(const struct stat *st)
{
	if (geteuid() != 0)
		return NULL;
	if (st->st_uid != 0)
		return "is owned by another user than root; a daemon that runs "
		    "as root uses it only after chown root";
	if (st->st_mode & S_IWOTH)
		return "can be written by everybody; a daemon that runs as "
		    "root uses it only after chmod go-w";
	if (st->st_mode & S_IWGRP)
		return "can be written by its group; a daemon that runs as "
		    "root uses it only after chmod go-w";
	return NULL;
}

static int
check_file(const struct stat *st, size_t max, struct err *err)
{
	const char *distrust = file_distrust(st);

	if (!S_ISREG(st->st_mode)) {
		err_set(err, "is %s; only a regular file is read",
		    file_type_word(st->st_mode));
		return -EINVAL;
	}
	if (st->st_size > (off_t)max) {
		err_set(err, "has %lld bytes; at most %zu are read",
		    (long long)st->st_size, max);
		return -EFBIG;
	}
	if (distrust) {
		err_set(err, "%s", distrust);
		return -EPERM;
	}
	return 0;
}

/* O_NONBLOCK: opening a FIFO must not wait for a writer. */
int
file_read(const char *path, size_t max, struct buf *text, struct stat *st,
    struct err *err)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	int r;

	if (fd < 0) {
		r = -errno;
		err_set(err, "cannot be opened: %s", strerror(-r));
		return r;
	}
	r = fstat(fd, st) < 0 ? -errno : 0;
	if (r)
		err_set(err, "cannot be examined: %s", strerror(-r));
	else
		r = check_file(st, max, err);
	if (!r) {
		buf_init(text, max);
		r = fd_read_all(fd, text, 0);
		if (r)
			err_set(err, "cannot be read: %s", strerror(-r));
	}
	fd_close(&fd);
	return r;
}
