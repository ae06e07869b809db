/* SPDX-License-Identifier: ISC */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/*
 * The log: one line an event, to stderr, syslog, the journal or a file, as
 * text or JSON. The sink is a descriptor that the supervisor opened and every
 * process of the daemon writes to; a write never blocks (a line that cannot be
 * written is counted, and the count is logged when writing works again) and
 * never forges a line (control bytes, quotes and invalid UTF-8 are escaped,
 * a line is at most 4 KiB). One sink a process; any thread may log, a forked
 * child too. Every function that logs leaves errno alone. Until log_use(),
 * records from info up go to descriptor 2 as text.
 *
 * Records about a listener (fields.listener is set), access lines apart, are
 * at most 1,000 a second and process: the rest is counted and the count logged.
 */
enum log_level {                /* the same order as enum ss_log_level */
	LOG_LEVEL_DEBUG,
	LOG_LEVEL_INFO,
	LOG_LEVEL_NOTICE,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_ERROR,
};

enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };
enum log_kind { LOG_KIND_STREAM, LOG_KIND_SYSLOG, LOG_KIND_JOURNAL };

/* For whoever logs again and again: level, listener, generation and worker as
 * record.c formatted them last. Of one listener and generation, and the text of
 * a worker's name must not change. Zeroed at first; used by one thread at a
 * time. */
struct log_head {
	const char *level;      /* NULL: not in it */
	const char *worker;
	uint8_t style, len;     /* len 0 = nothing yet */
	char text[110];
};

/* What a record is about; unset members are left out. Borrowed. */
struct log_fields {
	const char *listener;
	const char *peer;
	const char *worker;
	uint64_t request;       /* 0 = none */
	unsigned generation;    /* 0 = none */
	const char *reason;     /* reason word */
	struct log_head *head;  /* NULL: none is kept */
};

/* One finished request, for the access line. */
struct log_access {
	struct log_fields fields;
	const char *result;     /* ok error refused timeout reset crash */
	uint64_t bytes_in, bytes_out;
	int64_t duration_ns;
	int64_t ended_at;       /* clock_now(); 0 = now */
};

int log_level_parse(const char *word);          /* enum log_level or -EINVAL */
const char *log_level_word(enum log_level level);

/* target: "auto" (the journal when standard error is the journal's, else
 * standard error), "stderr", "syslog", "journal" or "file:/PATH". The opened
 * sink's descriptor, owned by the caller, and how lines must be framed for it
 * in *kind; or -errno. A symbolic link is not followed, a new file has 0640. */
int log_sink_open(const char *target, enum log_kind *kind, struct err *err);
/* Write there from now on. Takes fd (-1 = descriptor 2, not closed) and closes
 * the one taken before. Not while other threads log: at start. */
void log_use(int fd, enum log_kind kind, enum log_format format,
    enum log_level level, bool is_access_on);
/* Write to another sink (USR1, MESSAGE_LOG_FD), also while other threads log:
 * no line is lost, or framed for the wrong kind. Takes fd; where the kind stays,
 * log_fd() stays the same. One thread at a time. */
void log_replace_fd(int fd, enum log_kind kind);
int log_fd(void);
enum log_kind log_kind(void);
enum log_level log_level(void);
enum log_format log_format(void);
bool log_is_access_on(void);
void log_set_level(enum log_level level);       /* any thread; so the next two */
void log_set_format(enum log_format format);
void log_set_access(bool is_on);
bool log_is_on(enum log_level level);
/* What could not be written, and how much of it has been told. */
struct log_drops {
	_Atomic uint64_t dropped, reported;     /* reported <= dropped */
	_Atomic int64_t reported_at;
};

/* Count there from now on: memory that is shared with children, so that what
 * one of them could not write is told by another. NULL: in this process's own
 * again. Before any thread or child is made. */
void log_share_drops(struct log_drops *drops);
/* Lines that could not be written since the start. */
uint64_t log_dropped(void);

void log_write(enum log_level level, const struct log_fields *fields,
    const char *format, ...) __attribute__((format(printf, 3, 4)));
void log_vwrite(enum log_level level, const struct log_fields *fields,
    const char *format, va_list ap) __attribute__((format(printf, 3, 0)));
/* At level info; nothing when access lines are off. */
void log_access(const struct log_access *access);
/* Gather the access lines of this process in its place of that memory file
 * (base/gather.h) and write many at once; a record of another kind writes them
 * first. A descriptor that is readable when log_gather_due() is to be called;
 * -1: each line is written by itself, as it is where the sink is no stream, and
 * in a child that is forked. Before other threads log; the end after them. */
int log_gather(int file, unsigned slot);
void log_gather_due(void);
void log_gather_end(void);
/* Write what gather_rescue() found. How many lines were left out, because they
 * are not as this log writes them. */
unsigned log_rescue(const char *lines, size_t len);
/* Tell what was dropped, or left out in a second that is over, and has not been
 * told. Cheap when there is nothing. Called before a wait that may be long. */
void log_tell(void);
/* For a signal handler that comes before a death: an error, written at once. What
 * is gathered stays for the supervisor to rescue, and no lock is taken. */
void log_dying(const struct log_fields *fields, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Write what was gathered, and tell. Called at the end. */
void log_flush(void);

#define log_debug(...) log_write(LOG_LEVEL_DEBUG, NULL, __VA_ARGS__)
#define log_info(...) log_write(LOG_LEVEL_INFO, NULL, __VA_ARGS__)
#define log_notice(...) log_write(LOG_LEVEL_NOTICE, NULL, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, NULL, __VA_ARGS__)
#define log_error(...) log_write(LOG_LEVEL_ERROR, NULL, __VA_ARGS__)

#endif
