/* SPDX-License-Identifier: ISC */
#ifndef SOCKETSERVER_H
#define SOCKETSERVER_H

/*
 * The handler SDK of socketserverd: everything a handler may know.
 *
 * A handler is a shared object with one exported symbol, made by SS_HANDLER().
 * It links with nothing of the daemon: each ss_ call below is inline and goes
 * through a table of functions that the request carries. For a test, hand the
 * handler a table of your own.
 *
 * C99 or later, C++11 or later (SS_HANDLER and the SS_OPTION_ macros use
 * designated initialisers: C++20, or a compiler that has them earlier).
 * The comments that begin with two stars are the text of socketserver-handler(3).
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Section: Version
 * A minor version only adds at the end of the tables. A handler is refused
 * when its major version is not the daemon's. One with a newer minor version
 * is served, but fields that the daemon does not know have no effect, and calls
 * that it does not have must not be made.
 */

/**
 * SS_ABI_MAJOR - changes when a handler must be built again
 */
#define SS_ABI_MAJOR 1
/**
 * SS_ABI_MINOR - grows when calls or fields are added
 */
#define SS_ABI_MINOR 0
/**
 * SS_ABI - both in one number, for ss_handler.abi
 */
#define SS_ABI ((SS_ABI_MAJOR << 16) | SS_ABI_MINOR)

/**
 * Section: Describing a handler
 * SS_HANDLER() takes the fields of struct ss_handler as designated
 * initialisers, in the order in which they stand there.
 */

/**
 * enum ss_kind - what a handler can serve, and where it may run
 * @SS_STREAM:      connections: tcp and unix addresses
 * @SS_DATAGRAM:    datagrams: udp and unixgram addresses
 * @SS_THREADS:     safe to run in several threads at once; "threaded" needs it
 * @SS_FIBERS:      does all its waiting in ss_ calls, and needs little stack;
 *                  "event" needs it
 * @SS_NEEDS_FD:    does its own input and output on ss_fd(); without it ss_fd()
 *                  is refused
 * @SS_READS_FIRST: sends nothing before it has read, and has nothing else to do
 *                  either: a pool of workers calls it, setup() and verify()
 *                  included, when the first bytes of a connection are there, or
 *                  its end; so silent clients hold no worker
 */
enum ss_kind {
	SS_STREAM = 1 << 0,
	SS_DATAGRAM = 1 << 1,
	SS_THREADS = 1 << 2,
	SS_FIBERS = 1 << 3,
	SS_NEEDS_FD = 1 << 4,
	SS_READS_FIRST = 1 << 5,
};

/**
 * enum ss_log_level - how much a line of the log matters
 * @SS_LOG_DEBUG:   for whoever looks for a fault in the handler
 * @SS_LOG_INFO:    what happens all day
 * @SS_LOG_NOTICE:  what happens seldom and is in order
 * @SS_LOG_WARNING: somebody should look at it some time
 * @SS_LOG_ERROR:   something was not done
 */
enum ss_log_level {
	SS_LOG_DEBUG,
	SS_LOG_INFO,
	SS_LOG_NOTICE,
	SS_LOG_WARNING,
	SS_LOG_ERROR,
};

/**
 * enum ss_option_type - the kind of a row of an option table
 * @SS_OPTION_TYPE_END:     no row: the table ends here
 * @SS_OPTION_TYPE_STRING:  any text
 * @SS_OPTION_TYPE_INT:     a whole number in a range
 * @SS_OPTION_TYPE_BOOL:    true or false
 * @SS_OPTION_TYPE_SECONDS: a duration: 1.5, "250ms", "2m"
 * @SS_OPTION_TYPE_CHOICE:  one word of a few
 * @SS_OPTION_TYPE_GROUPS:  a list of groups, each with rows of its own
 */
enum ss_option_type {
	SS_OPTION_TYPE_END,
	SS_OPTION_TYPE_STRING,
	SS_OPTION_TYPE_INT,
	SS_OPTION_TYPE_BOOL,
	SS_OPTION_TYPE_SECONDS,
	SS_OPTION_TYPE_CHOICE,
	SS_OPTION_TYPE_GROUPS,
};

/**
 * struct ss_option - one option of a handler, best made by a macro below
 * @type:        which of the fields below count
 * @name:        as it is written in the configuration file
 * @help:        one sentence for the reference
 * @string:      STRING, CHOICE: the default; NULL makes the option required
 * @choices:     CHOICE: the words allowed, "a|b|c"
 * @integer:     INT: the default; BOOL: 0 or 1
 * @integer_min: INT: the smallest value allowed
 * @integer_max: INT: the largest value allowed
 * @seconds:     SECONDS: the default
 * @seconds_min: SECONDS: the smallest value allowed
 * @seconds_max: SECONDS: the largest value allowed
 * @table:       GROUPS: the rows of each group, ending in SS_OPTION_END
 */
