# SPDX-License-Identifier: ISC
"""Reload: what changes does, what does not change is not touched, and a fault
changes nothing."""

import os
import select
import shutil
import signal
import socket
import stat

import control
import peers
import proc
from daemon import HANDLERS
from peers import TCP4, UDP4, UNIX, UNIXGRAM, Address
from scenario import (EVENT1, EVENT2, FORKING, MODELS, POOL, PREFORK1,
                      PREFORK2, SYNC, THREADED, URING, Failure, listener,
                      scenario, talk)
from until import eventually, expect, expect_equal

# With max_connections 1 a second client waits in the queue.
QUEUEING = (SYNC, THREADED, FORKING, PREFORK1, EVENT1)
OTHER = "tcp://127.0.0.2:0"
THIRD = "tcp://127.0.0.3:0"


def reply(text, model=None, transport=TCP4, name="reply", **keys):
    return listener(name, "reply", transport, model, {"text": text}, **keys)


def patient(model=None, transport=TCP4, name="p", **keys):
    return listener(name, "patient", transport, model, **keys)


def told(daemon, transport=TCP4, name="reply"):
    """The text of the generation that serves a new client."""
    client = talk(daemon, transport, name)
    client.send("?")
    text = client.rest() if transport.is_stream else client.receive()
    client.close()
    return text.decode()


def plan(daemon):
    """{listener: (action, keys)}."""
    return {one["name"]: (one["action"], one["keys"])
            for one in daemon.told("plan")["changes"]}


def results(answer):
    """{listener: result} of a reload, whether it went well or not."""
    return {one["name"]: one["result"]
            for one in answer["result"]["changes"]}


def draining(daemon, name):
    """The older generations that still have something to finish."""
    return daemon.told("show " + name)["draining"]


def is_refused_soon(address):
    eventually("%s refuses" % address, lambda: peers.is_refused(address), 10)


class Untouched:
    """Sockets and processes of some listeners, which stay as they are."""

    def __init__(self, daemon, *names):
        self.daemon, self.names = daemon, names
        self.workers = [daemon.workers(name) for name in names]
        self.sockets = proc.bound_sockets(daemon.pid)

    def check_sockets(self):
        # An answer may come a moment before something is closed.
        eventually(lambda: "the sockets: %r, wanted %r" % (
            proc.bound_sockets(self.daemon.pid), self.sockets),
            lambda: proc.bound_sockets(self.daemon.pid) == self.sockets, 10)

    def check(self):
        self.check_sockets()
        expect_equal([self.daemon.workers(name) for name in self.names],
                     self.workers, "the processes")


# What changes, and what does not

@scenario(model=MODELS, transport=(TCP4, UNIX, UDP4, UNIXGRAM))
def a_new_generation_serves_and_the_old_one_finishes(story, model, transport):
    def rows(text, timeout):
        return (reply(text, model, transport), patient(model, timeout=timeout),
                listener("kept", "echo", TCP4, model))
    daemon = story.serve(*rows("old", 60))
    kept = daemon.dial("kept").send("a").expect("a")
    held = daemon.dial("p").expect("hello\n")
    expect_equal(told(daemon, transport), "old", "the reply")
    expect_equal(plan(daemon), {"reply": ("keep", []), "p": ("keep", []),
                                "kept": ("keep", [])}, "plan")
    before = Untouched(daemon, "kept")
    daemon.rewrite(*map(story.prepare, rows("new", 61)))
    wanted = {"reply": ("generation", ["options"]),
              "p": ("generation", ["timeout"]), "kept": ("keep", [])}
    expect_equal(plan(daemon), wanted, "plan")
    expect_equal(results(daemon.control("reload")), {
        "reply": "done", "p": "done", "kept": "unchanged"}, "results")
    expect_equal(told(daemon, transport), "new", "the reply")
    daemon.dial("p").expect("hello\n").send("?\n").expect("serving\n").close()
    held.send("?\n").expect("draining\n")
    expect_equal(draining(daemon, "p"), 1, "older generations")
    before.check()
    held.half_close().expect_end()
    eventually("the old one goes", lambda: draining(daemon, "p") == 0, 10)
    kept.send("b").expect("b").half_close().expect_end()
    expect_equal(set(daemon.reload().values()), {"keep"}, "the next reload")
    expect_equal(daemon.told("show p")["generation"], 2, "generation")
    requests = daemon.told("show reply")["requests"]
    daemon.stop()
    expect_equal(daemon.totals("reply").served, 2, "served by both")
    expect_equal(requests, 2, "the same over the control socket")


@scenario(old=MODELS)
def every_model_follows_every_other(story, old):
    def rows(model):
        return (listener("t", "echo", TCP4, model),
                listener("u", "echo", UDP4, model),
                listener("s", "echo", UNIX, model))
    daemon = story.serve(*rows(old))
    client = daemon.datagrams("u")
    sockets = Untouched(daemon)
    for new in MODELS:
        if new is old:
            continue
        for model in (new, old):
            held = [daemon.dial(name).send("a").expect("a")
                    for name in ("t", "s")]
            daemon.rewrite(*rows(model))
            expect_equal(daemon.reload(), dict.fromkeys(
                "tus", "generation"), "to %s" % model)
            for name in ("t", "s"):
                daemon.dial(name).send("new").half_close().expect("new")
            client.send("x").expect("x")
            for one in held:
                one.send("b").expect("b").half_close().expect_end()
            expect_equal(len(daemon.workers("t")), model.processes,
                         "processes")
        sockets.check_sockets()


