/* SPDX-License-Identifier: ISC */
/*
 * Whole service processes, told what to do as the supervisor tells them: when
 * they take, when they stop, whom they end. Each claim for every model.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/channel.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/sig.h"
#include "base/stats.h"
#include "conf/flat.h"
#include "net/inherit.h"
#include "net/transport.h"
#include "serve/service.h"
#include "serve_suites.h"

#define PATIENCE_MS 30000
#define INHERITED 100           /* the first descriptor that is handed over */
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct kind {
	const char *name;
	enum concurrency concurrency;
	int64_t workers, tick_ms;
	enum when_full when_full;
} kinds[] = {
	{ "sync", CONCURRENCY_SYNC, 0, 0, WHEN_FULL_QUEUE },
	{ "sync, tick", CONCURRENCY_SYNC, 0, 1000, WHEN_FULL_QUEUE },
	{ "sync, refuse", CONCURRENCY_SYNC, 0, 0, WHEN_FULL_REFUSE },
	{ "pool", CONCURRENCY_THREADED, 4, 0, WHEN_FULL_QUEUE },
	{ "pool, reset", CONCURRENCY_THREADED, 4, 0, WHEN_FULL_RESET },
	{ "threaded", CONCURRENCY_THREADED, 0, 0, WHEN_FULL_QUEUE },
	{ "forking", CONCURRENCY_FORKING, 0, 0, WHEN_FULL_QUEUE },
	{ "forking, refuse", CONCURRENCY_FORKING, 0, 1000, WHEN_FULL_REFUSE },
};

/* One address, or two: then a lane cannot wait in the taking call. */
static const char *const streams[] = { "tcp://127.0.0.1:0", "unix:@one" };
static const char *const datagrams[] = { "udp://127.0.0.1:0",
	"udp://0.0.0.0:0", "unixgram:@two" };

struct process {
	pid_t pid;
	int channel;
};

static struct process first, second;
static struct config *config;
static struct listener_conf conf;
static struct endpoint endpoints[2];
static size_t endpoint_count;
static struct stats_slab *slab;
static const struct stats_size size = { .slots = 2, .seats = 8 };
static int slab_fd, log_file;
static char logged[65536];

/* -- the supervisor's part ---------------------------------------------- */

static void
begin(void)
{
	static char handler[4096];
	const char *top = getenv("top_builddir");

	(void)snprintf(handler, sizeof(handler), "%s/src/handlers/.libs/echo.so",
	    top != NULL ? top : ".");
	config = config_new();
	ck_assert_ptr_nonnull(config);
	config->user = config->group = config->address_file = "";
	config->control.socket = config->control.group = "";
	config->log.target = "stderr";
	config->log.is_access_on = true;
	config->log.level = LOG_LEVEL_INFO;
	conf = (struct listener_conf){
		.name = "test", .file = "test.conf", .handler = "echo",
		.handler_file = handler, .handler_digest = "",
		.handler_build_id = "", .refuse_text = "", .bind_device = "",
		.owner = "", .group_owner = "", .user = "", .group = "",
		.chroot = "", .is_enabled = true, .max_connections = 4,
		.backlog = 16, .timeout_ms = PATIENCE_MS, .mode = 0660,
		.read_buffer_bytes = 8192, .max_datagram_bytes = 8192,
		.reuse_address = true, .limits = { -1, -1, -1, -1, -1 },
		.restart = { 100, 1000 }, .drain_timeout_ms = PATIENCE_MS,
	};
	slab = stats_new(size, &slab_fd);
	ck_assert_ptr_nonnull(slab);
	log_file = fd_memory_new("log");
	ck_assert_int_ge(log_file, 0);
	ck_assert_int_eq(fcntl(log_file, F_SETFL, O_APPEND), 0);
	endpoint_count = 0;
	first = second = (struct process){ .pid = 0, .channel = -1 };
}

static void
process_kill(struct process *process)
{
	if (process->pid > 0) {
		(void)kill(-process->pid, SIGKILL);
		(void)waitpid(process->pid, NULL, 0);
	}
	fd_close(&process->channel);
	process->pid = 0;
}

