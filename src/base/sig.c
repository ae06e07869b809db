/* SPDX-License-Identifier: ISC */
#include "base/sig.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* Raised by a fault of the thread itself; never blocked, and a catcher that a
 * sanitizer installed before main() keeps them. */
static const int fatal[] = {
	SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS, 0
};

static const char *const names[] = {
	[SIGHUP] = "SIGHUP", [SIGINT] = "SIGINT", [SIGQUIT] = "SIGQUIT",
	[SIGILL] = "SIGILL", [SIGTRAP] = "SIGTRAP", [SIGABRT] = "SIGABRT",
	[SIGBUS] = "SIGBUS", [SIGFPE] = "SIGFPE", [SIGKILL] = "SIGKILL",
	[SIGUSR1] = "SIGUSR1", [SIGSEGV] = "SIGSEGV", [SIGUSR2] = "SIGUSR2",
	[SIGPIPE] = "SIGPIPE", [SIGALRM] = "SIGALRM", [SIGTERM] = "SIGTERM",
	[SIGSTKFLT] = "SIGSTKFLT", [SIGCHLD] = "SIGCHLD", [SIGCONT] = "SIGCONT",
	[SIGSTOP] = "SIGSTOP", [SIGTSTP] = "SIGTSTP", [SIGTTIN] = "SIGTTIN",
	[SIGTTOU] = "SIGTTOU", [SIGURG] = "SIGURG", [SIGXCPU] = "SIGXCPU",
	[SIGXFSZ] = "SIGXFSZ", [SIGVTALRM] = "SIGVTALRM",
	[SIGPROF] = "SIGPROF", [SIGWINCH] = "SIGWINCH", [SIGIO] = "SIGIO",
	[SIGPWR] = "SIGPWR", [SIGSYS] = "SIGSYS",
};
#define NAMES ((int)(sizeof(names) / sizeof(names[0])))

static void
nudge(int signal)
{
	(void)signal;
}

static bool
is_fatal(int signal)
{
	for (const int *s = fatal; *s; s++)
		if (*s == signal)
			return true;
	return false;
}

/* What exec(2) hands on is "default" or "ignored". sigaction refuses KILL, STOP
 * and the two that glibc keeps; they need no reset. */
static void
disposition_reset(int signal)
{
	const struct sigaction action = {
		.sa_handler = signal == SIGPIPE ? SIG_IGN : SIG_DFL,
	};
	struct sigaction old;

	if (is_fatal(signal) && !sigaction(signal, NULL, &old) &&
	    old.sa_handler != SIG_IGN)
		return;
	(void)sigaction(signal, &action, NULL);
}

/* Blocks first: what is pending must not meet a default disposition. */
void
sig_reset(void)
{
	sigset_t set;

	(void)sigfillset(&set);
	for (const int *s = fatal; *s; s++)
		(void)sigdelset(&set, *s);
	(void)pthread_sigmask(SIG_SETMASK, &set, NULL);
	for (int s = 1; s < NSIG; s++)
		disposition_reset(s);
}

int
sig_open(const int *signals)
{
	sigset_t set;
	int fd;

	(void)sigemptyset(&set);
	for (const int *s = signals; *s; s++)
		(void)sigaddset(&set, *s);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

int
sig_next(int fd, struct signalfd_siginfo *info)
{
	ssize_t n;

	do
		n = read(fd, info, sizeof(*info));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return n == sizeof(*info) ? 0 : -EAGAIN;
}

void
sig_nudge_accept(void)
{
	const struct sigaction action = { .sa_handler = nudge };
	sigset_t set;

	(void)sigaction(SIG_NUDGE, &action, NULL);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIG_NUDGE);
	(void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

const char *
sig_name(int signal)
{
	static _Thread_local char other[24];

	if (signal > 0 && signal < NAMES && names[signal])
		return names[signal];
	(void)snprintf(other, sizeof(other), "signal %d", signal);
	return other;
}