@scenario
def more_and_fewer_processes(story):
    def row(count):
        return listener("e", "echo", TCP4, concurrency="prefork",
                        workers=count)
    daemon = story.serve(row(1))
    for count in (3, 2, 1):
        daemon.rewrite(row(count))
        expect_equal(plan(daemon), {"e": ("generation", ["workers"])}, "plan")
        daemon.reload()
        expect_equal(len(daemon.workers("e")), count, "processes")
        eventually("the old ones go", lambda: draining(daemon, "e") == 0, 10)
        expect_equal(sorted(daemon.workers("e")), daemon.services(), "pids")


@scenario(root=True, key=("top", "listener"))
def another_user(story, key):
    def uids(name):
        return {proc.status(pid)["Uid"].split()[0]
                for pid in daemon.workers(name)}
    daemon = story.serve(listener("e", "echo"), listener("own", "echo",
                                                         user="daemon"))
    before = Untouched(daemon, "own")
    row = listener("e", "echo", **({} if key == "top" else {"user": "bin"}))
    daemon.rewrite(row, daemon.listeners[1],
                   **({"user": "bin"} if key == "top" else {}))
    expect_equal(plan(daemon)["e"], ("generation", ["user"]), "plan")
    daemon.reload()
    expect_equal(uids("e"), {"2"}, "users")
    before.check()


@scenario(model=MODELS)
def a_handler_s_file_counts_by_its_content(story, model):
    path = story.path("handler.so")

    def put(name):
        shutil.copy(os.path.join(HANDLERS, name + ".so"), path + ".new")
        os.chmod(path + ".new", 0o755)
        os.rename(path + ".new", path)

    def answer():
        return daemon.dial().send("abc").half_close().rest()
    put("echo")
    daemon = story.serve(listener("h", path, TCP4, model))
    before = Untouched(daemon, "h")
    os.utime(path)
    put("echo")
    expect_equal(daemon.reload(), {"h": "keep"}, "the same bytes")
    before.check()
    expect_equal(answer(), b"abc", "answer")
    put("uppercase")
    expect_equal(plan(daemon), {"h": ("generation", ["handler"])}, "plan")
    daemon.reload()
    expect_equal(answer(), b"ABC", "answer")
    before.check_sockets()


@scenario
def listeners_come_and_go(story):
    daemon = story.serve(reply("a", name="a"), listener(
        "b", "echo", [TCP4, UNIX]), listener("c", "echo"))
    before = Untouched(daemon, "c")
    gone = daemon.addresses("b")
    daemon.rewrite(reply("d", THREADED, UDP4, "d"), reply("A", name="a"),
                   listener("c", "echo"))
    expect_equal(plan(daemon), {
        "d": ("add", []), "a": ("generation", ["options"]),
        "c": ("keep", []), "b": ("remove", [])}, "plan")
    expect_equal(results(daemon.control("reload")), {
        "d": "done", "a": "done", "c": "unchanged", "b": "done"}, "results")
    expect_equal(told(daemon, UDP4, "d"), "d", "the added one")
    expect_equal(told(daemon, TCP4, "a"), "A", "the changed one")
    for address in gone:
        is_refused_soon(address)
    expect(not os.path.lexists(gone[1].sockaddr), "the socket's file is left")
    expect_equal([one["name"] for one in daemon.told("list")].count("b"), 0,
                 "the removed one in the list")
    expect_equal(daemon.workers("c"), before.workers[0], "untouched")
    expect_equal(len(daemon.every_address()), 3, "address_file")


@scenario
def a_listener_may_be_switched_off_and_on(story):
    def rows(enabled):
        return listener("a", "echo"), listener("b", "echo", enabled=enabled)
    daemon = story.serve(*rows(True))
    address = daemon.address("b")
    daemon.rewrite(*rows(False))
    expect_equal(plan(daemon)["b"], ("remove", ["enabled"]), "plan")
    daemon.reload()
    is_refused_soon(address)
    daemon.rewrite(*rows(True))
    expect_equal(plan(daemon)["b"][0], "add", "plan")
    daemon.reload()
    daemon.dial("b").send("x").expect("x").close()
    daemon.has_totals = False           # two lives, two lines


# Keys that need no new process

@scenario
def restart_and_drain_timeout_are_live(story):
    def rows(initial, drain):
        return [patient(model, name=str(model), drain_timeout=drain,
                        restart={"initial": initial, "maximum": 60})
                for model in MODELS]
    daemon = story.serve(*map(story.prepare, rows(0.1, 30)))
    daemon.cuts_short = daemon.may_crash = True
    before = Untouched(daemon, *map(str, MODELS))
    daemon.rewrite(*map(story.prepare, rows(8, 0.2)))
    expect_equal(set(map(repr, plan(daemon).values())), {repr(
        ("live", ["restart.initial", "drain_timeout"]))}, "plan")
    expect_equal(set(daemon.reload().values()), {"live"}, "actions")
    before.check()
    held = {str(model): daemon.dial(str(model)).expect("hello\n").send(
        "read\n") for model in MODELS}
    proc.kill(daemon.workers("prefork2")[0])
    record = daemon.log.wait("restarting in ")
    wait = float(record.message.split("restarting in ")[1].split()[0])
    expect(8 <= wait <= 10, "restart: %s", record.message)
    for name, client in held.items():
        if name == "prefork2":
            continue
        daemon.told("stop " + name)     # answers when all is done
        client.rest_or_reset()
        daemon.log.wait(lambda r: r.get("listener") == name
                        and "read: ECANCELED" in r.message)


