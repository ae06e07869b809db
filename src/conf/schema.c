/* SPDX-License-Identifier: ISC */
/*
 * THE ROWS: every setting that a configuration file may hold. A setting is
 * added by adding its field to config.h and its row here; what else is said or
 * done about it follows from the row.
 *
 * A group's own row stands right before the rows of its members.
 */
#include "base/log.h"
#include "conf/row.h"

#define MS 1LL
#define SECOND (1000 * MS)
#define DAY (86400 * SECOND)
#define YEAR (365 * DAY)
#define KIB 1024LL
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define TIB (1024 * GIB)
#define COUNT_MAX 1000000
#define PROCESSES_MAX 1024
#define TEXT_MAX 4096           /* bytes of a string */
#define NAME_MAX_BYTES 255

#define TOP(TYPE, field) ROW_FIELD(struct config, TYPE, field)
#define LISTENER(TYPE, field) ROW_FIELD(struct listener_conf, TYPE, field)
#define POOLED (ROW_MODEL(THREADED) | ROW_MODEL(PREFORK) | ROW_MODEL(EVENT))

static const char *const level_words[] = {
	[LOG_LEVEL_DEBUG] = "debug",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_NOTICE] = "notice",
	[LOG_LEVEL_WARNING] = "warning",
	[LOG_LEVEL_ERROR] = "error",
	NULL
};

static const char *const format_words[] = {
	[LOG_FORMAT_TEXT] = "text",
	[LOG_FORMAT_JSON] = "json",
	NULL
};

static const char *const concurrency_words[] = {
	[CONCURRENCY_SYNC] = "sync",
	[CONCURRENCY_THREADED] = "threaded",
	[CONCURRENCY_FORKING] = "forking",
	[CONCURRENCY_PREFORK] = "prefork",
	[CONCURRENCY_EVENT] = "event",
	NULL
};

static const char *const when_full_words[] = {
	[WHEN_FULL_QUEUE] = "queue",
	[WHEN_FULL_REFUSE] = "refuse",
	[WHEN_FULL_RESET] = "reset",
	[WHEN_FULL_SHED_IDLE] = "shed_idle",
	NULL
};

static const char *const io_words[] = {
	[IO_AUTO] = "auto",
	[IO_EPOLL] = "epoll",
	[IO_URING] = "io_uring",
	NULL
};

