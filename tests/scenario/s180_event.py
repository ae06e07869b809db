# SPDX-License-Identifier: ISC
"""Fibers: what only the event model promises."""

import ctypes
import re
import resource
import signal
import struct

import proc
from daemon import QUIET_ASAN
from peers import TCP4, UDP4, UNIX
from scenario import EVENTS, Skip, listener, scenario
from tracing import Trace
from until import SCALE, eventually, expect, expect_equal

# One process, by either interface of the kernel.
ALONE = {"epoll": dict(io="epoll", workers=1),
         "io_uring": dict(io="io_uring", workers=1)}
IO = tuple(ALONE)
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
IO_URING_SETUP = 425


def event(name, handler, io, transport=TCP4, **keys):
    return listener(name, handler, transport, None,
                    **dict(ALONE[io], concurrency="event") | keys)


def waits_by(daemon):
    return [one["io"] for one in daemon.told("status")["listeners"]]


def serve_alone(story, io, name, handler, transport=TCP4, **keys):
    daemon = story.serve(event(name, handler, io, transport, **keys),
                         env=QUIET_ASAN)
    if waits_by(daemon) != [io]:
        raise Skip("there is no %s here" % io)
    return daemon


@scenario(io=IO)
def the_status_says_how_it_waits(story, io):
    daemon = serve_alone(story, io, "e", "echo")
    daemon.dial().send("x").expect("x")
    expect(not daemon.log.find(lambda r: "instead" in r.message), "a fallback")


def forbid_io_uring():
    """In the child that becomes the daemon: seccomp(2), as containers do."""
    rules = [(0x20, 0, 0, 0),                           # load the number
             (0x15, 0, 1, IO_URING_SETUP),              # is it this one?
             (0x06, 0, 0, 0x00050000 | 1),              # EPERM
             (0x06, 0, 0, 0x7fff0000)]                  # allowed
    code = ctypes.create_string_buffer(
        b"".join(struct.pack("HBBI", *rule) for rule in rules))
    program = ctypes.create_string_buffer(
        struct.pack("HxxxxxxP", len(rules), ctypes.addressof(code)))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 or libc.prctl(
            PR_SET_SECCOMP, SECCOMP_MODE_FILTER,
            ctypes.c_void_p(ctypes.addressof(program)), 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "seccomp")


@scenario(io=("io_uring", "auto"), transport=(TCP4, UNIX))
def where_io_uring_is_forbidden_epoll_serves(story, io, transport):
    daemon = story.serve(listener("e", "echo", transport,
                                  concurrency="event", workers=2, io=io),
                         prepare=forbid_io_uring)
    expect_equal(waits_by(daemon), ["epoll"], "io")
    clients = [daemon.dial().send("x") for _ in range(20)]
    for client in clients:
        client.expect("x").half_close().expect_end()
    line = daemon.log.wait(lambda r: "epoll is used instead" in r.message,
                           count=2)
    expect_equal(line.level, "info" if io == "auto" else "warning", "level")


@scenario(workers=(1, 2))
def auto_takes_io_uring_where_it_is(story, workers):
    daemon = story.serve(
        listener("asked", "echo", TCP4, concurrency="event", io="io_uring"),
        listener("auto", "echo", TCP4, concurrency="event", workers=workers),
        listener("grams", "echo", UDP4, concurrency="event", workers=workers))
    asked, auto, grams = waits_by(daemon)
    expect_equal((auto, grams), (asked, "epoll"), "io")
    expect(not daemon.log.find(lambda r: r.level == "warning" and
                               r.get("listener") == "auto"), "a warning")


@scenario(io=IO)
def a_stack_that_overflows_is_named(story, io):
    daemon = serve_alone(story, io, "deep", "rude",
                         restart={"initial": 0.05, "maximum": 1})
    daemon.may_crash = True
    client = daemon.dial()
    name = client.name
    client.send("overflow\n").ending()
    if SCALE == 1:              # AddressSanitizer's stacks are its own
        line = daemon.log.wait(lambda r: "stack overflow" in r.message)
        expect_equal(line["peer"], name, "peer")
        expect(line["worker"].startswith("Fiber-"), "worker %s",
               line["worker"])
        expect("stack_size" in line.message and "rude" in line.message,
               "says neither whose nor what to do: %s", line.message)
    # The listener is served again.
    daemon.dial().send("pid\n").line()


