# SPDX-License-Identifier: ISC
"""-t -T -L -H -V, and every fault of a configuration in one run."""

import os
import re

import libconf
from daemon import HANDLERS
from peers import Address, TCP4, UDP4, UNIX
from scenario import (FORKING, PREFORK2, SYNC, THREADED, listener, scenario)
from until import expect, expect_equal

KEYS = ("name", "enabled", "listen", "handler", "options", "concurrency",
        "workers", "min_spare", "max_spare", "max_workers", "max_requests",
        "backlog", "max_connections", "when_full", "refuse_text", "timeout",
        "session_timeout", "tick", "allow", "deny", "reuse_address",
        "reuse_port", "nodelay", "keepalive", "read_buffer", "write_buffer",
        "max_datagram", "rcvbuf", "sndbuf", "defer_accept", "fastopen",
        "freebind", "bind_device", "mode", "owner", "group_owner", "user",
        "group", "chroot", "limits", "restart", "drain_timeout",
        "stack_size", "io", "module_path", "log", "address_file")
LATER = ("tls", "sandbox", "proxy_protocol", "rate", "handler_timeout",
         "max_connections_per_source")


@scenario
def a_good_configuration_passes_the_test(story):
    conf = story.configure(listener("e", "echo"), listener("u", "uppercase"))
    done = story.run("-t", "-c", conf)
    expect_equal(done.returncode, 0, "exit status; " + done.stderr)


@scenario
def help_and_version_are_told(story):
    for option in ("-h", "--help"):
        done = story.run(option)
        expect_equal(done.returncode, 0, option)
        for word in ("-c", "-t", "-T", "-L", "-H", "-r", "-d", "-p", "-l",
                     "-V"):
            expect(word in done.stdout, "%s is not in the help", word)
    for option in ("-V", "--version"):
        done = story.run(option)
        expect_equal(done.returncode, 0, option)
        expect(re.search(r"\d+\.\d+", done.stdout), "%r", done.stdout)


@scenario
def every_key_has_its_reference(story):
    done = story.run("-H")
    expect_equal(done.returncode, 0, "exit status; " + done.stderr)
    for key in KEYS:
        expect(re.search(r"\b%s\b" % key, done.stdout), "no %s", key)
    for key in LATER:
        expect(not re.search(r"^\s*%s\b" % key, done.stdout, re.M),
               "%s is not there yet", key)


@scenario(key=("backlog", "max_connections", "limits", "log", "listen"))
def one_key_has_its_reference(story, key):
    done = story.run("-H", key)
    expect_equal(done.returncode, 0, "exit status; " + done.stderr)
    expect(key in done.stdout, "%r", done.stdout)
    whole = story.run("-H").stdout
    expect(len(done.stdout) < len(whole) / 3, "it tells everything")


@scenario
def the_nearest_key_is_named(story):
    done = story.run("-H", "bcklog")
    expect_equal(done.returncode, 64, "exit status; " + done.stdout)
    expect("backlog" in done.stderr, "%r", done.stderr)


@scenario
def handlers_are_listed(story):
    conf = story.configure(listener("e", "echo"), module_path=[HANDLERS])
    done = story.run("-L", "-c", conf)
    expect_equal(done.returncode, 0, "exit status; " + done.stderr)
    for name in ("echo", "uppercase", "bot10086", "discard", "reply"):
        rows = [line for line in done.stdout.splitlines()
                if line.split()[:1] == [name]]
        expect_equal(len(rows), 1, "rows of %s in %r" % (name, done.stdout))


@scenario
def a_bad_module_does_not_spoil_the_list(story):
    folder = story.path("modules")
    os.mkdir(folder)
    for name in ("echo", "uppercase"):
        os.symlink(os.path.join(HANDLERS, name + ".so"),
                   os.path.join(folder, name + ".so"))
    for name in ("constructor_crashes", "wrong_abi"):
        os.symlink(story.fixture(name), os.path.join(folder, name + ".so"))
    conf = story.configure(listener("e", "echo"), module_path=[folder])
    done = story.run("-L", "-c", conf)
    names = [line.split()[0] for line in done.stdout.splitlines() if line]
    expect({"echo", "uppercase"} <= set(names), "%r", done.stdout)


# -T

