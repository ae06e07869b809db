# SPDX-License-Identifier: ISC
"""reuse_port: a socket for each process. Whatever becomes of the processes and
of their number, what waits in any of the sockets is served."""

import fcntl
import os
import signal
import socket
import threading

import peers
import proc
from peers import TCP4, TCP6, UDP4, UDP6, UNIX, own
from scenario import FORKING, SYNC, THREADED, Model, listener, scenario
from until import eventually, expect, expect_equal, seconds

INET = (TCP4, TCP6, UDP4, UDP6)
QUEUED = 40
POOLS = ("prefork", "event")
ROUNDS = 6


def pool(workers, concurrency="prefork", **keys):
    return Model("%s%d" % (concurrency, workers), concurrency, workers,
                 workers=workers, **dict({"reuse_port": True}, **keys))


def echo(model, transport=TCP4, name="e", **keys):
    return listener(name, "echo", transport, model, **keys)


def show(daemon, name="e"):
    return daemon.told("show " + name)


def sockets(pid):
    """Those with an address of the Internet."""
    return {inode for inode, name in proc.bound_sockets(pid).items()
            if isinstance(name, tuple)}


def dealt(daemon, name="e"):
    """How many each process has; no socket of the listener is without one."""
    port = daemon.address(name).port
    each = [sockets(pid) for pid in daemon.workers(name)]
    expect_equal(set.union(*each), {
        inode for inode, place in proc.bound_sockets(daemon.pid).items()
        if isinstance(place, tuple) and place[1] == port}
        if len(daemon.addresses(name)) == 1 else sockets(daemon.pid),
        "sockets that serve")
    return [len(one) for one in each]


class Queue:
    """Requests of QUEUED clients, each from a port of its own, while no process
    takes them."""

    def __init__(self, daemon, name="e"):
        self.daemon = daemon
        self.stopped = daemon.workers(name)
        for pid in self.stopped:
            proc.stop(pid)
        address = daemon.address(name)
        dial = daemon.dial if address.is_stream else daemon.datagrams
        self.clients = [dial(name) for _ in range(QUEUED)]
        for number, client in enumerate(self.clients):
            client.send("%d" % number)
            if address.is_stream:
                client.half_close()

    def go_on(self, *but):
        for pid in self.stopped:
            if pid not in but:
                proc.kill(pid, signal.SIGCONT)
        return self

    def expect_served(self):
        for number, client in enumerate(self.clients):
            client.expect("%d" % number)
            client.close()


def in_background(daemon, command):
    """Ask now; the answer, when it is wanted, must be good."""
    client = daemon.controller().send(command.encode() + b"\n")

    def wait():
        answer = client.answer()
        expect(answer["ok"], "%s: %r", command, answer)
        return answer["result"]
    return wait


# Who has which

@scenario(transport=INET, concurrency=POOLS)
def each_process_has_a_socket_of_its_own(story, transport, concurrency):
    daemon = story.serve(echo(pool(3, concurrency), transport))
    expect_equal(len(sockets(daemon.pid)), 3, "sockets")
    expect_equal(dealt(daemon), [1, 1, 1], "of each")
    expect_equal(len(daemon.addresses("e")), 1, "lines in address_file")
    expect_equal(len(show(daemon)["addresses"]), 1, "addresses")
    expect_equal(len(daemon.log.find("listening on")), 1, "lines in the log")
    for _ in range(QUEUED):
        client = daemon.dial() if transport.is_stream else daemon.datagrams()
        client.send("x").expect("x")
        client.close()


@scenario
def other_addresses_are_shared(story):
    daemon = story.serve(dict(echo(pool(3)), listen=[TCP4, UNIX, UDP4]))
    expect_equal(len(sockets(daemon.pid)), 6, "sockets")
    expect_equal(dealt(daemon), [2, 2, 2], "of each")
    path = daemon.addresses("e")[1].sockaddr
    for pid in daemon.workers("e"):
        expect(path in proc.bound_sockets(pid).values(), "process %d", pid)
    expect_equal([one.scheme for one in daemon.addresses("e")],
                 ["tcp", "unix", "udp"], "addresses")


# What waits is served

@scenario(transport=INET, concurrency=POOLS)
def the_queue_of_a_process_that_dies_waits(story, transport, concurrency):
    daemon = story.serve(echo(pool(4, concurrency), transport))
    daemon.may_crash = True
    queue = Queue(daemon)
    proc.kill(queue.stopped[0], signal.SIGKILL)
    proc.kill(queue.stopped[2], signal.SIGKILL)
    queue.go_on(queue.stopped[0], queue.stopped[2]).expect_served()