struct ss_option {
	enum ss_option_type type;
	const char *name;
	const char *help;
	const char *string;
	const char *choices;
	int64_t integer, integer_min, integer_max;
	double seconds, seconds_min, seconds_max;
	const struct ss_option *table;
};

/**
 * SS_OPTION_STRING - a row for any text
 * @name_:    as it is written in the configuration file
 * @default_: the value when it is not given; NULL makes it required
 * @help_:    one sentence for the reference
 */
#define SS_OPTION_STRING(name_, default_, help_) \
	{ .type = SS_OPTION_TYPE_STRING, .name = name_, .help = help_, \
	  .string = default_ }
/**
 * SS_OPTION_INT - a row for a whole number
 * @name_:    as it is written in the configuration file
 * @default_: the value when it is not given
 * @min_:     the smallest value allowed
 * @max_:     the largest value allowed
 * @help_:    one sentence for the reference
 */
#define SS_OPTION_INT(name_, default_, min_, max_, help_) \
	{ .type = SS_OPTION_TYPE_INT, .name = name_, .help = help_, \
	  .integer = default_, .integer_min = min_, .integer_max = max_ }
/**
 * SS_OPTION_BOOL - a row for true or false
 * @name_:    as it is written in the configuration file
 * @default_: the value when it is not given
 * @help_:    one sentence for the reference
 */
#define SS_OPTION_BOOL(name_, default_, help_) \
	{ .type = SS_OPTION_TYPE_BOOL, .name = name_, .help = help_, \
	  .integer = default_ }
/**
 * SS_OPTION_SECONDS - a row for a duration
 * @name_:    as it is written in the configuration file
 * @default_: the value when it is not given
 * @min_:     the smallest value allowed
 * @max_:     the largest value allowed
 * @help_:    one sentence for the reference
 */
#define SS_OPTION_SECONDS(name_, default_, min_, max_, help_) \
	{ .type = SS_OPTION_TYPE_SECONDS, .name = name_, .help = help_, \
	  .seconds = default_, .seconds_min = min_, .seconds_max = max_ }
/**
 * SS_OPTION_CHOICE - a row for one word of a few
 * @name_:    as it is written in the configuration file
 * @default_: the value when it is not given; NULL makes it required
 * @choices_: the words allowed, as in "stream|line"
 * @help_:    one sentence for the reference
 */
#define SS_OPTION_CHOICE(name_, default_, choices_, help_) \
	{ .type = SS_OPTION_TYPE_CHOICE, .name = name_, .help = help_, \
	  .string = default_, .choices = choices_ }
/**
 * SS_OPTION_GROUPS - a row for a list of groups
 * @name_:  as it is written in the configuration file
 * @table_: the rows of each group, ending in SS_OPTION_END
 * @help_:  one sentence for the reference
 */
#define SS_OPTION_GROUPS(name_, table_, help_) \
	{ .type = SS_OPTION_TYPE_GROUPS, .name = name_, .help = help_, \
	  .table = table_ }
/**
 * SS_OPTION_END - the last row of every table
 */
#define SS_OPTION_END { .type = SS_OPTION_TYPE_END }

struct ss_api;

/**
 * struct ss_request - one connection or one datagram, being served
 * @api:  what the ss_ calls go through; not for handlers
 * @data: what ss_set_data() left; not for handlers
 */
typedef struct ss_request {
	const struct ss_api *api;
	void *data;
} ss_request;

/**
 * struct ss_service - one listener in one of its processes
 * @api:  what the ss_ calls go through; not for handlers
 * @data: what ss_service_set_data() left; not for handlers
 */
typedef struct ss_service {
	const struct ss_api *api;
	void *data;
} ss_service;

/**
 * struct ss_group - one group of a list option
 * @api: what the ss_ calls go through; not for handlers
 */
typedef struct ss_group {
	const struct ss_api *api;
} ss_group;

/*
 * What the daemon lends to a handler: the far side of the inline calls below,
 * which say what each one does. Minor versions only append; size tells how
 * much of the table there is. Handlers use the calls; only a test that stands
 * in for the daemon fills such a table.
 */
