# SPDX-License-Identifier: ISC
"""syslog and the journal, in a mount namespace where both are ours."""

import ctypes
import os
import re
import signal
import socket
import stat
import struct

import proc
from peers import TCP4
from scenario import (EVENT2, FORKING, PREFORK2, SYNC, THREADED, URING, Skip,
                      listener, scenario)
from until import expect, expect_equal, seconds

CLONE_NEWNS = 0x00020000
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18


def mount(source, target, flags):
    if proc.libc.mount(source.encode(), target.encode(), None, flags,
                       None) != 0:
        raise OSError(ctypes.get_errno(), "mount " + target)


class Machine:
    """A /dev and a /run with nothing but our sockets."""

    def __init__(self, story):
        self.dev, self.run = story.path("dev"), story.path("run")
        for folder in (self.dev, self.run, self.run + "/systemd",
                       self.run + "/systemd/journal"):
            os.mkdir(folder)
        os.mknod(self.dev + "/null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
        os.chmod(self.dev + "/null", 0o666)
        self.syslog = self.listen(self.dev + "/log")
        self.journal = self.listen(self.run + "/systemd/journal/socket")

    def listen(self, path):
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        sock.bind(path)
        os.chmod(path, 0o666)
        sock.settimeout(seconds(10))
        return sock

    def enter(self):
        """Between fork and exec of the daemon."""
        if proc.libc.unshare(CLONE_NEWNS) != 0:
            raise OSError(ctypes.get_errno(), "unshare")
        mount("none", "/", MS_REC | MS_PRIVATE)
        mount(self.dev, "/dev", MS_BIND)
        mount(self.run, "/run", MS_BIND)


def serve(story, model, target):
    machine = Machine(story)
    pid = os.fork()
    if pid == 0:
        try:
            machine.enter()
            os._exit(0)
        except OSError:
            os._exit(1)
    if os.waitpid(pid, 0)[1] != 0:
        raise Skip("no mount namespace can be made")
    daemon = story.serve(listener("up", "uppercase", TCP4, model),
                         listener("sink", "discard", TCP4, model,
                                  {"log": True}),
                         log={"target": target}, prepare=machine.enter)
    daemon.has_totals = False
    return machine, daemon


def until_message(sock, wanted):
    while True:
        data = sock.recv(1 << 16)
        if wanted in data:
            return data


@scenario(root=True, model=(SYNC, THREADED, FORKING, PREFORK2, EVENT2, URING))
def syslog_gets_framed_lines(story, model):
    machine, daemon = serve(story, model, "syslog")
    daemon.dial("up").send("x").expect("X").expect_end()
    line = until_message(machine.syslog, b"result=ok").decode()
    head = re.match(r"<(\d+)>(\w{3} [ \d]\d \d\d:\d\d:\d\d )?"
                    r"socketserverd\[\d+\]: ", line)
    expect(head, "no syslog header: %r", line)
    expect_equal(int(head.group(1)) & 7, 6, "severity of an info line")
    expect(" time=" not in line and "level=" not in line,
           "the time or level is told twice: %r", line)
    daemon.dial("sink").send(b"a\n<0>forged").half_close().expect_end()
    line = until_message(machine.syslog, b"forged")
    expect(b"\n" not in line.rstrip(b"\n"), "a newline in %r", line)
    daemon.stop()


def fields_of(data):
    """An entry of the journal's protocol as a dictionary."""
    found = {}
    while data:
        head, _, rest = data.partition(b"\n")
        if b"=" in head:
            key, _, value = head.partition(b"=")
            data = rest
        else:
            size = struct.unpack("<Q", rest[:8])[0]
            key, value, data = head, rest[8:8 + size], rest[8 + size + 1:]
        found[key.decode()] = value
    return found


@scenario(root=True, model=(SYNC, THREADED, FORKING, PREFORK2, EVENT2, URING))
def the_journal_gets_fields(story, model):
    machine, daemon = serve(story, model, "journal")
    client = daemon.dial("up").send("hello")
    name = client.name
    client.expect("HELLO").expect_end()
    entry = fields_of(until_message(machine.journal,
                                    b"SOCKETSERVERD_RESULT=ok"))
    wanted = {
        "PRIORITY": b"6", "SYSLOG_IDENTIFIER": b"socketserverd",
        "SOCKETSERVERD_LISTENER": b"up", "SOCKETSERVERD_PEER": name.encode(),
        "SOCKETSERVERD_BYTES_IN": b"5", "SOCKETSERVERD_BYTES_OUT": b"5",
    }
    for key, value in wanted.items():
        expect_equal(entry.get(key), value, key)
    for key in ("MESSAGE", "SOCKETSERVERD_WORKER", "SOCKETSERVERD_REQUEST",
                "SOCKETSERVERD_SECONDS"):
        expect(key in entry, "no %s in %r", key, entry)
    text = b"a\nSOCKETSERVERD_LISTENER=forged\nPRIORITY=0"
    daemon.dial("sink").send(text).half_close().expect_end()
    entry = fields_of(until_message(machine.journal, b"forged"))
    expect_equal(entry["SOCKETSERVERD_LISTENER"], b"sink", "listener")
    expect_equal(entry["PRIORITY"], b"6", "priority")
    daemon.stop()


@scenario(root=True, target=("syslog", "journal"))
def a_logger_that_does_not_read_does_not_stop_service(story, target):
    _, daemon = serve(story, THREADED, target)
    for _ in range(2000):
        client = daemon.dial("up").send("x").expect("X").expect_end()
        client.close()
    daemon.signal(signal.SIGUSR1)
    daemon.dial("up").send("x").expect("X").expect_end()
    daemon.stop()