@scenario
def the_log_changes_without_new_processes(story):
    def rows():
        return [listener(str(model), "echo", TCP4, model) for model in MODELS]

    def targets(name, **log):
        return dict({"target": "file:" + story.path(name)}, **log)

    def text(name):
        return proc.read(story.path(name)).decode()
    daemon = story.serve(*rows(), log=targets("a.log"))
    daemon.has_totals = False           # they are in the file
    names = [str(model) for model in MODELS]
    before = Untouched(daemon, *names)

    def all_serve():
        for name in names:
            daemon.dial(name).send("x").half_close().rest()
    all_serve()
    eventually("an access line each", lambda: text("a.log").count(
        "result=ok") == len(names), 10)
    daemon.rewrite(*rows(), log=targets("b.log", format="json",
                                        level="debug"))
    expect_equal(daemon.told("plan")["settings"],
                 ["log.target", "log.level", "log.format"], "settings")
    expect_equal(set(daemon.reload().values()), {"keep"}, "actions")
    all_serve()
    eventually("an access line each", lambda: text("b.log").count(
        '"result":"ok"') == len(names), 10)
    expect_equal(text("a.log").count("result=ok"), len(names), "old file")
    for change in {"access": False}, {"access": True, "level": "notice"}:
        daemon.rewrite(*rows(), log=targets("b.log", **change))
        daemon.reload()
        all_serve()
    daemon.rewrite(*rows(), log=targets("b.log", format="text", level="info",
                                        access=True))
    daemon.reload()
    all_serve()
    eventually("access lines again", lambda: text("b.log").count(
        "result=ok") == len(names), 10)
    before.check()
    daemon.stop()
    expect_equal(text("b.log").count('"result":"ok"'), len(names),
                 "access lines while there should be none")


@scenario(end=(signal.SIGCONT, signal.SIGKILL))
def a_reload_answers_when_services_log_as_it_says(story, end):
    def rows(name):
        return dict(log={"target": "file:" + story.path(name)})
    daemon = story.serve(listener("echo", "echo", TCP4, PREFORK2),
                         **rows("a.log"))
    daemon.has_totals = False           # they are in the file
    late = daemon.workers("echo")[1]
    proc.kill(late, signal.SIGSTOP)
    daemon.rewrite(listener("echo", "echo", TCP4, PREFORK2), **rows("b.log"))
    with daemon.controller() as asked:
        asked.send(b"reload\n")
        eventually("the daemon itself logs there",
                   lambda: os.path.exists(story.path("b.log")), 10)
        daemon.told("list")             # an answer would be there before
        expect(not select.select([asked.sock], [], [], 0)[0],
               "answered while a process has not followed")
        daemon.may_crash = end == signal.SIGKILL
        proc.kill(late, end)
        expect(asked.answer()["ok"], "the reload")


@scenario
def keys_of_the_socket_are_applied_to_the_open_one(story):
    def rows(backlog, mode):
        return (listener("t", "echo", TCP4, backlog=backlog),
                listener("s", "echo", UNIX, backlog=backlog, mode=mode))

    def backlog_of(name):
        inode = next(inode for inode, place in before.sockets.items()
                     if place == daemon.address(name).sockaddr)
        number = next(number for number, what in proc.descriptors(
            daemon.pid).items() if what == inode)
        with socket.socket(fileno=proc.take_descriptor(
                daemon.pid, number)) as sock:
            info = sock.getsockopt(socket.SOL_TCP, socket.TCP_INFO, 64)
        return int.from_bytes(info[28:32], "little")
    daemon = story.serve(*rows(77, "0660"))
    before = Untouched(daemon, "t", "s")
    path = daemon.address("s").sockaddr
    file = os.stat(path).st_ino
    expect_equal(backlog_of("t"), 77, "backlog")
    daemon.rewrite(*rows(55, "0600"))
    expect_equal(plan(daemon), {"t": ("socket", ["backlog"]),
                                "s": ("socket", ["backlog", "mode"])}, "plan")
    daemon.reload()
    expect_equal(backlog_of("t"), 55, "backlog")
    expect_equal(stat.S_IMODE(os.stat(path).st_mode), 0o600, "mode")
    expect_equal(os.stat(path).st_ino, file, "inode of the file")
    before.check()


@scenario(root=True)
def the_owner_of_a_socket_s_file_changes(story):
    def row(**keys):
        return listener("s", "echo", UNIX, **keys)
    daemon = story.serve(row())
    before = Untouched(daemon, "s")
    daemon.rewrite(row(owner="bin", group_owner="daemon"))
    daemon.reload()
    info = os.stat(daemon.address().sockaddr)
    expect_equal((info.st_uid, info.st_gid), (2, 1), "owner and group")
    before.check()


@scenario
def the_address_file_moves(story):
    daemon = story.serve(listener("e", "echo"))
    old, daemon.address_file = daemon.address_file, story.path("elsewhere")
    before = Untouched(daemon, "e")
    daemon.rewrite(listener("e", "echo"))
    daemon.reload()
    daemon.dial().send("x").expect("x")
    expect(not os.path.exists(old), "the old address_file is left")
    before.check()


# Addresses

def queue(daemon, address, count, text):
    """Clients that nobody has taken yet."""
    return [daemon.dial(address).send(text) for _ in range(count)]