struct ss_api {
	uint32_t abi;
	uint32_t size;
	ssize_t (*read)(ss_request *rq, void *buf, size_t len);
	ssize_t (*read_line)(ss_request *rq, void *buf, size_t len);
	int (*write)(ss_request *rq, const void *buf, size_t len);
	int (*vprintf)(ss_request *rq, const char *format, va_list ap);
	int (*flush)(ss_request *rq);
	int (*end_write)(ss_request *rq);
	const char *(*peer)(ss_request *rq);
	const char *(*local)(ss_request *rq);
	const struct sockaddr *(*peer_address)(ss_request *rq, socklen_t *len);
	const char *(*worker)(ss_request *rq);
	uint64_t (*id)(ss_request *rq);
	ss_service *(*service_of)(ss_request *rq);
	void (*set_timeout)(ss_request *rq, int ms);
	int (*sleep)(ss_request *rq, int ms);
	bool (*draining)(ss_request *rq);
	int (*fd)(ss_request *rq);
	void (*vlog)(ss_request *rq, enum ss_log_level level,
	    const char *format, va_list ap);
	void (*service_vlog)(ss_service *service, enum ss_log_level level,
	    const char *format, va_list ap);
	const char *(*option_string)(ss_service *service, const char *name);
	int64_t (*option_int)(ss_service *service, const char *name);
	bool (*option_bool)(ss_service *service, const char *name);
	double (*option_seconds)(ss_service *service, const char *name);
	size_t (*option_groups)(ss_service *service, const char *name);
	const ss_group *(*option_group)(ss_service *service, const char *name,
	    size_t i);
	const char *(*group_string)(const ss_group *group, const char *name);
	int64_t (*group_int)(const ss_group *group, const char *name);
	bool (*group_bool)(const ss_group *group, const char *name);
	double (*group_seconds)(const ss_group *group, const char *name);
	bool (*is_datagram)(ss_request *rq);
};

/**
 * struct ss_handler - a handler; what is not given is NULL or 0
 * @abi:     filled in by SS_HANDLER(); a mismatch is refused and explained
 * @size:    filled in by SS_HANDLER(): how much of this struct there is
 * @name:    what people call it; always given
 * @version: of the handler; socketserverd -L shows it
 * @summary: one line; socketserverd -L shows it
 * @kinds:   a sum of enum ss_kind: what it serves, SS_STREAM, SS_DATAGRAM or
 *           both, and where it may run
 * @options: a table that ends in SS_OPTION_END, checked against the listener's
 */
struct ss_handler {
	uint32_t abi;
	uint32_t size;
	const char *name;
	const char *version;
	const char *summary;
	unsigned kinds;
	const struct ss_option *options;

	/**
	 * open - make ready to serve
	 * @service:    the listener in this process
	 * Returns:     0; anything else keeps the listener from starting
	 * Errors:      those the handler reports with ss_service_log()
	 * Context:     once in each process that serves, before the first
	 *              request; under forking in the parent of the children,
	 *              which inherit what it made
	 * Thread-safe: runs alone
	 * Source:      the class attributes of Python's handler and server
	 * Since:       ABI 1.0
	 */
	int (*open)(ss_service *service);

	/**
	 * close - let go of what open() took
	 * @service:    the listener in this process
	 * Returns:     nothing
	 * Errors:      none
	 * Context:     once, at the orderly end of each process in which open()
	 *              succeeded; not after a crash
	 * Thread-safe: runs alone
	 * Source:      Python's server.server_close
	 * Since:       ABI 1.0
	 */
	void (*close)(ss_service *service);

	/**
	 * verify - is this peer to be served at all?
	 * @rq:         the request
	 * Returns:     0 to refuse it (reason "verify"), anything else to go on
	 * Errors:      none
	 * Context:     before setup(), where the request will run
	 * Thread-safe: several at once with SS_THREADS, one for each request
	 * Source:      Python's server.verify_request
	 * Since:       ABI 1.0
	 */
	int (*verify)(ss_request *rq);

	/**
	 * setup - begin a request
	 * @rq:         the request
	 * Returns:     0; after anything else handle() and finish() are not
	 *              called, error() is
	 * Errors:      its result is handed to error()
	 * Context:     before handle(), in the same thread, child or fiber
	 * Thread-safe: several at once with SS_THREADS, one for each request
	 * Source:      Python's BaseRequestHandler.setup
	 * Since:       ABI 1.0
	 */
	int (*setup)(ss_request *rq);

