# SPDX-License-Identifier: ISC
"""Every wait has an end."""

import time

import proc
from peers import STREAMS, TCP4
from scenario import (EVENT2, FORKING, MODELS, POOL, THREADED, URING, listener,
                      scenario)
from until import SCALE, expect, expect_equal


def elapsed(since):
    return time.monotonic() - since


@scenario(model=MODELS, transport=STREAMS)
def a_silent_client_is_ended_after_the_timeout(story, model, transport):
    daemon = story.serve(listener("echo", "echo", transport, model,
                                  timeout=0.3))
    start = time.monotonic()
    client = daemon.dial().send("x").expect("x")
    expect_equal(client.rest(), b"", "nothing more")
    expect(0.25 <= elapsed(start) < 3 * SCALE, "after %.2f s", elapsed(start))
    daemon.log.wait(lambda r: r.get("result") == "timeout")
    daemon.dial().send("y").expect("y").half_close().expect_end()
    daemon.stop()
    expect_equal(daemon.totals().errors, 1, "errors")


@scenario(model=MODELS)
def progress_renews_the_timeout(story, model):
    daemon = story.serve(listener("echo", "echo", TCP4, model, timeout=0.4))
    start = time.monotonic()
    client = daemon.dial()
    while elapsed(start) < 1:
        client.send("x").expect("x").expect_silence(0.1)
    client.half_close().expect_end()


@scenario(model=MODELS)
def a_slow_loris_is_ended_by_the_session_timeout(story, model):
    daemon = story.serve(listener("echo", "echo", TCP4, model,
                                  {"mode": "line"}, timeout=5,
                                  session_timeout=0.6))
    start = time.monotonic()
    client = daemon.dial()
    ended = False
    while elapsed(start) < 5 * SCALE and not ended:
        try:
            client.send("x")
            client.expect_silence(0.05)
        except (AssertionError, OSError):
            ended = True
    expect(ended, "one byte at a time keeps the connection for ever")
    expect(elapsed(start) >= 0.5, "ended after %.2f s", elapsed(start))
    daemon.log.wait(lambda r: r.get("result") == "timeout")


@scenario(model=MODELS)
def a_busy_talker_is_ended_by_the_session_timeout(story, model):
    daemon = story.serve(listener("echo", "echo", TCP4, model,
                                  session_timeout=0.5))
    start = time.monotonic()
    client = daemon.dial()
    try:
        while elapsed(start) < 5 * SCALE:
            client.send("x").expect("x")
    except (AssertionError, OSError):
        pass
    expect(0.4 <= elapsed(start) < 4 * SCALE, "after %.2f s", elapsed(start))


@scenario(model=MODELS)
def a_client_that_never_reads_is_ended(story, model):
    daemon = story.serve(listener("big", "big", TCP4, model, timeout=0.4))
    client = daemon.dial(rcvbuf=4096).send("go")
    daemon.log.wait("write failed: ETIMEDOUT")
    client.close()
    daemon.log.wait(lambda r: r.get("result") == "timeout")
    daemon.stop()
    expect_equal(daemon.totals().errors, 1, "errors")


@scenario(model=MODELS)
def a_handler_sets_its_own_timeout(story, model):
    daemon = story.serve(listener("p", "patient", TCP4, model, timeout=60))
    client = daemon.dial().expect("hello\n")
    client.send("timeout 100\n").expect("set\n").send("read\n")
    client.expect("ETIMEDOUT\n")


@scenario(model=MODELS)
def a_handler_sleeps(story, model):
    daemon = story.serve(listener("p", "patient", TCP4, model))
    start = time.monotonic()
    daemon.dial().expect("hello\n").send("sleep 150\n").expect("ok\n")
    expect(0.15 <= elapsed(start) < 5 * SCALE, "%.2f s", elapsed(start))


@scenario(model=(THREADED, POOL, FORKING, EVENT2, URING))
def silent_clients_hold_no_place_for_ever(story, model):
    daemon = story.serve(listener("echo", "echo", TCP4, model,
                                  max_connections=4, timeout=0.3))
    for _ in range(40):
        daemon.dial()
    client = daemon.dial().send("x")
    client.expect("x")


@scenario(model=MODELS, parallel=False)
def an_idle_daemon_uses_no_processor(story, model):
    daemon = story.serve(listener("echo", "echo", TCP4, model, timeout=30))
    client = daemon.dial().send("x").expect("x")
    pids = [daemon.pid] + [one.pid for one in daemon.tree()]
    before = sum(map(proc.cpu_seconds, pids))
    client.expect_silence(1)
    used = sum(map(proc.cpu_seconds, pids)) - before
    expect(used <= 0.03 * SCALE, "%.2f s of processor in a second", used)
