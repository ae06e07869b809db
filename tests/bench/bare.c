// SPDX-License-Identifier: ISC
/*
 * bare.c - the socket and the conversation of the bare reference servers
 */
#include "bare.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BARE_BACKLOG = 4096, BARE_BUFFER = 65536, BARE_WORKERS = 64 };

void
bare_fail(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

static void
bare_arguments(struct bare *bare, int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "w:g:r:")) != -1) {
		if (c == 'w')
			bare->workers = (unsigned)strtoul(optarg, NULL, 10);
		else if (c == 'g')
			bare->greeting = optarg;
		else if (c == 'r')
			bare->reply = optarg;
		else
			exit(2);
	}
	bare->greeting_len = bare->greeting ? strlen(bare->greeting) : 0;
	bare->reply_len = bare->reply ? strlen(bare->reply) : 0;
}

static void
bare_bind(struct bare *bare, int type)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(addr);

	bare->fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	if (bare->fd < 0)
		bare_fail("socket");
	if (bind(bare->fd, (struct sockaddr *)&addr, len) < 0)
		bare_fail("bind");
	if (type == SOCK_STREAM && listen(bare->fd, BARE_BACKLOG) < 0)
		bare_fail("listen");
	if (getsockname(bare->fd, (struct sockaddr *)&addr, &len) < 0)
		bare_fail("getsockname");
	printf("%u\n", ntohs(addr.sin_port));
	fflush(stdout);
}

static int
send_all(int out, const char *data, size_t len)
{
	ssize_t sent;

	for (; len > 0; data += sent, len -= (size_t)sent) {
		sent = write(out, data, len);
		if (sent < 0)
			return -1;
	}
	return 0;
}

void
bare_open(struct bare *bare, int argc, char **argv, int type)
{
	*bare = (struct bare){ .fd = -1, .workers = BARE_WORKERS };
	bare_arguments(bare, argc, argv);
	bare_bind(bare, type);
}

int
bare_accept(const struct bare *bare)
{
	int fd;

	do
		fd = accept4(bare->fd, NULL, NULL, SOCK_CLOEXEC);
	while (fd < 0 && (errno == EINTR || errno == ECONNABORTED));
	if (fd < 0)
		bare_fail("accept");
	return fd;
}

void
bare_talk(const struct bare *bare, int in, int out)
{
	char data[BARE_BUFFER];
	ssize_t len;

	if (send_all(out, bare->greeting, bare->greeting_len) < 0)
		return;
	while ((len = read(in, data, sizeof(data))) > 0) {
		const char *answer = bare->reply ? bare->reply : data;
		size_t size = bare->reply ? bare->reply_len : (size_t)len;

		if (send_all(out, answer, size) < 0)
			return;
	}
}

void
bare_serve(const struct bare *bare, int fd)
{
	bare_talk(bare, fd, fd);
	(void)close(fd);	/* nothing was buffered: nothing can be lost */
}