static const struct conf_row top_rows[] = {
	{ "listeners", .type = ROW_SECTION, .reload = RELOAD_SOCKET,
	  .help = "The listeners, each a group. Files in the directory conf.d "
	      "beside the main file, when their names end in .conf, are read "
	      "after it in the order of their names; each may hold a listeners "
	      "list of its own and nothing else." },
	{ "module_path", TOP(STRINGS, module_path),
	    .text = PKGLIBDIR "/handlers",
	  .reload = RELOAD_GENERATION,
	  .help = "The directories in which a handler's name is looked up, as "
	      "NAME.so, in this order. A relative path is taken from the "
	      "directory of the main file." },
	{ "user", TOP(STRING, user), .min = 1, .max = NAME_MAX_BYTES,
	  .unset = "nobody, when the daemon runs as root",
	  .reload = RELOAD_GENERATION,
	  .example = "\"www-data\"",
	  .help = "The user as whom the service processes of every listener "
	      "run that names none itself. Only a daemon that runs as root can "
	      "change it." },
	{ "group", TOP(STRING, group), .min = 1, .max = NAME_MAX_BYTES,
	  .unset = "the user's own group", .reload = RELOAD_GENERATION,
	  .example = "\"www-data\"",
	  .help = "The group as which the service processes of every listener "
	      "run that names none itself." },
	{ "log", .type = ROW_GROUP, .reload = RELOAD_LIVE,
	  .help = "Where the log goes and what it holds." },
	{ "log.target", TOP(STRING, log.target), .text = "auto", .min = 1,
	  .max = TEXT_MAX, .reload = RELOAD_LIVE,
	  .help = "\"auto\" (the journal under systemd, else standard error), "
	      "\"stderr\", \"syslog\", \"journal\", or \"file:PATH\". A file "
	      "is opened again on the signal USR1." },
	{ "log.level", TOP(CHOICE, log.level), .number = LOG_LEVEL_INFO,
	  .choices = level_words, .reload = RELOAD_LIVE,
	  .help = "Lines below this level are left out." },
	{ "log.format", TOP(CHOICE, log.format), .number = LOG_FORMAT_TEXT,
	  .choices = format_words, .reload = RELOAD_LIVE,
	  .help = "\"text\" is key=value pairs, \"json\" an object; one record "
	      "a line in either." },
	{ "log.access", TOP(BOOL, log.is_access_on), .number = true,
	  .reload = RELOAD_LIVE,
	  .help = "Write one line for each finished or refused request." },
	{ "control", .type = ROW_GROUP, .reload = RELOAD_START,
	  .help = "The socket over which socketserverctl(1) talks to the "
	      "daemon. A change takes effect at the next start." },
	{ "control.socket", TOP(STRING, control.socket),
	    .text = CONTROL_SOCKET,
	  .max = TEXT_MAX, .reload = RELOAD_START,
	  .help = "The path of the Unix socket; its directory is made if it is "
	      "missing. In a unit with RuntimeDirectory= the default is "
	      "control.sock there. \"\": no control socket. A daemon that cannot make the "
	      "socket ends; where the path is the default one and the "
	      "directory is missing, read-only or somebody else's, it warns "
	      "and serves without." },
	{ "control.mode", TOP(MODE, control.mode), .max = 0777, .number = 0600,
	  .reload = RELOAD_START,
	  .help = "Permission bits of the socket's file. It has them before "
	      "anyone can connect." },
	{ "control.group", TOP(STRING, control.group), .min = 1,
	  .max = NAME_MAX_BYTES, .unset = "the daemon's group",
	  .reload = RELOAD_START,
	  .example = "\"adm\"",
	  .help = "The group that owns the socket's file. When it is set, "
	      "whoever the mode lets connect may ask for the status; without "
	      "it only root and the daemon's own user may. Only those two may "
	      "change anything, in either case." },
	{ "defaults", .type = ROW_SECTION, .reload = RELOAD_GENERATION,
	  .help = "A group that holds keys of a listener: the default of each "
	      "for all listeners, those in conf.d too. A key that does not "
	      "apply to a listener's concurrency is passed over; options, "
	      "allow and deny are replaced whole by the listener's own." },
	{ "drain_timeout", TOP(DURATION, drain_timeout_ms), .max = DAY,
	  .number = 30 * SECOND, .reload = RELOAD_LIVE,
	  .python = "block_on_close, daemon_threads",
	  .help = "How long a stop lets running requests finish. 0: they are "
	      "cut short at once." },
	{ "lame_duck", TOP(DURATION, lame_duck_ms), .max = DAY,
	  .reload = RELOAD_LIVE,
	  .help = "How long a stop goes on accepting after it has told systemd "
	      "and everybody who asks for the health that the daemon is not "
	      "ready, so that balancers stop sending first. 0: not at all." },
	{ "address_file", TOP(STRING, address_file), .min = 1, .max = TEXT_MAX,
	  .unset = "none", .reload = RELOAD_LIVE,
	  .example = "\"/run/socketserverd/addresses\"",
	  .help = "A file that receives one line, NAME ADDRESS, for each bound "
	      "address, with the port that the system chose where 0 was asked "
	      "for. It is written whole before readiness is told." },
};

