/* SPDX-License-Identifier: ISC */
/*
 * The order, and why: limits and the bounding set need privileges; groups go
 * before the user, which is what may change them; the capabilities that are
 * left after setresuid(2) are cleared; the parent-death signal is cleared by
 * setresuid(2), so it is armed last (prctl(2)).
 */
#include "serve/jail.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NOBODY "nobody"

struct identity {
	bool is_set;
	uid_t uid;
	gid_t gid;
	const char *name;
};

static int
limit_set(int resource, int64_t value, const char *key, struct err *err)
{
	struct rlimit now, limit = { (rlim_t)value, (rlim_t)value };

	if (value < 0)
		return 0;
	if (getrlimit((__rlimit_resource_t)resource, &now) == 0 &&
	    geteuid() != 0 && limit.rlim_max > now.rlim_max)
		limit.rlim_cur = limit.rlim_max = now.rlim_max;
	if (setrlimit((__rlimit_resource_t)resource, &limit) < 0)
		return err_errno(err, errno, "limits.%s = %lld", key,
		    (long long)value);
	return 0;
}

static int
limits_set(const struct listener_conf *conf, struct err *err)
{
	const struct {
		int resource;
		int64_t value;
		const char *key;
	} limits[] = {
		{ RLIMIT_NOFILE, conf->limits.nofile, "nofile" },
		{ RLIMIT_AS, conf->limits.memory_bytes, "memory" },
		{ RLIMIT_CPU, conf->limits.cpu_s, "cpu" },
		{ RLIMIT_NPROC, conf->limits.processes, "processes" },
		{ RLIMIT_CORE, conf->limits.core_bytes, "core" },
	};

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		int r = limit_set(limits[i].resource, limits[i].value,
		    limits[i].key, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Fails where the kernel lets nobody drop (a container without SETPCAP):
 * harmless then, since no_new_privs follows. */
static void
bounding_set_drop(void)
{
	for (unsigned long cap = 0; cap <= CAP_LAST_CAP; cap++)
		(void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
}

/* What is not permitted cannot be had again: then there is nothing to set, and
 * a sandbox that denies capset(2) does not matter. */
static bool
capabilities_are(struct __user_cap_header_struct *header, uint64_t wanted)
{
	struct __user_cap_data_struct data[2];

	memset(data, 0, sizeof(data));
	if (syscall(SYS_capget, header, data) < 0)
		return false;
	return data[0].permitted == (uint32_t)wanted &&
	    data[1].permitted == (uint32_t)(wanted >> 32) &&
	    data[0].effective == data[0].permitted &&
	    data[1].effective == data[1].permitted;
}

static int
capabilities_set(uint64_t keep)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2];

	if (capabilities_are(&header, keep))
		return 0;
	memset(data, 0, sizeof(data));
	data[0].effective = data[0].permitted = (uint32_t)keep;
	data[1].effective = data[1].permitted = (uint32_t)(keep >> 32);
	return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

static int
find_user(const char *name, struct identity *id, struct err *err)
{
	errno = 0;
	const struct passwd *pw = getpwnam(name);

	if (pw == NULL)
		return err_errno(err, errno ? errno : ENOENT, "user \"%s\"",
		    name);
	id->is_set = true;
	id->uid = pw->pw_uid;
	id->gid = pw->pw_gid;
	id->name = name;
	return 0;
}

static int
find_group(const char *name, struct identity *id, struct err *err)
{
	errno = 0;
	const struct group *gr = getgrnam(name);

	if (gr == NULL)
		return err_errno(err, errno ? errno : ENOENT, "group \"%s\"",
		    name);
	id->gid = gr->gr_gid;
	return 0;
}

/* Root gives its place to nobody, unless somebody else is named. */
static int
identity_of(const struct listener_conf *conf, struct identity *id,
    struct err *err)
{
	memset(id, 0, sizeof(*id));
	id->gid = getegid();
	int r = 0;
	if (conf->user[0] != '\0')
		r = find_user(conf->user, id, err);
	else if (geteuid() == 0)
		r = find_user(NOBODY, id, err);
	if (r == 0 && conf->group[0] != '\0')
		r = find_group(conf->group, id, err);
	return r;
}

static int
identity_take(const struct identity *id, bool keeps_capabilities,
    struct err *err)
{
	if (geteuid() != 0)
		return 0;       /* the check has seen that we are who is named */
	if (keeps_capabilities && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return err_errno(err, errno, "keeping a capability");
	if (setgroups(0, NULL) < 0)
		return err_errno(err, errno, "giving up groups");
	if (setresgid(id->gid, id->gid, id->gid) < 0)
		return err_errno(err, errno, "becoming group %u",
		    (unsigned)id->gid);
	if (id->is_set && setresuid(id->uid, id->uid, id->uid) < 0)
		return err_errno(err, errno, "becoming user \"%s\"", id->name);
	return 0;
}

static int
privileges_end(uint64_t keep, struct err *err)
{
	int r = capabilities_set(keep);

	if (r < 0)
		return err_errno(err, -r, "giving up capabilities");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_errno(err, errno, "no_new_privs");
	if (geteuid() != 0 && keep == 0 && setresuid(0, 0, 0) == 0) {
		err_set(err, "privileges could be regained");
		return -EPERM;
	}
	return 0;
}

static int
watch_parent(pid_t parent, struct err *err)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return err_errno(err, errno, "the parent-death signal");
	if (getppid() != parent) {
		err_set(err, "the supervisor is gone");
		return -EPIPE;
	}
	return 0;
}

int
jail_enter(const struct listener_conf *conf, pid_t parent, struct err *err)
{
	bool has_chroot = conf->chroot[0] != '\0';
	uint64_t keep = has_chroot ? 1ULL << CAP_SYS_CHROOT : 0;
	struct identity id;

	(void)umask(027);
	int r = identity_of(conf, &id, err);
	if (r == 0)
		r = limits_set(conf, err);
	if (r == 0 && id.is_set && id.uid == 0) {
		r = identity_take(&id, false, err);     /* root, as was asked */
	} else if (r == 0) {
		bounding_set_drop();
		r = identity_take(&id, has_chroot, err);
		if (r == 0)
			r = privileges_end(keep, err);
	}
	/* A process that changed its user leaves no core file (prctl(2))
	 * unless it says so. */
	if (r == 0 && conf->limits.core_bytes > 0)
		(void)prctl(PR_SET_DUMPABLE, 1);
	return r < 0 ? r : watch_parent(parent, err);
}

int
jail_chroot(const struct listener_conf *conf, struct err *err)
{
	int r;

	if (conf->chroot[0] == '\0')
		return 0;
	if (chroot(conf->chroot) < 0 || chdir("/") < 0)
		return err_errno(err, errno, "chroot \"%s\"", conf->chroot);
	if (geteuid() == 0)
		return 0;
	r = capabilities_set(0);
	return r < 0 ? err_errno(err, -r, "giving up capabilities") : 0;
}

int
jail_probe(struct err *err)
{
	struct identity id = { .gid = getegid() };
	const struct rlimit no_core = { 0, 0 };

	(void)setrlimit(RLIMIT_CORE, &no_core);
	int r = geteuid() == 0 ? find_user(NOBODY, &id, err) : 0;
	bounding_set_drop();
	if (r == 0)
		r = identity_take(&id, false, err);
	if (r == 0)
		r = privileges_end(0, err);
	/* Changing the user took it back (prctl(2)). */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	return r;
}
