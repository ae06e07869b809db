# SPDX-License-Identifier: ISC
"""Handlers that cannot be served are refused before anything is bound, with
a sentence that says why; and none of their code runs in the supervisor."""

import os
import shutil

from peers import TCP4, TCP6, UDP4, UNIXGRAM
from scenario import (FORKING, POOL, PREFORK2, SYNC, THREADED,
                      listener, scenario)
from until import expect, expect_equal


def refusal(story, row, *words, status=78):
    """-t and the start itself refuse it; the fault line."""
    conf = story.configure(row)
    for arguments in (("-t", "-c", conf), ("-c", conf)):
        done = story.run(*arguments)
        expect_equal(done.returncode, status,
                     "exit status of %r; %s" % (arguments, done.stderr))
        lines = [line for line in done.stderr.splitlines()
                 if line.startswith(conf + ":")]
        expect(lines, "no fault line in %r", done.stderr)
        expect_equal(len(lines), 1, "fault lines: %r" % lines)
        line = lines[0]
        number = line[len(conf) + 1:].split(":")[0]
        expect(number.isdigit(), "no line number in %r", line)
        expect('listener "%s"' % row["name"] in line, "no name in %r", line)
        for word in words:
            expect(word.lower() in line.lower(), "%r is not in %r", word, line)
    return line


class Bad:
    def __init__(self, fixture, *words):
        self.fixture, self.words = fixture, words

    def __str__(self):
        return self.fixture


BAD = (
    Bad("wrong_abi", "abi"),
    Bad("small", "handler"),
    Bad("large", "handler"),
    Bad("no_symbol", "socketserver_handler"),
    Bad("no_note", "handler"),
    Bad("no_handle", "handle"),
    Bad("no_kinds", "handler"),
    Bad("undefined_symbol", "function_that_nobody_has"),
    Bad("constructor_exits", "handler"),
    Bad("constructor_crashes", "handler"),
)


@scenario(bad=BAD)
def a_bad_module_is_refused(story, bad):
    refusal(story, listener("bad", bad.fixture), "handler: ", *bad.words)


@scenario(deadline=60)
def a_module_whose_constructor_hangs_is_refused(story):
    refusal(story, listener("bad", "constructor_hangs"), "handler: ")


@scenario
def a_newer_minor_version_is_served(story):
    daemon = story.serve(listener("new", "newer_minor"))
    daemon.dial().expect("served").expect_end()


class Broken:
    """Makes a file that is no handler."""

    def __init__(self, name, make, *words):
        self.name, self.make, self.words = name, make, words

    def __str__(self):
        return self.name


