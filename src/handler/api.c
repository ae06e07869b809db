/* SPDX-License-Identifier: ISC */
/*
 * The public calls of socketserver.h, from the daemon's side: errors become -1
 * and errno, public pointers become ours. Called by handlers, in any thread.
 */
#include "handler/api.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "handler/host.h"
#include "handler/options.h"
#include "handler/request.h"

static struct request *
request_of(ss_request *pub)
{
	return (struct request *)(void *)pub;
}

static struct host *
host_of(ss_service *pub)
{
	return (struct host *)(void *)pub;
}

static ssize_t
answer(ssize_t r)
{
	if (r >= 0)
		return r;
	errno = (int)-r;
	return -1;
}

static ssize_t
api_read(ss_request *pub, void *data, size_t size)
{
	return answer(request_read(request_of(pub), data, size));
}

static ssize_t
api_read_line(ss_request *pub, void *data, size_t size)
{
	return answer(request_read_line(request_of(pub), data, size));
}

static int
api_write(ss_request *pub, const void *data, size_t len)
{
	return (int)answer(request_write(request_of(pub), data, len));
}

static int
api_vprintf(ss_request *pub, const char *format, va_list ap)
{
	char small[512];
	struct buf text;
	va_list again;

	va_copy(again, ap);
	int n = vsnprintf(small, sizeof(small), format, ap);
	if (n >= 0 && (size_t)n < sizeof(small)) {
		va_end(again);
		return api_write(pub, small, (size_t)n);
	}
	buf_init(&text, 0);
	int r = buf_vprintf(&text, format, again);
	va_end(again);
	if (r == 0)
		r = request_write(request_of(pub), text.data, text.len);
	buf_free(&text);
	return (int)answer(r);
}

static int
api_flush(ss_request *pub)
{
	return (int)answer(request_flush(request_of(pub)));
}

static int
api_end_write(ss_request *pub)
{
	return (int)answer(request_end_write(request_of(pub)));
}

static const char *
api_peer(ss_request *pub)
{
	return request_peer(request_of(pub));
}

static const char *
api_local(ss_request *pub)
{
	return request_local(request_of(pub));
}

static const struct sockaddr *
api_peer_address(ss_request *pub, socklen_t *len)
{
	const struct arrival *arrival = &request_of(pub)->arrival;

	if (len != NULL)
		*len = arrival->peer_len;
	return (const struct sockaddr *)&arrival->peer;
}

static const char *
api_worker(ss_request *pub)
{
	return request_of(pub)->worker;
}

static uint64_t
api_id(ss_request *pub)
{
	return request_of(pub)->id;
}

static ss_service *
api_service_of(ss_request *pub)
{
	return &request_of(pub)->host->service;
}

static void
api_set_timeout(ss_request *pub, int ms)
{
	request_of(pub)->timeout_ms = ms > 0 ? ms : 0;
}

static int
api_sleep(ss_request *pub, int ms)
{
	struct request *rq = request_of(pub);

	return (int)answer(request_sleep(rq, ms > 0 ? ms : 0));
}

static bool
api_draining(ss_request *pub)
{
	return host_is_draining(request_of(pub)->host);
}

/* Only handlers that said SS_NEEDS_FD may have it: under TLS, or a model that
 * waits for them, the descriptor is not theirs to use. */
static int
api_fd(ss_request *pub)
{
	struct request *rq = request_of(pub);

	if (!(rq->host->module->handler.kinds & SS_NEEDS_FD)) {
		errno = EPERM;
		return -1;
	}
	return rq->arrival.fd;
}

static bool
api_is_datagram(ss_request *pub)
{
	return !request_of(pub)->arrival.endpoint->transport->is_stream;
}

static void
api_vlog(ss_request *pub, enum ss_log_level level, const char *format,
    va_list ap)
{
	struct request *rq = request_of(pub);
	struct log_fields fields = {
		.listener = rq->host->conf->name,
		.generation = rq->host->generation,
		.worker = rq->worker,
		.request = rq->id,
	};

	if (!log_is_on((enum log_level)level))
		return;
	fields.peer = request_peer(rq);
	log_vwrite((enum log_level)level, &fields, format, ap);
}

static void
api_service_vlog(ss_service *pub, enum ss_log_level level, const char *format,
    va_list ap)
{
	struct host *host = host_of(pub);
	struct log_fields fields = {
		.listener = host->conf->name,
		.generation = host->generation,
	};
	va_list again;

	va_copy(again, ap);
	if (host->is_opening)
		(void)vsnprintf(host->last_log, sizeof(host->last_log),
		    format, again);
	va_end(again);
	log_vwrite((enum log_level)level, &fields, format, ap);
}

static const char *
api_option_string(ss_service *pub, const char *name)
{
	return options_string(host_of(pub)->options, name);
}

static int64_t
api_option_int(ss_service *pub, const char *name)
{
	return options_int(host_of(pub)->options, name);
}

static bool
api_option_bool(ss_service *pub, const char *name)
{
	return options_bool(host_of(pub)->options, name);
}

static double
api_option_seconds(ss_service *pub, const char *name)
{
	return options_seconds(host_of(pub)->options, name);
}

static size_t
api_option_groups(ss_service *pub, const char *name)
{
	return options_groups(host_of(pub)->options, name);
}

static const ss_group *
api_option_group(ss_service *pub, const char *name, size_t i)
{
	return options_group(host_of(pub)->options, name, i);
}

static const char *
api_group_string(const ss_group *group, const char *name)
{
	return options_string(options_of_group(group), name);
}

static int64_t
api_group_int(const ss_group *group, const char *name)
{
	return options_int(options_of_group(group), name);
}

static bool
api_group_bool(const ss_group *group, const char *name)
{
	return options_bool(options_of_group(group), name);
}

static double
api_group_seconds(const ss_group *group, const char *name)
{
	return options_seconds(options_of_group(group), name);
}

const struct ss_api handler_api = {
	.abi = SS_ABI,
	.size = sizeof(struct ss_api),
	.read = api_read,
	.read_line = api_read_line,
	.write = api_write,
	.vprintf = api_vprintf,
	.flush = api_flush,
	.end_write = api_end_write,
	.peer = api_peer,
	.local = api_local,
	.peer_address = api_peer_address,
	.worker = api_worker,
	.id = api_id,
	.service_of = api_service_of,
	.set_timeout = api_set_timeout,
	.sleep = api_sleep,
	.draining = api_draining,
	.fd = api_fd,
	.vlog = api_vlog,
	.service_vlog = api_service_vlog,
	.option_string = api_option_string,
	.option_int = api_option_int,
	.option_bool = api_option_bool,
	.option_seconds = api_option_seconds,
	.option_groups = api_option_groups,
	.option_group = api_option_group,
	.group_string = api_group_string,
	.group_int = api_group_int,
	.group_bool = api_group_bool,
	.group_seconds = api_group_seconds,
	.is_datagram = api_is_datagram,
};