SHARES = {pool(4, timeout=61): [1, 1, 1, 1], pool(2): [2, 2],
          pool(3): [2, 1, 1], pool(1): [4], pool(6): [1] * 6,
          pool(3, "event"): [2, 1, 1],
          pool(2, reuse_port=False): [4, 4], SYNC: [4], THREADED: [4],
          FORKING: [4]}


@scenario(transport=INET, new=SHARES)
def a_reload_serves_what_waits(story, transport, new):
    daemon = story.serve(echo(pool(4), transport))
    queue = Queue(daemon)
    daemon.keeps_descriptors = False        # it has more sockets
    daemon.rewrite(echo(new, transport))
    wait = in_background(daemon, "reload")
    queue.go_on()
    wait()
    queue.expect_served()
    expect_equal(dealt(daemon), SHARES[new], "of each")
    Queue(daemon).go_on().expect_served()


@scenario(transport=INET, old=(pool(2), pool(3, reuse_port=False), THREADED))
def sockets_join_those_that_serve(story, transport, old):
    """Whether reuse_port was set at the start or not."""
    daemon = story.serve(echo(old, transport))
    queue = Queue(daemon)
    daemon.keeps_descriptors = False        # it has more sockets
    daemon.rewrite(echo(pool(4), transport))
    wait = in_background(daemon, "reload")
    queue.go_on()
    expect_equal(wait()["changes"][0]["action"], "socket"
                 if "reuse_port" in old.keys and not old.keys["reuse_port"]
                 else "generation", "action")
    queue.expect_served()
    expect_equal(dealt(daemon), [1] * 4, "of each")


@scenario(transport=INET, command=("drain", "stop"))
def a_listener_without_processes_grows(story, transport, command):
    daemon = story.serve(echo(pool(2), transport))
    daemon.keeps_descriptors = False        # it has more sockets
    daemon.told(command + " e")
    daemon.rewrite(echo(pool(4), transport))
    daemon.reload()
    daemon.told("start e")
    expect_equal(dealt(daemon), [1] * 4, "of each")
    Queue(daemon).go_on().expect_served()


@scenario(transport=INET, new=(pool(1), pool(5), THREADED))
def sockets_that_move_serve_what_waits(story, transport, new):
    """To another listener, at once with another number of processes."""
    rest = "tcp://127.0.0.2:0"
    daemon = story.serve(echo(pool(3), transport), echo(SYNC, rest, "other"))
    address = daemon.address("e").text
    queue, before = Queue(daemon), sockets(daemon.pid)
    daemon.keeps_descriptors = False        # it has more sockets
    daemon.rewrite(echo(SYNC, rest, "e"), echo(new, address, "other"))
    wait = in_background(daemon, "reload")
    queue.go_on()
    wait()
    queue.expect_served()
    dealt(daemon, "other")
    Queue(daemon, "other").go_on().expect_served()
    expect(len(before & sockets(daemon.pid)) >= 3, "sockets were closed")


@scenario(transport=INET)
def an_upgrade_serves_what_waits(story, transport):
    daemon = story.serve(echo(pool(4), transport))
    queue, before = Queue(daemon), sockets(daemon.pid)
    daemon.told("upgrade")
    expect_equal(sockets(daemon.pid), before, "sockets")
    queue.go_on().expect_served()
    daemon.told("restart e")
    Queue(daemon).go_on().expect_served()
    expect_equal(len(daemon.addresses("e")), 1, "lines in address_file")


@scenario(transport=INET, command=("drain e", "stop e", "reload"))
def what_waits_at_the_end_is_served(story, transport, command):
    """Also in the socket of a process that is dead just then."""
    keys = {"restart": {"initial": "1m", "maximum": "1m"}}
    rest = listener("rest", "echo", "tcp://127.0.0.2:0", SYNC)
    daemon = story.serve(echo(pool(4, **keys), transport), rest)
    daemon.may_crash = True
    victim = daemon.workers("e")[1]
    proc.kill(victim, signal.SIGKILL)
    daemon.log.wait("was killed by SIGKILL")
    queue = Queue(daemon)
    expect_equal(len(queue.stopped), 3, "processes")
    daemon.rewrite(rest)
    wait = in_background(daemon, command)
    queue.go_on()
    if command == "drain e":        # the sockets stay, and what is in them
        wait()
        daemon.told("start e")
    queue.expect_served()


@scenario(transport=INET)
def spent_processes_lose_nothing_at_the_end(story, transport):
    rest = listener("rest", "echo", "tcp://127.0.0.2:0", SYNC)
    daemon = story.serve(echo(pool(4, max_requests=3), transport), rest)
    queue = Queue(daemon)
    daemon.rewrite(rest)
    wait = in_background(daemon, "reload")
    queue.go_on().expect_served()
    wait()


