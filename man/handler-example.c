/* SPDX-License-Identifier: ISC */
#include <socketserver.h>

static int
hello_handle(ss_request *rq)
{
	char name[256];
	ssize_t len;

	while ((len = ss_read_line(rq, name, sizeof(name))) > 0)
		if (ss_printf(rq, "Hello, %.*s", (int)len, name) != 0)
			return -1;
	return (int)len;
}

SS_HANDLER(
	.name = "hello",
	.summary = "greets each name that it is told",
	.kinds = SS_STREAM | SS_DATAGRAM | SS_THREADS | SS_FIBERS,
	.handle = hello_handle,
);
