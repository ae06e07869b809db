/* SPDX-License-Identifier: ISC */
/*
 * The file of a Unix socket.
 *
 *	lock PATH.lock -> what is there? -> remove a stale one -> fchmod the
 *	socket -> bind -> group, mode, owner -> (the caller) listen
 *
 * The mode is set on the socket before it is bound: the kernel makes the file
 * with that mode (and the umask), so that it is never more open than it shall
 * be. It is bound to its own name, not to a temporary one that is renamed:
 * bound names do not follow a rename, and a datagram client would see its
 * answers come from a stranger.
 */
#include "net/unix_path.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "net/socket.h"

#define LOCK_PATH_SIZE (sizeof(((struct sockaddr_un *)0)->sun_path) + 8)
#define LOCK_TRIES 16
#define NAME_BUFFER_SIZE 16384  /* one entry of passwd or group */

struct owner {
	uid_t uid;              /* (uid_t)-1: as it is */
	gid_t gid;
	mode_t mode;
};

static const char *
path_of(const struct endpoint *ep)
{
	return ((const struct sockaddr_un *)(const void *)&ep->addr.sa)
	    ->sun_path;
}

static void
lock_path(const struct endpoint *ep, char path[LOCK_PATH_SIZE])
{
	(void)snprintf(path, LOCK_PATH_SIZE, "%s.lock", path_of(ep));
}

/* -ESTALE: the lock's last holder removed the file between our open and our
 * lock; try again. -EEXIST: this is no lock file. */
static int
lock_try(const char *path)
{
	struct stat st;
	int r = 0, fd = fd_open_nofollow(path, O_RDWR | O_CREAT | O_NONBLOCK,
	    0600);

	if (fd < 0)
		return fd;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0 || fstat(fd, &st) < 0)
		r = -errno;
	else if (!S_ISREG(st.st_mode) || st.st_size > 0)
		r = -EEXIST;
	else if (st.st_nlink == 0)
		r = -ESTALE;
	if (r == 0)
		return fd;
	fd_close(&fd);
	return r;
}

static int
lock_failed(const struct endpoint *ep, const char *path, int code,
    struct err *err)
{
	switch (code) {
	case EWOULDBLOCK:
		err_set(err, "cannot listen on %s: another socketserverd "
		    "serves it (it holds %s)", ep->address, path);
		return -EADDRINUSE;
	case EEXIST:
	case EISDIR:
	case ELOOP:
		err_set(err, "cannot listen on %s: %s is in the way and is no "
		    "lock file of socketserverd; remove it", ep->address, path);
		return -EEXIST;
	case ENOENT:
		err_set(err, "cannot listen on %s: its directory does not "
		    "exist; make it first", ep->address);
		return -code;
	default:
		return err_errno(err, code, "cannot listen on %s: cannot make "
		    "%s", ep->address, path);
	}
}

static int
lock_take(struct endpoint *ep, struct err *err)
{
	char path[LOCK_PATH_SIZE];
	int fd = -ESTALE;

	lock_path(ep, path);
	for (int i = 0; i < LOCK_TRIES && fd == -ESTALE; i++)
		fd = lock_try(path);
	if (fd < 0)
		return lock_failed(ep, path, -fd, err);
	ep->lock_fd = fd;
	return 0;
}

/* Removed while it is held, so that who takes the name next makes a new one. */
static void
lock_drop(struct endpoint *ep)
{
	char path[LOCK_PATH_SIZE];

	lock_path(ep, path);
	(void)unlink(path);     /* a lock file that stays does no harm */
	fd_close(&ep->lock_fd);
}

/*
 * Is a socket bound to the path? To connect a datagram socket asks without
 * being noticed: a stream socket answers EPROTOTYPE even before it listens,
 * and no connection ends in a living server's queue. ECONNREFUSED: nobody.
 */
static int
probe(const struct endpoint *ep)
{
	int r = 0, fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&ep->addr.sa,
		ep->addr.len) < 0)
		r = -errno;
	fd_close(&fd);
	return r;
}

static const char *
file_type_word(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return "a plain file";
	case S_IFDIR:
		return "a directory";
	case S_IFLNK:
		return "a symbolic link";
	default:
		return "no socket";
	}
}

static int
remove_stale(const struct endpoint *ep, struct err *err)
{
	if (unlink(path_of(ep)) == 0 || errno == ENOENT)
		return 0;
	return err_errno(err, errno, "cannot listen on %s: cannot remove the "
	    "socket that was left there", ep->address);
}

