# SPDX-License-Identifier: ISC
"""A handler that dies takes nobody with it."""

import signal

import proc
from daemon import QUIET_ASAN
from peers import TCP4, UDP4
from scenario import (EVENTS, FORKING, MODELS, PREFORK2, THREADED, Failure,
                      Skip, listener, scenario)
from until import SCALE, eventually, expect, expect_equal, stays


class Death:
    def __init__(self, command, words):
        self.command, self.words = command, words

    def __str__(self):
        return self.command.replace(" ", "-")


DEATHS = (
    Death("segv", "SIGSEGV"),
    Death("abort", "SIGABRT"),
    Death("signal 8", "SIGFPE"),
    Death("signal 4", "SIGILL"),
    Death("signal 7", "SIGBUS"),
    Death("signal 9", "SIGKILL"),
    Death("overflow", "SIGSEGV"),
    Death("exit 0", "exit"),
    Death("exit 3", "exit"),
    Death("_exit 0", "exit"),
)


def rude(transport, model, **keys):
    return listener("rude", "rude", transport, model,
                    restart={"initial": 0.05, "maximum": 1}, **keys)


def served(daemon):
    """A client that knocks until the restarted service answers."""
    def knock():
        try:
            client = daemon.dial("rude").send("pid\n")
            return int(client.line())
        except (Failure, OSError):
            return None
    return eventually("the next client is served", knock, 10)


@scenario(death=DEATHS, model=MODELS)
def a_death_in_a_handler_harms_no_other(story, death, model):
    daemon = story.serve(rude(TCP4, model),
                         listener("echo", "echo", TCP4, THREADED),
                         env=QUIET_ASAN)
    daemon.may_crash = True
    bystander = daemon.dial("echo").send("before").expect("before")
    sibling = None
    if model in (FORKING, PREFORK2):
        sibling = daemon.dial("rude")
        pid = int(sibling.send("pid\n").line())
    victim = daemon.dial("rude").send("pid\n")
    victim.line()
    victim.send(death.command + "\n")
    expect_equal(victim.ending()[1], b"", "nothing but the end")
    daemon.log.wait(lambda r: death.words in r.message and r.level
                    in ("warning", "error"))
    peer = "%s:%d" % victim.sock.getsockname()
    daemon.log.wait(lambda r: r.get("result") == "crash"
                    and r.get("peer") == peer and "request" in r)
    bystander.send("after").expect("after")
    if sibling:
        expect_equal(int(sibling.send("pid\n").line()), pid, "the sibling")
    served(daemon)
    bystander.send("still").expect("still").half_close().expect_end()
    daemon.stop()
    totals = daemon.totals("rude")
    expect(totals.errors >= 1, "the crash was not counted: %r", totals)
    expect_equal(len(daemon.log.find(lambda r: r.get("peer") == peer
                                     and "result" in r)), 1,
                 "access lines of the victim")


@scenario(model=[model for model in MODELS
                 if model is not FORKING and model not in EVENTS])
def a_handler_may_end_its_thread(story, model):
    """In its second request, too; and there are others, or a new process."""
    daemon = story.serve(rude(TCP4, model))

    def served_to_the_end():
        try:
            client = daemon.dial("rude").send("pid\n")
            client.line()
            client.half_close().expect_end()
            return True
        except (Failure, OSError):
            return None

    for _ in range(3):
        eventually("a client is served", served_to_the_end, 10)
        victim = daemon.dial("rude").send("pid\n")
        victim.line()
        victim.send("threadexit\n")
        expect_equal(victim.ending()[1], b"", "nothing but the end")
        peer = "%s:%d" % victim.sock.getsockname()
        daemon.log.wait(lambda r: r.get("result") == "error"
                        and r.get("peer") == peer)
    daemon.stop()


