# SPDX-License-Identifier: ISC
"""What /proc and a few system calls say about processes."""

import ctypes
import os
import signal
import socket
import struct

from until import Failure, eventually

PR_SET_CHILD_SUBREAPER = 36
SYS_PIDFD_GETFD = 438

libc = ctypes.CDLL(None, use_errno=True)


def become_subreaper():
    """Orphans of the processes that we start become our children, so that
    nothing which a daemon leaves behind can hide from us."""
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def read(path):
    with open(path, "rb") as file:
        return file.read()


class Stat:
    """/proc/PID/stat, the fields that the tests ask for."""

    def __init__(self, pid):
        text = read("/proc/%s/stat" % pid).decode("latin-1")
        self.pid = pid
        self.name = text[text.index("(") + 1:text.rindex(")")]
        fields = text[text.rindex(")") + 2:].split()
        self.state = fields[0]
        self.parent = int(fields[1])
        self.group = int(fields[2])
        self.session = int(fields[3])
        self.ticks = int(fields[11]) + int(fields[12])
        self.threads = int(fields[17])
        self.is_zombie = self.state in "ZX"

    def __repr__(self):
        return "%d (%s) %s" % (self.pid, self.name, self.state)


def stat(pid):
    """A Stat, or None when there is no such process."""
    try:
        return Stat(pid)
    except (FileNotFoundError, ProcessLookupError, ValueError):
        return None


def stop(pid):
    """SIGSTOP; every thread stands when this returns."""
    def stands():
        tasks = os.listdir("/proc/%d/task" % pid)
        return all(Stat("%d/task/%s" % (pid, task)).state == "T"
                   for task in tasks)
    os.kill(pid, signal.SIGSTOP)
    eventually("process %d stands still" % pid, stands, 10)


def everybody():
    pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    return [s for s in map(stat, pids) if s is not None]


def descendants(pid):
    """Every process below pid, zombies included."""
    children = {}
    for one in everybody():
        children.setdefault(one.parent, []).append(one)
    found, todo = [], [pid]
    while todo:
        below = children.get(todo.pop(), [])
        found.extend(below)
        todo.extend(one.pid for one in below)
    return found


def ours():
    """Processes of the daemon that live below us, its orphans included."""
    return [one for one in descendants(os.getpid())
            if not one.is_zombie and one.name.startswith("socketserver")]


def listener_of(port):
    """A process that listens on a TCP port; None when none is found."""
    inodes = set()
    for table in "/proc/net/tcp", "/proc/net/tcp6":
        for line in read(table).decode().splitlines()[1:]:
            fields = line.split()
            if fields[1].endswith(":%04X" % port) and fields[3] == "0A":
                inodes.add("socket:[%s]" % fields[9])
    for one in everybody() if inodes else ():
        if inodes & set(descriptors(one.pid).values()):
            return one
    return None


def holds_client(pid, sock):
    """Does the process have the other end of this IPv4 connection?"""
    port = sock.getsockname()[1]
    inodes = set()
    for line in read("/proc/net/tcp").decode().splitlines()[1:]:
        fields = line.split()
        if int(fields[2].split(":")[1], 16) == port:
            inodes.add("socket:[%s]" % fields[9])
    return bool(inodes & set(descriptors(pid).values()))


def is_alive(pid):
    one = stat(pid)
    return one is not None and not one.is_zombie


def cpu_seconds(pid):
    return Stat(pid).ticks / os.sysconf("SC_CLK_TCK")


def descriptors(pid):
    """{number: what it is} of a process; {} when it is gone."""
    found = {}
    try:
        names = os.listdir("/proc/%d/fd" % pid)
    except (FileNotFoundError, ProcessLookupError):
        return found
    for name in names:
        try:
            found[int(name)] = os.readlink("/proc/%d/fd/%s" % (pid, name))
        except OSError:
            pass
    return found


def status(pid):
    """/proc/PID/status as a dictionary."""
    text = read("/proc/%d/status" % pid).decode("utf-8", "replace")
    pairs = (line.split(":", 1) for line in text.splitlines() if ":" in line)
    return {key: value.strip() for key, value in pairs}


def threads(pid):
    """The numbers of its threads."""
    return [int(name) for name in os.listdir("/proc/%d/task" % pid)]


def resident(pid):
    """Resident bytes."""
    pages = int(read("/proc/%d/statm" % pid).split()[1])
    return pages * os.sysconf("SC_PAGESIZE")


def environment(pid):
    text = read("/proc/%d/environ" % pid).decode("utf-8", "replace")
    pairs = (item.split("=", 1) for item in text.split("\0") if "=" in item)
    return dict(pairs)


def wait_gone(pids, within, what):
    """All of these processes end in time (zombies count as ended)."""
    eventually(lambda: "%s: %r" % (what, [stat(p) for p in pids
                                          if is_alive(p)]),
               lambda: not any(is_alive(pid) for pid in pids), within)


def take_descriptor(pid, number):
    """A copy of another process's descriptor (pidfd_getfd, Linux 5.6)."""
    pidfd = os.pidfd_open(pid)
    try:
        fd = libc.syscall(SYS_PIDFD_GETFD, pidfd, number, 0)
        if fd < 0:
            raise OSError(ctypes.get_errno(), "pidfd_getfd")
        return fd
    finally:
        os.close(pidfd)


def bound_sockets(pid):
    """{inode: name} of the sockets on which a process takes what comes."""
    found = {}
    for number, what in descriptors(pid).items():
        if not what.startswith("socket:["):
            continue
        try:
            fd = take_descriptor(pid, number)
        except OSError:
            continue            # closed meanwhile
        with socket.socket(fileno=fd) as sock:
            name = sock.getsockname()
            is_taking = sock.type == socket.SOCK_DGRAM or sock.getsockopt(
                socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
            if is_taking and name not in ("", b""):
                found[what] = name
    return found


def kill(pid, number=signal.SIGKILL):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def reap_strangers(known=()):
    """Collect orphans that have ended; those in known are left to others."""
    for one in descendants(os.getpid()):
        if one.is_zombie and one.parent == os.getpid() \
                and one.pid not in known:
            try:
                os.waitpid(one.pid, os.WNOHANG)
            except ChildProcessError:
                pass


def peer_credentials(sock):
    data = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    return struct.unpack("3i", data)


def must_be_root(skip):
    if os.geteuid() != 0:
        raise skip("needs root")


def fail_if_none(value, text):
    if value is None:
        raise Failure(text)
    return value
