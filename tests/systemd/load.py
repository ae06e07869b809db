# SPDX-License-Identifier: ISC
"""A constant load on an echo: clients that connect, one connection after
another, and count what becomes of each."""

import os
import socket
import struct
import threading

from until import Failure, eventually, seconds

CLIENTS = 4
WAIT = 60
KINDS = ("good", "refused", "cut", "wrong")


def place_of(address):
    """The family and sockaddr of tcp://127.0.0.1:PORT or unix:PATH."""
    if address.startswith("unix:"):
        return socket.AF_UNIX, address[len("unix:"):]
    host, port = address[len("tcp://"):].rsplit(":", 1)
    return socket.AF_INET, (host, int(port))


class Load:
    """Used with `with`: the clients run until its end."""

    def __init__(self, address, clients=CLIENTS):
        self.address = address
        self.family, self.place = place_of(address)
        self.counts = dict.fromkeys(KINDS, 0)
        self.notes = []
        self.lock = threading.Lock()
        self.is_over = threading.Event()
        self.threads = [threading.Thread(target=self.client, daemon=True)
                        for _ in range(clients)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.is_over.set()
        for thread in self.threads:
            thread.join(seconds(WAIT))

    def client(self):
        number = 0
        while not self.is_over.is_set():
            number += 1
            text = b"%d %d" % (threading.get_ident(), number)
            kind, note = self.once(text)
            with self.lock:
                self.counts[kind] += 1
                if kind != "good":
                    self.notes.append(note)

    # A blocking socket with the kernel's own deadlines: one that does not
    # block is told EAGAIN by a Unix socket whose queue is full.
    def once(self, text):
        with socket.socket(self.family) as sock:
            limit = struct.pack("ll", int(seconds(WAIT)), 0)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
            try:
                sock.connect(self.place)
            except OSError as error:
                return "refused", "connect: %s" % error
            try:
                sock.sendall(text)
                sock.shutdown(socket.SHUT_WR)
                answer = b""
                while data := sock.recv(4096):
                    answer += data
            except OSError as error:
                return "cut", str(error)
        if answer == text:
            return "good", ""
        return ("cut" if text.startswith(answer) else "wrong",
                "answer %r to %r" % (answer, text))

    def good(self):
        with self.lock:
            return self.counts["good"]

    def goes_on(self, more=200):
        """Wait until so many more have been served."""
        wanted = self.good() + more
        eventually(lambda: "%s is served: %s" % (self.address, self),
                   lambda: self.good() >= wanted, WAIT)

    def __str__(self):
        return "%s: %s %s" % (self.address, self.counts, self.notes[:5])

    def expect_none(self, *kinds, but=0):
        """At the end: no connection (or at most so many) came to that."""
        if any(thread.is_alive() for thread in self.threads):
            raise Failure("a client still waits; %s" % self)
        if sum(self.counts[kind] for kind in kinds) > but:
            raise Failure(str(self))


def is_alive(pid):
    return os.path.exists("/proc/%d" % pid)