	/**
	 * handle - serve one connection, or one datagram
	 * @rq:         the request; gone when finish() has returned
	 * Returns:     0, or anything else to have error() called and the request
	 *              counted as an error
	 * Errors:      its result is handed to error()
	 * Context:     after setup(); the daemon closes the connection or sends
	 *              the datagram's reply after finish()
	 * Thread-safe: several at once with SS_THREADS, one for each request
	 * Source:      Python's BaseRequestHandler.handle
	 * Since:       ABI 1.0
	 */
	int (*handle)(ss_request *rq);

	/**
	 * finish - end a request
	 * @rq:         the request; free here what hangs on ss_data()
	 * Returns:     nothing
	 * Errors:      none
	 * Context:     always after a setup() that succeeded, whatever handle()
	 *              returned; after error() where both are called
	 * Thread-safe: several at once with SS_THREADS, one for each request
	 * Source:      Python's BaseRequestHandler.finish
	 * Since:       ABI 1.0
	 */
	void (*finish)(ss_request *rq);

	/**
	 * error - setup or handle has failed
	 * @rq:         the request
	 * @status:     what setup() or handle() returned
	 * Returns:     nothing
	 * Errors:      none
	 * Context:     before finish(); without this field the daemon logs it
	 * Thread-safe: several at once with SS_THREADS, one for each request
	 * Source:      Python's server.handle_error
	 * Since:       ABI 1.0
	 */
	void (*error)(ss_request *rq, int status);

	/**
	 * tick - do what is due from time to time
	 * @service:    the listener in this process
	 * Returns:     nothing
	 * Errors:      none
	 * Context:     every "tick" seconds of the listener, in each process that
	 *              serves; under forking in the parent of the children,
	 *              under event between requests, in their thread: while
	 *              it runs they stand still
	 * Thread-safe: beside requests where there are threads, but not
	 *              beside itself
	 * Source:      Python's server.service_actions
	 * Since:       ABI 1.0
	 */
	void (*tick)(ss_service *service);
};

/**
 * SS_HANDLER_SYMBOL - the name of the one symbol that a handler exports
 */
#define SS_HANDLER_SYMBOL "socketserver_handler"

/**
 * struct ss_note - an ELF note that tells the ABI without running the object
 * @name_size: size of name in bytes, with its NUL: 14
 * @desc_size: size of what follows name: 4
 * @type:      1
 * @name:      "socketserverd"
 * @abi:       SS_ABI at the time the handler was compiled
 */
struct ss_note {
	uint32_t name_size, desc_size, type;
	char name[16];
	uint32_t abi;
};

/**
 * SS_HANDLER - define and export the handler of this shared object
 * @...: designated initialisers of struct ss_handler, from name on
 */
#define SS_HANDLER(...) \
	__attribute__((section(".note.socketserverd"), aligned(4), used)) \
	static const struct ss_note ss_note_ = \
		{ 14, 4, 1, "socketserverd", SS_ABI }; \
	__attribute__((visibility("default"))) \
	extern const struct ss_handler socketserver_handler; \
	const struct ss_handler socketserver_handler = \
		{ .abi = SS_ABI, .size = sizeof(struct ss_handler), __VA_ARGS__ }

/**
 * Section: Receiving
 */

/**
 * ss_read - receive bytes from the peer of this request
 * @rq:         the request passed to handle(); must not outlive it
 * @buf, @len:  destination and its size in bytes; len 0 returns 0 at once
 * Returns:     bytes received (1..len), 0 when the peer has closed its side,
 *              -1 with errno; of a datagram its bytes, then 0
 * Errors:      ETIMEDOUT nothing came within the timeout; ECONNRESET;
 *              ECANCELED past the drain deadline
 * Context:     inside verify, setup, handle or finish of this request, under
 *              any model
 * Thread-safe: one caller at a time per request
 * Source:      recv(2); Python's self.request.recv, self.rfile.read1
 * Since:       ABI 1.0
 */
static inline ssize_t
ss_read(ss_request *rq, void *buf, size_t len)
{
	return rq->api->read(rq, buf, len);
}

/**
 * ss_read_line - receive up to and with the next newline
 * @rq:         the request passed to handle(); must not outlive it
 * @buf, @len:  destination and its size in bytes; no NUL is added
 * Returns:     bytes received: a line with its newline, or len bytes of a
 *              longer one, or what is left at the end; 0 at the end;
 *              -1 with errno
 * Errors:      ETIMEDOUT no newline came within the timeout; ECONNRESET;
 *              ECANCELED past the drain deadline
 * Context:     inside verify, setup, handle or finish of this request, under
 *              any model; mixes freely with ss_read()
 * Thread-safe: one caller at a time per request
 * Source:      Python's self.rfile.readline
 * Since:       ABI 1.0
 */