static void
end(void)
{
	process_kill(&first);
	process_kill(&second);
	while (endpoint_count > 0)
		endpoint_close(&endpoints[--endpoint_count]);
	stats_free(&slab, size);
	fd_close(&slab_fd);
	fd_close(&log_file);
	config_free(&config);
}

static void
use_kind(const struct kind *kind)
{
	conf.concurrency = kind->concurrency;
	conf.workers = kind->workers;
	conf.tick_ms = kind->tick_ms;
	conf.when_full = kind->when_full;
}

static void
must_open(const char *address)
{
	struct err err;

	char own[64];

	/* a name of this process alone, as a port is */
	(void)snprintf(own, sizeof(own), strchr(address, '@') != NULL ?
	    "%s-%d" : "%s", address, getpid());
	ck_assert_msg(endpoint_open(&endpoints[endpoint_count], own, &conf,
	    &err) == 0, "%s", err.text);
	endpoint_count++;
}

static int
config_fd(void)
{
	const char *items[] = { endpoints[0].address, endpoints[1].address };
	struct buf text;

	buf_init(&text, 0);
	conf.addresses = (struct string_list){ items, endpoint_count };
	ck_assert_int_eq(flat_encode_listener(&text, config, &conf), 0);
	int fd = fd_memory("config", text.data, text.len);
	buf_free(&text);
	ck_assert_int_ge(fd, 0);
	return fd;
}

static void
hand_over(struct inherit *inherit, const char *name, int fd)
{
	struct inherited *one = &inherit->fds[inherit->count++];

	one->fd = fcntl(fd, F_DUPFD_CLOEXEC, INHERITED);
	(void)snprintf(one->name, sizeof(one->name), "%s", name);
}

static void
process_main(unsigned slot, int channel)
{
	const struct service_args args = {
		.slot = slot, .generation = slot + 1, .log_kind = "stream",
	};
	struct inherit inherit = { .fds = calloc(8, sizeof(*inherit.fds)) };

	(void)setpgid(0, 0);    /* it ends its whole group */
	sig_reset();
	hand_over(&inherit, "config", config_fd());
	hand_over(&inherit, "channel", channel);
	hand_over(&inherit, "stats", slab_fd);
	hand_over(&inherit, "log", log_file);
	for (size_t i = 0; i < endpoint_count; i++)
		hand_over(&inherit, "socket", endpoints[i].fd);
	/* What a service has not: the clients, the other service's channel. */
	(void)close_range(3, INHERITED - 1, 0);
	_exit((int)service_run(&args, &inherit));
}

/* The next message of this type; others are left out. */
static int64_t
expect_message(const struct process *process, enum message_type type)
{
	int64_t until = clock_after_ms(PATIENCE_MS);
	struct pollfd pfd = { .fd = process->channel, .events = POLLIN };
	struct message message;

	for (;;) {
		int fd, r = channel_receive(process->channel,
		    CHANNEL_SUPERVISOR, &message, &fd);

		if (r == -EAGAIN) {
			ck_assert_msg(poll(&pfd, 1, clock_left_ms(until)) == 1,
			    "no %s", message_name(type));
			continue;
		}
		ck_assert_msg(r == 0, "no %s but the end",
		    message_name(type));
		ck_assert_msg(message.type != MESSAGE_FAILED, "%s",
		    message.text);
		if (message.type == type)
			return message.value;
	}
}

static void
tell(const struct process *process, enum message_type type, int64_t value,
    const char *text)
{
	ck_assert_int_eq(channel_send(process->channel, type, value, text, -1),
	    0);
}

static struct process
start(unsigned slot)
{
	struct process process;
	int ends[2];

	ck_assert_int_eq(channel_pair(ends), 0);
	process.pid = fork();
	ck_assert_int_ge(process.pid, 0);
	if (process.pid == 0) {
		(void)close(ends[0]);
		process_main(slot, ends[1]);
	}
	(void)close(ends[1]);
	process.channel = ends[0];
	(void)expect_message(&process, MESSAGE_READY);
	return process;
}

static void
expect_end(struct process *process)
{
	int status;

	ck_assert_int_eq(waitpid(process->pid, &status, 0), process->pid);
	process->pid = 0;
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), EXIT_OK);
}

static int64_t
counted(unsigned slot, enum counter counter)
{
	return atomic_load(&slab->slots[slot].counters[counter]);
}