@scenario(io=IO)
def a_deep_stack_is_had_for_the_asking(story, io):
    """800 KiB overflow what a fiber has otherwise."""
    daemon = serve_alone(story, io, "deep", "rude", stack_size="4M")
    daemon.dial().send("deep 200\n").expect("200\n")


@scenario(io=IO)
def a_handler_that_holds_the_loop_is_named(story, io):
    daemon = serve_alone(story, io, "busy", "busy")
    client = daemon.dial()
    name = client.name
    client.send("300\n").expect("done\n")
    line = daemon.log.wait(lambda r: "without a wait" in r.message)
    expect_equal(line.level, "warning", "level")
    expect_equal(line["peer"], name, "peer")
    expect("busy" in line.message, "names no handler: %s", line.message)
    client.send("1\n").expect("done\n")


@scenario(io=IO)
def a_fiber_that_sleeps_stops_no_other(story, io):
    daemon = serve_alone(story, io, "p", "patient")
    sleepers = [daemon.dial().send("sleep 600\n") for _ in range(20)]
    daemon.dial().expect("hello\n").send("state\n").expect("serving\n")
    for sleeper in sleepers:
        sleeper.expect("hello\nok\n")


@scenario(io=IO)
def a_greedy_client_starves_nobody(story, io):
    """Its peer is always ready: it gives way all the same."""
    daemon = serve_alone(story, io, "sink", "discard")
    greedy = daemon.dial()
    greedy.sock.setblocking(False)
    other = daemon.dial()
    chunk = b"x" * (1 << 20)
    for _ in range(20):
        for _ in range(50):
            try:
                greedy.sock.send(chunk)
            except BlockingIOError:
                break
        daemon.dial().half_close().expect_end()
    other.half_close().expect_end()


@scenario(io=IO)
def a_datagram_outlives_the_wait(story, io):
    """Its bytes are kept while its fiber waits and others come."""
    daemon = serve_alone(story, io, "p", "patient", UDP4)
    first, second = daemon.datagrams(), daemon.datagrams()
    first.send("sleep 300\n")
    for _ in range(20):
        second.ask("state\n")
    expect_equal(first.receive(), b"ok\n", "answer")


