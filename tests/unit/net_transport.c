/* SPDX-License-Identifier: ISC */
/* What is true of every transport, the table, and adopting a socket. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "net_help.h"

/* One of each kind; the Unix ones get a directory or the rest of a name. */
static const char *const addresses[] = {
	"tcp://127.0.0.1:0",
	"tcp://[::1]:0",
	"tcp://0.0.0.0:0",
	"udp://127.0.0.1:0",
	"udp://[::1]:0",
	"udp://0.0.0.0:0",
	"udp://[::]:0",
	"unix:stream",
	"unixgram:datagram",
	"unix:@",
	"unixgram:@",
};
#define ADDRESSES (sizeof(addresses) / sizeof(addresses[0]))

static const char *
full_address(const char *address)
{
	const char *colon = strchr(address, ':');
	const char *scheme = strncmp(address, "unixgram", 8) ? "unix" :
	    "unixgram";

	if (colon[1] == '/')
		return address;
	return colon[1] == '@' ? abstract(scheme) : scratch(scheme, colon + 1);
}

static struct endpoint
open_nth(int i)
{
	struct listener_conf conf = net_conf();

	return must_open(full_address(addresses[i]), &conf);
}

/* A datagram client must have a name to be answered. */
static int
dial_with_name(const struct endpoint *ep)
{
	struct sockaddr_un own = { .sun_family = AF_UNIX };
	int fd = must_dial(ep);

	if (ep->transport->kind == ADDR_UNIXGRAM)
		ck_assert_int_eq(bind(fd, (struct sockaddr *)&own,
		    sizeof(sa_family_t)), 0);
	return fd;
}

