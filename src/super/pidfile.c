/* SPDX-License-Identifier: ISC */
/*
 * A locked pid file. The lock is fcntl(2)'s, by process: the kernel names its
 * holder (F_GETLK), a child does not inherit it, and it ends with the process
 * however that ends. A symbolic link is never followed: in a directory that
 * others write to, it could point at any file.
 */
#include "super/pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

/* Is the open file still the one that stands at the path? */
static bool
pidfile_is_current(const struct pidfile *pidfile)
{
	struct stat open_file, named;

	return fstat(pidfile->fd, &open_file) == 0 &&
	    lstat(pidfile->path, &named) == 0 &&
	    open_file.st_dev == named.st_dev &&
	    open_file.st_ino == named.st_ino;
}

static int
pidfile_held(const struct pidfile *pidfile, struct err *err)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (fcntl(pidfile->fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK)
		err_set(err, "pid file %s is held by process %ld: "
		    "socketserverd runs already", pidfile->path,
		    (long)lock.l_pid);
	else
		err_set(err, "pid file %s is held by another process",
		    pidfile->path);
	return -EAGAIN;
}

static int
pidfile_lock(const struct pidfile *pidfile, struct err *err)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	struct stat st;

	if (fstat(pidfile->fd, &st) != 0)
		return err_errno(err, errno, "pid file %s", pidfile->path);
	if (!S_ISREG(st.st_mode)) {
		err_set(err, "pid file %s is not a plain file", pidfile->path);
		return -EINVAL;
	}
	if (fcntl(pidfile->fd, F_SETLK, &lock) == 0)
		return 0;
	if (errno == EAGAIN || errno == EACCES)
		return pidfile_held(pidfile, err);
	return err_errno(err, errno, "pid file %s: cannot lock", pidfile->path);
}

static int
pidfile_write(const struct pidfile *pidfile, struct err *err)
{
	char text[32];
	int len, r;

	len = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
	if (fchmod(pidfile->fd, 0640) != 0 || ftruncate(pidfile->fd, 0) != 0)
		return err_errno(err, errno, "pid file %s", pidfile->path);
	r = fd_write_all(pidfile->fd, text, (size_t)len);
	if (r < 0)
		return err_errno(err, -r, "pid file %s: cannot write",
		    pidfile->path);
	return 0;
}

static int
pidfile_try(struct pidfile *pidfile, struct err *err)
{
	int r;

	/* O_NONBLOCK: opening a FIFO must not hang. */
	r = fd_open_nofollow(pidfile->path,
	    O_RDWR | O_CREAT | O_NONBLOCK, 0640);
	if (r == -ELOOP) {
		err_set(err, "pid file %s is a symbolic link, which is not "
		    "followed; remove it or name another file", pidfile->path);
		return r;
	}
	if (r < 0)
		return err_errno(err, -r, "pid file %s: cannot open",
		    pidfile->path);
	pidfile->fd = r;
	return pidfile_lock(pidfile, err);
}

void
pidfile_close(struct pidfile *pidfile)
{
	if (pidfile->fd < 0)
		return;
	if (pidfile_is_current(pidfile))
		(void)unlink(pidfile->path);    /* a left one does no harm */
	fd_close(&pidfile->fd);
}

int
pidfile_open(struct pidfile *pidfile, const char *path, struct err *err)
{
	int r, tries;

	pidfile->fd = -1;
	pidfile->path = path;
	/* A predecessor may remove its file between our open and our lock;
	 * then the lock is on a file that nobody else can see. */
	for (tries = 0; tries < 10; tries++) {
		r = pidfile_try(pidfile, err);
		if (r == 0 && pidfile_is_current(pidfile))
			return pidfile_write(pidfile, err);
		fd_close(&pidfile->fd);
		if (r < 0)
			return r;
	}
	err_set(err, "pid file %s is replaced again and again", path);
	return -EBUSY;
}
