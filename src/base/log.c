/* SPDX-License-Identifier: ISC */
/*
 * What is logged at all, and what happens when it cannot be: a record that the
 * sink does not take is counted as dropped, one of too many in a second as
 * left out, and both counts are told by a record of their own later. There is
 * no lock, and no buffer but the one of a thread that asked for it with
 * log_defer(): a fork of any other thread neither doubles nor loses a line.
 */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log_sink.h"
#include "base/record.h"
#include "base/utf8.h"

/* Records about a listener that one process may write in a second, access
 * lines apart: a handler that logs in a loop must not fill the disk. */
#define FLOOD_MAX 1000
#define REPORT_EVERY CLOCK_SECOND       /* at most one report of drops */

static struct {
	struct sink sink;
	bool owns_fd;
	bool is_access_on;
	enum log_format format;
	_Atomic enum log_level level;
	_Atomic uint64_t dropped, reported;     /* reported <= dropped */
	_Atomic int64_t reported_at;
	_Atomic int64_t flood_second;           /* flood_count is of it */
	_Atomic uint32_t flood_count;
	_Atomic uint64_t left_out;              /* not told yet */
} root = {
	.sink = { .fd = 2, .method = SINK_POLL, .kind = LOG_KIND_STREAM },
	.is_access_on = true,
	.level = LOG_LEVEL_INFO,
};

/* Access lines of a thread that defers them. One write(2) takes them all: as
 * many as a pipe takes whole (PIPE_BUF, pipe(7)). */
struct gathered {
	size_t len;
	unsigned lines;
	char bytes[1 + PIPE_BUF];       /* the first is the sink's scratch */
};
static _Thread_local struct gathered *gathered;         /* NULL: not deferring */

static const char *const words[] = {
	[LOG_LEVEL_DEBUG] = "debug",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_NOTICE] = "notice",
	[LOG_LEVEL_WARNING] = "warning",
	[LOG_LEVEL_ERROR] = "error",
};
#define WORDS ((int)(sizeof(words) / sizeof(words[0])))

int
log_level_parse(const char *word)
{
	for (int i = 0; i < WORDS; i++)
		if (!strcmp(word, words[i]))
			return i;
	return -EINVAL;
}

const char *
log_level_word(enum log_level level)
{
	return words[level];
}

void
log_use(int fd, enum log_kind kind, enum log_format format,
    enum log_level level, bool is_access_on)
{
	int old = root.owns_fd ? atomic_load(&root.sink.fd) : -1;

	root.sink.kind = kind;
	sink_set(&root.sink, fd < 0 ? 2 : fd);
	root.owns_fd = fd >= 0;
	root.format = format;
	root.is_access_on = is_access_on;
	log_set_level(level);
	if (old != fd)
		fd_close(&old);
}

void
log_replace_fd(int fd)
{
	int old = atomic_load(&root.sink.fd), r;

	if (fd == old)
		return;
	if (root.owns_fd) {
		do      /* EBUSY: dup2(2), a race with an open */
			r = dup3(fd, old, O_CLOEXEC);
		while (r < 0 && (errno == EINTR || errno == EBUSY));
		if (r >= 0) {
			sink_set(&root.sink, old);
			fd_close(&fd);
			return;
		}
	}
	sink_set(&root.sink, fd);
	root.owns_fd = true;
}

int
log_fd(void)
{
	return atomic_load(&root.sink.fd);
}

void
log_set_level(enum log_level level)
{
	atomic_store_explicit(&root.level, level, memory_order_relaxed);
}

bool
log_is_on(enum log_level level)
{
	return level >= atomic_load_explicit(&root.level, memory_order_relaxed);
}

uint64_t
log_dropped(void)
{
	return atomic_load(&root.dropped);
}

static int64_t
wall_now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * CLOCK_SECOND + ts.tv_nsec;
}

static int
emit(const struct record *record)
{
	char bytes[RECORD_MAX + 1];
	size_t len = record_format(bytes, root.sink.kind, root.format, record);

	return sink_put(&root.sink, bytes + 1, len);
}

/* A record of the log about itself; how the log counts is the caller's. */
static int __attribute__((format(printf, 2, 3)))
emit_report(const struct log_fields *fields, const char *format, ...)
{
	char message[256];
	struct record record = {
		.level = LOG_LEVEL_WARNING, .wall_ns = wall_now(),
		.fields = fields, .message = message,
	};
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(message, sizeof(message), format, ap);
	va_end(ap);
	record.message_len = strlen(message);
	return emit(&record);
}

/* Tell what was dropped, once; at most every REPORT_EVERY while a sink takes
 * some records and drops others. */
