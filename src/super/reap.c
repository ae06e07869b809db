/* SPDX-License-Identifier: ISC */
/* Children that ended, and children that should not be there. */
#include "super/reap.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ENDED_A_TURN 64
#define ROUNDS 20               /* each waits 100 ms at most */

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
reap_ended(void (*look)(void *arg, pid_t pid), void *arg)
{
	pid_t pid;
	int n;

	for (n = 0; n < ENDED_A_TURN; n++) {
		pid = next_ended();
		if (pid == 0)
			return false;
		look(arg, pid);
		(void)waitpid(pid, NULL, WNOHANG);      /* if still there */
	}
	return true;
}

bool
reap_has_children(void)
{
	siginfo_t info;

	/* ECHILD when there is none, ended or not. */
	return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

/* proc(5): /proc/[pid]/task/[tid]/children. A child of ours is reaped by nobody
 * else, so the numbers stay true. Without the file there is nothing to do. */
static void
kill_children(void)
{
	FILE *list = fopen("/proc/thread-self/children", "re");
	long pid;

	if (list == NULL)
		return;
	while (fscanf(list, "%ld", &pid) == 1)
		if (pid > 1)
			(void)kill((pid_t)pid, SIGKILL);
	(void)fclose(list);
}

static void
reap_silently(void *arg, pid_t pid)
{
	(void)arg;
	(void)pid;
}

void
reap_strays(void)
{
	const struct timespec wait = { .tv_nsec = 100000000 };
	sigset_t child;
	int round;

	(void)sigemptyset(&child);
	(void)sigaddset(&child, SIGCHLD);       /* blocked: it waits for us */
	for (round = 0; round < ROUNDS && reap_has_children(); round++) {
		kill_children();
		(void)sigtimedwait(&child, NULL, &wait);
		while (reap_ended(reap_silently, NULL))
			continue;
	}
}
