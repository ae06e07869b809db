/* SPDX-License-Identifier: ISC */
/*
 * The far side of socketserver.h, without a daemon. Asserts where a handler
 * asks for what its own table does not have.
 */
#include "fake_api.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct fake *
fake_of(ss_request *rq)
{
	return (struct fake *)(void *)rq;
}

static const struct fake_values *
values_of(ss_service *service)
{
	return &((struct fake_service *)(void *)service)->fake->values;
}

/* Input */

static const char *
input(const struct fake *fake, size_t *len)
{
	const struct fake_chunk *chunk = &fake->chunks[fake->chunk_at];

	*len = 0;
	if (fake->chunk_at == fake->chunk_count)
		return NULL;
	*len = chunk->len - fake->chunk_taken;
	return chunk->data + fake->chunk_taken;
}

static void
input_take(struct fake *fake, size_t len)
{
	fake->chunk_taken += len;
	if (fake->chunk_taken == fake->chunks[fake->chunk_at].len) {
		fake->chunk_at++;
		fake->chunk_taken = 0;
	}
}

static ssize_t
input_end(const struct fake *fake)
{
	if (fake->read_errno == 0)
		return 0;
	errno = fake->read_errno;
	return -1;
}

static ssize_t
fake_read(ss_request *rq, void *buf, size_t len)
{
	struct fake *fake = fake_of(rq);
	size_t have;
	const char *data = input(fake, &have);

	if (len == 0)
		return 0;
	if (data == NULL || have == 0)
		return input_end(fake);
	if (len > have)
		len = have;
	memcpy(buf, data, len);
	input_take(fake, len);
	fake->reads++;
	return (ssize_t)len;
}

static ssize_t
fake_read_line(ss_request *rq, void *buf, size_t len)
{
	char *out = buf;
	size_t done = 0;

	while (done < len) {
		ssize_t r = fake_read(rq, out + done, 1);

		if (r < 0)
			return -1;
		if (r == 0 || out[done++] == '\n')
			break;
	}
	return (ssize_t)done;
}

/* Output */

static int
fake_write(ss_request *rq, const void *buf, size_t len)
{
	struct fake *fake = fake_of(rq);

	if (fake->is_write_ended || fake->writes >= fake->write_limit) {
		errno = EPIPE;
		return -1;
	}
	fake->out = realloc(fake->out, fake->out_len + len + 1);
	assert(fake->out != NULL);
	memcpy(fake->out + fake->out_len, buf, len);
	fake->out_len += len;
	fake->out[fake->out_len] = '\0';
	fake->writes++;
	fake->writes_before_read += fake->reads == 0;
	fake->has_reply = true;
	return 0;
}

static int
fake_vprintf(ss_request *rq, const char *format, va_list ap)
{
	char *text;
	int len = vasprintf(&text, format, ap);
	int r;

	if (len < 0)
		return -1;
	r = fake_write(rq, text, (size_t)len);
	free(text);
	return r;
}

static int
fake_flush(ss_request *rq)
{
	struct fake *fake = fake_of(rq);

	if (fake->is_datagram && fake->has_reply)
		fake->replies++;
	fake->has_reply = false;
	return 0;
}

static int
fake_end_write(ss_request *rq)
{
	fake_of(rq)->is_write_ended = !fake_of(rq)->is_datagram;
	return fake_flush(rq);
}

/* Who and where */

static const char *
fake_peer(ss_request *rq)
{
	(void)rq;
	return "127.0.0.1:50312";
}

static const char *
fake_local(ss_request *rq)
{
	(void)rq;
	return "127.0.0.1:7";
}

static const struct sockaddr *
fake_peer_address(ss_request *rq, socklen_t *len)
{
	static const struct sockaddr unnamed = { .sa_family = AF_UNIX };

	(void)rq;
	if (len != NULL)
		*len = 0;
	return &unnamed;
}

static const char *
fake_worker(ss_request *rq)
{
	return fake_of(rq)->worker;
}

static uint64_t
fake_id(ss_request *rq)
{
	(void)rq;
	return 1;
}

static ss_service *
fake_service_of(ss_request *rq)
{
	return &fake_of(rq)->service.pub;
}

static int
fake_fd(ss_request *rq)
{
	(void)rq;
	errno = EPERM;
	return -1;
}

