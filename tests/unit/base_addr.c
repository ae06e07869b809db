/* SPDX-License-Identifier: ISC */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "base/addr.h"
#include "base_suites.h"

/* Each is read and comes out in the second form. */
static const struct {
	const char *text, *canonical;
	bool is_stream;
} good[] = {
	{ "tcp://127.0.0.1:7", "tcp://127.0.0.1:7", true },
	{ "tcp://127.0.0.1:0", "tcp://127.0.0.1:0", true },
	{ "tcp://255.255.255.255:65535", "tcp://255.255.255.255:65535", true },
	{ "udp://0.0.0.0:53", "udp://0.0.0.0:53", false },
	{ "tcp://[::1]:80", "tcp://[::1]:80", true },
	{ "tcp://[2001:DB8:0::0001]:80", "tcp://[2001:db8::1]:80", true },
	{ "tcp://[::ffff:10.0.0.1]:80", "tcp://10.0.0.1:80", true },
	{ "tcp://[fe80::1%lo]:80", "tcp://[fe80::1%lo]:80", true },
	{ "udp://[fe80::1%1]:80", "udp://[fe80::1%lo]:80", false },
	{ "udp://[fe80::1%2147483]:80", "udp://[fe80::1%2147483]:80", false },
	{ "unix:/run/x", "unix:/run/x", true },
	{ "unix:/run/a b", "unix:/run/a b", true },
	{ "unix:/run/\xe6\xac\xa2", "unix:/run/\xe6\xac\xa2", true },
	{ "unixgram:/run/x", "unixgram:/run/x", false },
	{ "unix:@name", "unix:@name", true },
	{ "unixgram:@n", "unixgram:@n", false },
	{ "fd:web", "fd:web", true },
};

START_TEST(a_good_address_comes_back)
{
	struct addr addr, again;
	struct err err;
	char text[ADDR_TEXT_SIZE];

	ck_assert_int_eq(addr_parse(&addr, good[_i].text, &err), 0);
	ck_assert_str_eq(addr_format(&addr, text), good[_i].canonical);
	ck_assert_int_eq(addr_is_stream(&addr), good[_i].is_stream);
	ck_assert_int_eq(addr_parse(&again, text, &err), 0);
	ck_assert_mem_eq(&addr, &again, sizeof(addr));
	ck_assert_int_eq(addr_resolve(&again, 1, good[_i].text, &err), 1);
	ck_assert_mem_eq(&addr, &again, sizeof(addr));
}
END_TEST

/* Each is refused with a sentence that holds the second text. */
static const struct {
	const char *text, *why;
} bad[] = {
	{ "", "an address is" },
	{ "127.0.0.1:7", "an address is" },
	{ "TCP://127.0.0.1:7", "an address is" },
	{ "http://127.0.0.1:7", "an address is" },
	{ "tcp:127.0.0.1:7", "an address is" },
	{ "tcp://", "port is missing" },
	{ "tcp://127.0.0.1", "port is missing" },
	{ "tcp://[::1]", "port is missing" },
	{ "tcp://[::1", "port is missing" },
	{ "tcp://[::1]80", "port is missing" },
	{ "tcp://127.0.0.1:", "0 to 65535" },
	{ "tcp://127.0.0.1:65536", "0 to 65535" },
	{ "tcp://127.0.0.1:99999999999", "0 to 65535" },
	{ "tcp://127.0.0.1:-1", "0 to 65535" },
	{ "tcp://127.0.0.1:+1", "0 to 65535" },
	{ "tcp://127.0.0.1: 1", "0 to 65535" },
	{ "tcp://127.0.0.1:1 ", "0 to 65535" },
	{ "tcp://127.0.0.1:0x50", "0 to 65535" },
	{ "tcp://127.0.0.1:080", "0 to 65535" },
	{ "tcp://127.0.0.1:http", "0 to 65535" },
	{ "tcp://:80", "host is missing" },
	{ "tcp://::1:80", "brackets" },
	{ "tcp://[]:80", "host is missing" },
	{ "tcp://[127.0.0.1]:80", "not an IPv6 address" },
	{ "tcp://[::1%lo]:80", "link-local" },
	{ "tcp://[fe80::1%no-such-if]:80", "no interface" },
	{ "tcp://[fe80::1%]:80", "no interface" },
	{ "tcp://[fe80::1%0]:80", "no interface" },
	{ "unix:", "begins with /" },
	{ "unix:run/x", "begins with /" },
	{ "unix:/", "missing" },
	{ "unix:@", "missing" },
	{ "unix:/a\nb", "control" },
	{ "unixgram:x", "begins with /" },
	{ "fd:", "1 to 63" },
	{ "fd:a:b", "1 to 63" },
};

