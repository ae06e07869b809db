# SPDX-License-Identifier: ISC
"""socketserver-bench: every workload against the daemon, and against servers
that answer wrongly, late or not at all."""

import os
import resource
import signal
import socket
import threading

import bench
import ctl
from bench import Server, measure
from ctl import expect_exit
from peers import TCP4, TRANSPORTS, UDP4, UNIX, UNIXGRAM
from scenario import FORKING, SYNC, THREADED, WIDE, listener, scenario
from until import expect, expect_equal, seconds

STREAMS = [one for one in TRANSPORTS if one.is_stream]
DATAGRAMS = [one for one in TRANSPORTS if not one.is_stream]
PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                    "../../man/socketserver-bench.1.in")
GREETING = "欢迎致电 10086,请输入1xxx,0转人工服务."
REPLY = "通过可能会被录音.balabala一大推"


def echo(story, transport=TCP4, model=THREADED, **keys):
    return story.serve(listener("e", "echo", transport, model, **keys))


def expect_counted(found, requests, size):
    """All answered, and the figures agree with each other."""
    expect_equal(found["requests"], requests, "requests")
    expect_equal(found["bytes_in"], requests * size, "bytes that came")
    expect_equal(found["errors"], 0, "errors")
    latency = found["latency_us"]
    order = [latency[key]
             for key in ("min", "p50", "p90", "p99", "p99.9", "max")]
    expect(order == sorted(order) and order[0] > 0, "latency: %r", latency)
    expect(latency["min"] <= latency["mean"] <= latency["max"], "mean: %r",
           latency)
    rate = requests / found["seconds"]
    expect(abs(found["requests_per_second"] / rate - 1) < 0.01, "%r", found)


@scenario(transport=STREAMS)
def kept_connections_are_counted(story, transport):
    address = echo(story, transport).address()
    expect_counted(measure("rr", address, "-n", "2000", "-c", "8"), 2000, 64)
    expect_counted(measure("pipeline", address, "-n", "3000", "-c", "3",
                           "-D", "7", "-s", "100"), 3000, 100)
    expect_counted(measure("stream", address, "-n", "64"), 64, 65536)


@scenario(transport=STREAMS, model=WIDE)
def connections_for_one_request_are_counted(story, transport, model):
    daemon = echo(story, transport, model)
    expect_counted(measure("crr", daemon.address(), "-n", "200", "-c", "4"),
                   200, 64)


@scenario(transport=DATAGRAMS)
def datagrams_are_counted(story, transport):
    address = echo(story, transport, SYNC).address()
    expect_counted(measure("udp", address, "-n", "2000"), 2000, 64)


@scenario(transport=[TCP4, UNIX])
def a_hotline_is_talked_to(story, transport):
    daemon = story.serve(listener("h", "bot10086", transport, THREADED))
    found = measure("greeting", daemon.address(), "-n", "300",
                    "--greeting", GREETING, "--line", "0\\n",
                    "--reply", REPLY)
    expect_counted(found, 300, len((GREETING + REPLY).encode()))
    found = measure("greeting", daemon.address(), "-n", "300",
                    "--greeting", GREETING)
    expect_equal((found["requests"], found["bytes_out"]), (300, 0), "greeted")
    measure("greeting", daemon.address(), "-n", "10")
    found = measure("greeting", daemon.address(), "-n", "10", "--greeting",
                    "Hello", status=1)
    expect("wrong_bytes" in found["errors_by_kind"], "%r", found)


@scenario
def upper_case_is_a_right_answer_when_it_is_asked_for(story):
    address = story.serve(
        listener("u", "uppercase", TCP4, THREADED)).address()
    found = measure("crr", address, "-n", "100", "--expect", "upper")
    expect_counted(found, 100, 63)
    found = measure("crr", address, "-n", "100", status=1)
    expect_equal((found["errors_by_kind"], found["requests"]),
                 ({"wrong_bytes": 100}, 0), "lower case was wanted")


@scenario
def an_open_loop_keeps_its_rate(story):
    address = echo(story).address()
    for workload in "rr", "crr":
        found = measure(workload, address, "-r", "500", "-n", "250", "-c", "4")
        expect_counted(found, 250, 64)
        expect(found["seconds"] >= 249 / 500, "too fast: %r", found)


