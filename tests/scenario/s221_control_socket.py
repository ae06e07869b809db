# SPDX-License-Identifier: ISC
"""The control socket: its commands, who may use it, and what its clients
cannot do to the daemon."""

import grp
import os
import pwd
import resource
import socket
import stat
import threading

import control
import daemon as daemon_module
import proc
from peers import TCP4, UDP4, UNIX
from scenario import (EVENT2, FORKING, MODELS, PREFORK2, SYNC, THREADED, URING,
                      Failure, listener, scenario)
from until import Deadline, eventually, expect, expect_equal, pause

CLIENTS_MAX = 64
RESERVED = 8
REQUEST_MAX = 1024


def echo(model=THREADED, transport=TCP4, **keys):
    return listener("e", "echo", transport, model, **keys)


def serves(daemon):
    """A listener does its work."""
    with daemon.dial("e") as client:
        client.send("hello").expect("hello")


def become_nobody():
    entry = pwd.getpwnam("nobody")
    os.setgroups([])
    os.setresgid(entry.pw_gid, entry.pw_gid, entry.pw_gid)
    os.setresuid(entry.pw_uid, entry.pw_uid, entry.pw_uid)


# The commands

@scenario
def ping_names_the_daemon(story):
    daemon = story.serve(echo())
    answer = daemon.told("ping")
    expect_equal(answer["pid"], daemon.pid, "pid")
    expect(answer["version"], "no version: %r", answer)


@scenario(model=MODELS, transport=(TCP4, UNIX))
def status_tells_of_each_listener(story, model, transport):
    daemon = story.serve(echo(model, transport),
                         listener("up", "uppercase", UDP4, THREADED))
    whole = daemon.told("status")
    expect_equal(whole["pid"], daemon.pid, "pid")
    expect_equal(whole["state"], "serving", "state")
    expect_equal(whole["config"], daemon.conf, "config")
    expect_equal(whole["generation"], 1, "generation")
    expect(whole["uptime_seconds"] >= 0, "%r", whole)
    one, other = whole["listeners"]
    expect_equal(one["name"], "e", "name")
    expect_equal(one["state"], "serving", "state of the listener")
    expect_equal(one["addresses"], [daemon.address("e").text], "addresses")
    expect_equal(one["handler"], "echo", "handler")
    expect_equal(one["concurrency"], model.keys["concurrency"], "concurrency")
    expect_equal(len(one["workers"]), model.processes, "workers")
    expect_equal(one["generation"], 1, "generation of the listener")
    expect_equal(one["restarts"], 0, "restarts")
    expect_equal(other["name"], "up", "name")
    expect_equal(sorted(one["workers"] + other["workers"]),
                 daemon.services(), "workers of both")


@scenario(model=MODELS)
def status_counts_requests(story, model):
    daemon = story.serve(echo(model, allow=["127.0.0.0/30"]))

    def one():
        return daemon.told("status")["listeners"][0]
    client = daemon.dial().send("x").expect("x")
    expect_equal(one()["active"], 1, "active while one is served")
    client.close()
    for _ in range(4):
        serves(daemon)
    daemon.dial(source="127.0.0.9").expect_end().close()
    wanted = {"accepted": 6, "active": 0, "requests": 5, "errors": 0,
              "bytes_in": 1 + 4 * 5, "bytes_out": 1 + 4 * 5}
    now = eventually(lambda: "%r: %r" % (wanted, one()),
                     lambda: one() if wanted.items() <= one().items()
                     else None, 15)
    expect_equal({k: n for k, n in now["refused"].items() if n},
                 {"access": 1}, "refused")


@scenario(model=MODELS)
def show_tells_all_of_one(story, model):
    daemon = story.serve(echo(model), listener("other", "discard"))
    one = daemon.told("show e")
    summary = [row for row in daemon.told("status")["listeners"]
               if row["name"] == "e"][0]
    for key in set(summary) - {"uptime_seconds"}:
        expect_equal(one[key], summary[key], "show and status: " + key)
    expect(one["handler_file"].endswith("/echo.so"), "%r", one)
    generation, = one["generations"]
    expect_equal(generation["number"], 1, "number")
    expect_equal(generation["state"], "serving", "state")
    expect_equal([w["pid"] for w in generation["workers"]], one["workers"],
                 "workers")
    for slot, worker in enumerate(generation["workers"]):
        expect_equal(worker["state"], "serving", "state of a worker")
        expect_equal(worker["slot"], slot, "slot")
    expect_equal(one["counters"]["serving"], model.processes, "serving")
    expect_equal(one["retry_seconds"], None, "retry_seconds")