static bool
fake_is_datagram(ss_request *rq)
{
	return fake_of(rq)->is_datagram;
}

/* Time and log */

static void
fake_set_timeout(ss_request *rq, int ms)
{
	fake_of(rq)->timeout_ms = ms;
}

static int
fake_sleep(ss_request *rq, int ms)
{
	fake_of(rq)->slept_ms += ms;
	return 0;
}

static bool
fake_draining(ss_request *rq)
{
	return fake_of(rq)->is_draining;
}

static void
fake_service_vlog(ss_service *service, enum ss_log_level level,
    const char *format, va_list ap)
{
	char *log = ((struct fake_service *)(void *)service)->fake->log;
	size_t used = strlen(log);

	(void)level;
	(void)vsnprintf(log + used, FAKE_LOG - 1 - used, format, ap);
	strcat(log, "\n");
}

static void
fake_vlog(ss_request *rq, enum ss_log_level level, const char *format,
    va_list ap)
{
	fake_service_vlog(fake_service_of(rq), level, format, ap);
}

/* Options */

static const struct ss_option *
row_find(const struct ss_option *table, const char *name)
{
	for (; table != NULL && table->type != SS_OPTION_TYPE_END; table++)
		if (strcmp(table->name, name) == 0)
			return table;
	fprintf(stderr, "the handler declares no option \"%s\"\n", name);
	abort();
}

/* The value that was set, or one made of the row's default. */
static struct fake_value
value_find(const struct fake_values *values, const char *name)
{
	const struct ss_option *row = row_find(values->table, name);

	for (size_t i = 0; i < values->count; i++)
		if (strcmp(values->items[i].name, name) == 0)
			return values->items[i];
	return (struct fake_value){ name, row->string, row->integer,
	    row->seconds };
}

static struct fake_value *
value_add(struct fake_values *values, const char *name)
{
	struct fake_value *value = &values->items[values->count++];

	assert(values->count <= FAKE_VALUES);
	(void)row_find(values->table, name);
	value->name = name;
	return value;
}

static const struct fake_values *
values_of_group(const ss_group *group)
{
	return &((const struct fake_group *)(const void *)group)->values;
}

static const char *
fake_option_string(ss_service *service, const char *name)
{
	const char *string = value_find(values_of(service), name).string;

	assert(string != NULL);         /* the test must give what is required */
	return string;
}

static int64_t
fake_option_int(ss_service *service, const char *name)
{
	return value_find(values_of(service), name).integer;
}

static bool
fake_option_bool(ss_service *service, const char *name)
{
	return value_find(values_of(service), name).integer != 0;
}

static double
fake_option_seconds(ss_service *service, const char *name)
{
	return value_find(values_of(service), name).seconds;
}

static const ss_group *
fake_option_group(ss_service *service, const char *name, size_t i)
{
	struct fake *fake = ((struct fake_service *)(void *)service)->fake;

	for (size_t at = 0; at < fake->group_count; at++)
		if (strcmp(fake->groups[at].option, name) == 0 && i-- == 0)
			return &fake->groups[at].pub;
	return NULL;
}

static size_t
fake_option_groups(ss_service *service, const char *name)
{
	size_t n = 0;

	assert(row_find(values_of(service)->table, name)->type ==
	    SS_OPTION_TYPE_GROUPS);
	while (fake_option_group(service, name, n) != NULL)
		n++;
	return n;
}

static const char *
fake_group_string(const ss_group *group, const char *name)
{
	return value_find(values_of_group(group), name).string;
}

static int64_t
fake_group_int(const ss_group *group, const char *name)
{
	return value_find(values_of_group(group), name).integer;
}

static bool
fake_group_bool(const ss_group *group, const char *name)
{
	return value_find(values_of_group(group), name).integer != 0;
}

static double
fake_group_seconds(const ss_group *group, const char *name)
{
	return value_find(values_of_group(group), name).seconds;
}