static void
answer_stream(struct endpoint *ep, struct arrival *arrival)
{
	struct listener_conf conf = net_conf();

	ck_assert_int_ge(arrival->fd, 0);
	ck_assert_int_ne(arrival->fd, ep->fd);
	ck_assert_int_eq(fcntl(arrival->fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	ck_assert_int_eq(fcntl(arrival->fd, F_GETFL) & O_NONBLOCK, 0);
	if (ep->transport->prepare)
		ck_assert_int_eq(ep->transport->prepare(arrival, &conf), 0);
	must_receive(arrival->fd, "hello");
	must_send(arrival->fd, "HELLO");
	close(arrival->fd);
}

START_TEST(a_request_goes_there_and_back)
{
	struct endpoint ep = open_nth(_i);
	char data[64];
	struct arrival arrival = room_for(data, sizeof(data));
	int client = dial_with_name(&ep);

	must_send(client, "hello");
	ck_assert_int_eq(ep.transport->take(&ep, &arrival, true), 0);
	ck_assert_ptr_eq(arrival.endpoint, &ep);
	if (ep.transport->is_stream) {
		answer_stream(&ep, &arrival);
	} else {
		ck_assert_uint_eq(arrival.len, 5);
		ck_assert_mem_eq(data, "hello", 5);
		ck_assert_int_eq(ep.transport->reply(&arrival, "HELLO", 5), 0);
	}
	must_receive(client, "HELLO");
	close(client);
	endpoint_close(&ep);
	ck_assert_int_eq(ep.fd, -1);
}
END_TEST

START_TEST(nothing_there_is_eagain)
{
	struct endpoint ep = open_nth(_i);
	char data[64];
	struct arrival arrival = room_for(data, sizeof(data));

	if (!ep.transport->is_stream)
		ck_assert_int_eq(ep.transport->take(&ep, &arrival, false),
		    -EAGAIN);
	ck_assert_int_eq(endpoint_set_nonblock(&ep, true), 0);
	ck_assert_int_eq(ep.transport->take(&ep, &arrival, true), -EAGAIN);
	endpoint_close(&ep);
}
END_TEST

START_TEST(a_socket_is_recognised)
{
	struct endpoint ep = open_nth(_i), adopted;
	struct err err = { "" };

	ck_assert_msg(endpoint_adopt(&adopted, ep.fd, &err) == 0, "%s",
	    err.text);
	ck_assert_ptr_eq(adopted.transport, ep.transport);
	ck_assert_str_eq(adopted.address, ep.address);
	ck_assert_int_eq(adopted.is_wildcard, ep.is_wildcard);
	ck_assert(!adopted.owns_path);
	endpoint_close(&ep);
}
END_TEST

START_TEST(the_address_is_the_bound_one)
{
	struct listener_conf conf = net_conf();
	struct endpoint ep = must_open("tcp://127.0.0.1:0", &conf);

	ck_assert_str_ne(ep.address, "tcp://127.0.0.1:0");
	ck_assert_int_eq(strncmp(ep.address, "tcp://127.0.0.1:", 16), 0);
	endpoint_close(&ep);
}
END_TEST

START_TEST(a_port_in_use_is_named)
{
	struct listener_conf conf = net_conf();
	struct endpoint ep = open_nth(_i);

	ck_assert_int_eq(must_refuse(ep.address, &conf, ep.address, "ss -l"),
	    -EADDRINUSE);
	endpoint_close(&ep);
}
END_TEST

START_TEST(a_foreign_address_hints_freebind)
{
	struct listener_conf conf = net_conf();
	struct endpoint ep;
	const char *address = _i ? "udp://192.0.2.77:0" : "tcp://192.0.2.77:0";

	ck_assert_int_eq(must_refuse(address, &conf, "freebind = true",
		"192.0.2.77"), -EADDRNOTAVAIL);
	conf.freebind = true;
	ep = must_open(address, &conf);
	endpoint_close(&ep);
}
END_TEST

START_TEST(a_low_port_hints_the_capability)
{
	struct listener_conf conf = net_conf();
	struct endpoint ep;
	const char *address = _i ? "udp://127.0.0.1:999" :
	    "tcp://127.0.0.1:999";

	if (geteuid() == 0)
		ck_assert_int_eq(setresuid(65534, 65534, 65534), 0);
	if (endpoint_open(&ep, address, &conf, NULL) == 0)
		endpoint_close(&ep);    /* ip_unprivileged_port_start */
	else
		must_refuse(address, &conf, "CAP_NET_BIND_SERVICE", "fd:NAME");
}
END_TEST

START_TEST(an_unknown_device_is_named)
{
	struct listener_conf conf = net_conf();

	conf.bind_device = "nosuchdev0";
	must_refuse("tcp://127.0.0.1:0", &conf, "bind_device", "nosuchdev0");
}
END_TEST

START_TEST(a_handed_over_name_is_not_opened)
{
	struct listener_conf conf = net_conf();

	ck_assert_int_eq(must_refuse("fd:web", &conf, "fd:web", "handed over"),
	    -EINVAL);
}
END_TEST

static void
must_not_adopt(int fd, const char *word)
{
	struct endpoint ep;
	struct err err = { "" };

	ck_assert_int_lt(endpoint_adopt(&ep, fd, &err), 0);
	ck_assert_msg(strstr(err.text, word) != NULL, "%s", err.text);
	ck_assert_int_eq(ep.fd, -1);
	close(fd);
}

START_TEST(what_cannot_serve_is_not_adopted)
{
	struct listener_conf conf = net_conf();
	struct endpoint ep = must_open("tcp://127.0.0.1:0", &conf);

	must_not_adopt(open("/dev/null", O_RDWR), "no socket");
	must_not_adopt(socket(AF_UNIX, SOCK_SEQPACKET, 0), "of no kind");
	must_not_adopt(socket(AF_INET, SOCK_STREAM, 0), "Accept=no");
	must_not_adopt(must_dial(&ep), "Accept=no");
	must_not_adopt(socket(AF_INET, SOCK_DGRAM, 0), "not bound");
	must_not_adopt(socket(AF_UNIX, SOCK_DGRAM, 0), "not bound");
	endpoint_close(&ep);
}
END_TEST

START_TEST(the_table_has_every_kind_once)
{
	for (size_t i = 0; transports[i]; i++) {
		const struct transport *t = transports[i];

		ck_assert_ptr_eq(transport_of(t->kind), t);
		ck_assert_int_eq(t->is_stream, t->reply == NULL);
		ck_assert(t->open && t->ready && t->take && t->close);
	}
	ck_assert_ptr_null(transport_of(ADDR_FD));
}
END_TEST

Suite *
transport_suite(void)
{
	Suite *suite = suite_create("transport");
	TCase *tc = net_case(suite, "transport");

	tcase_add_checked_fixture(tc, scratch_make, scratch_remove);
	tcase_add_test(tc, the_table_has_every_kind_once);
	tcase_add_loop_test(tc, a_request_goes_there_and_back, 0, ADDRESSES);
	tcase_add_loop_test(tc, nothing_there_is_eagain, 0, ADDRESSES);
	tcase_add_loop_test(tc, a_socket_is_recognised, 0, ADDRESSES);
	tcase_add_test(tc, the_address_is_the_bound_one);
	tcase_add_loop_test(tc, a_port_in_use_is_named, 0, 7);
	tcase_add_loop_test(tc, a_foreign_address_hints_freebind, 0, 2);
	tcase_add_test(tc, an_unknown_device_is_named);
	tcase_add_test(tc, a_handed_over_name_is_not_opened);
	tcase_add_test(tc, what_cannot_serve_is_not_adopted);
	tcase_add_loop_test(net_case(suite, "unprivileged"),
	    a_low_port_hints_the_capability, 0, 2);
	return suite;
}
