/* SPDX-License-Identifier: ISC */
#ifndef BASE_LOG_SINK_H
#define BASE_LOG_SINK_H

#include <stdatomic.h>
#include <stddef.h>

#include "base/log.h"

/*
 * The descriptor behind the log, and how to write to it without ever blocking.
 * Only log.c uses it; log_sink_open() of base/log.h is here too. Any thread
 * may write while one replaces the descriptor.
 */
enum sink_method {
	SINK_POLL,              /* ask poll(2) first: a pipe or terminal */
	SINK_WRITE,             /* a plain file, or O_NONBLOCK */
	SINK_SEND,              /* a socket */
};

struct sink {
	_Atomic int fd;
	_Atomic enum sink_method method;
	_Atomic bool is_file;   /* takes any length whole, or is full */
	_Atomic bool is_torn;   /* the last record went out only in part */
	_Atomic enum log_kind kind;
	_Atomic unsigned writers;       /* threads that write to it just now */
	bool is_owned;          /* the log closes fd */
};

/* Look at what fd is. The sink does not own it. */
void sink_set(struct sink *sink, int fd);
/* One record, in one write. text[-1] is scratch. 0 or -errno: nothing, or not
 * all, was written. */
int sink_put(struct sink *sink, char *text, size_t len);

#endif
