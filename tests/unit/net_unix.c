/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net_help.h"

static const char *const schemes[] = { "unix", "unixgram" };

static struct stat
must_stat(const char *path)
{
	struct stat st;

	ck_assert_msg(lstat(path, &st) == 0, "%s: %m", path);
	return st;
}

/* A socket bound by somebody else, who may be gone. */
static int
bind_foreign(const char *path, int type)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type, 0);

	strcpy(un.sun_path, path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	return fd;
}

START_TEST(the_mode_is_exact_whatever_the_umask)
{
	static const mode_t modes[] = { 0660, 0600, 0666, 0777, 0 };
	struct listener_conf conf = net_conf();

	(void)umask(_i < 5 ? 077 : 0);
	conf.mode = (int64_t)modes[_i % 5];
	for (int k = 0; k < 2; k++) {
		struct endpoint ep = must_open(scratch(schemes[k], "s"), &conf);

		ck_assert_uint_eq(must_stat(scratch_path("s")).st_mode & 07777,
		    modes[_i % 5]);
		endpoint_close(&ep);
	}
	ck_assert_uint_eq(umask(0), _i < 5 ? 077 : 0);
}
END_TEST

START_TEST(without_a_mode_the_umask_decides)
{
	struct listener_conf conf = net_conf();
	struct endpoint ep;

	(void)umask(027);
	ep = must_open(scratch("unix", "s"), &conf);
	ck_assert_uint_eq(must_stat(scratch_path("s")).st_mode & 07777, 0750);
	endpoint_close(&ep);
}
END_TEST

/* Another process looks all the time, from before the file is there. */
static int
watch_modes(const char *path, int ready)
{
	struct stat st;
	int looked = 0;

	(void)!write(ready, "r", 1);
	while (stat(path, &st) < 0 || looked++ < 1000)
		if (looked > 0 && (st.st_mode & 0777) != 0620)
			return 1;
	return 0;
}

START_TEST(the_mode_is_right_at_the_first_instant)
{
	struct listener_conf conf = net_conf();
	struct endpoint ep;
	const char *path = scratch_path("s");
	int ready[2], status;
	pid_t watcher;
	char c;

	(void)umask(0);
	conf.mode = 0620;
	ck_assert_int_eq(pipe(ready), 0);
	watcher = fork();
	if (watcher == 0)
		_exit(watch_modes(path, ready[1]));
	ck_assert_int_eq(read(ready[0], &c, 1), 1);
	ep = must_open(scratch("unix", "s"), &conf);
	ck_assert_int_eq(waitpid(watcher, &status, 0), watcher);
	ck_assert_int_eq(status, 0);
	endpoint_close(&ep);
}
END_TEST

START_TEST(the_file_gets_its_owner_and_group)
{
	struct listener_conf conf = net_conf();
	struct endpoint ep;
	struct stat st;

	if (geteuid() != 0)
		return;
	conf.mode = 0620;
	conf.owner = "nobody";
	conf.group_owner = "54321";
	ep = must_open(scratch(schemes[_i], "s"), &conf);
	st = must_stat(scratch_path("s"));
	ck_assert_uint_ne(st.st_uid, 0);
	ck_assert_uint_eq(st.st_gid, 54321);
	ck_assert_uint_eq(st.st_mode & 07777, 0620);
	endpoint_close(&ep);
}
END_TEST

START_TEST(an_unknown_owner_is_named)
{
	struct listener_conf conf = net_conf();

	conf.owner = "no-such-user";
	must_refuse(scratch("unix", "s"), &conf, "owner", "no-such-user");
	conf.owner = "";
	conf.group_owner = "no-such-group";
	must_refuse(scratch("unix", "s"), &conf, "group_owner",
	    "no-such-group");
	ck_assert_int_lt(access(scratch_path("s"), F_OK), 0);
	ck_assert_int_lt(access(scratch_path("s.lock"), F_OK), 0);
}
END_TEST

START_TEST(closing_leaves_nothing)
{
	struct listener_conf conf = net_conf();
	struct endpoint ep = must_open(scratch(schemes[_i], "s"), &conf);

	ck_assert_int_eq(access(scratch_path("s.lock"), F_OK), 0);
	endpoint_close(&ep);
	ck_assert_int_lt(access(scratch_path("s"), F_OK), 0);
	ck_assert_int_lt(access(scratch_path("s.lock"), F_OK), 0);
}
END_TEST

