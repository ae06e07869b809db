/* SPDX-License-Identifier: ISC */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "net/source.h"
#include "net_help.h"

static in_port_t
port_of(const struct endpoint *ep)
{
	/* in the same place in both families */
	return ((const struct sockaddr_in *)&ep->addr.sa)->sin_port;
}

/* An unconnected client, which sees where its answer comes from. */
static int
send_to(const char *host, in_port_t port, const void *data, size_t len)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = port };
	struct timeval limit = { .tv_sec = 10 };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	ck_assert_int_eq(inet_pton(AF_INET, host, &to.sin_addr), 1);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	ck_assert_int_eq(sendto(fd, data, len, 0, (struct sockaddr *)&to,
	    sizeof(to)), (ssize_t)len);
	return fd;
}

static void
must_come_from(int fd, const char *host, in_port_t port)
{
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	char data[64], text[ADDR_TEXT_SIZE];
	size_t n = strlen(host);

	ck_assert_int_ge(recvfrom(fd, data, sizeof(data), 0,
	    (struct sockaddr *)&from, &len), 0);
	strcpy(text, text_of(&from, len));
	ck_assert_msg(strncmp(text, host, n) == 0 && text[n] == ':', "%s",
	    text);
	ck_assert_int_eq(((struct sockaddr_in *)&from)->sin_port, port);
}

START_TEST(a_reply_leaves_from_the_asked_address)
{
	static const char *const hosts[] = {
		"127.0.0.1", "127.0.0.2", "127.1.2.3",
	};
	struct listener_conf conf = net_conf();
	struct endpoint ep = must_open("udp://0.0.0.0:0", &conf);
	char data[64];
	struct arrival arrival = room_for(data, sizeof(data));
	int client = send_to(hosts[_i], port_of(&ep), "x", 1);

	ck_assert(ep.is_wildcard);
	ck_assert_int_eq(ep.transport->take(&ep, &arrival, true), 0);
	ck_assert_uint_gt(arrival.local_ifindex, 0);
	ck_assert_uint_gt(arrival.local_len, 0);
	ck_assert_int_eq(ep.transport->reply(&arrival, "y", 1), 0);
	must_come_from(client, hosts[_i], port_of(&ep));
	close(client);
	endpoint_close(&ep);
}
END_TEST

/* A socket of systemd may take both families. */
START_TEST(a_socket_of_both_families_answers_ipv4)
{
	struct listener_conf conf = net_conf();
	struct sockaddr_in6 any = { .sin6_family = AF_INET6 };
	int off = 0, fd = socket(AF_INET6, SOCK_DGRAM, 0), client;
	char data[64];
	struct arrival arrival = room_for(data, sizeof(data));
	struct endpoint ep;

	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&any, sizeof(any)), 0);
	ck_assert_int_eq(endpoint_adopt(&ep, fd, NULL), 0);
	ck_assert_int_eq(ep.transport->ready(&ep, &conf, NULL), 0);
	client = send_to("127.0.0.2", port_of(&ep), "x", 1);
	ck_assert_int_eq(ep.transport->take(&ep, &arrival, true), 0);
	ck_assert_int_eq(arrival.peer.ss_family, AF_INET);
	ck_assert_int_eq(arrival.local.ss_family, AF_INET);
	ck_assert_int_eq(ep.transport->reply(&arrival, "y", 1), 0);
	must_come_from(client, "127.0.0.2", port_of(&ep));
	close(client);
	endpoint_close(&ep);
}
END_TEST

