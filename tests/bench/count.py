#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Counts our own instructions for one request, in every model.

usage: BUILDDIR=build tests/bench/count.py [--write] [--show] [PATTERN]

Each row is served twice by the real daemon, whose service processes run under
valgrind's callgrind: for a few requests and for more. What the longer run has
more, divided by the requests that it has more, is what a request costs us in
user space; starting and stopping cancel out. Counters, access rules, timeouts
and access lines are on. Nothing of the kernel is in it, nor of the vdso (a look
at the clock), and an atomic instruction counts as one.

The figures are compared with the file COUNT beside this one, so that no change
makes a request dearer unseen. --write takes the new ones over; --show says in
which functions the instructions were. With a PATTERN, only the rows that have it
in their names.
"""

import argparse
import collections
import concurrent.futures
import os
import pathlib
import platform
import re
import shutil
import socket
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
FIGURES = HERE / "COUNT"
BUILDDIR = pathlib.Path(os.environ.get("BUILDDIR", "build")).resolve()
TOLERANCE = 0.05        # where the tools are those of COUNT
TOLERANCE_OTHER = 0.30  # another compiler or C library makes other code
SECONDS = 60            # for each thing that is waited for
MESSAGE = b"how are you?\n"
BURST = 16              # datagrams that wait at once

CONFIG = """
module_path = [ "%(handlers)s" ];
address_file = "%(folder)s/addresses";
log = { target = "file:%(folder)s/log"; access = true; };
listeners = ( {
  name = "count";
  listen = "%(listen)s";
  handler = "echo";
  user = "%(user)s";
  timeout = 60;
  allow = [ "127.0.0.0/8" ];
  %(settings)s
} );
"""

# Between socketserverd and its service program: valgrind. Handlers are looked
# at without it.
STAND_IN = """#!/bin/sh
if [ "$1" = serve ]; then
	exec '%(valgrind)s' -q --tool=callgrind --vgdb=no --dump-before=fork \\
		--callgrind-out-file='%(folder)s/out.%%p' '%(service)s' "$@"
fi
exec '%(service)s' "$@"
"""


class Row:
    def __init__(self, model, workload, settings, counts=(100, 1100),
                 scheme="tcp"):
        self.name = "%s %s" % (model, workload.__name__)
        self.workload = workload
        self.settings = settings
        self.counts = counts
        self.listen = scheme + "://127.0.0.1:0"


class CountError(Exception):
    """One sentence."""


# Workloads: one client, so that every run does the same.

def dial(address):
    return socket.create_connection(address, SECONDS)


def talk(sock):
    sock.sendall(MESSAGE)
    if sock.recv(4096) != MESSAGE:
        raise CountError("a wrong answer")


def finish(sock):
    """The peer has ended its side, too: the request is over."""
    sock.shutdown(socket.SHUT_WR)
    if sock.recv(1):
        raise CountError("more than the answer")


def kept(address, count):
    """Request and answer over one connection."""
    with dial(address) as sock:
        for _ in range(count):
            talk(sock)
        finish(sock)


def connect(address, count):
    """A connection for each request."""
    for _ in range(count):
        with dial(address) as sock:
            talk(sock)
            finish(sock)


def datagram(address, count):
    """A request is a datagram; several wait."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(SECONDS)
        sock.connect(address)
        for at in range(0, count, BURST):
            burst = min(BURST, count - at)
            for _ in range(burst):
                sock.send(MESSAGE)
            for _ in range(burst):
                if sock.recv(4096) != MESSAGE:
                    raise CountError("a wrong answer")


SYNC = 'concurrency = "sync";'
THREADED = 'concurrency = "threaded";'
POOL = 'concurrency = "threaded"; workers = 4;'
PREFORK = 'concurrency = "prefork"; workers = 2;'
FORKING = 'concurrency = "forking";'
EVENT = 'concurrency = "event"; io = "epoll"; workers = 1;'

