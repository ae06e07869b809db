# SPDX-License-Identifier: ISC
"""Clients that say nothing: a pool has workers for those who do."""

import os
import signal

import proc
from peers import TCP4, UNIX
from scenario import (FORKING, MODELS, POOL, PREFORK1, PREFORK2, SYNC, THREADED,
                      Model, listener, scenario)
from until import eventually, expect, expect_equal

POOLS = (SYNC, POOL, PREFORK1, PREFORK2)
SMALL_POOLS = (Model("pool2", "threaded", workers=2),
               Model("prefork2", "prefork", 2, workers=2))
LARGE_POOLS = (Model("pool64", "threaded", workers=64),
               Model("prefork64", "prefork", 64, workers=64))
CROWD = 200


def echo(transport, model, **keys):
    return listener("e", "echo", transport, model, **keys)


def crowd(daemon, count=CROWD):
    return [daemon.dial() for _ in range(count)]


def crowd_with_a_word(daemon):
    """Some are shed before all have come."""
    for _ in range(CROWD):
        daemon.dial().send("x")


def is_answered(daemon, times=5):
    for _ in range(times):
        daemon.dial().send("new").expect("new").close()


def active(daemon):
    return daemon.told("show e")["active"]


def without_worker(daemon):
    return [row for row in daemon.told("connections")
            if row["worker"] == "none"]


# Those that say nothing

@scenario(model=POOLS + LARGE_POOLS, transport=(TCP4, UNIX))
def silent_clients_hold_no_worker(story, model, transport):
    daemon = story.serve(echo(transport, model))
    silent = crowd(daemon)
    is_answered(daemon)
    eventually("all are active", lambda: active(daemon) == CROWD)
    for client in silent[::20]:
        client.send("at last").expect("at last").close()
    is_answered(daemon)


@scenario(model=POOLS, when_full=("refuse", "reset", "shed_idle"))
def silent_clients_hold_no_worker_however_full(story, model, when_full):
    daemon = story.serve(echo(TCP4, model, when_full=when_full))
    crowd(daemon)
    is_answered(daemon)


@scenario(model=POOLS, transport=(TCP4, UNIX))
def a_silent_client_times_out_without_a_worker(story, model, transport):
    daemon = story.serve(echo(transport, model, timeout=0.4))
    silent = crowd(daemon, 8)
    for client in silent:
        client.expect_end()
    daemon.log.wait(lambda r: r.get("result") == "timeout", count=8)
    for line in daemon.log.find(lambda r: r.get("result") == "timeout"):
        expect_equal(line["bytes_in"], "0", "bytes of %r" % line)
        expect(0.3 <= float(line["seconds"]) <= 5, "too early: %r", line)
    daemon.stop()
    expect_equal(daemon.totals().errors, 8, "errors")


@scenario(model=POOLS)
def the_time_of_a_silent_client_runs_from_its_beginning(story, model):
    daemon = story.serve(echo(TCP4, model, timeout=0, session_timeout=0.5))
    silent = crowd(daemon, 6)
    silent[0].send("x").expect("x")
    for client in silent:
        client.expect_end()
    daemon.log.wait(lambda r: r.get("result") == "timeout", count=6)


@scenario(model=POOLS)
def silent_clients_are_listed_and_can_be_killed(story, model):
    daemon = story.serve(echo(TCP4, model))
    silent = crowd(daemon, 8)
    eventually("all wait", lambda: len(without_worker(daemon)) == 8)
    rows = {row["peer"]: row["id"] for row in without_worker(daemon)}
    expect_equal(set(rows), {client.name for client in silent}, "peers")
    for client in silent[:4]:
        daemon.told("kill %d" % rows[client.name])
        client.expect_end()
    daemon.log.wait(lambda r: r.get("result") == "error", count=4)
    for client in silent[4:]:
        client.send("x").expect("x").close()


@scenario(model=POOLS, transport=(TCP4, UNIX))
def a_drain_waits_for_silent_clients(story, model, transport):
    daemon = story.serve(echo(transport, model, drain_timeout=30))
    silent = crowd(daemon, 10)
    eventually("all wait", lambda: len(without_worker(daemon)) == 10)
    daemon.signal(signal.SIGTERM)
    for client in silent:
        client.send("late").expect("late").half_close().expect_end()
    daemon.finish()
    expect_equal(daemon.totals().served, 10, "served")


@scenario(model=POOLS)
def at_the_drain_deadline_silent_clients_are_refused(story, model):
    daemon = story.serve(echo(TCP4, model, drain_timeout=0.3))
    silent = crowd(daemon, 10)
    eventually("all wait", lambda: len(without_worker(daemon)) == 10)
    daemon.signal(signal.SIGTERM)
    for client in silent:
        client.expect_end()
    daemon.finish()
    expect_equal(daemon.totals().reasons, {"draining": 10}, "reasons")


