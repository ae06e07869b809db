/* SPDX-License-Identifier: ISC */
#ifndef BASE_SIG_H
#define BASE_SIG_H

#include <signal.h>

/*
 * Signals arrive in the loop, through a signalfd; handlers do nothing. Called
 * by the main thread of a program at its start; sig_reset, sig_next and
 * sig_nudge_accept are async-signal-safe, so that a forked child may call them.
 *
 * SIG_NUDGE is the one signal that is caught: its handler is empty and is
 * installed without SA_RESTART, so that a thread or child that waits in a
 * system call returns with EINTR and looks at its service's phase.
 */
#define SIG_NUDGE SIGURG

/* First act of a program: every disposition back to its default, SIGPIPE
 * ignored, every signal but the fatal ones (SEGV, BUS, FPE, ILL, ABRT, TRAP,
 * SYS) blocked. Clears what a parent left (nohup, blocked TERM). */
void sig_reset(void);
/* A non-blocking signalfd for the signals of a 0-terminated list, which should
 * be blocked (sig_reset); owned by the caller; or -errno. */
int sig_open(const int *signals);
/* Next signal of a signalfd into *info's ssi_signo and ssi_pid; 0, -EAGAIN
 * when there is none, or -errno. */
struct signalfd_siginfo;
int sig_next(int fd, struct signalfd_siginfo *info);
/* Install the empty handler for SIG_NUDGE and unblock it in this thread. */
void sig_nudge_accept(void);
/* "SIGSEGV"; "signal 77" where there is no name: valid until this thread asks
 * again. Any thread. */
const char *sig_name(int signal);

#endif
