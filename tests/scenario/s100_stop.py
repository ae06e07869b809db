# SPDX-License-Identifier: ISC
"""The end: drained, forced, or torn out; nothing is left in any case."""

import os
import random
import signal
import socket
import time

import peers
import proc
from peers import STREAMS, TCP4, UDP4, Stream
from scenario import (FORKING, MODELS, PREFORK1, SYNC, THREADED, WIDE, Skip,
                      listener, scenario)
from until import SCALE, eventually, expect, expect_equal


def patient(model, transport=TCP4, **keys):
    return listener("p", "patient", transport, model, **keys)


def gone_port(address):
    eventually("%s refuses" % address, lambda: peers.is_refused(address), 1)


@scenario(model=MODELS, transport=STREAMS)
def a_drain_lets_a_running_request_finish(story, model, transport):
    daemon = story.serve(patient(model, transport))
    address = daemon.address()
    client = daemon.dial().expect("hello\n").send("until-drain\n")
    client.expect_silence(0.03)
    daemon.signal(signal.SIGTERM)
    client.expect("draining\n")
    gone_port(address)
    client.send("and on\n").expect("draining\n")
    client.send("sleep 50\n").expect("ok\n").half_close().expect_end()
    daemon.finish([address])
    # Probes of the port may have been served, too.
    expect(daemon.totals().served >= 1, "served")
    expect("STOPPING=1" in daemon.notified, "no STOPPING=1: %r",
           daemon.notified)


@scenario(model=MODELS, number=(signal.SIGTERM, signal.SIGINT))
def a_second_signal_ends_at_once(story, model, number):
    daemon = story.serve(patient(model), top={"drain_timeout": 30})
    daemon.cuts_short = daemon.may_crash = True     # killed, in fact
    client = daemon.dial().expect("hello\n").send("until-drain\n")
    daemon.signal(number)
    client.expect("draining\n")
    start = time.monotonic()
    daemon.signal(number)
    daemon.finish()
    expect(time.monotonic() - start < 2 * SCALE, "it took too long")
    expect_equal(daemon.totals().cut_short, 1, "cut short")


@scenario(model=MODELS)
def the_deadline_cancels_idle_waits(story, model):
    daemon = story.serve(patient(model), top={"drain_timeout": 0.4})
    daemon.cuts_short = True
    client = daemon.dial().expect("hello\n").send("read\n")
    client.expect_silence(0.03)
    start = time.monotonic()
    daemon.signal(signal.SIGTERM)
    client.rest_or_reset()
    daemon.log.wait("read: ECANCELED")
    daemon.finish()
    span = time.monotonic() - start
    expect(0.35 <= span < 3 * SCALE, "it took %.2f s", span)
    expect_equal(daemon.totals().cut_short, 1, "cut short")


@scenario(model=MODELS)
def the_deadline_cancels_sleeps(story, model):
    daemon = story.serve(patient(model), top={"drain_timeout": 0.3})
    daemon.cuts_short = True
    daemon.dial().expect("hello\n").send("sleep 60000\n").expect_silence(0.03)
    daemon.signal(signal.SIGTERM)
    daemon.log.wait("sleep: ECANCELED")
    daemon.finish()


@scenario(model=MODELS)
def a_drain_timeout_of_0_does_not_wait(story, model):
    daemon = story.serve(patient(model), top={"drain_timeout": 0})
    daemon.cuts_short = True
    daemon.dial().expect("hello\n")
    start = time.monotonic()
    daemon.signal(signal.SIGTERM)
    daemon.finish()
    span = time.monotonic() - start
    expect(span < 2 * SCALE, "it took %.2f s", span)


@scenario(model=MODELS)
def a_listener_has_its_own_drain_timeout(story, model):
    daemon = story.serve(patient(model, drain_timeout="300ms"),
                         top={"drain_timeout": 30})
    daemon.cuts_short = True
    daemon.dial().expect("hello\n")
    daemon.signal(signal.SIGTERM)
    daemon.finish()


@scenario(model=(SYNC, PREFORK1))
def what_is_queued_at_the_stop_is_served(story, model):
    daemon = story.serve(patient(model))
    first = daemon.dial().expect("hello\n")
    queued = [daemon.dial().send("ask\n").half_close() for _ in range(5)]
    daemon.signal(signal.SIGTERM)
    first.send("until-drain\n").expect("draining\n")
    first.half_close().expect_end()
    for client in queued:
        client.expect("hello\ndraining\n").expect_end()
    daemon.finish()
    expect_equal(daemon.totals().served, 6, "served")


@scenario(model=MODELS)
def queued_datagrams_are_answered_at_the_stop(story, model):
    daemon = story.serve(listener("echo", "echo", UDP4, model))
    clients = [daemon.datagrams() for _ in range(20)]
    for client in clients:
        client.send("x")
    daemon.signal(signal.SIGTERM)
    for client in clients:
        client.expect("x")
    daemon.finish()