@scenario(model=QUEUEING, transport=(TCP4, UNIX))
def an_address_that_goes_is_emptied_first(story, model, transport):
    """The listener moves, or is removed; who waits in the queue is served."""
    def row(name, listen):
        return story.prepare(patient(model, listen, name, max_connections=1))
    daemon = story.serve(row("moved", transport), row("removed", transport))
    old = [daemon.address(name) for name in ("moved", "removed")]
    held = [daemon.dial(address).expect("hello\n") for address in old]
    waiting = [queue(daemon, address, 5, "?\n") for address in old]
    daemon.rewrite(row("moved", THIRD))
    expect_equal(plan(daemon), {"moved": ("socket", ["listen"]),
                                "removed": ("remove", [])}, "plan")
    daemon.reload()
    for address in old:
        is_refused_soon(address)
    daemon.dial("moved").expect("hello\n").send("?\n").expect("serving\n")
    for client in held:
        client.send("?\n").expect("draining\n").half_close().expect_end()
    for client in sum(waiting, []):
        client.half_close()
    for client in sum(waiting, []):
        client.expect("hello\ndraining\n").expect_end()
    eventually("the removed one is gone", lambda: daemon.log.find(
        lambda r: r.get("listener") == "removed"
        and "stopped: accepted" in r.message), 10)
    expect_equal(daemon.totals("removed").cut_short, 0, "cut short")


@scenario(model=QUEUEING)
def one_of_two_addresses_goes(story, model):
    def row(*listen):
        return story.prepare(patient(model, list(listen), max_connections=1))
    daemon = story.serve(row(TCP4, OTHER))
    goes, stays = daemon.addresses()
    held = daemon.dial(goes).expect("hello\n")
    waiting = queue(daemon, goes, 4, "?\n")
    staying = queue(daemon, stays, 4, "?\n")
    daemon.rewrite(row(OTHER))
    daemon.reload()
    is_refused_soon(goes)
    for client in waiting + staying:
        client.half_close()
    for client in staying:              # by the new generation
        client.expect("hello\nserving\n").expect_end()
    held.send("?\n").expect("draining\n").half_close().expect_end()
    for client in waiting:
        client.expect("hello\ndraining\n").expect_end()
    expect_equal([one.text for one in daemon.addresses()], [stays.text],
                 "address_file")


@scenario(model=QUEUEING, transport=(TCP4, UDP4))
def an_address_moves_to_another_listener(story, model, transport):
    """With what waits in its queue. It is never bound a second time."""
    moving = transport.pattern

    def rows(first, second):
        return [story.prepare(reply(name, model, listen, name, **keys))
                for name, listen, keys in (
                    ("first", first, {"max_connections": 1}),
                    ("second", second, {}))]
    daemon = story.serve(*rows([moving, OTHER], THIRD))
    address, other = daemon.addresses("first")
    before = Untouched(daemon)
    if transport.is_stream:
        held = daemon.dial(other)       # the first one is busy
        eventually("it is taken", lambda: daemon.told("show first")[
            "active"] == 1, 10)
        waiting = queue(daemon, address, 5, "?")
    daemon.rewrite(*rows(OTHER, [THIRD, moving]))
    expect_equal(set(daemon.reload().values()), {"socket"}, "actions")
    before.check_sockets()
    if transport.is_stream:
        for client in waiting:
            client.expect("second").expect_end()
        held.send("?").expect("first").expect_end()
        daemon.dial(address).send("?").expect("second").expect_end()
    else:
        daemon.datagrams(address).send("?").expect("second")
    daemon.dial(other).send("?").expect("first").expect_end()
    expect_equal(daemon.addresses("second")[1].text, address.text,
                 "address_file")


@scenario(old=(THREADED, FORKING, EVENT2, URING), new=(SYNC, PREFORK2, POOL,
          EVENT2, URING))
def taking_beside_another_listener_blocks_nobody(story, old, new):
    """The one that gives the address up cannot switch yet; both take."""
    mood = story.write("mood", "")

    def first(listen, drain):
        row = listener("first", "moody", listen, old, {"mood": mood},
                       drain_timeout=drain)
        return story.prepare(row)
    daemon = story.serve(first([TCP4, OTHER], 10),
                         listener("second", "echo", THIRD, new))
    address, other = daemon.addresses("first")
    held = daemon.dial(other).send("a\n").expect("fine\n")
    story.write("mood", "wait")
    daemon.rewrite(first(OTHER, 10), listener("second", "echo", TCP4, new))
    asking = daemon.controller().send(b"reload\n")
    eventually("the other one has moved", lambda: daemon.told(
        "show second")["addresses"] == [address.text], 10)
    for _ in range(200):
        client = daemon.dial(address).send("b\n").half_close()
        expect(client.rest() in (b"b\n", b"fine\n"), "answered by nobody")
    held.send("c\n").expect("fine\n")
    story.write("mood", "")
    expect(asking.answer()["ok"], "reload")
    daemon.dial(address).send("d\n").expect("d\n").half_close().expect_end()
    held.send("e\n").expect("fine\n").half_close().expect_end()
    expect(not daemon.log.find("past its drain deadline"), "it hung")


# Faults: nothing changes

class Bad:
    """A file that is no configuration; {good} is a listener that differs."""

    def __init__(self, name, said, *rows, text=None):
        self.name, self.said, self.rows, self.text = name, said, rows, text

    def __str__(self):
        return self.name

    def write(self, story, daemon):
        if self.text is not None:
            story.write(os.path.basename(daemon.conf), self.text)
            return
        daemon.rewrite(reply("new"), *self.rows)


BAD = (
    Bad("syntax", ":2: ", text="listeners = (\n{ name = ; } );\n"),
    Bad("option", "options.nonsense", listener(
        "b", "echo", options={"nonsense": 1})),
    Bad("key", "bakclog", listener("b", "echo", bakclog=1)),
    Bad("handler", "nosuch", listener("b", "nosuch")),
    Bad("nothing-enabled", "no listener is enabled",
        text='listeners = ( { name = "b"; listen = "udp://127.0.0.1:0"; '
        'handler = "echo"; enabled = false; } );\n'),
    Bad("directory", "", text=None),
)


