/* SPDX-License-Identifier: ISC */
/*
 * What is logged at all, and what happens when it cannot be: a record that the
 * sink does not take is counted as dropped, one of too many in a second as
 * left out, and both counts are told by a record of their own later. There is
 * no lock and no buffer here but the gather, which a forked child does not
 * have: a fork neither doubles nor loses a line.
 */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/gather.h"
#include "base/log_sink.h"
#include "base/record.h"
#include "base/utf8.h"

#define SWITCH_MS 1000          /* for the writers of the old sink to end */

/* Records about a listener that one process may write in a second, access
 * lines apart: a handler that logs in a loop must not fill the disk. */
#define FLOOD_MAX 1000
#define CLOCK_CLOSE 2000        /* ns: two looks at clocks, undisturbed */
#define REPORT_EVERY CLOCK_SECOND       /* at most one report of drops */

static struct {
	/* Two, so that kind and descriptor change as one: the one not in use is
	 * made ready, then it is the one in use. */
	struct sink sinks[2];
	struct sink *_Atomic sink;
	_Atomic bool is_access_on;
	_Atomic enum log_format format;
	_Atomic enum log_level level;
	struct log_drops own;
	struct log_drops *drops;        /* own, or shared with children */
	_Atomic int64_t flood_second;           /* flood_count is of it */
	_Atomic uint32_t flood_count;
	_Atomic uint64_t left_out;              /* not told yet */
	struct gather *gather;          /* owned; of the process that made it */
	bool is_gathering;              /* if not: each line by itself */
} root = {
	.sinks[0] = { .fd = 2, .method = SINK_POLL, .kind = LOG_KIND_STREAM },
	.sink = &root.sinks[0],
	.drops = &root.own,
	.is_access_on = true,
	.level = LOG_LEVEL_INFO,
};

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
	struct sink *sink = atomic_load(&root.sink);
	int old = sink->is_owned ? atomic_load(&sink->fd) : -1;

	sink->kind = kind;
	sink_set(sink, fd < 0 ? 2 : fd);
	sink->is_owned = fd >= 0;
	log_set_format(format);
	log_set_access(is_access_on);
	log_set_level(level);
	if (old != fd)
		fd_close(&old);
}

static void
flush_gathered(void)
{
	if (root.is_gathering)
		gather_flush(root.gather);
}

/* Of the same kind: onto the old number, which others may have at hand. */
static void
sink_replace_fd(struct sink *sink, int fd)
{
	int old = atomic_load(&sink->fd), r;

	if (fd == old)
		return;
	if (sink->is_owned) {
		do      /* EBUSY: dup2(2), a race with an open */
			r = dup3(fd, old, O_CLOEXEC);
		while (r < 0 && (errno == EINTR || errno == EBUSY));
		if (r >= 0) {
			sink_set(sink, old);
			fd_close(&fd);
			return;
		}
	}
	sink_set(sink, fd);
	sink->is_owned = true;
}

/* Nobody new comes to a sink that is not in use; wait for those who are there.
 * One that hangs in its write(2) keeps the descriptor open for good. */
static void
sink_retire(struct sink *sink)
{
	int64_t until = clock_after_ms(SWITCH_MS);
	int fd = atomic_load(&sink->fd);

	while (atomic_load(&sink->writers) > 0 && clock_now() < until)
		(void)sched_yield();
	if (sink->is_owned && atomic_load(&sink->writers) == 0)
		fd_close(&fd);
	sink->is_owned = false;
}

void
log_replace_fd(int fd, enum log_kind kind)
{
	struct sink *old = atomic_load(&root.sink);
	struct sink *next = old == root.sinks ? &root.sinks[1] : root.sinks;

	flush_gathered();
	if (kind == old->kind) {
		sink_replace_fd(old, fd);
		return;
	}
	next->kind = kind;
	next->is_owned = true;
	sink_set(next, fd);
	atomic_store(&root.sink, next);
	sink_retire(old);
}

/* The sink in use, until sink_leave(). A forked child that was born while
 * another thread wrote counts that one for ever: no child changes its sink. */
static struct sink *
sink_enter(void)
{
	for (;;) {
		struct sink *sink = atomic_load(&root.sink);

		atomic_fetch_add(&sink->writers, 1);
		if (sink == atomic_load(&root.sink))
			return sink;
		atomic_fetch_sub(&sink->writers, 1);
	}
}

