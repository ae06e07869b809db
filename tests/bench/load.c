// SPDX-License-Identifier: ISC
/*
 * load.c - the load of the benchmark: checks every byte that comes back
 *
 * Usage: load rr    CONNECTIONS COUNT PORT	kept connections, ping-pong
 *        load crr   CONNECTIONS COUNT PORT	connect, one echo, close
 *        load bot   CONNECTIONS COUNT PORT GREETING LINE REPLY
 *        load udp   SOCKETS     COUNT PORT	datagram ping-pong
 *        load hold  CONNECTIONS PORT		an echo on each, then wait
 *        load probe COUNT			the machine's own ping-pong
 *
 * One thread and one epoll set.  COUNT is the number of requests in all, the
 * same in every run.  A wrong byte, a reset, an early close or 5 seconds
 * without an answer is an error; errors are counted, and a run with errors
 * exits with status 1.  "hold" prints "held" and closes its connections when
 * its standard input ends.  "probe" knows no server: it prints the processor
 * time of one 64-byte round trip between two processes, in nanoseconds.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	MESSAGE_SIZE = 64,
	RECEIVE_SIZE = 4096,	/* more than any answer: an excess is seen */
	QUIET_MS = 5000,	/* without any answer for so long: an error */
	EVENTS = 64,
	SOURCES = 8,		/* 127.0.0.1 to .8, for their free ports */
};

enum phase { PHASE_GREETING, PHASE_ANSWER };

struct conn {
	int fd;			/* -1: not open */
	enum phase phase;
	const char *want;	/* what must come; never changes meanwhile */
	size_t want_len;
	size_t got;		/* always < want_len while waiting */
	char message[MESSAGE_SIZE];
};

struct load {
	int type;		/* SOCK_STREAM or SOCK_DGRAM */
	bool is_kept;		/* the connection is used again */
	bool is_held;		/* it stays, silent, after its answer */
	in_port_t port;		/* network order */
	const char *greeting;	/* NULL: the server does not speak first */
	const char *line;	/* NULL: say a message of our own */
	const char *reply;	/* the answer to line */
	unsigned conn_count;
	struct conn *conns;	/* owned */
	uint64_t left;		/* requests still to be begun */
	uint64_t done;		/* requests answered */
	uint64_t errors;
	uint64_t seed;
	unsigned open_count;
	unsigned source;
	int epoll;
};

static _Noreturn void
fail(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double
seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void
conn_close(struct load *load, struct conn *conn)
{
	(void)close(conn->fd);
	conn->fd = -1;
	load->open_count--;
}

static void
conn_error(struct load *load, struct conn *conn, const char *what)
{
	if (load->errors++ < 5)
		fprintf(stderr, "load: request %llu: %s\n",
		    (unsigned long long)load->done, what);
	conn_close(load, conn);
}

/*
 * Every message differs from the others (xorshift64).  It ends as a line does,
 * because Apache's mod_echo answers lines only.
 */
static void
message_fill(struct load *load, struct conn *conn)
{
	for (size_t i = 0; i < MESSAGE_SIZE; i += sizeof(load->seed)) {
		load->seed ^= load->seed << 13;
		load->seed ^= load->seed >> 7;
		load->seed ^= load->seed << 17;
		memcpy(conn->message + i, &load->seed, sizeof(load->seed));
	}
	conn->message[MESSAGE_SIZE - 1] = '\n';
}

static void
conn_want(struct conn *conn, enum phase phase, const char *want, size_t len)
{
	conn->phase = phase;
	conn->want = want;
	conn->want_len = len;
	conn->got = 0;
}

/* Begin a request; close the connection when all have been begun. */
static void
conn_ask(struct load *load, struct conn *conn)
{
	const char *say = conn->message;
	size_t len = MESSAGE_SIZE;

	if (load->left == 0) {
		conn_close(load, conn);
		return;
	}
	load->left--;
	if (load->line) {
		say = load->line;
		len = strlen(load->line);
		conn_want(conn, PHASE_ANSWER, load->reply, strlen(load->reply));
	} else {
		message_fill(load, conn);
		conn_want(conn, PHASE_ANSWER, conn->message, MESSAGE_SIZE);
	}
	if (send(conn->fd, say, len, MSG_NOSIGNAL) != (ssize_t)len)
		conn_error(load, conn, strerror(errno));
}

/* Closed connections hold their port a while: use several addresses. */
static void
source_bind(struct load *load, int fd)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	int on = 1;

	addr.sin_addr.s_addr =
	    htonl(INADDR_LOOPBACK + load->source++ % SOURCES);
	(void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on,
	    sizeof(on));
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		fail("bind");
}

static void
conn_open(struct load *load, struct conn *conn)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = load->port,
	};
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = conn };

	conn->fd = socket(AF_INET, load->type | SOCK_CLOEXEC, 0);
	if (conn->fd < 0)
		fail("socket");
	load->open_count++;
	source_bind(load, conn->fd);
	if (connect(conn->fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		conn_error(load, conn, strerror(errno));
		return;
	}
	if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, conn->fd, &event) < 0)
		fail("epoll_ctl");
	if (load->greeting)
		conn_want(conn, PHASE_GREETING, load->greeting,
		    strlen(load->greeting));
	else
		conn_ask(load, conn);
}

static void
conn_answered(struct load *load, struct conn *conn)
{
	if (conn->phase == PHASE_GREETING) {
		conn_ask(load, conn);
		return;
	}
	load->done++;
	if (load->is_held)
		return;
	if (load->is_kept) {
		conn_ask(load, conn);
		return;
	}
	conn_close(load, conn);
	if (load->left > 0)
		conn_open(load, conn);
}