static inline ssize_t
ss_read_line(ss_request *rq, void *buf, size_t len)
{
	return rq->api->read_line(rq, buf, len);
}

/**
 * Section: Sending
 * To a stream, bytes leave at once, or are gathered when the listener has a
 * write_buffer. To the sender of a datagram there is one reply: all that is
 * written until ss_flush() or the end of the request goes out as one datagram.
 * Nothing is sent when nothing was written; writing no bytes sends an empty one.
 */

/**
 * ss_write - send bytes to the peer of this request, all of them
 * @rq:         the request passed to handle(); must not outlive it
 * @buf, @len:  source and its size in bytes; to a datagram's reply they are
 *              added, even when len is 0
 * Returns:     0 when all of it is on its way, -1 with errno
 * Errors:      ETIMEDOUT the peer took nothing within the timeout; EPIPE and
 *              ECONNRESET the peer is gone; EMSGSIZE the reply is longer than
 *              a datagram can be; ECANCELED past the drain deadline
 * Context:     inside verify, setup, handle or finish of this request, under
 *              any model; SIGPIPE is never raised
 * Thread-safe: one caller at a time per request
 * Source:      send(2); Python's self.request.sendall, self.wfile.write
 * Since:       ABI 1.0
 */
static inline int
ss_write(ss_request *rq, const void *buf, size_t len)
{
	return rq->api->write(rq, buf, len);
}

/**
 * ss_printf - send formatted text to the peer of this request
 * @rq:         the request passed to handle(); must not outlive it
 * @format:     as of printf(3); never text that came from a peer
 * Returns:     0 when all of it is on its way, -1 with errno
 * Errors:      those of ss_write(); ENOMEM
 * Context:     as ss_write()
 * Thread-safe: one caller at a time per request
 * Source:      dprintf(3); Python's self.wfile.write
 * Since:       ABI 1.0
 */
__attribute__((format(printf, 2, 3)))
static inline int
ss_printf(ss_request *rq, const char *format, ...)
{
	va_list ap;
	int result;

	va_start(ap, format);
	result = rq->api->vprintf(rq, format, ap);
	va_end(ap);
	return result;
}

/**
 * ss_flush - send what ss_write and ss_printf have gathered
 * @rq:         the request passed to handle(); must not outlive it
 * Returns:     0, -1 with errno
 * Errors:      those of ss_write()
 * Context:     as ss_write(); of a datagram, sends the reply so far and
 *              begins another one
 * Thread-safe: one caller at a time per request
 * Source:      fflush(3); Python's self.wfile.flush
 * Since:       ABI 1.0
 */
static inline int
ss_flush(ss_request *rq)
{
	return rq->api->flush(rq);
}

/**
 * ss_end_write - tell the peer that nothing more will be sent
 * @rq:         the request passed to handle(); must not outlive it
 * Returns:     0, -1 with errno
 * Errors:      those of ss_write(), as what is gathered is sent first
 * Context:     as ss_write(); reading goes on; the daemon does this by itself
 *              at the end of every request
 * Thread-safe: one caller at a time per request
 * Source:      shutdown(2) with SHUT_WR; Python's server.shutdown_request
 * Since:       ABI 1.0
 */
static inline int
ss_end_write(ss_request *rq)
{
	return rq->api->end_write(rq);
}

/**
 * Section: Who and where
 */

/**
 * ss_peer - the peer's address as text
 * @rq:         the request passed to handle()
 * Returns:     "127.0.0.1:50312", "[::1]:50312" or "unix:PATH"; valid until
 *              the request ends
 * Errors:      none
 * Context:     inside verify, setup, handle, finish or error of this request
 * Thread-safe: yes
 * Source:      getpeername(2); Python's self.client_address
 * Since:       ABI 1.0
 */
static inline const char *
ss_peer(ss_request *rq)
{
	return rq->api->peer(rq);
}

/**
 * ss_local - the address that the peer asked, as text
 * @rq:         the request passed to handle()
 * Returns:     the same forms as ss_peer(); valid until the request ends
 * Errors:      none
 * Context:     inside verify, setup, handle, finish or error of this request
 * Thread-safe: yes
 * Source:      getsockname(2); Python's self.server.server_address
 * Since:       ABI 1.0
 */
static inline const char *
ss_local(ss_request *rq)
{
	return rq->api->local(rq);
}

