# SPDX-License-Identifier: ISC
"""The benchmark's table, as text and as Markdown."""

import datetime
import os
import platform
import re
import statistics
import subprocess

import goals


class Cell:
    """All runs of one row under one workload."""

    def __init__(self, bench, samples):
        steady = [one for one in samples if one.is_steady(bench)]
        self.is_steady = bool(steady)
        values = [one.value for one in steady or samples]
        self.is_deaf = None in values
        if self.is_deaf:
            values = [0]
        self.median = statistics.median(values)
        self.least = min(values)
        self.most = max(values)

    def text(self, floor):
        if self.is_deaf:
            return "deaf"
        text = f"{_short(self.median)} ({_short(self.least)}" \
            f"-{_short(self.most)})"
        if not self.is_steady:
            text += "~"
        if floor and floor.median > 0:
            text += f" {self.median / floor.median:.2f}"
        return text


def _short(value):
    return f"{value:.2f}" if value < 10 else \
        f"{value:.1f}" if value < 100 else f"{value:.0f}"


def _cells(bench, model):
    cells = {}
    for row in model.rows:
        for workload in model.workloads:
            samples = bench.samples.get((row.name, workload.title))
            if samples:
                cells[row.name, workload.title] = Cell(bench, samples)
    return cells


def _head(workload):
    return workload.title if workload.unit == "us" else \
        f"{workload.title}, {workload.unit}"


def panels(bench, models):
    """What plot.py draws: (model, [(workload, [(row, role, cell or None)])])."""
    return [(model.name,
             [(_head(workload),
               [(row.name, row.role, cells.get((row.name, workload.title)))
                for row in model.rows])
              for workload in model.workloads])
            for model in models for cells in [_cells(bench, model)]]


def _model_rows(bench, model):
    """Lines of cells, the head first."""
    cells = _cells(bench, model)
    floor = model.rows[0].name
    lines = [[model.name] + [_head(one) for one in model.workloads]]
    for row in model.rows:
        line = [row.name]
        for workload in model.workloads:
            cell = cells.get((row.name, workload.title))
            base = cells.get((floor, workload.title))
            line.append(
                cell.text(base if workload.has_goal else None) if cell
                else bench.absent.get((row.name, workload.title), ""))
        if any(line[1:]):
            lines.append(line)
    return lines


def _aligned(lines):
    widths = [max(len(line[i]) for line in lines)
              for i in range(len(lines[0]))]
    return ["  ".join(text.ljust(width) for text, width in zip(line, widths))
            .rstrip() for line in lines]


def _markdown(lines):
    head, *rest = lines
    rule = ["---"] * len(head)
    return ["| " + " | ".join(line) + " |" for line in (head, rule, *rest)]


def _met(value, limit, noise=goals.NOISE):
    return "yes" if value <= limit else \
        "yes, within the noise" if value <= limit * noise else "NO"


def _against(row, workload, cell, base, limit):
    """(claim, is it true) of one limit; base None: the figure itself."""
    what = f"{row.name}, {workload.title}"
    if base is None:
        met = "NO" if cell.is_deaf else _met(cell.median, limit, 1)
        return (f"{what}: {cell.text(None)} {workload.unit} (goal {limit})",
                met)
    ratio = cell.median / base[1].median
    return (f"{what}: {ratio:.2f} of {base[0]} (goal {limit})",
            _met(ratio, limit))


def verdicts(bench, models):
    """(claim, is it true) for each of our rows and workloads."""
    found = []
    for model in models:
        cells = _cells(bench, model)
        for row in model.rows:
            for workload in model.workloads:
                cell = cells.get((row.name, workload.title))
                if not cell:
                    continue
                for name, limit in goals.limits_of(row, workload,
                                                   model.rows[0].name):
                    base = name and (name, cells.get((name, workload.title)))
                    if base is None or base[1] and base[1].median > 0:
                        found.append(_against(row, workload, cell, base,
                                              limit))
                if row.role == "ours" and workload.has_goal:
                    found += _ahead(model, row, workload, cells, cell)
    return found


def _ahead(model, row, workload, cells, cell):
    peers = [(cells[peer.name, workload.title].median, peer.name)
             for peer in model.rows if peer.role == "peer"
             and (peer.name, workload.title) in cells]
    if not peers:
        return []
    best, name = min(peers)
    best = max(best, 0.001)
    return [(f"{row.name}, {workload.title}: {cell.median / best:.2f} of the "
             f"best peer, {name}", _met(cell.median, best))]


def _yes(is_true):
    return "yes" if is_true else "NO"


def _memory_rows(memory):
    lines = [["memory", "KiB", "goal"]]
    for what, kib, goal in memory:
        met = f"< {goal}: {_yes(kib < goal)}" if goal else ""
        lines.append([what, f"{kib:.0f}" if kib >= 100 else f"{kib:.1f}", met])
    return lines


def _compiler():
    try:
        return subprocess.run(["cc", "--version"], capture_output=True,
                              text=True).stdout.splitlines()[0]
    except (OSError, IndexError):
        return "no compiler"


def _processor():
    with open("/proc/cpuinfo") as file:
        found = re.search(r"^model name\s*:\s*(.*)$", file.read(), re.M)
    return found.group(1) if found else platform.machine()


def facts(bench):
    return [
        f"{datetime.date.today()}; {os.cpu_count()} x {_processor()}; "
        f"{platform.system()} {platform.release()}; {_compiler()}; "
        f"Python {platform.python_version()}",
        f"Server CPU per request in us: median (min-max) ratio to the bare "
        f"loop, of {bench.rounds} interleaved rounds; server and load on "
        f"processor {bench.cpu}; CPU time from {bench.clock.what}; the "
        f"machine's own ping-pong {bench.best_probe / 1000:.2f} us.",
        "rr N: N kept connections, 64 bytes to and fro. crr 32: connect, one "
        "64-byte echo, close, 32 at once. bot 32: connect, greeting, a line, "
        "its answer, close. stream: 64 KiB blocks, 4 on their way. udp 16: "
        "64-byte datagrams on 16 sockets. deaf 200: a new client's latency "
        "while 200 have sent one byte and stay. idle 1000: memory of a "
        "connection. ~: the "
        "machine was never steady. socketserverd writes its access log to a "
        "file, unless \"access off\".",
    ]


def _sections(bench, models, memory):
    sections = [_model_rows(bench, model) for model in models]
    if memory:
        sections.append(_memory_rows(memory))
    told = verdicts(bench, models)
    if told:
        sections.append([["goal", "met"], *map(list, told)])
    return sections


def text(bench, models, memory):
    lines = []
    for section in _sections(bench, models, memory):
        lines += ["", *_aligned(section)]
    lines += ["", *facts(bench), *bench.notes]
    return "\n".join(lines) + "\n"


def markdown(bench, models, memory):
    lines = ["# Benchmark results", "",
             "Written by `./dev bench --write`; figures hold for this machine "
             "and moment, ratios travel better."]
    for fact in facts(bench):
        lines += ["", fact]
    for section in _sections(bench, models, memory):
        lines += ["", *_markdown(section)]
    if bench.notes:
        lines += ["", *[f"- {note}" for note in bench.notes]]
    return "\n".join(lines) + "\n"
