# SPDX-License-Identifier: ISC
"""Deadlines. Nothing in the tests sleeps: what has an event waits for the
event, and what has none (a number under /proc) is looked at again until it
is as wanted or the deadline has passed."""

import os
import select
import time

# Sanitizers and valgrind slow the daemon down; SCENARIO_SCALE stretches every
# deadline by the same factor.
SCALE = float(os.environ.get("SCENARIO_SCALE", "1"))


class Failure(AssertionError):
    """A claim that does not hold."""


class Skip(Exception):
    """A claim that cannot be tried here; the text says why."""


def seconds(span):
    return span * SCALE


class Deadline:
    """A moment on the monotonic clock."""

    def __init__(self, span):
        self.at = time.monotonic() + seconds(span)

    def left(self):
        return max(0.0, self.at - time.monotonic())

    def passed(self):
        return self.left() == 0.0


def pause(span):
    """Wait without an event, at most span seconds: only to look again."""
    select.select([], [], [], span)


def eventually(claim, probe, within=5):
    """Look until probe() is true; its value. Fails with the claim's text."""
    deadline = Deadline(within)
    while True:
        value = probe()
        if value:
            return value
        if deadline.passed():
            if callable(claim):
                claim = claim()
            raise Failure("not within %g s: %s" % (seconds(within), claim))
        pause(0.01)


def stays(claim, probe, span):
    """probe() is true at every look during span seconds."""
    end = time.monotonic() + span
    while time.monotonic() < end:
        if not probe():
            raise Failure(claim() if callable(claim) else claim)
        pause(0.01)


def expect(condition, text, *arguments):
    if not condition:
        raise Failure(text % arguments if arguments else text)


def expect_equal(got, wanted, what="value"):
    if got != wanted:
        raise Failure("%s: got %r, wanted %r"
                      % (what, clip(got), clip(wanted)))


def clip(value):
    if isinstance(value, (bytes, str)) and len(value) > 400:
        return value[:200] + type(value)() + value[-100:]
    return value
