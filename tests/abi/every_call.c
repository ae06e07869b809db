/* SPDX-License-Identifier: ISC */
/*
 * A handler that uses every field, every call and every macro of the header:
 * compiled with all warnings, as C and as C++20, and linked with nothing.
 */
#include <socketserver.h>

static const struct ss_option rows[] = {
	SS_OPTION_STRING("input", NULL, "a string that is required"),
	SS_OPTION_END
};

static const struct ss_option options[] = {
	SS_OPTION_STRING("text", "", "a string"),
	SS_OPTION_INT("count", 1, 0, 10, "a number"),
	SS_OPTION_BOOL("loud", false, "a truth"),
	SS_OPTION_SECONDS("pause", 0.5, 0, 60, "a duration"),
	SS_OPTION_CHOICE("mode", "a", "a|b", "a word"),
	SS_OPTION_GROUPS("menu", rows, "groups"),
	SS_OPTION_END
};

static int
all_open(ss_service *service)
{
	const ss_group *group = ss_option_group(service, "menu", 0);

	ss_service_set_data(service, NULL);
	ss_service_log(service, SS_LOG_DEBUG, "%d %s %g",
	    ss_option_bool(service, "loud") +
	    (int)ss_option_int(service, "count") +
	    (int)ss_option_groups(service, "menu"),
	    ss_option_string(service, "text"),
	    ss_option_seconds(service, "pause"));
	return group == NULL ? 0 : ss_group_string(group, "input") == NULL ||
	    ss_group_int(group, "input") != 0 ||
	    ss_group_bool(group, "input") ||
	    ss_group_seconds(group, "input") > 0;
}

static void
all_close(ss_service *service)
{
	(void)ss_service_data(service);
}

static int
all_verify(ss_request *rq)
{
	socklen_t len;

	return ss_peer_address(rq, &len)->sa_family == AF_INET;
}

static int
all_setup(ss_request *rq)
{
	ss_set_data(rq, NULL);
	ss_set_timeout(rq, 1000);
	return ss_is_datagram(rq) ? ss_fd(rq) : 0;
}

static int
all_handle(ss_request *rq)
{
	char buf[64];

	if (ss_read(rq, buf, sizeof(buf)) < 0 ||
	    ss_read_line(rq, buf, sizeof(buf)) < 0 ||
	    ss_write(rq, buf, sizeof(buf)) != 0 ||
	    ss_printf(rq, "%s %s", ss_peer(rq), ss_local(rq)) != 0)
		return -1;
	while (!ss_draining(rq))
		if (ss_sleep(rq, 1) != 0)
			return -1;
	return ss_flush(rq) + ss_end_write(rq);
}

static void
all_finish(ss_request *rq)
{
	(void)ss_data(rq);
}

static void
all_error(ss_request *rq, int status)
{
	ss_log(rq, SS_LOG_ERROR, "%s %d: %d", ss_worker(rq), (int)ss_id(rq),
	    status);
}

static void
all_tick(ss_service *service)
{
	(void)service;
}

SS_HANDLER(
	.name = "every_call",
	.version = "1.0",
	.summary = "uses all of the header",
	.kinds = SS_STREAM | SS_DATAGRAM | SS_THREADS | SS_FIBERS |
	    SS_NEEDS_FD | SS_READS_FIRST,
	.options = options,
	.open = all_open,
	.close = all_close,
	.verify = all_verify,
	.setup = all_setup,
	.handle = all_handle,
	.finish = all_finish,
	.error = all_error,
	.tick = all_tick,
);
