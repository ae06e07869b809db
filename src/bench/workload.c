/* SPDX-License-Identifier: ISC */
/*
 * What can be measured: workloads[] at the end. Most are a load of one kind or
 * another; those that are more have a function of their own.
 */
#include "bench/workload.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/fd.h"
#include "bench/dial.h"
#include "bench/live.h"

/* Idle connections */

static int
idle_memory(const struct run *run, struct memory *memory, struct err *err)
{
	return run->options->pid == 0 ? 0 :
	    memory_read((pid_t)run->options->pid, memory, err);
}

static uint64_t
count_open(const struct load *load)
{
	uint64_t count = 0;

	for (unsigned i = 0; i < load->wish.connections; i++)
		count += load->conns[i].fd >= 0;
	return count;
}

/* Said at once, for who waits for it; the report comes later. */
static int
idle_hold(struct run *run, struct err *err)
{
	const struct options *options = run->options;
	int r;

	if (run->load.is_hopeless)
		return 0;
	run->held = count_open(&run->load);
	r = idle_memory(run, &run->full, err);
	if (r < 0)
		return r;
	run->has_memory = options->pid > 0;
	if (!options->is_json) {
		live_clear();
		printf("%" PRIu64 " connections are held\n", run->held);
		(void)fflush(stdout);
	}
	if (run->is_interrupted)
		return 0;
	run->started_at = clock_now();
	r = load_hold(&run->load, &run->tally, options->duration_ms);
	run->span_ns = clock_now() - run->started_at;
	return r < 0 ? err_errno(err, -r, "idle") : 0;
}

static int
idle_run(struct run *run, struct err *err)
{
	int r = idle_memory(run, &run->empty, err);

	if (r == 0)
		r = run_load(run, (unsigned)run->options->connections, false,
		    err);
	if (r < 0)
		return r;
	live_say("opening");
	run->load.is_silent = run->options->is_silent;
	r = load_warm_open(&run->load, &run->tally);
	return r < 0 ? err_errno(err, -r, "idle") : idle_hold(run, err);
}

/* Silent clients */

/* One that is connected and has said its byte; -errno. */
static int
silent_open(const struct options *options, uint64_t number)
{
	int fd = dial_start(&options->address, number, false), code = 0;
	struct pollfd poll_fd = { .fd = fd, .events = POLLOUT };
	socklen_t len = sizeof(code);

	if (fd < 0)
		return fd;
	if (poll(&poll_fd, 1, (int)options->timeout_ms) != 1)
		code = ETIMEDOUT;
	else
		(void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &len);
	if (code == 0 && !options->is_silent &&
	    send(fd, "x", 1, MSG_NOSIGNAL) != 1)
		code = errno;
	if (code != 0)
		fd_close(&fd);
	return code != 0 ? -code : fd;
}

/* As many as the server's queue takes: it may be the queue that is full. */
static int *
silent_open_all(struct run *run)
{
	uint64_t wanted = (uint64_t)run->options->connections;
	int *fds = calloc(wanted, sizeof(*fds));

	while (fds != NULL && run->deaf < wanted) {
		int fd = silent_open(run->options, run->deaf);

		if (fd == -ECONNREFUSED || fd == -ENOENT)
			tally_fault(&run->tally, FAULT_CONNECT, "%s",
			    strerror(-fd));
		if (fd < 0)
			break;
		fds[run->deaf++] = fd;
	}
	return fds;
}

static bool
is_ended(int fd)
{
	char byte;
	ssize_t n = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	return n == 0 || (n < 0 && errno != EAGAIN);
}

static void
silent_close_all(struct run *run, int *fds)
{
	for (uint64_t i = 0; fds != NULL && i < run->deaf; i++) {
		run->deaf_closed += is_ended(fds[i]);
		fd_close(&fds[i]);
	}
	free(fds);
}

static int
deaf_run(struct run *run, struct err *err)
{
	int *fds, r;

	live_say("silent clients connect");
	fds = silent_open_all(run);
	r = fds == NULL ? err_errno(err, ENOMEM, "deaf") :
	    run_load(run, 1, true, err);
	run->load.has_been_answered = run->deaf > 0;
	run->load.is_hopeless = tally_faults(&run->tally) > 0;
	if (r == 0)
		r = run_span(run, err);
	silent_close_all(run, fds);
	return r;
}

const struct workload *
workload_find(const char *name)
{
	for (const struct workload *row = workloads; row->name != NULL; row++)
		if (strcmp(row->name, name) == 0)
			return row;
	return NULL;
}

const struct workload workloads[] = {
	{ "rr", "request and response on connections that are kept",
	    run_measure, WIRE_STREAM, false, false, 64, 1, 64, 5000 },
	{ "pipeline", "the same with several requests on their way at once",
	    run_measure, WIRE_STREAM, false, false, 16, 16, 64, 5000 },
	{ "crr", "connect, one request and its response, close",
	    run_measure, WIRE_STREAM, true, false, 32, 1, 64, 5000 },
	{ "greeting", "connect, read a greeting, close; with --line, say it "
	    "and read the answer before",
	    run_measure, WIRE_STREAM, true, true, 32, 1, 64, 5000 },
	{ "stream", "large blocks, several on their way at once",
	    run_measure, WIRE_STREAM, false, false, 4, 4, 65536, 5000 },
	{ "udp", "a datagram and its answer; lost ones are counted",
	    run_measure, WIRE_DATAGRAM, false, false, 16, 1, 64, 1000 },
	{ "idle", "connections that carry one request and stay; with --pid, "
	    "what memory each costs the server",
	    idle_run, WIRE_STREAM, false, false, 1000, 1, 64, 5000 },
	{ "deaf", "clients that send one byte and stay, while a new client "
	    "asks again and again",
	    deaf_run, WIRE_STREAM, true, false, 200, 1, 64, 500 },
	{ NULL, NULL, NULL, WIRE_STREAM, false, false, 0, 0, 0, 0 },
};
