/* SPDX-License-Identifier: ISC */
#include <socketserver.h>
#include <string.h>

/*
 * reply: receives once, sends a fixed text and closes; a datagram gets the text
 * as one datagram. With read_first = false it sends without having received,
 * which is why it does not declare SS_READS_FIRST.
 */
static int
receive_once(ss_request *rq)
{
	char buf[1024];
	ssize_t len = ss_read(rq, buf, sizeof(buf));

	if (len < 0)
		return -1;
	if (ss_option_bool(ss_service_of(rq), "log_request"))
		ss_log(rq, SS_LOG_INFO, "%.*s", (int)len, buf);
	return 0;
}

static int
reply_handle(ss_request *rq)
{
	ss_service *service = ss_service_of(rq);
	const char *text = ss_option_string(service, "text");

	if (ss_option_bool(service, "read_first") && receive_once(rq) != 0)
		return -1;
	return ss_write(rq, text, strlen(text));
}

static const struct ss_option reply_options[] = {
	SS_OPTION_STRING("text", NULL, "what is sent"),
	SS_OPTION_BOOL("read_first", true, "wait for bytes, then send"),
	SS_OPTION_BOOL("log_request", false, "log what was received"),
	SS_OPTION_END
};

SS_HANDLER(
	.name = "reply",
	.version = "1.0",
	.summary = "sends a fixed text and closes",
	.kinds = SS_STREAM | SS_DATAGRAM | SS_THREADS | SS_FIBERS,
	.options = reply_options,
	.handle = reply_handle,
);
