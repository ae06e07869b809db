/* SPDX-License-Identifier: ISC */
/*
 * Users and groups: they exist, and this daemon can become them. Only root can
 * become somebody else; for another user naming itself is fine.
 */
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/draft.h"

/* Each judge writes a sentence, or leaves it empty when all is well. */
typedef void judge_fn(const char *name, struct err *sentence);

static void
judge_user(const char *name, struct err *sentence)
{
	const struct passwd *pw = getpwnam(name);

	if (!pw)
		err_set(sentence, "there is no user \"%s\"; getent passwd "
		    "lists them", name);
	else if (geteuid() != 0 && pw->pw_uid != geteuid())
		err_set(sentence, "only a daemon that runs as root can become "
		    "\"%s\"; start it as root, or leave the key out", name);
}

static bool
is_own_group(gid_t gid)
{
	gid_t groups[256];
	int n = getgroups(256, groups);

	for (int i = 0; i < n; i++)
		if (groups[i] == gid)
			return true;
	return gid == getegid();
}

static void
judge_any_group(const char *name, bool is_allowed_extra, struct err *sentence)
{
	const struct group *gr = getgrnam(name);

	if (!gr)
		err_set(sentence, "there is no group \"%s\"; getent group "
		    "lists them", name);
	else if (geteuid() != 0 && gr->gr_gid != getegid() &&
	    !(is_allowed_extra && is_own_group(gr->gr_gid)))
		err_set(sentence, "only a daemon that runs as root can use the "
		    "group \"%s\"; start it as root, or leave the key "
		    "out", name);
}

static void
judge_group(const char *name, struct err *sentence)
{
	judge_any_group(name, false, sentence);
}

/* chown(2): the owner of a file may give it to any group of its own. */
static void
judge_group_owner(const char *name, struct err *sentence)
{
	judge_any_group(name, true, sentence);
}

static void
judge_chroot(const char *path, struct err *sentence)
{
	struct stat st;

	if (geteuid() != 0)
		err_set(sentence, "only a daemon that runs as root can change "
		    "the root directory; start it as root, or leave the key "
		    "out");
	else if (*path != '/')
		err_set(sentence, "\"%s\" is not absolute; a path that begins "
		    "with / is allowed", path);
	else if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode))
		err_set(sentence, "there is no directory \"%s\"; make it, or "
		    "leave the key out", path);
}

static void
check(struct draft *draft, const struct draft_listener *listener,
    const char *path, const char *name, judge_fn *judge)
{
	struct err sentence = { .text = "" };

	if (!*name || draft_is_bad(listener, path))
		return;
	judge(name, &sentence);
	if (*sentence.text)
		draft_fault(draft, listener, path, NULL, "%s", sentence.text);
}

void
draft_check_users(struct draft *draft, struct draft_listener *listener)
{
	const struct listener_conf *conf = listener->conf;

	check(draft, listener, "user", conf->user, judge_user);
	check(draft, listener, "group", conf->group, judge_group);
	check(draft, listener, "owner", conf->owner, judge_user);
	check(draft, listener, "group_owner", conf->group_owner,
	    judge_group_owner);
	check(draft, listener, "chroot", conf->chroot, judge_chroot);
}

static void
check_top(struct draft *draft, const char *path, const char *name,
    judge_fn *judge)
{
	struct err sentence = { .text = "" };

	if (*name)
		judge(name, &sentence);
	if (*sentence.text)
		draft_top_fault(draft, path, "%s", sentence.text);
}

void
draft_check_top_users(struct draft *draft)
{
	const struct config *config = draft->config;

	check_top(draft, "user", config->user, judge_user);
	check_top(draft, "group", config->group, judge_group);
	check_top(draft, "control.group", config->control.group,
	    judge_group_owner);
}