START_TEST(closing_leaves_what_is_not_ours)
{
	struct listener_conf conf = net_conf();
	struct endpoint ep = must_open(scratch(schemes[_i], "s"), &conf);
	int foreign;

	ck_assert_int_eq(unlink(scratch_path("s")), 0);
	foreign = bind_foreign(scratch_path("s"), SOCK_STREAM);
	endpoint_close(&ep);
	ck_assert_int_eq(access(scratch_path("s"), F_OK), 0);
	close(foreign);
}
END_TEST

START_TEST(a_stale_socket_is_replaced)
{
	struct listener_conf conf = net_conf();
	struct endpoint ep;
	int client;

	close(bind_foreign(scratch_path("s"), _i & 1 ? SOCK_DGRAM :
	    SOCK_STREAM));
	ep = must_open(scratch(schemes[_i / 2], "s"), &conf);
	client = must_dial(&ep);
	close(client);
	endpoint_close(&ep);
}
END_TEST

/* A supervisor that was killed leaves both files. */
START_TEST(what_a_killed_daemon_left_is_replaced)
{
	struct listener_conf conf = net_conf();
	struct endpoint ep;
	int status;
	pid_t child = fork();

	if (child == 0) {
		(void)must_open(scratch("unix", "s"), &conf);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(access(scratch_path("s"), F_OK), 0);
	ck_assert_int_eq(access(scratch_path("s.lock"), F_OK), 0);
	ep = must_open(scratch("unix", "s"), &conf);
	endpoint_close(&ep);
}
END_TEST

START_TEST(a_live_socket_is_refused)
{
	static const struct {
		int type;
		bool listens;
	} lives[] = {
		{ SOCK_STREAM, true }, { SOCK_STREAM, false },
		{ SOCK_DGRAM, false }, { SOCK_SEQPACKET, true },
	};
	struct listener_conf conf = net_conf();
	int foreign = bind_foreign(scratch_path("s"), lives[_i].type);
	struct stat before = must_stat(scratch_path("s"));

	if (lives[_i].listens)
		ck_assert_int_eq(listen(foreign, 0), 0);
	for (int k = 0; k < 2; k++)
		ck_assert_int_eq(must_refuse(scratch(schemes[k], "s"), &conf,
			scratch_path("s"), "another program"), -EADDRINUSE);
	ck_assert_uint_eq(must_stat(scratch_path("s")).st_ino, before.st_ino);
	ck_assert_int_lt(access(scratch_path("s.lock"), F_OK), 0);
	if (lives[_i].listens) {        /* and was not even bothered */
		ck_assert_int_eq(fcntl(foreign, F_SETFL, O_NONBLOCK), 0);
		ck_assert_int_lt(accept(foreign, NULL, NULL), 0);
	}
	close(foreign);
}
END_TEST

/* Even where its socket is gone: the lock tells. */
START_TEST(another_supervisor_is_refused_by_its_lock)
{
	struct listener_conf conf = net_conf();
	struct endpoint ep = must_open(scratch(schemes[_i], "s"), &conf);

	ck_assert_int_eq(unlink(scratch_path("s")), 0);
	ck_assert_int_eq(must_refuse(scratch(schemes[_i], "s"), &conf,
		"another socketserverd", "s.lock"), -EADDRINUSE);
	ck_assert_int_eq(access(scratch_path("s.lock"), F_OK), 0);
	endpoint_close(&ep);
}
END_TEST

static void
make_file(const char *path, const char *text)
{
	int fd = open(path, O_CREAT | O_WRONLY, 0644);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)),
	    (ssize_t)strlen(text));
	close(fd);
}

START_TEST(what_is_no_socket_is_refused)
{
	struct listener_conf conf = net_conf();

	make_file(scratch_path("file"), "precious");
	ck_assert_int_eq(mkdir(scratch_path("dir"), 0755), 0);
	ck_assert_int_eq(symlink("nowhere", scratch_path("link")), 0);
	ck_assert_int_eq(mkfifo(scratch_path("fifo"), 0644), 0);
	must_refuse(scratch(schemes[_i], "file"), &conf, "plain file",
	    "remove it");
	must_refuse(scratch(schemes[_i], "dir"), &conf, "directory",
	    "remove it");
	must_refuse(scratch(schemes[_i], "link"), &conf, "symbolic link",
	    "remove it");
	must_refuse(scratch(schemes[_i], "fifo"), &conf, "no socket",
	    "remove it");
	ck_assert_int_eq(must_stat(scratch_path("file")).st_size, 8);
	ck_assert(S_ISLNK(must_stat(scratch_path("link")).st_mode));
}
END_TEST