@scenario(model=EVENTS)
def the_end_of_the_only_thread_is_a_crash(story, model):
    if SCALE != 1:
        raise Skip("AddressSanitizer does not bear the first thread's end")
    daemon = story.serve(rude(TCP4, model))
    daemon.may_crash = True
    for count in (1, 2):
        eventually("a client is served", lambda: daemon.dial("rude").send(
            "pid\n").line(), 10)
        victim = daemon.dial("rude").send("pid\n")
        victim.line()
        victim.send("threadexit\n")
        victim.ending()
        daemon.log.wait(lambda r: r.get("result") == "crash", count=count)


@scenario(model=MODELS)
def a_death_over_udp_is_survived(story, model):
    daemon = story.serve(rude(UDP4, model), env=QUIET_ASAN)
    daemon.may_crash = True
    daemon.datagrams().send("segv\n")
    daemon.log.wait("SIGSEGV")
    client = daemon.datagrams(wait=0.3)

    def knock():
        try:
            return client.ask("pid\n")
        except Failure:
            return None
    eventually("the next datagram is answered", knock, 10)


@scenario
def only_the_child_dies_under_forking(story):
    daemon = story.serve(rude(TCP4, FORKING), env=QUIET_ASAN)
    daemon.may_crash = True
    before = daemon.services()
    for _ in range(3):
        daemon.dial().send("segv\n").expect_end()
    daemon.log.wait(lambda r: r.get("result") == "crash", count=3)
    expect_equal(daemon.services(), before, "the service process")
    daemon.stop()
    expect_equal(daemon.totals().errors, 3, "errors")


@scenario
def clients_queued_during_a_restart_are_served(story):
    """The socket stays open while there is nobody to answer."""
    daemon = story.serve(listener(
        "rude", "rude", TCP4, THREADED,
        restart={"initial": 0.5, "maximum": 1}), env=QUIET_ASAN)
    daemon.may_crash = True
    daemon.dial().send("segv\n").ending()
    waiting = [daemon.dial().send("pid\n") for _ in range(10)]
    for client in waiting:
        int(client.line())


@scenario
def a_crash_loop_backs_off_and_harms_nobody(story):
    mood = story.write("mood", "")
    daemon = story.serve(
        listener("moody", "moody", TCP4, THREADED, {"mood": mood},
                 restart={"initial": 0.05, "maximum": 0.4}),
        listener("echo", "echo", TCP4, THREADED), env=QUIET_ASAN)
    daemon.may_crash = True
    bystander = daemon.dial("echo").send("x").expect("x")
    daemon.dial("moody").send("?\n").expect("fine\n")
    other = set(daemon.services())
    story.write("mood", "crash")
    victim = [pid for pid in other][0]
    # The one that does not hold the client of echo serves moody.
    for pid in other:
        if not proc.holds_client(pid, bystander.sock):
            victim = pid
    proc.kill(victim)
    daemon.log.wait("SIGABRT", count=4)
    bystander.send("y").expect("y")
    story.write("mood", "")
    client = daemon.dial("moody").send("?\n")
    client.expect("fine\n")
    bystander.send("z").expect("z")


@scenario(mood=("fail", "crash", "exit"))
def a_listener_that_cannot_open_is_tried_again(story, mood):
    """The others serve meanwhile; it serves when it can."""
    path = story.write("mood", mood)
    daemon = story.launch(
        listener("moody", "moody", TCP4, THREADED, {"mood": path},
                 restart={"initial": 0.1, "maximum": 0.3}),
        listener("echo", "echo", TCP4, THREADED), env=QUIET_ASAN)
    daemon.may_crash = True
    daemon.keeps_descriptors = False    # one service is missing at ready
    daemon.wait_ready()
    if mood == "fail":
        daemon.log.wait("in no mood to open")
    daemon.dial("echo").send("x").expect("x")
    client = daemon.dial("moody").send("?\n")
    client.expect_silence(0.05)
    story.write("mood", "")
    client.expect("fine\n")


@scenario
def readiness_waits_for_a_slow_open(story):
    path = story.write("mood", "wait")
    daemon = story.launch(
        listener("moody", "moody", TCP4, THREADED, {"mood": path}),
        listener("echo", "echo", TCP4, THREADED))
    daemon.wait_services(2)
    stays("ready before every listener was",
          lambda: "READY=1" not in daemon.notified, 0.3)
    story.write("mood", "")
    daemon.wait_ready()


