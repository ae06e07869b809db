#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""What a listener feels of one beside it that crashes again and again.

usage: BUILDDIR=build tests/bench/neighbour.py [ROUNDS [SECONDS]]

Rounds of the listener alone and of the listener beside the crash loop take
turns, so that what else the machine does falls on both. A request is a
connection, an echo and its orderly end.
"""

import os
import socket
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "lib"))
sys.dont_write_bytecode = True

import daemon as daemon_module  # noqa: E402
import proc  # noqa: E402
from peers import TCP4  # noqa: E402
from scenario import PREFORK2, THREADED, Story, listener  # noqa: E402

TEXT = b"how are you?"
PACE = 0.001                    # seconds between two requests
RESTART = {"initial": 0.1, "maximum": 1}


def request(place):
    """True: answered whole."""
    try:
        with socket.create_connection(place, 10) as sock:
            sock.sendall(TEXT)
            sock.shutdown(socket.SHUT_WR)
            got = b""
            while data := sock.recv(100):
                got += data
        return got == TEXT
    except OSError:
        return False


class Round:
    """Latencies in seconds, and how many requests failed."""

    def __init__(self):
        self.spans, self.failures = [], 0

    def run(self, place, span):
        end = time.monotonic() + span
        while (start := time.monotonic()) < end:
            if request(place):
                self.spans.append(time.monotonic() - start)
            else:
                self.failures += 1
            time.sleep(PACE)

    def at(self, share):
        """Microseconds at this share of all."""
        ordered = sorted(self.spans)
        return ordered[int(share * (len(ordered) - 1))] * 1e6

    def show(self, name):
        print("%-8s %6d requests, %d failures, p50 %5.0f us, p99 %5.0f us"
              % (name, len(self.spans), self.failures, self.at(0.5),
                 self.at(0.99)), flush=True)


class Crasher:
    """Clients of the other listener, each of whose requests kills it."""

    def __init__(self, place):
        self.place, self.is_over = place, threading.Event()
        self.threads = [threading.Thread(target=self.run) for _ in range(2)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()

    def __exit__(self, *_):
        self.is_over.set()
        for thread in self.threads:
            thread.join()

    def run(self):
        while not self.is_over.is_set():
            request(self.place)


def make_crash(story, name):
    """From now on its requests crash, or not."""
    story.write("mood.new", name)
    os.rename(story.path("mood.new"), story.path("mood"))


def measure(story, daemon, rounds, span):
    alone, beside = Round(), Round()
    calm, moody = (daemon.address(name).sockaddr for name in ("calm", "moody"))
    alone.run(calm, 1)
    alone = Round()
    for number in range(rounds):
        alone.run(calm, span)
        make_crash(story, "crash-in-handle")
        with Crasher(moody):
            beside.run(calm, span)
            make_crash(story, "")
        if number % 4 == 3:
            print("# %d of %d" % (number + 1, rounds), file=sys.stderr)
    alone.show("alone")
    beside.show("beside")
    restarts = daemon.told("show moody")["restarts"]
    print("ratio    p50 %.2f, p99 %.2f; %d crashes; failures %d" % (
        beside.at(0.5) / alone.at(0.5), beside.at(0.99) / alone.at(0.99),
        restarts, alone.failures + beside.failures))


def main(rounds=12, span=2):
    proc.become_subreaper()
    story = Story()
    os.environ["SCENARIO_FIXTURES"] = story.directory
    try:
        story.write("mood", "")
        daemon = story.serve(
            listener("calm", "echo", TCP4, THREADED),
            listener("moody", "moody", TCP4, PREFORK2,
                     {"mood": story.path("mood")}, restart=RESTART,
                     limits={"core": 0}),
            env=daemon_module.QUIET_ASAN, log={"access": False})
        daemon.may_crash = True
        measure(story, daemon, rounds, span)
        daemon.stop()
    finally:
        story.clear()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
