// SPDX-License-Identifier: ISC
/*
 * bare_udp.c - recvfrom and sendto in a loop: the floor of "sync" over UDP
 */
#include "bare.h"

#include <netinet/in.h>
#include <sys/socket.h>

enum { DATAGRAM_MAX = 65535 };

int
main(int argc, char **argv)
{
	static char data[DATAGRAM_MAX];
	struct sockaddr_storage peer;
	struct bare bare;

	bare_open(&bare, argc, argv, SOCK_DGRAM);
	for (;;) {
		socklen_t len = sizeof(peer);
		struct sockaddr *addr = (struct sockaddr *)&peer;
		ssize_t size;

		size = recvfrom(bare.fd, data, sizeof(data), 0, addr, &len);
		if (size < 0)
			bare_fail("recvfrom");
		if (sendto(bare.fd, data, (size_t)size, 0, addr, len) < 0)
			bare_fail("sendto");
	}
}
