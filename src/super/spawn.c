/* SPDX-License-Identifier: ISC */
/*
 * One start of the service program. vfork(2): the child borrows the
 * supervisor's memory until it execs, so nothing is copied and a start costs
 * the same however large the supervisor is. Between vfork and exec only
 * async-signal-safe calls are made and only memory of `struct spawn` is
 * written.
 */
#include "super/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"

#define FIRST_FD 3              /* sd_listen_fds(3) */
#define PID_DIGITS 12           /* room for a pid, its end included */
#define LISTEN_PID "LISTEN_PID="
#define LISTEN_FDS "LISTEN_FDS="

/* Child: a decimal number without stdio. */
static void
write_digits(char *to, pid_t pid)
{
	char digits[PID_DIGITS];
	size_t n = 0;

	do {
		digits[n++] = (char)('0' + pid % 10);
		pid /= 10;
	} while (pid != 0);
	while (n > 0)
		*to++ = digits[--n];
	*to = '\0';
}

/* Child: a descriptor that lies where another must go moves above them all. */
static int
move_above(int fd, int limit)
{
	return fd >= limit ? fd : fcntl(fd, F_DUPFD_CLOEXEC, limit);
}

/* Child: fds[0..used) to 3.., none overwritten before it was placed. The
 * program's own descriptor is moved as well; returned. */
static int
child_place(struct spawn *spawn)
{
	int limit = FIRST_FD + (int)spawn->used;
	int program_fd = move_above(spawn->program->fd, limit);
	size_t i;

	for (i = 0; i < spawn->used; i++) {
		spawn->placed[i] = move_above(spawn->fds[i], limit);
		if (spawn->placed[i] < 0)
			return -1;
	}
	for (i = 0; i < spawn->used; i++)
		if (dup2(spawn->placed[i], FIRST_FD + (int)i) < 0)
			return -1;
	/* Whatever else is open, from a careless parent of ours, ends here.
	 * Linux before 5.11 has no such call: then our own are closed by
	 * their close-on-exec flag, as they are here. */
	(void)close_range((unsigned)limit, ~0U, CLOSE_RANGE_CLOEXEC);
	return program_fd;
}

/* Child: does not return. */
static void
child_run(struct spawn *spawn)
{
	int program_fd;

	/* The low-port capability of a supervisor that is not root: without
	 * this it would survive the exec (capabilities(7)), and capset(2),
	 * which could give it up after that, is denied in systemd's units. */
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	/* A group of its own: what a handler sends to its group hits no
	 * other, and all of it can be ended at once. Not a session: the kernel
	 * schedules sessions against each other (sched(7), autogroup), which
	 * doubled what a pool's wake-ups cost. */
	if (setpgid(0, 0) == 0 && (program_fd = child_place(spawn)) >= 0 &&
	    (spawn->stdout_fd < 0 || dup2(spawn->stdout_fd, 1) == 1)) {
		write_digits(spawn->listen_pid, getpid());
		(void)execveat(program_fd, "", spawn->argv, spawn->env,
		    AT_EMPTY_PATH);
		/* Refused by valgrind and some sandboxes: by name, then. */
		(void)execve(spawn->program->path, spawn->argv, spawn->env);
	}
	spawn->error = errno;
	_exit(127);
}

/* Apart from its caller: what it keeps in registers survives the child. */
__attribute__((noinline)) static pid_t
spawn_vfork(struct spawn *spawn)
{
	pid_t pid = vfork();    /* NOLINT: the point of this file */

	if (pid == 0)
		child_run(spawn);
	return pid;
}

static int
spawn_argv(struct spawn *spawn, const char *const *argv)
{
	size_t i, count = 0;

	while (argv[count] != NULL)
		count++;
	spawn->argv = arena_alloc(&spawn->arena, (count + 1) * sizeof(char *));
	if (spawn->argv == NULL)
		return -ENOMEM;
	for (i = 0; i < count; i++) {
		spawn->argv[i] = arena_strdup(&spawn->arena, argv[i]);
		if (spawn->argv[i] == NULL)
			return -ENOMEM;
	}
	return 0;
}