@scenario
def list_names_the_listeners(story):
    daemon = story.serve(echo(), listener("d", "discard", UDP4),
                         listener("off", "echo", enabled=False))
    expect_equal(daemon.told("list"), [
        {"name": name, "state": "serving",
         "addresses": [daemon.address(name).text]} for name in "ed"],
        "list")


@scenario(model=(SYNC, PREFORK2, EVENT2, URING))
def a_process_that_died_is_told(story, model):
    """Its successor comes late: the listener is not whole until then."""
    daemon = story.serve(echo(model, restart={"initial": 600,
                                              "maximum": 600}),
                         listener("other", "echo"))
    daemon.may_crash = True
    expect_equal(daemon.told("health")["health"], "ready", "health")
    expect_equal(daemon.told("health e")["health"], "ready", "health of e")
    proc.kill(daemon.told("show e")["workers"][0])
    daemon.log.wait("SIGKILL")
    one = daemon.told("show e")
    expect_equal(one["restarts"], 1, "restarts")
    expect_equal(len(one["workers"]), model.processes - 1, "workers")
    expect(1 <= one["retry_seconds"] <= 900, "%r", one["retry_seconds"])
    health = "degraded" if model.processes > 1 else "starting"
    expect_equal(daemon.told("health e")["health"], health, "health of e")
    expect_equal(daemon.told("health")["health"], "degraded", "health")
    expect_equal(daemon.told("health other")["health"], "ready",
                 "health of the other")


@scenario(model=MODELS)
def the_log_level_reaches_every_process(story, model):
    """Also one that is started later."""
    daemon = story.serve(listener("d", "discard", TCP4, model,
                                  {"log": True},
                                  restart={"initial": 0.05, "maximum": 1}),
                         log_level="warning")
    daemon.has_totals = False           # they are logged at level info
    daemon.may_crash = True
    said = 0

    def is_logged():
        nonlocal said
        said += 1
        text = "word-%d-" % said
        daemon.dial().send(text + "\n").half_close().expect_end().close()
        return daemon.log.find("word-")
    expect(not is_logged(), "level warning logs what is info")
    expect_equal(daemon.told("log-level info"), {"level": "info"}, "answer")
    eventually("what is read is logged", is_logged, 20)
    before = daemon.services()
    for pid in before:
        proc.kill(pid)
    daemon.log.wait("SIGKILL", count=len(before))
    mark = daemon.log.mark()
    eventually("what a new process reads is logged",
               lambda: is_logged() and daemon.log.find("word-", mark), 20)


@scenario
def a_level_that_is_none_is_refused(story):
    daemon = story.serve(echo())
    answer = daemon.control("log-level loud")
    expect_equal(answer["code"], 2, "code")
    expect("debug, info" in answer["error"], "%r", answer)


@scenario(model=(THREADED, PREFORK2, FORKING, EVENT2, URING))
def stop_drains_the_daemon(story, model):
    daemon = story.serve(listener("p", "patient", TCP4, model))
    gate = story.path("gate")
    client = daemon.dial()
    client.line()
    client.send("gate %s\n" % gate)
    eventually("the request is served",
               lambda: daemon.told("show p")["active"] == 1, 10)
    asked = daemon.controller()
    expect_equal(asked.ask("stop"), {"ok": True, "result": {
        "state": "stopping"}}, "answer")
    daemon.wait_notified("STOPPING=1")
    expect_equal(asked.ask("status")["result"]["state"], "stopping", "state")
    expect_equal(asked.ask("health")["result"]["health"], "draining",
                 "health")
    expect_equal(asked.ask("show p")["result"]["state"], "draining",
                 "state of the listener")
    story.write("gate", "")
    client.expect("open\n")
    client.close()
    asked.expect_end()
    daemon.finish()


@scenario
def what_is_no_command_is_refused(story):
    daemon = story.serve(echo())
    client = daemon.controller()
    for line, code, words in (
            ("reboot", 2, "reboot"), ("Status", 2, "Status"),
            ("status now", 2, "usage: status"), ("show", 2, "show NAME"),
            ("show a b", 2, "usage"), ("top", 2, "socketserverctl"),
            ("talk e", 2, "socketserverctl"), ("show nobody", 1, "nobody"),
            ("health nobody", 1, "nobody")):
        answer = client.ask(line)
        expect_equal((answer["ok"], answer.get("code")), (False, code), line)
        expect(words in answer["error"], "%s: %r", line, answer)
    expect(client.ask("ping")["ok"], "it still answers")


