# SPDX-License-Identifier: ISC
"""Many times the same: nothing grows."""

import socket

import proc
from peers import TCP4, UDP4
from scenario import (EVENT2, FORKING, MODELS, THREADED, URING, listener,
                      scenario)
from until import SCALE, eventually, expect, expect_equal

ROUNDS = max(500, int(10000 / (SCALE ** 2)))
REFUSED = max(1000, int(20000 / (SCALE ** 2)))
# Resident bytes, for one process; sanitizers keep what is freed for a while.
SLACK = 512 * 1024 if SCALE == 1 else 16 << 20


class Size:
    """What the processes of a daemon hold."""

    def __init__(self, daemon):
        self.rows = {}
        for pid in [daemon.pid] + daemon.services():
            self.rows[pid] = (len(proc.descriptors(pid)),
                              proc.Stat(pid).threads, proc.resident(pid))

    def check(self, daemon):
        for pid, (fds, threads, resident) in self.rows.items():
            eventually(lambda: "%d descriptors at first, then %r"
                       % (fds, proc.descriptors(pid)),
                       lambda: len(proc.descriptors(pid)) <= fds + 1, 5)
            # Parked threads end by themselves after a while.
            eventually(lambda: "%d threads at first, then %d"
                       % (threads, proc.Stat(pid).threads),
                       lambda: proc.Stat(pid).threads <= threads + 2, 15)
            grown = proc.resident(pid) - resident
            expect(grown <= SLACK, "process %d has grown by %d KiB",
                   pid, grown // 1024)


def requests(address, count):
    for number in range(count):
        with socket.create_connection(address.sockaddr, 10) as sock:
            sock.sendall(b"x")
            data = sock.recv(10)
            expect_equal(data, b"X", "answer %d" % number)
            expect_equal(sock.recv(10), b"", "end %d" % number)


@scenario(model=MODELS, deadline=120)
def ten_thousand_requests_leave_nothing_behind(story, model):
    daemon = story.serve(listener("up", "uppercase", TCP4, model),
                         log={"access": False})
    requests(daemon.address(), 300)
    size = Size(daemon)
    requests(daemon.address(), ROUNDS)
    size.check(daemon)
    daemon.stop()
    expect_equal(daemon.totals().served, ROUNDS + 300, "served")


@scenario(model=MODELS, deadline=120)
def ten_thousand_datagrams_leave_nothing_behind(story, model):
    daemon = story.serve(listener("echo", "echo", UDP4, model),
                         log={"access": False})
    client = daemon.datagrams()
    for _ in range(300):
        client.ask(b"x")
    size = Size(daemon)
    for _ in range(ROUNDS):
        expect_equal(client.ask(b"y"), b"y", "reply")
    size.check(daemon)
    daemon.stop()
    expect_equal(daemon.totals().served, ROUNDS + 300, "served")


@scenario(model=MODELS, deadline=120)
def twenty_thousand_refused_clients_leave_nothing_behind(story, model):
    daemon = story.serve(listener("up", "uppercase", TCP4, model,
                                  deny=["127.0.0.3"]),
                         log={"access": False})
    requests(daemon.address(), 100)
    size = Size(daemon)
    for _ in range(REFUSED):
        with socket.socket() as sock:
            sock.bind(("127.0.0.3", 0))
            sock.settimeout(10)
            sock.connect(daemon.address().sockaddr)
            expect_equal(sock.recv(10), b"", "refused")
    size.check(daemon)
    requests(daemon.address(), 1)
    daemon.stop()
    expect_equal(daemon.totals().reasons, {"access": REFUSED}, "reasons")


@scenario(model=(THREADED, FORKING, EVENT2, URING), deadline=90)
def clients_that_come_and_go_leave_nothing_behind(story, model):
    daemon = story.serve(listener("echo", "echo", TCP4, model),
                         log={"access": False})
    for number in range(5):
        clients = [daemon.dial().send("x") for _ in range(200)]
        for client in clients:
            client.expect("x")
        for client in clients:
            client.close()
        eventually("%r are at rest" % daemon.tree(),
                   lambda: is_at_rest(daemon, model), 10)
        if number == 0:
            size = Size(daemon)
    size.check(daemon)


def is_at_rest(daemon, model):
    if model is FORKING:
        # Some children may be kept for the next request.
        return not any(one.is_zombie for one in daemon.tree())
    held = proc.descriptors(daemon.services()[0]).values()
    return sum(what.startswith("socket:") for what in held) < 20


@scenario(model=MODELS, deadline=90)
def starts_and_stops_leave_nothing_behind(story, model):
    for _ in range(10):
        daemon = story.serve(listener("echo", "echo", TCP4, model))
        daemon.dial().send("x").expect("x")
        daemon.stop()


@scenario(model=MODELS, deadline=90)
def ten_crashes_in_a_row_are_survived(story, model):
    daemon = story.serve(listener("r", "rude", TCP4, model,
                                  restart={"initial": 0.01, "maximum": 0.05}),
                         env={"ASAN_OPTIONS": "handle_abort=0",
                              "TSAN_OPTIONS": "handle_abort=0"})
    daemon.may_crash = True
    for _ in range(10):
        daemon.dial().send("abort\n").ending()
    daemon.log.wait("SIGABRT", count=10)
    client = daemon.dial().send("pid\n")
    client.line()
