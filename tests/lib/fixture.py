# SPDX-License-Identifier: ISC
"""Misbehaving handlers: tests/fixtures/NAME.c compiled on demand into a
directory of this run, once, whoever asks first."""

import fcntl
import os
import shlex
import subprocess

from until import Failure

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SOURCE = os.path.join(TESTS, "fixtures")
ABI = os.path.join(os.path.dirname(TESTS), "src", "abi")


def compile_flags():
    extra = os.environ.get("FIXTURE_CFLAGS", "")
    return ["-std=gnu11", "-O1", "-g", "-D_GNU_SOURCE", "-fPIC", "-shared",
            "-fvisibility=hidden", "-Wall", "-Wextra", "-I", ABI
            ] + shlex.split(extra)


def build(name, directory):
    """The path of NAME.so in directory."""
    target = os.path.join(directory, name + ".so")
    with open(os.path.join(directory, name + ".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.path.exists(target):
            return target
        fresh = target + ".new"
        command = shlex.split(os.environ.get("CC", "cc")) + compile_flags()
        command += ["-o", fresh, os.path.join(SOURCE, name + ".c")]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise Failure("fixture %s: %s" % (name, done.stderr))
        os.chmod(fresh, 0o755)
        os.rename(fresh, target)
    return target