static const struct ss_api fake_api = {
	.abi = SS_ABI,
	.size = sizeof(struct ss_api),
	.read = fake_read,
	.read_line = fake_read_line,
	.write = fake_write,
	.vprintf = fake_vprintf,
	.flush = fake_flush,
	.end_write = fake_end_write,
	.peer = fake_peer,
	.local = fake_local,
	.peer_address = fake_peer_address,
	.worker = fake_worker,
	.id = fake_id,
	.service_of = fake_service_of,
	.set_timeout = fake_set_timeout,
	.sleep = fake_sleep,
	.draining = fake_draining,
	.fd = fake_fd,
	.vlog = fake_vlog,
	.service_vlog = fake_service_vlog,
	.option_string = fake_option_string,
	.option_int = fake_option_int,
	.option_bool = fake_option_bool,
	.option_seconds = fake_option_seconds,
	.option_groups = fake_option_groups,
	.option_group = fake_option_group,
	.group_string = fake_group_string,
	.group_int = fake_group_int,
	.group_bool = fake_group_bool,
	.group_seconds = fake_group_seconds,
	.is_datagram = fake_is_datagram,
};

/* For the test */

void
fake_set_string(struct fake *fake, const char *name, const char *value)
{
	value_add(&fake->values, name)->string = value;
}

void
fake_set_int(struct fake *fake, const char *name, int64_t value)
{
	value_add(&fake->values, name)->integer = value;
}

void
fake_set_bool(struct fake *fake, const char *name, bool value)
{
	value_add(&fake->values, name)->integer = value;
}

void
fake_set_seconds(struct fake *fake, const char *name, double value)
{
	value_add(&fake->values, name)->seconds = value;
}

struct fake_group *
fake_add_group(struct fake *fake, const char *option)
{
	struct fake_group *group = &fake->groups[fake->group_count++];

	assert(fake->group_count <= FAKE_GROUPS);
	group->pub.api = &fake_api;
	group->option = option;
	group->values.table = row_find(fake->values.table, option)->table;
	return group;
}

void
fake_group_set_string(struct fake_group *group, const char *name,
    const char *value)
{
	value_add(&group->values, name)->string = value;
}

void
fake_receive(struct fake *fake, const void *data, size_t len)
{
	struct fake_chunk *chunk = &fake->chunks[fake->chunk_count++];

	assert(fake->chunk_count <= FAKE_CHUNKS);
	chunk->data = malloc(len + 1);
	assert(chunk->data != NULL);
	memcpy(chunk->data, data, len);
	chunk->len = len;
}

void
fake_datagram(struct fake *fake, const void *data, size_t len)
{
	assert(fake->chunk_count == 0);
	fake->is_datagram = true;
	fake_receive(fake, data, len);
}

static int
serve_request(struct fake *fake)
{
	const struct ss_handler *handler = fake->handler;
	int status = 0;
	bool is_set_up;

	if (handler->verify != NULL && handler->verify(&fake->rq) == 0)
		return -1;
	if (handler->setup != NULL)
		status = handler->setup(&fake->rq);
	is_set_up = status == 0;
	if (is_set_up)
		status = handler->handle(&fake->rq);
	fake->errors += status != 0;
	if (status != 0 && handler->error != NULL)
		handler->error(&fake->rq, status);
	if (is_set_up && handler->finish != NULL)
		handler->finish(&fake->rq);
	fake->finishes += is_set_up;
	return status;
}

int
fake_serve(struct fake *fake)
{
	const struct ss_handler *handler = fake->handler;
	int status;

	if (handler->open != NULL && handler->open(&fake->service.pub) != 0)
		return -1;
	status = serve_request(fake);
	(void)fake_flush(&fake->rq);
	if (handler->close != NULL)
		handler->close(&fake->service.pub);
	return status;
}

struct fake *
fake_new(const struct ss_handler *handler)
{
	struct fake *fake = calloc(1, sizeof(*fake));

	assert(fake != NULL);
	fake->rq.api = &fake_api;
	fake->service.pub.api = &fake_api;
	fake->service.fake = fake;
	fake->handler = handler;
	fake->values.table = handler->options;
	fake->worker = "Thread-2";
	fake->write_limit = (unsigned)-1;
	fake->out = calloc(1, 1);
	assert(fake->out != NULL);
	return fake;
}

void
fake_free(struct fake **fake)
{
	if (*fake == NULL)
		return;
	for (size_t i = 0; i < (*fake)->chunk_count; i++)
		free((*fake)->chunks[i].data);
	free((*fake)->out);
	free(*fake);
	*fake = NULL;
}
