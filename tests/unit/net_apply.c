/* SPDX-License-Identifier: ISC */
/* What a reload changes of a socket that stays open. */
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net_help.h"

#ifndef SO_BUF_LOCK
#define SO_BUF_LOCK 72
#endif

static void
must_apply(struct endpoint *ep, const struct listener_conf *conf)
{
	struct err err = { "" };

	ck_assert_msg(endpoint_apply(ep, conf, &err) == 0, "%s", err.text);
}

/* tcp_get_info() of a listening socket: the backlog. */
static unsigned
tcp_backlog(const struct endpoint *ep)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);

	ck_assert_int_eq(getsockopt(ep->fd, IPPROTO_TCP, TCP_INFO, &info,
	    &len), 0);
	return info.tcpi_sacked;
}

START_TEST(the_backlog_of_a_tcp_socket_changes)
{
	struct listener_conf conf = net_conf();
	struct endpoint ep = must_open("tcp://127.0.0.1:0", &conf);
	struct arrival arrival = room_for(NULL, 0);
	int client = must_dial(&ep);

	ck_assert_uint_eq(tcp_backlog(&ep), 16);
	conf.backlog = 33;
	must_apply(&ep, &conf);
	ck_assert_uint_eq(tcp_backlog(&ep), 33);
	ck_assert_int_eq(ep.transport->take(&ep, &arrival, true), 0);
	must_send(client, "waited");
	must_receive(arrival.fd, "waited");
	close(arrival.fd);
	close(client);
	endpoint_close(&ep);
}
END_TEST

/* How many clients find room in the queue, limit at most. */
static int
fill_queue(const struct endpoint *ep, int *clients, int limit)
{
	int n;

	for (n = 0; n < limit; n++) {
		clients[n] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		if (connect(clients[n], (const struct sockaddr *)&ep->addr.sa,
			ep->addr.len) < 0)
			break;
	}
	ck_assert(n == limit || errno == EAGAIN);
	return n;
}

START_TEST(the_backlog_of_a_unix_socket_changes)
{
	struct listener_conf conf = net_conf();
	struct endpoint ep;
	int clients[64], few;

	conf.backlog = 2;
	ep = must_open(_i ? abstract("unix") : scratch("unix", "s"), &conf);
	few = fill_queue(&ep, clients, 64);
	ck_assert_int_lt(few, 8);
	conf.backlog = 64;
	must_apply(&ep, &conf);
	ck_assert_int_gt(fill_queue(&ep, clients, 40), few);
	endpoint_close(&ep);
}
END_TEST

START_TEST(options_of_the_queue_are_set_and_taken_back)
{
	struct listener_conf conf = net_conf();
	struct endpoint ep = must_open("tcp://127.0.0.1:0", &conf);

	conf.defer_accept_s = 3;
	conf.fastopen = 7;
	must_apply(&ep, &conf);
	ck_assert_int_ge(option_of(ep.fd, IPPROTO_TCP, TCP_DEFER_ACCEPT), 3);
	ck_assert_int_eq(option_of(ep.fd, IPPROTO_TCP, TCP_FASTOPEN), 7);
	conf = net_conf();
	must_apply(&ep, &conf);
	ck_assert_int_eq(option_of(ep.fd, IPPROTO_TCP, TCP_DEFER_ACCEPT), 0);
	ck_assert_int_eq(option_of(ep.fd, IPPROTO_TCP, TCP_FASTOPEN), 0);
	endpoint_close(&ep);
}
END_TEST

static const char *
device_of(const struct endpoint *ep)
{
	static char name[IFNAMSIZ];
	socklen_t len = sizeof(name);

	memset(name, 0, sizeof(name));
	ck_assert_int_eq(getsockopt(ep->fd, SOL_SOCKET, SO_BINDTODEVICE, name,
	    &len), 0);
	return name;
}

START_TEST(the_device_is_set_and_taken_back)
{
	struct listener_conf conf = net_conf();
	struct endpoint ep = must_open(_i ? "udp://127.0.0.1:0" :
	    "tcp://127.0.0.1:0", &conf);
	struct err err;
	int client;

	if (geteuid() == 0) {
		conf.bind_device = "no-such-device";
		ck_assert_int_eq(endpoint_apply(&ep, &conf, &err), -ENODEV);
		ck_assert_ptr_nonnull(strstr(err.text, "bind_device"));
		conf.bind_device = "lo";
		must_apply(&ep, &conf);
		ck_assert_str_eq(device_of(&ep), "lo");
		client = must_dial(&ep);
		close(client);
		conf.bind_device = "";
	}
	must_apply(&ep, &conf);
	ck_assert_str_eq(device_of(&ep), "");
	endpoint_close(&ep);
}
END_TEST