def rich(story):
    """A configuration with something of everything."""
    return [
        listener("one", "echo", [TCP4.pattern, UDP4.pattern], THREADED,
                 {"mode": "line", "prefix": "worker"},
                 workers=3, backlog=9, timeout="250ms", tick=1.5,
                 allow=["127.0.0.0/8", "::1"], deny=["10.0.0.0/8"],
                 refuse_text="no\r\n", keepalive=30, read_buffer="64K",
                 limits={"nofile": 500, "core": 0, "memory": "2G"},
                 max_connections=20, restart={"initial": "50ms"}),
        listener("two", "bot10086", UNIX.listen(story.directory, "two"),
                 PREFORK2, {"menu": [{"input": "a", "reply": "b"},
                                     {"input": "c", "reply": "d"}]},
                 mode="0600", max_requests=7, when_full="refuse"),
        listener("three", "discard", TCP4.pattern, FORKING, enabled=False),
        listener("four", "reply", TCP4.pattern, SYNC,
                 {"text": 'a "quoted" \\ text\r\n\t請'}),
    ]


def bare(text):
    """A dump without its comments (files, lines, what is a default)."""
    return re.sub(r"\s*#.*$", "", text, flags=re.M)


@scenario
def a_dump_can_be_loaded_again(story):
    conf = story.configure(*rich(story), drain_timeout="1m",
                           defaults={"session_timeout": "1h", "nodelay":
                                     False},
                           log={"level": "debug", "format": "json"})
    first = story.run("-T", "-c", conf)
    expect_equal(first.returncode, 0, "exit status; " + first.stderr)
    again = story.write("again.conf", first.stdout)
    tested = story.run("-t", "-c", again)
    expect_equal(tested.returncode, 0, "exit status; " + tested.stderr)
    second = story.run("-T", "-c", again)
    expect_equal(second.returncode, 0, "exit status; " + second.stderr)
    expect_equal(bare(second.stdout), bare(first.stdout), "dump of the dump")
    for word in ("session_timeout", "backlog", "請"):
        expect(word in first.stdout, "no %s in the dump", word)


@scenario
def a_dumped_configuration_serves(story):
    conf = story.configure(listener("up", "uppercase", TCP4, PREFORK2),
                           listener("e", "echo", UNIX))
    dumped = story.run("-T", "-c", conf).stdout
    daemon = story.launch(run=["-c", story.write("again.conf", dumped)])
    daemon.has_totals = False
    daemon.wait_ready()
    line = daemon.log.wait("listening on tcp://")
    address = re.search(r"tcp://\S+", line.message).group()
    daemon.dial(Address(address)).send("x").expect("X").expect_end()


@scenario
def a_faulty_configuration_is_not_dumped(story):
    conf = story.configure(listener("e", "echo", backlog=0))
    done = story.run("-T", "-c", conf)
    expect_equal(done.returncode, 78, "exit status; " + done.stderr)
    expect("backlog" in done.stderr, "%r", done.stderr)


# Faults

ALL_FAULTS = '''
module_path = [ %s ];
drain_timeout = "soon";
colour = "red";
listeners = (
	{ name = "a"; listen = "tcp://127.0.0.1:0"; handler = "echo";
	  backlog = 0;
	  concurency = "sync"; },
	{ name = "a"; listen = "tcp://127.0.0.1:0"; handler = "echo"; },
	{ name = "b c"; listen = "tcp://127.0.0.1:0"; handler = "echo"; },
	{ listen = "tcp://127.0.0.1:0"; handler = "echo"; },
	{ name = "d"; handler = "echo"; },
	{ name = "e"; listen = "tcp://127.0.0.1:70000"; handler = "echo"; },
	{ name = "f"; listen = "http://127.0.0.1:0"; handler = "echo"; },
	{ name = "g"; listen = "tcp://127.0.0.1:0"; handler = "nobody"; },
	{ name = "h"; listen = "tcp://127.0.0.1:0"; handler = "echo";
	  concurrency = "magic"; max_connections = 0; nodelay = 1;
	  timeout = -1; mode = "0999"; allow = [ "127.0.0.1/33" ];
	  deny = [ "127.0.0.1/8" ]; options = { mode = "lines"; }; },
	{ name = "i"; listen = "tcp://127.0.0.1:0"; handler = "echo";
	  user = "no-such-user"; limits = { nofile = -5; files = 3; }; }
);
'''
EXPECTED = (
    (3, "drain_timeout"), (4, "colour"), (7, "backlog"), (8, "concurency"),
    (9, "name"), (10, "name"), (11, "name"), (12, "listen"), (13, "listen"),
    (14, "listen"), (15, "handler"), (17, "concurrency"),
    (17, "max_connections"), (17, "nodelay"), (18, "timeout"), (18, "mode"),
    (18, "allow"), (19, "deny"), (19, "options.mode"), (21, "user"),
    (21, "limits.nofile"), (21, "limits.files"),
)


