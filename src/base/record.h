/* SPDX-License-Identifier: ISC */
#ifndef BASE_RECORD_H
#define BASE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"

/*
 * One log record as bytes: a line of logfmt or JSON for a stream, a syslog
 * packet, or a journal packet. Pure but for the process id of a syslog packet;
 * any thread. Whatever bytes a record is given, the result is one record: no
 * control byte but its last newline (the journal's: one after each field), and
 * valid UTF-8. What does not fit is cut and ends in "...".
 */
#define RECORD_MAX 4095         /* bytes; one newline more is PIPE_BUF */

struct record {
	enum log_level level;
	int64_t wall_ns;                /* since 1970 */
	const struct log_fields *fields;        /* NULL: none */
	const struct log_access *access;        /* NULL: no access line */
	const char *message;            /* NULL: "request", of an access line */
	size_t message_len;
	bool is_cut;                    /* the message goes on */
};

/* Into bytes[1..]; its length. bytes[0] is scratch: room for the newline that
 * ends a record which a sink took only in part. */
size_t record_format(char bytes[RECORD_MAX + 1], enum log_kind kind,
    enum log_format format, const struct record *record);
/* Are these bytes one line that a stream may have: printable, and its newline
 * at the end? */
bool record_is_line(const char *line, size_t len);

#endif
