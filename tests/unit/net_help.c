/* SPDX-License-Identifier: ISC */
#include "net_help.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char directory[64];

TCase *
net_case(Suite *suite, const char *name)
{
	TCase *tc = tcase_create(name);

	tcase_set_timeout(tc, 20);
	suite_add_tcase(suite, tc);
	return tc;
}

struct listener_conf
net_conf(void)
{
	return (struct listener_conf){
		.name = "test",
		.backlog = 16,
		.reuse_address = true,
		.nodelay = true,
		.keepalive_s = -1,
		.timeout_ms = 5000,
		.max_datagram_bytes = 65535,
		.bind_device = "",
		.mode = -1,
		.owner = "",
		.group_owner = "",
	};
}

struct endpoint
must_open(const char *address, const struct listener_conf *conf)
{
	struct endpoint ep;
	struct err err = { "" };
	int r = endpoint_open(&ep, address, conf, &err);

	ck_assert_msg(r == 0, "%s", err.text);
	r = ep.transport->ready(&ep, conf, &err);
	ck_assert_msg(r == 0, "%s", err.text);
	return ep;
}

int
must_refuse(const char *address, const struct listener_conf *conf,
    const char *word, const char *word2)
{
	struct endpoint ep;
	struct err err = { "" };
	int r = endpoint_open(&ep, address, conf, &err);

	ck_assert_int_lt(r, 0);
	ck_assert_int_eq(ep.fd, -1);
	ck_assert_msg(strstr(err.text, word) != NULL, "%s", err.text);
	ck_assert_msg(strstr(err.text, word2) != NULL, "%s", err.text);
	return r;
}

void
scratch_make(void)
{
	strcpy(directory, "/tmp/unit-net-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
}

void
scratch_remove(void)
{
	DIR *dir = opendir(directory);

	for (struct dirent *e; dir && (e = readdir(dir)) != NULL;)
		(void)unlinkat(dirfd(dir), e->d_name,
		    e->d_type == DT_DIR ? AT_REMOVEDIR : 0);
	if (dir)
		closedir(dir);
	(void)rmdir(directory);
}

const char *
scratch_path(const char *name)
{
	static char path[2][256];
	static unsigned turn;
	char *to = path[turn++ % 2];

	(void)snprintf(to, sizeof(path[0]), "%s/%s", directory, name);
	return to;
}

const char *
abstract(const char *scheme)
{
	static char address[64];

	(void)snprintf(address, sizeof(address), "%s:@unit-net-%d", scheme,
	    (int)getpid());
	return address;
}

const char *
scratch(const char *scheme, const char *name)
{
	static char address[256];

	(void)snprintf(address, sizeof(address), "%s:%s/%s", scheme, directory,
	    name);
	return address;
}

int
must_dial(const struct endpoint *ep)
{
	int fd = socket(ep->addr.sa.ss_family,
	    ep->transport->is_stream ? SOCK_STREAM : SOCK_DGRAM, 0);
	struct timeval limit = { .tv_sec = 10 };

	ck_assert_int_ge(fd, 0);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	ck_assert_msg(connect(fd, (const struct sockaddr *)&ep->addr.sa,
		ep->addr.len) == 0, "%s: %m", ep->address);
	return fd;
}

void
must_send(int fd, const char *text)
{
	ck_assert_int_eq(send(fd, text, strlen(text), 0),
	    (ssize_t)strlen(text));
}

void
must_receive(int fd, const char *text)
{
	char data[256];
	ssize_t n = recv(fd, data, sizeof(data) - 1, 0);

	ck_assert_msg(n >= 0, "recv: %m");
	data[n] = '\0';
	ck_assert_str_eq(data, text);
}

int
option_of(int fd, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	ck_assert_int_eq(getsockopt(fd, level, name, &value, &len), 0);
	return value;
}

struct arrival
room_for(char *data, size_t size)
{
	return (struct arrival){ .fd = -1, .data = data, .size = size };
}

const char *
text_of(const struct sockaddr_storage *sa, socklen_t len)
{
	static char text[ADDR_TEXT_SIZE];

	return sockaddr_format((const struct sockaddr *)sa, len, text);
}
