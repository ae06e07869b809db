/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "net/socket.h"
#include "net_help.h"

static long
timeout_of(int fd, int name)
{
	struct timeval tv = { 0 };
	socklen_t len = sizeof(tv);

	ck_assert_int_eq(getsockopt(fd, SOL_SOCKET, name, &tv, &len), 0);
	return tv.tv_sec * 1000 + tv.tv_usec / 1000;
}

static int
take_one(struct endpoint *ep, const struct listener_conf *conf)
{
	struct arrival arrival = room_for(NULL, 0);

	ck_assert_int_eq(ep->transport->take(ep, &arrival, true), 0);
	ck_assert_int_eq(ep->transport->prepare(&arrival, conf), 0);
	return arrival.fd;
}

static void
must_have(int fd, int timeout_ms, int is_nodelay, int idle_s)
{
	ck_assert_int_eq(timeout_of(fd, SO_RCVTIMEO), timeout_ms);
	ck_assert_int_eq(timeout_of(fd, SO_SNDTIMEO), timeout_ms);
	ck_assert_int_eq(option_of(fd, IPPROTO_TCP, TCP_USER_TIMEOUT),
	    timeout_ms);
	ck_assert_int_eq(option_of(fd, IPPROTO_TCP, TCP_NODELAY), is_nodelay);
	ck_assert_int_eq(option_of(fd, SOL_SOCKET, SO_KEEPALIVE), idle_s != 0);
	if (idle_s != 0)
		ck_assert_int_eq(option_of(fd, IPPROTO_TCP, TCP_KEEPIDLE),
		    idle_s);
}

START_TEST(connections_inherit_what_the_socket_has)
{
	struct listener_conf conf = net_conf();
	struct endpoint ep = must_open(_i ? "tcp://[::1]:0" :
	    "tcp://127.0.0.1:0", &conf);
	int client = must_dial(&ep), fd = take_one(&ep, &conf);

	must_have(fd, 5000, 1, 60);
	ck_assert_int_eq(option_of(fd, IPPROTO_TCP, TCP_KEEPINTVL), 15);
	ck_assert_int_eq(option_of(fd, IPPROTO_TCP, TCP_KEEPCNT), 4);
	close(fd);
	close(client);
	endpoint_close(&ep);
}
END_TEST

START_TEST(the_next_generation_changes_all_of_it)
{
	struct listener_conf conf = net_conf();
	struct endpoint ep = must_open("tcp://127.0.0.1:0", &conf);
	int client, fd;

	conf.timeout_ms = 0;
	conf.nodelay = false;
	conf.keepalive_s = 0;
	ck_assert_int_eq(ep.transport->ready(&ep, &conf, NULL), 0);
	client = must_dial(&ep);
	fd = take_one(&ep, &conf);
	must_have(fd, 0, 0, 0);
	close(fd);
	close(client);
	endpoint_close(&ep);
}
END_TEST

/* systemd listens, a client comes, and only then are we started. */
START_TEST(a_connection_queued_before_ready_gets_it_too)
{
	struct listener_conf conf = net_conf();
	struct sockaddr_in any = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int listening = socket(AF_INET, SOCK_STREAM, 0), early[2], late, fd;
	struct endpoint ep;

	ck_assert_int_eq(bind(listening, (struct sockaddr *)&any,
	    sizeof(any)), 0);
	ck_assert_int_eq(listen(listening, 8), 0);
	ck_assert_int_eq(endpoint_adopt(&ep, listening, NULL), 0);
	early[0] = must_dial(&ep);
	early[1] = must_dial(&ep);
	conf.keepalive_s = 33;
	ck_assert_int_eq(ep.transport->ready(&ep, &conf, NULL), 0);
	late = must_dial(&ep);
	ck_assert_uint_eq(atomic_load(ep.queued), 2);
	for (int i = 0; i < 3; i++) {
		fd = take_one(&ep, &conf);
		must_have(fd, 5000, 1, 33);
		close(fd);
	}
	ck_assert_uint_eq(atomic_load(ep.queued), 0);
	close(early[0]);
	close(early[1]);
	close(late);
	endpoint_close(&ep);
}
END_TEST

