/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/channel.h"
#include "base/fd.h"
#include "base_suites.h"

static int super, service;      /* the two ends */

static void
begin(void)
{
	int fds[2];

	ck_assert_int_eq(channel_pair(fds), 0);
	super = fds[0];
	service = fds[1];
}

/* Descriptors in use. */
static int
count_open(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static int
receive(int channel, enum channel_side side, struct message *message)
{
	int fd, r = channel_receive(channel, side, message, &fd);

	ck_assert_int_eq(fd, -1);
	return r;
}

START_TEST(a_message_arrives_whole)
{
	struct message message;

	ck_assert_int_eq(receive(super, CHANNEL_SUPERVISOR, &message), -EAGAIN);
	ck_assert_int_eq(channel_send(service, MESSAGE_FAILED, -7,
	    "no such option", -1), 0);
	ck_assert_int_eq(receive(super, CHANNEL_SUPERVISOR, &message), 0);
	ck_assert_uint_eq(message.type, MESSAGE_FAILED);
	ck_assert_int_eq(message.value, -7);
	ck_assert_str_eq(message.text, "no such option");
	ck_assert_int_eq(channel_send(super, MESSAGE_DRAIN, 30000, NULL, -1),
	    0);
	ck_assert_int_eq(receive(service, CHANNEL_SERVICE, &message), 0);
	ck_assert_uint_eq(message.type, MESSAGE_DRAIN);
	ck_assert_str_eq(message.text, "");
}
END_TEST

START_TEST(a_long_text_is_cut)
{
	struct message message;
	char text[1000];

	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	ck_assert_int_eq(channel_send(service, MESSAGE_FAILED, 0, text, -1), 0);
	ck_assert_int_eq(receive(super, CHANNEL_SUPERVISOR, &message), 0);
	ck_assert_uint_eq(strlen(message.text), CHANNEL_TEXT_SIZE - 1);
}
END_TEST

START_TEST(the_end_is_told)
{
	struct message message;

	ck_assert_int_eq(channel_send(service, MESSAGE_DONE, 0, NULL, -1), 0);
	fd_close(&service);
	ck_assert_int_eq(receive(super, CHANNEL_SUPERVISOR, &message), 0);
	ck_assert_int_eq(receive(super, CHANNEL_SUPERVISOR, &message), -EPIPE);
	ck_assert_int_eq(channel_send(super, MESSAGE_DRAIN, 0, NULL, -1),
	    -EPIPE);
}
END_TEST

START_TEST(a_message_nobody_reads_is_dropped)
{
	int r, n = 0;

	while ((r = channel_send(super, MESSAGE_DRAIN, 0, NULL, -1)) == 0)
		n++;
	ck_assert_int_eq(r, -EAGAIN);
	ck_assert_int_gt(n, 10);
}
END_TEST

START_TEST(a_descriptor_rides_along)
{
	struct message message;
	int fds[2], fd, before;

	ck_assert_int_eq(pipe(fds), 0);
	before = count_open();
	ck_assert_int_eq(channel_send(super, MESSAGE_LOG_FD, 0, NULL, fds[1]),
	    0);
	ck_assert_int_eq(channel_receive(service, CHANNEL_SERVICE, &message,
			     &fd),
	    0);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(count_open(), before + 1);
}
END_TEST

START_TEST(a_descriptor_that_is_missing_is_a_fault)
{
	struct message message;

	ck_assert_int_eq(channel_send(super, MESSAGE_LOG_FD, 0, NULL, -1), 0);
	ck_assert_int_eq(receive(service, CHANNEL_SERVICE, &message), -EPROTO);
}
END_TEST

/* count descriptors with a message of len bytes, as a hostile service would. */
static void
send_raw(const void *data, size_t len, size_t count)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(16 * sizeof(int))];
	} control = { 0 };
	struct iovec iov = { (void *)(uintptr_t)data, len };
	struct msghdr header = { .msg_iov = &iov, .msg_iovlen = 1 };
	int fds[16] = { 0 };

	if (count) {
		header.msg_control = &control;
		header.msg_controllen = CMSG_SPACE(count * sizeof(int));
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(&control.header), fds, count * sizeof(int));
	}
	ck_assert_int_eq(sendmsg(service, &header, 0), (ssize_t)len);
}

START_TEST(descriptors_that_come_unasked_are_closed)
{
	const struct message good = {
		.type = MESSAGE_READY, .size = sizeof(good),
	};
	struct message message;
	const int before = count_open();

	for (size_t count = 1; count <= 16; count++) {
		int r;

		send_raw(&good, sizeof(good), count);
		r = receive(super, CHANNEL_SUPERVISOR, &message);
		ck_assert_int_eq(r, count <= 4 ? 0 : -EPROTO);
		ck_assert_int_eq(count_open(), before);
	}
}
END_TEST

