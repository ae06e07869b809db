/* SPDX-License-Identifier: ISC */
/*
 * Bad files, each with every line that is told about it. module_path stands on
 * line 1 of each (conf_tools.h), the text begins on line 2, and what is in
 * LISTENER_A() on line 3.
 */
#include <stdlib.h>
#include <string.h>

#include "conf_suites.h"
#include "conf_tools.h"

#define A20 "aaaaaaaaaaaaaaaaaaaa"
#define A108 A20 A20 A20 A20 A20 "aaaaaaaa"

static const struct {
	const char *claim;
	const char *text;
	/* %PLACE% is the directory; without a newline at
	 * the end only the beginning is compared */
	const char *faults;
} bad_texts[] = {
	{ "unterminated comment",
	    LISTENER_A("/* timeout = 5;\n backlog = 1;"),
	    "main.conf:3: a comment is not closed; end it with */\n" },
	{ "unterminated string",
	    LISTENER_A("refuse_text = \"busy;\n backlog = 5;"),
	    "main.conf:3: a string is not closed on its line; end it with \", "
	    "and write \\n for a line break in it\n" },
	{ "integer wraps",
	    LISTENER_A("max_connections = 9999999999;"),
	    "main.conf:3: listener \"a\": max_connections: 9999999999 does not "
	    "fit in 32 bits; write it with an L at the end, or as a string "
	    "with a unit\n" },
	{ "integer wraps negative",
	    LISTENER_A("max_connections = 2147483648;"),
	    "main.conf:3: listener \"a\": max_connections: 2147483648 does not "
	    "fit in 32 bits; write it with an L at the end, or as a string "
	    "with a unit\n" },
	{ "hex wraps",
	    LISTENER_A("max_connections = 0xFFFFFFFF;"),
	    "main.conf:3: listener \"a\": max_connections: 0xFFFFFFFF does not "
	    "fit in 32 bits; write it with an L at the end, or as a string "
	    "with a unit\n" },
	{ "integer beyond 64 bits",
	    LISTENER_A("max_connections = 99999999999999999999L;"),
	    "main.conf:3: listener \"a\": max_connections: "
	    "99999999999999999999L does not fit in 64 bits; write a smaller "
	    "number\n" },
	{ "octal mode",
	    LISTENER_A("mode = 0660;"),
	    "main.conf:3: listener \"a\": mode: 0660 begins with 0 but would "
	    "be read as decimal; write a string for an octal mode, or leave "
	    "out the 0\n" },
	{ "leading zero",
	    LISTENER_A("backlog = 007;"),
	    "main.conf:3: listener \"a\": backlog: 007 begins with 0 but would "
	    "be read as decimal; write a string for an octal mode, or leave "
	    "out the 0\n" },
	{ "zero byte escape",
	    LISTENER_A("refuse_text = \"a\\x00b\";"),
	    "main.conf:3: listener \"a\": refuse_text: the string holds \\x00; "
	    "no string can hold a zero byte, remove it\n" },
	{ "trailing comma list",
	    LISTENER_A("allow = ( \"127.0.0.1\", );"),
	    "main.conf:3: a comma stands before the closing ); remove it, the "
	    "last member has none after it\n" },
	{ "trailing comma listeners",
	    "listeners = ( { name = \"a\"; listen = \"tcp://127.0.0.1:0\"; "
	    "handler = \"echo\"; },\n"
	    " );",
	    "main.conf:2: a comma stands before the closing ); remove it, the "
	    "last member has none after it\n" },
	{ "trailing comma array",
	    LISTENER_A("allow = [ \"127.0.0.1\",\n ];"),
	    "main.conf:3: a comma stands before the closing ]; remove it, the "
	    "last member has none after it\n" },
	{ "yes",
	    LISTENER_A("nodelay = yes;"),
	    "main.conf:3: listener \"a\": nodelay: yes is no value; write "
	    "true\n" },
	{ "on",
	    LISTENER_A("nodelay = on;"),
	    "main.conf:3: listener \"a\": nodelay: on is no value; write "
	    "true\n" },
	{ "off",
	    LISTENER_A("nodelay = Off;"),
	    "main.conf:3: listener \"a\": nodelay: Off is no value; write "
	    "false\n" },
	{ "unquoted string",
	    LISTENER_A("when_full = queue;"),
	    "main.conf:3: listener \"a\": when_full: queue is no value; write "
	    "a string in double quotes\n" },
	{ "unquoted address",
	    "listeners = ( { name = \"a\"; handler = \"echo\";\n"
	    " listen = tcp://127.0.0.1:7; } );",
	    "main.conf:3: listener \"a\": listen: tcp://127.0.0.1:7 is no "
	    "value; write a string in double quotes\n" },
	{ "unit without quotes",
	    LISTENER_A("timeout = 5s;"),
	    "main.conf:3: listener \"a\": timeout: 5s is no number; a value "
	    "with a unit is a string, write it in double quotes\n" },
	{ "value missing",
	    LISTENER_A("timeout = ;"),
	    "main.conf:3: \"timeout\" has no value; write timeout = VALUE;\n" },
	{ "value missing at end",
	    "timeout =",
	    "main.conf:2: the file ends after \"timeout\"; write timeout = "
	    "VALUE;\n" },
	{ "equals missing",
	    LISTENER_A("timeout 5;"),
	    "main.conf:3: \"timeout\" has no = after it; write timeout = "
	    "VALUE;\n" },
	{ "name missing",
	    LISTENER_A("= 5;"),
	    "main.conf:3: = is out of place; write NAME = VALUE;\n" },
	{ "double equals",
	    LISTENER_A("timeout == 5;"),
	    "main.conf:3: = is out of place; write NAME = VALUE;\n" },
	{ "double semicolon",
	    LISTENER_A("timeout = 5;;"),
	    "main.conf:3: ; stands after nothing; remove it\n" },
	{ "leading underscore",
	    LISTENER_A("_timeout = 5;"),
	    "main.conf:3: \"_timeout\" is no name of a setting; a name begins "
	    "with a letter and holds letters, digits, _ and -\n" },
	{ "duplicate key",
	    LISTENER_A("timeout = 5;\ntimeout = 6;"),
	    "main.conf:4: listener \"a\": timeout: is given twice in one "
	    "group, first at main.conf:3; remove one\n" },
	{ "comma missing",
	    "listeners = ( { name = \"a\"; listen = \"tcp://127.0.0.1:0\"; "
	    "handler = \"echo\"; }\n"
	    " { name = \"b\"; listen = \"tcp://127.0.0.1:0\"; handler = "
	    "\"echo\"; } );",
	    "main.conf:3: a comma is missing before this; put one between the "
	    "members of a list\n" },
	{ "strings side by side",
	    LISTENER_A("allow = ( \"127.0.0.1\"\n \"::1\" );"),
	    "main.conf:4: two strings side by side would be joined; put a "
	    "comma between the members of a list\n" },
	{ "semicolon in a list",
	    LISTENER_A("allow = ( \"127.0.0.1\"; \"::1\" );"),
	    "main.conf:3: ; stands between members of a list; write a "
	    "comma\n" },
	{ "bracket not closed",
	    "listeners = ( { name = \"a\"; listen = \"tcp://127.0.0.1:0\"; "
	    "handler = \"echo\";\n",
	    "main.conf:2: { is never closed; close it with }\n"
	    "main.conf:2: ( is never closed; close it with )\n" },
	{ "wrong closer",
	    "listeners = ( { name = \"a\"; );",
	    "main.conf:2: ) does not close the { of main.conf:2; write }\n" },
	{ "closes nothing",
	    "listeners = ( { name = \"a\"; listen = \"tcp://127.0.0.1:0\"; "
	    "handler = \"echo\";\n"
	    " } ); }",
	    "main.conf:3: } closes nothing; remove it\n" },
	{ "array of groups",
	    "listeners = [ { name = \"a\"; } ];",
	    "main.conf:2: an array [ ] holds plain values only; write a list ( "
	    ") for groups and lists\n" },
	{ "mixed array",
	    LISTENER_A("allow = [ \"127.0.0.1\", 5 ];"),
	    "main.conf:3: the members of an array [ ] differ in type; write a "
	    "list ( )\n" },
	{ "nested too deep",
	    LISTENER_A("options = { a = "
				"(((((((((((((((((((((((((((((((((((((((()))))"
				"))))))))))))))))))))))))))))))))))); };"),
	    "main.conf:3: brackets are nested too deep; at most 32 levels are "
	    "allowed\n" },
	{ "float too large",
	    LISTENER_A("timeout = 1e999;"),
	    "main.conf:3: listener \"a\": timeout: 1e999 is too large; write a "
	    "smaller number\n" },
	{ "byte order mark",
	    "\xef""\xbb""\xbf"""
	    LISTENER_A(""),
	    "main.conf:2: \"\xef""\xbb""\xbf""listeners\" is no name of a "
	    "setting; a name begins with a letter and holds letters, digits, _ "
	    "and -\n" },
	{ "include missing",
	    "@include \"none.conf\"\n"
	    LISTENER_A(""),
	    "main.conf:2: @include: %PLACE%/none.conf cannot be opened: No "
	    "such file or directory\n" },
	{ "include of a directory",
	    "@include \"directory\"\n"
	    LISTENER_A(""),
	    "main.conf:2: @include: %PLACE%/directory is a directory; only a "
	    "regular file is read\n" },
	{ "include of a pattern",
	    "@include \"*.conf\"\n"
	    LISTENER_A(""),
	    "main.conf:2: @include: \"*.conf\" is a pattern; one file is "
	    "included, and conf.d/*.conf is read without it\n" },
	{ "include of itself",
	    "@include \"main.conf\"\n"
	    LISTENER_A(""),
	    "main.conf:2: @include: %PLACE%/main.conf includes itself; remove "
	    "this line\n" },
	{ "include within a line",
	    LISTENER_A("timeout = 5; @include \"x\""),
	    "main.conf:3: @ is out of place; write @include \"FILE\" on a line "
	    "of its own\n" },
	{ "bare word at the top",
	    "hello\n",
	    "main.conf:3: the file ends after \"hello\"; write hello = "
	    "VALUE;\n" },
	{ "unknown key",
	    LISTENER_A("tiemout = 5;"),
	    "main.conf:3: listener \"a\": tiemout: unknown key; did you mean "
	    "\"timeout\"?\n" },
	{ "unknown key, nothing near",
	    LISTENER_A("frobnicate = 5;"),
	    "main.conf:3: listener \"a\": frobnicate: unknown key; "
	    "socketserverd -H lists all keys\n" },
	{ "a socket for each process, where there is one process",
	    LISTENER_A("reuse_port = true;"),
	    "main.conf:3: listener \"a\": reuse_port: does not apply to "
	    "concurrency \"threaded\"; it is for \"prefork\" or \"event\" "
	    "only\n" },
	{ "a socket for each process, of which there may be more",
	    LISTENER_A("concurrency = \"prefork\"; max_workers = 8; "
		"reuse_port = true;"),
	    "main.conf:3: listener \"a\": reuse_port: does not go with "
	    "max_workers: every process has sockets of its own, so their "
	    "number is fixed; set workers alone\n" },
	{ "tls",
	    LISTENER_A("tls = { certificate = \"x\"; };"),
	    "main.conf:3: listener \"a\": tls: unknown key; socketserverd -H "
	    "lists all keys\n" },
	{ "a word of Python",
	    LISTENER_A("request_queue_size = 5;"),
	    "main.conf:3: listener \"a\": request_queue_size: unknown key; did "
	    "you mean \"backlog\"?\n" },
	{ "a word of others",
	    LISTENER_A("bind = \"tcp://127.0.0.1:7\";"),
	    "main.conf:3: listener \"a\": bind: unknown key; did you mean "
	    "\"listen\"?\n" },
	{ "listener key at the top",
	    "timeout = 5;\n"
	    LISTENER_A(""),
	    "main.conf:2: timeout: unknown key here; it belongs into a "
	    "listener, or into defaults\n" },
	{ "top key in a listener",
	    LISTENER_A("log = { level = \"info\"; };"),
	    "main.conf:3: listener \"a\": log: unknown key here; it belongs to "
	    "the top level of the file\n" },
	{ "member outside its group",
	    LISTENER_A("nofile = 100;"),
	    "main.conf:3: listener \"a\": nofile: unknown key; did you mean "
	    "\"limits.nofile\"?\n" },
	{ "unknown in a group",
	    LISTENER_A("limits = { nofil = 100; };"),
	    "main.conf:3: listener \"a\": limits.nofil: unknown key; did you "
	    "mean \"nofile\"?\n" },
	{ "unknown in log",
	    "log = { levle = \"info\"; };\n"
	    LISTENER_A(""),
	    "main.conf:2: log.levle: unknown key; did you mean \"level\"?\n" },
	{ "unknown in defaults",
	    "defaults = { tmeout = 5; };\n"
	    LISTENER_A(""),
	    "main.conf:2: defaults.tmeout: unknown key; did you mean "
	    "\"timeout\"?\n" },
	{ "name in defaults",
	    "defaults = { name = \"x\"; };\n"
	    LISTENER_A(""),
	    "main.conf:2: defaults.name: cannot be a default; write it in each "
	    "listener\n" },
	{ "fault in defaults",
	    "defaults = { timeout = true; };\n"
	    LISTENER_A(""),
	    "main.conf:2: defaults.timeout: true is a boolean; seconds "
	    "(fractions allowed) or a string such as \"250ms\" \"5s\" \"2m\" "
	    "\"1h\", from 0 to 31536000 is allowed\n" },
	{ "defaults is no group",
	    "defaults = 5;\n"
	    LISTENER_A(""),
	    "main.conf:2: defaults: a whole number is given; a group { ... } "
	    "is allowed\n" },
	{ "log is no group",
	    "log = \"stderr\";\n"
	    LISTENER_A(""),
	    "main.conf:2: log: a string is given; a group { ... } is "
	    "allowed\n" },
	{ "limits is no group",
	    LISTENER_A("limits = 5;"),
	    "main.conf:3: listener \"a\": limits: a whole number is given; a "
	    "group { ... } is allowed\n" },
	{ "no such key of control",
	    "control = { port = 5; };\n"
	    LISTENER_A(""),
	    "main.conf:2: control.port: unknown key; socketserverd -H lists "
	    "all keys\n" },
	{ "control socket that is no string",
	    "control = { socket = 5; };\n"
	    LISTENER_A(""),
	    "main.conf:2: control.socket: 5 is a number; a string is "
	    "allowed\n" },
	{ "control socket with a long path",
	    "control = { socket = \"/" A108 "\"; };\n"
	    LISTENER_A(""),
	    "main.conf:2: control.socket: \"unix:/" A108 "\": a Unix socket's "
	    "name has at most 107 bytes\n" },
	{ "control group that is not there",
	    "control = { group = \"no-such-group\"; };\n"
	    LISTENER_A(""),
	    "main.conf:2: control.group: there is no group \"no-such-group\"; "
	    "getent group lists them\n" },
	{ "string for a number",
	    LISTENER_A("backlog = \"5\";"),
	    "main.conf:3: listener \"a\": backlog: \"5\" is a string; a whole "
	    "number from 1 to 1000000 connections is allowed\n" },
	{ "number for a boolean",
	    LISTENER_A("nodelay = 1;"),
	    "main.conf:3: listener \"a\": nodelay: 1 is a number; true or "
	    "false is allowed\n" },
	{ "boolean for a number",
	    LISTENER_A("max_connections = true;"),
	    "main.conf:3: listener \"a\": max_connections: true is a boolean; "
	    "a whole number from 1 to 1000000 requests is allowed\n" },
	{ "fraction for a count",
	    LISTENER_A("backlog = 1.5;"),
	    "main.conf:3: listener \"a\": backlog: 1.5 is a number with a "
	    "fraction; a whole number from 1 to 1000000 connections is "
	    "allowed\n" },
	{ "number for a string",
	    LISTENER_A("refuse_text = 5;"),
	    "main.conf:3: listener \"a\": refuse_text: 5 is a number; a string "
	    "is allowed\n" },
	{ "list for a number",
	    LISTENER_A("backlog = ( 5 );"),
	    "main.conf:3: listener \"a\": backlog: a list is given; a whole "
	    "number from 1 to 1000000 connections is allowed\n" },
	{ "group for a string",
	    LISTENER_A("refuse_text = { };"),
	    "main.conf:3: listener \"a\": refuse_text: a group is given; a "
	    "string is allowed\n" },
	{ "number in a list of strings",
	    LISTENER_A("allow = ( \"127.0.0.1\", 5 );"),
	    "main.conf:3: listener \"a\": allow: 5 is a number; a list of "
	    "strings such as [ \"a\", \"b\" ] is allowed\n" },
	{ "string for a list",
	    LISTENER_A("allow = \"127.0.0.1\";"),
	    "main.conf:3: listener \"a\": allow: \"127.0.0.1\" is a string; a "
	    "list of strings such as [ \"a\", \"b\" ] is allowed\n" },
	{ "options is no group",
	    LISTENER_A("options = 5;"),
	    "main.conf:3: listener \"a\": options: 5 is a number; a group { "
	    "... } is allowed\n" },
	{ "bad duration",
	    LISTENER_A("timeout = \"5 s\";"),
	    "main.conf:3: listener \"a\": timeout: \"5 s\" is not a duration; "
	    "seconds (fractions allowed) or a string such as \"250ms\" \"5s\" "
	    "\"2m\" \"1h\", from 0 to 31536000 is allowed\n" },
	{ "duration without unit",
	    LISTENER_A("timeout = \"5\";"),
	    "main.conf:3: listener \"a\": timeout: \"5\" is not a duration; "
	    "seconds (fractions allowed) or a string such as \"250ms\" \"5s\" "
	    "\"2m\" \"1h\", from 0 to 31536000 is allowed\n" },
	{ "negative duration",
	    LISTENER_A("timeout = -1;"),
	    "main.conf:3: listener \"a\": timeout: -1 is below 0; seconds "
	    "(fractions allowed) or a string such as \"250ms\" \"5s\" \"2m\" "
	    "\"1h\", from 0 to 31536000 is allowed\n" },
	{ "boolean duration",
	    LISTENER_A("timeout = true;"),
	    "main.conf:3: listener \"a\": timeout: true is a boolean; seconds "
	    "(fractions allowed) or a string such as \"250ms\" \"5s\" \"2m\" "
	    "\"1h\", from 0 to 31536000 is allowed\n" },
	{ "duration too long",
	    LISTENER_A("timeout = \"99999h\";"),
	    "main.conf:3: listener \"a\": timeout: \"99999h\" is above "
	    "31536000; seconds (fractions allowed) or a string such as "
	    "\"250ms\" \"5s\" \"2m\" \"1h\", from 0 to 31536000 is allowed\n" },
	{ "bad size",
	    LISTENER_A("read_buffer = \"64X\";"),
	    "main.conf:3: listener \"a\": read_buffer: \"64X\" is not a size; "
	    "a number of bytes or a string such as \"64K\" \"16M\" \"1G\", "
	    "from 1 to \"16M\" is allowed\n" },
	{ "size too large",
	    LISTENER_A("read_buffer = \"1G\";"),
	    "main.conf:3: listener \"a\": read_buffer: \"1G\" is above "
	    "\"16M\"; a number of bytes or a string such as \"64K\" \"16M\" "
	    "\"1G\", from 1 to \"16M\" is allowed\n" },
	{ "size too small",
	    LISTENER_A("read_buffer = 0;"),
	    "main.conf:3: listener \"a\": read_buffer: 0 is below 1; a number "
	    "of bytes or a string such as \"64K\" \"16M\" \"1G\", from 1 to "
	    "\"16M\" is allowed\n" },
	{ "below",
	    LISTENER_A("backlog = 0;"),
	    "main.conf:3: listener \"a\": backlog: 0 is below 1; a whole "
	    "number from 1 to 1000000 connections is allowed\n" },
	{ "above",
	    LISTENER_A("max_datagram = 65536;"),
	    "main.conf:3: listener \"a\": max_datagram: 65536 is above 65535; "
	    "a number of bytes or a string such as \"64K\" \"16M\" \"1G\", "
	    "from 1 to 65535 is allowed\n" },
	{ "max_connections 0",
	    LISTENER_A("max_connections = 0;"),
	    "main.conf:3: listener \"a\": max_connections: 0 is below 1; a "
	    "whole number from 1 to 1000000 requests is allowed\n" },
	{ "bad choice",
	    LISTENER_A("when_full = \"quue\";"),
	    "main.conf:3: listener \"a\": when_full: \"quue\" is unknown, "
	    "\"queue\" may be meant; \"queue\", \"refuse\", \"reset\" or "
	    "\"shed_idle\" is allowed\n" },
	{ "a concurrency that is none",
	    LISTENER_A("concurrency = \"fiber\";"),
	    "main.conf:3: listener \"a\": concurrency: \"fiber\" is unknown; "
	    "\"sync\", \"threaded\", \"forking\", \"prefork\" or \"event\" is "
	    "allowed\n" },
	{ "bad mode",
	    LISTENER_A("mode = \"0999\";"),
	    "main.conf:3: listener \"a\": mode: \"0999\" is not a mode; a "
	    "string of octal digits such as \"0660\" is allowed\n" },
	{ "mode too large",
	    LISTENER_A("mode = \"4755\";"),
	    "main.conf:3: listener \"a\": mode: \"4755\" is above \"0777\"; a "
	    "string of octal digits such as \"0660\" is allowed\n" },
	{ "fractional seconds",
	    LISTENER_A("keepalive = 1.5;"),
	    "main.conf:3: listener \"a\": keepalive: 1.5 is not a whole number "
	    "of seconds; true, false, or whole seconds from 1 to 32767 is "
	    "allowed\n" },
	{ "keepalive 0",
	    LISTENER_A("keepalive = 0;"),
	    "main.conf:3: listener \"a\": keepalive: 0 is below 1; true, "
	    "false, or whole seconds from 1 to 32767 is allowed\n" },
	{ "workers word",
	    LISTENER_A("workers = \"many\";"),
	    "main.conf:3: listener \"a\": workers: \"many\" is a string; "
	    "\"auto\" or a whole number from 0 to 1024 is allowed\n" },
	{ "limits.nofile",
	    LISTENER_A("limits = { nofile = 1; };"),
	    "main.conf:3: listener \"a\": limits.nofile: 1 is below 16; a "
	    "whole number from 16 to 1048576 descriptors is allowed\n" },
	{ "limits.cpu type",
	    LISTENER_A("limits = { cpu = true; };"),
	    "main.conf:3: listener \"a\": limits.cpu: true is a boolean; whole "
	    "seconds or a string such as \"5s\" \"2m\" \"1h\", from 1 to "
	    "31536000 is allowed\n" },
	{ "restart",
	    LISTENER_A("restart = { initial = 5; maximum = 1; };"),
	    "main.conf:3: listener \"a\": restart.maximum: is below "
	    "restart.initial; at least that long is allowed\n" },
	{ "log level",
	    "log = { level = \"verbose\"; };\n"
	    LISTENER_A(""),
	    "main.conf:2: log.level: \"verbose\" is unknown; \"debug\", "
	    "\"info\", \"notice\", \"warning\" or \"error\" is allowed\n" },
	{ "log target",
	    "log = { target = \"nowhere\"; };\n"
	    LISTENER_A(""),
	    "main.conf:2: log.target: \"nowhere\" is no target; \"auto\", "
	    "\"stderr\", \"syslog\", \"journal\" or \"file:PATH\" is "
	    "allowed\n" },
	{ "drain_timeout",
	    "drain_timeout = \"x\";\n"
	    LISTENER_A(""),
	    "main.conf:2: drain_timeout: \"x\" is not a duration; seconds "
	    "(fractions allowed) or a string such as \"250ms\" \"5s\" \"2m\" "
	    "\"1h\", from 0 to 86400 is allowed\n" },
	{ "empty user",
	    LISTENER_A("user = \"\";"),
	    "main.conf:3: listener \"a\": user: is empty; leave the key out, "
	    "or write a value\n" },
	{ "no name",
	    "listeners = (\n"
	    " { listen = \"tcp://127.0.0.1:0\"; handler = \"echo\"; } );",
	    "main.conf:3: name: is missing; every listener needs it, as in "
	    "name = \"echo\";\n" },
	{ "no listen",
	    "listeners = (\n"
	    " { name = \"a\"; handler = \"echo\"; } );",
	    "main.conf:3: listener \"a\": listen: is missing; every listener "
	    "needs it, as in listen = \"tcp://127.0.0.1:7007\";\n" },
	{ "no handler",
	    "listeners = (\n"
	    " { name = \"a\"; listen = \"tcp://127.0.0.1:0\"; } );",
	    "main.conf:3: listener \"a\": handler: is missing; every listener "
	    "needs it, as in handler = \"echo\";\n" },
	{ "nothing at all",
	    "listeners = ( { } );",
	    "main.conf:2: name: is missing; every listener needs it, as in "
	    "name = \"echo\";\n"
	    "main.conf:2: listen: is missing; every listener needs it, as in "
	    "listen = \"tcp://127.0.0.1:7007\";\n"
	    "main.conf:2: handler: is missing; every listener needs it, as in "
	    "handler = \"echo\";\n" },
	{ "no listeners",
	    "",
	    "main.conf:1: listeners: is missing; write listeners = ( { name = "
	    "\"echo\"; listen = \"tcp://127.0.0.1:7007\"; handler = \"echo\"; "
	    "} );\n" },
	{ "empty listeners",
	    "\n"
	    "listeners = ( );",
	    "main.conf:3: listeners: is empty; write listeners = ( { name = "
	    "\"echo\"; listen = \"tcp://127.0.0.1:7007\"; handler = \"echo\"; "
	    "} );\n" },
	{ "listeners is a group",
	    "listeners = { name = \"a\"; };",
	    "main.conf:2: listeners: a group is given; a list of groups ( { "
	    "... }, ... ) is allowed\n" },
	{ "a listener is a string",
	    "listeners = ( \"a\" );",
	    "main.conf:2: listeners: a string is given; a group { ... } as "
	    "each member of the list is allowed\n" },
	{ "duplicate name",
	    "listeners = ( { name = \"a\"; listen = \"tcp://127.0.0.1:0\"; "
	    "handler = \"echo\"; },\n"
	    " { name = \"a\"; listen = \"tcp://127.0.0.1:0\"; handler = "
	    "\"echo\"; } );",
	    "main.conf:3: listener \"a\": name: is used twice, first at "
	    "main.conf:2; give each listener a name of its own\n" },
	{ "bad name",
	    "listeners = ( { name = \"a b\"; listen = \"tcp://127.0.0.1:0\"; "
	    "handler = \"echo\"; } );",
	    "main.conf:2: listener \"a b\": name: \"a b\" is no name; at most "
	    "63 letters, digits, - _ and . are allowed, not - or . at the "
	    "start\n" },
	{ "name with a newline",
	    "listeners = ( { name = \"a\\nb\"; listen = \"tcp://127.0.0.1:0\"; "
	    "handler = \"echo\"; } );",
	    "main.conf:2: listener \"a\\x0Ab\": name: \"a\\x0Ab\" is no name; "
	    "at most 63 letters, digits, - _ and . are allowed, not - or . at "
	    "the start\n" },
	{ "overlap same",
	    "listeners = ( { name = \"a\"; listen = \"tcp://127.0.0.1:7\"; "
	    "handler = \"echo\"; },\n"
	    " { name = \"b\"; listen = \"tcp://127.0.0.1:7\"; handler = "
	    "\"echo\"; } );",
	    "main.conf:3: listener \"b\": listen: tcp://127.0.0.1:7 overlaps "
	    "tcp://127.0.0.1:7 of listener \"a\" at main.conf:2; give each its "
	    "own address or port\n" },
	{ "overlap wildcard",
	    "listeners = ( { name = \"a\"; listen = \"tcp://0.0.0.0:7\"; "
	    "handler = \"echo\"; },\n"
	    " { name = \"b\"; listen = \"tcp://127.0.0.1:7\"; handler = "
	    "\"echo\"; } );",
	    "main.conf:3: listener \"b\": listen: tcp://127.0.0.1:7 overlaps "
	    "tcp://0.0.0.0:7 of listener \"a\" at main.conf:2; give each its "
	    "own address or port\n" },
	{ "overlap star",
	    "listeners = ( { name = \"a\"; listen = \"tcp://*:7\"; handler = "
	    "\"echo\"; },\n"
	    " { name = \"b\"; listen = \"tcp://[::1]:7\"; handler = \"echo\"; "
	    "} );",
	    "main.conf:3: listener \"b\": listen: tcp://[::1]:7 overlaps "
	    "tcp://[::]:7 of listener \"a\" at main.conf:2; give each its own "
	    "address or port\n" },
	{ "overlap within one",
	    "listeners = ( { name = \"a\"; handler = \"echo\"; listen = ( "
	    "\"udp://127.0.0.1:7\",\n"
	    " \"udp://127.0.0.1:7\" ); } );",
	    "main.conf:2: listener \"a\": listen: udp://127.0.0.1:7 overlaps "
	    "udp://127.0.0.1:7 of listener \"a\" at main.conf:2; give each its "
	    "own address or port\n" },
	{ "overlap unix",
	    "listeners = ( { name = \"a\"; listen = \"unix:/run/a\"; handler = "
	    "\"echo\"; },\n"
	    " { name = \"b\"; listen = \"unixgram:/run/a\"; handler = "
	    "\"echo\"; } );",
	    "main.conf:3: listener \"b\": listen: unixgram:/run/a overlaps "
	    "unix:/run/a of listener \"a\" at main.conf:2; give each its own "
	    "address or port\n" },
	{ "overlap fd",
	    "listeners = ( { name = \"a\"; listen = \"fd:x\"; handler = "
	    "\"echo\"; },\n"
	    " { name = \"b\"; listen = \"fd:x\"; handler = \"echo\"; } );",
	    "main.conf:3: listener \"b\": listen: fd:x overlaps fd:x of "
	    "listener \"a\" at main.conf:2; give each its own address or "
	    "port\n" },
	{ "no such handler",
	    "listeners = ( { name = \"a\"; listen = \"tcp://127.0.0.1:0\"; "
	    "handler = \"nope\"; } );",
	    "main.conf:2: listener \"a\": handler: there is no handler "
	    "\"nope\"; looked for %PLACE%/h/nope.so\n" },
	{ "handler path missing",
	    "listeners = ( { name = \"a\"; listen = \"tcp://127.0.0.1:0\"; "
	    "handler = \"/nonexistent/x.so\"; } );",
	    "main.conf:2: listener \"a\": handler: /nonexistent/x.so: No such "
	    "file or directory; name a file that is there\n" },
	{ "handler with a path",
	    "listeners = ( { name = \"a\"; listen = \"tcp://127.0.0.1:0\"; "
	    "handler = \"../echo\"; } );",
	    "main.conf:2: listener \"a\": handler: \"../echo\" is neither a "
	    "name nor a file; a name of letters, digits, _ and -, or a path "
	    "that ends in .so, is allowed\n" },
	{ "bad address",
	    "listeners = ( { name = \"a\"; listen = \"127.0.0.1:7\"; handler = "
	    "\"echo\"; } );",
	    "main.conf:2: listener \"a\": listen: " },
	{ "bad port",
	    "listeners = ( { name = \"a\"; listen = \"tcp://127.0.0.1:70000\"; "
	    "handler = \"echo\"; } );",
	    "main.conf:2: listener \"a\": listen: " },
	{ "empty listen",
	    "listeners = ( { name = \"a\"; listen = [ ]; handler = \"echo\"; } "
	    ");",
	    "main.conf:2: listener \"a\": listen: is empty; at least one "
	    "address such as \"tcp://127.0.0.1:7007\" is needed\n" },
	{ "bad prefix",
	    LISTENER_A("allow = ( \"10.0.0.0/8\",\n"
				" \"10.0.0.1/8\" );"),
	    "main.conf:4: listener \"a\": allow: " },
	{ "bad deny",
	    LISTENER_A("deny = ( \"example\" );"),
	    "main.conf:3: listener \"a\": deny: " },
	{ "unknown user",
	    LISTENER_A("user = \"no-such-user\";"),
	    "main.conf:3: listener \"a\": user: there is no user "
	    "\"no-such-user\"; getent passwd lists them\n" },
	{ "unknown top user",
	    "user = \"no-such-user\";\n"
	    LISTENER_A(""),
	    "main.conf:2: user: there is no user \"no-such-user\"; getent "
	    "passwd lists them\n" },
	{ "workers under sync",
	    LISTENER_A("concurrency = \"sync\"; workers = 4;"),
	    "main.conf:3: listener \"a\": workers: does not apply to "
	    "concurrency \"sync\"; it is for \"threaded\" or \"prefork\" "
	    "or \"event\" only\n" },
	{ "max_requests under threaded",
	    LISTENER_A("max_requests = 4;"),
	    "main.conf:3: listener \"a\": max_requests: does not apply to "
	    "concurrency \"threaded\"; it is for \"prefork\" only\n" },
	{ "stack_size under prefork",
	    LISTENER_A("concurrency = \"prefork\"; stack_size = "
				"\"1M\";"),
	    "main.conf:3: listener \"a\": stack_size: does not apply to "
	    "concurrency \"prefork\"; it is for \"threaded\" or \"event\" "
	    "only\n" },
	{ "keys of a TCP socket on a Unix one",
	    "listeners = ( { name = \"a\"; listen = \"unix:s\"; handler = "
	    "\"echo\";\n nodelay = true;\n defer_accept = 1;\n } );",
	    "main.conf:3: listener \"a\": nodelay: does nothing for any "
	    "address of this listener; it is for tcp: or fd: only, or for "
	    "defaults\n"
	    "main.conf:4: listener \"a\": defer_accept: does nothing for any "
	    "address of this listener; it is for tcp: only, or for "
	    "defaults\n" },
	{ "a mode where there is no file",
	    "listeners = ( { name = \"a\"; listen = ( \"unix:@s\", "
	    "\"tcp://127.0.0.1:0\" ); handler = \"echo\";\n mode = "
	    "\"0600\"; } );",
	    "main.conf:3: listener \"a\": mode: does nothing for any address "
	    "of this listener; it is for a path (unix: or unixgram:) only, or "
	    "for defaults\n" },
	{ "keys of a socket that is handed over",
	    "listeners = ( { name = \"a\"; listen = \"fd:s\"; handler = "
	    "\"echo\";\n backlog = 5;\n reuse_address = true; } );",
	    "main.conf:3: listener \"a\": backlog: does nothing for a socket "
	    "that is handed over; set Backlog= in its socket unit\n"
	    "main.conf:4: listener \"a\": reuse_address: does nothing for any "
	    "address of this listener; it is for tcp: only, or for "
	    "defaults\n" },
	{ "an unknown address hides what its keys could do",
	    "listeners = ( { name = \"a\"; listen = \"tcp:x\"; handler = "
	    "\"echo\";\n mode = \"0600\"; } );",
	    "main.conf:2: listener \"a\": listen: \"tcp:x\": an "
	    "address is tcp://HOST:PORT, udp://HOST:PORT, unix:PATH, "
	    "unixgram:PATH or fd:NAME\n" },
	{ "workers above max_connections",
	    LISTENER_A("max_connections = 2; workers = 4;"),
	    "main.conf:3: listener \"a\": workers: 4 is above max_connections, "
	    "2; at most that many can be busy\n" },
	{ "max_workers above max_connections",
	    LISTENER_A("concurrency = \"prefork\"; max_connections = "
				"6; max_workers = 8;"),
	    "main.conf:3: listener \"a\": max_workers: 8 is above "
	    "max_connections, 6; at most that many can be busy\n" },
	{ "max_workers below workers",
	    LISTENER_A("concurrency = \"prefork\"; workers = 8; "
				"max_workers = 4;"),
	    "main.conf:3: listener \"a\": max_workers: 4 is below workers, 8; "
	    "0 or workers and more is allowed\n" },
	{ "spare out of order",
	    LISTENER_A("concurrency = \"prefork\"; max_workers = 8; "
				"min_spare = 5; max_spare = 3;"),
	    "main.conf:3: listener \"a\": max_spare: 3 is below min_spare, 5; "
	    "at least that many are allowed\n" },
	{ "max_workers without a pool",
	    LISTENER_A("max_workers = 8;"),
	    "main.conf:3: listener \"a\": max_workers: does nothing "
	    "without workers; set that too\n" },
	{ "spare without max_workers",
	    LISTENER_A("concurrency = \"prefork\"; min_spare = 5;"),
	    "main.conf:3: listener \"a\": min_spare: does nothing without "
	    "max_workers; set that too\n" },
	{ "small stack",
	    LISTENER_A("stack_size = 4096;"),
	    "main.conf:3: listener \"a\": stack_size: 4096 is below 65536; 0 "
	    "or at least that many bytes are allowed\n" },
	{ "bind_device",
	    LISTENER_A("bind_device = \"a/b\";"),
	    "main.conf:3: listener \"a\": bind_device: \"a/b\" is no name of a "
	    "network interface; ip link lists them\n" },
	{ "long bind_device",
	    LISTENER_A("bind_device = \"abcdefghijklmnopqrst\";"),
	    "main.conf:3: listener \"a\": bind_device: is 20 bytes long; at "
	    "most 15 are allowed\n" },
	{ "several",
	    "listeners = ( { name = \"a\"; listen = \"tcp://127.0.0.1:0\"; "
	    "handler = \"echo\";\n"
	    "nodelay = yes;\n"
	    "mode = 0660;\n"
	    "backog = 1;\n"
	    "timeout = \"x\"; } );\n"
	    "log = { level = 5; };",
	    "main.conf:7: log.level: 5 is a number; \"debug\", \"info\", "
	    "\"notice\", \"warning\" or \"error\" is allowed\n"
	    "main.conf:3: listener \"a\": nodelay: yes is no value; write "
	    "true\nmain.conf:4: listener \"a\": mode: 0660 begins with 0 but "
	    "would be read as decimal; write a string for an octal mode, or "
	    "leave out the 0\nmain.conf:5: listener \"a\": backog: unknown "
	    "key; did you mean \"backlog\"?\n"
	    "main.conf:6: listener \"a\": timeout: \"x\" is not a duration; "
	    "seconds (fractions allowed) or a string such as \"250ms\" \"5s\" "
	    "\"2m\" \"1h\", from 0 to 31536000 is allowed\n" },
};