# Kept by the service manager

class Kept:
    """Sockets of an earlier life, as the descriptor store hands them over."""

    def __init__(self, transport, count):
        address = peers.Address(transport.pattern)
        kind = socket.SOCK_STREAM if transport.is_stream \
            else socket.SOCK_DGRAM
        place = (address.sockaddr[0], 0)
        self.socks = []
        for _ in range(count):
            sock = socket.socket(address.family, kind)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            sock.bind(place)
            if transport.is_stream:
                sock.listen(QUEUED)
            place = sock.getsockname()[:2]
            self.socks.append(sock)
        self.listen = address.at(address.sockaddr[0]).text.replace(
            ":0", ":%d" % place[1])

    def serve(self, story, row):
        stats = [os.fstat(sock.fileno()) for sock in self.socks]
        names = ":".join("socketserverd-%x-%x" % (one.st_dev, one.st_ino)
                         for one in stats)
        numbers = [fcntl.fcntl(sock, fcntl.F_DUPFD, 100)
                   for sock in self.socks]

        def prepare():
            for at, number in enumerate(numbers):
                os.dup2(number, 3 + at)
        daemon = story.serve(row, prepare=prepare, close_fds=False, env={
            "LISTEN_FDS": str(len(numbers)), "LISTEN_FDNAMES": names,
            "FDSTORE": "100"})
        for number in numbers:
            os.close(number)
        return daemon


@scenario(transport=INET, workers=(2, 3, 5))
def kept_sockets_are_all_served_again(story, transport, workers):
    kept = Kept(transport, 3)
    address = peers.Address(kept.listen)
    kind = peers.Stream if transport.is_stream else peers.Datagrams
    clients = [kind(address) for _ in range(QUEUED)]
    for client in clients:
        client.send("kept")
    row = echo(pool(workers))
    row["listen"] = kept.listen
    daemon = kept.serve(story, row)
    for client in clients:
        if transport.is_stream:
            client.half_close()
    for client in clients:
        client.expect("kept").close()
    expect_equal(dealt(daemon), {2: [2, 1], 3: [1] * 3, 5: [1] * 5}[workers],
                 "of each")
    stored = sum(line.startswith("FDSTORE=1") for line in daemon.notified)
    expect_equal(stored, max(0, workers - 3), "sockets stored besides")


@scenario(transport=INET)
def a_second_daemon_cannot_have_the_address(story, transport):
    daemon = story.serve(echo(pool(2), transport))
    row = echo(pool(2))
    row["listen"] = daemon.address().text
    second = story.launch(row)
    expect_equal(second.wait_exit(), 71, "exit status")
    second.log.wait("the address is in use")


@scenario(io=("epoll", "io_uring"))
def a_unix_socket_beside_them_is_for_all_processes(story, io):
    row = echo(pool(2, "event", io=io), [TCP4, UNIX])
    daemon = story.serve(row)
    _, shared = daemon.addresses("e")
    before = {pid: len(proc.descriptors(pid)) for pid in daemon.workers("e")}
    for _ in range(200):
        daemon.dial(shared).send("x").expect("x")
    each = [len(proc.descriptors(pid)) - count
            for pid, count in before.items()]
    expect(sum(each) == 200 and min(each) >= 50, "each has %r", each)


# Under load

class Load:
    """Clients that ask without a pause: connect, request, close."""

    def __init__(self, daemon, count=3, says="hello", hears="hello",
                 is_lenient=False):
        self.says, self.hears, self.is_lenient = says, hears, is_lenient
        self.faults, self.served = [], [0] * count
        self.address = daemon.address("e")
        self.is_over = threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(number,),
                                         daemon=True)
                        for number in range(count)]
        for thread in self.threads:
            thread.start()

    def ask(self):
        kind = peers.Stream if self.address.is_stream else peers.Datagrams
        client = kind(self.address)
        client.send(self.says).expect(self.hears)
        if self.address.is_stream:
            client.half_close().expect_end()
        client.close()

    def run(self, number):
        while not self.is_over.is_set():
            try:
                self.ask()
                self.served[number] += 1
            except Exception as error:
                self.faults.append(repr(error))
                if not self.is_lenient:
                    return

    def has_failed(self):
        return self.faults and not self.is_lenient

    def goes_on(self, more=20):
        """Each client is served so often."""
        wanted = [count + more for count in self.served]
        eventually(lambda: "served: %r, wanted %r; %r" % (
            self.served, wanted, self.faults),
            lambda: self.has_failed() or all(
                now >= then for now, then in zip(self.served, wanted)), 20)
        expect(not self.has_failed(), "%r", self.faults)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.is_over.set()
        for thread in self.threads:
            thread.join(seconds(20))