class Stalls:
    """An echo that says nothing for a while after its first answers."""

    def __init__(self):
        self.gate = threading.Event()

    def __call__(self, peer):
        for count in range(10 ** 6):
            if count == 20:
                self.gate.wait(0.3)
            data = peer.recv(64, socket.MSG_WAITALL)
            if not data:
                return
            peer.sendall(data)


@scenario
def a_stall_is_in_the_latency_of_all_that_were_due_in_it(story):
    server = Server(TCP4, story, Stalls())
    found = measure("rr", server.address, "-c", "1", "-r", "200", "-n", "100")
    # 60 of 100 are due within the stall: half of all are late, not one
    expect(found["latency_us"]["p50"] > 20e3, "%r", found["latency_us"])
    server = Server(TCP4, story, Stalls())
    found = measure("rr", server.address, "-c", "1", "-n", "100")
    expect(found["latency_us"]["p50"] < 20e3, "%r", found["latency_us"])


def one_byte_wrong(peer):
    for count in range(10 ** 6):
        data = bytearray(peer.recv(64, socket.MSG_WAITALL))
        if not data:
            return
        if count == 10:
            data[33] ^= 1
        peer.sendall(data)


def one_byte_more(peer):
    while data := peer.recv(64, socket.MSG_WAITALL):
        peer.sendall(data + b"!")


def hangs_up(peer):
    data = peer.recv(64, socket.MSG_WAITALL)
    peer.sendall(data[:10])


def resets(peer):
    peer.recv(64, socket.MSG_WAITALL)
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                    b"\1\0\0\0\0\0\0\0")


def says_nothing(peer):
    while peer.recv(4096):
        pass


BAD = {"wrong_bytes": one_byte_wrong, "excess_bytes": one_byte_more,
       "closed": hangs_up, "reset": resets, "timeout": says_nothing}


@scenario(kind=list(BAD))
def a_wrong_answer_is_an_error(story, kind):
    server = Server(TCP4, story, BAD[kind])
    found = measure("rr", server.address, "-d", "400ms", "-c", "2",
                    "-t", "150ms", status=1)
    expect(found["errors_by_kind"].get(kind, 0) > 0, "%r", found)
    expect_equal(list(found["errors_by_kind"]), [kind], "kinds of errors")
    expect(found["first_errors"][kind], "no word about the first: %r", found)


@scenario
def an_error_is_told_in_words(story):
    server = Server(TCP4, story, one_byte_wrong)
    done = bench.run("-n", "100", "-c", "1", *bench.SHORT, "rr",
                     server.address)
    expect_exit(done, 1)
    # every eleventh is wrong
    expect(b"errors      9\n" in done.stdout, "%r", done.stdout)
    expect(b"9 wrong bytes (the first: byte 673 of what came is" in
           done.stdout, "%r", done.stdout)


@scenario(transport=[UDP4, UNIXGRAM])
def a_datagram_without_an_answer_is_lost(story, transport):
    count = iter(range(10 ** 9))
    server = Server(transport, story,
                    lambda data: None if next(count) % 50 == 49 else data)
    found = measure("udp", server.address, "-n", "400", "-c", "2",
                    "-t", "100ms", status=1)
    expect_equal(list(found["errors_by_kind"]), ["lost"], "kinds of errors")
    expect_equal(found["errors"] + found["requests"], 400, "lost and answered")


@scenario
def an_answer_of_before_is_not_taken_for_the_next(story):
    last = [b""]

    def one_behind(data):
        answer, last[0] = last[0], data
        return answer if answer else data
    server = Server(UDP4, story, one_behind)
    found = measure("udp", server.address, "-d", "300ms", "-c", "1",
                    "-t", "100ms", status=1)
    expect(set(found["errors_by_kind"]) <= {"lost", "late"}, "%r", found)


@scenario(address=["tcp://127.0.0.1:{port}", "udp://127.0.0.1:{port}",
                   "unix:{dir}/none", "unixgram:{dir}/none", "unix:@none-{port}"])
def nobody_answers(story, address):
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))     # and does not listen
        address = address.format(port=sock.getsockname()[1],
                                 dir=story.directory)
        for workload in ["udp"] if "gram" in address or "udp" in address \
                else ["rr", "crr", "greeting", "idle", "deaf"]:
            done = bench.run(workload, address, "--no-probe")
            expect_exit(done, 3, "%s: no server answers: " % address)
            expect_equal(done.stdout, b"", "standard output")