static void
sink_leave(struct sink *sink)
{
	atomic_fetch_sub(&sink->writers, 1);
}

int
log_fd(void)
{
	return atomic_load(&atomic_load(&root.sink)->fd);
}

enum log_kind
log_kind(void)
{
	return atomic_load(&root.sink)->kind;
}

enum log_level
log_level(void)
{
	return atomic_load_explicit(&root.level, memory_order_relaxed);
}

enum log_format
log_format(void)
{
	return atomic_load_explicit(&root.format, memory_order_relaxed);
}

bool
log_is_access_on(void)
{
	return atomic_load_explicit(&root.is_access_on, memory_order_relaxed);
}

void
log_set_format(enum log_format format)
{
	atomic_store_explicit(&root.format, format, memory_order_relaxed);
}

void
log_set_access(bool is_on)
{
	atomic_store_explicit(&root.is_access_on, is_on, memory_order_relaxed);
}

void
log_set_level(enum log_level level)
{
	atomic_store_explicit(&root.level, level, memory_order_relaxed);
}

bool
log_is_on(enum log_level level)
{
	return level >= log_level();
}

void
log_share_drops(struct log_drops *drops)
{
	root.drops = drops != NULL ? drops : &root.own;
}

uint64_t
log_dropped(void)
{
	return atomic_load(&root.drops->dropped);
}

static int64_t
wall_now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * CLOCK_SECOND + ts.tv_nsec;
}

/* One look at both clocks; as close together as they can be had. */
static int64_t
wall_ahead(void)
{
	int64_t before, ahead, after;
	int tries = 0;

	do {
		before = clock_now();
		ahead = wall_now() - before;
		after = clock_now();
	} while (after - before > CLOCK_CLOSE && ++tries < 3);
	return ahead;
}

/*
 * The wall time of a monotonic one, without a look at the other clock: both run
 * at the same speed, adjtime(3) and NTP included (clock_gettime(2)), so that
 * only a step, of somebody who sets the time, comes between them. It is seen a
 * second later.
 */
static int64_t
wall_at(int64_t at)
{
	static _Thread_local int64_t ahead, good_until;

	if (at >= good_until) {
		ahead = wall_ahead();
		good_until = at + CLOCK_SECOND;
	}
	return at + ahead;
}

static int
emit(const struct record *record)
{
	char bytes[RECORD_MAX + 1];
	struct sink *sink = sink_enter();
	size_t len = record_format(bytes, sink->kind, log_format(), record);
	int r = sink_put(sink, bytes + 1, len);

	sink_leave(sink);
	return r;
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
	uint64_t dropped = atomic_load(&root.drops->dropped);
	uint64_t told = atomic_load(&root.drops->reported);
	int64_t last = atomic_load(&root.drops->reported_at), now;

	if (dropped == told)
		return;
	now = clock_coarse();
	if (last && now - last < REPORT_EVERY)
		return;
	if (!atomic_compare_exchange_strong(&root.drops->reported, &told, dropped))
		return;
	if (emit_report(NULL, "%" PRIu64 " log records were lost: they could "
	    "not be written", dropped - told))
		atomic_fetch_sub(&root.drops->reported, dropped - told);
	else
		atomic_store(&root.drops->reported_at, now);
}

/* The log went from a stream to something else since they were gathered: each
 * line is the message of a record now. */
static void
emit_gathered(char *lines, size_t len)
{
	char *line = lines, *end = lines + len, *next;

	for (; line < end; line = next + 1) {
		struct record record = {
			.level = LOG_LEVEL_INFO, .wall_ns = wall_now(),
			.message = line,
		};

		next = memchr(line, '\n', (size_t)(end - line));
		if (next == NULL)
			next = end;
		record.message_len = (size_t)(next - line);
		if (emit(&record))
			atomic_fetch_add(&root.drops->dropped, 1);
	}
}

static unsigned
count_lines(const char *lines, size_t len)
{
	unsigned count = 0;

	for (size_t i = 0; i < len; i++)
		count += lines[i] == '\n';
	return count;
}

/* How much goes into one write: a file takes all of it, a pipe PIPE_BUF bytes as
 * one (pipe(7)). No line is longer. */