START_TEST(a_bad_address_is_refused_and_why)
{
	struct addr addr;
	struct err err = { "" };

	ck_assert_int_eq(addr_parse(&addr, bad[_i].text, &err), -EINVAL);
	ck_assert_msg(strstr(err.text, bad[_i].why), "%s", err.text);
	ck_assert_int_eq(addr_resolve(&addr, 1, bad[_i].text, &err), -EINVAL);
}
END_TEST

START_TEST(a_name_is_not_numeric)
{
	struct addr addr;
	struct err err;

	ck_assert_int_eq(addr_parse(&addr, "tcp://localhost:7", &err), -EINVAL);
	ck_assert_ptr_nonnull(strstr(err.text, "not a numeric"));
	ck_assert_int_eq(addr_parse(&addr, "tcp://*:7", &err), -EINVAL);
	ck_assert_int_eq(addr_parse(&addr, "tcp://127.1:7", &err), -EINVAL);
	ck_assert_int_eq(addr_parse(&addr, "tcp://127.0.0.01:7", &err),
	    -EINVAL);
}
END_TEST

START_TEST(a_star_is_two_addresses)
{
	struct addr addrs[4];
	struct err err;
	char text[ADDR_TEXT_SIZE];

	ck_assert_int_eq(addr_resolve(addrs, 4, "udp://*:7", &err), 2);
	ck_assert_str_eq(addr_format(&addrs[0], text), "udp://0.0.0.0:7");
	ck_assert_str_eq(addr_format(&addrs[1], text), "udp://[::]:7");
	ck_assert_int_eq(addr_resolve(addrs, 1, "udp://*:7", &err), 1);
	ck_assert_int_eq(addr_resolve(addrs, 4, "udp://[*]:7", &err), -EINVAL);
}
END_TEST

START_TEST(a_host_name_is_resolved)
{
	struct addr addrs[8];
	struct err err;
	char text[ADDR_TEXT_SIZE];
	int n = addr_resolve(addrs, 8, "tcp://localhost:7", &err);

	ck_assert_msg(n >= 1, "%s", err.text);
	for (int i = 0; i < n; i++) {
		addr_format(&addrs[i], text);
		ck_assert(!strcmp(text, "tcp://127.0.0.1:7") ||
		    !strcmp(text, "tcp://[::1]:7"));
	}
	ck_assert_int_eq(addr_resolve(addrs, 8, "tcp://a..b:7", &err), -ENOENT);
	ck_assert_ptr_nonnull(
	    strstr(err.text, "cannot find the host \"a..b\""));
}
END_TEST

START_TEST(a_unix_name_has_107_bytes)
{
	struct addr addr;
	struct err err;
	char text[160], out[ADDR_TEXT_SIZE];

	for (int at = 0; at < 2; at++) {
		int n = snprintf(text, sizeof(text), "unixgram:%c",
		    at ? '@' : '/');

		memset(text + n, 'a', 106);
		text[n + 106] = '\0';
		ck_assert_int_eq(addr_parse(&addr, text, &err), 0);
		ck_assert_str_eq(addr_format(&addr, out), text);
		text[n + 106] = 'a';
		text[n + 107] = '\0';
		ck_assert_int_eq(addr_parse(&addr, text, &err), -EINVAL);
		ck_assert_ptr_nonnull(strstr(err.text, "107 bytes"));
	}
}
END_TEST

START_TEST(a_long_host_is_refused)
{
	struct addr addr;
	struct err err;
	char text[2000];

	memset(text, 'a', sizeof(text));
	memcpy(text, "tcp://", 6);
	memcpy(text + sizeof(text) - 4, ":80", 4);
	ck_assert_int_eq(addr_parse(&addr, text, &err), -EINVAL);
	memcpy(text, "fd:", 3);
	text[3 + 64] = '\0';
	ck_assert_int_eq(addr_parse(&addr, text, &err), -EINVAL);
	text[3 + 63] = '\0';
	memset(text + 3, 'b', 63);
	ck_assert_int_eq(addr_parse(&addr, text, &err), 0);
}
END_TEST