@scenario(bad=BAD)
def a_fault_changes_nothing(story, bad):
    daemon = story.serve(reply("old"), listener("kept", "echo"))
    kept = daemon.dial("kept").send("a").expect("a")
    before = Untouched(daemon, "reply", "kept")
    if bad.name == "directory":
        os.rename(daemon.conf, daemon.conf + ".away")
        os.mkdir(daemon.conf)
    else:
        bad.write(story, daemon)
    for command in ("plan", "reload"):
        answer = daemon.control(command)
        expect(not answer["ok"] and answer["code"] == 1, "%r", answer)
        said = "\n".join(answer.get("faults", [])) + answer["error"]
        expect(bad.said in said, "%s: %r", command, answer)
    if bad.text is None and bad.rows or bad.name == "syntax":
        expect(daemon.conf + ":" in said, "no place: %r", answer)
    before.check()
    expect_equal(told(daemon), "old", "the reply")
    kept.send("b").expect("b")
    last = daemon.told("status")["last_reload"]
    expect(not last["ok"] and last["error"], "last reload: %r", last)
    if bad.name == "directory":
        os.rmdir(daemon.conf)
    daemon.rewrite(reply("new"), listener("kept", "echo"))
    daemon.reload()
    expect_equal(told(daemon), "new", "the reply")
    expect(daemon.told("status")["last_reload"]["ok"], "last reload")


@scenario
def a_port_in_use_refuses_the_whole_reload(story):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        daemon = story.serve(reply("old"), listener("kept", "echo"))
        before = Untouched(daemon, "reply", "kept")
        port = taken.getsockname()[1]
        daemon.rewrite(reply("new"), listener("unix", "echo", UNIX),
                       listener("taken", "echo", "tcp://127.0.0.1:%d" % port))
        answer = daemon.control("reload")
        expect(not answer["ok"], "reloaded")
        said = "\n".join(answer["faults"])
        for part in (daemon.conf + ":", 'listener "taken"', str(port)):
            expect(part in said, "%r is not in %r", part, said)
        before.check()
        expect_equal(told(daemon), "old", "the reply")
        daemon.rewrite(reply("old"), listener("kept", "echo"))
        expect_equal(set(daemon.reload().values()), {"keep"}, "afterwards")


def moody(story, model, name="moody", **keys):
    path = story.path("mood")
    return story.prepare(listener(name, "moody", TCP4, model, {"mood": path},
                                  **keys))


@scenario(model=MODELS, mood=("fail", "crash", "exit"))
def a_generation_that_does_not_open_leaves_the_old_one(story, model, mood):
    story.write("mood", "")
    daemon = story.serve(moody(story, model), reply("old", model))
    daemon.may_crash = True
    before = Untouched(daemon, "moody")
    held = daemon.dial("moody").send("a\n").expect("fine\n")
    story.write("mood", mood)
    daemon.rewrite(moody(story, model, timeout=7), reply("new", model))
    answer = daemon.control("reload")
    expect(not answer["ok"], "reloaded")
    expect_equal(results(answer), {"moody": "failed", "reply": "done"},
                 "results")
    if mood == "fail":
        expect("in no mood" in answer["result"]["changes"][0]["error"],
               "no reason: %r", answer)
    before.check()
    held.send("b\n").expect("fine\n").half_close().expect_end()
    daemon.dial("moody").send("c\n").expect("fine\n").close()
    expect_equal(told(daemon), "new", "the other one")
    expect_equal(plan(daemon)["moody"], ("generation", ["timeout"]),
                 "plan again")
    story.write("mood", "")
    expect_equal(daemon.reload(), {"moody": "generation", "reply": "keep"},
                 "with a better mood")
    daemon.dial("moody").send("d\n").expect("fine\n").close()
    before.check_sockets()


@scenario(deadline=90)
def a_generation_that_hangs_is_given_up(story):
    def rows(timeout):
        return [moody(story, model, str(model), timeout=timeout)
                for model in MODELS]
    story.write("mood", "")
    names = [str(model) for model in MODELS]
    daemon = story.serve(*rows(60))
    daemon.may_crash = True
    before = Untouched(daemon, *names)
    story.write("mood", "hang")
    daemon.rewrite(*rows(61))
    with control.Client(daemon.control_socket, 60) as client:
        answer = client.ask("reload")
    expect_equal(results(answer), dict.fromkeys(names, "failed"), "results")
    before.check()
    for name in names:
        daemon.dial(name).send("a\n").expect("fine\n").close()


@scenario(model=MODELS)
def at_most_four_older_generations_drain(story, model):
    def row(number):
        return story.prepare(patient(model, timeout=60 + number))
    daemon = story.serve(row(0))
    daemon.cuts_short = True
    held = [daemon.dial().expect("hello\n")]
    for number in range(1, 8):
        daemon.rewrite(row(number))
        daemon.reload()
        held.append(daemon.dial().expect("hello\n"))
    for client in held[:3]:
        client.rest_or_reset()          # ended early
    eventually("four are left", lambda: draining(daemon, "p") == 4, 10)
    for client in held[3:7]:
        client.send("?\n").expect("draining\n")
    held[7].send("?\n").expect("serving\n")
    daemon.log.wait("is ended early", count=3)


