# SPDX-License-Identifier: ISC
"""socketserver-bench under test, and servers of the test's own that answer as
a story likes."""

import json
import os
import socket
import subprocess
import threading

from ctl import environment, expect_exit
from daemon import BUILD
from peers import Address
from until import Failure, expect, expect_equal, seconds

BENCH = os.path.join(BUILD, "socketserver-bench")
SHORT = ("--no-probe", "--warmup", "0")


def run(*words, within=30, prepare=None):
    """Run socketserver-bench to its end."""
    try:
        done = subprocess.run(
            [BENCH, *words], env=environment(), stdin=subprocess.DEVNULL,
            cwd="/", timeout=seconds(within), capture_output=True,
            preexec_fn=prepare)
    except subprocess.TimeoutExpired as error:
        raise Failure("socketserver-bench %s has not ended: %r, %r"
                      % (" ".join(words), error.stdout, error.stderr))
    for stream in done.stdout, done.stderr:
        expect(b"Sanitizer" not in stream, "%r", stream)
    return done


def measure(workload, address, *options, status=0, probe=False):
    """What a short run finds, as it says in JSON."""
    short = SHORT[1:] if probe else SHORT
    done = run("--json", *short, *options, workload, str(address))
    expect_exit(done, status)
    expect_equal(done.stdout.count(b"\n"), 1, "lines of JSON")
    return json.loads(done.stdout)


class Server:
    """answer(socket, peer) for each connection, or answer(data) for each
    datagram: what comes back, or None."""

    def __init__(self, transport, story, answer, name="bad"):
        address = Address(transport.listen(story.directory, name))
        kind = socket.SOCK_STREAM if address.is_stream else socket.SOCK_DGRAM
        self.sock = socket.socket(address.family, kind)
        self.sock.bind(address.sockaddr)
        self.answer = answer
        self.address = address.text
        if address.family != socket.AF_UNIX:
            host, port = self.sock.getsockname()[:2]
            self.address = "%s://%s:%d" % (address.scheme, host, port)
        if address.is_stream:
            self.sock.listen(128)
        threading.Thread(
            target=self.accept if address.is_stream else self.datagrams,
            daemon=True).start()

    def accept(self):
        while True:
            peer, _ = self.sock.accept()
            threading.Thread(target=self.serve, args=(peer,),
                             daemon=True).start()

    def serve(self, peer):
        try:
            with peer:
                self.answer(peer)
        except OSError:
            pass                # the client has gone

    def datagrams(self):
        while True:
            data, source = self.sock.recvfrom(65536)
            answer = self.answer(data)
            if answer is not None:
                self.sock.sendto(answer, source)
