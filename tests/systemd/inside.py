# SPDX-License-Identifier: ISC
"""Runs the claims of one group inside the booted machine: what test.service
starts. Each result is a line of JSON in /out/results."""

import importlib
import json
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "lib")]
sys.dont_write_bytecode = True

import booted  # noqa: E402


def report(file, name, verdict, text=""):
    print(json.dumps([name, verdict, text]), file=file, flush=True)


def main():
    group, *wanted = sys.argv[1:]
    with open("/out/directories") as file:
        directories = json.load(file)
    importlib.import_module(group)
    booted.run("systemd-sysusers", "/out/sysusers")
    with open("/out/results", "w") as file:
        for one in booted.registry:
            if one.name not in wanted:
                continue
            report(file, one.name, "begun")
            report(file, one.name, *booted.play(one, directories, time.time))


main()
