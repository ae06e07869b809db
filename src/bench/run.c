/* SPDX-License-Identifier: ISC */
#include "bench/run.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/sig.h"
#include "bench/live.h"
#include "bench/probe.h"
#include "bench/workload.h"

#define QUIET_MS 30             /* no more work in so long: it has finished */
#define QUIET_NS 200000
#define QUIET_LIMIT_MS 10000
#define SPARE_FILES 64          /* descriptors that are no connections */

/* Start and end */

/* Up to the hard limit; above it only who may. */
static int
files_raise(const struct options *options, struct err *err)
{
	const rlim_t need = (rlim_t)options->connections + SPARE_FILES;
	struct rlimit limit, raised;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return err_errno(err, errno, "open files");
	raised.rlim_max = limit.rlim_max < need ? need : limit.rlim_max;
	raised.rlim_cur = raised.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &raised) == 0)
		return 0;
	err_set(err, "%" PRId64 " connections need %llu open files, and this "
	    "user may have %llu (ulimit -Hn)", options->connections,
	    (unsigned long long)need, (unsigned long long)limit.rlim_max);
	return -EMFILE;
}

static int
pin(const struct options *options, struct err *err)
{
	cpu_set_t set;

	if (options->cpu < 0)
		return 0;
	CPU_ZERO(&set);
	CPU_SET((size_t)options->cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) < 0)
		return err_errno(err, errno, "--pin %" PRId64, options->cpu);
	return 0;
}

/* The first signal ends the measured span, the second one waits for no answers.
 * What was found until then is reported. */
static void
signal_ready(struct watch *watch, uint32_t events)
{
	struct run *run = watch->arg;
	struct signalfd_siginfo info;

	(void)events;
	if (sig_next(run->signal_fd, &info) != 0)
		return;
	if (run->is_interrupted)
		run->load.is_abandoned = true;
	run->is_interrupted = true;
	load_stop(&run->load);
}

static int
signals_open(struct run *run, struct err *err)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, 0 };
	int r;

	run->signal_fd = sig_open(signals);
	r = run->signal_fd < 0 ? run->signal_fd :
	    watch_start(run->loop, &run->signals, run->signal_fd, EPOLLIN,
	    signal_ready, run);
	return r < 0 ? err_errno(err, -r, "signals") : 0;
}

static int
talk_open(struct run *run, struct err *err)
{
	const struct options *options = run->options;
	bool is_greeted = options->workload->is_greeted;
	const struct talk_wish wish = {
		.size = (size_t)options->size_bytes,
		.expect = options->expect,
		.line = options->line,
		.reply = options->reply,
		.greeting = options->greeting,
		.has_greeting = is_greeted || options->greeting != NULL,
		.is_greeting_only = is_greeted && options->line == NULL,
	};

	return talk_make(&run->talk, &wish, err);
}

int
run_open(struct run *run, const struct options *options, struct err *err)
{
	int r;

	*run = (struct run){ .options = options, .signal_fd = -1,
		.signals.fd = -1, .server_ns = -1, .load.timer_fd = -1,
		.load.timer_watch.fd = -1 };
	r = files_raise(options, err);
	if (r == 0)
		r = pin(options, err);
	if (r == 0)
		r = talk_open(run, err);
	if (r < 0)
		return r;
	run->loop = loop_new();
	if (run->loop == NULL)
		return err_errno(err, errno, "event loop");
	r = signals_open(run, err);
	if (r == 0 && !options->is_without_probe) {
		live_say("the machine's own speed");
		r = probe_run(&run->probe_before_ns, err);
	}
	return r;
}

void
run_close(struct run *run)
{
	load_close(&run->load);
	if (run->loop != NULL)
		watch_stop(run->loop, &run->signals);
	fd_close(&run->signal_fd);
	loop_free(&run->loop);
	talk_free(&run->talk);
}

/* The server's processor time */

static bool
has_meter(const struct options *options)
{
	return options->pid > 0 || options->cgroup != NULL;
}

static int
meter_read(const struct options *options, int64_t *ns, struct err *err)
{
	const struct usage_of of = { .pid = (pid_t)options->pid,
		.cgroup = options->cgroup };

	return usage_read(&of, ns, err);
}

