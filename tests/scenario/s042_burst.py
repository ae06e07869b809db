# SPDX-License-Identifier: ISC
"""More come at once than there are places."""

import os
import select
import signal

import proc
from peers import TCP4, UNIX
from scenario import (EVENT1, EVENTS, FORKING, THREADED, URING, URING2, Model,
                      listener, scenario)
from until import eventually, expect, expect_equal

BEYOND = 100
# Each process has the kernel accept for it, from a socket of its own.
OWN = Model("own", "event", 2, workers=2, io="io_uring", reuse_port=True)
MODELS = (THREADED, FORKING) + EVENTS + (URING2,)


def places(model):
    """Where the kernel runs ahead it is for those who have many."""
    return 600 if model.concurrency == "event" else 100


def row(handler, model, transport=TCP4, **keys):
    return listener("e", handler, transport, model,
                    max_connections=places(model), **keys)


def burst(daemon, model, text, before=lambda clients: None):
    """All are there when the processes begin to take."""
    held = daemon.services()
    for pid in held:
        proc.stop(pid)
    clients = [daemon.dial().send(text) for _ in range(places(model) + BEYOND)]
    before(clients)
    for pid in held:
        os.kill(pid, signal.SIGCONT)
    return clients


def spoken_to(clients):
    return select.select([client.sock for client in clients], [], [], 0)[0]


def inside(clients, count):
    """Those that got a place."""
    eventually("all places are taken",
               lambda: len(spoken_to(clients)) >= count, 10)
    served = spoken_to(clients)
    return ([client for client in clients if client.sock in served],
            [client for client in clients if client.sock not in served])


@scenario(model=MODELS, transport=(TCP4, UNIX))
def a_burst_waits_for_places(story, model, transport):
    waits_for_places(story, model, transport)


@scenario
def a_burst_on_sockets_of_their_own_waits_for_places(story):
    waits_for_places(story, OWN, TCP4)


def waits_for_places(story, model, transport):
    daemon = story.serve(row("echo", model, transport))
    served, waiting = inside(burst(daemon, model, "x"), places(model))
    expect_equal(len(served), places(model), "served at once")
    waiting[0].expect_silence(0.05)
    expect_equal(daemon.told("show e")["active"], places(model), "active")
    for client in served:
        client.expect("x").close()
    for client in waiting:
        client.expect("x").close()
    daemon.stop()
    expect_equal(daemon.totals().served, places(model) + BEYOND, "served")
    expect_equal(daemon.totals().refused, 0, "refused")


def has_answer(client):
    try:
        return client.sock.recv(1) == b"x"
    except ConnectionResetError:
        return False


@scenario(model=MODELS, when_full=("refuse", "reset"))
def a_burst_is_refused_beyond_the_places(story, model, when_full):
    daemon = story.serve(row("echo", model, when_full=when_full))
    clients = burst(daemon, model, "x")
    expect_equal(sum(has_answer(client) for client in clients),
                 places(model), "answered")
    daemon.stop()
    expect_equal(daemon.totals().reasons,
                 {"max_connections": BEYOND}, "reasons")


@scenario(model=MODELS)
def a_burst_sheds_its_own(story, model):
    daemon = story.serve(row("echo", model, when_full="shed_idle"))
    for client in burst(daemon, model, "x"):
        client.expect("x")
    daemon.stop()
    expect_equal(daemon.totals().reasons, {"shed_idle": BEYOND}, "reasons")


@scenario(model=MODELS, end=("reload", "stop"))
def who_waits_for_a_place_outlives_the_generation(story, model, end):
    daemon = story.serve(story.prepare(row("patient", model)))
    served, waiting = inside(burst(daemon, model, "?\n"),
                             places(model))
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
        answer = client.rest()
        expect(answer in (b"serving\n", b"draining\n"), "got %r", answer)
    if end == "stop":
        daemon.finish()


@scenario(model=MODELS)
def a_burst_that_comes_with_the_stop_is_served(story, model):
    """It ends while the process learns that it is to end, too."""
    def stop(clients):
        for client in clients:
            client.half_close()
        daemon.signal(signal.SIGTERM)
        daemon.log.wait("stopping")
    daemon = story.serve(row("echo", model))
    clients = burst(daemon, model, "x", stop)
    for client in clients:
        client.expect("x").expect_end()
    daemon.finish()
    expect_equal(daemon.totals().served, len(clients), "served")


@scenario(model=(EVENT1, URING))
def who_comes_while_accepting_changes_over_is_served(story, model):
    """From the kernel's to the process's own: its 512th last place is taken, and
    the same turn lasts."""
    daemon = story.serve(story.prepare(row("busy", model)))
    for _ in range(places(model) - 512):
        daemon.dial()
    eventually("they are inside", lambda: daemon.told("show e")["active"] ==
               places(model) - 512, 10)
    service, = daemon.services()
    proc.stop(service)
    first = daemon.dial().send("1\n")
    second = daemon.dial().send("500\n")
    os.kill(service, signal.SIGCONT)
    first.take(1)
    third = daemon.dial().send("1\n")
    third.take(1)
    second.take(1)