@scenario(model=MODELS)
def a_process_that_is_stopped_holds_no_reload_up(story, model):
    def row(timeout):
        return story.prepare(patient(model, timeout=timeout))
    daemon = story.serve(row(60))
    daemon.may_crash = daemon.cuts_short = True     # it is not waited for
    held = daemon.dial().expect("hello\n")
    old = daemon.workers("p")
    for pid in old:
        proc.stop(pid)
    waiting = queue(daemon, daemon.address(), 3, "?\n")
    daemon.rewrite(row(61))
    expect_equal(daemon.reload(), {"p": "generation"}, "actions")
    daemon.log.wait("has not let go of the sockets")
    for client in waiting:
        client.half_close().rest_or_reset()     # one may be theirs
    daemon.dial().expect("hello\n").send("?\n").expect("serving\n").close()
    for pid in old:
        os.kill(pid, signal.SIGCONT)
    held.send("until-drain\n").expect("draining\n").half_close()
    held.expect_end()
    eventually("the old one goes", lambda: draining(daemon, "p") == 0, 10)


@scenario(model=MODELS)
def nobody_is_woken_in_vain_for_a_process_that_is_stopped(story, model):
    """The kernel accepts for one that cannot go on: it is the first that is woken
    for each connection, and who takes beside it must be woken as well."""
    daemon = story.serve(story.prepare(patient(URING)))
    daemon.may_crash = daemon.cuts_short = True
    daemon.keeps_descriptors = False    # there may be more processes
    held = daemon.dial().expect("hello\n")
    old = daemon.workers("p")
    proc.stop(*old)
    daemon.rewrite(story.prepare(patient(model, timeout=61)))
    expect_equal(daemon.reload(), {"p": "generation"}, "actions")
    daemon.dial().close()               # it may be its own
    for _ in range(3):
        daemon.dial().expect("hello\n").send("?\n").expect("serving\n").close()
    os.kill(*old, signal.SIGCONT)
    held.send("until-drain\n").expect("draining\n").half_close()
    held.expect_end()
    eventually("the old one goes", lambda: draining(daemon, "p") == 0, 10)


# When it is asked for

def count_loads(daemon):
    return len(daemon.log.find(lambda r: r.message.startswith("reload: ")
                               and "unchanged" in r.message))


@scenario
def a_thousand_hups_are_a_few_reloads(story):
    daemon = story.serve(reply("old"))
    before = Untouched(daemon)
    daemon.rewrite(reply("new"))
    for _ in range(1000):
        daemon.signal(signal.SIGHUP)
    eventually("it is reloaded", lambda: told(daemon) == "new", 20)
    daemon.reload()                     # behind all of them
    expect(2 <= count_loads(daemon) <= 100, "%d loads", count_loads(daemon))
    before.check_sockets()


@scenario(model=MODELS, change=("text", "removal"))
def a_hup_before_readiness_is_kept(story, model, change):
    story.write("mood", "wait")
    daemon = story.launch(reply("old", model), moody(story, model))
    eventually("it listens", lambda: os.path.exists(daemon.address_file)
               and daemon.told("ping"), 10)
    daemon.rewrite(reply("new", model), *[moody(story, model)] * (
        change == "text"))
    daemon.signal(signal.SIGHUP)
    expect(not daemon.control("reload")["ok"], "a reload while it starts")
    expect("READY=1" not in daemon.notified, "ready too early")
    story.write("mood", "")
    daemon.wait_ready()
    daemon.log.wait("reload: %d listener" % (1 + (change == "removal")))
    eventually("it is reloaded", lambda: told(daemon) == "new", 10)
    # The second generation's descriptors may have been counted.
    daemon.keeps_descriptors = False


@scenario
def one_reload_waits_for_the_other(story):
    story.write("mood", "")
    daemon = story.serve(moody(story, THREADED), reply("a"))
    story.write("mood", "wait")
    daemon.rewrite(moody(story, THREADED, timeout=7), reply("b"))
    first = daemon.controller().send(b"reload\n")
    eventually("the first has begun", lambda: told(daemon) == "b", 10)
    second = daemon.controller().send(b"reload\n")
    planned = daemon.controller().send(b"plan\n")
    for command in ("stop reply", "restart reply", "drain reply"):
        answer = daemon.control(command)
        expect("a reload is running" in answer["error"], "%r", answer)
    daemon.rewrite(moody(story, THREADED, timeout=7), reply("c"))
    story.write("mood", "")
    expect_equal(results(first.answer()), {"moody": "done", "reply": "done"},
                 "the first")
    expect_equal(results(second.answer()), {
        "moody": "unchanged", "reply": "done"}, "the second")
    expect_equal({one["action"] for one in planned.answer()["result"][
        "changes"]}, {"keep"}, "the plan")
    expect_equal(told(daemon), "c", "the reply")


@scenario(model=MODELS)
def a_stop_ends_a_reload(story, model):
    story.write("mood", "")
    daemon = story.serve(moody(story, model), reply("old", model))
    held = daemon.dial("moody").send("a\n").expect("fine\n")
    story.write("mood", "wait")
    daemon.rewrite(moody(story, model, timeout=7), reply("new", model))
    asking = daemon.controller().send(b"reload\n")
    eventually("it has begun", lambda: told(daemon) == "new", 10)
    daemon.signal(signal.SIGTERM)
    answer = asking.answer()
    expect("stopping" in answer["error"], "%r", answer)
    held.send("b\n").expect("fine\n").half_close().expect_end()
    daemon.finish()