@scenario(model=POOLS)
def a_reload_keeps_silent_clients(story, model):
    daemon = story.serve(echo(TCP4, model))
    silent = crowd(daemon, 10)
    eventually("all wait", lambda: len(without_worker(daemon)) == 10)
    story.rewrite(daemon, echo(TCP4, model, timeout=50))
    daemon.reload()
    is_answered(daemon)
    for client in silent:
        client.send("still").expect("still").close()


@scenario(model=POOLS)
def beyond_max_connections_the_silent_have_to_wait(story, model):
    """One that has a place to wait in holds no worker; one more holds one."""
    daemon = story.serve(echo(TCP4, model, max_connections=8))
    silent = crowd(daemon, 8 - model.width)
    is_answered(daemon)
    more = crowd(daemon, model.width)
    eventually("full", lambda: active(daemon) == 8)
    waiting = daemon.dial().send("x").expect_silence(0.1)
    for client in silent + more:
        client.close()
    waiting.expect("x")


# From process to process

def prefork(workers, **keys):
    return Model("prefork", "prefork", workers, workers=workers, **keys)


def named_echo(transport, model, **keys):
    return echo(transport, model, options={"prefix": "worker"}, **keys)


def worker_of(client):
    return client.send("who\n").line().split(" ")[0]


@scenario(transport=(TCP4, UNIX), workers=(2, 5))
def a_silent_client_of_a_busy_process_is_served_by_another(story, transport,
                                                           workers):
    daemon = story.serve(named_echo(transport, prefork(workers)))
    daemon.wait_services(workers)
    silent = crowd(daemon, 40)
    eventually("all wait", lambda: len(without_worker(daemon)) == 40)
    busy = [daemon.dial() for _ in range(workers - 1)]
    holders = {worker_of(client) for client in busy}
    expect_equal(len(holders), workers - 1, "processes that are busy")
    for client in silent:
        expect(worker_of(client) not in holders, "two at a time in one")
        client.close()
    eventually("nobody else is active",
               lambda: active(daemon) == workers - 1)
    for client in busy:
        client.close()
    daemon.stop()
    expect_equal(daemon.totals().served, 40 + workers - 1, "served")


@scenario(transport=(TCP4, UNIX), workers=(1, 2))
def a_spent_process_leaves_its_silent_clients_to_others(story, transport,
                                                        workers):
    daemon = story.serve(named_echo(transport, prefork(workers,
                                                       max_requests=3)))
    silent = crowd(daemon, 20)
    eventually("all wait", lambda: len(without_worker(daemon)) == 20)
    seen = set()
    for client in silent:
        seen.add(worker_of(client))
        client.close()
    expect(len(seen) >= 4, "%r served", seen)
    daemon.stop()
    expect_equal(daemon.totals().served, 20, "served")


@scenario(workers=(1, 2))
def a_process_that_is_told_to_end_leaves_them_too(story, workers):
    """By somebody else than the supervisor; a pool that shrinks does it so."""
    daemon = story.serve(named_echo(TCP4, prefork(workers, restart={
        "initial": 0.05, "maximum": 1})))
    daemon.may_crash = True
    silent = crowd(daemon, 20)
    eventually("all wait", lambda: len(without_worker(daemon)) == 20)
    victim = daemon.services()[0]
    proc.kill(victim, signal.SIGTERM)
    eventually("replaced", lambda: len(daemon.services()) == workers
               and victim not in daemon.services(), 10)
    for client in silent:
        expect(worker_of(client) != "Process-%d:" % victim, "it is gone")
        client.close()
    daemon.stop()
    expect_equal(daemon.totals().served, 20, "served")


@scenario
def a_dead_process_takes_only_its_own_silent_clients_along(story):
    daemon = story.serve(named_echo(TCP4, prefork(2), restart={
        "initial": 0.05, "maximum": 1}))
    daemon.may_crash = True
    silent = crowd(daemon, 20)
    eventually("all wait", lambda: len(without_worker(daemon)) == 20)
    victim = daemon.services()[0]
    proc.kill(victim)
    daemon.log.wait("SIGKILL")
    left = eventually("the rest", lambda: without_worker(daemon) or None)
    names = {row["peer"] for row in left}
    for client in silent:
        if client.name in names:
            worker_of(client)
            client.close()
        else:
            client.ending()
    daemon.stop()
    totals = daemon.totals()
    expect_equal(totals.served, len(names), "served")
    expect_equal(totals.errors, 20 - len(names), "lost")


# Those that have said one word and stay: when_full = "shed_idle"

def shed(model, transport=TCP4, most=None, **keys):
    most = most or (model.width if model.width < 1000 else 4)
    return echo(transport, model, when_full="shed_idle",
                max_connections=most, **keys)