START_TEST(reuse_address_is_never_set)
{
	static const char *const addresses[] = {
		"udp://127.0.0.1:0", "udp://0.0.0.0:0", "udp://[::1]:0",
	};
	struct listener_conf conf = net_conf();
	struct endpoint ep;
	struct sockaddr_storage same;
	int on = 1, thief;

	conf.reuse_address = true;
	ep = must_open(addresses[_i], &conf);
	ck_assert_int_eq(option_of(ep.fd, SOL_SOCKET, SO_REUSEADDR), 0);
	ck_assert_int_eq(option_of(ep.fd, SOL_SOCKET, SO_REUSEPORT), 0);
	same = ep.addr.sa;
	thief = socket(same.ss_family, SOCK_DGRAM, 0);
	setsockopt(thief, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	ck_assert_int_eq(bind(thief, (struct sockaddr *)&same, ep.addr.len),
	    -1);
	ck_assert_int_eq(errno, EADDRINUSE);
	close(thief);
	endpoint_close(&ep);
}
END_TEST

static const char *const both[] = { "udp://127.0.0.1:0", "udp://0.0.0.0:0" };

/* max_datagram is 8 here. */
START_TEST(a_longer_datagram_is_dropped_whole)
{
	struct listener_conf conf = net_conf();
	struct endpoint ep = must_open(both[_i], &conf);
	char data[9];
	struct arrival arrival = room_for(data, sizeof(data));
	int a = send_to("127.0.0.1", port_of(&ep), "123456789", 9);
	int b = send_to("127.0.0.1", port_of(&ep), "12345678901234", 14);
	int c = send_to("127.0.0.1", port_of(&ep), "12345678", 8);

	ck_assert_int_eq(ep.transport->take(&ep, &arrival, true), -EMSGSIZE);
	ck_assert_uint_gt(arrival.peer_len, 0);
	ck_assert_int_eq(ep.transport->take(&ep, &arrival, true), -EMSGSIZE);
	ck_assert_int_eq(ep.transport->take(&ep, &arrival, true), 0);
	ck_assert_uint_eq(arrival.len, 8);
	close(a);
	close(b);
	close(c);
	endpoint_close(&ep);
}
END_TEST

START_TEST(an_empty_datagram_is_a_datagram)
{
	struct listener_conf conf = net_conf();
	struct endpoint ep = must_open(both[_i], &conf);
	char data[9];
	struct arrival arrival = room_for(data, sizeof(data));
	int client = send_to("127.0.0.1", port_of(&ep), "", 0);

	arrival.len = 99;
	ck_assert_int_eq(ep.transport->take(&ep, &arrival, true), 0);
	ck_assert_uint_eq(arrival.len, 0);
	ck_assert_int_eq(ep.transport->reply(&arrival, "", 0), 0);
	must_receive(client, "");
	close(client);
	endpoint_close(&ep);
}
END_TEST

START_TEST(the_largest_datagram_goes_there_and_back)
{
	static char data[65536], big[65507];
	struct listener_conf conf = net_conf();
	struct endpoint ep;
	struct arrival arrival = room_for(data, sizeof(data));
	int client;

	conf.sndbuf_bytes = 200000;
	ep = must_open(both[_i], &conf);
	memset(big, 'x', sizeof(big));
	client = send_to("127.0.0.1", port_of(&ep), big, sizeof(big));
	ck_assert_int_eq(ep.transport->take(&ep, &arrival, true), 0);
	ck_assert_uint_eq(arrival.len, sizeof(big));
	ck_assert_int_eq(ep.transport->reply(&arrival, data, arrival.len), 0);
	ck_assert_int_eq(recv(client, data, sizeof(data), 0), sizeof(big));
	ck_assert_int_eq(ep.transport->reply(&arrival, data, sizeof(data)),
	    -EMSGSIZE);
	close(client);
	endpoint_close(&ep);
}
END_TEST

/* The listening socket sends to itself: with an answer it would for ever. */
START_TEST(the_own_address_is_not_answered)
{
	static const struct {
		const char *address, *to;
	} cases[] = {
		{ "udp://127.0.0.1:0", "127.0.0.1" },
		{ "udp://0.0.0.0:0", "127.0.0.1" },
		{ "udp://0.0.0.0:0", "127.0.0.2" },
	};
	struct listener_conf conf = net_conf();
	struct endpoint ep = must_open(cases[_i].address, &conf);
	char data[9];
	struct arrival arrival = room_for(data, sizeof(data));
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = port_of(&ep) };

	inet_pton(AF_INET, cases[_i].to, &to.sin_addr);
	ck_assert_int_eq(sendto(ep.fd, "x", 1, 0, (struct sockaddr *)&to,
	    sizeof(to)), 1);
	ck_assert_int_eq(ep.transport->take(&ep, &arrival, true), -EBADMSG);
	ck_assert_int_eq(ep.transport->take(&ep, &arrival, false), -EAGAIN);
	endpoint_close(&ep);
}
END_TEST

