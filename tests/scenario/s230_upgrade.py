# SPDX-License-Identifier: ISC
"""An upgrade: another program goes on in the same process, and nobody who is
served notices. Or it cannot, and the one that is there goes on."""

import os
import shutil
import signal
import socket
import subprocess
import threading

import control
import ctl
import daemon as daemon_module
import proc
from daemon import QUIET_ASAN
from peers import TCP4, TRANSPORTS, UDP4, UNIX, Address, Stream
from scenario import (EVENT2, FORKING, MODELS, PREFORK2, SYNC, THREADED, URING,
                      listener, scenario, talk)
from until import SCALE, eventually, expect, expect_equal, seconds

TOOK_OVER = "took over"
ROUNDS = 20
MANY = max(10, int(50 / SCALE))


def echo(model=THREADED, transport=TCP4, name="e", **keys):
    return listener(name, "echo", transport, model, **keys)


def upgrade(daemon):
    """It succeeds: the answer is the new program's, in the same process."""
    answer = daemon.told("upgrade")
    expect_equal(answer["pid"], daemon.pid, "pid")
    return answer


def show(daemon, name="e"):
    return daemon.told("show " + name)


def ask_once(daemon, transport, name=None):
    """One request more, whatever the transport."""
    if transport.is_stream:
        with daemon.dial(name) as client:
            client.send("hello").expect("hello").half_close().expect_end()
    else:
        client = daemon.datagrams(name)
        client.send("hello").expect("hello")
        client.close()


def settled(daemon, name, **wanted):
    """The counters, as soon as they are so."""
    return eventually(lambda: "%r: %r" % (wanted, show(daemon, name)),
                      lambda: wanted.items() <= show(daemon, name).items(),
                      20)


# What is served goes on

@scenario(model=MODELS, transport=TRANSPORTS)
def services_and_sockets_go_on(story, model, transport):
    daemon = story.serve(echo(model, transport))
    before = daemon.services()
    address = daemon.address().text
    ask_once(daemon, transport)
    upgrade(daemon)
    expect_equal(daemon.services(), before, "service processes")
    expect_equal(daemon.address().text, address, "address")
    ask_once(daemon, transport)
    settled(daemon, "e", accepted=2, requests=2, errors=0)


@scenario(model=MODELS, transport=(TCP4, UNIX))
def a_connection_is_held_over_it(story, model, transport):
    daemon = story.serve(echo(model, transport))
    client = daemon.dial().send("before").expect("before")
    before = daemon.services()
    upgrade(daemon)
    client.send("after").expect("after").half_close().expect_end()
    expect_equal(daemon.services(), before, "service processes")
    settled(daemon, "e", accepted=1, requests=1, errors=0, active=0)


def wanted_of(status):
    """Of a status, what an upgrade must leave as it is."""
    status.pop("uptime_seconds")
    if status["last_reload"]:
        status["last_reload"].pop("seconds_ago")
    if status["confirm_seconds"] is not None:
        status["confirm_seconds"] = True
    for one in status["listeners"]:
        one.pop("uptime_seconds")
    return status


@scenario(model=MODELS)
def the_status_is_the_same(story, model):
    daemon = story.serve(echo(model), echo(model, UNIX, "other"),
                         echo(THREADED, UDP4, "datagrams"))
    for _ in range(3):
        ask_once(daemon, TCP4)
    settled(daemon, "e", accepted=3, requests=3, active=0)
    before = wanted_of(daemon.told("status"))
    upgrade(daemon)
    expect_equal(wanted_of(daemon.told("status")), before, "status")


@scenario
def the_signal_does_the_same(story):
    daemon = story.serve(echo())
    before = daemon.services()
    client = daemon.dial().send("before").expect("before")
    daemon.signal(signal.SIGUSR2)
    daemon.log.wait(TOOK_OVER, 20)
    client.send("after").expect("after")
    expect_equal(daemon.services(), before, "service processes")
    ask_once(daemon, TCP4)