@scenario(model=MODELS)
def an_idle_daemon_stops_at_once(story, model):
    daemon = story.serve(patient(model), top={"drain_timeout": 30})
    start = time.monotonic()
    daemon.signal(signal.SIGTERM)
    daemon.finish()
    span = time.monotonic() - start
    expect(span < 1.5 * SCALE, "it took %.2f s", span)


# The supervisor is killed

class Way:
    """Which mechanism is left to end the orphans."""

    def __init__(self, name, handler, keeps_channel):
        self.name, self.handler = name, handler
        self.keeps_channel = keeps_channel

    def __str__(self):
        return self.name


WAYS = (Way("both", "echo", False),
        Way("channel", "clings", False),
        Way("parent-death", "echo", True))


@scenario(model=MODELS, way=WAYS)
def everybody_dies_with_the_supervisor(story, model, way):
    daemon = story.serve(listener("e", way.handler, TCP4, model),
                         listener("u", "echo", UDP4, model))
    address = daemon.address("e")
    client = daemon.dial("e").send("x").expect("x")
    if model in WIDE:
        daemon.dial("e").send("x").expect("x")
    daemon.dial("e")
    stolen = keep_channels(daemon) if way.keeps_channel else []
    family = [one.pid for one in daemon.tree()]
    daemon.signal(signal.SIGKILL)
    expect_equal(daemon.wait_exit(), -signal.SIGKILL, "exit status")
    proc.wait_gone(family, 1, "alive a second after the supervisor")
    expect(not proc.ours(), "left: %r", proc.ours())
    gone_port(address)
    client.rest_or_reset()
    for fd in stolen:
        os.close(fd)


def keep_channels(daemon):
    """Hold the supervisor's ends of all channels open: no service sees an
    end of file when it dies."""
    taken = []
    for number, what in proc.descriptors(daemon.pid).items():
        if not what.startswith("socket:"):
            continue
        try:
            fd = proc.take_descriptor(daemon.pid, number)
        except OSError as error:
            raise Skip("pidfd_getfd: %s" % error)
        with socket.socket(fileno=os.dup(fd)) as sock:
            is_channel = sock.type == socket.SOCK_SEQPACKET
        if is_channel:
            taken.append(fd)
        else:
            os.close(fd)
    expect(taken, "the supervisor has no channel")
    return taken


@scenario
def everybody_dies_with_a_supervisor_that_was_starting(story):
    path = story.write("mood", "wait")
    daemon = story.launch(listener("m", "moody", TCP4, THREADED,
                                   {"mood": path}))
    daemon.wait_services(1)
    family = [one.pid for one in daemon.tree()]
    daemon.signal(signal.SIGKILL)
    daemon.wait_exit()
    proc.wait_gone(family, 1, "alive a second after the supervisor")


# Early and odd moments

@scenario(rounds=tuple(range(5)), deadline=60)
def a_term_at_any_moment_after_the_start_stops_it(story, rounds):
    """PY-14: no stop is lost, however early."""
    choice = random.Random(rounds)
    for number in range(10):
        daemon = story.launch(listener("e", "echo", TCP4, THREADED),
                              listener("f", "echo", UDP4, FORKING))
        # Until the first instruction of main a TERM kills, as it must.
        eventually("signals are blocked", lambda: is_deaf(daemon.pid), 5)
        span = choice.uniform(0, 0.05)
        until = time.monotonic() + span
        while time.monotonic() < until:
            pass
        daemon.signal(signal.SIGTERM)
        expect_equal(daemon.wait_exit(), 0, "exit status in round %d, after"
                     " %g s:\n%s" % (number, span, daemon.shown()))
        daemon.check_nothing_left()
        daemon.check_texts()


def is_deaf(pid):
    """TERM is blocked in the process, or it has ended."""
    try:
        mask = int(proc.status(pid).get("SigBlk", "0"), 16)
        return bool(mask >> (signal.SIGTERM - 1) & 1)
    except (OSError, ValueError):
        return True


@scenario(model=MODELS)
def a_stop_under_load_loses_no_reply(story, model):
    """Every connection that was accepted gets its whole answer."""
    daemon = story.serve(listener("up", "uppercase", TCP4, model))
    address = daemon.address()
    clients = []
    for number in range(60):
        clients.append(Stream(address).send("request %d" % number))
        if number == 30:
            daemon.signal(signal.SIGTERM)
            break
    for number, client in enumerate(clients):
        client.expect("REQUEST %d" % number).expect_end()
        client.close()
    daemon.finish()
    expect_equal(daemon.totals().served, len(clients), "served")


@scenario
def status_is_told_to_the_service_manager(story):
    daemon = story.serve(listener("e", "echo"))
    daemon.wait_notified("STATUS=")
    daemon.stop()
    expect("STOPPING=1" in daemon.notified, "%r", daemon.notified)
    readies = [line for line in daemon.notified if line == "READY=1"]
    expect_equal(len(readies), 1, "READY lines")
