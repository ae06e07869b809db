# SPDX-License-Identifier: ISC
"""Server CPU time, and whether the machine was steady while it was taken.

Everything that is measured runs on one processor: two busy virtual
processors lose up to a third to the host, unseen by the steal counter.
"""

import json
import os
import signal
import subprocess
import time

PROBE_SLACK = 1.06      # a run whose probe is worse than this is repeated
QUIET_SECONDS = 0.03    # no more work in so long: the server has finished
QUIET_NS = 200_000
LOAD_SECONDS = 60       # the longest that one load may take
TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")


class BenchError(Exception):
    """One run that cannot be used, in one sentence."""


def _mounts():
    with open("/proc/self/mounts") as file:
        for line in file:
            _, place, kind, options = line.split()[:4]
            yield place, kind, options.split(",")


def _own_cgroup(controller):
    """Our path below the mount of @controller ("" is version 2)."""
    with open("/proc/self/cgroup") as file:
        for line in file:
            _, names, path = line.rstrip("\n").split(":", 2)
            if controller in names.split(","):
                return path.lstrip("/")
    return ""


def _cgroup_places():
    """(folder, file, nanoseconds in one unit of it) worth a try."""
    for place, kind, options in _mounts():
        if kind == "cgroup" and "cpuacct" in options:
            own = _own_cgroup("cpuacct")
            yield os.path.join(place, own), "cpuacct.usage", 1
            yield place, "cpuacct.usage", 1
        elif kind == "cgroup2":
            own = _own_cgroup("")
            yield os.path.join(place, own), "cpu.stat", 1000
            yield place, "cpu.stat", 1000


class CgroupClock:
    """CPU time of a cgroup: exact even for children that live 100 us."""

    def __init__(self, folder, file, unit):
        self.what = f"cgroup {file}"
        self.folder = os.path.join(folder, f"socketserverd-bench-{os.getpid()}")
        self.file = os.path.join(self.folder, file)
        self.unit = unit
        os.mkdir(self.folder)
        try:
            self.nanoseconds(None)
            with open(os.path.join(self.folder, "cgroup.procs"), "a"):
                pass
        except OSError:
            os.rmdir(self.folder)
            raise

    def enter(self):
        """Called in the child before the server's program is executed."""
        with open(os.path.join(self.folder, "cgroup.procs"), "w") as file:
            file.write(str(os.getpid()))

    def nanoseconds(self, _pid):
        with open(self.file) as file:
            words = file.read().split()
        if words[0] == "usage_usec":
            words = words[1:]
        return int(words[0]) * self.unit

    def meter(self, _pid):
        """How socketserver-bench is told of it."""
        return ["--cgroup", self.folder]

    def pids(self, _pid):
        with open(os.path.join(self.folder, "cgroup.procs")) as file:
            return sorted({int(word) for word in file.read().split()})

    def close(self):
        for _ in range(100):
            try:
                os.rmdir(self.folder)
                return
            except OSError:
                time.sleep(0.02)


def _threads_ns(pid):
    """CPU time of the threads that a process has now."""
    total = 0
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/schedstat") as file:
                total += int(file.read().split()[0])
    except OSError:
        pass
    return total