/* An error of an earlier datagram waits on the socket. */
START_TEST(a_pending_error_is_not_fatal)
{
	struct listener_conf conf = net_conf();
	struct endpoint ep = must_open(both[_i], &conf);
	char data[9];
	struct arrival arrival = room_for(data, sizeof(data));
	int on = 1, client = send_to("127.0.0.1", port_of(&ep), "x", 1);

	setsockopt(ep.fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on));
	ck_assert_int_eq(ep.transport->take(&ep, &arrival, true), 0);
	close(client);
	ck_assert_int_eq(ep.transport->reply(&arrival, "y", 1), 0);
	ck_assert_int_eq(ep.transport->take(&ep, &arrival, true),
	    -ECONNABORTED);
	client = send_to("127.0.0.1", port_of(&ep), "x", 1);
	ck_assert_int_eq(ep.transport->take(&ep, &arrival, true), 0);
	close(client);
	endpoint_close(&ep);
}
END_TEST

/* Forged sources need a raw socket; the rule itself does not. */
static const struct {
	const char *peer, *local;
	bool is_answerable;
} sources[] = {
	{ "udp://127.0.0.1:5000", "udp://127.0.0.1:7", true },
	{ "udp://127.0.0.1:0", "udp://127.0.0.1:7", false },
	{ "udp://127.0.0.1:7", "udp://127.0.0.1:7", false },
	{ "udp://127.0.0.9:7", "udp://127.0.0.1:7", false },
	{ "udp://127.0.0.9:7", "udp://0.0.0.0:7", false },
	{ "udp://192.0.2.9:7", "udp://127.0.0.1:7", true },
	{ "udp://224.0.0.1:5000", "udp://127.0.0.1:7", false },
	{ "udp://239.255.0.1:5000", "udp://127.0.0.1:7", false },
	{ "udp://255.255.255.255:5000", "udp://127.0.0.1:7", false },
	{ "udp://0.0.0.0:5000", "udp://127.0.0.1:7", false },
	{ "udp://[::1]:5000", "udp://[::1]:7", true },
	{ "udp://[::1]:0", "udp://[::1]:7", false },
	{ "udp://[::1]:7", "udp://[::1]:7", false },
	{ "udp://[::1]:7", "udp://[::]:7", false },
	{ "udp://[2001:db8::9]:7", "udp://[::1]:7", true },
	{ "udp://[ff02::1]:5000", "udp://[::1]:7", false },
	{ "udp://[::]:5000", "udp://[::1]:7", false },
};

START_TEST(who_may_be_answered)
{
	struct addr peer, local;

	ck_assert_int_eq(addr_parse(&peer, sources[_i].peer, NULL), 0);
	ck_assert_int_eq(addr_parse(&local, sources[_i].local, NULL), 0);
	ck_assert_msg(source_is_answerable((struct sockaddr *)&peer.sa,
		(struct sockaddr *)&local.sa) == sources[_i].is_answerable,
	    "%s at %s", sources[_i].peer, sources[_i].local);
}
END_TEST

Suite *
udp_suite(void)
{
	Suite *suite = suite_create("udp");
	TCase *tc = net_case(suite, "udp");

	tcase_add_loop_test(tc, a_reply_leaves_from_the_asked_address, 0, 3);
	tcase_add_test(tc, a_socket_of_both_families_answers_ipv4);
	tcase_add_loop_test(tc, reuse_address_is_never_set, 0, 3);
	tcase_add_loop_test(tc, a_longer_datagram_is_dropped_whole, 0, 2);
	tcase_add_loop_test(tc, an_empty_datagram_is_a_datagram, 0, 2);
	tcase_add_loop_test(tc, the_largest_datagram_goes_there_and_back, 0, 2);
	tcase_add_loop_test(tc, the_own_address_is_not_answered, 0, 3);
	tcase_add_loop_test(tc, a_pending_error_is_not_fatal, 0, 2);
	tcase_add_loop_test(tc, who_may_be_answered, 0,
	    sizeof(sources) / sizeof(sources[0]));
	return suite;
}