START_TEST(what_is_no_message_is_a_fault)
{
	struct message one = { .type = MESSAGE_READY, .size = sizeof(one) };
	struct message message;
	char two[2 * sizeof(one)] = { 0 };

	send_raw(&one, sizeof(one) - 1, 0);
	ck_assert_int_eq(receive(super, CHANNEL_SUPERVISOR, &message), -EPROTO);
	send_raw(&one, 1, 3);
	ck_assert_int_eq(receive(super, CHANNEL_SUPERVISOR, &message), -EPROTO);
	send_raw(&one, 0, 0);
	ck_assert_int_eq(receive(super, CHANNEL_SUPERVISOR, &message), -EPROTO);
	memcpy(two, &one, sizeof(one));
	send_raw(two, sizeof(two), 0);
	ck_assert_int_eq(receive(super, CHANNEL_SUPERVISOR, &message), -EPROTO);
	one.size--;
	send_raw(&one, sizeof(one), 0);
	ck_assert_int_eq(receive(super, CHANNEL_SUPERVISOR, &message), -EPROTO);
	one.size++;
	memset(one.text, 'a', sizeof(one.text));
	send_raw(&one, sizeof(one), 0);
	ck_assert_int_eq(receive(super, CHANNEL_SUPERVISOR, &message), -EPROTO);
	one.text[CHANNEL_TEXT_SIZE - 1] = '\0';
	send_raw(&one, sizeof(one), 0);
	ck_assert_int_eq(receive(super, CHANNEL_SUPERVISOR, &message), 0);
}
END_TEST

/* Every type from every side: allowed on exactly one. */
START_TEST(each_type_has_one_direction)
{
	static const uint32_t types[] = {
		MESSAGE_NONE, MESSAGE_TAKE, MESSAGE_DRAIN, MESSAGE_LOG_LEVEL,
		MESSAGE_LOG, MESSAGE_KILL, MESSAGE_PING, MESSAGE_READY, MESSAGE_FAILED, MESSAGE_BUSY,
		MESSAGE_RELEASED, MESSAGE_PONG, MESSAGE_DONE, MESSAGE_TYPES, 0x7fffffff, 0x80000000, 0xffffffff,
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		const struct message one = {
			.type = types[i], .size = sizeof(one),
		};
		const int up = types[i] >= MESSAGE_READY &&
		    types[i] < MESSAGE_TYPES ? 0 : -EPROTO;
		const int down = types[i] > MESSAGE_NONE &&
		    types[i] < MESSAGE_READY ? 0 : -EPROTO;
		struct message message;

		ck_assert_int_eq(write(service, &one, sizeof(one)),
		    sizeof(one));
		ck_assert_int_eq(receive(super, CHANNEL_SUPERVISOR, &message),
		    up);
		ck_assert_int_eq(write(super, &one, sizeof(one)), sizeof(one));
		ck_assert_int_eq(receive(service, CHANNEL_SERVICE, &message),
		    down);
	}
}
END_TEST

START_TEST(types_have_names)
{
	for (unsigned t = MESSAGE_NONE + 1; t < MESSAGE_TYPES; t++)
		ck_assert_str_ne(message_name((enum message_type)t), "unknown");
	ck_assert_str_eq(message_name(MESSAGE_DRAIN), "DRAIN");
	ck_assert_str_eq(message_name(MESSAGE_NONE), "unknown");
	ck_assert_str_eq(message_name(MESSAGE_TYPES), "unknown");
}
END_TEST

Suite *
channel_suite(void)
{
	Suite *suite = suite_create("channel");
	TCase *tcase = tcase_create("channel");

	tcase_add_checked_fixture(tcase, begin, NULL);
	tcase_add_test(tcase, a_message_arrives_whole);
	tcase_add_test(tcase, a_long_text_is_cut);
	tcase_add_test(tcase, the_end_is_told);
	tcase_add_test(tcase, a_message_nobody_reads_is_dropped);
	tcase_add_test(tcase, a_descriptor_rides_along);
	tcase_add_test(tcase, a_descriptor_that_is_missing_is_a_fault);
	tcase_add_test(tcase, descriptors_that_come_unasked_are_closed);
	tcase_add_test(tcase, what_is_no_message_is_a_fault);
	tcase_add_test(tcase, each_type_has_one_direction);
	tcase_add_test(tcase, types_have_names);
	suite_add_tcase(suite, tcase);
	return suite;
}
