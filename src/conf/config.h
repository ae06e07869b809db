/* SPDX-License-Identifier: ISC */
#ifndef CONF_CONFIG_H
#define CONF_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "conf/value.h"

/*
 * A configuration: plain data in one arena, never written after reading. Every
 * field here that a file can set has a row in schema.c; durations are in
 * milliseconds, sizes in bytes. Strings are "" (or NULL where said) when unset.
 */
enum concurrency {
	CONCURRENCY_SYNC,
	CONCURRENCY_THREADED,
	CONCURRENCY_FORKING,
	CONCURRENCY_PREFORK,
	CONCURRENCY_EVENT,
};

/* The kernel's interface of an event process; IO_AUTO: ours to choose, and of
 * what runs: none. */
enum io_choice { IO_AUTO, IO_EPOLL, IO_URING };

enum when_full {
	WHEN_FULL_QUEUE, WHEN_FULL_REFUSE, WHEN_FULL_RESET, WHEN_FULL_SHED_IDLE
};

struct string_list {
	const char **items;
	size_t count;
};

struct listener_conf {
	const char *file;               /* where the listener's group stands */
	unsigned line;

	const char *name;
	bool is_enabled;
	struct string_list listen;      /* as written, e.g. "tcp://127.0.0.1:7" */
	/* What `listen` means in numbers: every address resolved, "*" split
	 * into one IPv4 and one IPv6 ("tcp://0.0.0.0:7", "tcp://[::]:7"). The
	 * form of addr_parse(); this is what is bound. */
	struct string_list addresses;
	const char *handler;            /* as written */
	const char *handler_file;       /* absolute path of the shared object */
	const char *handler_digest;     /* of what that held when it was read;
					 * "" = it could not be, or is too long
					 * to be loaded */
	const char *handler_build_id;   /* of the linker, as hex; "" = none */
	struct value *options;          /* a VALUE_GROUP; NULL = none given */
	int64_t concurrency;            /* enum concurrency */
	int64_t workers;                /* 0 = the model's own default */
	int64_t max_workers;            /* of a pool; 0 = a fixed size */
	int64_t min_spare, max_spare;
	int64_t max_requests;           /* 0 = never replaced */
	int64_t backlog;
	int64_t max_connections;
	int64_t when_full;              /* enum when_full */
	const char *refuse_text;
	int64_t timeout_ms;             /* 0 = none */
	int64_t session_timeout_ms;     /* 0 = none */
	int64_t tick_ms;                /* 0 = off */
	struct string_list allow, deny; /* prefixes, in the form of acl_parse() */
	bool reuse_address;
	bool reuse_port;                /* each process has sockets of its own */
	bool nodelay;
	int64_t keepalive_s;            /* 0 = off; idle seconds; -1 = on, system's times */
	int64_t read_buffer_bytes, write_buffer_bytes;
	int64_t max_datagram_bytes;
	int64_t rcvbuf_bytes, sndbuf_bytes;     /* 0 = system's */
	int64_t defer_accept_s;         /* 0 = off */
	int64_t fastopen;               /* queue length; 0 = off */
	bool freebind;
	const char *bind_device;        /* "" = any */
	int64_t mode;                   /* of a Unix socket's file; -1 = by umask */
	const char *owner, *group_owner;
	const char *user, *group, *chroot;
	struct {
		int64_t nofile, memory_bytes, cpu_s, processes, core_bytes; /* -1 = inherited */
	} limits;
	struct {
		int64_t initial_ms, maximum_ms;
	} restart;
	int64_t drain_timeout_ms;       /* the listener's, or the top level's */
	int64_t stack_size_bytes;       /* 0 = the model's default */
	int64_t io;                     /* enum io_choice; event only */
};

struct config {
	struct arena arena;             /* owned: everything below */
	const char *file;
	struct string_list module_path;
	const char *user, *group;
	struct {
		const char *target;
		int64_t level;          /* enum log_level */
		int64_t format;         /* enum log_format */
		bool is_access_on;
	} log;
	int64_t drain_timeout_ms;
	int64_t lame_duck_ms;           /* 0 = none */
	const char *address_file;       /* "" = none */
	struct {
		const char *socket;     /* a path; "" = none */
		int64_t mode;           /* of its file */
		const char *group;      /* "" = the daemon's */
	} control;
	struct listener_conf *listeners;
	size_t listener_count;
};

#define PREFORK_WORKERS 4       /* `workers` unset */

/* control.socket when nobody says otherwise. */
#define CONTROL_SOCKET RUNSTATEDIR "/socketserverd/control.sock"

/* How many requests a pool's workers serve at once, at most: in one of its
 * processes, and in all. 0: not a pool. */
int64_t listener_lanes(const struct listener_conf *conf);
int64_t listener_lanes_all(const struct listener_conf *conf);
/* How many connections of a pool may wait for their first bytes without a
 * worker: max_connections is kept with all workers busy. */
int64_t listener_silent_max(const struct listener_conf *conf);
/* "sync", "threaded": the word of an enum concurrency. */
const char *concurrency_word(int64_t concurrency);
/* "epoll", "io_uring"; NULL for anything else. */
const char *io_word(int64_t io);
/* How many service processes a listener begins with. */
unsigned config_processes(const struct listener_conf *conf);
struct config *config_new(void);                /* empty; NULL out of memory */
void config_free(struct config **config);
/* The listener of that name, enabled or not; NULL = there is none. */
struct listener_conf *config_find(const struct config *config,
    const char *name);

#endif