@scenario
def without_a_configuration_file_too(story):
    handler = os.path.join(daemon_module.HANDLERS, "echo.so")
    daemon = story.serve(run=["-r", "tcp://127.0.0.1:0", handler])
    before = daemon.services()
    daemon.signal(signal.SIGUSR2)
    daemon.log.wait(TOOK_OVER, 20)
    expect_equal(daemon.services(), before, "service processes")


@scenario
def the_client_says_who_serves_now(story):
    daemon = story.serve(echo())
    done = subprocess.run(
        [ctl.CTL, "-s", daemon.control_socket, "upgrade"],
        capture_output=True, text=True, env=ctl.environment(),
        timeout=seconds(30))
    expect_equal(done.returncode, 0, "exit status: " + done.stderr)
    expect("pid %d" % daemon.pid in done.stdout, "%r", done.stdout)


# What the supervisor knows goes on

@scenario
def stopped_and_drained_listeners_stay_so(story):
    daemon = story.serve(echo(), echo(THREADED, TCP4, "held"),
                         echo(THREADED, UNIX, "off"))
    address = daemon.address("held")
    daemon.told("drain held")
    daemon.told("stop off")
    upgrade(daemon)
    expect_equal(show(daemon, "held")["state"], "drained", "held")
    expect_equal(show(daemon, "off")["state"], "stopped", "off")
    client = daemon.dial(address).send("queued")
    expect_equal(daemon.told("start held")["state"], "serving", "held")
    client.expect("queued")
    expect_equal(daemon.told("start off")["state"], "serving", "off")
    ask_once(daemon, UNIX, "off")


@scenario(model=MODELS)
def a_crash_record_and_restarts_stay(story, model):
    daemon = story.serve(echo(model), env=QUIET_ASAN)
    daemon.may_crash = True
    victim = daemon.services()[0]
    proc.kill(victim)
    eventually("the crash is known", lambda: show(daemon)["crash"], 20)
    daemon.wait_services(model.processes, 20)
    settled(daemon, "e", restarts=1, state="serving")
    before = show(daemon)["crash"]
    upgrade(daemon)
    after = show(daemon)["crash"]
    for crash in (before, after):
        crash.pop("seconds_ago")
    expect_equal(after, before, "the crash")
    expect_equal(after["worker"], victim, "the worker")
    settled(daemon, "e", restarts=1)
    # and the next one is taken note of, as an adopted child
    second = daemon.services()[0]
    proc.kill(second)
    eventually("the next crash is known",
               lambda: show(daemon)["crash"]["worker"] == second, 20)
    daemon.wait_services(model.processes, 20)
    ask_once(daemon, TCP4)


@scenario(model=MODELS)
def a_drain_goes_on(story, model):
    daemon = story.serve(echo(model))
    client = daemon.dial().send("before").expect("before")
    old = set(daemon.services())
    daemon.told("restart e")
    expect_equal(show(daemon)["draining"], 1, "draining")
    upgrade(daemon)
    expect_equal(show(daemon)["draining"], 1, "draining after the upgrade")
    ask_once(daemon, TCP4)
    client.send("after").expect("after").half_close().expect_end()
    settled(daemon, "e", draining=0, accepted=2, requests=2)
    expect(not old & set(daemon.services()), "an old one is left")


@scenario
def who_waits_is_answered_by_the_new_program(story):
    daemon = story.serve(echo())
    client = daemon.dial().send("x").expect("x")
    waiting = daemon.controller().send(b"drain e\n")
    half = daemon.controller().send(b"pi")
    eventually("it drains", lambda: show(daemon)["state"] == "draining", 20)
    upgrade(daemon)
    client.close()
    expect_equal(waiting.answer()["result"],
                 {"name": "e", "state": "drained"}, "the answer")
    # the line was begun with the program before
    expect_equal(half.send(b"ng\n").answer()["result"]["pid"], daemon.pid,
                 "pid")


