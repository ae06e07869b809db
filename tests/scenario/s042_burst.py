# SPDX-License-Identifier: ISC
"""More come at once than there are places."""

import os
import select
import signal

import proc
from peers import TCP4, UNIX
from scenario import (EVENTS, FORKING, THREADED, URING2, Model, listener,
                      scenario)
from until import eventually, expect_equal

PLACES = 100
CROWD = 200
# Each process has the kernel accept for it, from a socket of its own.
OWN = Model("own", "event", 2, workers=2, io="io_uring", reuse_port=True)
MODELS = (THREADED, FORKING) + EVENTS + (URING2,)


def row(handler, model, transport=TCP4, **keys):
    return listener("e", handler, transport, model, max_connections=PLACES,
                    **keys)


def burst(daemon, text):
    """All are there when the processes begin to take."""
    held = daemon.services()
    for pid in held:
        proc.stop(pid)
    clients = [daemon.dial().send(text) for _ in range(CROWD)]
    for pid in held:
        os.kill(pid, signal.SIGCONT)
    return clients


def spoken_to(clients):
    return select.select([client.sock for client in clients], [], [], 0)[0]


def inside(clients):
    """Those that got a place."""
    eventually("all places are taken",
               lambda: len(spoken_to(clients)) >= PLACES, 10)
    served = spoken_to(clients)
    return ([client for client in clients if client.sock in served],
            [client for client in clients if client.sock not in served])


@scenario(model=MODELS + (OWN,), transport=(TCP4, UNIX))
def a_burst_waits_for_places(story, model, transport):
    if model is OWN and transport is UNIX:
        return                          # reuse_port is for tcp: and udp:
    daemon = story.serve(row("echo", model, transport))
    served, waiting = inside(burst(daemon, "x"))
    expect_equal(len(served), PLACES, "served at once")
    waiting[0].expect_silence(0.05)
    expect_equal(daemon.told("show e")["active"], PLACES, "active")
    for client in served:
        client.expect("x").close()
    for client in waiting:
        client.expect("x").close()
    daemon.stop()
    expect_equal(daemon.totals().served, CROWD, "served")
    expect_equal(daemon.totals().refused, 0, "refused")


def has_answer(client):
    try:
        return client.sock.recv(1) == b"x"
    except ConnectionResetError:
        return False


@scenario(model=MODELS, when_full=("refuse", "reset"))
def a_burst_is_refused_beyond_the_places(story, model, when_full):
    daemon = story.serve(row("echo", model, when_full=when_full))
    clients = burst(daemon, "x")
    expect_equal(sum(has_answer(client) for client in clients), PLACES,
                 "answered")
    daemon.stop()
    expect_equal(daemon.totals().reasons,
                 {"max_connections": CROWD - PLACES}, "reasons")


@scenario(model=MODELS)
def a_burst_sheds_its_own(story, model):
    daemon = story.serve(row("echo", model, when_full="shed_idle"))
    for client in burst(daemon, "x"):
        client.expect("x")
    daemon.stop()
    expect_equal(daemon.totals().reasons, {"shed_idle": CROWD - PLACES},
                 "reasons")


@scenario(model=MODELS, end=("reload", "stop"))
def who_waits_for_a_place_outlives_the_generation(story, model, end):
    daemon = story.serve(story.prepare(row("patient", model)))
    served, waiting = inside(burst(daemon, "?\n"))
    if end == "reload":
        daemon.rewrite(story.prepare(row("patient", model, timeout=61)))
        expect_equal(daemon.reload(), {"e": "generation"}, "actions")
    else:
        daemon.signal(signal.SIGTERM)
        daemon.log.wait("stopping")
    for client in served:
        client.expect("hello\nserving\n").half_close().expect_end()
    for client in waiting:
        client.half_close().take(len("hello\n"))
        expect_equal(client.rest() in (b"serving\n", b"draining\n"), True,
                     "answered")
    if end == "stop":
        daemon.finish()