@scenario
def a_silent_datagram_server_is_no_server(story):
    server = Server(UDP4, story, lambda data: None)
    done = bench.run("udp", server.address, "--no-probe", "-t", "100ms")
    expect_exit(done, 3, "no server answers: no answer in 100 ms")


@scenario(model=[THREADED, FORKING])
def idle_connections_are_held_and_weighed(story, model):
    daemon = echo(story, TCP4, model, max_connections=200)
    found = measure("idle", daemon.address(), "-c", "50", "-d", "100ms",
                    "--pid", str(daemon.pid))
    expect_equal((found["held"], found["errors"]), (50, 0), "held")
    before, held = found["memory_before"], found["memory_held"]
    what = "threads" if model is THREADED else "processes"
    expect(held[what] >= before[what] + 50, "%r", found)
    expect(4096 < found["bytes_per_connection"] < 1 << 24, "%r", found)


@scenario
def an_idle_connection_that_the_server_ends_is_an_error(story):
    daemon = echo(story, TCP4, THREADED, timeout=0.2)
    found = measure("idle", daemon.address(), "-c", "5", "-d", "5s",
                    status=1)
    expect_equal(found["errors_by_kind"], {"closed": 5}, "errors")


@scenario
def idle_says_when_all_are_held_and_ends_when_told(story):
    address = echo(story).address()
    words = ("--no-probe", "-c", "20", "-d", "1h", "idle", str(address))
    program = ctl.Program(*words, program=bench.BENCH)
    program.expect(b"20 connections are held\n")
    program.signal(signal.SIGTERM)
    shown = program.expect_end(0)
    expect(b"interrupted" in shown, "%r", shown)


@scenario
def a_second_signal_waits_for_no_answers(story):
    asked = threading.Semaphore(0)

    def note_and_be_silent(peer):
        peer.recv(64, socket.MSG_WAITALL)
        asked.release()
        says_nothing(peer)
    server = Server(TCP4, story, note_and_be_silent)
    program = ctl.Program("--no-probe", "-c", "2", "-t", "1h", "rr",
                          server.address, program=bench.BENCH)
    for _ in range(2):
        expect(asked.acquire(timeout=seconds(10)), "it does not ask")
    program.signal(signal.SIGINT)
    expect(program.is_running(), "it does not wait")
    program.signal(signal.SIGTERM)
    shown = program.expect_end(1)
    expect(b"2 not answered in time (the first: a second signal" in shown,
           "%r", shown)


@scenario(model=[THREADED, FORKING], silent=["", "--silent"])
def who_is_heard_besides_silent_clients_is_answered(story, model, silent):
    daemon = echo(story, TCP4, model)
    found = measure("deaf", daemon.address(), "-c", "20", "-n", "5",
                    *silent.split())
    expect_counted(found, 5, 64)
    expect_equal(found["silent"], 20, "silent clients")


@scenario(silent=["", "--silent"])
def a_server_with_ears_for_one_is_found_deaf(story, silent):
    ear = threading.Lock()

    def one_at_a_time(peer):
        with ear:
            while data := peer.recv(4096):
                peer.sendall(data)
    server = Server(TCP4, story, one_at_a_time)
    found = measure("deaf", server.address, "-c", "20", "-n", "3",
                    "-t", "150ms", *silent.split(), status=1)
    expect_equal((found["silent"], found["requests"]), (20, 0), "answered")
    expect_equal(found["errors_by_kind"], {"timeout": 3}, "errors")


@scenario
def a_full_queue_of_a_unix_listener_is_waited_for(story):
    path = story.path("full")
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(path)
        sock.listen(1)          # and nobody takes from it
        found = measure("deaf", "unix:" + path, "-c", "9", "-n", "2",
                        "-t", "150ms", status=1)
        expect_equal(found["errors_by_kind"], {"connect": 2}, "errors")
        expect(found["silent"] < 9, "%r", found)
        expect("was full for 150 ms" in found["first_errors"]["connect"],
               "%r", found)


@scenario
def a_short_queue_of_a_unix_listener_loses_nothing(story):
    address = echo(story, UNIX, SYNC, backlog=1).address()
    expect_counted(measure("crr", address, "-n", "500", "-c", "20"), 500, 64)