static int
make_way(const struct endpoint *ep, struct err *err)
{
	struct stat st;

	if (lstat(path_of(ep), &st) < 0) {
		if (errno == ENOENT)
			return 0;
		return err_errno(err, errno, "cannot listen on %s",
		    ep->address);
	}
	if (!S_ISSOCK(st.st_mode)) {
		err_set(err, "cannot listen on %s: it is %s; remove it or "
		    "choose another path", ep->address,
		    file_type_word(st.st_mode));
		return -EEXIST;
	}
	switch (probe(ep)) {
	case -ECONNREFUSED:
	case -ENOENT:
		return remove_stale(ep, err);
	case -EACCES:
		err_set(err, "cannot listen on %s: a socket that this user "
		    "may not use is there; remove it", ep->address);
		return -EACCES;
	default:
		err_set(err, "cannot listen on %s: another program serves it; "
		    "find it with: ss -lxp", ep->address);
		return -EADDRINUSE;
	}
}

/* A number stands for itself. */
static bool
parse_id(const char *text, unsigned *id)
{
	char *end;
	unsigned long long value;

	if (text[0] < '0' || text[0] > '9')
		return false;
	value = strtoull(text, &end, 10);
	if (*end != '\0' || value >= (unsigned)-1)
		return false;
	*id = (unsigned)value;
	return true;
}

static int
find_user(const char *name, uid_t *uid, struct err *err)
{
	char buffer[NAME_BUFFER_SIZE];
	struct passwd entry, *found = NULL;

	if (!name || name[0] == '\0' || parse_id(name, uid))
		return 0;
	(void)getpwnam_r(name, &entry, buffer, sizeof(buffer), &found);
	if (!found) {
		err_set(err, "owner: there is no user \"%s\"", name);
		return -ENOENT;
	}
	*uid = found->pw_uid;
	return 0;
}

static int
find_group(const char *name, gid_t *gid, struct err *err)
{
	char buffer[NAME_BUFFER_SIZE];
	struct group entry, *found = NULL;

	if (!name || name[0] == '\0' || parse_id(name, gid))
		return 0;
	(void)getgrnam_r(name, &entry, buffer, sizeof(buffer), &found);
	if (!found) {
		err_set(err, "group_owner: there is no group \"%s\"", name);
		return -ENOENT;
	}
	*gid = found->gr_gid;
	return 0;
}

static int
find_owner(struct owner *owner, const struct listener_conf *conf,
    struct err *err)
{
	mode_t mask = umask(0);
	int r;

	(void)umask(mask);
	owner->uid = (uid_t)-1;
	owner->gid = (gid_t)-1;
	owner->mode = conf->mode >= 0 ? (mode_t)conf->mode & 0777 :
	    0777 & ~mask;
	r = find_user(conf->owner, &owner->uid, err);
	return r < 0 ? r : find_group(conf->group_owner, &owner->gid, err);
}

static bool
changes_owner(const struct owner *owner)
{
	return owner->uid != (uid_t)-1 || owner->gid != (gid_t)-1;
}

/* The file's mode is the socket's, less the umask. As long as the file has not
 * its owners, it is this daemon's alone. */
static int
bind_closed(const struct endpoint *ep, const struct owner *owner,
    struct err *err)
{
	mode_t mask, mode = owner->mode;
	int r;

	if (changes_owner(owner))
		mode &= 0700;
	if (fchmod(ep->fd, mode) < 0)
		return err_errno(err, errno, "cannot set the mode of %s",
		    ep->address);
	mask = umask(0);
	r = socket_bind(ep, err);
	(void)umask(mask);
	return r;
}

/* chmod(2) of a descriptor of O_PATH goes through its name in /proc; fchmod
 * refuses it. */
static int
chmod_file(int file, mode_t mode)
{
	char name[64];

	(void)snprintf(name, sizeof(name), "/proc/self/fd/%d", file);
	return chmod(name, mode);
}

/* Group, then mode, then user: at no time may anybody use it who shall not,
 * and CAP_CHOWN is enough. */
static int
give_away(const struct endpoint *ep, int file, const struct owner *owner,
    struct err *err)
{
	if (!changes_owner(owner))
		return 0;
	if (fchownat(file, "", (uid_t)-1, owner->gid, AT_EMPTY_PATH) < 0 ||
	    chmod_file(file, owner->mode) < 0 ||
	    fchownat(file, "", owner->uid, (gid_t)-1, AT_EMPTY_PATH) < 0)
		return err_errno(err, errno, "cannot give %s its owner, group "
		    "and mode", ep->address);
	return 0;
}