# The socket

@scenario
def the_socket_is_closed_to_others_by_default(story):
    daemon = story.serve(echo())
    one = os.lstat(daemon.control_socket)
    expect(stat.S_ISSOCK(one.st_mode), "no socket")
    expect_equal(stat.S_IMODE(one.st_mode), 0o600, "mode")
    expect_equal(one.st_uid, os.geteuid(), "owner")


@scenario(root=True)
def the_socket_is_never_more_open_than_it_shall_be(story):
    """Looked at all the time while the daemon starts, with a umask of 0."""
    path = story.path("looked-at.kept")
    gid = grp.getgrnam("daemon").gr_gid
    seen, is_over = set(), threading.Event()

    def look():
        while not is_over.is_set():
            try:
                one = os.lstat(path)
            except FileNotFoundError:
                continue
            seen.add((stat.S_IMODE(one.st_mode), one.st_gid))
    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        daemon = story.serve(echo(), prepare=lambda: os.umask(0), umask=-1,
                             top={"control": {"socket": path, "mode": "0660",
                                              "group": "daemon"}})
    finally:
        is_over.set()
        watcher.join()
    final = os.lstat(path)
    expect_equal((stat.S_IMODE(final.st_mode), final.st_gid), (0o660, gid),
                 "mode and group")
    for mode, group in seen:
        expect(mode & 0o007 == 0, "others might connect: %03o", mode)
        expect(group == gid or mode & 0o070 == 0,
               "group %d might connect: %03o", group, mode)
    daemon.stop()
    expect(not os.path.lexists(path), "the socket is left")


@scenario
def the_directory_of_the_socket_is_made(story):
    path = story.path("made/control")
    story.serve(echo(), top={"control": {"socket": path}})
    expect_equal(stat.S_IMODE(os.stat(story.path("made")).st_mode), 0o755,
                 "mode of the directory")
    expect(control.ask(path, "ping")["ok"], "no answer")


@scenario
def a_relative_path_begins_at_the_main_file(story):
    daemon = story.serve(echo(), top={"control": {"socket": "d1.control"}},
                         cwd="/")
    expect(daemon.told("ping")["pid"] == daemon.pid, "no answer")


@scenario
def a_second_daemon_is_refused(story):
    daemon = story.serve(echo())
    conf = story.configure(echo(), control={"socket": daemon.control_socket})
    done = story.run("-c", conf)
    expect_equal(done.returncode, 71, "exit status; " + done.stderr)
    expect("control.socket" in done.stderr and "another socketserverd"
           in done.stderr, "%r", done.stderr)
    expect_equal(daemon.told("ping")["pid"], daemon.pid, "pid")


@scenario
def what_a_killed_daemon_left_is_no_obstacle(story):
    first = story.serve(echo())
    first.process.kill()
    first.wait_exit()
    expect(os.path.lexists(first.control_socket), "the socket went by itself")
    proc.wait_gone([one.pid for one in proc.ours()], 10, "services")
    second = story.serve(echo(),
                         top={"control": {"socket": first.control_socket}})
    answer = control.ask(first.control_socket, "ping")
    expect_equal(answer["result"]["pid"], second.pid, "pid")


class Bad:
    """A path that cannot be had, and a word of the reason."""

    def __init__(self, name, path, word):
        self.name, self.path, self.word = name, path, word

    def __str__(self):
        return self.name


@scenario(bad=(Bad("no-directory", "no/such/control", "directory"),
               Bad("file", "file", "plain file"),
               Bad("below-a-file", "file/control", "Not a directory"),
               Bad("directory", ".", "")))
def a_path_that_cannot_be_had_ends_the_start(story, bad):
    story.write("file", "precious")
    conf = story.configure(echo(),
                           control={"socket": story.path(bad.path)})
    done = story.run("-c", conf)
    expect_equal(done.returncode, 71, "exit status; " + done.stderr)
    expect("control.socket: " in done.stderr and bad.word in done.stderr
           and "name another path" in done.stderr, "%r", done.stderr)
    expect_equal(proc.read(story.path("file")), b"precious", "the file")


