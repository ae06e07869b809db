# SPDX-License-Identifier: ISC
"""The daemon as process 1 of a container, and as the parent of children that
are not its own."""

import ctypes
import os
import signal

import proc
from peers import TCP4, UDP4
from scenario import (EVENT2, FORKING, MODELS, THREADED, URING, Skip, listener,
                      scenario)
from until import eventually, expect, expect_equal

CLONE_NEWNS, CLONE_NEWPID = 0x00020000, 0x20000000
MS_REC, MS_PRIVATE = 0x4000, 0x40000
NAME = b"foreigner\0"
PR_SET_NAME = 15


def check(result, what):
    if result != 0:
        raise OSError(ctypes.get_errno(), what)


def enter(mount_proc):
    """Between fork and exec: the caller becomes process 1 of a new namespace.
    The process that made it stays and ends with the same status."""
    check(proc.libc.unshare(CLONE_NEWPID | CLONE_NEWNS), "unshare")
    pid = os.fork()
    if pid != 0:
        os.closerange(0, 1024)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        os._exit(code if code >= 0 else 128 - code)
    check(proc.libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None),
          "mount /")
    if mount_proc:
        check(proc.libc.mount(b"proc", b"/proc", b"proc", 0, None),
              "mount /proc")


def can_be_one():
    pid = os.fork()
    if pid == 0:
        try:
            enter(True)
            os._exit(0)
        except OSError:
            os._exit(1)
    return os.waitpid(pid, 0)[1] == 0


def serve_as_one(story, *rows, mount_proc=True, prepare=None, **how):
    """A daemon that is process 1, ready; .pid is its number out here."""
    if not can_be_one():
        raise Skip("no PID namespace can be made")

    def all_of_it():
        enter(mount_proc)
        if prepare:
            prepare()
    daemon = story.launch(*rows, prepare=all_of_it, **how)
    outer = daemon.pid

    def inner():
        found = [one for one in proc.descendants(outer)
                 if one.parent == outer]
        return found[0].pid if found else None
    daemon.be(eventually("process 1", inner, 10))
    return daemon.wait_ready()


def foreigner(ends=False):
    """Before exec: a child that is none of the daemon's."""
    pid = os.fork()
    if pid == 0:
        os.closerange(0, 1024)
        proc.libc.prctl(PR_SET_NAME, NAME, 0, 0, 0)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        while not ends:
            signal.pause()
        os._exit(7)
    return pid


def foreigners(daemon):
    return [one for one in proc.descendants(daemon.pid)
            if one.name == "foreigner" and one.parent == daemon.pid]


def rude(model):
    return listener("rude", "rude", TCP4, model,
                    restart={"initial": 0.05, "maximum": 1})


@scenario(model=MODELS, root=True)
def it_serves_and_stops_as_process_1(story, model):
    daemon = serve_as_one(story, rude(model),
                          listener("echo", "echo", UDP4, model))
    expect_equal(proc.status(daemon.pid)["NSpid"].split()[-1], "1", "its pid")
    client = daemon.dial("rude").send("grandchild\n").expect("left\n")
    client.send("quit\n").expect_end()
    expect_equal(daemon.datagrams("echo").ask("x"), b"x", "echo")
    family = [one.pid for one in daemon.tree()]
    daemon.stop()
    expect_equal(daemon.exit_status, 0, "exit status")
    proc.wait_gone(family, 10, "left")


@scenario(number=(signal.SIGINT, signal.SIGTERM), mount_proc=(True, False),
          root=True)
def signals_and_a_strange_proc_do_no_harm_to_process_1(story, number,
                                                       mount_proc):
    """Without a /proc of its own, what /proc says is of other processes."""
    daemon = serve_as_one(story, rude(THREADED), mount_proc=mount_proc,
                          prepare=foreigner)
    client = daemon.dial("rude").send("grandchild\n").expect("left\n")
    client.send("quit\n").expect_end()
    daemon.close_clients()
    daemon.signal(number)
    daemon.finish()


