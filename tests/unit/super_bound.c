/* SPDX-License-Identifier: ISC */
/* The sockets of an address with reuse_port: how many there are, who has which,
 * and from when on the kernel chooses one. */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "super/bound.h"
#include "super_suites.h"

#define CLIENTS 64

static struct store store;
static const char *items[4];
static struct listener_conf conf;

static void
complain(void *arg, const struct listener_conf *of, const char *text)
{
	(void)arg;
	(void)of;
	ck_abort_msg("%s", text);
}

static void
set_conf(unsigned workers, const char *first, const char *second)
{
	conf = (struct listener_conf){
		.name = "web", .backlog = 128, .reuse_address = true,
		.bind_device = "", .max_datagram_bytes = 100,
		.concurrency = CONCURRENCY_PREFORK, .workers = workers,
		.reuse_port = true,
		.addresses = { items, second != NULL ? 2 : 1 },
	};
	items[0] = first;
	items[1] = second;
}

static void
must_open(struct bound_list *list, const struct bound_list *have,
    const struct bound_list *spare)
{
	const struct bound_source source = {
		.have = have, .spare = spare, .store = &store,
		.complain = complain,
	};

	ck_assert_uint_eq(bound_list_open(list, &conf, &source), 0);
}

static const struct endpoint *
at(const struct bound_list *list, size_t i)
{
	return &list->items[i]->endpoint;
}

/* From CLIENTS ports; in how many of the sockets does something wait? */
static unsigned
knock(const struct bound_list *list)
{
	const struct endpoint *ep = at(list, 0);
	unsigned waiting = 0;
	int fds[CLIENTS];

	for (size_t i = 0; i < CLIENTS; i++) {
		fds[i] = socket(ep->addr.sa.ss_family,
		    ep->transport->is_stream ? SOCK_STREAM : SOCK_DGRAM, 0);
		ck_assert_int_eq(connect(fds[i], (const void *)&ep->addr.sa,
		    ep->addr.len), 0);
		ck_assert_int_eq(send(fds[i], "x", 1, 0), 1);
	}
	for (size_t i = 0; i < list->count; i++)
		waiting += !at(list, i)->is_late &&
		    !endpoint_is_empty(at(list, i));
	for (size_t i = 0; i < CLIENTS; i++)
		(void)close(fds[i]);
	return waiting;
}

static const char *const inet[] = {
	"tcp://127.0.0.1:0", "tcp://[::1]:0", "udp://127.0.0.1:0",
	"udp://[::1]:0", "tcp://0.0.0.0:0", "udp://[::]:0",
};
#define INET (sizeof(inet) / sizeof(inet[0]))

START_TEST(there_is_one_for_each_process)
{
	struct bound_list list;

	set_conf(3, inet[_i], NULL);
	must_open(&list, NULL, NULL);
	ck_assert_uint_eq(list.count, 3);
	for (size_t i = 0; i < 3; i++) {
		ck_assert(bound_list_is_first(&list, i) == (i == 0));
		ck_assert_str_eq(at(&list, i)->address, at(&list, 0)->address);
	}
	ck_assert_uint_eq(knock(&list), 3);
	bound_list_clear(&list);
}
END_TEST

/* Whether the first was bound with the key or without. */
START_TEST(one_that_joins_gets_nothing_before)
{
	struct bound_list have, list;

	set_conf(1, inet[_i], NULL);
	conf.reuse_port = _i % 2;
	must_open(&have, NULL, NULL);
	set_conf(3, inet[_i], NULL);
	must_open(&list, &have, NULL);
	ck_assert_uint_eq(list.count, 3);
	ck_assert_uint_eq(knock(&list), 1);
	bound_list_join(&list, &conf, complain, NULL);
	ck_assert_uint_eq(knock(&list), 3);
	bound_list_clear(&have);
	ck_assert_uint_eq(list.items[0]->holders, 1);
	bound_list_clear(&list);
}
END_TEST

START_TEST(with_fewer_processes_all_stay)
{
	struct bound_list have, list;

	set_conf(4, inet[_i], NULL);
	must_open(&have, NULL, NULL);
	set_conf(2, inet[_i], NULL);
	must_open(&list, &have, NULL);
	ck_assert_uint_eq(list.count, 4);
	conf.reuse_port = false;
	bound_list_clear(&list);
	must_open(&list, &have, NULL);
	ck_assert_uint_eq(list.count, 4);
	bound_list_clear(&list);
	bound_list_clear(&have);
}
END_TEST

