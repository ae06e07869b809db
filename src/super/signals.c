/* SPDX-License-Identifier: ISC */
/* What the supervisor does on a signal: the table signals[]. */
#include "super/signals.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/sig.h"
#include "super/logging.h"
#include "super/super.h"

#define SIGNALS_A_TURN 16

typedef void signal_fn(struct super *super, int signal);

static void
on_stop(struct super *super, int signal)
{
	super_stop(super, sig_name(signal));
}

static void
on_reopen(struct super *super, int signal)
{
	(void)signal;
	logging_reopen(super);
}

static void
on_reload(struct super *super, int signal)
{
	(void)signal;
	(void)reload_ask(&super->reload,
	    &(struct reload_request){ .kind = RELOAD_APPLY });
}

static void
on_upgrade(struct super *super, int signal)
{
	(void)signal;
	upgrade_ask(super, 0);
}

static void
on_child(struct super *super, int signal)
{
	(void)signal;
	super_reap(super);
}

static const struct signal_row {
	int signal;
	signal_fn *fn;
} signals[] = {
	{ SIGTERM, on_stop },
	{ SIGINT, on_stop },
	{ SIGUSR1, on_reopen },
	{ SIGHUP, on_reload },
	{ SIGUSR2, on_upgrade },
	{ SIGCHLD, on_child },
};

#define SIGNALS (sizeof(signals) / sizeof(signals[0]))

static void
signals_handle(struct super *super, int signal)
{
	size_t i;

	for (i = 0; i < SIGNALS; i++)
		if (signals[i].signal == signal)
			signals[i].fn(super, signal);
}

static void
signals_readable(struct watch *watch, uint32_t events)
{
	struct super *super = watch->arg;
	struct signalfd_siginfo info;
	int n;

	(void)events;
	for (n = 0; n < SIGNALS_A_TURN; n++) {
		if (sig_next(super->signal_fd, &info) < 0)
			return;
		signals_handle(super, (int)info.ssi_signo);
	}
}

int
signals_open(struct super *super, struct err *err)
{
	int list[SIGNALS + 1] = { 0 };
	size_t i;
	int r;

	for (i = 0; i < SIGNALS; i++)
		list[i] = signals[i].signal;
	super->signal_fd = sig_open(list);
	if (super->signal_fd < 0)
		return err_errno(err, -super->signal_fd, "cannot take signals");
	r = watch_start(super->loop, &super->signal_watch, super->signal_fd,
	    EPOLLIN, signals_readable, super);
	if (r < 0)
		return err_errno(err, -r, "cannot take signals");
	return 0;
}

void
signals_close(struct super *super)
{
	watch_stop(super->loop, &super->signal_watch);
	fd_close(&super->signal_fd);
}