@scenario(root=True)
def a_directory_of_somebody_else_ends_the_start(story):
    conf = story.configure(echo(), control={"socket": story.path("control")})
    done = story.run("-c", conf, prepare=become_nobody)
    expect_equal(done.returncode, 71, "exit status; " + done.stderr)
    expect("control.socket: " in done.stderr and "Permission denied"
           in done.stderr, "%r", done.stderr)


@scenario(root=True)
def without_the_default_path_it_warns_and_serves(story):
    """As a user's own daemon, which may not write below /run."""
    os.chmod(story.directory, 0o777)
    daemon = story.serve(echo(), prepare=become_nobody,
                         top={"control": None})
    line = daemon.log.wait("control.socket: ")
    expect_equal(line.level, "warning", "level")
    expect(not os.path.lexists(daemon.control_socket), "a socket is there")
    serves(daemon)


@scenario
def an_empty_path_means_none(story):
    daemon = story.serve(echo(), top={"control": {"socket": ""}})
    expect(not daemon.log.find("control.socket"), "it speaks of it")
    expect(not any("control" in text for text in
                   unix_paths(daemon.pid)), "a socket is there")
    serves(daemon)


def unix_paths(pid):
    """Names of the Unix sockets that a process has open."""
    inodes = {text[8:-1] for text in proc.descriptors(pid).values()
              if text.startswith("socket:[")}
    rows = (line.split() for line in
            proc.read("/proc/net/unix").decode().splitlines()[1:])
    return [row[7] for row in rows if len(row) > 7 and row[6] in inodes]


@scenario
def a_listener_of_the_command_line_has_no_control_socket(story):
    daemon = story.launch(run=["-r", "tcp://127.0.0.1:0",
                               os.path.join(daemon_module.HANDLERS,
                                            "echo.so")])
    daemon.listeners = []
    daemon.wait_ready()
    expect(not any("control" in text for text in unix_paths(daemon.pid)),
           "a socket is there")
    expect(not daemon.log.find("control.socket"), "it speaks of it")
    daemon.stop()


# Who may

@scenario(root=True)
def a_stranger_cannot_connect(story):
    daemon = story.serve(echo())
    entry = pwd.getpwnam("nobody")
    expect_equal(control.ask_as(daemon.control_socket, "ping", entry.pw_uid,
                                entry.pw_gid), None, "answer")


@scenario(root=True)
def a_mode_alone_lets_nobody_ask(story):
    """The file is open to all, but no group was named."""
    path = story.path("d1.control")
    daemon = story.serve(echo(), top={"control": {"socket": path,
                                                  "mode": "0666"}})
    entry = pwd.getpwnam("nobody")
    for command in ("ping", "status", "stop"):
        answer = control.ask_as(path, command, entry.pw_uid, entry.pw_gid)
        expect_equal((answer["ok"], answer["code"]), (False, 4), command)
    expect(daemon.told("ping"), "root may")


@scenario(root=True)
def the_group_may_ask_and_not_change(story):
    path = story.path("d1.control")
    gid = grp.getgrnam("daemon").gr_gid
    daemon = story.serve(echo(), top={"control": {
        "socket": path, "mode": "0660", "group": "daemon"}})
    entry = pwd.getpwnam("nobody")

    def ask(command, groups=(gid,)):
        return control.ask_as(path, command, entry.pw_uid, entry.pw_gid,
                              groups)
    for command in ("ping", "status", "list", "show e", "health"):
        expect(ask(command)["ok"], "%s is not answered", command)
    for command in ("stop", "log-level debug", "stop e", "reload", "upgrade",
                    "kill 1", "drain e", "restart e", "start e"):
        answer = ask(command)
        expect_equal((answer["ok"], answer["code"]), (False, 4), command)
        expect("root" in answer["error"], "%r", answer)
    expect_equal(ask("ping", ()), None, "answer to who is not in the group")
    expect(daemon.told("ping"), "root may")
    expect(not daemon.log.find("command stop"), "it was logged as obeyed")


@scenario(root=True)
def the_daemon_s_own_user_may_change(story):
    os.chmod(story.directory, 0o777)
    daemon = story.serve(echo(), prepare=become_nobody)
    entry = pwd.getpwnam("nobody")
    answer = control.ask_as(daemon.control_socket, "log-level debug",
                            entry.pw_uid, entry.pw_gid)
    expect(answer["ok"], "%r", answer)
    expect(daemon.told("stop"), "root may too")
    daemon.finish()