def truncated(story, path):
    with open(story.fixture("stream_only"), "rb") as file:
        data = file.read()
    story.write(os.path.basename(path), data[:len(data) // 3], 0o755)


def foreign(story, path):
    shutil.copy(story.fixture("stream_only"), path)
    with open(path, "r+b") as file:
        file.seek(18)
        file.write(b"\xb7\x00")         # EM_AARCH64


def writable(story, path):
    shutil.copy(story.fixture("stream_only"), path)
    os.chmod(path, 0o777)


BROKEN = (
    Broken("missing", lambda s, p: None, "no such"),
    Broken("directory", lambda s, p: os.mkdir(p)),
    Broken("empty", lambda s, p: open(p, "w").close()),
    Broken("text", lambda s, p: s.write("it.so", "hello\n")),
    Broken("truncated", truncated),
    Broken("foreign", foreign, "aarch64"),
    Broken("fifo", lambda s, p: os.mkfifo(p)),
)


@scenario(broken=BROKEN)
def a_file_that_is_no_handler_is_refused(story, broken):
    path = story.path("it.so")
    broken.make(story, path)
    refusal(story, listener("it", path), "handler: ", *broken.words)


@scenario(root=True)
def a_module_that_anybody_may_write_is_refused(story):
    writable(story, story.path("it.so"))
    refusal(story, listener("it", story.path("it.so")), "handler: ", "writ")


@scenario
def a_library_of_the_system_is_no_handler(story):
    for path in ("/lib/x86_64-linux-gnu/libm.so.6", "/lib64/libm.so.6"):
        if os.path.exists(path):
            os.symlink(path, story.path("m.so"))
            refusal(story, listener("m", story.path("m.so")), "handler: ")
            return


@scenario(name=("../echo", "no_such_handler", "echo/../echo", "", ".echo"))
def a_name_that_is_not_on_the_path_is_refused(story, name):
    refusal(story, listener("x", name), "handler: ")


# Pairs of a module and a model or a transport

@scenario(model=(THREADED, POOL))
def an_unsafe_module_is_refused_in_threads(story, model):
    row = listener("u", "unsafe", TCP4, model)
    line = refusal(story, row, "thread")
    expect("concurrency" in line, "no key in %r", line)


@scenario(model=(SYNC, FORKING, PREFORK2))
def an_unsafe_module_is_served_in_processes(story, model):
    daemon = story.serve(listener("u", "unsafe", TCP4, model))
    daemon.dial().send("x").expect("x")


@scenario(transport=(UDP4, UNIXGRAM))
def a_stream_handler_is_refused_on_datagrams(story, transport):
    refusal(story, listener("s", "stream_only", transport),
            "it serves streams")


@scenario(transport=(TCP4, TCP6))
def a_datagram_handler_is_refused_on_streams(story, transport):
    refusal(story, listener("d", "datagram_only", transport),
            "it serves datagrams")


# Options

class Wrong:
    def __init__(self, options, *words):
        self.options, self.words = options, words

    def __str__(self):
        return self.words[0]


WRONG = (
    Wrong({}, "options.must"),
    Wrong({"must": "x", "number": 101}, "options.number", "100"),
    Wrong({"must": "x", "number": "3"}, "options.number"),
    Wrong({"must": "x", "flag": 1}, "options.flag"),
    Wrong({"must": "x", "span": "1 fortnight"}, "options.span"),
    Wrong({"must": "x", "choice": "gren"}, "options.choice", "green"),
    Wrong({"must": 7}, "options.must"),
    Wrong({"must": "x", "numbr": 1}, "options.numbr", "number"),
    Wrong({"must": "x", "rows": [{"count": 1}]}, "options.rows", "word"),
    Wrong({"must": "x", "rows": [{"word": "w", "count": 10}]},
          "options.rows", "count"),
)


@scenario(wrong=WRONG)
def a_wrong_option_is_refused(story, wrong):
    refusal(story, listener("t", "typed", options=wrong.options), *wrong.words)


@scenario
def reply_needs_its_text(story):
    refusal(story, listener("r", "reply"), "options.text")


@scenario
def a_check_needs_no_address_and_binds_nothing(story):
    daemon = story.serve(listener("echo", "echo"))
    conf = story.configure(listener("echo", "echo", daemon.address().text))
    done = story.run("-t", "-c", conf)
    expect_equal(done.returncode, 0, "exit status; " + done.stderr)


# Constructors

def witnesses(key):
    """(pid, uid, program) of every process that has loaded the fixture."""
    try:
        with open("/tmp/ss-witness-" + key) as file:
            return [line.split(" ", 2) for line in file.read().splitlines()]
    except FileNotFoundError:
        return []


def plant(story):
    key = os.path.basename(story.directory)
    path = "/tmp/ss-witness-" + key
    with open(path, "w"):
        pass
    os.chmod(path, 0o666)
    return key


@scenario
def a_constructor_never_runs_in_the_supervisor(story):
    key = plant(story)
    try:
        conf = story.configure(listener("w", "constructor_writes"))
        done = story.run("-t", "-c", conf, env={"LANG": key})
        expect_equal(done.returncode, 0, "exit status; " + done.stderr)
        done = story.run("-T", "-c", conf, env={"LANG": key})
        expect_equal(done.returncode, 0, "exit status; " + done.stderr)
        daemon = story.serve(listener("w", "constructor_writes"),
                             env={"LANG": key})
        daemon.dial().expect("served")
        daemon.stop()
        seen = witnesses(key)
        expect(seen, "the constructor has never run")
        for pid, uid, program in seen:
            expect(program.endswith("socketserver-service"),
                   "it ran in %s", program)
            expect(int(pid) != daemon.pid, "it ran in the supervisor")
            if os.geteuid() == 0:
                expect(int(uid) != 0, "it ran as root in %s", program)
    finally:
        os.unlink("/tmp/ss-witness-" + key)