START_TEST(the_port_that_was_chosen_is_the_same_address)
{
	struct bound_list have, list;
	char chosen[ADDR_TEXT_SIZE];

	set_conf(2, inet[0], NULL);
	must_open(&have, NULL, NULL);
	(void)snprintf(chosen, sizeof(chosen), "%s", at(&have, 0)->address);
	set_conf(2, chosen, NULL);
	must_open(&list, NULL, &have);
	ck_assert_uint_eq(list.count, 2);
	ck_assert_ptr_eq(list.items[0], have.items[0]);
	ck_assert_ptr_eq(list.items[1], have.items[1]);
	ck_assert(bound_list_is_shared(&list));
	bound_list_clear(&list);
	bound_list_clear(&have);
}
END_TEST

START_TEST(port_0_twice_is_two_addresses)
{
	struct bound_list have, list;

	set_conf(2, inet[_i], inet[_i]);
	must_open(&have, NULL, NULL);
	ck_assert_uint_eq(have.count, 4);
	ck_assert_str_ne(at(&have, 0)->address, at(&have, 2)->address);
	must_open(&list, &have, NULL);
	ck_assert_uint_eq(list.count, 4);
	for (size_t i = 0; i < 4; i++)
		ck_assert_ptr_eq(list.items[i], have.items[i]);
	bound_list_clear(&list);
	bound_list_clear(&have);
}
END_TEST

/* Every socket has somebody, every process has some, and whatever is dealt out
 * is dealt out evenly. */
static void
check_deal(const struct bound_list *list, unsigned slots)
{
	unsigned owners[16] = { 0 };
	size_t chosen[16], least = 16, most = 0;

	for (unsigned slot = 0; slot < slots; slot++) {
		size_t n = bound_list_deal(list, &conf, slot, slots, chosen);

		least = n < least ? n : least;
		most = n > most ? n : most;
		for (size_t i = 0; i < n; i++) {
			ck_assert(i == 0 || chosen[i - 1] < chosen[i]);
			owners[chosen[i]]++;
		}
	}
	ck_assert_uint_ge(least, 1);
	ck_assert_uint_le(most - least, 1);
	for (size_t i = 0; i < list->count; i++)
		ck_assert_uint_ge(owners[i], 1);
	for (size_t i = 0; slots <= list->count && i < list->count; i++)
		ck_assert_uint_eq(owners[i], 1);
}

START_TEST(they_are_dealt_out)
{
	struct bound_list list;

	set_conf(5, inet[0], NULL);
	must_open(&list, NULL, NULL);
	for (unsigned slots = 1; slots <= 12; slots++)
		check_deal(&list, slots);
	bound_list_clear(&list);
}
END_TEST

START_TEST(without_the_key_all_have_all)
{
	struct bound_list list;
	size_t chosen[8];

	set_conf(2, inet[0], inet[2]);
	must_open(&list, NULL, NULL);
	conf.reuse_port = false;
	for (unsigned slot = 0; slot < 3; slot++)
		ck_assert_uint_eq(bound_list_deal(&list, &conf, slot, 3,
		    chosen), 4);
	bound_list_clear(&list);
}
END_TEST

START_TEST(a_udp_socket_that_nobody_else_has_is_kept)
{
	struct bound_list list, other = { 0 };

	set_conf(2, inet[0], inet[2]);
	must_open(&list, NULL, NULL);
	ck_assert_int_eq(bound_list_add(&other, list.items[3]), 0);
	bound_list_leave(&list);
	ck_assert_uint_eq(list.count, 1);
	ck_assert_ptr_eq(at(&list, 0)->transport, &udp_transport);
	ck_assert_uint_eq(other.items[0]->holders, 1);
	bound_list_clear(&list);
	bound_list_clear(&other);
}
END_TEST

Suite *
bound_suite(void)
{
	Suite *suite = suite_create("bound");
	TCase *tc = tcase_create("bound");

	tcase_add_loop_test(tc, there_is_one_for_each_process, 0, INET);
	tcase_add_loop_test(tc, one_that_joins_gets_nothing_before, 0, INET);
	tcase_add_loop_test(tc, with_fewer_processes_all_stay, 0, INET);
	tcase_add_test(tc, the_port_that_was_chosen_is_the_same_address);
	tcase_add_loop_test(tc, port_0_twice_is_two_addresses, 0, INET);
	tcase_add_test(tc, they_are_dealt_out);
	tcase_add_test(tc, without_the_key_all_have_all);
	tcase_add_test(tc, a_udp_socket_that_nobody_else_has_is_kept);
	suite_add_tcase(suite, tc);
	return suite;
}