/**
 * ss_peer_address - the peer's address as the system has it
 * @rq:         the request passed to handle()
 * @len:        set to its length, or NULL; a length of 0 is a peer without a
 *              name, as many a client of a Unix socket
 * Returns:     the address, valid until the request ends; an IPv4 peer is
 *              AF_INET, never an IPv4-mapped IPv6 address
 * Errors:      none
 * Context:     inside verify, setup, handle, finish or error of this request
 * Thread-safe: yes
 * Source:      getpeername(2); Python's self.client_address
 * Since:       ABI 1.0
 */
static inline const struct sockaddr *
ss_peer_address(ss_request *rq, socklen_t *len)
{
	return rq->api->peer_address(rq, len);
}

/**
 * ss_worker - the name of what runs this request
 * @rq:         the request passed to handle()
 * Returns:     "Thread-2", "Process-4711" or "Fiber-7"; valid until the
 *              request ends
 * Errors:      none
 * Context:     inside verify, setup, handle, finish or error of this request
 * Thread-safe: yes
 * Source:      Python's threading.current_thread().name
 * Since:       ABI 1.0
 */
static inline const char *
ss_worker(ss_request *rq)
{
	return rq->api->worker(rq);
}

/**
 * ss_id - the number of this request
 * @rq:         the request passed to handle()
 * Returns:     a number that no other request of this listener has; it is
 *              the "request" field of the log
 * Errors:      none
 * Context:     inside verify, setup, handle, finish or error of this request
 * Thread-safe: yes
 * Source:      socketserverd's log
 * Since:       ABI 1.0
 */
static inline uint64_t
ss_id(ss_request *rq)
{
	return rq->api->id(rq);
}

/**
 * ss_fd - the descriptor beneath this request
 * @rq:         the request passed to handle()
 * Returns:     the connection's descriptor, or the listener's for a datagram;
 *              borrowed: never close it; -1 with errno
 * Errors:      EPERM the handler does not declare SS_NEEDS_FD
 * Context:     inside verify, setup, handle or finish of this request
 * Thread-safe: yes
 * Source:      Python's self.request.fileno
 * Since:       ABI 1.0
 */
static inline int
ss_fd(ss_request *rq)
{
	return rq->api->fd(rq);
}

/**
 * ss_is_datagram - is this request a datagram, or a connection?
 * @rq:         the request passed to handle()
 * Returns:     true for a datagram, whose reply will be one too
 * Errors:      none
 * Context:     inside verify, setup, handle or finish of this request
 * Thread-safe: yes
 * Source:      Python's self.server.socket_type
 * Since:       ABI 1.0
 */
static inline bool
ss_is_datagram(ss_request *rq)
{
	return rq->api->is_datagram(rq);
}

/**
 * Section: State
 * A handler has no variables of its own that change: what belongs to a request
 * hangs on the request, what belongs to the listener hangs on the service.
 */

/**
 * ss_set_data - hang the handler's own state on the request
 * @rq:         the request passed to handle()
 * @data:       anything; the daemon neither reads nor frees it
 * Returns:     nothing
 * Errors:      none
 * Context:     inside verify, setup, handle or finish of this request
 * Thread-safe: one caller at a time per request
 * Source:      Python's self.anything = data
 * Since:       ABI 1.0
 */
static inline void
ss_set_data(ss_request *rq, void *data)
{
	rq->data = data;
}

/**
 * ss_data - what ss_set_data left on the request
 * @rq:         the request passed to handle()
 * Returns:     the pointer; NULL when none was left
 * Errors:      none
 * Context:     inside verify, setup, handle, finish or error of this request
 * Thread-safe: one caller at a time per request
 * Source:      Python's self.anything
 * Since:       ABI 1.0
 */
static inline void *
ss_data(ss_request *rq)
{
	return rq->data;
}

/**
 * ss_service_of - the listener that this request came to
 * @rq:         the request passed to handle()
 * Returns:     the service, never NULL; the same for every request of this
 *              process
 * Errors:      none
 * Context:     inside verify, setup, handle, finish or error of this request
 * Thread-safe: yes
 * Source:      Python's self.server
 * Since:       ABI 1.0
 */
static inline ss_service *
ss_service_of(ss_request *rq)
{
	return rq->api->service_of(rq);
}

/**
 * ss_service_set_data - hang the handler's own state on the service
 * @service:    the service passed to open()
 * @data:       anything; the daemon neither reads nor frees it
 * Returns:     nothing
 * Errors:      none
 * Context:     inside open, so that every request finds it; free it in close
 * Thread-safe: no; what the pointer leads to is the handler's to guard
 * Source:      Python's server.anything = data
 * Since:       ABI 1.0
 */