@scenario(io=IO, transport=(TCP4, UNIX))
def a_thousand_silent_clients_cost_a_page_each(story, io, transport):
    if SCALE != 1:
        raise Skip("a sanitizer's memory is its own")
    daemon = serve_alone(story, io, "e", "echo", transport,
                         max_connections=2000)
    service = daemon.services()[0]
    warm = [daemon.dial().send("x").expect("x") for _ in range(100)]
    before = proc.resident(service)
    clients = [daemon.dial().send("x").expect("x") for _ in range(1000)]
    grown = proc.resident(service) - before
    # 4 KiB of stack, a seat of 0.3 KiB, its places in tables.
    expect(grown <= 1000 * 5 * 1024, "%d bytes each", grown // 1000)
    for client in clients + warm:
        client.close()


def calls_of(lines):
    """How often each system call was made."""
    found = {}
    for line in lines:
        name = re.match(r"(?:\d+ +)?(\w+)\(", line)
        if name:
            found[name.group(1)] = found.get(name.group(1), 0) + 1
    return found


@scenario(io=IO)
def a_request_costs_its_receive_and_its_send(story, io):
    daemon = serve_alone(story, io, "e", "echo")
    clients = [daemon.dial().send("x").expect("x") for _ in range(16)]
    trace = Trace(story, daemon.services()[0], "all")
    rounds = 50
    for _ in range(rounds):
        for client in clients:
            client.send("message")
        for client in clients:
            client.expect("message")
    made = calls_of(trace.stop())
    wanted = rounds * len(clients)
    sends = made.pop("sendto", 0)
    receives = made.pop("recvfrom", 0)
    waits = made.pop("epoll_wait", 0) + made.pop("io_uring_enter", 0)
    # io_uring sends those of a busy turn along with its wait.
    expect(sends == wanted if io == "epoll" else sends <= wanted,
           "%d sends for %d requests", sends, wanted)
    expect(receives <= (wanted if io == "epoll" else 0) + 5,
           "%d receives for %d requests", receives, wanted)
    expect(waits <= wanted + 20, "%d waits", waits)
    expect(sum(made.values()) <= 30, "other calls: %r", made)


@scenario(io=IO, transport=(TCP4, UNIX))
def a_process_alone_accepts_by_its_ring(story, io, transport):
    daemon = serve_alone(story, io, "e", "echo", transport)
    trace = Trace(story, daemon.services()[0], "all")
    count = 100
    for _ in range(count):
        daemon.dial().send("x").expect("x").close()
    eventually("all have ended", lambda: daemon.told("show e")["active"] == 0)
    made = calls_of(trace.stop())
    accepts, turns = made.get("accept4", 0), made.get("epoll_wait", 0)
    names = made.get("getsockopt", 0) + made.get("getpeername", 0)
    if io == "epoll":
        expect(accepts >= count, "%d accepts", accepts)
    else:
        expect(accepts + turns <= 10, "by the loop: %r", made)
        expect_equal(names, count, "names asked for")


@scenario(transport=(TCP4, UNIX))
def more_messages_than_buffers_are_all_answered(story, transport):
    """A process that stood still finds more than its ring can hold."""
    daemon = serve_alone(story, "io_uring", "e", "echo", transport,
                         max_connections=2000)
    service = daemon.services()[0]
    clients = [daemon.dial().send("x").expect("x") for _ in range(1300)]
    proc.stop(service)
    for number, client in enumerate(clients):
        client.send(b"%07d" % number * 250)
    proc.kill(service, signal.SIGCONT)
    for number, client in enumerate(clients):
        client.expect(b"%07d" % number * 250)
    used = proc.cpu_seconds(service)
    clients[0].expect_silence(1)
    used = proc.cpu_seconds(service) - used
    expect(used < 0.2 * SCALE, "%.2f s of processor while idle", used)
    for client in clients:
        client.close()


@scenario(io=IO, deadline=120, parallel=False)
def more_completions_than_the_queue_holds_are_all_served(story, io):
    """8,192 hold what a turn brings; here more peers speak at once."""
    count = 17000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < count + 500:
        raise Skip("only %d descriptors" % hard)
    if SCALE != 1:
        raise Skip("too many for a sanitizer")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    daemon = serve_alone(story, io, "e", "echo", UNIX,
                         max_connections=count + 100)
    service = daemon.services()[0]
    clients = [daemon.dial().send("a").expect("a") for _ in range(count)]
    proc.stop(service)
    for client in clients:
        client.send("b")
    proc.kill(service, signal.SIGCONT)
    for client in clients:
        client.expect("b")
    for client in clients:
        client.close()
    daemon.stop()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    expect_equal(daemon.totals().served, count, "served")


@scenario(io=IO, transport=(TCP4, UNIX))
def connections_are_shared_out(story, io, transport):
    """The kernel wakes one process again and again; it leaves some over."""
    daemon = story.serve(event("e", "echo", io, transport,
                               **{"workers": 3, "max_connections": 1000}))
    before = [len(proc.descriptors(pid)) for pid in daemon.services()]
    clients = [daemon.dial().send("x").expect("x") for _ in range(450)]
    each = [len(proc.descriptors(pid)) - was
            for pid, was in zip(daemon.services(), before)]
    expect(sum(each) >= 450, "held: %r", each)
    # A share, an eighth, 16 and what came at once.
    expect(max(each) <= 150 + 19 + 16 + 16, "uneven: %r", each)
    for client in clients:
        client.close()


@scenario(io=IO)
def a_full_process_leaves_the_rest_to_others(story, io):
    """Each has descriptors for fewer than come; together they have enough."""
    daemon = story.serve(event("e", "echo", io, TCP4, **{
        "workers": 3, "max_connections": 1000, "when_full": "refuse",
        "limits": {"nofile": 256}}))
    clients = [daemon.dial().send("x").expect("x") for _ in range(480)]
    for client in clients:
        client.close()
    daemon.stop()
    expect_equal(daemon.totals().refused, 0, "refused")


@scenario(model=EVENTS)
def bulk_and_small_messages_take_turns(story, model):
    """From few bytes to many and back, as the reads grow and shrink."""
    daemon = story.serve(listener("e", "echo", TCP4, model))
    client = daemon.dial()
    for size in (1, 2047, 2048, 2049, 4096, 100000, 1, 65536, 3, 2048, 2048):
        data = (b"%d:" % size * size)[:size]
        client.send(data).expect(data)
    client.half_close().expect_end()


@scenario(model=EVENTS)
def a_reader_that_stalls_stops_no_other(story, model):
    """Its fiber waits to write; the others go on, and so does it later."""
    size = 20 << 20
    daemon = story.serve(listener("big", "big", TCP4, model, {"size": size}))
    stalled = daemon.dial(rcvbuf=65536)
    stalled.send("go\n")
    for _ in range(10):
        other = daemon.dial().send("go\n")
        other.take(size)
        other.close()
    stalled.take(size)
