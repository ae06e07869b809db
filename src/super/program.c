/* SPDX-License-Identifier: ISC */
/*
 * Which program is a service: where it is, the descriptor that keeps it, and
 * what it may see of the supervisor's environment. An allow-list, because a
 * handler's process has no business with NOTIFY_SOCKET, WATCHDOG_* or with
 * what an administrator's shell happened to export.
 */
#include "super/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"

#define SERVICE_NAME "socketserver-service"

static const char *const environment_allowed[] = {
	"PATH=*", "HOME=*", "LANG=*", "LC_*=*", "TZ=*", "*SAN_OPTIONS=*", NULL
};

static bool
environment_allows(const char *variable)
{
	const char *const *pattern;

	for (pattern = environment_allowed; *pattern != NULL; pattern++)
		if (fnmatch(*pattern, variable, 0) == 0)
			return true;
	return false;
}

static int
program_environment(struct program *program)
{
	size_t i, count = 0;

	while (environ[count] != NULL)
		count++;
	program->env = arena_alloc(&program->arena,
	    (count + 1) * sizeof(char *));
	if (program->env == NULL)
		return -ENOMEM;
	for (i = 0; i < count; i++) {
		char *copy;

		if (!environment_allows(environ[i]))
			continue;
		copy = arena_strdup(&program->arena, environ[i]);
		if (copy == NULL)
			return -ENOMEM;
		program->env[program->env_count++] = copy;
	}
	return 0;
}

/* In a build tree the service program lies beside this one; installed, the
 * two are in different directories. NULL: out of memory. */
static char *
program_find(struct arena *arena)
{
	char self[4096], *slash, *beside;
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (len > 0) {
		self[len] = '\0';
		slash = strrchr(self, '/');
		if (slash != NULL)
			*slash = '\0';
		beside = arena_printf(arena, "%s/" SERVICE_NAME, self);
		if (beside != NULL && access(beside, X_OK) == 0)
			return beside;
	}
	return arena_strdup(arena, PKGLIBEXECDIR "/" SERVICE_NAME);
}

static int
program_fill(struct program *program, const char *path, struct err *err)
{
	program->path = path != NULL ? arena_strdup(&program->arena, path) :
	    program_find(&program->arena);
	if (program->path == NULL || program_environment(program) < 0)
		return err_errno(err, ENOMEM, SERVICE_NAME);
	if (access(program->path, X_OK) != 0)
		return err_errno(err, errno, "cannot use the service program "
		    "%s", program->path);
	program->fd = open(program->path, O_PATH | O_CLOEXEC);
	if (program->fd < 0)
		return err_errno(err, errno, "cannot open the service program "
		    "%s", program->path);
	return 0;
}

int
program_open(struct program *program, const char *path, struct err *err)
{
	int r;

	*program = (struct program){ .fd = -1 };
	arena_init(&program->arena, 4096);
	r = program_fill(program, path, err);
	if (r < 0)
		program_close(program);
	return r;
}

void
program_close(struct program *program)
{
	fd_close(&program->fd);
	arena_free(&program->arena);
	program->path = NULL;
	program->env = NULL;
}