def change(daemon, *listeners):
    daemon.listeners = list(listeners)
    daemon.write(None, None, "info")


@scenario
def an_unconfirmed_configuration_is_undone_by_the_new_program(story):
    daemon = story.serve(echo(timeout=30))
    change(daemon, echo(timeout=31))
    daemon.told("reload confirm-within 6000")
    upgrade(daemon)
    expect(daemon.told("status")["confirm_seconds"] is not None
           or daemon.log.find("going back"), "nothing waits")
    daemon.log.wait("going back", 30)
    eventually("it was undone",
               lambda: daemon.told("status")["generation"] == 3, 20)
    ask_once(daemon, TCP4)


@scenario
def a_confirmation_and_a_rollback_outlive_it(story):
    daemon = story.serve(echo(timeout=30))
    change(daemon, echo(timeout=31))
    daemon.told("reload confirm-within 600000")
    upgrade(daemon)
    daemon.told("confirm")
    upgrade(daemon)
    keys = daemon.told("rollback")["changes"][0]["keys"]
    expect_equal(keys, ["timeout"], "what the rollback changed")
    ask_once(daemon, TCP4)


@scenario
def a_reload_after_it_reads_the_same_file(story):
    """By its relative name, from where the daemon was started."""
    daemon = story.serve(echo())
    change(daemon, echo(timeout=33), echo(THREADED, TCP4, "new"))
    upgrade(daemon)
    daemon.keeps_descriptors = False    # a listener more
    changes = {one["name"]: one["action"]
               for one in daemon.told("reload")["changes"]}
    expect_equal(changes, {"e": "generation", "new": "add"}, "changes")
    ask_once(daemon, TCP4, "new")


def handing(sock):
    """In the child: the socket is descriptor 3."""
    number = sock.fileno()

    def prepare():
        if number == 3:
            os.set_inheritable(3, True)
        else:
            os.dup2(number, 3)
    return prepare


@scenario
def a_socket_that_was_handed_over_can_be_had_again(story):
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen(16)
        address = Address("tcp://127.0.0.1:%d" % sock.getsockname()[1])
        daemon = story.serve(
            echo(transport="fd:web"), echo(name="other"),
            env={"LISTEN_FDS": "1", "LISTEN_FDNAMES": "web"},
            prepare=handing(sock), close_fds=False)
        daemon.keeps_descriptors = False
        daemon.dial(address).send("x").expect("x").close()
        upgrade(daemon)
        daemon.told("stop e")
        upgrade(daemon)
        expect_equal(daemon.told("start e")["state"], "serving", "state")
        daemon.dial(address).send("y").expect("y").close()
        daemon.close_clients()
        daemon.signal(signal.SIGTERM)
        daemon.finish(within=20)


@scenario(model=MODELS)
def a_listener_that_waits_for_its_next_try_goes_on(story, model):
    mood = story.write("mood", "")
    daemon = story.serve(
        listener("moody", "moody", TCP4, model, {"mood": mood},
                 restart={"initial": 0.1, "maximum": 1}), echo(),
        env=QUIET_ASAN)
    daemon.may_crash = True
    story.write("mood", "crash")
    victims = show(daemon, "moody")["workers"]
    for pid in victims:
        proc.kill(pid)
    settled(daemon, "moody", workers=[])
    upgrade(daemon)
    story.write("mood", "")
    settled(daemon, "moody", state="serving")
    with daemon.dial("moody") as client:
        client.send("?\n").expect("fine\n")


@scenario
def the_level_of_the_log_stays(story):
    daemon = story.serve(echo())
    daemon.told("log-level debug")
    upgrade(daemon)
    mark = daemon.log.mark()
    daemon.told("restart e")
    daemon.log.wait(lambda r: r.level == "debug" and r.get("listener") == "e",
                    20, mark)


