/* SPDX-License-Identifier: ISC */
#ifndef TESTS_FAKE_API_H
#define TESTS_FAKE_API_H

#include <socketserver.h>

/*
 * A daemon of one request, for tests of a handler alone: scripted input,
 * captured output, options from the handler's own table. No socket, no time,
 * no process. Copy these two files to test a handler of yours.
 *
 *      struct fake *fake = fake_new(handler);
 *      fake_set_string(fake, "mode", "line");
 *      fake_receive(fake, "Hello\n", 6);
 *      int status = fake_serve(fake);
 *      ... fake->out holds fake->out_len bytes ...
 *      fake_free(&fake);
 */
enum {
	FAKE_CHUNKS = 4096,
	FAKE_VALUES = 16,
	FAKE_GROUPS = 16,
	FAKE_LOG = 8192,
};

struct fake_value {
	const char *name;               /* borrowed */
	const char *string;             /* borrowed */
	int64_t integer;
	double seconds;
};

struct fake_values {
	const struct ss_option *table;  /* borrowed; the defaults */
	struct fake_value items[FAKE_VALUES];
	size_t count;
};

struct fake_group {
	ss_group pub;                   /* first: the handler's pointer to it */
	const char *option;             /* borrowed */
	struct fake_values values;
};

struct fake_chunk {
	char *data;                     /* owned */
	size_t len;
};

struct fake {
	ss_request rq;                  /* first: the handler's pointer to it */
	struct fake_service {
		ss_service pub;         /* first */
		struct fake *fake;
	} service;
	const struct ss_handler *handler;
	struct fake_values values;
	struct fake_group groups[FAKE_GROUPS];
	size_t group_count;

	/* What the peer sends: a receive brings at most one chunk. */
	struct fake_chunk chunks[FAKE_CHUNKS];
	size_t chunk_count, chunk_at, chunk_taken;
	int read_errno;                 /* after the chunks; 0 = the end */
	bool is_datagram;
	bool is_draining;
	const char *worker;             /* borrowed; "Thread-2" */

	/* What the handler did. */
	char *out;                      /* owned: all that was written */
	size_t out_len;
	unsigned writes;                /* calls of ss_write and ss_printf */
	unsigned reads;                 /* calls that brought bytes */
	unsigned replies;               /* datagrams that left */
	bool has_reply;                 /* something was written and not sent */
	unsigned writes_before_read;
	unsigned write_limit;           /* later writes fail with EPIPE */
	bool is_write_ended;
	int timeout_ms;
	int slept_ms;
	char log[FAKE_LOG];             /* every line, with a newline each */
	unsigned finishes, errors;
};

struct fake *fake_new(const struct ss_handler *handler);
void fake_free(struct fake **fake);

void fake_set_string(struct fake *fake, const char *name, const char *value);
void fake_set_int(struct fake *fake, const char *name, int64_t value);
void fake_set_bool(struct fake *fake, const char *name, bool value);
void fake_set_seconds(struct fake *fake, const char *name, double value);
/* A new group of a GROUPS option, to be filled with fake_group_set_string(). */
struct fake_group *fake_add_group(struct fake *fake, const char *option);
void fake_group_set_string(struct fake_group *group, const char *name,
    const char *value);

void fake_receive(struct fake *fake, const void *data, size_t len);
/* The whole request is one datagram. */
void fake_datagram(struct fake *fake, const void *data, size_t len);

/* open, verify, setup, handle, error, finish, close, as the daemon does.
 * What setup or handle returned; -1 when open or verify said no. */
int fake_serve(struct fake *fake);

#endif
