/* SPDX-License-Identifier: ISC */
#include <socketserver.h>
#include <stdlib.h>
#include <string.h>

/*
 * echo: bytes back as they come, or a line back for each line, until the peer
 * ends its side. A datagram comes back as one datagram, an empty one too.
 *
 * The prefix and the bytes share one buffer, so that both leave in one write.
 * It is small, since most messages are and a stack's pages cost memory; a peer
 * that fills it gets a large one.
 */
enum {
	PREFIX_MAX = 64,
	SMALL = 2048,
	LARGE = 262144,
};

/* What stands before each message: at most PREFIX_MAX bytes. */
static size_t
echo_prefix(ss_request *rq, char *buf)
{
	ss_service *service = ss_service_of(rq);
	size_t len;

	if (strcmp(ss_option_string(service, "prefix"), "worker") != 0)
		return 0;
	len = strnlen(ss_worker(rq), PREFIX_MAX - 2);
	memcpy(buf, ss_worker(rq), len);
	memcpy(buf + len, ": ", 2);
	return len + 2;
}

static int
echo_handle(ss_request *rq)
{
	char small[PREFIX_MAX + SMALL], *large = NULL, *buf = small;
	const char *mode = ss_option_string(ss_service_of(rq), "mode");
	bool is_line = strcmp(mode, "line") == 0;
	size_t prefix = echo_prefix(rq, buf), room = SMALL;
	size_t skip = 0;        /* the prefix is left out: its length */
	ssize_t len;

	for (;;) {
		char *message = buf + prefix;

		len = is_line ? ss_read_line(rq, message, room) :
		    ss_read(rq, message, room);
		if (len <= 0 || ss_write(rq, buf + skip,
		    prefix - skip + (size_t)len) != 0)
			break;
		/* A full buffer: the rest of this message is still to come. */
		bool is_full = (size_t)len == room;
		skip = is_full && message[len - 1] != '\n' ? prefix : 0;
		if (is_full && large == NULL &&
		    (large = malloc(PREFIX_MAX + LARGE)) != NULL) {
			buf = memcpy(large, small, prefix);
			room = LARGE;
		}
	}
	free(large);
	/* Nothing to a connection, but the answer to an empty datagram. */
	return len != 0 ? -1 : ss_write(rq, "", 0);
}

static const struct ss_option echo_options[] = {
	SS_OPTION_CHOICE("mode", "stream", "stream|line",
	    "stream: bytes back as they come; line: a line back for each line"),
	SS_OPTION_CHOICE("prefix", "", "|worker",
	    "worker: put the worker's name before each message"),
	SS_OPTION_END
};

SS_HANDLER(
	.name = "echo",
	.version = "1.0",
	.summary = "sends back what it receives",
	.kinds = SS_STREAM | SS_DATAGRAM | SS_THREADS | SS_FIBERS |
	    SS_READS_FIRST,
	.options = echo_options,
	.handle = echo_handle,
);
