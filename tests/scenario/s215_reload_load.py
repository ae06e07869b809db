# SPDX-License-Identifier: ISC
"""Reloads under load: nobody is refused, reset, or answered wrongly, and no
datagram is lost. RELOADS says how many (500 for the long run); the supervisor
is killed in the midst of some."""

import os
import signal
import socket
import struct
import sys
import threading
import time

import control
import proc
from peers import TCP4, UDP4, UNIX, UNIXGRAM
from scenario import (EVENT2, FORKING, POOL, PREFORK1, PREFORK2, SYNC,
                      THREADED, URING, Model, listener, scenario)
from until import Deadline, Failure, eventually, expect, expect_equal, seconds

RELOADS = int(os.environ.get("RELOADS", "60"))
REQUESTS = 200 if RELOADS >= 500 else 20        # at least, between two
WAIT = 30
HELD = 0.05                     # seconds that a connection is held
POOL2 = Model("pool2", "threaded", workers=2)
PREFORK3 = Model("prefork3", "prefork", 3, workers=3)
CYCLE = (THREADED, PREFORK2, SYNC, POOL, EVENT2, FORKING, URING, PREFORK3,
         POOL2, PREFORK1)
TRANSPORTS = {"t": TCP4, "s": UNIX, "u": UDP4, "g": UNIXGRAM}


class Client:
    """A thread that asks again and again, and notes what goes wrong."""

    def __init__(self, load, address):
        self.load, self.address = load, address
        self.served = 0         # connections or datagrams
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.load.is_over.is_set():
            text = b"%d %s\n" % (self.served, b"x" * (self.served * 97 % 3000))
            try:
                self.once(text)
            except OSError as error:
                self.load.failures.append("%s: %s: %s" % (
                    type(self).__name__, self.address, error))
            else:
                self.served += 1

    # Blocking, with the kernel's own deadlines: a Unix socket that does not
    # block is told EAGAIN when the queue is full.
    def open(self, kind):
        sock = socket.socket(self.address.family, kind)
        limit = struct.pack("ll", int(seconds(WAIT)), 0)
        for option in socket.SO_RCVTIMEO, socket.SO_SNDTIMEO:
            sock.setsockopt(socket.SOL_SOCKET, option, limit)
        return sock

    def check(self, got, wanted):
        if got != wanted:
            raise OSError("%d bytes %r instead of %d" % (
                len(got), got[:20], len(wanted)))


class Stream(Client):
    """A connection for each question."""

    def once(self, text):
        with self.open(socket.SOCK_STREAM) as sock:
            sock.connect(self.address.sockaddr)
            sock.sendall(text)
            sock.shutdown(socket.SHUT_WR)
            self.check(self.rest(sock), text)

    def rest(self, sock):
        got = b""
        while data := sock.recv(65536):
            got += data
        return got


class Holder(Stream):
    """A connection that is held for a while, between two questions."""

    def once(self, text):
        with self.open(socket.SOCK_STREAM) as sock:
            sock.connect(self.address.sockaddr)
            sock.sendall(b"first\n")
            self.check(sock.recv(6, socket.MSG_WAITALL), b"first\n")
            self.load.is_over.wait(HELD)
            sock.sendall(text)
            sock.shutdown(socket.SHUT_WR)
            self.check(self.rest(sock), text)


class Datagrams(Client):
    """One that is lost is a failure, too."""

    def run(self):
        with self.open(socket.SOCK_DGRAM) as self.sock:
            if self.address.family == socket.AF_UNIX:
                path = "%s.%d.client" % (self.address.sockaddr, id(self))
                self.sock.bind(path)
                os.chmod(path, 0o777)
            self.sock.connect(self.address.sockaddr)
            super().run()

    def once(self, text):
        self.sock.send(text)
        self.check(self.sock.recv(65536), text)


class Load:
    """Used with `with`: the clients run until its end."""

    def __init__(self, daemon):
        self.failures = []
        self.is_over = threading.Event()
        self.clients = [kind(self, daemon.address(name)) for name, kind in (
            ("t", Stream), ("t", Stream), ("t", Holder), ("s", Stream),
            ("s", Stream), ("s", Holder), ("u", Datagrams),
            ("u", Datagrams), ("g", Datagrams))]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.is_over.set()
        for client in self.clients:
            client.thread.join(seconds(WAIT) + 10)

    def count(self):
        return sum(client.served for client in self.clients)

    def served(self, name):
        """By the transport of a listener."""
        address = TRANSPORTS[name].pattern.split(":")[0]
        return sum(client.served for client in self.clients
                   if client.address.scheme == address)

    def goes_on(self, more):
        """So many more are served, and every client is among them: none of
        them is held over several reloads."""
        total = self.count() + more
        each = [client.served for client in self.clients]
        deadline = Deadline(WAIT)
        while self.count() < total or any(
                client.served == before
                for client, before in zip(self.clients, each)):
            self.check()
            if deadline.passed():
                raise Failure("a client still waits: %r, then %r" % (
                    each, [client.served for client in self.clients]))
            self.is_over.wait(0.002)

    def check(self):
        expect(not self.failures, "%d failures, such as %r",
               len(self.failures), self.failures[:3])