def is_shed(record):
    return record.get("reason") == "shed_idle"


@scenario(model=MODELS + (Model("prefork5", "prefork", 5, workers=5),),
          transport=(TCP4, UNIX))
def the_one_that_waits_longest_is_shed(story, model, transport):
    row = shed(model, transport)
    places = row["max_connections"]
    daemon = story.serve(row)
    old = []
    for _ in range(places):
        old.append(daemon.dial().send("x").expect("x"))
    old[-1].expect_silence(0.05)
    for client in old[:-1]:
        client.send("y").expect("y")
    daemon.dial().send("new").expect("new")
    old[-1].expect_end()
    line = daemon.log.wait(is_shed)
    expect_equal(line["result"], "refused", "result")
    expect_equal(line["bytes_in"], "1", "bytes that were served")
    for client in old[:-1]:
        client.send("z").expect("z")
    daemon.stop()
    expect_equal(daemon.totals().reasons, {"shed_idle": 1}, "reasons")


def full_of_those_that_leave_slowly(story, model):
    """The newcomer, the one who is shed for him, and the others."""
    row = shed(model)
    gate = story.path("gate")
    os.mkfifo(gate, 0o644)
    row.update(handler="slow_end", options={"gate": gate})
    daemon = story.serve(row)
    inside = [daemon.dial().send("x").expect("x")
              for _ in range(row["max_connections"])]
    newcomer = daemon.dial().send("new")
    peer = daemon.log.wait(lambda r: "handle() returned" in r["message"])["peer"]
    others = [client for client in inside if client.name != peer]
    leaver, = set(inside) - set(others)
    return daemon, newcomer, leaver, others


def let_them_leave(story):
    return os.fdopen(os.open(story.path("gate"), os.O_RDWR))


# Where a finish() that blocks holds up nobody else.
BESIDE = (THREADED, POOL, FORKING, PREFORK2)


@scenario(model=BESIDE)
def nobody_else_is_shed_while_one_leaves(story, model):
    daemon, newcomer, leaver, others = full_of_those_that_leave_slowly(
        story, model)
    newcomer.expect_silence(0.1)
    for client in others:
        client.send("z")
    for client in others:
        client.expect("z")
    with let_them_leave(story):
        newcomer.expect("new")
        leaver.expect_end()
        daemon.stop()
    expect_equal(daemon.totals().reasons, {"shed_idle": 1}, "reasons")


@scenario(model=BESIDE)
def who_never_leaves_is_given_up(story, model):
    daemon, newcomer, _, _ = full_of_those_that_leave_slowly(story, model)
    daemon.log.wait(lambda r: "handle() returned" in r["message"], count=2)
    with let_them_leave(story):
        newcomer.expect("new")
        daemon.stop()
    expect_equal(set(daemon.totals().reasons), {"shed_idle"}, "reasons")


@scenario(model=MODELS + LARGE_POOLS + SMALL_POOLS, transport=(TCP4, UNIX))
def a_crowd_of_one_word_each_does_not_deafen(story, model, transport):
    places = 64 if model.width >= 64 else model.width
    daemon = story.serve(shed(model, transport, places))
    crowd_with_a_word(daemon)
    is_answered(daemon, 20)
    daemon.stop()
    expect_equal(set(daemon.totals().reasons), {"shed_idle"}, "reasons")


@scenario(model=MODELS, transport=(TCP4, UNIX))
def who_has_spoken_is_not_shed(story, model, transport):
    """Though the process has not had the time to look: it stood still."""
    row = shed(model, transport)
    daemon = story.serve(row)
    inside = [daemon.dial().send("x").expect("x")
              for _ in range(row["max_connections"])]
    inside[0].expect_silence(0.05)
    held = daemon.services()
    for pid in held:
        proc.stop(pid)
    for client in inside:
        client.send("y")
    newcomer = daemon.dial().send("new")
    for pid in held:
        os.kill(pid, signal.SIGCONT)
    for client in inside:
        client.expect("y")
    newcomer.expect("new")
    daemon.stop()
    expect_equal(daemon.totals().reasons, {"shed_idle": 1}, "reasons")


@scenario(model=MODELS)
def a_request_at_work_is_not_shed(story, model):
    """It sleeps, or is in the middle of a line: the newcomer waits."""
    row = shed(model)
    row.update(handler="uppercase", options={"mode": "line"})
    daemon = story.serve(row)
    inside = [daemon.dial().send("half")
              for _ in range(row["max_connections"])]
    eventually("full", lambda: active(daemon) == len(inside))
    waiting = daemon.dial().send("new\n").expect_silence(0.3)
    for client in inside:
        client.send(" done\n").expect("HALF DONE\n")
    waiting.expect("NEW\n")
    daemon.stop()