@scenario
def who_changes_something_is_logged(story):
    daemon = story.serve(echo())
    expect(daemon.told("log-level info"), "it is done")
    line = daemon.log.wait("command log-level info")
    expect("process %d of user %d" % (os.getpid(), os.geteuid())
           in line.message, "%r", line.message)


# What clients cannot do

@scenario
def many_commands_in_one_go_are_answered_in_order(story):
    daemon = story.serve(echo())
    client = daemon.controller()
    client.send(b"ping\nlist\nnonsense\n" * 200)
    for _ in range(200):
        expect("pid" in client.answer()["result"], "ping")
        expect_equal(client.answer()["result"][0]["name"], "e", "list")
        expect_equal(client.answer()["code"], 2, "nonsense")


@scenario
def a_line_byte_by_byte_is_a_command(story):
    daemon = story.serve(echo())
    client = daemon.controller()
    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
    for byte in b"ping\nli":
        client.send(bytes([byte]))
    expect("pid" in client.answer()["result"], "ping")
    client.send(b"st\n")
    expect_equal(client.answer()["result"][0]["name"], "e", "list")


@scenario
def half_a_line_is_waited_for_only_so_long(story):
    daemon = story.serve(echo())
    client = daemon.controller().send(b"pin")
    serves(daemon)
    client.expect_end()
    expect(daemon.told("ping"), "it still answers")


@scenario
def half_a_line_and_the_end_is_no_command(story):
    daemon = story.serve(echo())
    client = daemon.controller().send(b"stop")
    client.sock.shutdown(socket.SHUT_WR)
    client.expect_end()
    expect(daemon.told("ping"), "it still answers")
    expect(not daemon.log.find("command stop"), "it was obeyed")


@scenario
def a_line_without_end_is_refused(story):
    """A mebibyte; the first part is told to be too long, the rest unread."""
    daemon = story.serve(echo())
    client = daemon.controller()
    sender = threading.Thread(target=client.send, args=(b"x" * (1 << 20),))
    sender.start()
    answer = client.answer()
    expect_equal((answer["ok"], answer["code"]), (False, 2), "answer")
    expect("too long" in answer["error"], "%r", answer)
    client.expect_end()
    sender.join()
    with control.Client(daemon.control_socket) as other:
        fits = b"x" * (REQUEST_MAX - 1) + b"\n"
        expect("no command" in other.send(fits).answer()["error"], "fits")
    serves(daemon)


NASTY = (
    b"\0", b"\0" * 100, b"ping\0", b"\0ping", b"pi\0ng", b"ping\r",
    b"\tping", b"ping\t", b"show\te", b"show  e", b" ping", b"ping ", b"",
    b" ", b"\x1b[2J", b"\x7f", b"\xff\xfe", b"\xe8\xaf\xb7", b"\xc0\xaf",
    b"ping \x80", b"a " * 9 + b"a", b"GET / HTTP/1.1\r", b"{\"ok\":1}\x01",
    bytes(range(1, 10)) + bytes(range(11, 256)),
)


@scenario(form=("text", "json"))
def bytes_that_are_no_text_are_refused(story, form):
    daemon = story.serve(echo(), log={"format": form})
    client = daemon.controller()
    for line in NASTY:
        answer = client.send(line + b"\n").answer()
        expect_equal((answer["ok"], answer["code"]), (False, 2), repr(line))
    for line in ("%n%s%x", "'; DROP", "../../x", "\\", "\"", "show %s%n",
                 "show \"\\", "log-level <>&"):
        answer = client.ask(line)
        expect(not answer["ok"], "%r: %r", line, answer)
    expect(client.ask("ping")["ok"], "it still answers")
    serves(daemon)


def flood(daemon, count):
    """So many clients; what each was told first, None: nothing."""
    clients = [control.Client(daemon.control_socket) for _ in range(count)]
    told = []
    try:
        for client in clients:
            client.send(b"ping\n")
        for client in clients:
            told.append(client.answer())
    finally:
        for client in clients:
            client.close()
    return told


@scenario
def a_hundred_clients_at_once_are_all_told(story):
    daemon = story.serve(echo())
    told = flood(daemon, 100)
    good = [one for one in told if one["ok"]]
    expect_equal(len(good), CLIENTS_MAX, "clients that were served")
    for one in told:
        expect(one["ok"] or (one["code"] == 1 and "too many" in one["error"]),
               "%r", one)
    serves(daemon)
    eventually("there is room again",
               lambda: daemon.control("ping")["ok"], 10)


