/* SPDX-License-Identifier: ISC */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "base/acl.h"
#include "base_suites.h"

static struct acl acl;
static struct arena arena;

static void
begin(void)
{
	memset(&acl, 0, sizeof(acl));
	arena_init(&arena, 0);
}

static void
end(void)
{
	arena_free(&arena);
}

static void
allow(const char *text)
{
	struct err err = { "" };

	ck_assert_msg(!acl_add(&acl.allow, &arena, text, &err), "%s", err.text);
}

static void
deny(const char *text)
{
	struct err err = { "" };

	ck_assert_msg(!acl_add(&acl.deny, &arena, text, &err), "%s", err.text);
}

static bool
permits(const char *host)
{
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in sin = { .sin_family = AF_INET };
	const void *sa = &sin;

	if (inet_pton(AF_INET, host, &sin.sin_addr) == 1)
		return acl_permits(&acl, sa);
	ck_assert_int_eq(inet_pton(AF_INET6, host, &sin6.sin6_addr), 1);
	sa = &sin6;
	return acl_permits(&acl, sa);
}

static const struct {
	const char *text, *why;
} bad[] = {
	{ "", "not an address" },
	{ "localhost", "not an address" },
	{ "192.0.2", "not an address" },
	{ "192.0.2.256", "not an address" },
	{ "192.0.2.01", "not an address" },
	{ "192.0.2.0/", "0 to 32" },
	{ "192.0.2.0/33", "0 to 32" },
	{ "192.0.2.0/-1", "0 to 32" },
	{ "192.0.2.0/024", "0 to 32" },
	{ "192.0.2.0/24/8", "0 to 32" },
	{ "192.0.2.0/255.255.255.0", "0 to 32" },
	{ "192.0.2.0/4294967320", "0 to 32" },
	{ "2001:db8::/129", "0 to 128" },
	{ "fe80::1%lo", "not an address" },
	{ "[::1]", "not an address" },
	{ "192.0.2.7/24", "write 192.0.2.0/24 for the network, 192.0.2.7 for" },
	{ "0.0.0.1/0", "write 0.0.0.0/0" },
	{ "192.0.2.255/31", "write 192.0.2.254/31" },
	{ "2001:db8::1/32", "write 2001:db8::/32" },
	{ "::ffff:192.0.2.7/120", "write 192.0.2.0/24" },
	{ "::ffff:0:0/95", "write ::fffe:0:0/95" },
};

START_TEST(a_bad_prefix_is_refused_and_why)
{
	struct acl_prefix prefix;
	struct err err = { "" };

	ck_assert_int_eq(acl_parse(&prefix, bad[_i].text, &err), -EINVAL);
	ck_assert_msg(strstr(err.text, bad[_i].why), "%s", err.text);
}
END_TEST

START_TEST(empty_lists_permit_everybody)
{
	ck_assert(permits("192.0.2.1"));
	ck_assert(permits("::1"));
	ck_assert(acl_permits(&acl, NULL));
}
END_TEST

START_TEST(an_allow_list_refuses_the_rest)
{
	allow("192.0.2.0/25");
	allow("2001:db8::/33");
	ck_assert(permits("192.0.2.0"));
	ck_assert(permits("192.0.2.127"));
	ck_assert(!permits("192.0.2.128"));
	ck_assert(!permits("192.0.3.1"));
	ck_assert(permits("2001:db8:7fff::1"));
	ck_assert(!permits("2001:db8:8000::1"));
	ck_assert(!permits("::1"));
}
END_TEST

START_TEST(deny_wins)
{
	allow("10.0.0.0/8");
	deny("10.1.0.0/16");
	deny("10.0.0.7");
	ck_assert(permits("10.0.0.6"));
	ck_assert(!permits("10.0.0.7"));
	ck_assert(!permits("10.1.255.255"));
	ck_assert(permits("10.2.0.0"));
}
END_TEST

START_TEST(deny_alone_permits_the_rest)
{
	deny("0.0.0.0/0");
	ck_assert(!permits("192.0.2.1"));
	ck_assert(permits("::1"));
	deny("::/0");
	ck_assert(!permits("::1"));
}
END_TEST

START_TEST(a_mapped_peer_is_ipv4)
{
	deny("192.0.2.0/24");
	ck_assert(!permits("::ffff:192.0.2.9"));
	ck_assert(permits("::ffff:192.0.3.9"));
	allow("::/0");
	ck_assert(!permits("::ffff:192.0.3.9"));
	ck_assert(!permits("192.0.3.9"));
}
END_TEST

START_TEST(a_mapped_prefix_is_ipv4)
{
	struct acl_prefix prefix;
	struct err err;

	ck_assert_int_eq(acl_parse(&prefix, "::ffff:192.0.2.0/120", &err), 0);
	ck_assert_int_eq(prefix.family, AF_INET);
	ck_assert_uint_eq(prefix.bits, 24);
	deny("::ffff:192.0.2.0/120");
	ck_assert(!permits("192.0.2.9"));
	ck_assert(permits("192.0.3.9"));
}
END_TEST

START_TEST(unix_peers_are_not_subject)
{
	const struct sockaddr sa = { .sa_family = AF_UNIX };
	const struct sockaddr unnamed = { .sa_family = AF_UNSPEC };

	allow("192.0.2.1");
	deny("0.0.0.0/0");
	ck_assert(acl_permits(&acl, &sa));
	ck_assert(acl_permits(&acl, &unnamed));
	ck_assert(acl_permits(&acl, NULL));
}
END_TEST

START_TEST(many_rules_are_kept)
{
	char text[] = "10.0.0.0";

	for (char c = '0'; c <= '9'; c++) {
		text[7] = c;
		allow(text);
	}
	ck_assert_uint_eq(acl.allow.count, 10);
	for (char c = '0'; c <= '9'; c++) {
		text[7] = c;
		ck_assert(permits(text));
	}
	ck_assert(!permits("10.0.0.10"));
}
END_TEST

Suite *
acl_suite(void)
{
	Suite *suite = suite_create("acl");
	TCase *tcase = tcase_create("acl");

	tcase_add_checked_fixture(tcase, begin, end);
	tcase_add_loop_test(tcase, a_bad_prefix_is_refused_and_why, 0,
	    (int)(sizeof(bad) / sizeof(bad[0])));
	tcase_add_test(tcase, empty_lists_permit_everybody);
	tcase_add_test(tcase, an_allow_list_refuses_the_rest);
	tcase_add_test(tcase, deny_wins);
	tcase_add_test(tcase, deny_alone_permits_the_rest);
	tcase_add_test(tcase, a_mapped_peer_is_ipv4);
	tcase_add_test(tcase, a_mapped_prefix_is_ipv4);
	tcase_add_test(tcase, unix_peers_are_not_subject);
	tcase_add_test(tcase, many_rules_are_kept);
	suite_add_tcase(suite, tcase);
	return suite;
}