START_TEST(a_lock_file_of_others_is_left_alone)
{
	struct listener_conf conf = net_conf();

	make_file(scratch_path("victim"), "precious");
	ck_assert_int_eq(symlink(scratch_path("victim"),
	    scratch_path("a.lock")), 0);
	make_file(scratch_path("b.lock"), "precious");
	ck_assert_int_eq(mkdir(scratch_path("c.lock"), 0755), 0);
	for (const char *name = "abc"; *name; name++) {
		char socket_name[2] = { *name, '\0' };

		ck_assert_int_eq(must_refuse(scratch("unix", socket_name),
			&conf, ".lock", "remove it"), -EEXIST);
	}
	ck_assert_int_eq(must_stat(scratch_path("victim")).st_size, 8);
	ck_assert_int_eq(must_stat(scratch_path("b.lock")).st_size, 8);
}
END_TEST

START_TEST(a_path_has_at_most_107_bytes)
{
	struct listener_conf conf = net_conf();
	char name[128];
	size_t room = 107 - strlen(scratch_path(""));
	struct endpoint ep;

	memset(name, 'n', sizeof(name));
	name[room] = '\0';
	ep = must_open(scratch("unix", name), &conf);
	endpoint_close(&ep);
	name[room] = 'n';
	name[room + 1] = '\0';
	ck_assert_int_eq(must_refuse(scratch("unix", name), &conf, "107",
		"bytes"), -EINVAL);
}
END_TEST

START_TEST(a_missing_directory_is_named)
{
	struct listener_conf conf = net_conf();

	ck_assert_int_eq(must_refuse(scratch("unix", "no/such"), &conf,
		"no/such", "directory does not exist"), -ENOENT);
}
END_TEST

START_TEST(a_connection_is_prepared_on_its_own)
{
	struct listener_conf conf = net_conf();
	struct endpoint ep = must_open(scratch("unix", "s"), &conf);
	struct arrival arrival = room_for(NULL, 0);
	struct timeval tv = { 0 };
	socklen_t len = sizeof(tv);
	int client = must_dial(&ep);

	ck_assert_int_eq(ep.transport->take(&ep, &arrival, true), 0);
	ck_assert_int_eq(ep.transport->prepare(&arrival, &conf), 0);
	ck_assert_int_eq(getsockopt(arrival.fd, SOL_SOCKET, SO_RCVTIMEO, &tv,
	    &len), 0);
	ck_assert_int_eq(tv.tv_sec, 5);
	ck_assert_uint_eq(arrival.peer_len, 0);
	ck_assert_str_eq(text_of(&arrival.peer, arrival.peer_len), "unix:");
	close(arrival.fd);
	close(client);
	endpoint_close(&ep);
}
END_TEST

START_TEST(a_client_without_a_name_is_heard_and_not_answered)
{
	struct listener_conf conf = net_conf();
	struct endpoint ep = must_open(scratch("unixgram", "s"), &conf);
	char data[9];
	struct arrival arrival = room_for(data, sizeof(data));
	int client = must_dial(&ep);

	must_send(client, "hi");
	ck_assert_int_eq(ep.transport->take(&ep, &arrival, true), 0);
	ck_assert_uint_eq(arrival.len, 2);
	ck_assert_uint_eq(arrival.peer_len, 0);
	ck_assert_int_eq(ep.transport->reply(&arrival, "x", 1),
	    -EDESTADDRREQ);
	close(client);
	endpoint_close(&ep);
}
END_TEST

/* The answer's sender is the name that the client asked. */
START_TEST(a_reply_comes_from_the_asked_name)
{
	struct listener_conf conf = net_conf();
	struct endpoint ep = must_open(scratch("unixgram", "s"), &conf);
	char data[9];
	struct arrival arrival = room_for(data, sizeof(data));
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	int client = bind_foreign(scratch_path("client"), SOCK_DGRAM);

	ck_assert_int_eq(sendto(client, "hi", 2, 0,
	    (struct sockaddr *)&ep.addr.sa, ep.addr.len), 2);
	ck_assert_int_eq(ep.transport->take(&ep, &arrival, true), 0);
	ck_assert_int_eq(ep.transport->reply(&arrival, "x", 1), 0);
	ck_assert_int_eq(recvfrom(client, data, sizeof(data), 0,
	    (struct sockaddr *)&from, &len), 1);
	ck_assert_str_eq(text_of(&from, len), scratch("unix", "s"));
	close(client);
	endpoint_close(&ep);
}
END_TEST