static size_t
piece_length(const struct sink *sink, const char *lines, size_t len)
{
	const char *end;

	if (len <= PIPE_BUF || sink->is_file)
		return len;
	end = memrchr(lines, '\n', PIPE_BUF);
	return end != NULL ? (size_t)(end - lines) + 1 : PIPE_BUF;
}

static void
put_lines(struct sink *sink, char *lines, size_t len)
{
	while (len > 0) {
		const size_t n = piece_length(sink, lines, len);

		if (sink_put(sink, lines, n))
			atomic_fetch_add(&root.drops->dropped,
			    count_lines(lines, n));
		lines += n;
		len -= n;
	}
}

/* Of the gather. */
static void
write_gathered(char *lines, size_t len)
{
	struct sink *sink = sink_enter();
	bool is_stream = sink->kind == LOG_KIND_STREAM;

	if (is_stream)
		put_lines(sink, lines, len);
	sink_leave(sink);
	if (!is_stream)
		emit_gathered(lines, len);
}

static void
write_record(const struct record *record)
{
	flush_gathered();       /* in the order in which it happened */
	if (emit(record))
		atomic_fetch_add(&root.drops->dropped, 1);
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
		atomic_fetch_add(&root.drops->dropped, 1);
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
log_dying(const struct log_fields *fields, const char *format, ...)
{
	char message[512];
	struct record record = {
		.level = LOG_LEVEL_ERROR, .wall_ns = wall_now(),
		.fields = fields,
	};
	va_list ap;

	va_start(ap, format);
	message_format(&record, message, sizeof(message), format, ap);
	va_end(ap);
	(void)emit(&record);
}

void
log_tell(void)
{
	const int saved = errno;

	if (atomic_load_explicit(&root.left_out, memory_order_relaxed) &&
	    atomic_load(&root.flood_second) != clock_coarse() / CLOCK_SECOND)
		report_left_out(NULL);
	report_dropped();
	errno = saved;
}

static void
gather_record(const struct record *record)
{
	char bytes[RECORD_MAX + 1];
	size_t len = record_format(bytes, LOG_KIND_STREAM, log_format(),
	    record);

	gather_put(root.gather, bytes + 1, len);
}

void
log_access(const struct log_access *access)
{
	const int saved = errno;

	if (!log_is_access_on() || !log_is_on(LOG_LEVEL_INFO))
		return;
	const struct record record = {
		.level = LOG_LEVEL_INFO,
		.wall_ns = wall_at(access->ended_at ? access->ended_at :
		    clock_now()),
		.fields = &access->fields, .access = access,
	};
	if (root.is_gathering && log_kind() == LOG_KIND_STREAM)
		gather_record(&record);
	else
		write_record(&record);
	errno = saved;
}

/* A child that was forked: the memory is its parent's. */
static void
leave_gather(void)
{
	root.is_gathering = false;
}

int
log_gather(int file, unsigned slot)
{
	if (pthread_atfork(NULL, NULL, leave_gather) != 0)
		return -1;
	root.gather = gather_open(file, slot, write_gathered);
	root.is_gathering = root.gather != NULL;
	return root.is_gathering ? gather_timer(root.gather) : -1;
}

void
log_gather_due(void)
{
	if (root.is_gathering)
		gather_due(root.gather);
	log_tell();
}

void
log_gather_end(void)
{
	if (root.is_gathering)
		gather_close(&root.gather);
	root.is_gathering = false;
}

/* The length of the line at the front, with its newline; 0 = no line. */
static size_t
line_length(const char *text, size_t len)
{
	const char *end = memchr(text, '\n', len);

	return end != NULL ? (size_t)(end - text) + 1 : 0;
}

unsigned
log_rescue(const char *lines, size_t len)
{
	char kept[1 + GATHER_MAX];
	unsigned damaged = 0;
	size_t n, kept_len = 0;

	for (; (n = line_length(lines, len)) > 0; lines += n, len -= n) {
		if (!record_is_line(lines, n)) {
			damaged++;
			continue;
		}
		memcpy(kept + 1 + kept_len, lines, n);
		kept_len += n;
	}
	if (kept_len > 0)
		write_gathered(kept + 1, kept_len);
	return damaged + (len > 0);
}

void
log_flush(void)
{
	const int saved = errno;

	flush_gathered();
	errno = saved;
	log_tell();
}
