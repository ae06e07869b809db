/* SPDX-License-Identifier: ISC */
#include "control/command.h"

#include <string.h>

enum command
command_find(const char *name)
{
	int i;

	for (i = 0; i < COMMANDS; i++)
		if (strcmp(commands[i].name, name) == 0)
			return (enum command)i;
	return COMMANDS;
}

const struct command_row commands[COMMANDS] = {
	[COMMAND_STATUS] = { "status", "", COMMAND_READS, 0, 0,
	    "a table of the listeners",
	    "Print a line for each listener: its addresses, model, handler, "
	    "state, workers, requests now and in all, refused, errors, "
	    "restarts, and how long it has served." },
	[COMMAND_SHOW] = { "show", "NAME", COMMAND_READS, 1, 1,
	    "all about one listener",
	    "Print what is known of the listener: its generations and their "
	    "processes, every counter, refusals by reason, and how its last "
	    "process that crashed came to its end." },
	[COMMAND_LIST] = { "list", "", COMMAND_READS, 0, 0,
	    "the names of the listeners, and where they listen",
	    "Print a line for each listener: its name, its state and its "
	    "addresses." },
	[COMMAND_CONNECTIONS] = { "connections", "[NAME]", COMMAND_READS, 0, 1,
	    "the requests that are being served",
	    "Print a line for each request that is being served, of all "
	    "listeners or of one: its number, listener, peer, local address, "
	    "worker (none: it waits for its first bytes without one), age, "
	    "and the bytes it has received and sent." },
	[COMMAND_HEALTH] = { "health", "[NAME]", COMMAND_READS, 0, 1,
	    "exit with 0 if all is well",
	    "Print one word: ready, or what else is the case. The exit status "
	    "is 0 for ready and 1 for all others." },
	[COMMAND_TOP] = { "top", "", COMMAND_LOCAL, 0, 0,
	    "the status, refreshed",
	    "Show the status again every two seconds, with requests per "
	    "second, until q, the end of input or a signal. Where the output "
	    "is no terminal, print one status after the other." },
	[COMMAND_PLAN] = { "plan", "", COMMAND_READS, 0, 0,
	    "what a reload would do",
	    "Read the configuration and print what a reload would do with "
	    "each listener, and because of which keys, without doing it. The "
	    "exit status is 0 when nothing would change, 2 when something "
	    "would, and 1 when the configuration has a fault." },
	[COMMAND_RELOAD] = { "reload", "[--confirm-within TIME]",
	    COMMAND_CHANGES, 0, 2,
	    "read the configuration and apply it",
	    "Read the configuration, apply what has changed, and answer when "
	    "the new generations serve and all services log as it says. With "
	    "a fault nothing changes. With "
	    "--confirm-within, a configuration that is not confirmed within "
	    "that time (such as 60s or 5m) is undone." },
	[COMMAND_CONFIRM] = { "confirm", "", COMMAND_CHANGES, 0, 0,
	    "keep a configuration that waits for it",
	    "Keep the configuration that a reload with --confirm-within "
	    "brought." },
	[COMMAND_ROLLBACK] = { "rollback", "", COMMAND_CHANGES, 0, 0,
	    "go back to the configuration before",
	    "Undo the last reload: apply the configuration that was in force "
	    "before it. That is one step, and no way forth again." },
	[COMMAND_START] = { "start", "NAME", COMMAND_CHANGES, 1, 1,
	    "serve a listener that was stopped or drained",
	    "Serve a listener again that was stopped or drained, and answer "
	    "when it serves." },
	[COMMAND_STOP] = { "stop", "[NAME]", COMMAND_CHANGES, 0, 1,
	    "stop a listener, or the daemon",
	    "Close the listener's sockets, let its requests finish, and answer "
	    "when none is left. It stays stopped over reloads. Without a name, "
	    "drain and stop the daemon, and return when it has ended." },
	[COMMAND_RESTART] = { "restart", "NAME", COMMAND_CHANGES, 1, 1,
	    "a new generation of a listener",
	    "Start new processes for the listener and let the old ones finish, "
	    "on the same sockets. A listener that waits for its next try is "
	    "started at once." },
	[COMMAND_DRAIN] = { "drain", "NAME", COMMAND_CHANGES, 1, 1,
	    "let a listener's requests finish, take no new ones",
	    "Take no more requests, let those that run finish, and answer when "
	    "none is left. The sockets stay open: who connects waits until the "
	    "listener is started again." },
	[COMMAND_KILL] = { "kill", "ID", COMMAND_CHANGES, 1, 1,
	    "end one request",
	    "End the request with that number, as connections shows it. The "
	    "handler's calls fail with ECANCELED." },
	[COMMAND_LOG_LEVEL] = { "log-level", "LEVEL", COMMAND_CHANGES, 1, 1,
	    "change the level of the log",
	    "Log from this level up: debug, info, notice, warning or error; "
	    "until the next reload." },
	[COMMAND_UPGRADE] = { "upgrade", "", COMMAND_CHANGES, 0, 0,
	    "run the program that is now on disk",
	    "Replace the running daemon by the program that is now on disk, "
	    "with all its sockets, counters and processes. If the new one "
	    "cannot take over, the old one goes on." },
	[COMMAND_TALK] = { "talk", "LISTENER [ADDRESS]", COMMAND_LOCAL, 1, 2,
	    "talk to a listener, line by line",
	    "Connect to one of the daemon's own listeners, send each line that "
	    "is typed or comes from a pipe, and show what comes back. The "
	    "address is one of the listener's, as list shows it, and the first "
	    "if none is given. Over datagrams, a line is a datagram without "
	    "its newline, and a datagram is shown as a line. The end of input "
	    "ends this side of a connection; what still comes is shown until "
	    "the listener ends its own. With datagrams, a second without a "
	    "reply is the end." },
	[COMMAND_PING] = { "ping", "", COMMAND_READS, 0, 0,
	    "is there a daemon?",
	    "Print the daemon's version and process number." },
};