START_TEST(datagrams_empty_long_and_own)
{
	struct listener_conf conf = net_conf();
	struct endpoint ep = must_open(_i ? abstract("unixgram") :
	    scratch("unixgram", "s"), &conf);
	char data[9];
	struct arrival arrival = room_for(data, sizeof(data));
	int client = must_dial(&ep);

	must_send(client, "");
	must_send(client, "123456789");
	must_send(client, "12345678");
	ck_assert_int_eq(sendto(ep.fd, "x", 1, 0,
	    (struct sockaddr *)&ep.addr.sa, ep.addr.len), 1);
	ck_assert_int_eq(ep.transport->take(&ep, &arrival, true), 0);
	ck_assert_uint_eq(arrival.len, 0);
	ck_assert_int_eq(ep.transport->take(&ep, &arrival, true), -EMSGSIZE);
	ck_assert_int_eq(ep.transport->take(&ep, &arrival, true), 0);
	ck_assert_uint_eq(arrival.len, 8);
	ck_assert_int_eq(ep.transport->take(&ep, &arrival, true), -EBADMSG);
	close(client);
	endpoint_close(&ep);
}
END_TEST

/* Never waiting: a client that does not read gets what it has room for. */
START_TEST(a_reply_never_blocks)
{
	struct listener_conf conf = net_conf();
	struct endpoint ep = must_open(scratch("unixgram", "s"), &conf);
	char data[9];
	struct arrival arrival = room_for(data, sizeof(data));
	int r = 0, client = bind_foreign(scratch_path("client"), SOCK_DGRAM);

	ck_assert_int_eq(sendto(client, "hi", 2, 0,
	    (struct sockaddr *)&ep.addr.sa, ep.addr.len), 2);
	ck_assert_int_eq(ep.transport->take(&ep, &arrival, true), 0);
	for (int i = 0; i < 10000 && r == 0; i++)
		r = ep.transport->reply(&arrival, "x", 1);
	ck_assert_int_eq(r, -EAGAIN);
	close(client);
	ck_assert_int_eq(ep.transport->reply(&arrival, "x", 1),
	    -ECONNREFUSED);
	endpoint_close(&ep);
}
END_TEST

Suite *
unix_suite(void)
{
	Suite *suite = suite_create("unix");
	TCase *tc = net_case(suite, "unix");

	tcase_add_checked_fixture(tc, scratch_make, scratch_remove);
	tcase_add_loop_test(tc, the_mode_is_exact_whatever_the_umask, 0, 10);
	tcase_add_test(tc, without_a_mode_the_umask_decides);
	tcase_add_test(tc, the_mode_is_right_at_the_first_instant);
	tcase_add_loop_test(tc, the_file_gets_its_owner_and_group, 0, 2);
	tcase_add_test(tc, an_unknown_owner_is_named);
	tcase_add_loop_test(tc, closing_leaves_nothing, 0, 2);
	tcase_add_loop_test(tc, closing_leaves_what_is_not_ours, 0, 2);
	tcase_add_loop_test(tc, a_stale_socket_is_replaced, 0, 4);
	tcase_add_test(tc, what_a_killed_daemon_left_is_replaced);
	tcase_add_loop_test(tc, a_live_socket_is_refused, 0, 4);
	tcase_add_loop_test(tc, another_supervisor_is_refused_by_its_lock, 0,
	    2);
	tcase_add_loop_test(tc, what_is_no_socket_is_refused, 0, 2);
	tcase_add_test(tc, a_lock_file_of_others_is_left_alone);
	tcase_add_test(tc, a_path_has_at_most_107_bytes);
	tcase_add_test(tc, a_missing_directory_is_named);
	tcase_add_test(tc, a_connection_is_prepared_on_its_own);
	tcase_add_test(tc, a_client_without_a_name_is_heard_and_not_answered);
	tcase_add_test(tc, a_reply_comes_from_the_asked_name);
	tcase_add_loop_test(tc, datagrams_empty_long_and_own, 0, 2);
	tcase_add_test(tc, a_reply_never_blocks);
	return suite;
}
