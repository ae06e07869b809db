# SPDX-License-Identifier: ISC
"""How much memory our processes and parked threads keep."""

import os
import subprocess

import measure
import servers

SERVICE = "socketserver-se"     # as the kernel cuts its name
BURST = 256                     # connections open at once


def rollup(pid):
    """Sums of /proc/PID/smaps_rollup in KiB."""
    sums = {"Rss": 0, "Pss": 0, "Private": 0}
    with open(f"/proc/{pid}/smaps_rollup") as file:
        for line in list(file)[1:]:
            name, value = line.split()[:2]
            name = name.rstrip(":")
            if name.startswith("Private_"):
                name = "Private"
            if name in sums:
                sums[name] += int(value)
    return sums


def _comm(pid):
    with open(f"/proc/{pid}/comm") as file:
        return file.read().strip()


def _threads(pid):
    return len(os.listdir(f"/proc/{pid}/task"))


def services(process):
    """The service processes of a running socketserverd."""
    return [pid for pid in process.pids() if _comm(pid) == SERVICE]


class Hold:
    """BURST connections that carried one request each and stay."""

    def __init__(self, bench, port):
        argv = [bench.load, "--no-probe", "-c", str(BURST), "-d", "1h",
                "idle", f"tcp://127.0.0.1:{port}"]
        self.popen = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        if self.popen.stdout.readline() != f"{BURST} connections are held\n":
            self.close()
            raise measure.BenchError("not all connections could be held")

    def close(self):
        self.popen.terminate()
        self.popen.communicate()


def _service_lines(bench, row, process, port):
    measure.must_load(bench, servers.CRR.words(500, port))
    process.quiet()
    pids = services(process)
    sums = [rollup(pid) for pid in pids]
    private = max(entry["Private"] for entry in sums)
    pss = max(entry["Pss"] for entry in sums)
    return [(f"{row.name}: a service process, private (the largest of "
             f"{len(pids)})", private, 3072),
            (f"{row.name}: a service process, PSS", pss, None),
            (f"{row.name}: the supervisor, private",
             rollup(process.pid)["Private"], None)]


def _thread_lines(bench, row, process, port):
    pid = services(process)[0]
    before, threads = rollup(pid)["Rss"], _threads(pid)
    hold = Hold(bench, port)
    try:
        held = rollup(pid)["Rss"] - before
        serving = _threads(pid) - threads
    finally:
        hold.close()
    process.quiet()
    parked = _threads(pid) - threads
    rest = rollup(pid)["Rss"] - before
    lines = [(f"{row.name}: {BURST} held connections, {serving} threads, "
              "resident each", held / BURST, None)]
    if parked > 0:
        lines.append((f"{row.name}: {parked} parked threads, resident each",
                      rest / parked, 32))
    return lines


def _fork_lines(bench, row, process, port):
    before = set(process.pids())
    hold = Hold(bench, port)
    try:
        children = [pid for pid in process.pids() if pid not in before]
        pss = sum(rollup(pid)["Pss"] for pid in children)
    finally:
        hold.close()
    return [(f"{row.name}: {len(children)} held connections, PSS each",
             pss / max(1, len(children)), None)]


def _measured(bench, row, measure_lines):
    """What @measure_lines finds in a server started for it alone."""
    process, port = row.start(bench, "echo")
    try:
        return measure_lines(bench, row, process, port)
    finally:
        process.stop()


def _row_lines(bench, row):
    lines = _measured(bench, row, _service_lines)
    if row.name.endswith("threaded"):
        lines += _measured(bench, row, _thread_lines)
    elif row.name.endswith("forking"):
        lines += _measured(bench, row, _fork_lines)
    return lines


def memory_lines(bench, models):
    """(what, KiB, goal in KiB or None) for each of our own rows."""
    lines = []
    measured = {name for name, _ in bench.samples}
    for model in models:
        if model.workloads == (servers.UDP,):
            continue
        for row in model.rows:
            if row.role == "ours" and row.name in measured:
                try:
                    lines += _row_lines(bench, row)
                except (measure.BenchError, OSError) as error:
                    bench.note(f"{row.name}: memory: {error}")
    return lines