@scenario(transport=INET, deadline=120)
def nothing_is_lost_under_load(story, transport):
    models = (pool(3), pool(1), pool(4), pool(2, max_requests=20),
              pool(4, "event"), pool(2, "event", io="io_uring"),
              pool(2, reuse_port=False), THREADED)
    daemon = story.serve(echo(models[-1], transport))
    daemon.may_crash = True
    daemon.keeps_descriptors = False        # it has more sockets
    with Load(daemon) as load:
        for model in models:
            daemon.rewrite(echo(model, transport))
            daemon.reload()
            load.goes_on()
            daemon.told("upgrade")
            load.goes_on()
            daemon.told("restart e")
            load.goes_on()
    totals = show(daemon)
    expect_equal(sum(load.served), totals["requests"] + totals["active"],
                 "served")
    expect_equal((totals["errors"], sum(totals["refused"].values())), (0, 0),
                 "errors, refused")
    expect_equal(len(sockets(daemon.pid)), 4, "sockets")


@scenario(transport=(TCP4, TCP6), deadline=120)
def a_process_that_is_killed_takes_one_request_with_it(story, transport):
    """At most: the one that it was serving."""
    keys = {"restart": {"initial": 0.01, "maximum": 0.01}}
    daemon = story.serve(echo(pool(3, **keys), transport))
    daemon.may_crash = True
    with Load(daemon, 6, is_lenient=True) as load:
        for number in range(1, 2 * ROUNDS):
            workers = daemon.workers("e")
            proc.kill(workers[number % len(workers)], signal.SIGKILL)
            load.goes_on(5)
            eventually("all serve again",
                       lambda: daemon.told("health e")["health"] == "ready",
                       20)
            expect(len(load.faults) <= number, "%d killed, but %r", number,
                   load.faults)


@scenario(transport=INET, deadline=120)
def processes_that_cannot_start_take_no_socket(story, transport):
    """The new sockets of a generation that never serves get nothing."""
    def row(workers):
        return listener("e", "moody", transport, pool(workers),
                        {"mood": mood})
    mood = story.path("mood")
    daemon = story.serve(row(2))
    daemon.may_crash = True
    with Load(daemon, says="?\n", hears="fine\n") as load:
        story.write("mood", "fail")
        for number in range(ROUNDS):
            story.rewrite(daemon, row(8 + number))
            answer = daemon.control("reload")
            expect(not answer["ok"], "%r", answer)
            load.goes_on()
            eventually("its sockets go",
                       lambda: len(sockets(daemon.pid)) == 2, 10)


# Addresses that come back

@scenario(model=(pool(2), pool(3, reuse_port=False), THREADED, FORKING),
          again=("stop", "reload"))
def a_datagram_address_that_comes_back_is_served_whole(story, model, again):
    """An older generation still answers from sockets of the address: they are
    served again, and none is without a process."""
    rest = listener("rest", "echo", "tcp://127.0.0.2:0", SYNC)
    row = listener("e", "patient", [own(TCP4), own(UDP4)], model)
    daemon = story.serve(row, rest)
    tcp, udp = daemon.addresses("e")
    held = daemon.dial(tcp).expect("hello\n")
    row["listen"] = [tcp.text, udp.text]
    if again == "stop":
        daemon.controller().send(b"stop e\n")
        eventually("it stops", lambda: show(daemon)["state"] == "draining", 10)
        daemon.told("start e")
    else:
        daemon.has_totals = False       # the listener has two ends
        daemon.rewrite(rest)
        daemon.reload()
        daemon.rewrite(row, rest)
        daemon.reload()
    for _ in range(QUEUED):
        client = daemon.datagrams(udp)
        client.send("?").receive()
        client.close()
    held.send("?\n").expect("draining\n").half_close().expect_end()


# Faults

@scenario
def the_key_needs_processes_and_addresses(story):
    for keys, text in (
            ({"max_workers": 8}, "does not go with max_workers"),
            ({"concurrency": "threaded"},
             "does not apply to concurrency \"threaded\""),
            ({"listen": UNIX}, "it is for tcp: or udp: only"),
            ({"listen": "fd:x"}, "it is for tcp: or udp: only")):
        path = story.configure(dict(echo(pool(2)), **keys))
        done = story.run("-t", "-c", path)
        expect_equal(done.returncode, 78, "exit status")
        expect(text in done.stderr, "no %r in %r", text, done.stderr)