@scenario
def all_faults_are_told_in_one_run(story):
    conf = story.configure(text=ALL_FAULTS % libconf.quote(HANDLERS))
    done = story.run("-t", "-c", conf)
    expect_equal(done.returncode, 78, "exit status; " + done.stderr)
    lines = done.stderr.splitlines()
    for number, key in EXPECTED:
        found = [line for line in lines
                 if line.startswith("%s:%d: " % (conf, number))
                 and " %s: " % key in line]
        expect(found, "no fault of %s at line %d in:\n%s", key, number,
               done.stderr)
    expect_equal(len([one for one in lines if one.startswith(conf)]),
                 len(EXPECTED), "faults in:\n" + done.stderr)
    expect("did you mean" in done.stderr and "concurrency" in done.stderr,
           "no suggestion in %r", done.stderr)


class Text:
    """A configuration that is wrong at a line."""

    def __init__(self, name, text, line, *words):
        self.name, self.text, self.line = name, text, line
        self.words = words

    def __str__(self):
        return self.name


GOOD = '{ name = "e"; listen = "tcp://127.0.0.1:0"; handler = "echo"; %s }'


def one(extra, before=""):
    return before + "listeners = (\n" + GOOD % extra + "\n);\n"


TEXTS = (
    Text("empty", "", None, "listeners"),
    Text("no-value", "listeners = ;\n", 1),
    Text("unterminated-string", one('refuse_text = "abc;'), 2),
    Text("unterminated-comment", one("") + "/* never ends\n\n", 4, "comment"),
    Text("comment-in-the-middle", "/* oops\n" + one(""), 1, "comment"),
    Text("wrapping-integer", one("backlog = 9999999999;"), 2, "9999999999"),
    Text("negative-wrap", one("backlog = 2147483648;"), 2, "2147483648"),
    Text("hexadecimal-wrap", one("backlog = 0xFFFFFFFF;"), 2),
    Text("octal", one("backlog = 0660;"), 2, "0660"),
    Text("mode-as-number", one("mode = 0660;"), 2),
    Text("duplicate-key", one("backlog = 1; backlog = 2;"), 2, "backlog"),
    Text("trailing-comma", "listeners = (\n%s,\n);\n" % (GOOD % ""), None),
    Text("missing-bracket", "listeners = (\n" + GOOD % "" + "\n", None),
    Text("nul", one("") + "\0\n", None),
    Text("bom", "\ufeff" + one(""), 1),
    Text("list-of-numbers", "listeners = (1, 2);\n", 1, "listeners"),
    Text("not-a-list", 'listeners = "e";\n', 1, "listeners"),
    Text("no-listeners", "listeners = ();\n", None, "listeners"),
    Text("string-for-a-number", one('backlog = "5";'), 2, "backlog"),
    Text("number-for-a-string", one("refuse_text = 5;"), 2, "refuse_text"),
    Text("number-for-a-bool", one("nodelay = 1;"), 2, "nodelay"),
    Text("float-for-a-count", one("backlog = 1.5;"), 2, "backlog"),
    Text("unit", one('timeout = "5 parsecs";'), 2, "timeout"),
    Text("huge-duration", one("timeout = 1e300;"), 2, "timeout"),
    Text("size", one('read_buffer = "12Q";'), 2, "read_buffer"),
    Text("workers-under-sync", one('concurrency = "sync"; workers = 2;'), 2,
         "workers"),
    Text("spare-outside-prefork", one("min_spare = 2;"), 2, "min_spare"),
    Text("more-workers-than-connections",
         one('concurrency = "prefork"; workers = 9; max_connections = 3;'), 2,
         "workers"),
    Text("stack-outside-threads",
         one('concurrency = "forking"; stack_size = "1M";'), 2, "stack_size"),
    Text("later-key", one("io = \"buffered\";"), 2, "io"),
    Text("later-group", one('tls = { certificate = "x"; };'), 2, "tls"),
    Text("unknown-model", one('concurrency = "fiber";'), 2, "concurrency"),
    Text("unknown-in-group", one('restart = { intial = 1; };'), 2,
         "restart.intial", "initial"),
    Text("unknown-level", one("", 'log = { level = "loud"; };\n'), 1,
         "log.level"),
    Text("unknown-target", one("", 'log = { target = "printer"; };\n'), 1,
         "log.target"),
    Text("missing-include", one("", '@include "/nonexistent"\n'), 1),
    Text("same-address-twice",
         'listeners = (\n{ name = "a"; listen = "tcp://127.0.0.1:7777"; '
         'handler = "echo"; },\n{ name = "b"; listen = '
         '"tcp://127.0.0.1:7777"; handler = "echo"; }\n);\n', 3, "7777"),
    Text("no-such-host", one("").replace("127.0.0.1:0",
                                         "no-such-host.invalid:7"), 2,
         "listen"),
    Text("unknown-group", one('group = "no-such-group";'), 2, "group"),
    Text("bad-refuse", one('when_full = "explode";'), 2, "when_full",
         "queue"),
    Text("control-bytes", one('name2 = "\x1b[31m";'), 2),
    Text("deep", "a = " + "{ b = " * 5000 + "1; " + "};" * 5000, None),
    Text("long-token", one('refuse_text = "' + "x" * 900000 + '";'), 2),
)