static struct stat
must_stat(const char *path)
{
	struct stat st;

	ck_assert_msg(lstat(path, &st) == 0, "%s: %m", path);
	return st;
}

static const char *const schemes[] = { "unix", "unixgram" };

START_TEST(the_mode_of_the_file_changes)
{
	static const mode_t modes[] = { 0600, 0666, 0, 0777, 0640 };
	struct listener_conf conf = net_conf();
	struct endpoint ep;
	struct stat before, after;

	conf.mode = 0660;
	ep = must_open(scratch(schemes[_i], "s"), &conf);
	before = must_stat(scratch_path("s"));
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		conf.mode = (int64_t)modes[i];
		must_apply(&ep, &conf);
		after = must_stat(scratch_path("s"));
		ck_assert_uint_eq(after.st_mode & 07777, modes[i]);
		ck_assert_uint_eq(after.st_ino, before.st_ino);
	}
	endpoint_close(&ep);
	ck_assert_int_lt(access(scratch_path("s"), F_OK), 0);
}
END_TEST

START_TEST(the_owners_of_the_file_change_and_come_back)
{
	struct listener_conf conf = net_conf();
	struct endpoint ep;
	struct stat st;

	if (geteuid() != 0)
		return;
	conf.mode = 0620;
	ep = must_open(scratch(schemes[_i], "s"), &conf);
	conf.owner = "54321";
	conf.group_owner = "54322";
	conf.mode = 0602;
	must_apply(&ep, &conf);
	st = must_stat(scratch_path("s"));
	ck_assert_uint_eq(st.st_uid, 54321);
	ck_assert_uint_eq(st.st_gid, 54322);
	ck_assert_uint_eq(st.st_mode & 07777, 0602);
	conf.owner = conf.group_owner = "";
	must_apply(&ep, &conf);
	st = must_stat(scratch_path("s"));
	ck_assert_uint_eq(st.st_uid, geteuid());
	ck_assert_uint_eq(st.st_gid, getegid());
	conf.owner = "no-such-user";
	ck_assert_int_eq(endpoint_apply(&ep, &conf, NULL), -ENOENT);
	endpoint_close(&ep);
}
END_TEST

START_TEST(without_a_group_the_directory_decides_as_at_the_start)
{
	struct listener_conf conf = net_conf();
	struct endpoint ep;

	if (geteuid() != 0)
		return;
	ck_assert_int_eq(chown(scratch_path(""), 0, 54322), 0);
	ck_assert_int_eq(chmod(scratch_path(""), 02755), 0);
	ep = must_open(scratch("unix", "s"), &conf);
	ck_assert_uint_eq(must_stat(scratch_path("s")).st_gid, 54322);
	must_apply(&ep, &conf);
	ck_assert_uint_eq(must_stat(scratch_path("s")).st_gid, 54322);
	endpoint_close(&ep);
}
END_TEST