/* Look again until it is as wanted: what no message tells of. */
static void
expect_count(unsigned slot, enum counter counter, int64_t wanted)
{
	int64_t until = clock_after_ms(PATIENCE_MS);

	while (counted(slot, counter) != wanted) {
		ck_assert_msg(clock_now() < until, "%s is %lld, not %lld",
		    counter_name(counter), (long long)counted(slot, counter),
		    (long long)wanted);
		(void)poll(NULL, 0, 1);
	}
}

static void
expect_sum(unsigned slot)
{
	ck_assert_int_eq(counted(slot, COUNTER_ACCEPTED),
	    counted(slot, COUNTER_REQUESTS) + counted(slot, COUNTER_ERRORS) +
	    counted(slot, COUNTER_REFUSED) + counted(slot, COUNTER_ACTIVE));
}

/* A word of the log, which is written before the counters are. */
static const char *
log_with(const char *word)
{
	int64_t until = clock_after_ms(PATIENCE_MS);

	for (;;) {
		ssize_t n = pread(log_file, logged, sizeof(logged) - 1, 0);

		logged[n > 0 ? n : 0] = '\0';
		const char *at = strstr(logged, word);
		if (at != NULL)
			return at;
		ck_assert_msg(clock_now() < until, "no \"%s\" in:\n%s", word,
		    logged);
		(void)poll(NULL, 0, 1);
	}
}

/* -- the client's part -------------------------------------------------- */

static int
must_connect(const struct endpoint *ep)
{
	const struct timeval tv = { PATIENCE_MS / 1000, 0 };
	int fd = socket(ep->addr.sa.ss_family,
	    (ep->transport->is_stream ? SOCK_STREAM : SOCK_DGRAM) |
	    SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv,
	    sizeof(tv)), 0);
	if (ep->addr.sa.ss_family == AF_UNIX && !ep->transport->is_stream) {
		const struct sockaddr un = { .sa_family = AF_UNIX };
		ck_assert_int_eq(bind(fd, &un, sizeof(sa_family_t)), 0);
	}
	ck_assert_int_eq(connect(fd, (const struct sockaddr *)&ep->addr.sa,
	    ep->addr.len), 0);
	return fd;
}

static void
say(int fd, const char *word)
{
	ck_assert_int_eq(send(fd, word, strlen(word), MSG_NOSIGNAL),
	    (ssize_t)strlen(word));
}

static void
expect_answer(int fd, const char *word)
{
	char answer[64] = "";

	ck_assert_int_eq(recv(fd, answer, sizeof(answer) - 1, 0),
	    (ssize_t)strlen(word));
	ck_assert_str_eq(answer, word);
}

static void
talk(int fd)
{
	say(fd, "hello");
	expect_answer(fd, "hello");
}

/* Ended or reset by the service. */
static void
expect_closed(int fd)
{
	char byte;
	ssize_t n = recv(fd, &byte, 1, 0);

	ck_assert_msg(n == 0 || (n < 0 && errno == ECONNRESET),
	    "%zd, %s", n, n < 0 ? strerror(errno) : "");
	(void)close(fd);
}

/* Answered or refused, as when_full says; not left hanging. */
static void
expect_end_of(int fd)
{
	char some[64];
	ssize_t n;

	do
		n = recv(fd, some, sizeof(some), 0);
	while (n > 0);
	ck_assert(n == 0 || errno == ECONNRESET);
	(void)close(fd);
}

static void
hang_up(int *fd)
{
	ck_assert_int_eq(shutdown(*fd, SHUT_WR), 0);
	expect_closed(*fd);
	*fd = -1;
}

/* -- taking and releasing ----------------------------------------------- */

static int
flags_of(size_t i)
{
	return fcntl(endpoints[i].fd, F_GETFL);
}

static struct timeval
timeout_of(size_t i)
{
	struct timeval tv = { 0 };
	socklen_t len = sizeof(tv);

	ck_assert_int_eq(getsockopt(endpoints[i].fd, SOL_SOCKET, SO_RCVTIMEO,
	    &tv, &len), 0);
	return tv;
}

