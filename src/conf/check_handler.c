/* SPDX-License-Identifier: ISC */
/*
 * From a handler's name to its file, and what that holds in few words. It is
 * not loaded: that is done by a service process that can afford to die of it.
 */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/digest.h"
#include "conf/draft.h"
#include "conf/file.h"

#define HANDLER_MAX_BYTES (64UL << 20)        /* more is not loaded */

static bool
is_bare_name(const char *name)
{
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && *name != '_' &&
		    *name != '-')
			return false;
	return true;
}

static bool
is_path(const char *name)
{
	size_t len = strlen(name);

	return len > 3 && strcmp(name + len - 3, ".so") == 0 &&
	    name[len - 4] != '/';
}

/* In a directory that others can write to, a file of root's can be replaced;
 * the sticky bit prevents that (inode(7)). */
static const char *
judge_directory(const char *file)
{
	char path[PATH_MAX];
	const char *slash = strrchr(file, '/');
	struct stat st;

	if (!slash || (size_t)(slash - file) >= sizeof(path) - 1)
		return NULL;
	memcpy(path, file, (size_t)(slash - file));
	path[slash - file] = '\0';
	if (stat(*path ? path : "/", &st) < 0)
		return NULL;
	if (st.st_uid == 0 && (st.st_mode & S_ISVTX))
		return NULL;
	return file_distrust(&st);
}

static void
check_file(struct draft *draft, const struct draft_listener *listener,
    const char *file, const struct stat *st)
{
	const char *distrust = file_distrust(st);

	if (!S_ISREG(st->st_mode)) {
		draft_fault(draft, listener, "handler", NULL, "%s is %s; a "
		    "shared object is "
		    "needed", file, file_type_word(st->st_mode));
		return;
	}
	if (access(file, R_OK) < 0)
		draft_fault(draft, listener, "handler", NULL, "%s cannot be "
		    "read: %s; make it readable", file, strerror(errno));
	if (distrust) {
		draft_fault(draft, listener, "handler", NULL, "%s %s", file,
		    distrust);
		return;
	}
	distrust = judge_directory(file);
	if (distrust)
		draft_fault(draft, listener, "handler", NULL, "the directory "
		    "of %s %s", file, distrust);
}

static void
find_by_path(struct draft *draft, struct draft_listener *listener)
{
	struct listener_conf *conf = listener->conf;
	struct stat st;

	conf->handler = conf->handler_file = draft_path(draft, conf->handler);
	if (stat(conf->handler_file, &st) < 0)
		draft_fault(draft, listener, "handler", NULL, "%s: %s; name a "
		    "file that is there", conf->handler_file, strerror(errno));
	else
		check_file(draft, listener, conf->handler_file, &st);
}

static void
report_missing(struct draft *draft, const struct draft_listener *listener)
{
	const struct string_list *path = &draft->config->module_path;
	struct buf places;

	buf_init(&places, 600);
	for (size_t i = 0; i < path->count; i++)
		(void)buf_printf(&places, "%s%s/%s.so", i ? ", " : "",
		    path->items[i], listener->conf->handler);
	draft_fault(draft, listener, "handler", NULL, "there is no handler "
	    "\"%s\"; looked for %s", listener->conf->handler, places.len ?
	    places.data : "it nowhere, module_path is empty");
	buf_free(&places);
}

static void
find_by_name(struct draft *draft, struct draft_listener *listener)
{
	const struct string_list *path = &draft->config->module_path;
	struct listener_conf *conf = listener->conf;

	for (size_t i = 0; i < path->count; i++) {
		const char *file = draft_printf(draft, "%s/%s.so",
		    path->items[i], conf->handler);
		struct stat st;

		if (stat(file, &st) < 0)
			continue;
		conf->handler_file = file;
		check_file(draft, listener, file, &st);
		return;
	}
	report_missing(draft, listener);
}

/* Read once for all the listeners that have it. */
static const struct listener_conf *
find_digested(const struct draft *draft, const struct listener_conf *conf)
{
	const struct listener_conf *other = draft->config->listeners;

	for (; other < conf; other++)
		if (*other->handler_digest &&
		    strcmp(other->handler_file, conf->handler_file) == 0)
			return other;
	return NULL;
}

/* What cannot be read, or is too long, is told by who loads it. */
static void
digest_handler(struct draft *draft, struct listener_conf *conf)
{
	const struct listener_conf *other = find_digested(draft, conf);
	struct digest digest;

	if (other) {
		conf->handler_digest = other->handler_digest;
		conf->handler_build_id = other->handler_build_id;
		return;
	}
	if (digest_file(conf->handler_file, HANDLER_MAX_BYTES, &digest) < 0)
		return;
	conf->handler_digest = draft_printf(draft, "%s", digest.text);
	conf->handler_build_id = draft_printf(draft, "%s", digest.build_id);
}

void
draft_check_handler(struct draft *draft, struct draft_listener *listener)
{
	const char *name = listener->conf->handler;

	if (!*name || draft_is_bad(listener, "handler"))
		return;
	if (is_path(name))
		find_by_path(draft, listener);
	else if (is_bare_name(name))
		find_by_name(draft, listener);
	else
		draft_fault(draft, listener, "handler", NULL, "\"%.80s\" is "
		    "neither a name nor a file; a name of letters, digits, _ "
		    "and -, or a path that ends in .so, is allowed", name);
	if (*listener->conf->handler_file && !draft_is_bad(listener, "handler"))
		digest_handler(draft, listener->conf);
}