@scenario
def what_the_server_uses_is_metered(story):
    daemon = echo(story)
    found = measure("rr", daemon.address(), "-d", "300ms",
                    "--pid", str(daemon.pid))
    used = found["server_cpu_us_per_request"]
    expect(0.1 < used < 10000, "%r", found)
    expect(abs(used * found["requests"] / 1e6 / found["server_cpu_seconds"]
               - 1) < 0.01, "%r", found)
    done = bench.run("--pid", "999999999", *bench.SHORT, "rr",
                     str(daemon.address()))
    expect_exit(done, 2, "process 999999999: No such process")
    done = bench.run("--cgroup", "/nonexistent", *bench.SHORT, "rr",
                     str(daemon.address()))
    expect_exit(done, 2, "control group /nonexistent: No such file")


@scenario
def the_machines_own_speed_is_measured(story):
    found = measure("rr", echo(story).address(), "-n", "100", probe=True)
    for when in "probe_before_ns", "probe_after_ns":
        expect(500 < found[when] < 10 ** 7, "%r", found)
    is_steady = 1 / 1.06 <= found["probe_before_ns"] / \
        found["probe_after_ns"] <= 1.06
    is_warned = any("own speed" in one for one in found["warnings"])
    expect_equal(is_warned, not is_steady, "warning of %r" % found)


@scenario
def a_line_lives_on_a_terminal_only(story):
    address = str(echo(story).address())
    words = ("--no-probe", "-d", "1500ms", "-w", "0", "rr", address)
    program = ctl.Program(*words, program=bench.BENCH, terminal=True)
    program.expect(b"\r\x1b[K")
    program.expect(b" requests, ")
    expect_equal(program.end(), 0, "exit status")
    expect(b"latency us" in program.got, "%r", program.got)
    done = bench.run("-n", "1000", *bench.SHORT, "rr", address)
    expect_equal(done.stderr, b"", "standard error")


@scenario
def the_text_has_the_figures(story):
    address = str(echo(story).address())
    done = bench.run("-n", "1000", *bench.SHORT, "rr", address)
    for part in ("rr on %s: 64 connections, 64 bytes, " % address,
                 "requests    1000, ", "bytes       64000 out, 64000 in, ",
                 "latency us  p50 ", "client CPU  ", "errors      none\n"):
        expect(part.encode() in done.stdout, "%r: %r", part, done.stdout)


@scenario
def a_full_disk_is_no_success(story):
    address = str(echo(story).address())
    with open("/dev/full", "wb") as full:
        done = ctl.run("-n", "10", *bench.SHORT, "rr", address,
                       program=bench.BENCH, stdout=full)
    expect_exit(done, 1, "cannot write to standard output")


@scenario
def many_connections_come_from_many_addresses(story):
    sources = set()

    def note_source(peer):
        sources.add(peer.getpeername()[0])
        while data := peer.recv(4096):
            peer.sendall(data)
    server = Server(TCP4, story, note_source)
    found = measure("crr", server.address, "-n", "26000", "-c", "16")
    expect_counted(found, 26000, 64)
    expect_equal(sources, {"127.0.0.1", "127.0.0.2"}, "sources")


def nobody_with_few_files():
    resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200))
    if os.geteuid() == 0:
        os.setuid(65534)


@scenario
def too_few_open_files_are_told_before(story):
    address = str(echo(story).address())
    words = [*bench.SHORT, "-n", "200", "rr", address]
    done = bench.run("-c", "137", *words, prepare=nobody_with_few_files)
    expect_exit(done, 2, "137 connections need 201 open files, and this user "
                "may have 200 (ulimit -Hn)")
    done = bench.run("-c", "136", *words, prepare=nobody_with_few_files)
    expect_exit(done, 0)


@scenario
def json_has_what_the_manual_says(story):
    daemon = echo(story)
    address, meter = daemon.address(), ("--pid", str(daemon.pid))
    found = measure("rr", address, "-n", "10", *meter, probe=True)
    expect_equal((found["workload"], found["load"]["connections"],
                  found["load"]["request_bytes"]), ("rr", 64, 64), "load")
    found.update(measure("idle", address, "-c", "3", "-d", "50ms", *meter))
    found.update(measure("deaf", address, "-c", "3", "-n", "3"))
    with open(PAGE) as page:
        told = {word for line in page if line.startswith(".It Li ")
                for word in line.split()[2:]}
    expect_equal(set(found) - told, set(), "members that are not told")
    missing = {one for one in told - set(found) if "_" in one}
    expect_equal(missing, set(), "members that are not there")