#define BAD_TEXTS (int)(sizeof(bad_texts) / sizeof(*bad_texts))

/* The caller frees it. */
static char *
fill_place(const char *text)
{
	struct buf out;
	const char *at;

	buf_init(&out, 0);
	for (; (at = strstr(text, "%PLACE%")); text = at + 7) {
		(void)buf_append(&out, text, (size_t)(at - text));
		(void)buf_puts(&out, place());
	}
	(void)buf_puts(&out, text);
	ck_assert(!out.failed);
	return out.data;
}

START_TEST(a_bad_text_is_told_line_by_line)
{
	char *wanted = fill_place(bad_texts[_i].faults);
	struct config *config = NULL;
	struct faults faults;
	size_t len = strlen(wanted);

	faults_init(&faults);
	must_make_directory("directory");
	must_write_conf("main.conf", bad_texts[_i].text);
	ck_assert_int_eq(config_load("main.conf", &config, &faults),
	    CONFIG_FAULTS);
	config_free(&config);
	if (wanted[len - 1] == '\n')
		ck_assert_msg(strcmp(faults.text.data, wanted) == 0,
		    "%s:\n%swanted:\n%s", bad_texts[_i].claim, faults.text.data,
		    wanted);
	else
		ck_assert_msg(strncmp(faults.text.data, wanted, len) == 0,
		    "%s: %s", bad_texts[_i].claim, faults.text.data);
	faults_free(&faults);
	free(wanted);
}
END_TEST

Suite *
bad_suite(void)
{
	Suite *suite = suite_create("conf bad");
	TCase *tc = tcase_create("texts");

	tcase_add_checked_fixture(tc, place_begin, place_end);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, a_bad_text_is_told_line_by_line, 0, BAD_TEXTS);
	suite_add_tcase(suite, tc);
	return suite;
}
