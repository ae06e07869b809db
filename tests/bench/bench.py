#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Measures socketserverd beside the bare loops and its peers.

Server CPU time per request is the figure, server and load share one
processor, the rounds are interleaved, and what counts is the ratio to the
bare loop of the same model in the same run.
"""

import argparse
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import measure
import memory
import plot
import report
import servers

REPEATS = 3     # of one run, when the machine was not steady
REPEAT_SHARE = 0.5      # of the rounds' time: how long repeats may take


class Bench:
    """What one call of this program knows; passed to everything."""

    def __init__(self, args, folder):
        self.builddir = os.path.abspath(args.builddir)
        self.srcdir = os.path.dirname(os.path.abspath(__file__))
        self.folder = folder
        self.rounds = args.rounds
        self.cpu = args.cpu
        self.is_installing = not args.no_install and os.getuid() == 0
        self.best_probe = 10**9
        self.load = os.path.join(self.builddir, "socketserver-bench")
        self.samples = {}       # (row, workload) -> [Sample]
        self.absent = {}        # (row, workload) -> why it cannot be measured
        self.notes = []
        self.failures = 0       # runs with errors, of bare loops and ours
        self.errors = open(os.path.join(folder, "errors"), "ab")
        self.clock = measure.clock_open()

    def program(self, name):
        return os.path.join(self.builddir, "tests/bench", name)

    def note(self, text):
        if text not in self.notes:
            self.notes.append(text)

    def close(self):
        self.clock.close()
        self.errors.close()


def programs_build(bench):
    subprocess.run(["make", "-s", "-C", bench.builddir, "bench-programs"],
                   check=True)


def progress(text):
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K{text}")
        sys.stderr.flush()


def failed(bench, row, workloads, error, what):
    """A peer that fails is left out; we and the bare loops must not fail."""
    bench.failures += not row.may_fail
    if row.may_fail or bench.failures > 3:
        for workload in workloads:
            bench.absent[row.name, workload.title] = "failed"
    text = str(error).replace(bench.folder + "/", "")
    bench.note(f"{row.name}, {what}: {text}")


def row_run(bench, row, kind, workloads):
    """One start of a server, one run of each workload. What is left to do
    when one has failed: it may have harmed the server."""
    try:
        process, port = row.start(bench, kind)
    except (measure.BenchError, OSError) as error:
        failed(bench, row, workloads, error, "start")
        return []
    try:
        for number, workload in enumerate(workloads):
            progress(f"{row.name}: {workload.title}")
            try:
                one = measure.sample(bench, process, row, workload, port)
            except (measure.BenchError, OSError) as error:
                failed(bench, row, [workload], error, workload.title)
                return workloads[number + 1:]
            bench.samples.setdefault(
                (row.name, workload.title), []).append(one)
    finally:
        process.stop()
    return []


def row_try(bench, row, workloads):
    """A server for each kind, and one for each workload that needs it fresh."""
    groups = {}
    for one in workloads:
        if row.can(one) and (row.name, one.title) not in bench.absent:
            key = one.title if one.is_fresh_server else one.kind
            groups.setdefault(key, []).append(one)
    for chosen in groups.values():
        kind = chosen[0].kind
        while chosen:
            chosen = row_run(bench, row, kind, chosen)


def unsteady(bench, row, workloads):
    """Workloads of @row that lack a steady run for each round."""
    lacking = []
    for one in workloads:
        samples = bench.samples.get((row.name, one.title), [])
        steady = sum(sample.is_steady(bench) for sample in samples)
        if samples and steady < bench.rounds:
            lacking.append(one)
    return lacking


def rounds_run(bench, models):
    start = time.monotonic()
    for number in range(bench.rounds):
        for model in models:
            for row in model.rows:
                row_try(bench, row, model.workloads)
        progress("")
        sys.stderr.write(f"round {number + 1} of {bench.rounds} done, "
                         f"{time.monotonic() - start:.0f} s\n")
    repeats_run(bench, models, (time.monotonic() - start) * REPEAT_SHARE)


def repeats_run(bench, models, seconds):
    """Again what was measured while the machine was not steady."""
    deadline = time.monotonic() + seconds
    for _ in range(REPEATS):
        for model in models:
            for row in model.rows:
                if time.monotonic() < deadline:
                    row_try(bench, row, unsteady(bench, row, model.workloads))


def models_choose(args):
    models = [one for one in servers.MODELS
              if re.search(args.models, one.name)]
    for model in models:
        model.rows = [row for row in model.rows
                      if row.role == "bare" or re.search(args.rows, row.name)]
        if args.quick:
            model.rows = [row for row in model.rows
                          if row.role in ("bare", "ours")]
        model.workloads = tuple(one for one in model.workloads
                                if re.search(args.workloads, one.title))
    return [one for one in models if one.workloads]


def arguments():
    parser = argparse.ArgumentParser(
        prog="./dev bench", description=__doc__.splitlines()[0])
    parser.add_argument("--builddir", metavar="DIR",
                        default=os.environ.get("top_builddir", "."),
                        help="where socketserverd was built")
    parser.add_argument("--quick", action="store_true",
                        help="the bare loops and socketserverd alone")
    parser.add_argument("--write", action="store_true",
                        help="write tests/bench/RESULTS.md and results.svg")
    parser.add_argument("--rounds", type=int, default=3, metavar="N")
    parser.add_argument("--cpu", type=int, metavar="N",
                        default=max(os.sched_getaffinity(0)),
                        help="the processor to measure on (the last one)")
    for name in ("models", "rows", "workloads"):
        parser.add_argument(f"--{name}", default="", metavar="REGEX",
                            help=f"only these {name}")
    parser.add_argument("--no-install", action="store_true",
                        help="do not install missing peers with apt-get")
    return parser.parse_args()


def bench_run(bench, args):
    models = models_choose(args)
    for row in (row for model in models for row in model.rows):
        if row.kept_only:
            bench.note(f"{row.name}: kept connections only: {row.kept_only}")
    programs_build(bench)
    sizes = []
    try:
        rounds_run(bench, models)
        progress("")
        sizes = memory.memory_lines(bench, models)
    except KeyboardInterrupt:
        bench.note("Interrupted: not all rounds are in the table.")
    print(report.text(bench, models, sizes))
    if args.write:
        path = os.path.join(bench.srcdir, "RESULTS.md")
        with open(path, "w") as file:
            file.write(report.markdown(bench, models, sizes))
        with open(os.path.join(bench.srcdir, "results.svg"), "w") as file:
            file.write(plot.svg(report.panels(bench, models)))
    return 1 if bench.failures else 0


def main():
    args = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    folder = tempfile.mkdtemp(prefix="socketserverd-bench-")
    os.chmod(folder, 0o755)
    bench = Bench(args, folder)
    try:
        return bench_run(bench, args)
    finally:
        bench.close()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