@scenario(model=MODELS)
def a_killed_service_process_is_replaced(story, model):
    daemon = story.serve(rude(TCP4, model))
    daemon.may_crash = True
    before = daemon.wait_services(model.processes)
    proc.kill(before[0], signal.SIGKILL)
    daemon.log.wait("SIGKILL")
    eventually("a new service process",
               lambda: len(set(daemon.services()) - set(before)) == 1)
    served(daemon)


class Mischief:
    def __init__(self, command, answer):
        self.command, self.answer = command, answer

    def __str__(self):
        return self.command.split()[0]


MISCHIEFS = (
    Mischief("block", "blocked"),
    Mischief("grandchild", "left"),
    Mischief("leakfd", "fd"),
    Mischief("leak 8", "leaked 1"),
    Mischief("flood 2000", "flooded"),
)


@scenario(mischief=MISCHIEFS, model=MODELS)
def mischief_ends_with_the_stop(story, mischief, model):
    daemon = story.serve(rude(TCP4, model), top={"drain_timeout": 1},
                         env={"ASAN_OPTIONS": "detect_leaks=0"})
    client = daemon.dial().send(mischief.command + "\n")
    expect(client.line().startswith(mischief.answer), "answer")
    client.send("pid\n").line()
    client.send("quit\n").expect_end()
    served(daemon)


@scenario(model=MODELS)
def stolen_children_are_no_disaster(story, model):
    daemon = story.serve(rude(TCP4, model))
    client = daemon.dial().send("steal\n").expect("stolen\n")
    client.send("quit\n").expect_end()
    served(daemon)


@scenario(model=MODELS)
def a_signal_to_its_own_group_spares_the_others(story, model):
    daemon = story.serve(rude(TCP4, model),
                         listener("echo", "echo", TCP4, THREADED))
    # A TERM that comes after the stop's DRAIN cuts its request short.
    daemon.may_crash = daemon.cuts_short = True
    bystander = daemon.dial("echo").send("x").expect("x")
    client = daemon.dial("rude").send("groupterm\n")
    bystander.send("y").expect("y")
    client.close()
    served(daemon)


@scenario(model=MODELS)
def a_handler_that_closes_every_descriptor_is_replaced(story, model):
    # What it does is a race with everybody who uses a descriptor.
    daemon = story.serve(rude(TCP4, model),
                         env={"TSAN_OPTIONS": "report_bugs=0"})
    daemon.may_crash = True
    daemon.dial().send("closeall\n").ending()
    served(daemon)


@scenario(model=MODELS, root=True)
def a_handler_cannot_become_root(story, model):
    daemon = story.serve(rude(TCP4, model))
    daemon.dial().send("setuid\n").expect("errno 1\n")


@scenario(model=MODELS)
def a_hung_handler_is_killed_at_the_deadline(story, model):
    daemon = story.serve(rude(TCP4, model), top={"drain_timeout": 0.3})
    daemon.may_crash = daemon.cuts_short = True
    client = daemon.dial().send("pid\n")
    client.line()
    client.send("hang\n").expect_silence(0.02)
    daemon.stop(within=6)
    expect_equal(daemon.totals().cut_short, 1, "cut short")
    daemon.log.wait(lambda r: r.get("result") == "error"
                    and r.get("reason") == "draining")


@scenario(model=MODELS)
def a_spinning_handler_is_killed_at_the_deadline(story, model):
    daemon = story.serve(rude(TCP4, model), top={"drain_timeout": 0.3})
    daemon.may_crash = daemon.cuts_short = True
    client = daemon.dial().send("pid\n")
    client.line()
    client.send("spin\n").expect_silence(0.02)
    daemon.stop(within=6)
    expect_equal(daemon.totals().cut_short, 1, "cut short")
    daemon.log.wait(lambda r: r.get("result") == "error"
                    and r.get("reason") == "draining")
