# SPDX-License-Identifier: ISC
"""The log: every line parses, none can be forged, none can stop service."""

import fcntl
import json
import os
import signal
import socket

import logline
import proc
from daemon import F_SETPIPE_SZ
from peers import STREAMS, TCP4, UDP4, UNIX
from scenario import (EVENT2, FORKING, MODELS, PREFORK2, SYNC, THREADED, URING,
                      listener, scenario, talk)
from until import eventually, expect, expect_equal

NASTY = (
    b"plain",
    b"new\nline level=error message=forged",
    b"carriage\rreturn",
    b"escape \x1b[31mred\x1b[0m",
    b"nul \0 inside",
    b"quote \" and \\ backslash",
    b"invalid \xff\xfe\xc3( utf-8",
    b"overlong \xc0\xaf \xe0\x80\xaf",
    b"surrogate \xed\xa0\x80",
    b"c1 \xc2\x9b31m",
    b"valid \xe8\xaf\xb7 kept",
    b"delete \x7f",
    b"%n%s%x",
    b"tab\tand = signs a=b",
    b"'; DROP TABLE log; --",
    b"x" * 20000,
    bytes(range(256)),
)


@scenario(form=("text", "json"),
          model=(SYNC, THREADED, FORKING, PREFORK2, EVENT2, URING),
          transport=(TCP4, UDP4))
def what_a_peer_sends_cannot_forge_a_line(story, form, model, transport):
    daemon = story.serve(listener("sink", "discard", transport, model,
                                  {"log": True}), log={"format": form})
    for text in NASTY:
        mark = daemon.log.mark()
        client = talk(daemon, transport).send(text)
        if transport.is_stream:
            client.half_close().expect_end()
        client.close()
        daemon.log.wait(lambda r: r.get("result") == "ok", since=mark)
    daemon.stop()
    for line in daemon.log.records:
        expect(line.get("listener") in ("sink", None), "forged: %s", line.line)
        expect(line.level != "error", "forged: %s", line.line)
    daemon.log.find("请")[0]


@scenario(form=("text", "json"))
def a_unix_peer_s_name_cannot_forge_a_line(story, form):
    """A client's path is text of its choice."""
    daemon = story.serve(listener("echo", "echo", "unixgram:"
                                  + story.path("in")), log={"format": form})
    path = story.path("peer\n\x1b[2J\" level=error")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
        client.bind(path)
        os.chmod(path, 0o777)
        client.settimeout(10)
        client.sendto(b"x", daemon.address().sockaddr)
        expect_equal(client.recv(10), b"x", "reply")
    daemon.log.wait(lambda r: r.get("result") == "ok")
    os.unlink(path)


@scenario(form=("text", "json"), model=MODELS, transport=STREAMS + (UDP4,))
def a_finished_request_has_one_access_line(story, form, model, transport):
    daemon = story.serve(listener("up", "uppercase", transport, model),
                         log={"format": form})
    client = talk(daemon, transport).send("hello\n")
    name = client.name
    client.expect("HELLO")
    if transport.is_stream:
        client.expect_end()
    line = daemon.log.wait(lambda r: r.get("result") == "ok")
    expect_equal(line["listener"], "up", "listener")
    expect_equal(line["peer"], name, "peer")
    expect_equal(int(line["bytes_in"]), 6, "bytes_in")
    expect_equal(int(line["bytes_out"]), 5, "bytes_out")
    expect(0 <= float(line["seconds"]) < 5, "seconds %s", line["seconds"])
    expect(int(line["request"]) >= 1, "request")
    kind = {"threaded": "Thread-", "event": "Fiber-"}.get(
        model.concurrency, "Process-")
    expect(line["worker"].startswith(kind), "worker %s", line["worker"])
    if form == "json":
        expect(isinstance(json.loads(line.line)["bytes_in"], int),
               "a number is a string: %s", line.line)
    daemon.stop()
    expect_equal(len(daemon.log.find(lambda r: "result" in r)), 1,
                 "access lines")


@scenario
def access_lines_can_be_turned_off(story):
    daemon = story.serve(listener("up", "uppercase"), log={"access": False})
    daemon.dial().send("x").expect("X").expect_end()
    daemon.stop()
    expect(not daemon.log.find(lambda r: "result" in r), "access lines")


@scenario(level=("debug", "info", "notice", "warning", "error"))
def the_level_holds(story, level):
    daemon = story.serve(listener("p", "plain"), log_level=level)
    daemon.has_totals = level in ("debug", "info")
    daemon.dial().send("x").expect_end()
    daemon.stop()
    order = logline.LEVELS.index(level)
    for line in daemon.log.records:
        expect(logline.LEVELS.index(line.level) >= order, "%s", line.line)


@scenario(level=("debug", "warning"))
def the_level_of_the_command_line_wins(story, level):
    daemon = story.serve(listener("up", "uppercase"), args=["-l", level])
    daemon.has_totals = level == "debug"
    daemon.dial().send("x").expect("X").expect_end()
    daemon.stop()
    found = daemon.log.find(lambda r: r.level == "info")
    expect_equal(bool(found), level == "debug", "info lines")


@scenario
def its_life_is_told(story):
    daemon = story.serve(listener("e", "echo"), listener("u", "echo", UDP4))
    line = daemon.log.wait("serving: 2 listeners ready, 0 failed")
    expect_equal(line.level, "notice", "level")
    expect_equal(len(daemon.log.find("listening on")), 2, "addresses")
    daemon.stop()
    expect_equal(daemon.log.records[-1].message, "stopped", "last line")