static void
nothing_before_take(const char *address, bool is_nonblock)
{
	must_open(address);
	ck_assert_int_eq(endpoint_set_nonblock(&endpoints[0], is_nonblock), 0);
	int flags = flags_of(0);
	conf.timeout_ms = 2 * PATIENCE_MS;
	struct timeval tv = timeout_of(0);

	first = start(0);
	int client = must_connect(&endpoints[0]);
	say(client, "early");
	tell(&first, MESSAGE_PING, 7, NULL);
	ck_assert_int_eq(expect_message(&first, MESSAGE_PONG), 7);
	ck_assert_int_eq(flags_of(0), flags);
	ck_assert_int_eq(timeout_of(0).tv_sec, tv.tv_sec);
	ck_assert_int_eq(counted(0, COUNTER_ACCEPTED), 0);
	tell(&first, MESSAGE_TAKE, 0, NULL);
	expect_answer(client, "early");
	(void)close(client);
}

START_TEST(nothing_is_touched_before_take)
{
	use_kind(&kinds[_i / 4]);
	nothing_before_take(_i % 4 < 2 ? streams[0] : datagrams[0],
	    _i % 2 == 1);
}
END_TEST

/* After RELEASED the old one takes nothing, but goes on with what it has. */
static void
hand_from_first_to_second(const char *address)
{
	must_open(address);
	first = start(0);
	tell(&first, MESSAGE_TAKE, 0, NULL);
	int held = must_connect(&endpoints[0]);
	talk(held);
	second = start(1);
	tell(&first, MESSAGE_DRAIN, PATIENCE_MS, "0");
	(void)expect_message(&first, MESSAGE_RELEASED);
	int queued[3];
	for (size_t i = 0; i < COUNT(queued); i++) {
		queued[i] = must_connect(&endpoints[0]);
		say(queued[i], "queued");
	}
	talk(held);
	ck_assert_int_eq(counted(0, COUNTER_ACCEPTED), 1);
	tell(&second, MESSAGE_TAKE, 0, NULL);
	for (size_t i = 0; i < COUNT(queued); i++) {
		expect_answer(queued[i], "queued");
		hang_up(&queued[i]);
	}
	ck_assert_int_eq(counted(0, COUNTER_ACCEPTED), 1);
	talk(held);
	hang_up(&held);
	ck_assert_int_eq(expect_message(&first, MESSAGE_DONE), 0);
	expect_end(&first);
	expect_count(1, COUNTER_REQUESTS, COUNT(queued));
	expect_sum(0);
}

START_TEST(a_stream_goes_from_hand_to_hand)
{
	use_kind(&kinds[_i / 2]);
	hand_from_first_to_second(streams[_i % 2]);
}
END_TEST

START_TEST(datagrams_go_from_hand_to_hand)
{
	use_kind(&kinds[_i / 3]);
	must_open(datagrams[_i % 3]);
	first = start(0);
	tell(&first, MESSAGE_TAKE, 0, NULL);
	int client = must_connect(&endpoints[0]);
	talk(client);
	second = start(1);
	tell(&first, MESSAGE_DRAIN, PATIENCE_MS, "0");
	(void)expect_message(&first, MESSAGE_RELEASED);
	say(client, "queued");
	ck_assert_int_eq(expect_message(&first, MESSAGE_DONE), 0);
	expect_end(&first);
	ck_assert_int_eq(counted(0, COUNTER_ACCEPTED), 1);
	tell(&second, MESSAGE_TAKE, 0, NULL);
	expect_answer(client, "queued");
	talk(client);
	(void)close(client);
}
END_TEST

/* Handed on again and again while clients come: each is served once. */
START_TEST(clients_come_while_it_goes_from_hand_to_hand)
{
	use_kind(&kinds[_i]);
	must_open(streams[0]);
	first = start(0);
	tell(&first, MESSAGE_TAKE, 0, NULL);
	for (unsigned round = 0; round < 6; round++) {
		struct process *old = round % 2 == 0 ? &first : &second;
		struct process *next = round % 2 == 0 ? &second : &first;
		int clients[8];

		*next = start(1 - round % 2);
		for (size_t i = 0; i < COUNT(clients); i++) {
			clients[i] = must_connect(&endpoints[0]);
			say(clients[i], "come");
			ck_assert_int_eq(shutdown(clients[i], SHUT_WR), 0);
			if (i == COUNT(clients) / 2)
				tell(old, MESSAGE_DRAIN, PATIENCE_MS, NULL);
		}
		(void)expect_message(old, MESSAGE_RELEASED);
		tell(next, MESSAGE_TAKE, 0, NULL);
		for (size_t i = 0; i < COUNT(clients); i++) {
			if (conf.when_full == WHEN_FULL_QUEUE)
				expect_answer(clients[i], "come");
			expect_end_of(clients[i]);
		}
		(void)expect_message(old, MESSAGE_DONE);
		expect_end(old);
		fd_close(&old->channel);
	}
}
END_TEST

