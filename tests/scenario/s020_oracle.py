# SPDX-License-Identifier: ISC
"""The same client scripts against CPython's socketserver and against ours:
the bytes and the endings are the same."""

import socketserver
import tempfile
import threading

import peers
from peers import TCP4, UDP4, UNIX, UNIXGRAM
from scenario import MODELS, listener, scenario
from until import expect_equal


class Uppercase(socketserver.BaseRequestHandler):
    def handle(self):
        data = self.request.recv(1024).strip()
        self.request.sendall(data.upper())


class UppercaseDatagram(socketserver.BaseRequestHandler):
    def handle(self):
        data = self.request[0].strip()
        self.request[1].sendto(data.upper(), self.client_address)


class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while True:
            data = self.request.recv(1024)
            if not data:
                return
            self.request.sendall(data)


class EchoLines(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            self.wfile.write(line)


class EchoDatagram(socketserver.DatagramRequestHandler):
    def handle(self):
        self.wfile.write(self.rfile.read())


class Quiet:
    """CPython prints a traceback when a client is rude; not here."""

    def handle_error(self, request, client_address):
        pass


SERVERS = {
    "tcp": type("Tcp", (Quiet, socketserver.ThreadingTCPServer), {}),
    "udp": type("Udp", (Quiet, socketserver.ThreadingUDPServer), {
        "max_packet_size": 65535}),
    "unix": type("Unix", (Quiet, socketserver.ThreadingUnixStreamServer), {}),
    "unixgram": type("Unixgram", (
        Quiet, socketserver.ThreadingUnixDatagramServer), {
            "max_packet_size": 65535}),
}

# name of the handler, options, CPython's class; scripts are lists of steps.
PAIRS = {
    "uppercase": ("uppercase", None, Uppercase, [
        [b"hello world with TCP\n"], [b"python is nice\n"], [b" \t x \r\n"],
        [b"\x0b\x0cvt\x0b"], [b"nul \0 inside"], ["straße 请".encode()],
        [bytes(range(1, 256))], [b"a" * 1024], [b"\n"], [None], [b"q", None],
    ]),
    "echo": ("echo", None, Echo, [
        [b"Hello", None], [b"x" * 100000, None], [None], [b"\0\n\r", None],
        [b"a", b"b", b"c", None],
    ]),
    "echo-lines": ("echo", {"mode": "line"}, EchoLines, [
        [b"one\ntwo\n", None], [b"no newline", None], [b"\n\n\n", None],
        [b"half", b" line\nrest", None], [None],
    ]),
}
DATAGRAM_PAIRS = {
    "uppercase": ("uppercase", None, UppercaseDatagram),
    "echo": ("echo", None, EchoDatagram),
}
DATAGRAM_SCRIPT = [b"hello\n", b"", b" ", b"x" * 8192, b"\0\1\2", b"a" * 30000,
                   "é请\n".encode()]


def oracle(scheme, handler, directory):
    """CPython's server on an address of its own."""
    if scheme in ("tcp", "udp"):
        server = SERVERS[scheme](("127.0.0.1", 0), handler)
        text = "%s://127.0.0.1:%d" % (scheme, server.server_address[1])
    else:
        path = tempfile.mktemp(".oracle.kept", dir=directory)
        server = SERVERS[scheme](path, handler)
        text = "%s:%s" % (scheme, path)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.01,),
                     daemon=True).start()
    return server, peers.Address(text)


def perform(address, script):
    """What a script gets: bytes and the way it ends."""
    client = peers.Stream(address)
    try:
        for step in script:
            if step is None:
                client.half_close()
            else:
                client.send(step)
        return client.ending()
    finally:
        client.close()


@scenario(pair=tuple(PAIRS), model=MODELS, transport=(TCP4, UNIX))
def streams_are_served_as_by_cpython(story, pair, model, transport):
    handler, options, reference, scripts = PAIRS[pair]
    daemon = story.serve(listener("one", handler, transport, model, options))
    server, there = oracle(daemon.address().scheme, reference,
                           story.directory)
    for script in scripts:
        wanted = perform(there, script)
        got = perform(daemon.address(), script)
        expect_equal(got, wanted, "script %r" % (script,))
    server.shutdown()
    server.server_close()


@scenario(pair=tuple(DATAGRAM_PAIRS), model=MODELS, transport=(UDP4, UNIXGRAM))
def datagrams_are_served_as_by_cpython(story, pair, model, transport):
    handler, options, reference = DATAGRAM_PAIRS[pair]
    daemon = story.serve(listener("one", handler, transport, model, options))
    server, there = oracle(daemon.address().scheme, reference,
                           story.directory)
    ours, theirs = daemon.datagrams(), daemon.datagrams(there)
    for data in DATAGRAM_SCRIPT:
        expect_equal(ours.ask(data), theirs.ask(data), "reply to %r"
                     % data[:20])
    server.shutdown()
    server.server_close()