/* Connections are watched meanwhile. */
static int
turn_for(struct run *run, int64_t ms)
{
	int64_t end_at = clock_after_ms(ms);
	int r = 0;

	while (r == 0 && clock_now() < end_at)
		r = loop_turn(run->loop, clock_left_ms(end_at));
	return r;
}

int
run_quiet(struct run *run, int64_t *ns, struct err *err)
{
	int64_t end_at = clock_after_ms(QUIET_LIMIT_MS), last;
	int r = meter_read(run->options, ns, err);

	do {
		last = *ns;
		if (r == 0 && turn_for(run, QUIET_MS) < 0)
			return err_errno(err, errno, "event loop");
		if (r == 0)
			r = meter_read(run->options, ns, err);
	} while (r == 0 && *ns - last > QUIET_NS && clock_now() < end_at);
	return r;
}

/* Our own */

static int64_t
client_used(void)
{
	struct rusage usage;

	(void)getrusage(RUSAGE_SELF, &usage);
	return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * CLOCK_SECOND +
	    (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000LL;
}

/* Ticks that the host took, and all ticks: the first line of /proc/stat. */
struct ticks {
	double stolen, all;
};

static struct ticks
ticks_read(void)
{
	struct ticks ticks = { 0 };
	double value;
	FILE *file = fopen("/proc/stat", "re");

	if (file == NULL)
		return ticks;
	(void)!fscanf(file, "cpu");
	for (int i = 0; i < 8 && fscanf(file, "%lf", &value) == 1; i++) {
		ticks.all += value;
		if (i == 7)             /* proc(5): user ... softirq steal */
			ticks.stolen = value;
	}
	(void)fclose(file);
	return ticks;
}

/* Spans */

int
run_load(struct run *run, unsigned connections, bool is_fresh, struct err *err)
{
	const struct options *options = run->options;
	const struct load_wish wish = {
		.address = options->address,
		.talk = &run->talk,
		.connections = connections,
		.depth = (unsigned)options->depth,
		.is_fresh = is_fresh,
		.rate = (double)options->rate,
		.timeout_ms = options->timeout_ms,
	};
	int r = load_open(&run->load, run->loop, &wish);

	run->load.on_tick = live_tick;
	run->load.arg = run;
	return r < 0 ? err_errno(err, -r, "load") : 0;
}

static int
span(struct run *run, struct err *err)
{
	const struct options *options = run->options;
	struct ticks before = ticks_read(), after;
	int64_t client = client_used(), start = clock_now();
	int r = load_span(&run->load, &run->tally, (uint64_t)options->requests,
	    options->duration_ms);

	run->span_ns = clock_now() - start;
	run->client_ns = client_used() - client;
	after = ticks_read();
	if (after.all > before.all)
		run->steal = (after.stolen - before.stolen) /
		    (after.all - before.all);
	return r < 0 ? err_errno(err, -r, "load") : 0;
}

static bool
is_at_its_end(const struct run *run)
{
	return run->is_interrupted || run->load.is_hopeless;
}

int
run_span(struct run *run, struct err *err)
{
	bool is_metered = has_meter(run->options);
	int64_t start = 0, end = 0;
	int r = 0;

	if (is_at_its_end(run))
		return 0;
	if (is_metered)
		r = run_quiet(run, &start, err);
	if (r == 0 && !run->is_interrupted)
		r = span(run, err);
	if (r == 0 && is_metered)
		r = run_quiet(run, &end, err);
	if (r == 0 && is_metered)
		run->server_ns = end - start;
	return r;
}

static int
warm_up(struct run *run)
{
	struct load *load = &run->load;
	double rate = load->wish.rate;
	int r = 0;

	live_say("warming up");
	if (!load->wish.is_fresh)
		r = load_warm_open(load, &run->before);
	load->wish.rate = 0;
	if (r == 0 && run->options->warmup_ms > 0 && !is_at_its_end(run))
		r = load_span(load, &run->before, 0, run->options->warmup_ms);
	load->wish.rate = rate;
	return r;
}

int
run_measure(struct run *run, struct err *err)
{
	const struct options *options = run->options;
	int r = run_load(run, (unsigned)options->connections,
	    options->workload->is_fresh, err);

	if (r < 0)
		return r;
	r = warm_up(run);
	if (r < 0)
		return err_errno(err, -r, "warming up");
	return run_span(run, err);
}