static inline void
ss_service_set_data(ss_service *service, void *data)
{
	service->data = data;
}

/**
 * ss_service_data - what ss_service_set_data left on the service
 * @service:    the service passed to open(), or ss_service_of(rq)
 * Returns:     the pointer; NULL when none was left
 * Errors:      none
 * Context:     anywhere in a handler
 * Thread-safe: yes
 * Source:      Python's self.server.anything
 * Since:       ABI 1.0
 */
static inline void *
ss_service_data(ss_service *service)
{
	return service->data;
}

/**
 * Section: Options
 * The listener's "options" group, already checked against the handler's table:
 * a value is there, of the type and in the range that the table says. To ask
 * for a name that is not in the table, or by the call of another type, is a
 * fault in the handler: the answer is then NULL, 0 or false.
 */

/**
 * ss_option_string - the value of a STRING or CHOICE option
 * @service:    the service passed to open(), or ss_service_of(rq)
 * @name:       of the option
 * Returns:     the listener's value or the default; valid until close() has
 *              returned
 * Errors:      none
 * Context:     anywhere in a handler
 * Thread-safe: yes
 * Source:      the listener's options; Python's class attributes
 * Since:       ABI 1.0
 */
static inline const char *
ss_option_string(ss_service *service, const char *name)
{
	return service->api->option_string(service, name);
}

/**
 * ss_option_int - the value of an INT option
 * @service:    the service passed to open(), or ss_service_of(rq)
 * @name:       of the option
 * Returns:     the listener's value or the default
 * Errors:      none
 * Context:     anywhere in a handler
 * Thread-safe: yes
 * Source:      the listener's options; Python's class attributes
 * Since:       ABI 1.0
 */
static inline int64_t
ss_option_int(ss_service *service, const char *name)
{
	return service->api->option_int(service, name);
}

/**
 * ss_option_bool - the value of a BOOL option
 * @service:    the service passed to open(), or ss_service_of(rq)
 * @name:       of the option
 * Returns:     the listener's value or the default
 * Errors:      none
 * Context:     anywhere in a handler
 * Thread-safe: yes
 * Source:      the listener's options; Python's class attributes
 * Since:       ABI 1.0
 */
static inline bool
ss_option_bool(ss_service *service, const char *name)
{
	return service->api->option_bool(service, name);
}

/**
 * ss_option_seconds - the value of a SECONDS option
 * @service:    the service passed to open(), or ss_service_of(rq)
 * @name:       of the option
 * Returns:     the listener's value or the default, in seconds
 * Errors:      none
 * Context:     anywhere in a handler
 * Thread-safe: yes
 * Source:      the listener's options; Python's class attributes
 * Since:       ABI 1.0
 */
static inline double
ss_option_seconds(ss_service *service, const char *name)
{
	return service->api->option_seconds(service, name);
}

/**
 * ss_option_groups - how many groups a GROUPS option has
 * @service:    the service passed to open(), or ss_service_of(rq)
 * @name:       of the option
 * Returns:     the number of groups; 0 when the option was not given
 * Errors:      none
 * Context:     anywhere in a handler
 * Thread-safe: yes
 * Source:      the listener's options
 * Since:       ABI 1.0
 */
static inline size_t
ss_option_groups(ss_service *service, const char *name)
{
	return service->api->option_groups(service, name);
}

/**
 * ss_option_group - one group of a GROUPS option
 * @service:    the service passed to open(), or ss_service_of(rq)
 * @name:       of the option
 * @i:          which one, from 0, in the order of the configuration file
 * Returns:     the group, valid until close() has returned; NULL when i is
 *              not below ss_option_groups()
 * Errors:      none
 * Context:     anywhere in a handler
 * Thread-safe: yes
 * Source:      the listener's options
 * Since:       ABI 1.0
 */
static inline const ss_group *
ss_option_group(ss_service *service, const char *name, size_t i)
{
	return service->api->option_group(service, name, i);
}

/**
 * ss_group_string - the value of a STRING or CHOICE row of a group
 * @group:      from ss_option_group()
 * @name:       of the row
 * Returns:     the group's value or the default; valid as long as the group
 * Errors:      none
 * Context:     anywhere in a handler
 * Thread-safe: yes
 * Source:      the listener's options
 * Since:       ABI 1.0
 */
static inline const char *
ss_group_string(const ss_group *group, const char *name)
{
	return group->api->group_string(group, name);
}