START_TEST(what_nobody_serves_afterwards_is_collected)
{
	use_kind(&kinds[_i / 2]);
	must_open(streams[0]);
	bool was_taking = _i % 2 == 1;
	first = start(0);
	if (was_taking)
		tell(&first, MESSAGE_TAKE, 0, NULL);
	int client = must_connect(&endpoints[0]);
	say(client, "last");
	tell(&first, MESSAGE_DRAIN, PATIENCE_MS, "1");
	(void)expect_message(&first, MESSAGE_RELEASED);
	expect_answer(client, "last");
	talk(client);
	hang_up(&client);
	ck_assert_int_eq(expect_message(&first, MESSAGE_DONE), 0);
	expect_end(&first);
	ck_assert_int_eq(counted(0, COUNTER_REQUESTS), 1);
}
END_TEST

START_TEST(a_collected_datagram_is_answered)
{
	use_kind(&kinds[_i / 3]);
	must_open(datagrams[_i % 3]);
	first = start(0);
	int client = must_connect(&endpoints[0]);
	say(client, "last");
	tell(&first, MESSAGE_DRAIN, PATIENCE_MS, "1");
	(void)expect_message(&first, MESSAGE_RELEASED);
	expect_answer(client, "last");
	(void)expect_message(&first, MESSAGE_DONE);
	expect_end(&first);
	(void)close(client);
}
END_TEST

/* Of two sockets only the second is given up. */
START_TEST(each_socket_is_collected_or_left)
{
	use_kind(&kinds[_i]);
	must_open(streams[0]);
	must_open(streams[1]);
	first = start(0);
	int kept = must_connect(&endpoints[0]);
	int last = must_connect(&endpoints[1]);
	say(kept, "kept");
	say(last, "last");
	tell(&first, MESSAGE_DRAIN, PATIENCE_MS, "01");
	(void)expect_message(&first, MESSAGE_RELEASED);
	expect_answer(last, "last");
	hang_up(&last);
	(void)expect_message(&first, MESSAGE_DONE);
	expect_end(&first);
	ck_assert_int_eq(counted(0, COUNTER_ACCEPTED), 1);
	second = start(1);
	tell(&second, MESSAGE_TAKE, 0, NULL);
	expect_answer(kept, "kept");
	(void)close(kept);
}
END_TEST

/* Accepted by the first, with its timeout; the second has another. */
START_TEST(a_connection_keeps_its_timeout)
{
	use_kind(&kinds[_i / 2]);
	conf.timeout_ms = 300;
	must_open(streams[_i % 2]);
	first = start(0);
	tell(&first, MESSAGE_TAKE, 0, NULL);
	int early = must_connect(&endpoints[0]);
	talk(early);
	tell(&first, MESSAGE_DRAIN, PATIENCE_MS, "0");
	(void)expect_message(&first, MESSAGE_RELEASED);
	conf.timeout_ms = 10 * PATIENCE_MS;
	int queued = must_connect(&endpoints[0]);
	second = start(1);
	tell(&second, MESSAGE_TAKE, 0, NULL);
	talk(queued);
	expect_closed(early);
	(void)log_with("result=timeout");
	(void)expect_message(&first, MESSAGE_DONE);
	expect_end(&first);
	talk(queued);
	(void)close(queued);
}
END_TEST