@scenario
def a_log_file_is_gone_on_with(story):
    path = story.path("the.log")
    daemon = story.launch(echo(), log={"target": "file:" + path}).wait_ready()

    def written():
        with open(path) as file:
            return file.read()
    upgrade(daemon)
    eventually("it is told there", lambda: TOOK_OVER in written(), 20)
    before = written()
    os.rename(path, path + ".1")
    daemon.signal(signal.SIGUSR1)
    eventually("it is opened again", lambda: os.path.exists(path)
               and "reopened" in written(), 20)
    expect("serving: 1 listener ready" in before, "%r", before)
    daemon.has_totals = False   # they are in the file


@scenario
def detached_it_goes_on_too(story):
    addresses, pidfile = story.path("addresses"), story.path("x.pid")
    conf = story.configure(
        listener("e", "echo"), address_file=addresses,
        control={"socket": story.path("c")},
        log={"target": "file:" + story.path("log")})
    done = story.run("-d", "-c", conf, "-p", pidfile)
    expect_equal(done.returncode, 0, "exit status; " + done.stderr)
    with open(pidfile) as file:
        pid = int(file.read())
    with open(addresses) as file:
        client = Stream(Address(file.read().split()[1])).send("x").expect("x")
    answer = control.ask(story.path("c"), "upgrade")
    expect(answer["ok"] and answer["result"]["pid"] == pid, "%r", answer)
    client.send("y").expect("y").half_close().expect_end()
    client.close()
    os.kill(pid, signal.SIGTERM)
    proc.wait_gone([pid], 20, "its end")
    for path in (pidfile, addresses, story.path("c")):
        expect(not os.path.exists(path), "%s is left", path)


@scenario
def the_pid_file_stays_locked(story):
    daemon = story.launch(echo(), args=["-p", "d1.pid"]).wait_ready()
    upgrade(daemon)
    done = story.run("-c", daemon.conf, "-p", daemon.path("pid"),
                     cwd=story.directory)
    expect(done.returncode != 0 and "held by process %d" % daemon.pid
           in done.stderr, "%r", done.stderr)
    ask_once(daemon, TCP4)


@scenario
def its_name_and_command_line_stay(story):
    daemon = story.serve(echo())

    def line():
        return proc.read("/proc/%d/cmdline" % daemon.pid)
    before = line()
    upgrade(daemon)
    expect_equal(line(), before, "command line")
    expect_equal(proc.read("/proc/%d/comm" % daemon.pid), b"socketserverd\n",
                 "name")
    expect(not [name for name in proc.environment(daemon.pid)
                if "UPGRADE" in name], "the environment tells of a failure")


# What is not the program

def with_a_copy(story, *listeners, **how):
    """A daemon whose program can be replaced on disk."""
    for name in ("socketserverd", "socketserver-service"):
        shutil.copy(os.path.join(daemon_module.BUILD, name), story.directory)
    return story.serve(*listeners, program=story.path("socketserverd"), **how)


def replace(story, text):
    """As a package manager does: the old file is not written to."""
    story.write("next", text, 0o755)
    os.rename(story.path("next"), story.path("socketserverd"))


BROKEN = {
    "no program": (b"this is no program\n", "cannot take over"),
    "nothing": (b"", "cannot take over"),
    "exits": ("#!/bin/sh\nexit 3\n", "status 3"),
    "is content": ("#!/bin/sh\nexit 0\n", "another program"),
    "complains": ("#!/bin/sh\necho 'no such library' >&2\nexit 127\n",
                  "no such library"),
    "crashes": ("#!/bin/sh\nkill -SEGV $$\n", "SIGSEGV"),
    "hangs": ("#!/bin/sh\nexec sleep 100\n", "within 10 s"),
}


