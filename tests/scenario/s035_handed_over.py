# SPDX-License-Identifier: ISC
"""Sockets that a service manager hands over by name: fd:NAME."""

import os
import socket

import proc
from peers import Address
from scenario import MODELS, listener, scenario
from until import expect, expect_equal


class Handed:
    """A bound socket, of a kind, that the daemon finds as descriptor 3."""

    def __init__(self, name, family, kind, scheme, handler):
        self.name, self.family, self.kind = name, family, kind
        self.scheme, self.handler = scheme, handler

    def __str__(self):
        return self.name

    def bind(self, story):
        sock = socket.socket(self.family, self.kind)
        if self.family == socket.AF_UNIX:
            place = story.path("handed.kept")
            self.address = Address("%s:%s" % (self.scheme, place))
        else:
            place = ("127.0.0.1", 0)
        sock.bind(place)
        if self.family == socket.AF_UNIX:
            os.chmod(place, 0o777)
        else:
            self.address = Address("%s://127.0.0.1:%d" % (
                self.scheme, sock.getsockname()[1]))
        if self.kind == socket.SOCK_STREAM:
            sock.listen(16)
        return sock


KINDS = (
    Handed("tcp", socket.AF_INET, socket.SOCK_STREAM, "tcp", "echo"),
    Handed("udp", socket.AF_INET, socket.SOCK_DGRAM, "udp", "echo"),
    Handed("unix", socket.AF_UNIX, socket.SOCK_STREAM, "unix", "echo"),
    Handed("unixgram", socket.AF_UNIX, socket.SOCK_DGRAM, "unixgram", "echo"),
)


def handing(sock):
    number = sock.fileno()

    def prepare():
        if number == 3:
            os.set_inheritable(3, True)
        else:
            os.dup2(number, 3)
    return prepare


def serve(story, sock, row, names="web"):
    return story.serve(row, env={"LISTEN_FDS": "1", "LISTEN_FDNAMES": names},
                       prepare=handing(sock), close_fds=False)


@scenario(kind=KINDS, model=MODELS)
def a_socket_that_was_handed_over_is_served(story, kind, model):
    with kind.bind(story) as sock:
        daemon = serve(story, sock, listener("h", kind.handler, "fd:web",
                                             model))
        for _ in range(2):
            if kind.address.is_stream:
                client = daemon.dial(kind.address).send("x").expect("x")
                client.half_close().expect_end()
                client.close()
            else:
                client = daemon.datagrams(kind.address)
                expect_equal(client.ask(b"x"), b"x", "reply")
        daemon.close_clients()
        daemon.signal(15)
        daemon.finish()
        # It is the manager's: its file is still there.
        if kind.family == socket.AF_UNIX:
            expect(os.path.exists(kind.address.sockaddr), "the file is gone")


@scenario
def a_name_that_was_not_handed_over_is_said(story):
    conf = story.configure(listener("h", "echo", "fd:web"))
    done = story.run("-c", conf)
    expect_equal(done.returncode, 71, "exit status; " + done.stderr)
    expect("web" in done.stderr, "%r", done.stderr)


@scenario
def a_socket_that_nobody_wants_is_closed(story):
    kind = KINDS[0]
    with kind.bind(story) as sock:
        daemon = serve(story, sock, listener("i", "inspect"), "other")
        inode = os.fstat(sock.fileno()).st_ino
        held = "socket:[%d]" % inode
        for pid in [daemon.pid] + daemon.services():
            expect(held not in proc.descriptors(pid).values(),
                   "process %d holds it", pid)