@scenario(model=MODELS, root=True)
def a_crash_as_process_1_is_followed_by_a_restart(story, model):
    daemon = serve_as_one(story, rude(model))
    daemon.may_crash = True
    before = daemon.services()
    for pid in before:
        proc.kill(pid)
    daemon.log.wait("was killed by SIGKILL", count=len(before))
    daemon.dial("rude").send("pid\n").line()


@scenario(model=(THREADED, FORKING, EVENT2, URING), root=True)
def everybody_dies_with_process_1(story, model):
    daemon = serve_as_one(story, rude(model))
    client = daemon.dial("rude").send("grandchild\n").expect("left\n")
    client.send("spin\n")
    family = [one.pid for one in daemon.tree()]
    daemon.signal(signal.SIGKILL)
    daemon.wait_exit()
    proc.wait_gone(family, 10, "alive after process 1")


# Children that are not ours

def prepare_foreigners():
    for _ in range(3):
        foreigner(ends=True)
    foreigner()
    foreigner()


def are_reaped(daemon):
    eventually(lambda: "only what lives: %r" % foreigners(daemon),
               lambda: len(foreigners(daemon)) == 2, 10)
    first, second = foreigners(daemon)
    proc.kill(first.pid)
    eventually(lambda: "the zombie is reaped: %r" % foreigners(daemon),
               lambda: [one.pid for one in foreigners(daemon)]
               == [second.pid], 10)
    expect(not daemon.log.find("service process"), "taken for a service")
    return second.pid


@scenario(root=True)
def process_1_reaps_what_is_not_its_own(story):
    daemon = serve_as_one(story, rude(THREADED), prepare=prepare_foreigners)
    are_reaped(daemon)
    daemon.dial("rude").send("pid\n").line()


@scenario(model=MODELS)
def children_from_before_are_reaped_and_spared(story, model):
    daemon = story.serve(rude(model), prepare=prepare_foreigners)
    survivor = are_reaped(daemon)
    client = daemon.dial("rude").send("grandchild\n").expect("left\n")
    client.send("quit\n").expect_end()
    family = [one.pid for one in daemon.tree() if one.pid != survivor]
    daemon.stop()
    expect(proc.is_alive(survivor), "it was not the daemon's to end")
    proc.wait_gone(family, 10, "left")
    proc.kill(survivor)


# What it may be started with

def hostile(story):
    gone = story.path("gone")

    def prepare():
        for number in (signal.SIGCHLD, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK,
                               {signal.SIGTERM, signal.SIGCHLD})
        os.umask(0)
        os.mkdir(gone)
        os.chdir(gone)
        os.rmdir(gone)
    return prepare


def crash_and_stop(daemon):
    """Children are seen to end, TERM is heard."""
    daemon.may_crash = True
    proc.kill(daemon.services()[0])
    daemon.log.wait("was killed by SIGKILL")
    daemon.dial("rude").send("pid\n").line()
    daemon.stop()


@scenario(model=MODELS)
def hostile_start_conditions_do_no_harm(story, model):
    crash_and_stop(story.serve(rude(model), prepare=hostile(story),
                               umask=-1))


@scenario(root=True)
def hostile_start_conditions_do_no_harm_to_process_1(story):
    crash_and_stop(serve_as_one(story, rude(THREADED),
                                prepare=hostile(story), umask=-1))


EMPTY = {"PATH": None, "LANG": None}
HUGE = {"HUGE_%d" % number: "x" * 100000 for number in range(10)}
HUGE.update({"LC_HUGE": "x" * 100000, "Y" * 100000: "1"})


@scenario(environment=("empty", "huge"), model=(THREADED, FORKING, EVENT2,
          URING))
def any_environment_will_do(story, environment, model):
    daemon = story.serve(listener("i", "inspect", TCP4, model),
                         env=EMPTY if environment == "empty" else HUGE)
    client = daemon.dial("i").send("environment\n")
    lines = []
    while not lines or lines[-1] != ".":
        lines.append(client.line())
    expect(not any(line.startswith("HUGE_") for line in lines), "not clean")
    daemon.stop()