/* Nothing differs: who may do nothing can do it. */
static int
apply_as_nobody(struct endpoint *ep, const struct listener_conf *conf)
{
	struct err err = { "" };
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(setuid(65534) != 0 ? 2 :
		    endpoint_apply(ep, conf, &err) != 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

START_TEST(what_does_not_differ_needs_no_privilege)
{
	static const char *const addresses[] = { "tcp://127.0.0.1:0",
		"udp://127.0.0.1:0" };
	struct listener_conf conf = net_conf();
	struct endpoint ep;

	if (geteuid() != 0)
		return;
	conf.bind_device = "lo";
	ep = must_open(addresses[_i], &conf);
	ck_assert_int_eq(apply_as_nobody(&ep, &conf), 0);
	conf.bind_device = "";
	ck_assert_int_ne(apply_as_nobody(&ep, &conf), 0);
	endpoint_close(&ep);
}
END_TEST

START_TEST(a_file_that_is_not_ours_any_more_is_left_alone)
{
	struct listener_conf conf = net_conf();
	struct endpoint ep, other;
	struct err err = { "" };

	conf.mode = 0600;
	ep = must_open(scratch("unix", "s"), &conf);
	ck_assert_int_eq(unlink(scratch_path("s")), 0);
	conf.mode = 0666;
	ck_assert_int_eq(endpoint_apply(&ep, &conf, &err), -ESTALE);
	ck_assert_ptr_nonnull(strstr(err.text, "removed or replaced"));
	conf.mode = 0600;
	other = must_open(scratch("unix", "t"), &conf);
	ck_assert_int_eq(rename(scratch_path("t"), scratch_path("s")), 0);
	conf.mode = 0666;
	ck_assert_int_eq(endpoint_apply(&ep, &conf, &err), -ESTALE);
	ck_assert_uint_eq(must_stat(scratch_path("s")).st_mode & 0777, 0600);
	endpoint_close(&other);
	endpoint_close(&ep);
}
END_TEST

START_TEST(an_adopted_socket_stays_as_it_is)
{
	struct listener_conf conf = net_conf();
	struct endpoint ours = must_open("tcp://127.0.0.1:0", &conf), adopted;

	ck_assert_int_eq(endpoint_adopt(&adopted, dup(ours.fd), NULL), 0);
	conf.backlog = 33;
	conf.fastopen = 7;
	must_apply(&adopted, &conf);
	ck_assert_uint_eq(tcp_backlog(&ours), 16);
	ck_assert_int_eq(option_of(ours.fd, IPPROTO_TCP, TCP_FASTOPEN), 0);
	endpoint_close(&adopted);
	endpoint_close(&ours);
}
END_TEST

/* Not apply's: the buffers belong to a generation, which may have none. */
START_TEST(buffers_go_back_to_the_choice_of_the_system)
{
	static const int names[] = { SO_RCVBUF, SO_SNDBUF };
	struct listener_conf conf = net_conf();
	struct endpoint fresh, ep;
	socklen_t len = sizeof(int);
	int locks;

	fresh = must_open(_i ? "udp://127.0.0.1:0" : "tcp://127.0.0.1:0",
	    &conf);
	if (getsockopt(fresh.fd, SOL_SOCKET, SO_BUF_LOCK, &locks, &len) < 0)
		return;         /* before Linux 5.14 they cannot */
	conf.rcvbuf_bytes = conf.sndbuf_bytes = 30000;
	ep = must_open(_i ? "udp://127.0.0.1:0" : "tcp://127.0.0.1:0", &conf);
	ck_assert_int_eq(option_of(ep.fd, SOL_SOCKET, SO_RCVBUF), 60000);
	conf = net_conf();
	ck_assert_int_eq(ep.transport->ready(&ep, &conf, NULL), 0);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(option_of(ep.fd, SOL_SOCKET, names[i]),
		    option_of(fresh.fd, SOL_SOCKET, names[i]));
	ck_assert_int_eq(option_of(ep.fd, SOL_SOCKET, SO_BUF_LOCK), 0);
	endpoint_close(&ep);
	endpoint_close(&fresh);
}
END_TEST

Suite *
apply_suite(void)
{
	Suite *suite = suite_create("apply");
	TCase *tc = net_case(suite, "apply");

	tcase_add_checked_fixture(tc, scratch_make, scratch_remove);
	tcase_add_test(tc, the_backlog_of_a_tcp_socket_changes);
	tcase_add_loop_test(tc, the_backlog_of_a_unix_socket_changes, 0, 2);
	tcase_add_test(tc, options_of_the_queue_are_set_and_taken_back);
	tcase_add_loop_test(tc, the_device_is_set_and_taken_back, 0, 2);
	tcase_add_loop_test(tc, the_mode_of_the_file_changes, 0, 2);
	tcase_add_loop_test(tc, the_owners_of_the_file_change_and_come_back, 0,
	    2);
	tcase_add_test(tc,
	    without_a_group_the_directory_decides_as_at_the_start);
	tcase_add_loop_test(tc, what_does_not_differ_needs_no_privilege, 0, 2);
	tcase_add_test(tc, a_file_that_is_not_ours_any_more_is_left_alone);
	tcase_add_test(tc, an_adopted_socket_stays_as_it_is);
	tcase_add_loop_test(tc, buffers_go_back_to_the_choice_of_the_system, 0,
	    2);
	return suite;
}