/* Remember which file it is, and hand it to its owner. */
static int
settle(struct endpoint *ep, const struct owner *owner, struct err *err)
{
	struct stat st;
	int r, file = open(path_of(ep), O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (file < 0)
		return err_errno(err, errno, "cannot listen on %s",
		    ep->address);
	if (fstat(file, &st) < 0) {
		r = err_errno(err, errno, "cannot listen on %s", ep->address);
	} else if (!S_ISSOCK(st.st_mode)) {
		err_set(err, "cannot listen on %s: somebody replaced the file "
		    "at once", ep->address);
		r = -EEXIST;
	} else {
		ep->path_dev = st.st_dev;
		ep->path_ino = st.st_ino;
		ep->owns_path = true;
		r = give_away(ep, file, owner, err);
	}
	fd_close(&file);
	return r;
}

/* What a file gets that is made here: in a directory with the set-group-ID bit
 * the directory's group (inode(7)). */
static void
fill_owner(const struct endpoint *ep, struct owner *owner)
{
	char directory[LOCK_PATH_SIZE];
	char *slash;
	struct stat st;

	if (owner->uid == (uid_t)-1)
		owner->uid = geteuid();
	if (owner->gid != (gid_t)-1)
		return;
	owner->gid = getegid();
	(void)snprintf(directory, sizeof(directory), "%s", path_of(ep));
	slash = strrchr(directory, '/');
	if (slash)
		slash[1] = '\0';
	if (stat(slash ? directory : ".", &st) == 0 && (st.st_mode & S_ISGID))
		owner->gid = st.st_gid;
}

/* First what both modes allow: a new group gets no right of the old one. */
static int
change_file(int file, const struct stat *st, const struct owner *owner)
{
	mode_t old = st->st_mode & 07777;

	if (st->st_gid != owner->gid &&
	    (((old & owner->mode) != old &&
	    chmod_file(file, old & owner->mode) < 0) ||
	    fchownat(file, "", (uid_t)-1, owner->gid, AT_EMPTY_PATH) < 0))
		return -errno;
	if (old != owner->mode && chmod_file(file, owner->mode) < 0)
		return -errno;
	if (st->st_uid != owner->uid &&
	    fchownat(file, "", owner->uid, (gid_t)-1, AT_EMPTY_PATH) < 0)
		return -errno;
	return 0;
}

static int
apply_owner(const struct endpoint *ep, int file, const struct owner *owner,
    struct err *err)
{
	struct stat st;
	int r;

	if (file < 0 || fstat(file, &st) < 0 || st.st_dev != ep->path_dev ||
	    st.st_ino != ep->path_ino) {
		err_set(err, "cannot change %s: its file was removed or "
		    "replaced; restart the daemon to make it again",
		    ep->address);
		return -ESTALE;
	}
	r = change_file(file, &st, owner);
	return r == 0 ? 0 : err_errno(err, -r, "cannot give %s its owner, "
	    "group and mode", ep->address);
}

int
unix_path_apply(struct endpoint *ep, const struct listener_conf *conf,
    struct err *err)
{
	struct owner owner;
	int file, r = find_owner(&owner, conf, err);

	if (r < 0)
		return r;
	fill_owner(ep, &owner);
	file = open(path_of(ep), O_PATH | O_NOFOLLOW | O_CLOEXEC);
	r = apply_owner(ep, file, &owner, err);
	fd_close(&file);
	return r;
}

/* Not a file that another program put there meanwhile. While the socket is
 * open, its file's inode number is not used again. */
static void
remove_own(const struct endpoint *ep)
{
	struct stat st;

	if (lstat(path_of(ep), &st) == 0 && st.st_dev == ep->path_dev &&
	    st.st_ino == ep->path_ino)
		(void)unlink(path_of(ep));      /* a stale socket is replaced */
}

void
unix_path_release(struct endpoint *ep)
{
	if (ep->owns_path && !ep->is_kept)
		remove_own(ep);
	ep->owns_path = false;
	if (ep->lock_fd >= 0)
		lock_drop(ep);
}

int
unix_path_bind(struct endpoint *ep, const struct listener_conf *conf,
    struct err *err)
{
	struct owner owner;
	int r = find_owner(&owner, conf, err);

	if (r == 0)
		r = lock_take(ep, err);
	if (r == 0)
		r = make_way(ep, err);
	if (r == 0)
		r = bind_closed(ep, &owner, err);
	if (r == 0)
		r = settle(ep, &owner, err);
	if (r < 0)
		unix_path_release(ep);
	return r;
}

int
unix_path_claim(struct endpoint *ep, struct err *err)
{
	struct stat st;
	int r = lock_take(ep, err);

	if (r < 0)
		return r;
	if (lstat(path_of(ep), &st) == 0 && st.st_dev == ep->path_dev &&
	    st.st_ino == ep->path_ino) {
		ep->owns_path = true;
		return 0;
	}
	lock_drop(ep);
	err_set(err, "its file has been removed or replaced");
	return -ESTALE;
}

void
unix_path_disclaim(struct endpoint *ep)
{
	if (ep->lock_fd >= 0)
		lock_drop(ep);
}