START_TEST(the_deadline_ends_what_waits)
{
	use_kind(&kinds[_i]);
	must_open(streams[0]);
	first = start(0);
	tell(&first, MESSAGE_TAKE, 0, NULL);
	int client = must_connect(&endpoints[0]);
	talk(client);
	tell(&first, MESSAGE_DRAIN, 50, "0");
	(void)expect_message(&first, MESSAGE_RELEASED);
	expect_closed(client);
	ck_assert_int_eq(expect_message(&first, MESSAGE_DONE), 1);
	expect_end(&first);
	ck_assert_ptr_nonnull(strstr(log_with("result=error"), "draining"));
	expect_sum(0);
}
END_TEST

/* -- seats -------------------------------------------------------------- */

/* Who sits in slot 0, once `wanted` do. */
static void
must_see(struct seat_view *views, unsigned wanted)
{
	int64_t until = clock_after_ms(PATIENCE_MS);
	unsigned seen = 0;

	while (seen != wanted) {
		unsigned used = stats_seats_used(slab, size, 0);

		ck_assert(clock_now() < until);
		seen = 0;
		for (unsigned i = 0; i < used && seen < wanted; i++)
			seen += seat_read(stats_seat(slab, size, 0, i),
			    &views[seen]);
	}
}

static void
must_be_peer(const struct seat_view *view, int client)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);

	ck_assert_int_eq(getsockname(client, (struct sockaddr *)&sa, &len), 0);
	ck_assert_uint_eq(view->peer_len, len);
	ck_assert_mem_eq(&view->peer, &sa, len);
}

START_TEST(a_request_is_seen_in_its_seat)
{
	struct seat_view view;
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);

	use_kind(&kinds[_i]);
	must_open("tcp://0.0.0.0:0");
	atomic_store(&slab->next_id, 10000000000);
	first = start(0);
	tell(&first, MESSAGE_TAKE, 0, NULL);
	int client = must_connect(&endpoints[0]);
	talk(client);
	talk(client);
	do {
		must_see(&view, 1);
	} while (view.bytes_in < 10 || view.bytes_out < 10);
	ck_assert_uint_eq(view.id, 10000000001);
	must_be_peer(&view, client);
	ck_assert_int_eq(getpeername(client, (struct sockaddr *)&sa, &len), 0);
	ck_assert_uint_eq(view.local_len, len);
	ck_assert_mem_eq(&view.local, &sa, len);
	ck_assert(strncmp(view.worker, "Thread-", 7) == 0 ||
	    strncmp(view.worker, "Process-", 8) == 0);
	hang_up(&client);
	expect_count(0, COUNTER_ACTIVE, 0);
	(void)log_with("request=10000000001");
}
END_TEST

START_TEST(a_kill_ends_one_request)
{
	struct seat_view view;

	use_kind(&kinds[_i]);
	must_open(streams[0]);
	first = start(0);
	tell(&first, MESSAGE_TAKE, 0, NULL);
	int doomed = must_connect(&endpoints[0]), spared = -1;
	if (_i % 2 == 0)        /* in its first wait, or a later one */
		talk(doomed);
	must_see(&view, 1);
	must_be_peer(&view, doomed);
	if (conf.concurrency != CONCURRENCY_SYNC) {
		spared = must_connect(&endpoints[0]);
		talk(spared);
	}
	tell(&first, MESSAGE_KILL, (int64_t)view.id + 100, NULL);
	tell(&first, MESSAGE_KILL, (int64_t)view.id, NULL);
	expect_closed(doomed);
	expect_count(0, COUNTER_ERRORS, 1);
	ck_assert_ptr_null(strstr(log_with("result=error"), "draining"));
	if (spared < 0)
		spared = must_connect(&endpoints[0]);
	talk(spared);
	hang_up(&spared);
	expect_count(0, COUNTER_REQUESTS, 1);
	expect_count(0, COUNTER_ACTIVE, 0);
	expect_sum(0);
}
END_TEST

