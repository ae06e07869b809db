/* SPDX-License-Identifier: ISC */
#include <socketserver.h>

/*
 * discard: reads until the peer ends its side and answers nothing; logs what
 * it reads when asked to.
 */
static int
discard_handle(ss_request *rq)
{
	char buf[4096];
	bool is_logged = ss_option_bool(ss_service_of(rq), "log");
	ssize_t len;

	while ((len = ss_read(rq, buf, sizeof(buf))) > 0)
		if (is_logged)
			ss_log(rq, SS_LOG_INFO, "%.*s", (int)len, buf);
	return (int)len;
}

static const struct ss_option discard_options[] = {
	SS_OPTION_BOOL("log", false, "log what is read"),
	SS_OPTION_END
};

SS_HANDLER(
	.name = "discard",
	.version = "1.0",
	.summary = "reads everything and answers nothing",
	.kinds = SS_STREAM | SS_DATAGRAM | SS_THREADS | SS_FIBERS |
	    SS_READS_FIRST,
	.options = discard_options,
	.handle = discard_handle,
);