@scenario(fault=BROKEN, deadline=60)
def a_broken_program_changes_nothing(story, fault):
    text, reason = BROKEN[fault]
    daemon = with_a_copy(story, echo())
    daemon.may_crash = True     # the log says so of what was tried
    client = daemon.dial().send("before").expect("before")
    before = daemon.services()
    replace(story, text)
    done = subprocess.run(
        [ctl.CTL, "-s", daemon.control_socket, "upgrade"],
        capture_output=True, text=True, env=ctl.environment(),
        timeout=seconds(40))
    expect_equal(done.returncode, 1, "exit status")
    expect(reason in done.stderr, "%r is not in %r", reason, done.stderr)
    client.send("after").expect("after")
    ask_once(daemon, TCP4)
    eventually(lambda: "the services alone: %r" % daemon.tree(),
               lambda: daemon.services() == before, 20)
    daemon.log.wait("upgrade refused")


# When it is tried it is whole; when it is needed there is no service program.
LONELY = """#!/bin/sh
case $1 in
--try-to-take-over) exec %s "$@";;
*) exec %s "$@";;
esac
"""


def lonely_program(story):
    """A daemon whose service program has a name that no file has, beside it
    or where one is installed."""
    with open(daemon_module.PROGRAM, "rb") as file:
        image = file.read()
    path = story.path("lonely")
    with open(path, "wb") as file:
        file.write(image.replace(b"socketserver-service",
                                 b"socketserver-nowhere"))
    os.chmod(path, 0o755)
    return path


@scenario(model=MODELS)
def one_that_fails_at_the_last_step_gives_the_process_back(story, model):
    daemon = with_a_copy(story, echo(model))
    lonely = lonely_program(story)
    inode = os.stat("/proc/%d/exe" % daemon.pid).st_ino
    client = daemon.dial().send("before").expect("before")
    before = daemon.services()
    replace(story, LONELY % (daemon_module.PROGRAM, lonely))
    for _ in range(2):
        answer = daemon.control("upgrade")
        expect(not answer["ok"] and "cannot use the service program"
               in answer["error"], "%r", answer)
    expect_equal(os.stat("/proc/%d/exe" % daemon.pid).st_ino, inode,
                 "the program")
    expect_equal(daemon.services(), before, "service processes")
    client.send("after").expect("after").half_close().expect_end()
    settled(daemon, "e", accepted=1, requests=1, active=0)


def patient(daemon):
    """A client that waits longer than a trial may last."""
    client = control.Client(daemon.control_socket, 35)
    daemon.streams.append(client)
    return client


@scenario(deadline=60)
def while_the_new_one_hangs_all_goes_on(story):
    daemon = with_a_copy(story, echo())
    replace(story, BROKEN["hangs"][0])
    waiting = patient(daemon).send(b"upgrade\n")
    daemon.log.wait("upgrade: trying")
    ask_once(daemon, TCP4)
    answer = daemon.control("upgrade")
    expect(not answer["ok"] and "already" in answer["error"], "%r", answer)
    # what asks for a reload waits, and comes to its turn
    reload = patient(daemon).send(b"reload\n")
    expect_equal(show(daemon)["state"], "serving", "state")
    expect(not waiting.answer()["ok"], "the upgrade went well")
    expect(reload.answer()["ok"], "the reload did not go well")


@scenario
def a_stop_ends_the_trial(story):
    daemon = with_a_copy(story, echo())
    replace(story, BROKEN["hangs"][0])
    waiting = patient(daemon).send(b"upgrade\n")
    daemon.log.wait("upgrade: trying")
    daemon.signal(signal.SIGTERM)
    answer = waiting.answer()
    expect(not answer["ok"] and "stopping" in answer["error"], "%r", answer)
    daemon.finish(within=20)


@scenario
def a_missing_program_is_told(story):
    daemon = with_a_copy(story, echo())
    os.unlink(story.path("socketserverd"))
    answer = daemon.control("upgrade")
    expect(not answer["ok"] and "No such file" in answer["error"], "%r",
           answer)
    ask_once(daemon, TCP4)


