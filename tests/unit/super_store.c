/* SPDX-License-Identifier: ISC */
/* The descriptor store and sd_notify, against a manager that is a socket. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "super/notify.h"
#include "super/store.h"
#include "super_suites.h"

#define PATIENCE_MS 20000

static char directory[64];
static int manager = -1;        /* what NOTIFY_SOCKET leads to */
static struct store store;
static struct inherit handed;   /* the next life's */
static struct inherited items[4];
static struct listener_conf conf = {
	.name = "web", .backlog = 16, .reuse_address = true, .bind_device = "",
	.owner = "", .group_owner = "", .mode = 0600, .timeout_ms = 5000,
};

static void
manager_start(void)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	(void)snprintf(un.sun_path, sizeof(un.sun_path), "%s/manager",
	    directory);
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(manager, (struct sockaddr *)&un, sizeof(un)), 0);
	setenv("NOTIFY_SOCKET", un.sun_path, 1);
	setenv("FDSTORE", "10", 1);
}

static void
setup(void)
{
	strcpy(directory, "/tmp/super_store.XXXXXX");
	ck_assert(mkdtemp(directory) != NULL);
	log_set_level(LOG_LEVEL_ERROR);
	manager_start();
	handed = (struct inherit){ .fds = items };
	store_open(&store, &handed);
}

static void
teardown(void)
{
	DIR *dir = opendir(directory);

	store_close(&store);
	for (struct dirent *e; dir && (e = readdir(dir)) != NULL;)
		(void)unlinkat(dirfd(dir), e->d_name, 0);
	if (dir)
		closedir(dir);
	(void)rmdir(directory);
	fd_close(&manager);
}