static char *
spawn_names(struct spawn *spawn)
{
	struct buf buf;
	char *text;
	size_t i;

	buf_init(&buf, 0);
	(void)buf_puts(&buf, "LISTEN_FDNAMES=");
	for (i = 0; i < spawn->count; i++)
		(void)buf_printf(&buf, "%s%s", i > 0 ? ":" : "",
		    spawn->names[i]);
	text = buf.failed ? NULL : arena_strdup(&spawn->arena, buf.data);
	buf_free(&buf);
	return text;
}

int
spawn_init(struct spawn *spawn, const struct program *program,
    const char *const *argv, size_t max)
{
	*spawn = (struct spawn){
		.program = program, .max = max, .stdout_fd = -1
	};
	arena_init(&spawn->arena, 4096);
	spawn->fds = arena_alloc(&spawn->arena, (max + 1) * sizeof(int));
	spawn->placed = arena_alloc(&spawn->arena, (max + 1) * sizeof(int));
	spawn->names = arena_alloc(&spawn->arena, (max + 1) * sizeof(char *));
	if (spawn->fds == NULL || spawn->placed == NULL ||
	    spawn->names == NULL || spawn_argv(spawn, argv) < 0) {
		spawn_free(spawn);
		return -ENOMEM;
	}
	return 0;
}

size_t
spawn_pass(struct spawn *spawn, const char *name, int fd)
{
	size_t number = spawn->count++;

	spawn->names[number] = name;
	spawn->fds[number] = fd;
	return number;
}

void
spawn_replace(struct spawn *spawn, size_t number, int fd)
{
	spawn->fds[number] = fd;
}

int
spawn_seal(struct spawn *spawn)
{
	const struct program *program = spawn->program;
	char **env;

	env = arena_alloc(&spawn->arena,
	    (program->env_count + 4) * sizeof(char *));
	if (env == NULL)
		return -ENOMEM;
	spawn->env = env;
	env[0] = arena_alloc(&spawn->arena, sizeof(LISTEN_PID) + PID_DIGITS);
	env[1] = arena_printf(&spawn->arena, LISTEN_FDS "%zu", spawn->count);
	env[2] = spawn_names(spawn);
	if (env[0] == NULL || env[1] == NULL || env[2] == NULL)
		return -ENOMEM;
	spawn->all_names = arena_strdup(&spawn->arena, env[2]);
	if (spawn->all_names == NULL)
		return -ENOMEM;
	memcpy(env[0], LISTEN_PID, sizeof(LISTEN_PID));
	spawn->listen_pid = env[0] + strlen(LISTEN_PID);
	spawn->listen_fds = env[1];
	spawn->listen_names = env[2];
	spawn->used = spawn->count;
	memcpy(env + 3, program->env, program->env_count * sizeof(char *));
	return 0;
}

/* What was made has room for all, so for fewer too. */
void
spawn_limit(struct spawn *spawn, size_t used)
{
	char *end = spawn->listen_names;

	if (used == spawn->used)
		return;
	(void)sprintf(spawn->listen_fds, LISTEN_FDS "%zu", used);
	(void)strcpy(spawn->listen_names, spawn->all_names);
	spawn->used = used;
	while (used-- > 0)
		end = strchrnul(end, ':') + 1;
	end[-1] = '\0';
}

int
spawn_start(struct spawn *spawn, struct child *child, struct err *err)
{
	spawn->error = 0;
	child->pidfd = -1;
	child->pid = spawn_vfork(spawn);
	if (child->pid < 0)
		return err_errno(err, errno, "cannot start a process");
	if (spawn->error != 0) {
		while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
			continue;
		return err_errno(err, spawn->error, "cannot start %s",
		    spawn->program->path);
	}
	/* By number is safe: nobody else reaps our child. Close-on-exec by
	 * birth. Linux 5.3. */
	child->pidfd = (int)syscall(SYS_pidfd_open, child->pid, 0);
	return 0;
}

void
spawn_free(struct spawn *spawn)
{
	arena_free(&spawn->arena);
	spawn->argv = NULL;
	spawn->env = NULL;
	spawn->count = 0;
}
