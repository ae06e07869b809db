/* SPDX-License-Identifier: ISC */
#ifndef SERVE_SERVICE_H
#define SERVE_SERVICE_H

#include "base/exit.h"
#include "net/inherit.h"

/*
 * One service process: the root object of socketserver-service. It inherits
 * its sockets, gives up its privileges, loads one handler and runs one model;
 * it never binds. Its main thread runs the loop: the supervisor's messages,
 * signals, deadlines.
 */
struct service_args {
	unsigned slot;                  /* in the slab of counters */
	unsigned generation;
	const char *log_kind;           /* "stream", "syslog" or "journal" */
};

/* Serve until told to end. The exit status. */
enum exit_code service_run(const struct service_args *args,
    struct inherit *inherit);

#endif