static const char *
format_in6(const char *host, unsigned scope, char text[ADDR_TEXT_SIZE])
{
	struct sockaddr_in6 sin6 = {
		.sin6_family = AF_INET6, .sin6_port = htons(50312),
		.sin6_scope_id = scope,
	};
	struct sockaddr_storage ss = { 0 };
	socklen_t len = sizeof(sin6);
	const void *sa = &ss;

	ck_assert_int_eq(inet_pton(AF_INET6, host, &sin6.sin6_addr), 1);
	memcpy(&ss, &sin6, sizeof(sin6));
	addr_canonical(&ss, &len);
	return sockaddr_format(sa, len, text);
}

START_TEST(peers_have_their_form)
{
	char text[ADDR_TEXT_SIZE];
	struct sockaddr_in sin = {
		.sin_family = AF_INET, .sin_port = htons(50312),
		.sin_addr = { htonl(0x7f000001) },
	};
	const void *sa = &sin;

	ck_assert_str_eq(sockaddr_format(sa, sizeof(sin), text),
	    "127.0.0.1:50312");
	ck_assert_str_eq(format_in6("::1", 0, text), "[::1]:50312");
	ck_assert_str_eq(format_in6("::ffff:192.0.2.1", 0, text),
	    "192.0.2.1:50312");
	ck_assert_str_eq(format_in6("fe80::1", 1, text), "[fe80::1%lo]:50312");
	ck_assert_str_eq(sockaddr_format(NULL, 0, text), "unix:");
	sin.sin_family = 99;
	ck_assert_str_eq(sockaddr_format(sa, sizeof(sin), text), "family 99");
}
END_TEST

static const char *
format_unix(const char *name, size_t n, char text[ADDR_TEXT_SIZE])
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	const void *sa = &sun;

	memcpy(sun.sun_path, name, n);
	return sockaddr_format(sa,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n), text);
}

START_TEST(unix_peers_have_their_form)
{
	char text[ADDR_TEXT_SIZE], name[108];

	ck_assert_str_eq(format_unix("", 0, text), "unix:");
	ck_assert_str_eq(format_unix("/run/x", 7, text), "unix:/run/x");
	ck_assert_str_eq(format_unix("/run/x", 6, text), "unix:/run/x");
	ck_assert_str_eq(format_unix("\0name", 5, text), "unix:@name");
	ck_assert_str_eq(format_unix("\0" "0001f", 6, text), "unix:@0001f");
	ck_assert_str_eq(format_unix("\0a\0\n\xff" "b", 6, text),
	    "unix:@a\\x00\\x0a\\xffb");
	memset(name, 'a', sizeof(name));
	format_unix(name, sizeof(name), text);
	ck_assert_uint_eq(strlen(text), 5 + 108);
	memset(name, 0, sizeof(name));
	format_unix(name, sizeof(name), text);
	ck_assert_uint_lt(strlen(text), ADDR_TEXT_SIZE);
	ck_assert_str_eq(text + strlen(text) - 7, "\\x00...");
}
END_TEST

START_TEST(only_mapped_addresses_become_ipv4)
{
	char text[ADDR_TEXT_SIZE];

	ck_assert_str_eq(format_in6("::192.0.2.1", 0, text),
	    "[::192.0.2.1]:50312");
	ck_assert_str_eq(format_in6("64:ff9b::1", 0, text),
	    "[64:ff9b::1]:50312");
	ck_assert_str_eq(format_in6("::ffff:0:0", 0, text), "0.0.0.0:50312");
}
END_TEST

Suite *
addr_suite(void)
{
	Suite *suite = suite_create("addr");
	TCase *tcase = tcase_create("addr");

	tcase_add_loop_test(tcase, a_good_address_comes_back, 0,
	    (int)(sizeof(good) / sizeof(good[0])));
	tcase_add_loop_test(tcase, a_bad_address_is_refused_and_why, 0,
	    (int)(sizeof(bad) / sizeof(bad[0])));
	tcase_add_test(tcase, a_name_is_not_numeric);
	tcase_add_test(tcase, a_star_is_two_addresses);
	tcase_add_test(tcase, a_host_name_is_resolved);
	tcase_add_test(tcase, a_unix_name_has_107_bytes);
	tcase_add_test(tcase, a_long_host_is_refused);
	tcase_add_test(tcase, peers_have_their_form);
	tcase_add_test(tcase, unix_peers_have_their_form);
	tcase_add_test(tcase, only_mapped_addresses_become_ipv4);
	suite_add_tcase(suite, tcase);
	return suite;
}