def rows(number):
    """Another model, other options, now and then another number of
    processes."""
    model = CYCLE[number % len(CYCLE)]
    mode = ("stream", "line")[number // 2 % 2]
    return [listener(name, "echo", transport, model, {"mode": mode},
                     timeout=60 + number % 3)
            for name, transport in TRANSPORTS.items()]


@scenario(deadline=60 + 2 * RELOADS)
def reloads_under_load_lose_nothing(story):
    daemon = story.serve(*rows(0), log={"access": False})
    sockets = proc.bound_sockets(daemon.pid)
    start = time.monotonic()
    with Load(daemon) as load:
        for number in range(1, RELOADS + 1):
            daemon.rewrite(*rows(number))
            expect_equal(set(daemon.reload().values()), {"generation"},
                         "actions")
            load.goes_on(REQUESTS)
    load.check()
    expect(not any(client.thread.is_alive() for client in load.clients),
           "a client still waits")
    print("# %d reloads, %d requests, %d failures in %.0f s" % (
        RELOADS, load.count(), len(load.failures), time.monotonic() - start),
        file=sys.stderr, flush=True)
    expect_equal(proc.bound_sockets(daemon.pid), sockets, "the sockets")
    eventually("no older generation is left", lambda: not any(
        one["draining"] for one in daemon.told("status")["listeners"]), 10)
    daemon.stop()
    for name in TRANSPORTS:
        totals = daemon.totals(name)
        expect_equal((totals.served, totals.errors, totals.refused),
                     (load.served(name), 0, 0), "served of " + name)


@scenario(deadline=120)
def addresses_that_move_under_load_lose_nothing(story):
    """From one listener to another and back, whatever the two are."""
    def row(name, model, *names):
        own = {"b": ["tcp://127.0.0.2:0"]}.get(name, [])
        return listener(name, "echo", own + [
            TRANSPORTS[one].listen(story.directory, "moving")
            for one in names], model)
    daemon = story.serve(row("a", THREADED, "t", "s", "u", "g"),
                         row("b", SYNC))
    places = dict(zip("tsug", daemon.addresses("a")))
    daemon.address = places.get
    sockets = proc.bound_sockets(daemon.pid)
    with Load(daemon) as load:
        for number in range(RELOADS // 3):
            first, second = CYCLE[number % 7], CYCLE[number % 5]
            daemon.rewrite(row("a", first, "u"),
                           row("b", second, "t", "s", "g"))
            daemon.reload()
            load.goes_on(REQUESTS)
            daemon.rewrite(row("a", second, "t", "s", "u", "g"),
                           row("b", first))
            daemon.reload()
            load.goes_on(REQUESTS)
        daemon.rewrite(row("a", THREADED, "t", "s", "u", "g"), row("b", SYNC))
        daemon.reload()
    load.check()
    expect_equal(proc.bound_sockets(daemon.pid), sockets, "the sockets")


# The supervisor dies

@scenario(step=range(12))
def a_supervisor_that_is_killed_leaves_nothing(story, step):
    """Some milliseconds into a reload that changes everything."""
    def some(model, *names):
        return [listener(name, "echo", "%s:%s" % (scheme, story.path(
            name + ".kept")), model) for name, scheme in names]
    top = {"control": {"socket": story.path("control")}}
    old = some(PREFORK2, ("s", "unix"), ("g", "unixgram"), ("old", "unix"))
    new = some(FORKING, ("s", "unix"), ("g", "unixgram"), ("new", "unix"))
    daemon = story.serve(*old, top=top)
    daemon.may_crash, daemon.control_socket = True, story.path("control")
    daemon.rewrite(*new)
    family = [one.pid for one in daemon.tree()]
    with control.Client(daemon.control_socket) as client:
        client.send(b"reload\n")
        threading.Event().wait(step * 0.005)
        family += [one.pid for one in daemon.tree()]
        daemon.signal(signal.SIGKILL)
        expect_equal(daemon.wait_exit(), -signal.SIGKILL, "exit status")
    proc.wait_gone(family, 10, "alive after the supervisor")
    eventually(lambda: "left: %r" % proc.ours(), lambda: not proc.ours(), 10)
    again = story.serve(*new, top=top)
    again.control_socket = daemon.control_socket
    for name in "s", "new":
        again.dial(name).send("x").half_close().expect("x").expect_end()
    again.datagrams("g").send("x").expect("x")
