# SPDX-License-Identifier: ISC
"""Access lines are gathered: none is lost, none is late, none is mixed."""

import signal
import threading
import time

import proc
from peers import STREAMS, TCP4, UDP4, UNIX
from s090_crashes import QUIET_ASAN
from scenario import (EVENT2, FORKING, MODELS, POOL, PREFORK2, SYNC, THREADED,
                      URING, Skip, listener, scenario, talk)
from tracing import Trace
from until import SCALE, eventually, expect, expect_equal, pause


def is_served(record):
    return record.get("result") == "ok"


def requests(daemon):
    """The numbers of the requests whose lines are there."""
    return {int(record["request"]) for record in daemon.log.find(is_served)}


def serve_some(daemon, transport, count):
    for _ in range(count):
        client = talk(daemon, transport).send("x\n").expect("X")
        if transport.is_stream:
            client.expect_end()
        client.close()


@scenario(model=(SYNC, THREADED, POOL, PREFORK2, EVENT2, URING),
          transport=STREAMS,
          number=(signal.SIGKILL, signal.SIGSEGV))
def a_killed_process_loses_no_line(story, model, transport, number):
    daemon = story.serve(
        listener("up", "uppercase", transport, model,
                 restart={"initial": 0.05, "maximum": 1}), env=QUIET_ASAN)
    daemon.may_crash = True
    daemon.has_totals = False
    victims = daemon.services()
    serve_some(daemon, transport, 40)
    for pid in victims:
        proc.kill(pid, number)
    daemon.log.wait(lambda r: "was killed by " + number.name in r.message,
                    count=len(victims))
    # Each connection ended after its line was made.
    expect_equal(len(requests(daemon)), 40, "requests with a line")


@scenario(model=MODELS, death=("segv", "abort", "_exit 0"))
def a_crash_in_a_request_keeps_the_lines_before_it(story, model, death):
    daemon = story.serve(
        listener("rude", "rude", TCP4, model,
                 restart={"initial": 0.05, "maximum": 1}), env=QUIET_ASAN)
    daemon.may_crash = True
    for _ in range(20):
        client = daemon.dial().send("pid\n")
        client.line()
        client.half_close().expect_end().close()
    daemon.dial().send(death + "\n").ending()
    daemon.log.wait(lambda r: r.level == "warning" and "process" in r.message)
    # other processes have some of them
    if model is FORKING or model.processes > 1:
        daemon.log.wait(is_served, count=20)
    expect_equal(len(requests(daemon)), 20, "lines before the crash")


          
@scenario(form=("text", "json"),
          model=(THREADED, POOL, PREFORK2, EVENT2, URING))
def lines_of_many_requests_are_whole(story, form, model):
    daemon = story.serve(listener("up", "uppercase", TCP4, model),
                         log={"format": form})

    def work():
        serve_some(daemon, TCP4, 100)
    clients = [threading.Thread(target=work) for _ in range(8)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    daemon.stop()               # looks at each line
    expect_equal(len(daemon.log.find(is_served)), 800, "access lines")
    expect_equal(requests(daemon), set(range(1, 801)), "requests")
    for record in daemon.log.find(is_served):
        expect_equal(record.message, "request", "message")
        expect_equal(int(record["bytes_in"]), 2, "bytes_in")


def wakes(pid):
    """How often the threads of a process have waited."""
    total = 0
    for thread in proc.threads(pid):
        total += int(proc.status(thread)["voluntary_ctxt_switches"])
    return total


@scenario(model=(SYNC, THREADED, POOL, PREFORK2, EVENT2, URING),
          transport=(TCP4, UDP4, UNIX))
def a_last_line_is_not_kept_and_then_there_is_rest(story, model, transport):
    daemon = story.serve(listener("up", "uppercase", transport, model))
    for count in (1, 2, 3):
        serve_some(daemon, transport, 1)
        daemon.log.wait(is_served, count=count, within=20)
    if SCALE != 1:
        return                  # a sanitizer has a thread of its own

    def rests():
        before = [wakes(pid) for pid in daemon.services()]
        pause(0.5)
        return before == [wakes(pid) for pid in daemon.services()]
    eventually("the processes sleep", rests, 20)


@scenario(model=(SYNC, THREADED, POOL))
def a_thousand_connections_take_few_writes(story, model):
    daemon = story.serve(listener("up", "uppercase", TCP4, model))
    trace = Trace(story, daemon.services()[0], "write,writev")
    began = time.monotonic()
    serve_some(daemon, TCP4, 1000)
    daemon.log.wait(is_served, count=1000)
    took = time.monotonic() - began
    writes = trace.stop()
    lines = [line for line in writes if "result=ok" in line
             or "level=info" in line or "time=" in line]
    # As many as fill the place, and some ten a second.
    most = 100 + int(20 * took)
    if most >= 800:
        raise Skip("the machine is too slow to tell")
    expect(0 < len(lines) <= most, "%d writes of lines, at most %d", len(lines),
           most)
