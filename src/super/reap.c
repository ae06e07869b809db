/* SPDX-License-Identifier: ISC */
/* Children that ended, and children that should not be there. */
#include "super/reap.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ENDED_A_TURN 64
#define ROUNDS 20               /* each waits 100 ms at most */

typedef void child_fn(void *arg, pid_t pid);

/* /proc may be another PID namespace's (unshare --pid without --mount-proc):
 * its numbers are other processes' here. */
static bool
proc_is_ours(void)
{
	char self[16];
	ssize_t n = readlink("/proc/self", self, sizeof(self) - 1);

	self[n > 0 ? n : 0] = '\0';
	return strtol(self, NULL, 10) == (long)getpid();
}

/* proc(5): /proc/[pid]/task/[tid]/children. A child of ours is reaped by nobody
 * else, so the numbers stay true. false: there is no such list. */
static bool
each_child(child_fn *fn, void *arg)
{
	FILE *list = NULL;
	long pid;

	if (proc_is_ours())
		list = fopen("/proc/thread-self/children", "re");
	if (list == NULL)
		return false;
	while (fscanf(list, "%ld", &pid) == 1)
		fn(arg, (pid_t)pid);
	(void)fclose(list);
	return true;
}

static size_t
earlier_find(const struct earlier *earlier, pid_t pid)
{
	size_t i = 0;

	while (i < earlier->count && earlier->pids[i] != pid)
		i++;
	return i;
}

static void
earlier_add(void *arg, pid_t pid)
{
	struct earlier *earlier = arg;

	if (earlier->count < REAP_EARLIER)
		earlier->pids[earlier->count++] = pid;
	else
		earlier->is_unknown = true;
}

void
earlier_forget(struct earlier *earlier, pid_t pid)
{
	size_t i = earlier_find(earlier, pid);

	if (i < earlier->count)
		earlier->pids[i] = earlier->pids[--earlier->count];
}

static bool
has_children(void)
{
	siginfo_t info;

	/* ECHILD when there is none, ended or not. */
	return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

void
earlier_take(struct earlier *earlier)
{
	*earlier = (struct earlier){ 0 };
	if (!has_children())
		return;
	if (!each_child(earlier_add, earlier))
		earlier->is_unknown = true;
}

/* The next child that has ended, left as a zombie; 0 = none. */
static pid_t
next_ended(void)
{
	siginfo_t info = { 0 };

	if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0)
		return 0;
	return info.si_pid;
}

bool
reap_ended(struct earlier *earlier, reap_look_fn *look, void *arg)
{
	pid_t pid;
	int n;

	for (n = 0; n < ENDED_A_TURN; n++) {
		pid = next_ended();
		if (pid == 0)
			return false;
		/* Not after look(), which may have started another process
		 * with this number. */
		if (look != NULL && look(arg, pid))
			continue;
		earlier_forget(earlier, pid);
		(void)waitpid(pid, NULL, WNOHANG);
	}
	return true;
}

struct strays {
	const struct earlier *earlier;
	unsigned count;
};

static void
stray_kill(void *arg, pid_t pid)
{
	struct strays *strays = arg;

	if (earlier_find(strays->earlier, pid) < strays->earlier->count)
		return;
	strays->count++;
	(void)kill(pid, SIGKILL);
}

/* Without a list there is nothing to do: init ends them, or it is their end
 * that process 1 ends. */
static unsigned
strays_kill(const struct earlier *earlier)
{
	struct strays strays = { .earlier = earlier };

	(void)each_child(stray_kill, &strays);
	return strays.count;
}

void
reap_strays(struct earlier *earlier)
{
	const struct timespec wait = { .tv_nsec = 100000000 };
	sigset_t child;
	int round;

	if (earlier->is_unknown)
		return;
	(void)sigemptyset(&child);
	(void)sigaddset(&child, SIGCHLD);       /* blocked: it waits for us */
	while (reap_ended(earlier, NULL, NULL))
		continue;
	for (round = 0; round < ROUNDS && strays_kill(earlier) > 0; round++) {
		(void)sigtimedwait(&child, NULL, &wait);
		while (reap_ended(earlier, NULL, NULL))
			continue;
	}
}