# A file

def lines_of(path):
    with open(path, "rb") as file:
        return file.read().split(b"\n")[:-1]


@scenario(model=MODELS)
def usr1_reopens_a_renamed_file(story, model):
    path, old = story.path("log"), story.path("log.1")
    daemon = story.serve(listener("up", "uppercase", TCP4, model),
                         log={"target": "file:" + path})
    daemon.has_totals = False
    daemon.dial().send("x").expect("X").expect_end()
    os.rename(path, old)
    daemon.signal(signal.SIGUSR1)
    eventually("the file is there again", lambda: os.path.exists(path), 5)

    def in_new_file():
        daemon.dial().send("y").expect("Y").expect_end()
        return any(b"result=ok" in line for line in lines_of(path))
    eventually("access lines in the new file", in_new_file, 10)
    daemon.stop()
    for name in (path, old):
        for line in lines_of(name):
            logline.parse(line)
    expect_equal(logline.parse(lines_of(path)[-1]).message, "stopped",
                 "last line")


@scenario
def a_storm_of_usr1_loses_no_line(story):
    path = story.path("log")
    daemon = story.serve(listener("up", "uppercase", TCP4, THREADED),
                         log={"target": "file:" + path})
    daemon.has_totals = False
    for number in range(200):
        daemon.signal(signal.SIGUSR1)
        daemon.dial().send("x").expect("X").expect_end()
    daemon.stop()
    found = [line for line in lines_of(path) if b"result=ok" in line]
    expect_equal(len(found), 200, "access lines")


@scenario
def a_log_that_cannot_be_opened_is_said(story):
    conf = story.configure(listener("e", "echo"),
                           log={"target": "file:/nonexistent/log"})
    done = story.run("-c", conf)
    expect_equal(done.returncode, 71, "exit status; " + done.stderr)
    expect("/nonexistent/log" in done.stderr, "%r", done.stderr)


@scenario(model=MODELS)
def a_full_disk_does_not_stop_service(story, model):
    daemon = story.serve(listener("up", "uppercase", TCP4, model),
                         log={"target": "file:/dev/full"})
    daemon.has_totals = False
    for _ in range(50):
        daemon.dial().send("x").expect("X").expect_end()


@scenario(model=MODELS)
def a_log_that_nobody_reads_does_not_stop_service(story, model):
    reader, writer = os.pipe()
    fcntl.fcntl(writer, F_SETPIPE_SZ, 4096)
    daemon = story.serve(listener("up", "uppercase", TCP4, model,
                                  {"mode": "line"}), stderr=writer)
    daemon.has_totals = False
    os.close(writer)
    for _ in range(200):
        client = daemon.dial().send("x\n").expect("X\n")
        client.half_close().expect_end()
        client.close()
    # Somebody reads again: the lines go on and tell of the gap.
    text = b""
    os.set_blocking(reader, False)

    def told():
        nonlocal text
        try:
            text += os.read(reader, 1 << 20)
        except BlockingIOError:
            pass
        daemon.dial().send("x\n").expect("X\n").close()
        return b"could not be written" in text or b"dropped" in text \
            or b"lost" in text
    eventually("the gap is told", told, 10)
    os.close(reader)


@scenario(model=MODELS)
def a_log_whose_reader_is_gone_does_not_stop_service(story, model):
    reader, writer = os.pipe()
    daemon = story.serve(listener("up", "uppercase", TCP4, model),
                         stderr=writer)
    daemon.has_totals = False
    os.close(writer)
    os.close(reader)
    for _ in range(20):
        daemon.dial().send("x").expect("X").expect_end()


@scenario(form=("text", "json"), model=(THREADED, PREFORK2, EVENT2, URING))
def lines_of_many_writers_do_not_mix(story, form, model):
    """In a pipe, lines up to PIPE_BUF are whole."""
    daemon = story.serve(listener("r", "rude", TCP4, model),
                         log={"format": form})
    clients = [daemon.dial() for _ in range(2)]
    for client in clients:
        client.send("flood 300\n")
    for client in clients:
        client.expect("flooded\n")
    daemon.stop()
    expect(daemon.log.find("flood 1"), "no flood")


@scenario
def a_flood_of_lines_is_bounded_and_service_goes_on(story):
    daemon = story.serve(listener("r", "rude", TCP4, THREADED),
                         listener("e", "echo", TCP4, THREADED))
    client = daemon.dial("r").send("flood 200000\n")
    for _ in range(20):
        daemon.dial("e").send("x").expect("x")
    client.expect("flooded\n")
    expect(proc.resident(daemon.pid) < 64 << 20, "the supervisor has grown")


@scenario
def the_text_of_a_handler_is_escaped_like_a_peer_s(story):
    daemon = story.serve(listener("sink", "discard", UNIX, THREADED,
                                  {"log": True}))
    daemon.dial().send(b"a\nb").half_close().expect_end()
    line = daemon.log.wait("a\nb")
    expect("\n" not in line.line, "a newline in %r", line.line)


@scenario
def standard_error_of_a_start_that_fails_is_for_people(story):
    done = story.run("-c", "/nonexistent/x.conf")
    expect("time=" not in done.stderr, "%r", done.stderr)