@scenario
def a_hup_while_it_stops_is_passed_over(story):
    daemon = story.serve(patient(), listener("e", "echo"))
    held = daemon.dial("p").expect("hello\n").send("until-drain\n")
    rows = list(daemon.listeners)
    daemon.signal(signal.SIGTERM)
    held.expect("draining\n")
    daemon.rewrite(*rows, reply("added"))
    daemon.signal(signal.SIGHUP)
    expect(not daemon.control("reload")["ok"], "a reload while it stops")
    held.half_close().expect_end()
    daemon.listeners = rows
    daemon.finish()
    expect(not any(one.startswith("RELOADING") for one in daemon.notified),
           "%r", daemon.notified)


# One listener by name

@scenario(model=MODELS)
def a_listener_is_stopped_and_started(story, model):
    daemon = story.serve(reply("old", model), listener("kept", "echo"))
    before = Untouched(daemon, "kept")
    address = daemon.address()
    expect_equal(daemon.told("stop reply")["state"], "stopped", "stop")
    is_refused_soon(address)
    expect_equal(daemon.workers("reply"), [], "processes")
    daemon.rewrite(reply("new", model), listener("kept", "echo"))
    expect_equal(plan(daemon)["reply"][0], "generation", "plan")
    daemon.reload()
    expect_equal(daemon.told("show reply")["state"], "stopped", "reloaded")
    expect_equal(daemon.workers("reply"), [], "processes")
    expect_equal(set(daemon.reload().values()), {"keep"}, "again")
    expect_equal(daemon.told("start reply")["state"], "serving", "start")
    expect_equal(told(daemon), "new", "the reply")
    expect_equal(daemon.told("start reply")["state"], "serving", "twice")
    expect_equal(daemon.workers("kept"), before.workers[0], "the other one")


@scenario(model=MODELS)
def a_drained_listener_keeps_newcomers_waiting(story, model):
    daemon = story.serve(reply("old", model))
    before = Untouched(daemon)
    expect_equal(told(daemon), "old", "the reply")
    expect_equal(daemon.told("drain reply")["state"], "drained", "drain")
    waiting = queue(daemon, daemon.address(), 3, "?")
    daemon.rewrite(reply("new", model))
    daemon.reload()
    expect_equal(daemon.told("show reply")["state"], "drained", "reloaded")
    before.check_sockets()
    expect_equal(daemon.told("start reply")["state"], "serving", "start")
    for client in waiting:
        client.expect("new").expect_end()
    before.check_sockets()


@scenario(model=MODELS)
def a_restart_replaces_the_processes(story, model):
    daemon = story.serve(patient(model))
    before = Untouched(daemon)
    old = daemon.workers("p")
    held = daemon.dial().expect("hello\n")
    expect_equal(daemon.told("restart p")["state"], "serving", "restart")
    expect(not set(old) & set(daemon.workers("p")), "the same processes")
    daemon.dial().expect("hello\n").send("?\n").expect("serving\n").close()
    held.send("?\n").expect("draining\n").half_close().expect_end()
    expect_equal(set(daemon.reload().values()), {"keep"}, "a reload")
    before.check_sockets()


@scenario
def a_reload_overtakes_a_restart(story):
    """What it changes is in force, whichever of the two ends first."""
    story.write("mood", "")

    def row(initial):
        return moody(story, THREADED, restart={"initial": initial})
    daemon = story.serve(row(0.1))
    story.write("mood", "wait")
    restart = daemon.controller().send(b"restart moody\n")
    eventually("it has begun", lambda: len(daemon.told("show moody")[
        "generations"]) == 2, 10)
    daemon.rewrite(row(5))
    expect_equal(daemon.reload(), {"moody": "live"}, "actions")
    story.write("mood", "")
    expect(restart.answer()["ok"], "restart")
    expect_equal(plan(daemon), {"moody": ("keep", [])}, "plan")


class Handed:
    """A socket that a service manager hands over as descriptor 3."""

    def __init__(self):
        self.sock = socket.socket()
        self.sock.bind(("127.0.0.1", 0))
        self.sock.listen(16)
        self.address = Address("tcp://127.0.0.1:%d"
                               % self.sock.getsockname()[1])

    def prepare(self):
        if self.sock.fileno() == 3:
            os.set_inheritable(3, True)
        else:
            os.dup2(self.sock.fileno(), 3)


@scenario
def a_socket_that_was_handed_over_is_there_again(story):
    handed = Handed()
    row = reply("one", transport="fd:web")
    daemon = story.serve(row, listener("e", "echo"),
                         env={"LISTEN_FDS": "1", "LISTEN_FDNAMES": "web"},
                         prepare=handed.prepare, close_fds=False)
    handed.sock.close()
    expect_equal(told(daemon), "one", "the reply")
    daemon.told("stop reply")
    waiting = queue(daemon, handed.address, 2, "?")
    daemon.told("start reply")
    for client in waiting:
        client.expect("one").expect_end()
    daemon.rewrite(listener("e", "echo"))
    daemon.reload()
    waiting = queue(daemon, handed.address, 2, "?")
    daemon.rewrite(reply("two", transport="fd:web"), listener("e", "echo"))
    daemon.reload()
    for client in waiting:
        client.expect("two").expect_end()
    daemon.has_totals = False           # two lives, two lines


# Confirmation

@scenario
def an_unconfirmed_configuration_is_undone(story):
    def rows(text, *more):
        return (reply(text), listener("kept", "echo")) + more
    daemon = story.serve(*rows("old"))
    before = Untouched(daemon, "kept")
    kept = daemon.dial("kept").send("a").expect("a")
    daemon.rewrite(*rows("new", listener("added", "echo")))
    result = daemon.told("reload confirm-within 1000")
    expect(0 < result["confirm_seconds"] <= 1, "%r", result)
    expect_equal(told(daemon), "new", "the reply")
    added = daemon.address("added")
    daemon.log.wait("was not confirmed in time")
    eventually("it is undone", lambda: told(daemon) == "old", 10)
    is_refused_soon(added)
    expect_equal(daemon.told("status")["confirm_seconds"], None, "confirm")
    before.check()
    kept.send("b").expect("b")
    daemon.listeners = list(rows("old"))