static const char *
path_of(const char *name)
{
	static char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

static const char *
address_of(const char *scheme, const char *name)
{
	static char address[128];

	(void)snprintf(address, sizeof(address), "%s:%s/%s", scheme, directory,
	    name);
	return address;
}

static bool
has_message(int wait_ms)
{
	struct pollfd pollfd = { .fd = manager, .events = POLLIN };

	return poll(&pollfd, 1, wait_ms) > 0;
}

/* What the manager is told next; the descriptor that came along, or -1. */
static int
must_hear(char *text, size_t size)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = { .iov_base = text, .iov_len = size - 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *c;
	ssize_t n;
	int fd = -1;

	ck_assert_msg(has_message(PATIENCE_MS), "the manager hears nothing");
	n = recvmsg(manager, &msg, MSG_CMSG_CLOEXEC);
	ck_assert_int_ge(n, 0);
	text[n] = '\0';
	for (c = CMSG_FIRSTHDR(&msg); c != NULL; c = CMSG_NXTHDR(&msg, c))
		if (c->cmsg_type == SCM_RIGHTS)
			memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

static void
must_say(const char *wanted)
{
	char text[512];

	ck_assert_int_eq(must_hear(text, sizeof(text)), -1);
	ck_assert_str_eq(text, wanted);
}

/* The manager stores a socket: it is handed to the next life. */
static void
must_be_stored(void)
{
	struct inherited *item = &items[handed.count++];
	char text[512];

	item->fd = must_hear(text, sizeof(text));
	ck_assert_int_ge(item->fd, 0);
	ck_assert_int_eq(sscanf(text, "FDSTORE=1\nFDNAME=%63[^\n]\nFDPOLL=0",
	    item->name), 1);
	ck_assert(strstr(text, "\nFDPOLL=0") != NULL);
}

static struct endpoint
must_open(const char *address)
{
	struct endpoint ep;
	struct err err = { "" };

	ck_assert_msg(endpoint_open(&ep, address, &conf, &err) == 0, "%s",
	    err.text);
	return ep;
}

/* Opened and kept by one life, which then ends. */
static void
live_with(const char *address)
{
	struct endpoint ep = must_open(address);

	store_keep(&store, ep.address, &ep);
	must_be_stored();
	endpoint_close(&ep);
}

static void
live_again(void)
{
	store_close(&store);
	store_open(&store, &handed);
}

static void
must_dial(const struct endpoint *ep)
{
	int fd = socket(ep->addr.sa.ss_family,
	    ep->transport->is_stream ? SOCK_STREAM : SOCK_DGRAM, 0);

	ck_assert_msg(connect(fd, (const struct sockaddr *)&ep->addr.sa,
	    ep->addr.len) == 0, "%s: %m", ep->address);
	close(fd);
}

static ino_t
inode_of(int fd)
{
	struct stat st;

	ck_assert_int_eq(fstat(fd, &st), 0);
	return st.st_ino;
}

/* A Unix socket in the test's directory, or with a name of this process. */
static const char *
complete(const char *kind)
{
	static char address[64];

	if (strchr(kind, ':') == NULL)
		return address_of(kind, "s");
	(void)snprintf(address, sizeof(address), strchr(kind, '@') != NULL ?
	    "%ssuper-store-%d" : "%s", kind, (int)getpid());
	return address;
}

START_TEST(a_socket_of_each_kind_serves_the_next_life)
{
	static const char *const kinds[] = {
		"tcp://127.0.0.1:0", "udp://127.0.0.1:0", "tcp://[::1]:0",
		"unix", "unixgram", "unix:@", "unixgram:@",
	};
	struct endpoint ep = must_open(complete(kinds[_i]));
	char address[ADDR_TEXT_SIZE];
	ino_t inode = inode_of(ep.fd);

	strcpy(address, ep.address);
	store_keep(&store, address, &ep);
	must_be_stored();
	endpoint_close(&ep);

	live_again();
	ck_assert_uint_eq(store.found_count, 1);
	ck_assert(store_find(&store, address, &conf, &ep));
	ck_assert_str_eq(ep.address, address);
	ck_assert_uint_eq(inode_of(ep.fd), inode);
	ck_assert_uint_eq(store.held, 1);
	must_dial(&ep);
	store_keep(&store, address, &ep);       /* it is there already */
	store_sweep(&store);
	ck_assert(!has_message(0));
	endpoint_close(&ep);
}
END_TEST

START_TEST(a_stopped_daemon_leaves_the_file_and_no_lock)
{
	live_with(address_of("unix", "s"));
	ck_assert_int_eq(access(path_of("s"), F_OK), 0);
	ck_assert_int_ne(access(path_of("s.lock"), F_OK), 0);
}
END_TEST

START_TEST(the_file_is_locked_and_gets_the_mode_of_now)
{
	struct endpoint ep;
	struct stat st;

	live_with(address_of("unix", "s"));
	live_again();
	conf.mode = 0640;
	ck_assert(store_find(&store, address_of("unix", "s"), &conf, &ep));
	ck_assert_int_eq(access(path_of("s.lock"), F_OK), 0);
	ck_assert_int_eq(lstat(path_of("s"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0640);
	endpoint_close(&ep);
	ck_assert_int_eq(access(path_of("s"), F_OK), 0);
}
END_TEST

static void
must_be_removed(const struct inherited *item)
{
	char wanted[128];

	(void)snprintf(wanted, sizeof(wanted), "FDSTOREREMOVE=1\nFDNAME=%s",
	    item->name);
	must_say(wanted);
}

START_TEST(a_socket_whose_file_is_gone_is_given_up)
{
	struct endpoint ep;

	live_with(address_of("unix", "s"));
	ck_assert_int_eq(unlink(path_of("s")), 0);
	live_again();
	ck_assert(!store_find(&store, address_of("unix", "s"), &conf, &ep));
	must_be_removed(&items[0]);
	ck_assert_uint_eq(store.held, 0);
	ck_assert_int_ne(access(path_of("s.lock"), F_OK), 0);
}
END_TEST

START_TEST(a_file_that_somebody_put_there_is_left_alone)
{
	struct endpoint ep, other;

	live_with(address_of("unix", "s"));
	ck_assert_int_eq(unlink(path_of("s")), 0);
	other = must_open(address_of("unix", "s"));
	fd_close(&other.lock_fd);       /* no daemon of ours */
	live_again();
	ck_assert(!store_find(&store, address_of("unix", "s"), &conf, &ep));
	must_be_removed(&items[0]);
	must_dial(&other);
	endpoint_close(&other);
}
END_TEST

START_TEST(what_nobody_wants_is_swept_out)
{
	struct endpoint ep;

	live_with(address_of("unix", "a"));
	live_with(address_of("unix", "b"));
	live_again();
	ck_assert(!store_find(&store, address_of("unixgram", "a"), &conf, &ep));
	ck_assert(store_find(&store, address_of("unix", "a"), &conf, &ep));
	store_sweep(&store);
	must_be_removed(&items[1]);
	ck_assert_int_ne(access(path_of("b"), F_OK), 0);
	ck_assert_int_eq(access(path_of("a"), F_OK), 0);
	ck_assert_uint_eq(store.held, 1);
	endpoint_close(&ep);
}
END_TEST

START_TEST(a_start_that_fails_gives_nothing_up)
{
	live_with(address_of("unix", "s"));
	live_again();
	store_close(&store);
	ck_assert(!has_message(0));
	ck_assert_int_eq(access(path_of("s"), F_OK), 0);
}
END_TEST

START_TEST(a_socket_that_is_dropped_goes_with_its_file)
{
	struct endpoint ep = must_open(address_of("unix", "s"));

	store_keep(&store, ep.address, &ep);
	must_be_stored();
	store_drop(&store, &ep);
	must_be_removed(&items[0]);
	store_drop(&store, &ep);
	ck_assert(!has_message(0));
	endpoint_close(&ep);
	ck_assert_int_ne(access(path_of("s"), F_OK), 0);
	close(items[0].fd);
}
END_TEST

/* Not by its address: that is another one the next time. */
START_TEST(a_port_that_the_kernel_chose_is_not_kept)
{
	struct endpoint ep = must_open("tcp://127.0.0.1:0");

	store_keep(&store, "tcp://127.0.0.1:0", &ep);
	ck_assert(!has_message(0));
	endpoint_close(&ep);
}
END_TEST

START_TEST(a_full_store_takes_no_more)
{
	struct endpoint first = must_open(address_of("unix", "a"));
	struct endpoint second = must_open(address_of("unix", "b"));

	store.max = 1;
	store_keep(&store, first.address, &first);
	must_be_stored();
	log_set_level(LOG_LEVEL_ERROR + 1);
	store_keep(&store, second.address, &second);
	ck_assert(store.has_told);
	ck_assert(!has_message(0));
	endpoint_close(&second);
	ck_assert_int_ne(access(path_of("b"), F_OK), 0);
	endpoint_close(&first);
	close(items[0].fd);
}
END_TEST

static const char *const no_store[] = { "NOTIFY_SOCKET", "FDSTORE" };

START_TEST(without_a_store_nothing_is_kept)
{
	struct endpoint ep = must_open(address_of("unix", "s"));

	unsetenv(no_store[_i]);
	live_again();
	store_keep(&store, ep.address, &ep);
	ck_assert(!has_message(0));
	endpoint_close(&ep);
	ck_assert_int_ne(access(path_of("s"), F_OK), 0);
}
END_TEST

START_TEST(sockets_of_socket_units_are_not_taken_for_ours)
{
	static const char *const names[] = {
		"web", "socketserverd", "socketserverd-", "socketserverd-a",
		"socketserverd-a-b-c",
	};
	struct endpoint ep = must_open("tcp://127.0.0.1:0"), found;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		items[0].fd = ep.fd;
		strcpy(items[0].name, names[i]);
		handed.count = 1;
		live_again();
		ck_assert_int_eq(items[0].fd, ep.fd);
		ck_assert(!store_find(&store, ep.address, &conf, &found));
	}
	endpoint_close(&ep);
}
END_TEST

START_TEST(what_is_no_listening_socket_is_given_up)
{
	items[0].fd = socket(AF_INET, SOCK_STREAM, 0);
	strcpy(items[0].name, "socketserverd-8-1f");
	handed.count = 1;
	live_again();
	must_be_removed(&items[0]);
	ck_assert_int_eq(items[0].fd, -1);
	ck_assert_uint_eq(store.found_count, 0);
	ck_assert_uint_eq(store.held, 0);
}
END_TEST

/* The telling */

static struct loop *loop;
static struct notify notify;

static void
setup_notify(void)
{
	setup();
	loop = loop_new();
	ck_assert_ptr_nonnull(loop);
}

static void
teardown_notify(void)
{
	notify_close(&notify);
	loop_free(&loop);
	teardown();
}

static void
turn_until_told(void)
{
	const int64_t until = clock_after_ms(PATIENCE_MS);

	while (!has_message(0) && clock_now() < until)
		ck_assert_int_ge(loop_turn(loop, 100), 0);
}

START_TEST(readiness_comes_with_its_numbers)
{
	const struct notify_counts one = { .ready = 1 };
	const struct notify_counts many = {
		.ready = 8, .failed = 1, .generation = 12,
	};
	char wanted[256];

	notify_open(&notify, loop);
	notify_ready(&notify, &one);
	(void)snprintf(wanted, sizeof(wanted), "READY=1\nMAINPID=%d\n"
	    "STATUS=1 listener ready, 0 failed", (int)getpid());
	must_say(wanted);
	notify_ready(&notify, &many);
	(void)snprintf(wanted, sizeof(wanted), "READY=1\nMAINPID=%d\n"
	    "STATUS=8 listeners ready, 1 failed, generation 12",
	    (int)getpid());
	must_say(wanted);
}
END_TEST

START_TEST(a_reload_tells_its_time)
{
	int64_t before = clock_now() / 1000, at = 0;
	char text[256];

	notify_reloading();
	ck_assert_int_eq(must_hear(text, sizeof(text)), -1);
	ck_assert_int_eq(sscanf(text, "RELOADING=1\nMONOTONIC_USEC=%" SCNd64,
	    &at), 1);
	ck_assert_int_ge(at, before);
	ck_assert_int_le(at, clock_now() / 1000);
}
END_TEST

START_TEST(the_status_is_told_once_a_second_and_the_last_in_any_case)
{
	struct notify_counts counts = { .ready = 1 };
	int64_t first_at;

	notify_open(&notify, loop);
	notify_status(&notify, &counts);
	turn_until_told();
	must_say("STATUS=1 listener ready, 0 failed");
	first_at = loop_now(loop);
	for (counts.ready = 2; counts.ready < 9; counts.ready++)
		notify_status(&notify, &counts);
	turn_until_told();
	ck_assert_int_ge(clock_now() - first_at, CLOCK_SECOND);
	must_say("STATUS=8 listeners ready, 0 failed");
	ck_assert(!has_message(0));
}
END_TEST

START_TEST(no_status_comes_after_the_stop)
{
	struct notify_counts counts = { .ready = 1 };

	notify_open(&notify, loop);
	notify_status(&notify, &counts);
	notify_stopping(&notify);
	must_say("STOPPING=1\nSTATUS=stopping");
	ck_assert(!timer_is_running(&notify.status));
}
END_TEST

START_TEST(the_watchdog_hears_of_a_loop_that_turns)
{
	setenv("WATCHDOG_USEC", "100000", 1);
	unsetenv("WATCHDOG_PID");
	notify_open(&notify, loop);
	must_say("WATCHDOG=1");
	ck_assert_msg(!has_message(300), "the loop does not turn");
	for (int i = 0; i < 3; i++) {
		turn_until_told();
		must_say("WATCHDOG=1");
	}
}
END_TEST

START_TEST(a_watchdog_of_others_is_not_fed)
{
	setenv("WATCHDOG_USEC", "100000", 1);
	setenv("WATCHDOG_PID", "1", 1);
	notify_open(&notify, loop);
	ck_assert(!timer_is_running(&notify.watchdog));
	ck_assert(!has_message(0));
}
END_TEST

Suite *
store_suite(void)
{
	Suite *suite = suite_create("store");
	TCase *tc = tcase_create("store");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, a_socket_of_each_kind_serves_the_next_life, 0,
	    7);
	tcase_add_test(tc, a_stopped_daemon_leaves_the_file_and_no_lock);
	tcase_add_test(tc, the_file_is_locked_and_gets_the_mode_of_now);
	tcase_add_test(tc, a_socket_whose_file_is_gone_is_given_up);
	tcase_add_test(tc, a_file_that_somebody_put_there_is_left_alone);
	tcase_add_test(tc, what_nobody_wants_is_swept_out);
	tcase_add_test(tc, a_start_that_fails_gives_nothing_up);
	tcase_add_test(tc, a_socket_that_is_dropped_goes_with_its_file);
	tcase_add_test(tc, a_port_that_the_kernel_chose_is_not_kept);
	tcase_add_test(tc, a_full_store_takes_no_more);
	tcase_add_loop_test(tc, without_a_store_nothing_is_kept, 0, 2);
	tcase_add_test(tc, sockets_of_socket_units_are_not_taken_for_ours);
	tcase_add_test(tc, what_is_no_listening_socket_is_given_up);
	suite_add_tcase(suite, tc);
	return suite;
}

Suite *
notify_suite(void)
{
	Suite *suite = suite_create("notify");
	TCase *tc = tcase_create("notify");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup_notify, teardown_notify);
	tcase_add_test(tc, readiness_comes_with_its_numbers);
	tcase_add_test(tc, a_reload_tells_its_time);
	tcase_add_test(tc,
	    the_status_is_told_once_a_second_and_the_last_in_any_case);
	tcase_add_test(tc, no_status_comes_after_the_stop);
	tcase_add_test(tc, the_watchdog_hears_of_a_loop_that_turns);
	tcase_add_test(tc, a_watchdog_of_others_is_not_fed);
	suite_add_tcase(suite, tc);
	return suite;
}
