# SPDX-License-Identifier: ISC
"""When the system says no: pause, refuse, resume; never spin, never die."""

import os
import pwd
import re
import select
import subprocess

import proc
from peers import TCP4, UDP4, Stream
from scenario import (EVENT2, FORKING, MODELS, POOL, PREFORK2, SYNC, THREADED,
                      URING, Failure, Skip, listener, scenario)
from until import SCALE, eventually, expect, expect_equal, pause


def limit_descriptors(pid, spare):
    """Leave a live process only so many more descriptors (None: as before).
    Asked for as its own user: root may lack CAP_SYS_RESOURCE."""
    used = max(proc.descriptors(pid)) + 1
    hard = re.search(r"Max open files +\d+ +(\d+)", proc.read(
        "/proc/%d/limits" % pid).decode()).group(1)
    limit = hard if spare is None else used + spare
    owner = proc.status(pid)
    done = subprocess.run(
        ["prlimit", "--pid", str(pid), "--nofile=%s:%s" % (limit, hard)],
        user=int(owner["Uid"].split()[0]), group=int(owner["Gid"].split()[0]),
        extra_groups=[], capture_output=True, text=True)
    if done.returncode != 0 and spare is not None:
        raise Skip("prlimit: " + done.stderr.strip())


def works(daemon, name=None):
    def tried():
        try:
            client = Stream(daemon.address(name), wait=1)
        except OSError:
            return False
        try:
            client.send("x").expect("x")
            return True
        except (Failure, OSError):
            return False
        finally:
            client.close()
    return tried


@scenario(model=(THREADED, POOL, FORKING, EVENT2, URING), root=True,
          parallel=False)
def at_the_descriptor_limit_it_pauses_and_resumes(story, model):
    daemon = story.serve(listener("echo", "echo", TCP4, model,
                                  max_connections=200, workers=100)
                         if model is POOL else
                         listener("echo", "echo", TCP4, model,
                                  max_connections=1000))
    service = daemon.services()[0]
    first = daemon.dial().send("x").expect("x")
    limit_descriptors(service, 5)
    clients = [daemon.dial().send("x") for _ in range(30)]
    first.expect_silence(0.2)
    before = proc.cpu_seconds(service)
    first.expect_silence(1)
    used = proc.cpu_seconds(service) - before
    expect(used < 0.1 * SCALE, "%.2f s of processor in a second", used)
    first.send("y").expect("y")
    for client in clients:
        client.close()
    eventually("service is resumed", works(daemon), 5)
    first.send("z").expect("z")
    lines = daemon.log.find(lambda r: r.level in ("warning", "error")
                            and "result" not in r)
    expect(len(lines) <= 10, "%d lines about it", len(lines))


@scenario(root=True, parallel=False)
def two_workers_at_the_descriptor_limit_do_not_spin(story):
    daemon = story.serve(listener("echo", "echo", TCP4, PREFORK2))
    services = daemon.services()
    for pid in services:
        limit_descriptors(pid, 0)
    for _ in range(4):
        daemon.dial().send("x")
    pause(0.3)
    before = sum(map(proc.cpu_seconds, services))
    pause(1)
    used = sum(map(proc.cpu_seconds, services)) - before
    expect(used < 0.2 * SCALE, "%.2f s of processor in a second", used)
    for pid in services:
        limit_descriptors(pid, None)
    daemon.close_clients()
    eventually("service is resumed", works(daemon), 5)


def spare_user():
    """A user of the system that nobody else runs as: its process count is
    this scenario's own."""
    if os.geteuid() != 0:
        raise Skip("needs root")
    for name in ("uucp", "news", "games", "lp"):
        try:
            uid = pwd.getpwnam(name).pw_uid
        except KeyError:
            continue
        if not any(os.stat("/proc/%d" % one.pid).st_uid == uid
                   for one in proc.everybody() if proc.is_alive(one.pid)):
            return name
    raise Skip("no user of the system without processes")


@scenario(model=(FORKING, THREADED), parallel=False, root=True)
def where_no_more_can_be_made_requests_are_refused(story, model):
    daemon = story.serve(listener(
        "echo", "echo", TCP4, model, user=spare_user(),
        limits={"processes": 6}, refuse_text="no room\n"))
    first = daemon.dial().send("x").expect("x")
    clients = [daemon.dial() for _ in range(20)]
    daemon.log.wait(lambda r: r.get("reason") == "descriptors"
                    and r.get("result") == "refused")
    service = daemon.services()[0]
    before = proc.cpu_seconds(service)
    first.expect_silence(0.5)
    used = proc.cpu_seconds(service) - before
    expect(used < 0.1 * SCALE, "%.2f s of processor in half a second", used)
    first.send("y").expect("y")
    for client in clients:
        client.close()
    eventually("service is resumed", works(daemon), 10)
    first.send("z").expect("z")
    expect_equal(daemon.services(), [service], "the service process")
    first.half_close().expect_end()
    daemon.stop()
    expect(daemon.totals().reasons.get("descriptors", 0) >= 1, "refused")


@scenario(model=MODELS)
def limits_reach_the_handler(story, model):
    daemon = story.serve(listener("i", "inspect", TCP4, model,
                                  limits={"nofile": 333, "core": 0},
                                  max_connections=20))
    client = daemon.dial().send("limits\n")
    expect_equal([client.line(), client.line()], ["nofile 333", "core 0"],
                 "limits")


@scenario(model=MODELS)
def a_memory_limit_contains_a_leak(story, model):
    if "ASAN" in os.environ.get("CFLAGS", "") or SCALE > 1:
        raise Skip("a sanitizer reserves address space")
    daemon = story.serve(listener("r", "rude", TCP4, model,
                                  limits={"memory": "256M"}))
    client = daemon.dial()
    answers = [client.send("leak 40\n").line() for _ in range(10)]
    expect("none" in answers, "no limit: %r", answers)
    client.send("pid\n").line()


@scenario(model=(SYNC, FORKING))
def a_datagram_flood_harms_nobody(story, model):
    daemon = story.serve(listener("echo", "echo", UDP4, model))
    client = daemon.datagrams()
    for _ in range(5000):
        client.send(b"x" * 100)
    while client_has(client):
        client.sock.recv(65536)
    other = daemon.datagrams(wait=2)

    def tried():
        try:
            return other.ask("after") == b"after"
        except Failure:
            return False
    eventually("answered after the flood", tried, 10)


def client_has(client):
    return bool(select.select([client.sock], [], [], 0.2)[0])