@scenario
def the_service_program_is_new_too(story):
    """Processes that are started later are of the program beside it."""
    daemon = with_a_copy(story, echo(PREFORK2))
    old = daemon.services()

    def inode(pid):
        return os.stat("/proc/%d/exe" % pid).st_ino
    first = inode(old[0])
    for name in ("socketserverd", "socketserver-service"):
        shutil.copy(os.path.join(daemon_module.BUILD, name),
                    story.path("next"))
        os.rename(story.path("next"), story.path(name))
    upgrade(daemon)
    expect_equal(inode(daemon.pid),
                 os.stat(story.path("socketserverd")).st_ino, "the program")
    expect_equal([inode(pid) for pid in daemon.services()], [first, first],
                 "the processes that went on")
    daemon.told("restart e")
    settled(daemon, "e", draining=0)
    for pid in daemon.services():
        expect_equal(inode(pid),
                     os.stat(story.path("socketserver-service")).st_ino,
                     "a new process")


# Many

class Load:
    """Requests without a pause, until it is told to stop."""

    def __init__(self, daemon, transport, name):
        self.daemon, self.transport, self.name = daemon, transport, name
        self.count, self.fault = 0, None
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        try:
            while not self.is_over.is_set():
                ask_once(self.daemon, self.transport, self.name)
                self.count += 1
        except Exception as error:
            self.fault = error

    def stop(self):
        self.is_over.set()
        self.thread.join()
        expect(self.fault is None, "after %d requests: %r", self.count,
               self.fault)
        expect(self.count > 0, "there was no load")
        return self.count


@scenario(model=MODELS, deadline=120)
def many_under_load_lose_nothing(story, model):
    daemon = story.serve(echo(model, TCP4), echo(model, UNIX, "u"),
                         echo(model, UDP4, "d"))
    loads = [Load(daemon, transport, name) for transport, name in (
        (TCP4, "e"), (UNIX, "u"), (UDP4, "d"))]
    for _ in range(ROUNDS):
        upgrade(daemon)
    counts = [load.stop() for load in loads]
    for name, count in zip(("e", "u", "d"), counts):
        settled(daemon, name, accepted=count, requests=count, errors=0)
        expect_equal(sum(show(daemon, name)["refused"].values()), 0,
                     "refused")


@scenario(deadline=120)
def descriptors_and_memory_do_not_grow(story):
    daemon = story.serve(echo(), echo(PREFORK2, UNIX, "p"))
    upgrade(daemon)
    first = len(proc.descriptors(daemon.pid))
    for _ in range(MANY):
        upgrade(daemon)
    eventually(lambda: "%d descriptors at first: %r"
               % (first, proc.descriptors(daemon.pid)),
               lambda: len(proc.descriptors(daemon.pid)) <= first, 10)


@scenario(model=(SYNC, THREADED, FORKING, PREFORK2, EVENT2, URING))
def a_stop_right_after_it_is_a_stop(story, model):
    daemon = story.serve(echo(model))
    daemon.signal(signal.SIGUSR2)
    daemon.signal(signal.SIGTERM)
    daemon.finish(within=20)


@scenario(model=MODELS)
def a_stop_after_it_lets_requests_finish(story, model):
    daemon = story.serve(echo(model))
    client = daemon.dial().send("before").expect("before")
    upgrade(daemon)
    daemon.signal(signal.SIGTERM)
    daemon.log.wait("stopping on SIGTERM", 20)
    client.send("after").expect("after").half_close().expect_end()
    daemon.finish(within=20)
    expect_equal(daemon.totals().served, 1, "served")


@scenario
def a_burst_of_signals_is_survived(story):
    daemon = story.serve(echo())
    for _ in range(10):
        daemon.signal(signal.SIGUSR2)
        daemon.signal(signal.SIGHUP)
        daemon.signal(signal.SIGUSR1)
        ask_once(daemon, TCP4)
    eventually("it can be upgraded", lambda: daemon.control("upgrade")["ok"],
               30)
    ask_once(daemon, TCP4)