/* What arrives between the supervisor's listen and the service's ready. */
START_TEST(an_opened_socket_is_ready_from_the_start)
{
	struct listener_conf conf = net_conf();
	struct endpoint ep;
	struct arrival arrival = room_for(NULL, 0);
	int client;

	ck_assert_int_eq(endpoint_open(&ep, "tcp://127.0.0.1:0", &conf, NULL),
	    0);
	client = must_dial(&ep);
	ck_assert_int_eq(ep.transport->take(&ep, &arrival, true), 0);
	must_have(arrival.fd, 5000, 1, 60);
	close(arrival.fd);
	close(client);
	endpoint_close(&ep);
}
END_TEST

/* By one system call, or where the kernel has accepted by itself. */
static int
take_or_accepted(const struct endpoint *ep, struct arrival *arrival, int way)
{
	if (way == 0)
		return ep->transport->take(ep, arrival, true);
	return endpoint_accepted(ep, arrival, accept(ep->fd, NULL, NULL));
}

START_TEST(the_peer_is_known_even_after_its_reset)
{
	struct listener_conf conf = net_conf();
	struct endpoint ep = must_open("tcp://127.0.0.1:0", &conf);
	struct linger hard = { .l_onoff = 1, .l_linger = 0 };
	struct arrival arrival = room_for(NULL, 0);
	struct sockaddr_storage name;
	socklen_t len = sizeof(name);
	int client = must_dial(&ep);
	char expected[ADDR_TEXT_SIZE];

	ck_assert_int_eq(getsockname(client, (struct sockaddr *)&name, &len),
	    0);
	strcpy(expected, text_of(&name, len));
	setsockopt(client, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	close(client);
	ck_assert_int_eq(take_or_accepted(&ep, &arrival, _i), 0);
	ck_assert_str_eq(text_of(&arrival.peer, arrival.peer_len), expected);
	close(arrival.fd);
	endpoint_close(&ep);
}
END_TEST

/* Only a socket that somebody else made takes both families. */
START_TEST(an_ipv4_peer_is_an_ipv4_peer)
{
	struct listener_conf conf = net_conf();
	struct sockaddr_in6 any = { .sin6_family = AF_INET6 };
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int off = 0, listening = socket(AF_INET6, SOCK_STREAM, 0), client;
	struct arrival arrival = room_for(NULL, 0);
	struct endpoint ep;

	setsockopt(listening, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	ck_assert_int_eq(bind(listening, (struct sockaddr *)&any,
	    sizeof(any)), 0);
	ck_assert_int_eq(listen(listening, 8), 0);
	ck_assert_int_eq(endpoint_adopt(&ep, listening, NULL), 0);
	ck_assert_int_eq(ep.transport->ready(&ep, &conf, NULL), 0);
	to.sin_port = ((struct sockaddr_in6 *)&ep.addr.sa)->sin6_port;
	client = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(connect(client, (struct sockaddr *)&to, sizeof(to)),
	    0);
	ck_assert_int_eq(ep.transport->take(&ep, &arrival, true), 0);
	ck_assert_int_eq(arrival.peer.ss_family, AF_INET);
	ck_assert_int_eq(strncmp(text_of(&arrival.peer, arrival.peer_len),
	    "127.0.0.1:", 10), 0);
	close(arrival.fd);
	close(client);
	endpoint_close(&ep);
}
END_TEST

START_TEST(ipv6_sockets_are_ipv6_only)
{
	struct listener_conf conf = net_conf();
	struct endpoint ep = must_open(_i ? "udp://[::]:0" : "tcp://[::]:0",
	    &conf);

	ck_assert_int_eq(option_of(ep.fd, IPPROTO_IPV6, IPV6_V6ONLY), 1);
	endpoint_close(&ep);
}
END_TEST

START_TEST(the_options_of_the_file_are_set)
{
	struct listener_conf conf = net_conf();
	struct endpoint ep;

	conf.reuse_address = false;
	conf.defer_accept_s = 3;
	conf.fastopen = 7;
	conf.rcvbuf_bytes = 20000;
	conf.sndbuf_bytes = 30000;
	conf.bind_device = "lo";
	ep = must_open("tcp://127.0.0.1:0", &conf);
	ck_assert_int_eq(option_of(ep.fd, SOL_SOCKET, SO_REUSEADDR), 0);
	ck_assert_int_ge(option_of(ep.fd, IPPROTO_TCP, TCP_DEFER_ACCEPT), 3);
	ck_assert_int_eq(option_of(ep.fd, IPPROTO_TCP, TCP_FASTOPEN), 7);
	/* the kernel doubles them, socket(7) */
	ck_assert_int_eq(option_of(ep.fd, SOL_SOCKET, SO_RCVBUF), 40000);
	ck_assert_int_eq(option_of(ep.fd, SOL_SOCKET, SO_SNDBUF), 60000);
	endpoint_close(&ep);
	conf = net_conf();
	ep = must_open("tcp://127.0.0.1:0", &conf);
	ck_assert_int_eq(option_of(ep.fd, SOL_SOCKET, SO_REUSEADDR), 1);
	endpoint_close(&ep);
}
END_TEST

START_TEST(a_port_in_time_wait_is_bound_again)
{
	struct listener_conf conf = net_conf();
	struct endpoint ep = must_open("tcp://127.0.0.1:0", &conf);
	char address[ADDR_TEXT_SIZE];
	int client = must_dial(&ep), fd = take_one(&ep, &conf);

	close(fd);      /* this side first: it keeps the TIME_WAIT */
	must_receive(client, "");
	close(client);
	strcpy(address, ep.address);
	endpoint_close(&ep);
	ep = must_open(address, &conf);
	endpoint_close(&ep);
}
END_TEST

START_TEST(a_socket_that_was_shut_down_is_no_lost_connection)
{
	struct listener_conf conf = net_conf();
	struct endpoint ep = must_open("tcp://127.0.0.1:0", &conf);
	struct arrival arrival = room_for(NULL, 0);

	ck_assert_int_eq(shutdown(ep.fd, SHUT_RD), 0);
	ck_assert_int_eq(ep.transport->take(&ep, &arrival, true), -EINVAL);
	endpoint_close(&ep);
}
END_TEST

static const struct {
	int code, told;
} take_errors[] = {
	{ EAGAIN, -EAGAIN }, { EINTR, -EINTR }, { EMFILE, -EMFILE },
	{ ENFILE, -ENFILE }, { ENOBUFS, -ENOBUFS }, { ENOMEM, -ENOMEM },
	{ ECONNABORTED, -ECONNABORTED }, { EPROTO, -ECONNABORTED },
	{ ENETDOWN, -ECONNABORTED }, { EHOSTUNREACH, -ECONNABORTED },
	{ ENOPROTOOPT, -ECONNABORTED }, { EOPNOTSUPP, -ECONNABORTED },
	{ EPERM, -ECONNABORTED }, { ECONNREFUSED, -ECONNABORTED },
	{ EMSGSIZE, -ECONNABORTED }, { EBADF, -EBADF }, { EINVAL, -EINVAL },
};

START_TEST(errors_of_taking_are_sorted)
{
	ck_assert_int_eq(socket_take_error(take_errors[_i].code),
	    take_errors[_i].told);
}
END_TEST

Suite *
tcp_suite(void)
{
	Suite *suite = suite_create("tcp");
	TCase *tc = net_case(suite, "tcp");

	tcase_add_loop_test(tc, connections_inherit_what_the_socket_has, 0, 2);
	tcase_add_test(tc, the_next_generation_changes_all_of_it);
	tcase_add_test(tc, a_connection_queued_before_ready_gets_it_too);
	tcase_add_test(tc, an_opened_socket_is_ready_from_the_start);
	tcase_add_loop_test(tc, the_peer_is_known_even_after_its_reset, 0, 2);
	tcase_add_test(tc, an_ipv4_peer_is_an_ipv4_peer);
	tcase_add_loop_test(tc, ipv6_sockets_are_ipv6_only, 0, 2);
	tcase_add_test(tc, the_options_of_the_file_are_set);
	tcase_add_test(tc, a_port_in_time_wait_is_bound_again);
	tcase_add_test(tc, a_socket_that_was_shut_down_is_no_lost_connection);
	tcase_add_loop_test(tc, errors_of_taking_are_sorted, 0,
	    sizeof(take_errors) / sizeof(take_errors[0]));
	return suite;
}