/**
 * ss_group_int - the value of an INT row of a group
 * @group:      from ss_option_group()
 * @name:       of the row
 * Returns:     the group's value or the default
 * Errors:      none
 * Context:     anywhere in a handler
 * Thread-safe: yes
 * Source:      the listener's options
 * Since:       ABI 1.0
 */
static inline int64_t
ss_group_int(const ss_group *group, const char *name)
{
	return group->api->group_int(group, name);
}

/**
 * ss_group_bool - the value of a BOOL row of a group
 * @group:      from ss_option_group()
 * @name:       of the row
 * Returns:     the group's value or the default
 * Errors:      none
 * Context:     anywhere in a handler
 * Thread-safe: yes
 * Source:      the listener's options
 * Since:       ABI 1.0
 */
static inline bool
ss_group_bool(const ss_group *group, const char *name)
{
	return group->api->group_bool(group, name);
}

/**
 * ss_group_seconds - the value of a SECONDS row of a group
 * @group:      from ss_option_group()
 * @name:       of the row
 * Returns:     the group's value or the default, in seconds
 * Errors:      none
 * Context:     anywhere in a handler
 * Thread-safe: yes
 * Source:      the listener's options
 * Since:       ABI 1.0
 */
static inline double
ss_group_seconds(const ss_group *group, const char *name)
{
	return group->api->group_seconds(group, name);
}

/**
 * Section: Time
 */

/**
 * ss_set_timeout - change how long one read or write of this request may wait
 * @rq:         the request passed to handle()
 * @ms:         milliseconds; 0 waits without end; the listener's "timeout"
 *              holds until this is called
 * Returns:     nothing
 * Errors:      none
 * Context:     inside verify, setup, handle or finish of this request
 * Thread-safe: one caller at a time per request
 * Source:      Python's StreamRequestHandler.timeout, self.request.settimeout
 * Since:       ABI 1.0
 */
static inline void
ss_set_timeout(ss_request *rq, int ms)
{
	rq->api->set_timeout(rq, ms);
}

/**
 * ss_sleep - wait
 * @rq:         the request passed to handle()
 * @ms:         milliseconds
 * Returns:     0 when the time is over, -1 with errno
 * Errors:      ECANCELED past the drain deadline
 * Context:     inside verify, setup, handle or finish of this request; stops
 *              no other request where several run in a process
 * Thread-safe: one caller at a time per request
 * Source:      nanosleep(2); Python's time.sleep
 * Since:       ABI 1.0
 */
static inline int
ss_sleep(ss_request *rq, int ms)
{
	return rq->api->sleep(rq, ms);
}

/**
 * ss_draining - has this process been asked to come to an end?
 * @rq:         the request passed to handle()
 * Returns:     true from the moment of the stop on; a handler of long talks
 *              says goodbye then
 * Errors:      none
 * Context:     inside verify, setup, handle or finish of this request
 * Thread-safe: yes
 * Source:      the listener's "drain_timeout"; Python's server.shutdown
 * Since:       ABI 1.0
 */
static inline bool
ss_draining(ss_request *rq)
{
	return rq->api->draining(rq);
}

/**
 * Section: Logging
 * A line carries the listener, the worker, the peer and the request by itself.
 * Control bytes are escaped: what a peer sent cannot forge a line.
 */

/**
 * ss_log - write a line about this request to the daemon's log
 * @rq:         the request passed to handle()
 * @level:      one of enum ss_log_level
 * @format:     as of printf(3); never text that came from a peer
 * Returns:     nothing
 * Errors:      none
 * Context:     inside verify, setup, handle, finish or error of this request
 * Thread-safe: yes
 * Source:      syslog(3); Python's logging
 * Since:       ABI 1.0
 */
__attribute__((format(printf, 3, 4)))
static inline void
ss_log(ss_request *rq, enum ss_log_level level, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	rq->api->vlog(rq, level, format, ap);
	va_end(ap);
}

/**
 * ss_service_log - write a line about this listener to the daemon's log
 * @service:    the service passed to open(), or ss_service_of(rq)
 * @level:      one of enum ss_log_level
 * @format:     as of printf(3); never text that came from a peer
 * Returns:     nothing
 * Errors:      none
 * Context:     anywhere in a handler; what open() logs before it fails is
 *              the reason that the operator sees
 * Thread-safe: yes
 * Source:      syslog(3); Python's logging
 * Since:       ABI 1.0
 */
__attribute__((format(printf, 3, 4)))
static inline void
ss_service_log(ss_service *service, enum ss_log_level level,
    const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	service->api->service_vlog(service, level, format, ap);
	va_end(ap);
}

#ifdef __cplusplus
}
#endif
#endif