static void
report_dropped(void)
{
	uint64_t dropped = atomic_load(&root.dropped);
	uint64_t told = atomic_load(&root.reported);
	int64_t last = atomic_load(&root.reported_at), now;

	if (dropped == told)
		return;
	now = clock_coarse();
	if (last && now - last < REPORT_EVERY)
		return;
	if (!atomic_compare_exchange_strong(&root.reported, &told, dropped))
		return;
	if (emit_report(NULL, "%" PRIu64 " log records were lost: they could "
	    "not be written", dropped - told))
		atomic_fetch_sub(&root.reported, dropped - told);
	else
		atomic_store(&root.reported_at, now);
}

static void
gathered_write(void)
{
	if (gathered == NULL || gathered->len == 0)
		return;
	if (sink_put(&root.sink, gathered->bytes + 1, gathered->len))
		atomic_fetch_add(&root.dropped, gathered->lines);
	gathered->len = gathered->lines = 0;
}

static void
gather(const struct record *record)
{
	char bytes[RECORD_MAX + 1];
	size_t len = record_format(bytes, root.sink.kind, root.format, record);

	if (gathered->len + len > PIPE_BUF)
		gathered_write();
	memcpy(gathered->bytes + 1 + gathered->len, bytes + 1, len);
	gathered->len += len;
	gathered->lines++;
}

static void
write_record(const struct record *record)
{
	gathered_write();       /* in the order in which it happened */
	if (emit(record))
		atomic_fetch_add(&root.dropped, 1);
	else
		report_dropped();
}

static void
report_left_out(const char *listener)
{
	const struct log_fields fields = { .listener = listener };
	uint64_t n = atomic_exchange(&root.left_out, 0);

	if (n && emit_report(&fields, "%" PRIu64 " log records were left out: "
	    "more than %d in a second", n, FLOOD_MAX))
		atomic_fetch_add(&root.dropped, 1);
}

/* May one more record about a listener be written in this second? */
static bool
flood_admit(const char *listener)
{
	int64_t now = clock_coarse() / CLOCK_SECOND;
	int64_t second = atomic_load_explicit(&root.flood_second,
	    memory_order_relaxed);

	if (second != now &&
	    atomic_compare_exchange_strong(&root.flood_second, &second, now)) {
		atomic_store(&root.flood_count, 0);
		report_left_out(listener);
	}
	if (atomic_fetch_add(&root.flood_count, 1) < FLOOD_MAX)
		return true;
	atomic_fetch_add(&root.left_out, 1);
	return false;
}

/* Format a message for a record: NUL bytes stay, newlines at its end go. */
static void
message_format(struct record *record, char *text, size_t size,
    const char *format, va_list ap)
{
	static const char broken[] = "(a message that cannot be formatted)";
	int n = vsnprintf(text, size, format, ap);
	size_t len = (size_t)n;

	if (n < 0) {
		memcpy(text, broken, sizeof(broken));
		len = sizeof(broken) - 1;
	}
	record->is_cut = len >= size;
	if (record->is_cut)
		len = utf8_trim(text, size - 1);
	while (!record->is_cut && len &&
	    (text[len - 1] == '\n' || text[len - 1] == '\r'))
		len--;
	record->message = text;
	record->message_len = len;
}

void
log_vwrite(enum log_level level, const struct log_fields *fields,
    const char *format, va_list ap)
{
	char message[RECORD_MAX];
	struct record record = { .level = level, .fields = fields };
	const int saved = errno;

	if (!log_is_on(level))
		return;
	if (fields && fields->listener && !flood_admit(fields->listener)) {
		errno = saved;
		return;
	}
	errno = saved;          /* for %m */
	message_format(&record, message, sizeof(message), format, ap);
	record.wall_ns = wall_now();
	write_record(&record);
	errno = saved;
}

void
log_write(enum log_level level, const struct log_fields *fields,
    const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	log_vwrite(level, fields, format, ap);
	va_end(ap);
}

void
log_access(const struct log_access *access)
{
	static const char message[] = "request";
	const int saved = errno;

	if (!root.is_access_on || !log_is_on(LOG_LEVEL_INFO))
		return;
	const struct record record = {
		.level = LOG_LEVEL_INFO, .wall_ns = wall_now(),
		.fields = &access->fields, .access = access,
		.message = message, .message_len = sizeof(message) - 1,
	};
	if (gathered != NULL && root.sink.kind == LOG_KIND_STREAM)
		gather(&record);
	else
		write_record(&record);
	errno = saved;
}

void
log_defer(bool on)
{
	gathered_write();
	if (on && gathered == NULL) {
		gathered = malloc(sizeof(*gathered));
		if (gathered != NULL)   /* else every line by itself */
			gathered->len = gathered->lines = 0;
	} else if (!on) {
		free(gathered);
		gathered = NULL;
	}
}

void
log_flush(void)
{
	const int saved = errno;

	gathered_write();
	if (atomic_load_explicit(&root.left_out, memory_order_relaxed) &&
	    atomic_load(&root.flood_second) != clock_coarse() / CLOCK_SECOND)
		report_left_out(NULL);
	report_dropped();
	errno = saved;
}