def _stat(pid):
    """(parent, own CPU ticks, those of reaped children) or None."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            words = file.read().rpartition(")")[2].split()
    except OSError:
        return None
    user, system, child_user, child_system = map(int, words[11:15])
    return int(words[1]), user + system, child_user + child_system


class TreeClock:
    """CPU time of a process and its descendants.

    Ticks know the threads and children that have ended, but a process of a
    large pool may not have used a whole one: then its threads' nanoseconds
    tell more.  A child that its parent never waits for is lost when it ends.
    """

    what = "utime+stime of the process tree, reaped children included"

    def enter(self):
        pass

    def _tree(self, root):
        stats = {}
        for name in os.listdir("/proc"):
            if name.isdigit():
                stat = _stat(name)
                if stat:
                    stats[int(name)] = stat
        tree = {root}
        while True:
            more = {pid for pid, stat in stats.items() if stat[0] in tree}
            if more <= tree:
                break
            tree |= more
        return {pid: stats[pid] for pid in tree if pid in stats}

    def nanoseconds(self, pid):
        return sum(max(stat[1] * TICK_NS, _threads_ns(one)) +
                   stat[2] * TICK_NS
                   for one, stat in self._tree(pid).items())

    def meter(self, pid):
        return ["--pid", str(pid)]

    def pids(self, pid):
        return sorted(self._tree(pid))

    def close(self):
        pass


def clock_open():
    for place in _cgroup_places():
        try:
            return CgroupClock(*place)
        except OSError:
            pass
    return TreeClock()


def place(bench):
    """In a child: the chosen CPU, and little disturbed by other sessions."""
    os.sched_setaffinity(0, {bench.cpu})
    try:
        with open("/proc/self/autogroup", "w") as file:
            file.write("-10")
    except OSError:
        pass        # no such grouping here, or not root: more noise


class Process:
    """A started server: its own session, the chosen CPU, the clock's cgroup."""

    def __init__(self, bench, argv, **options):
        self.clock = bench.clock
        self.errors = bench.errors

        def prepare():
            place(bench)
            bench.clock.enter()

        options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("stdout", subprocess.DEVNULL)
        options.setdefault("stderr", bench.errors)
        self.popen = subprocess.Popen(
            argv, preexec_fn=prepare, start_new_session=True, **options)
        self.pid = self.popen.pid

    def pids(self):
        return self.clock.pids(self.pid)

    def meter(self):
        return self.clock.meter(self.pid)

    def nanoseconds(self):
        return self.clock.nanoseconds(self.pid)

    def quiet(self):
        """Wait until the server has done all it has to; its CPU time."""
        deadline = time.monotonic() + 10
        last = self.nanoseconds()
        while time.monotonic() < deadline:
            time.sleep(QUIET_SECONDS)
            now = self.nanoseconds()
            if now - last < QUIET_NS:
                return now
            last = now
        raise BenchError("the server kept busy for 10 s without requests")

    def last_error(self):
        """The last line that a server wrote to its standard error."""
        with open(self.errors.name, errors="replace") as file:
            lines = file.read().strip().splitlines()
        return lines[-1] if lines else ""

    def stop(self):
        """Ask, then insist; nothing that we started is left behind."""
        tree = self.pids()
        if self.popen.poll() is None:
            self.popen.terminate()
            try:
                self.popen.wait(3)
            except subprocess.TimeoutExpired:
                pass
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            if isinstance(self.clock, CgroupClock):
                tree = self.pids()
            alive = [pid for pid in tree if _is_alive(pid)]
            if not alive and self.popen.poll() is not None:
                break
            for pid in alive:
                _kill(pid)
            self.popen.poll()
            time.sleep(0.01)
        if self.popen.stdout:
            self.popen.stdout.close()


def _is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def _kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def _fault(result, found):
    """What was wrong with a load, in one sentence."""
    if found is None:
        lines = result.stderr.strip().splitlines() or ["no report"]
        return lines[0]
    kinds = ", ".join(f"{count} {kind} ({found['first_errors'][kind]})"
                      for kind, count in found["errors_by_kind"].items())
    return f"{found['requests']} answered, errors: {kinds}"


def load(bench, words):
    """What socketserver-bench reports of a load on the chosen processor, and
    what was wrong with it, or None."""
    argv = [bench.load, "--json", *words]
    try:
        result = subprocess.run(
            argv, capture_output=True, text=True, timeout=LOAD_SECONDS,
            stdin=subprocess.DEVNULL, start_new_session=True,
            preexec_fn=lambda: place(bench))
    except subprocess.TimeoutExpired:
        raise BenchError(f"not done in {LOAD_SECONDS} s") from None
    found = json.loads(result.stdout) if result.stdout else None
    fault = _fault(result, found) if result.returncode else None
    return found, fault


def must_load(bench, words):
    found, fault = load(bench, words)
    if fault:
        raise BenchError(fault)
    return found


class Sample:
    """One measured run."""

    def __init__(self, value, probe_ns):
        self.value = value              # None: the server is deaf
        self.probe_ns = probe_ns        # the worse of before and after

    def is_steady(self, bench):
        return self.probe_ns <= bench.best_probe * PROBE_SLACK


def sample(bench, process, row, workload, port):
    count = row.count(workload)
    if workload.is_warmed:
        must_load(bench, workload.warm_words(count, port))
    words = workload.words(count, port) + workload.meter(process)
    found, fault = load(bench, words)
    if fault and not (found and workload.is_deaf(found)):
        raise BenchError(fault)
    probes = found["probe_before_ns"], found["probe_after_ns"]
    bench.best_probe = min(bench.best_probe, *probes)
    return Sample(workload.value(found), max(probes))