@scenario(text=TEXTS)
def a_faulty_text_is_answered_with_a_fault_and_a_line(story, text):
    head = "module_path = [ %s ];" % libconf.quote(HANDLERS)
    body = text.text if text.name in ("bom", "empty", "deep") \
        else head + text.text
    conf = story.configure(text=body)
    for arguments in (("-t", "-c", conf), ("-c", conf)):
        done = story.run(*arguments, within=12)
        expect_equal(done.returncode, 78, "exit status of %r; %s"
                     % (arguments, done.stderr[-2000:]))
        lines = [one for one in done.stderr.splitlines()
                 if one.startswith(conf)]
        expect(lines, "no fault line in %r", done.stderr[-2000:])
        if text.line:
            expect(lines[0].startswith("%s:%d: " % (conf, text.line)),
                   "not at line %d: %r", text.line, lines[0][:500])
        for word in text.words:
            expect(word in done.stderr, "%r is not in %r", word,
                   done.stderr[-2000:])
        expect(not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", done.stderr),
               "control bytes in %r", done.stderr[-500:])


class File:
    def __init__(self, name, status, make):
        self.name, self.status, self.make = name, status, make

    def __str__(self):
        return self.name


def huge(path):
    with open(path, "wb") as file:
        file.truncate(1 << 30)


FILES = (
    File("directory", 78, os.mkdir),
    File("fifo", 78, os.mkfifo),
    File("huge", 78, huge),
    File("missing", 66, lambda path: None),
    File("dangling", 66, lambda path: os.symlink("/nonexistent", path)),
)


@scenario(file=FILES)
def a_file_that_is_no_configuration_is_refused(story, file):
    path = story.path("it.conf")
    file.make(path)
    done = story.run("-t", "-c", path)
    expect(done.returncode in (file.status, 66, 78), "exit status %d; %s",
           done.returncode, done.stderr)
    expect_equal(done.returncode, file.status, "exit status; " + done.stderr)
    expect(path in done.stderr, "no path in %r", done.stderr)


@scenario
def ten_thousand_listeners_are_answered_in_bounded_time(story):
    rows = ",\n".join('{ name = "n%d"; listen = "tcp://127.0.0.1:0"; '
                      'handler = "echo"; bad = 1; }' % i
                      for i in range(5000))
    conf = story.configure(text="listeners = (\n%s\n);\n" % rows)
    done = story.run("-t", "-c", conf, within=20)
    expect_equal(done.returncode, 78, "exit status; " + done.stderr[-500:])


@scenario
def conf_d_is_read_in_the_order_of_names(story):
    conf = story.configure(listener("main", "echo"))
    os.mkdir(story.path("conf.d"))
    for name in ("20-two", "10-one"):
        story.write("conf.d/%s.conf" % name, "listeners = ( %s );\n"
                    % (GOOD % "").replace('"e"', '"%s"' % name[3:]))
    story.write("conf.d/30-three.off", "this is not read")
    done = story.run("-T", "-c", conf)
    expect_equal(done.returncode, 0, "exit status; " + done.stderr)
    names = re.findall(r'\bname = "([^"]*)"', done.stdout)
    expect_equal(names, ["main", "one", "two"], "listeners")


@scenario
def a_fault_in_conf_d_names_its_file(story):
    conf = story.configure(listener("main", "echo"))
    os.mkdir(story.path("conf.d"))
    bad = story.write("conf.d/x.conf", "\nlisteners = ( %s );\n"
                      % (GOOD % "backlog = 0;"))
    done = story.run("-t", "-c", conf)
    expect_equal(done.returncode, 78, "exit status; " + done.stderr)
    expect(done.stderr.startswith("%s:2: " % bad), "%r", done.stderr)


@scenario
def defaults_hold_for_every_listener(story):
    conf = story.configure(listener("a", "echo"),
                           listener("b", "echo", backlog=8),
                           defaults={"backlog": 77, "workers": 3})
    done = story.run("-T", "-c", conf)
    expect_equal(done.returncode, 0, "exit status; " + done.stderr)
    expect_equal(re.findall(r"backlog = (\d+)", done.stdout), ["77", "8"],
                 "backlogs in " + done.stdout)


@scenario
def a_disabled_listener_is_not_served(story):
    daemon = story.serve(listener("e", "echo"),
                         listener("off", "echo", enabled=False))
    with open(daemon.address_file) as file:
        expect("off" not in file.read(), "it is bound")