ROWS = [
    Row("sync", kept, SYNC),
    Row("sync", connect, SYNC),
    Row("sync", datagram, SYNC, (160, 1760), "udp"),
    Row("threaded", kept, THREADED),
    Row("threaded", connect, THREADED),
    Row("pool", kept, POOL),
    Row("pool", connect, POOL),
    Row("prefork", kept, PREFORK),
    Row("prefork", connect, PREFORK),
    Row("forking", kept, FORKING),
    Row("forking", connect, FORKING, (10, 40)),
    Row("event", kept, EVENT),
    Row("event", connect, EVENT),
    Row("event", datagram, EVENT, (160, 1760), "udp"),
]


# One run

def prepare(row, folder):
    """The configuration, and the daemon beside its stand-in."""
    folder.mkdir()
    words = {
        "handlers": BUILDDIR / "src/handlers/.libs", "folder": folder,
        "listen": row.listen, "settings": row.settings,
        "user": "root" if os.getuid() == 0 else "",
        "service": BUILDDIR / "socketserver-service",
        "valgrind": shutil.which("valgrind"),
    }
    (folder / "conf").write_text(CONFIG % words)
    stand_in = folder / "socketserver-service"
    stand_in.write_text(STAND_IN % words)
    stand_in.chmod(0o755)
    shutil.copy(BUILDDIR / "socketserverd", folder)
    return folder


def wait_ready(sock, process):
    sock.settimeout(1)
    for _ in range(SECONDS):
        try:
            if b"READY=1" in sock.recv(4096).split(b"\n"):
                return
        except socket.timeout:
            if process.poll() is not None:
                break
    raise CountError("the daemon does not become ready")


def serve(row, folder, count):
    """Start, so many requests, stop."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock, \
            open(folder / "errors", "w") as errors:
        sock.bind(str(folder / "notify"))
        process = subprocess.Popen(
            [folder / "socketserverd", "-c", folder / "conf"],
            stdin=subprocess.DEVNULL, stdout=errors, stderr=errors,
            env=dict(os.environ, NOTIFY_SOCKET=str(folder / "notify")))
        try:
            wait_ready(sock, process)
            text = (folder / "addresses").read_text()
            row.workload(("127.0.0.1", int(text.rpartition(":")[2])), count)
            process.terminate()
            process.wait(SECONDS)
        finally:
            process.kill()
            process.wait()


def costs(path):
    """(function, instructions of its own) of one file of callgrind's."""
    names, function, is_call = {}, "", False
    for line in path.read_text().splitlines():
        if line.startswith(("fn=", "cfn=")):
            number, _, name = line.partition("=")[2].partition(" ")
            names.setdefault(number, name)
            if line[0] == "f":
                function = names[number]
        elif line.startswith("calls="):
            is_call = True      # the next line is the callee's
        elif re.match(r"[-+*\d]\S* \d+$", line):
            if not is_call:
                yield function, int(line.split()[1])
            is_call = False


def instructions(folder):
    """{function: instructions} of all processes, which write when they end."""
    total = collections.Counter()
    for path in folder.glob("out.*"):
        for function, cost in costs(path):
            total[function] += cost
    return total


def run(row, folder, count):
    try:
        serve(row, folder, count)
        return instructions(folder)
    except (CountError, OSError, subprocess.TimeoutExpired) as error:
        said = "".join((folder / name).read_text()
                       for name in ("errors", "log")
                       if (folder / name).exists())
        raise CountError("%s: %s\n%s" % (row.name, error, said))


def measure(rows, top):
    """(row, {function: instructions a request}) of each."""
    # All folders first: no program may be written while another one forks.
    folders = {(row, count): prepare(row, top / ("%s %d" % (row.name, count)))
               for row in rows for count in row.counts}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = {key: pool.submit(run, key[0], folder, key[1])
                for key, folder in folders.items()}
        for row in rows:
            short, long = row.counts
            parts = runs[row, long].result()
            parts.subtract(runs[row, short].result())
            yield row, {name: cost / (long - short)
                        for name, cost in parts.items()}