START_TEST(a_child_that_dies_is_named)
{
	struct seat_view view;
	char request[48];

	use_kind(&kinds[6]);
	must_open(streams[0]);
	first = start(0);
	tell(&first, MESSAGE_TAKE, 0, NULL);
	int client = must_connect(&endpoints[0]);
	talk(client);
	do {
		must_see(&view, 1);
	} while (view.worker[0] == '\0');
	ck_assert_int_eq(strncmp(view.worker, "Process-", 8), 0);
	ck_assert_int_eq(kill((pid_t)atoi(view.worker + 8), SIGKILL), 0);
	expect_closed(client);
	(void)snprintf(request, sizeof(request), "request=%llu",
	    (unsigned long long)view.id);
	ck_assert_ptr_nonnull(strstr(log_with("result=crash"), "\n"));
	(void)log_with(request);
	expect_count(0, COUNTER_ERRORS, 1);
	expect_count(0, COUNTER_ACTIVE, 0);
	expect_sum(0);
	ck_assert(!seat_read(stats_seat(slab, size, 0, 0), &view));
}
END_TEST

/* More than there are seats for: served all the same. */
START_TEST(a_request_without_a_seat_is_served)
{
	int clients[12];

	use_kind(&kinds[_i == 0 ? 5 : 6]);
	conf.max_connections = COUNT(clients);
	must_open(streams[0]);
	first = start(0);
	tell(&first, MESSAGE_TAKE, 0, NULL);
	for (size_t i = 0; i < COUNT(clients); i++) {
		clients[i] = must_connect(&endpoints[0]);
		talk(clients[i]);
	}
	ck_assert_uint_eq(stats_seats_used(slab, size, 0), size.seats);
	for (size_t i = 0; i < COUNT(clients); i++)
		hang_up(&clients[i]);
	expect_count(0, COUNTER_REQUESTS, COUNT(clients));
}
END_TEST

/* It has read what it was told before. */
static void
expect_heard(const struct process *process)
{
	tell(process, MESSAGE_PING, 0, NULL);
	(void)expect_message(process, MESSAGE_PONG);
}

START_TEST(the_log_changes_while_it_serves)
{
	use_kind(&kinds[_i]);
	must_open(streams[0]);
	first = start(0);
	tell(&first, MESSAGE_TAKE, 0, NULL);
	tell(&first, MESSAGE_LOG, LOG_HAS_ACCESS | LOG_IS_JSON, NULL);
	expect_heard(&first);
	int client = must_connect(&endpoints[0]);
	talk(client);
	hang_up(&client);
	(void)log_with("\"result\":\"ok\"");
	expect_count(0, COUNTER_REQUESTS, 1);
	tell(&first, MESSAGE_LOG, 0, NULL);
	expect_heard(&first);
	client = must_connect(&endpoints[0]);
	talk(client);
	hang_up(&client);
	tell(&first, MESSAGE_DRAIN, PATIENCE_MS, "1");
	(void)expect_message(&first, MESSAGE_DONE);
	expect_end(&first);
	ck_assert_ptr_null(strstr(log_with("result") + 1, "result"));
}
END_TEST

Suite *
service_suite(void)
{
	const int each = COUNT(kinds);
	Suite *suite = suite_create("service");
	TCase *tcase = tcase_create("service");

	tcase_add_checked_fixture(tcase, begin, end);
	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, nothing_is_touched_before_take, 0, 4 * each);
	tcase_add_loop_test(tcase, a_stream_goes_from_hand_to_hand, 0,
	    2 * each);
	tcase_add_loop_test(tcase, datagrams_go_from_hand_to_hand, 0, 3 * each);
	tcase_add_loop_test(tcase,
	    clients_come_while_it_goes_from_hand_to_hand, 0, each);
	tcase_add_loop_test(tcase, what_nobody_serves_afterwards_is_collected,
	    0, 2 * each);
	tcase_add_loop_test(tcase, a_collected_datagram_is_answered, 0,
	    3 * each);
	tcase_add_loop_test(tcase, each_socket_is_collected_or_left, 0, each);
	tcase_add_loop_test(tcase, a_connection_keeps_its_timeout, 0, 2 * each);
	tcase_add_loop_test(tcase, the_deadline_ends_what_waits, 0, each);
	tcase_add_loop_test(tcase, a_request_is_seen_in_its_seat, 0, each);
	tcase_add_loop_test(tcase, a_kill_ends_one_request, 0, each);
	tcase_add_test(tcase, a_child_that_dies_is_named);
	tcase_add_loop_test(tcase, a_request_without_a_seat_is_served, 0, 2);
	tcase_add_loop_test(tcase, the_log_changes_while_it_serves, 0, each);
	suite_add_tcase(suite, tcase);
	return suite;
}