static const struct conf_row listener_rows[] = {
	{ "name", LISTENER(STRING, name), .min = 1, .max = TEXT_MAX,
	  .is_required = true, .is_own_only = true, .reload = RELOAD_SOCKET,
	  .example = "\"echo\"",
	  .help = "What the listener is called in the log and in the status: "
	      "letters, digits, - _ and . (not - or . at the start), at most "
	      "63. It is unique." },
	{ "enabled", LISTENER(BOOL, is_enabled), .number = true,
	  .reload = RELOAD_SOCKET,
	  .help = "Serve it. A listener that is not enabled is checked for "
	      "keys, types and ranges only." },
	{ "listen", LISTENER(STRING_OR_LIST, listen), .is_required = true,
	  .is_own_only = true, .reload = RELOAD_SOCKET,
	  .python = "server_address, address_family, socket_type",
	  .example = "\"tcp://127.0.0.1:7007\"",
	  .help = "One or several addresses: tcp://HOST:PORT, udp://HOST:PORT, "
	      "unix:PATH (stream), unixgram:PATH, unix:@NAME (abstract), or "
	      "fd:NAME (a socket that systemd hands over under that name). "
	      "HOST is an IPv4 address, an IPv6 address in [], a name, or * "
	      "for one IPv4 and one IPv6 socket. PORT 0 lets the system "
	      "choose; the chosen port is logged and stands in address_file." },
	{ "handler", LISTENER(STRING, handler), .is_required = true, .min = 1,
	  .max = TEXT_MAX, .reload = RELOAD_GENERATION,
	  .python = "RequestHandlerClass",
	  .example = "\"echo\"",
	  .help = "What serves a request: a name that is looked up on "
	      "module_path, or a path that ends in .so. A relative path is "
	      "taken from the directory of the main file." },
	{ "options", LISTENER(OPTIONS, options), .reload = RELOAD_GENERATION,
	  .help = "The handler's own options. The handler declares them, and "
	      "they are checked against that." },
	{ "concurrency", LISTENER(CHOICE, concurrency),
	  .number = CONCURRENCY_THREADED, .choices = concurrency_words,
	  .reload = RELOAD_GENERATION, .python = "ThreadingMixIn, ForkingMixIn",
	  .help = "How requests run side by side. \"sync\": one process, one "
	      "request at a time. \"threaded\": one process, a thread for each "
	      "request or a pool of threads. \"forking\": a process for each "
	      "request. \"prefork\": a pool of processes, one request at a "
	      "time in each. \"event\": a process for each processor, and in it "
	      "a fiber for each request, thousands side by side; for handlers "
	      "that wait in ss_ calls alone (SS_FIBERS)." },
	{ "workers", LISTENER(WORKERS, workers), .max = PROCESSES_MAX,
	  .models = POOLED, .reload = RELOAD_GENERATION,
	  .help = "Under prefork the number of processes (0: 4), under "
	      "event too (0: one for each processor), under "
	      "threaded the number of threads in the pool (0: a thread for "
	      "each request, no pool). \"auto\" is one for each processor. Not "
	      "more than max_connections." },
	{ "max_workers", LISTENER(INT, max_workers), .max = PROCESSES_MAX,
	  .models = POOLED, .reload = RELOAD_GENERATION,
	  .help = "The pool grows at once, doubling, from workers up to so many "
	      "processes or threads when too few are idle, and shrinks again "
	      "when they are not needed. Under threaded it needs workers. 0: "
	      "it has a fixed size." },
	{ "min_spare", LISTENER(INT, min_spare), .max = PROCESSES_MAX,
	  .models = ROW_MODEL(PREFORK), .reload = RELOAD_GENERATION,
	  .help = "With max_workers: processes are added when fewer than this "
	      "are idle. 0: 1." },
	{ "max_spare", LISTENER(INT, max_spare), .max = PROCESSES_MAX,
	  .models = ROW_MODEL(PREFORK), .reload = RELOAD_GENERATION,
	  .help = "With max_workers: processes are ended when more than this "
	      "are idle, but never below workers. 0: min_spare and 2 more." },
	{ "max_requests", LISTENER(INT, max_requests), .max = 1000 * COUNT_MAX,
	  .models = ROW_MODEL(PREFORK), .reload = RELOAD_GENERATION,
	  .unit = "requests",
	  .help = "A process of the pool is replaced after so many requests, "
	      "up to half as many more so that they do not all end together. "
	      "0: never." },
	{ "backlog", LISTENER(INT, backlog), .min = 1, .max = COUNT_MAX,
	  .number = 4096, .unit = "connections", .reload = RELOAD_SOCKET,
	  .python = "request_queue_size",
	  .sockets = ROW_ON_TCP | ROW_ON_UNIX, .unit_key = "Backlog",
	  .help = "How many connections may wait in the kernel's queue. The "
	      "kernel caps it at net.core.somaxconn." },
	{ "max_connections", LISTENER(INT, max_connections), .min = 1,
	  .max = COUNT_MAX, .number = 1024, .unit = "requests",
	  .reload = RELOAD_GENERATION, .python = "max_children",
	  .help = "How many requests this listener serves at once. In a pool, "
	      "connections that wait for their first bytes without a worker "
	      "count, too." },
	{ "when_full", LISTENER(CHOICE, when_full), .number = WHEN_FULL_QUEUE,
	  .choices = when_full_words, .reload = RELOAD_GENERATION,
	  .help = "What happens to a request beyond max_connections. "
	      "\"queue\": it waits in the kernel's queue, or in the process "
	      "where io_uring had accepted it already. \"refuse\": "
	      "refuse_text is sent and the connection closed; a datagram is "
	      "dropped. \"reset\": the connection is reset; a datagram is "
	      "dropped. \"shed_idle\": of the connections that are being "
	      "served, the one whose read has waited longest for another "
	      "message, 5 ms at least, is ended and gives up its place; one "
	      "in the middle of its work, of a write or of a line never is. "
	      "Where none waits, and for datagrams, as \"queue\". Under a "
	      "pool it does so when no worker is free, too; under sync a "
	      "client that stays silent between two messages is ended as "
	      "soon as there is another one." },
	{ "refuse_text", LISTENER(STRING, refuse_text), .max = TEXT_MAX,
	  .reload = RELOAD_GENERATION,
	  .help = "Sent to a connection that is refused, whatever the reason, "
	      "as far as that is possible without waiting." },
	{ "timeout", LISTENER(DURATION, timeout_ms), .max = YEAR,
	  .number = 60 * SECOND, .reload = RELOAD_GENERATION,
	  .python = "StreamRequestHandler.timeout",
	  .help = "The longest wait in one read or write. 0: no limit." },
	{ "session_timeout", LISTENER(DURATION, session_timeout_ms),
	    .max = YEAR,
	  .reload = RELOAD_GENERATION,
	  .help = "The longest life of one connection. 0: no limit." },
	{ "tick", LISTENER(DURATION, tick_ms), .max = DAY,
	  .reload = RELOAD_GENERATION, .python = "handle_timeout, "
	      "service_actions",
	  .help = "How often the handler's tick function is called in each "
	      "service process. 0: never." },
	{ "allow", LISTENER(STRINGS, allow), .reload = RELOAD_GENERATION,
	  .python = "verify_request",
	  .help = "Addresses and prefixes that may connect, such as "
	      "\"192.0.2.0/24\" or \"2001:db8::/32\". When the list has "
	      "members, every other peer is refused. Peers of Unix sockets are "
	      "not subject to it." },
	{ "deny", LISTENER(STRINGS, deny), .reload = RELOAD_GENERATION,
	  .python = "verify_request",
	  .help = "Addresses and prefixes that are refused, also when allow "
	      "names them." },
	{ "reuse_address", LISTENER(BOOL, reuse_address), .number = true,
	  .reload = RELOAD_SOCKET, .python = "allow_reuse_address",
	  .sockets = ROW_ON_TCP,
	  .help = "Bind a TCP address although connections of an earlier run "
	      "linger on it (SO_REUSEADDR). Datagram sockets never have it. It "
	      "counts only when an address is bound." },
	{ "reuse_port", LISTENER(BOOL, reuse_port), .reload = RELOAD_SOCKET,
	  .python = "allow_reuse_port",
	  .models = ROW_MODEL(PREFORK) | ROW_MODEL(EVENT),
	  .sockets = ROW_ON_TCP | ROW_ON_UDP,
	  .help = "Bind each TCP and UDP address once for each process "
	      "(SO_REUSEPORT), so that each takes from a queue of its own, "
	      "which the kernel chooses by the peer's address. A process that "
	      "is slow or hangs keeps its queue waiting, however idle the "
	      "others are; one that dies leaves it to its successor. Sockets "
	      "stay as long as their address is configured: with fewer workers "
	      "those that are left share all of them. Not with max_workers." },
	{ "nodelay", LISTENER(BOOL, nodelay), .number = true,
	  .reload = RELOAD_GENERATION, .python = "disable_nagle_algorithm",
	  .sockets = ROW_ON_TCP | ROW_ON_FD,
	  .help = "Send small writes at once (TCP_NODELAY)." },
	{ "keepalive", LISTENER(KEEPALIVE, keepalive_s), .min = 1, .max = 32767,
	  .number = -1, .reload = RELOAD_GENERATION,
	  .sockets = ROW_ON_TCP | ROW_ON_FD,
	  .help = "Probe silent TCP connections (SO_KEEPALIVE): true with the "
	      "system's times, or after so many seconds of silence." },
	{ "read_buffer", LISTENER(SIZE, read_buffer_bytes), .min = 1,
	  .max = 16 * MIB, .number = 8192, .reload = RELOAD_GENERATION,
	  .python = "rbufsize",
	  .help = "The buffer of ss_read_line() on a stream, for each request: how "
	      "much is received at once. ss_read() receives into the handler's own "
	      "memory." },
	{ "write_buffer", LISTENER(SIZE, write_buffer_bytes), .max = 16 * MIB,
	  .reload = RELOAD_GENERATION, .python = "wbufsize",
	  .help = "The buffer of a stream's writes, for each request. 0: every "
	      "write goes out at once." },
	{ "max_datagram", LISTENER(SIZE, max_datagram_bytes), .min = 1,
	  .max = 65535, .number = 65535, .reload = RELOAD_GENERATION,
	  .python = "max_packet_size",
	  .help = "The longest datagram that is served. A longer one is "
	      "dropped whole and counted, never served in part." },
	{ "rcvbuf", LISTENER(SIZE, rcvbuf_bytes), .max = GIB,
	  .reload = RELOAD_GENERATION,
	  .help = "The kernel's receive buffer of a socket (SO_RCVBUF), up to "
	      "net.core.rmem_max. 0: the system's choice. What comes by UDP "
	      "while it is full is dropped; socketserverctl show and the log "
	      "say how much." },
	{ "sndbuf", LISTENER(SIZE, sndbuf_bytes), .max = GIB,
	  .reload = RELOAD_GENERATION,
	  .help = "The kernel's send buffer of a socket (SO_SNDBUF). 0: the "
	      "system's choice." },
	{ "defer_accept", LISTENER(SECONDS, defer_accept_s), .max = 3600,
	  .reload = RELOAD_SOCKET,
	  .sockets = ROW_ON_TCP, .unit_key = "DeferAcceptSec",
	  .help = "Accept a TCP connection only when its first bytes are "
	      "there, waiting about so long (TCP_DEFER_ACCEPT). 0: accept at "
	      "once." },
	{ "fastopen", LISTENER(INT, fastopen), .max = 65535,
	  .reload = RELOAD_SOCKET, .unit = "connections",
	  .sockets = ROW_ON_TCP,
	  .help = "Queue length of TCP Fast Open (TCP_FASTOPEN). 0: off." },
	{ "freebind", LISTENER(BOOL, freebind), .reload = RELOAD_SOCKET,
	  .sockets = ROW_ON_TCP | ROW_ON_UDP, .unit_key = "FreeBind",
	  .help = "Bind an address that the machine does not have yet "
	      "(IP_FREEBIND). It counts only when an address is bound." },
	{ "bind_device", LISTENER(STRING, bind_device), .min = 1, .max = 15,
	  .unset = "any", .reload = RELOAD_SOCKET,
	  .example = "\"eth0\"",
	  .sockets = ROW_ON_TCP | ROW_ON_UDP, .unit_key = "BindToDevice",
	  .help = "Serve only what arrives by this network interface "
	      "(SO_BINDTODEVICE)." },
	{ "mode", LISTENER(MODE, mode), .max = 0777, .number = 0660,
	  .reload = RELOAD_SOCKET,
	  .sockets = ROW_ON_PATH, .unit_key = "SocketMode",
	  .help = "Permission bits of a Unix socket's file. It has them before "
	      "anyone can connect." },
	{ "owner", LISTENER(STRING, owner), .min = 1, .max = NAME_MAX_BYTES,
	  .unset = "the daemon's user", .reload = RELOAD_SOCKET,
	  .example = "\"www-data\"",
	  .sockets = ROW_ON_PATH, .unit_key = "SocketUser",
	  .help = "The user who owns a Unix socket's file." },
	{ "group_owner", LISTENER(STRING, group_owner), .min = 1,
	  .max = NAME_MAX_BYTES, .unset = "the daemon's group",
	  .reload = RELOAD_SOCKET,
	  .example = "\"www-data\"",
	  .sockets = ROW_ON_PATH, .unit_key = "SocketGroup",
	  .help = "The group that owns a Unix socket's file." },
	{ "user", LISTENER(STRING, user), .min = 1, .max = NAME_MAX_BYTES,
	  .unset = "the top level's user", .reload = RELOAD_GENERATION,
	  .example = "\"www-data\"",
	  .help = "The user as whom the service processes run. \"root\" has to "
	      "be written out; a daemon that runs as root and is told nothing "
	      "uses nobody." },
	{ "group", LISTENER(STRING, group), .min = 1, .max = NAME_MAX_BYTES,
	  .unset = "the top level's group, or the user's own",
	  .reload = RELOAD_GENERATION,
	  .example = "\"www-data\"",
	  .help = "The group as which the service processes run." },
	{ "chroot", LISTENER(STRING, chroot), .min = 1, .max = TEXT_MAX,
	  .unset = "none", .reload = RELOAD_GENERATION,
	  .example = "\"/srv/empty\"",
	  .help = "A directory, by its absolute path, that becomes the root of "
	      "the service processes. Only a daemon that runs as root can do "
	      "it." },
	{ "limits", .type = ROW_GROUP, .reload = RELOAD_GENERATION,
	  .help = "Resource limits of each service process (setrlimit(2))." },
	{ "limits.nofile", LISTENER(INT, limits.nofile), .min = 16,
	  .max = 1048576, .number = -1, .unset = "inherited",
	  .unit = "descriptors", .reload = RELOAD_GENERATION,
	  .example = "4096",
	  .help = "Open descriptors (RLIMIT_NOFILE)." },
	{ "limits.memory", LISTENER(SIZE, limits.memory_bytes), .min = MIB,
	  .max = 64 * TIB, .number = -1, .unset = "inherited",
	  .reload = RELOAD_GENERATION,
	  .example = "\"1G\"",
	  .help = "Address space (RLIMIT_AS)." },
	{ "limits.cpu", LISTENER(SECONDS, limits.cpu_s), .min = 1,
	  .max = YEAR / SECOND, .number = -1, .unset = "inherited",
	  .reload = RELOAD_GENERATION,
	  .example = "\"1h\"",
	  .help = "Processor time, after which the process is ended and "
	      "replaced (RLIMIT_CPU)." },
	{ "limits.processes", LISTENER(INT, limits.processes), .min = 1,
	  .max = 4194304, .number = -1, .unset = "inherited",
	  .reload = RELOAD_GENERATION,
	  .example = "64",
	  .help = "Processes and threads of the service's user "
	      "(RLIMIT_NPROC)." },
	{ "limits.core", LISTENER(SIZE, limits.core_bytes), .max = 64 * TIB,
	  .number = -1, .unset = "inherited", .reload = RELOAD_GENERATION,
	  .example = "0",
	  .help = "Size of a core file (RLIMIT_CORE). 0: none." },
	{ "restart", .type = ROW_GROUP, .reload = RELOAD_LIVE,
	  .help = "How long a service process that died stays away. The wait "
	      "doubles from initial up to maximum, and grows fourfold when "
	      "the process died before its first request; after a minute of "
	      "service it is initial again. The sockets stay open meanwhile." },
	{ "restart.initial", LISTENER(DURATION, restart.initial_ms), .min = 1,
	  .max = DAY, .number = 100 * MS, .reload = RELOAD_LIVE,
	  .help = "The first wait." },
	{ "restart.maximum", LISTENER(DURATION, restart.maximum_ms), .min = 1,
	  .max = DAY, .number = 60 * SECOND, .reload = RELOAD_LIVE,
	  .help = "The longest wait." },
	{ "drain_timeout", LISTENER(DURATION, drain_timeout_ms), .max = DAY,
	  .number = -1, .unset = "the top level's drain_timeout",
	  .reload = RELOAD_LIVE, .python = "block_on_close, daemon_threads",
	  .example = "30",
	  .help = "How long a stop lets this listener's running requests "
	      "finish. 0: they are cut short at once." },
	{ "stack_size", LISTENER(SIZE, stack_size_bytes), .max = GIB,
	  .models = ROW_MODEL(THREADED) | ROW_MODEL(EVENT),
	  .reload = RELOAD_GENERATION,
	  .help = "The stack of each thread, or of each request's fiber; at "
	      "least 64 KiB. 0: 256 KiB of a thread, 64 KiB of a fiber. Memory "
	      "is there once it is touched. A fiber that needs more ends its "
	      "process, and the log says so." },
	{ "io", LISTENER(CHOICE, io), .number = IO_AUTO, .choices = io_words,
	  .models = ROW_MODEL(EVENT), .reload = RELOAD_GENERATION,
	  .help = "The kernel's interface by which an event process waits. "
	      "\"auto\": io_uring, which needs less processor time where many "
	      "connections are busy at once and 2 MiB more memory a process, "
	      "or epoll where the kernel or a container forbids it, and for "
	      "datagrams alone. \"io_uring\": epoll with a warning where it is "
	      "forbidden. status shows which one it is. Connections are "
	      "accepted by io_uring, too, where a process has their socket for "
	      "itself, with workers = 1 or reuse_port, as long as it has 512 "
	      "places left." },
};

const char *
io_word(int64_t io)
{
	return io == IO_EPOLL || io == IO_URING ? io_words[io] : NULL;
}

const char *
concurrency_word(int64_t concurrency)
{
	return concurrency_words[concurrency];
}

const struct row_table top_table = {
	"top level", top_rows, sizeof(top_rows) / sizeof(*top_rows),
};

const struct row_table listener_table = {
	"listener", listener_rows,
	    sizeof(listener_rows) / sizeof(*listener_rows),
};
