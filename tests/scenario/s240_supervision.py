# SPDX-License-Identifier: ISC
"""Service processes that die, again and again, or hang: they are replaced, and
nobody else notices."""

import re
import signal

import proc
from daemon import QUIET_ASAN
from peers import TCP4, UDP4
from scenario import (EVENTS, FORKING, MODELS, THREADED, Failure, listener,
                      scenario)
from until import eventually, expect, expect_equal

# Requests of these die with the process that all others are in.
SHARED = tuple(model for model in MODELS if model is not FORKING)
# Their main thread is free while a request computes.
THREADS = tuple(model for model in MODELS if model not in EVENTS)
SINGLE = tuple(model for model in MODELS if model.processes == 1)
RESTARTING = re.compile(r"; restarting in (\d+\.\d) s\Z")
INITIAL, MAXIMUM = 0.1, 2


def moody(story, model, mood=""):
    path = story.write("mood", mood)
    return listener("moody", "moody", TCP4, model, {"mood": path},
                    restart={"initial": INITIAL, "maximum": MAXIMUM})


def serve(story, model):
    """A listener with moods, and one beside it that must not notice; a client
    of the other."""
    daemon = story.serve(moody(story, model),
                         listener("echo", "echo", TCP4, THREADED),
                         env=QUIET_ASAN)
    daemon.may_crash = True
    return daemon, daemon.dial("echo").send("before").expect("before")


def is_restart(record):
    return record.get("listener") == "moody" and RESTARTING.search(
        record.message)


def waits(daemon):
    """As the log tells them, in seconds."""
    return [float(RESTARTING.search(record.message).group(1))
            for record in daemon.log.find(is_restart)]


def expect_growth(found):
    """Up to the maximum and its jitter of a quarter."""
    for before, after in zip(found, found[1:]):
        expect(after > before or after >= MAXIMUM,
               "the waits do not grow: %r", found)
    expect(found[0] <= INITIAL * 1.3, "the first wait: %r", found)
    expect(max(found) <= MAXIMUM * 1.3, "over the maximum: %r", found)


def of_moody(daemon, bystander):
    """Its service processes: they do not hold the client of echo."""
    return [pid for pid in daemon.services()
            if not proc.holds_client(pid, bystander.sock)]


def others_were_untouched(daemon, bystander):
    bystander.send("after").expect("after").half_close().expect_end()
    expect(not daemon.log.find(
        lambda r: r.get("listener") == "echo" and "service process"
        in r.message and r.level != "debug"), "echo was touched")


@scenario(model=MODELS, deadline=60)
def a_crash_loop_at_open_backs_off(story, model):
    daemon, bystander = serve(story, model)
    daemon.dial("moody").send("?\n").expect("fine\n").close()
    story.write("mood", "crash")
    for pid in of_moody(daemon, bystander):
        proc.kill(pid)
    # 0.1, 0.2 or 0.4, then at least 0.8: death before readiness is steep
    daemon.log.wait(is_restart, count=4 * model.processes, within=30)
    queued = [daemon.dial("moody").send("?\n") for _ in range(5)]
    story.write("mood", "")
    for client in queued:
        client.expect("fine\n").half_close().expect_end()
    if model in SINGLE:
        expect_growth(waits(daemon))
    expect(max(waits(daemon)) >= 8 * INITIAL, "waits: %r", waits(daemon))
    others_were_untouched(daemon, bystander)


@scenario(model=SHARED, mood=("crash-in-handle", "crash-in-finish"),
          deadline=60)
def a_crash_loop_in_requests_backs_off(story, model, mood):
    daemon, bystander = serve(story, model)
    story.write("mood", mood)
    answer = "fine\n" if mood == "crash-in-finish" else ""
    for number in range(4 * model.processes):
        # While nothing serves, it waits in the queue.
        client = daemon.dial("moody").send("?\n")
        client.expect(answer)
        if answer:
            client.half_close()
        expect_equal(client.ending()[1], b"", "nothing but the end")
        daemon.log.wait(is_restart, count=number + 1, within=20)
    story.write("mood", "")
    daemon.dial("moody").send("?\n").expect("fine\n")
    if model in SINGLE:
        expect_growth(waits(daemon))
    others_were_untouched(daemon, bystander)
    daemon.stop()
    expect_equal(daemon.totals("moody").errors, 4 * model.processes, "errors")


