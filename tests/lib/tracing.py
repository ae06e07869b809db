# SPDX-License-Identifier: ISC
"""strace(1) of a process that runs: the system calls it makes meanwhile."""

import os
import shutil
import signal
import subprocess

import proc
from scenario import Skip
from until import SCALE, eventually


class Trace:
    def __init__(self, story, pid, calls):
        """calls: as strace -e trace= takes them."""
        if SCALE != 1:
            raise Skip("a sanitizer does not bear strace")
        if shutil.which("strace") is None:
            raise Skip("strace is not installed")
        self.path = story.path("trace")
        self.process = subprocess.Popen(
            ["strace", "-f", "-qq", "-e", "trace=" + calls, "-o", self.path,
             "-p", str(pid)], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        eventually("strace is attached", lambda: self.is_attached(pid), 10)

    def is_attached(self, pid):
        if self.process.poll() is not None:
            raise Skip("strace cannot attach here")
        return all(proc.status(one)["TracerPid"] != "0"
                   for one in proc.threads(pid))

    def stop(self):
        """The calls, a line each."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait()
        with open(self.path) as file:
            return [line for line in file if "(" in line]

    def seen(self):
        """How many bytes of them have been written so far."""
        return os.path.getsize(self.path)