# The figures

def tools():
    """What the code was made with, and what it runs on."""
    makefile = (BUILDDIR / "Makefile").read_text()
    compiler, flags = (
        re.search(r"^%s = *(.*)" % name, makefile, re.M)[1].split()
        for name in ("CC", "CFLAGS"))
    version = subprocess.run([*compiler, "-dumpfullversion"], text=True,
                             capture_output=True).stdout.strip()
    return ", ".join([" ".join([*compiler, version, *flags]),
                      os.confstr("CS_GNU_LIBC_VERSION"), platform.machine()])


def figures_read():
    """(tools, {row's name: figure})"""
    lines = FIGURES.read_text().splitlines() if FIGURES.exists() else []
    words = [line.rsplit(None, 1) for line in lines
             if line and not line.startswith("#")]
    made_with = [line.partition(": ")[2] for line in lines
                 if line.startswith("# tools: ")]
    return "".join(made_with), {name: int(figure) for name, figure in words}


def figures_write(figures):
    FIGURES.write_text(
        "# Our own instructions for one request: see count.py, which writes"
        " this.\n# tools: %s\n%s" % (tools(), "".join(
            "%-20s %6d\n" % item for item in figures.items())))


def judge(name, figure, known, tolerance):
    """(is it bad, a remark)"""
    if known is None:
        return True, "%s: no figure is in COUNT; ./dev count --write " \
            "puts it there" % name
    percent = 100 * (figure / known - 1)
    if figure > known * (1 + tolerance):
        return True, "%s: a request costs %d instructions, %.0f %% more " \
            "than the %d in COUNT, and %.0f %% is tolerated; ./dev count " \
            "--show '%s' says where they are; if it is worth it, " \
            "./dev count --write accepts it" % (
                name, figure, percent, known, 100 * tolerance, name)
    if figure < known * (1 - tolerance):
        return False, "%.0f %%: keep it, with ./dev count --write" % percent
    return False, "%+.1f %%" % percent


def show(parts, least=4):
    for name, cost in sorted(parts.items(), key=lambda part: -part[1]):
        if cost >= least:
            print("    %6d  %s" % (cost, name))


def compare(name, figure, known, tolerance):
    is_bad, remark = judge(name, figure, known, tolerance)
    print("%-20s %6d %7s  %s" % (name, figure, known or "-",
                                 "FAILED" if is_bad else remark), flush=True)
    return [remark] if is_bad else []


def count(rows, top, is_showing):
    """({name: figure}, [why it is bad])"""
    made_with, known = figures_read()
    is_same = made_with == tools()
    figures, faults = {}, []
    if not is_same:
        print("COUNT was made with %s; this is %s: %.0f %% more is tolerated"
              % (made_with or "nothing", tools(), 100 * TOLERANCE_OTHER))
    print("%-20s %6s %7s" % ("instructions", "now", "COUNT"))
    for row, parts in measure(rows, top):
        figures[row.name] = round(sum(parts.values()))
        faults += compare(row.name, figures[row.name], known.get(row.name),
                          TOLERANCE if is_same else TOLERANCE_OTHER)
        if is_showing:
            show(parts)
    return figures, faults


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--write", action="store_true",
                        help="take the new figures over into COUNT")
    parser.add_argument("--show", action="store_true",
                        help="say in which functions they are")
    parser.add_argument("pattern", nargs="?", default="")
    args = parser.parse_args(arguments)
    rows = [row for row in ROWS if args.pattern in row.name]
    if not rows:
        return "no row has %r in its name" % args.pattern
    if not shutil.which("valgrind"):
        return "valgrind is missing"
    try:
        with tempfile.TemporaryDirectory(prefix="count-") as top:
            figures, faults = count(rows, pathlib.Path(top), args.show)
    except CountError as error:
        return str(error)
    if args.write:
        figures_write({**figures_read()[1], **figures})
        return 0
    return "\n".join(faults) or 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