static void
conn_event(struct load *load, struct conn *conn)
{
	char data[RECEIVE_SIZE];
	ssize_t len;

	len = recv(conn->fd, data, sizeof(data), MSG_DONTWAIT);
	if (len < 0)
		conn_error(load, conn, strerror(errno));
	else if (len == 0)
		conn_error(load, conn, "closed before the answer was whole");
	else if ((size_t)len > conn->want_len - conn->got)
		conn_error(load, conn, "more bytes than the answer has");
	else if (memcmp(conn->want + conn->got, data, (size_t)len) != 0)
		conn_error(load, conn, "wrong bytes");
	else if ((conn->got += (size_t)len) == conn->want_len)
		conn_answered(load, conn);
}

static void
load_loop(struct load *load)
{
	struct epoll_event events[EVENTS];

	while (load->open_count > 0) {
		int count = epoll_wait(load->epoll, events, EVENTS, QUIET_MS);

		if (count < 0 && errno != EINTR)
			fail("epoll_wait");
		if (count == 0) {
			fprintf(stderr, "load: %u connections unanswered\n",
			    load->open_count);
			load->errors += load->open_count;
			return;
		}
		for (int i = 0; i < count; i++)
			conn_event(load, events[i].data.ptr);
	}
}

static void
load_start(struct load *load)
{
	load->seed = 0x9e3779b97f4a7c15;
	load->epoll = epoll_create1(EPOLL_CLOEXEC);
	load->conns = calloc(load->conn_count, sizeof(*load->conns));
	if (load->epoll < 0 || load->conns == NULL)
		fail("start");
	for (unsigned i = 0; i < load->conn_count && load->left > 0; i++)
		conn_open(load, &load->conns[i]);
}

static int
load_run(struct load *load)
{
	uint64_t count = load->left;
	double start = seconds_now();

	load_start(load);
	load_loop(load);
	printf("requests=%llu errors=%llu seconds=%.6f\n",
	    (unsigned long long)load->done, (unsigned long long)load->errors,
	    seconds_now() - start);
	free(load->conns);
	return load->errors > 0 || load->done != count;
}

/* Each connection carries one request and stays until our input ends. */
static int
hold_run(struct load *load)
{
	char byte;

	load_start(load);
	while (load->done < load->conn_count && load->errors == 0) {
		struct epoll_event event;

		if (epoll_wait(load->epoll, &event, 1, QUIET_MS) != 1)
			fail("hold");
		conn_event(load, event.data.ptr);
	}
	puts("held");
	fflush(stdout);
	(void)read(STDIN_FILENO, &byte, 1);
	return load->errors > 0;
}

static void
probe_pair(int pair[2])
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(addr);
	struct sockaddr *any = (struct sockaddr *)&addr;
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	pair[0] = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(listener, any, len) < 0 || listen(listener, 1) < 0 ||
	    getsockname(listener, any, &len) < 0 ||
	    connect(pair[0], any, len) < 0)
		fail("probe");
	pair[1] = accept(listener, NULL, NULL);
	if (pair[1] < 0)
		fail("accept");
	(void)close(listener);
}

static void
probe_echo(int fd)
{
	char data[MESSAGE_SIZE];
	ssize_t len;

	while ((len = recv(fd, data, sizeof(data), 0)) > 0)
		if (send(fd, data, (size_t)len, MSG_NOSIGNAL) != len)
			_exit(1);
	_exit(0);
}

static double
usage_seconds(int who)
{
	struct rusage usage;

	getrusage(who, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	    (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static int
probe_run(uint64_t count)
{
	char data[MESSAGE_SIZE] = { 0 };
	double start;
	int pair[2];

	probe_pair(pair);
	if (fork() == 0) {
		(void)close(pair[0]);
		probe_echo(pair[1]);
	}
	(void)close(pair[1]);
	start = usage_seconds(RUSAGE_SELF);
	for (uint64_t i = 0; i < count; i++) {
		if (send(pair[0], data, sizeof(data), 0) != sizeof(data) ||
		    recv(pair[0], data, sizeof(data), MSG_WAITALL) !=
		    sizeof(data))
			fail("probe");
	}
	start = usage_seconds(RUSAGE_SELF) - start;
	(void)close(pair[0]);
	(void)wait(NULL);
	printf("%.0f\n", (start + usage_seconds(RUSAGE_CHILDREN)) * 1e9 /
	    (double)count);
	return 0;
}

static uint64_t
number(const char *text)
{
	char *end;
	uint64_t value = strtoull(text, &end, 10);

	if (*end != '\0' || value == 0) {
		fprintf(stderr, "load: '%s' is not a number above 0\n", text);
		exit(2);
	}
	return value;
}

static int
load_main(int argc, char **argv)
{
	const char *word = argv[1];
	struct load load = {
		.type = strcmp(word, "udp") == 0 ? SOCK_DGRAM : SOCK_STREAM,
		.is_kept = strcmp(word, "rr") == 0 || strcmp(word, "udp") == 0,
		.is_held = strcmp(word, "hold") == 0,
		.conn_count = (unsigned)number(argv[2]),
		.port = htons((in_port_t)number(argv[argc == 4 ? 3 : 4])),
		.epoll = -1,
	};

	load.left = load.is_held ? load.conn_count : number(argv[3]);
	if (argc == 8) {
		load.greeting = argv[5];
		load.line = argv[6];
		load.reply = argv[7];
	}
	return load.is_held ? hold_run(&load) : load_run(&load);
}

int
main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "probe") == 0)
		return probe_run(number(argv[2]));
	if (argc == 4 || argc == 5 || argc == 8)
		return load_main(argc, argv);
	fprintf(stderr, "usage: load rr|crr|bot|udp|hold|probe ...\n");
	return 2;
}
