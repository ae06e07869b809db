/* SPDX-License-Identifier: ISC */
#include "bench/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"

#define ROUND_TRIPS 6000
#define MESSAGE_SIZE 64

static int
pair_open(int pair[2])
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr *any = (struct sockaddr *)&addr;
	socklen_t len = sizeof(addr);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	pair[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(listener, any, len) < 0 || listen(listener, 1) < 0 ||
	    getsockname(listener, any, &len) < 0 ||
	    connect(pair[0], any, len) < 0)
		return -errno;
	pair[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (pair[1] < 0)
		return -errno;
	fd_close(&listener);
	return 0;
}

static void
echo_and_exit(int fd)
{
	char data[MESSAGE_SIZE];
	ssize_t len;

	while ((len = recv(fd, data, sizeof(data), MSG_WAITALL)) > 0)
		if (send(fd, data, (size_t)len, MSG_NOSIGNAL) != len)
			break;
	_exit(0);
}

static int64_t
used_ns(int who)
{
	struct rusage usage;

	(void)getrusage(who, &usage);
	return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000000LL +
	    (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000LL;
}

static int
ping(int fd)
{
	char data[MESSAGE_SIZE] = { 0 };

	for (int i = 0; i < ROUND_TRIPS; i++)
		if (send(fd, data, sizeof(data), MSG_NOSIGNAL) !=
		    sizeof(data) ||
		    recv(fd, data, sizeof(data), MSG_WAITALL) != sizeof(data))
			return -EIO;
	return 0;
}

/* Both ends on the processor where we are: the time of two that are busy at
 * once depends on the host. */
static void
stay_here(void)
{
	int here = sched_getcpu();
	cpu_set_t set;

	CPU_ZERO(&set);
	if (here >= 0 && here < CPU_SETSIZE) {
		CPU_SET((size_t)here, &set);
		(void)sched_setaffinity(0, sizeof(set), &set);
	}
}

/* In a process of its own. */
static void
measure_and_exit(int out)
{
	int64_t start, ns = -1;
	int pair[2];
	pid_t pid;

	stay_here();
	if (pair_open(pair) < 0)
		_exit(1);
	pid = fork();
	if (pid == 0) {
		fd_close(&pair[0]);
		echo_and_exit(pair[1]);
	}
	fd_close(&pair[1]);
	start = used_ns(RUSAGE_SELF);
	if (pid < 0 || ping(pair[0]) < 0)
		_exit(1);
	ns = used_ns(RUSAGE_SELF) - start;
	fd_close(&pair[0]);
	(void)waitpid(pid, NULL, 0);
	ns = (ns + used_ns(RUSAGE_CHILDREN)) / ROUND_TRIPS;
	(void)fd_write_all(out, &ns, sizeof(ns));
	_exit(0);
}

int
probe_run(int64_t *ns, struct err *err)
{
	struct buf got;
	int ends[2], r = 0;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_errno(err, errno, "probe");
	pid = fork();
	if (pid == 0)
		measure_and_exit(ends[1]);
	fd_close(&ends[1]);
	buf_init(&got, 64);
	if (pid > 0)
		(void)fd_read_all(ends[0], &got, 0);
	fd_close(&ends[0]);
	if (pid > 0)
		(void)waitpid(pid, NULL, 0);
	if (got.len == sizeof(*ns)) {
		memcpy(ns, got.data, sizeof(*ns));
	} else {
		err_set(err, "probe: the loopback's speed cannot be measured");
		r = -EIO;
	}
	buf_free(&got);
	return r;
}

bool
probe_is_steady(int64_t before, int64_t after)
{
	double ratio = (double)before / (double)(after > 0 ? after : 1);

	return ratio <= PROBE_SLACK && ratio >= 1 / PROBE_SLACK;
}