@scenario(root=True)
def who_may_only_ask_leaves_room_for_root(story):
    path = story.path("d1.control")
    daemon = story.serve(echo(), top={"control": {
        "socket": path, "mode": "0666", "group": "daemon"}})
    entry = pwd.getpwnam("nobody")
    told, gone = os.pipe()
    hold, go = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(go)
            os.setgroups([])
            os.setresgid(entry.pw_gid, entry.pw_gid, entry.pw_gid)
            os.setresuid(entry.pw_uid, entry.pw_uid, entry.pw_uid)
            clients = [control.Client(path) for _ in range(CLIENTS_MAX)]
            good = [c.send(b"ping\n").answer()["ok"] for c in clients]
            os.write(gone, b"%d\n" % sum(good))
            os.read(hold, 1)
            status = 0
        finally:
            os._exit(status)
    os.close(gone)
    os.close(hold)
    served = os.read(told, 100)
    expect_equal(served, b"%d\n" % (CLIENTS_MAX - RESERVED), "served")
    expect(daemon.told("status"), "root is answered")
    os.close(go)
    os.close(told)
    os.waitpid(child, 0)


@scenario
def who_does_not_read_is_left_behind(story):
    """Thousands of large answers, and nobody takes them."""
    daemon = story.serve(echo(), *(listener("more-%d" % i, "echo")
                                   for i in range(20)))
    client = daemon.controller()
    sender = threading.Thread(target=client.send,
                              args=(b"status\n" * 20000,))
    sender.start()
    deadline = Deadline(30)
    while sender.is_alive():    # until the daemon hangs up
        expect(not deadline.passed(), "the client was never left")
        serves(daemon)
        expect(daemon.told("ping"), "another is answered")
        sender.join(0.1)
    client.close()


@scenario
def who_hangs_up_is_forgotten(story):
    daemon = story.serve(echo())
    for command in (b"status\n", b"show e\n" * 10, b"log-level info\n",
                    b"pi", b"nonsense\n", b""):
        for _ in range(20):
            control.Client(daemon.control_socket).send(command).close()
    serves(daemon)
    expect(daemon.told("ping"), "it still answers")


@scenario
def descriptors_that_are_sent_along_are_closed(story):
    daemon = story.serve(echo())
    client = daemon.controller()
    reader, writer = os.pipe()
    for _ in range(50):
        socket.send_fds(client.sock, [b"ping\n"], [writer] * 10)
        expect(client.answer()["ok"], "ping")
    os.close(writer)
    expect_equal(os.read(reader, 1), b"", "the daemon holds the pipe")
    os.close(reader)


def expect_rest(daemon):
    """The supervisor does not go round and round: of a few spans of half a
    second there is one in which it does next to nothing."""
    for _ in range(5):
        before = proc.cpu_seconds(daemon.pid)
        pause(0.5)
        used = proc.cpu_seconds(daemon.pid) - before
        if used < 0.1:
            return
    raise Failure("%g s of processor time in half a second" % used)


@scenario
def clients_that_wait_cost_nothing(story):
    """Idle ones, one in the middle of a line, one that does not read: the
    supervisor's processor time stands still."""
    daemon = story.serve(echo())
    idle = [daemon.controller() for _ in range(20)]
    stuck = daemon.controller()
    stuck.sock.settimeout(2)
    try:
        stuck.sock.sendall(b"status\n" * 20000)
    except TimeoutError:
        pass                    # the answers fill the way back
    expect_rest(daemon)
    for client in idle:
        expect(client.ask("ping")["ok"], "ping")


@scenario
def out_of_descriptors_it_rests_and_comes_back(story):
    """The supervisor has none to spare: no answer, no busy loop, and service
    goes on; with descriptors again, who waited is answered."""
    daemon = story.serve(echo())
    taken = proc.descriptors(daemon.pid)
    limit = max(taken) + 1
    before = resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (limit, before[1]))
    for _ in range(limit - len(taken)):         # the gaps
        expect(daemon.controller().ask("ping")["ok"], "ping")
    client = daemon.controller().send(b"ping\n")
    serves(daemon)
    expect_rest(daemon)
    expect_equal(len(proc.descriptors(daemon.pid)), limit, "descriptors")
    resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, before)
    expect(client.answer()["ok"], "who waited is answered")