@scenario
def a_configuration_is_confirmed_or_rolled_back(story):
    daemon = story.serve(reply("old"))
    before = Untouched(daemon)
    expect(not daemon.control("confirm")["ok"], "nothing to confirm")
    expect(not daemon.control("rollback")["ok"], "nothing to go back to")
    daemon.rewrite(reply("new"))
    daemon.told("reload confirm-within 600000")
    daemon.signal(signal.SIGHUP)
    daemon.log.wait("waits to be confirmed")
    expect(not daemon.control("reload")["ok"], "a reload before it")
    daemon.told("confirm")
    expect_equal(daemon.told("status")["confirm_seconds"], None, "confirm")
    expect_equal(told(daemon), "new", "confirmed")
    daemon.rewrite(reply("newer"))
    daemon.told("reload confirm-within 600000")
    expect_equal(told(daemon), "newer", "the reply")
    daemon.told("rollback")
    expect_equal(told(daemon), "new", "rolled back")
    expect_equal(daemon.told("status")["confirm_seconds"], None, "confirm")
    expect(not daemon.control("rollback")["ok"], "no way forth")
    expect_equal(told(daemon), "new", "still")
    expect_equal(daemon.reload(), {"reply": "generation"}, "the file again")
    expect_equal(told(daemon), "newer", "the reply")
    before.check_sockets()


def free_port(kind):
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@scenario
def the_way_back_is_tried_again(story):
    """Somebody else has taken the address meanwhile."""
    def row(host):
        return story.prepare(patient(transport="tcp://%s:%d" % (host, port)))
    port = free_port(socket.SOCK_STREAM)
    daemon = story.serve(row("127.0.0.1"))
    daemon.rewrite(row("127.0.0.2"))
    before = daemon.address()
    daemon.told("reload confirm-within 2000")
    is_refused_soon(before)
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        daemon.log.wait("reload refused")
        daemon.dial().expect("hello\n").close()
    eventually("it is undone", lambda: daemon.address().text.startswith(
        "tcp://127.0.0.1:"), 20)
    daemon.dial().expect("hello\n").close()
    daemon.listeners = [row("127.0.0.1")]


@scenario
def the_way_back_finds_the_datagram_socket(story):
    """A generation that drains still has it, since it may have to reply."""
    def row(host):
        return story.prepare(patient(transport=[
            "tcp://%s:0" % host, "udp://%s:%d" % (host, port)]))
    port = free_port(socket.SOCK_DGRAM)
    daemon = story.serve(row("127.0.0.1"))
    held = daemon.dial().expect("hello\n")
    daemon.rewrite(row("127.0.0.2"))
    daemon.told("reload confirm-within 200")
    eventually("it is undone", lambda: daemon.address().text.startswith(
        "tcp://127.0.0.1:"), 20)
    held.send("?\n").expect("draining\n")
    for _ in range(20):
        expect_equal(daemon.datagrams(daemon.addresses()[1]).ask(b"?\n"),
                     b"serving\n", "reply")
    held.half_close().expect_end()
    expect_equal(daemon.log.find("reload refused"), [], "refusals")
    daemon.listeners = [row("127.0.0.1")]


# The end

@scenario(model=MODELS)
def a_lame_duck_still_accepts(story, model):
    daemon = story.serve(patient(model), top={"lame_duck": 60})
    daemon.may_crash = True             # killed, in fact
    daemon.signal(signal.SIGTERM)
    daemon.wait_notified("STOPPING=1")
    expect_equal(daemon.told("status")["state"], "lame-duck", "state")
    expect_equal(daemon.told("health")["health"], "lame-duck", "health")
    expect(not daemon.control("reload")["ok"], "a reload while it stops")
    daemon.signal(signal.SIGHUP)
    client = daemon.dial().expect("hello\n").send("?\n").expect("serving\n")
    client.half_close().expect_end()
    daemon.signal(signal.SIGTERM)
    daemon.finish()
    expect("RELOADING=1" not in daemon.notified, "%r", daemon.notified)


@scenario(model=MODELS)
def a_lame_duck_drains_at_last(story, model):
    daemon = story.serve(patient(model), top={"lame_duck": 0.3})
    address = daemon.address()
    held = daemon.dial().expect("hello\n")
    daemon.signal(signal.SIGTERM)
    held.send("?\n").expect("serving\n").send("until-drain\n")
    held.expect("draining\n").half_close().expect_end()
    daemon.finish([address])


@scenario(model=MODELS)
def the_last_reply_of_an_old_generation_arrives(story, model):
    """Its deadline ends waits with ECANCELED; unread input resets nothing."""
    def row(timeout):
        return story.prepare(patient(model, timeout=timeout,
                                     drain_timeout=0.4))
    daemon = story.serve(row(60))
    daemon.cuts_short = True
    held = daemon.dial().expect("hello\n").send("until-drain\n")
    daemon.rewrite(row(61))
    daemon.reload()
    held.expect("draining\n").send("sleep 60000\n" + "unread\n" * 100)
    expect_equal(held.ending(), ("end", b""), "after the last reply")
    daemon.log.wait("sleep: ECANCELED")
    eventually("the old one goes", lambda: draining(daemon, "p") == 0, 10)
    daemon.dial().expect("hello\n").send("?\n").expect("serving\n").close()