@scenario(mood=("crash-in-handle", "crash-in-finish"))
def a_crash_of_a_forked_request_restarts_nothing(story, mood):
    daemon, bystander = serve(story, FORKING)
    before = daemon.services()
    story.write("mood", mood)
    for _ in range(3):
        client = daemon.dial("moody").send("?\n").half_close()
        client.ending()
    daemon.log.wait(lambda r: r.get("result") == "crash", count=3)
    expect_equal(daemon.services(), before, "the service processes")
    expect_equal(waits(daemon), [], "waits")
    others_were_untouched(daemon, bystander)


# The heartbeat: asked every 10 s, and given 10 s to answer

def every_model(handler, models=MODELS):
    """A listener for each model, named after it."""
    return [listener(str(model), handler, TCP4, model) for model in models]


def is_hung(record):
    return "does not answer; it is killed" in record.message


@scenario(deadline=150)
def processes_that_are_stopped_are_replaced(story):
    daemon = story.serve(*every_model("rude"))
    daemon.may_crash = True
    stopped = daemon.services()
    for pid in stopped:
        proc.stop(pid)
    clients = [daemon.dial(str(model)).send("pid\n") for model in MODELS]
    daemon.log.wait(is_hung, count=len(stopped), within=60)
    eventually(lambda: "as many other processes: %r" % daemon.services(),
               lambda: len(daemon.services()) == len(stopped)
               and not set(stopped) & set(daemon.services()), 30)
    for model, client in zip(MODELS, clients):
        pid = answer(daemon, str(model), client)
        expect(pid not in stopped, "answered by %d", pid)
    eventually("each is logged as a crash", lambda: len(daemon.log.find(
        "did not answer and was killed by SIGKILL")) == len(stopped), 10)


def answer(daemon, name, client):
    """A client that was in the queue is served; one that the stopped process
    had already taken is not, and comes again."""
    def ask():
        nonlocal client
        try:
            return int(client.line())
        except (Failure, OSError, ValueError):
            client = daemon.dial(name).send("pid\n")
            return None
    return eventually("%s answers" % name, ask, 30)


@scenario(deadline=150)
def processes_that_compute_are_left_alone(story):
    """Longer than a heartbeat and its answer take at the most, all at once."""
    daemon = story.serve(*every_model("busy", THREADS))
    before = daemon.services()
    clients = [daemon.dial(str(model), wait=120).send("26000\n")
               for model in THREADS]
    for client in clients:
        client.expect("done\n")
    expect_equal(daemon.services(), before, "the service processes")
    expect_equal(daemon.log.find("does not answer"), [], "hung")


@scenario(model=EVENTS, deadline=150)
def a_fiber_that_computes_for_good_is_named(story, model):
    """Every other request of its process waits for it."""
    daemon = story.serve(listener("busy", "busy", TCP4, model))
    daemon.may_crash = True
    client = daemon.dial(wait=120)
    name = client.name
    client.send("3600000\n")
    line = daemon.log.wait(is_hung, within=60)
    expect_equal(line["peer"], name, "peer")
    expect(line["worker"].startswith("Fiber-"), "worker %s", line["worker"])
    daemon.log.wait("did not answer and was killed by SIGKILL")
    client.ending()
    eventually("it is served again", lambda: len(daemon.services())
               == model.processes, 30)
    daemon.dial().send("1\n").expect("done\n")


# The supervisor is killed

@scenario(model=MODELS, state=("stopped", "busy"))
def nobody_outlives_the_supervisor(story, model, state):
    """Whatever the services are at. They are told by the kernel, stopped or
    not; who is not stopped sees the end of its channel, too."""
    daemon = story.serve(listener("r", "rude", TCP4, model),
                         listener("u", "echo", UDP4, model))
    client = daemon.dial("r").send("pid\n")
    client.line()
    client.send("spin\n")
    family = [one.pid for one in daemon.tree()]
    if state == "stopped":
        for pid in family:
            proc.stop(pid)
    daemon.signal(signal.SIGKILL)
    expect_equal(daemon.wait_exit(), -signal.SIGKILL, "exit status")
    proc.wait_gone(family, 10, "alive after the supervisor")
    expect(not proc.ours(), "left: %r", proc.ours())
