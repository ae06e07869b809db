# SPDX-License-Identifier: ISC
"""socketserverctl under test, and a daemon's control socket made of Python:
it answers what a story tells it to, or misbehaves as the story likes."""

import json
import os
import pty
import select
import socket
import subprocess
import threading

from daemon import BUILD
from until import Deadline, Failure, clip, expect, expect_equal, seconds

CTL = os.path.join(BUILD, "socketserverctl")


def environment(extra=None):
    env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
    for name, item in os.environ.items():
        if name.endswith("SAN_OPTIONS") or name == "LD_LIBRARY_PATH":
            env[name] = item
    env.update(extra or {})
    return env


def ok(result=None):
    return {"ok": True, "result": result}


def no(error, code=1, **more):
    return dict({"ok": False, "code": code, "error": error}, **more)


class Control:
    """A control socket. answers: {command: what is answered}; an answer is an
    object, raw bytes, or a function of the connection."""

    def __init__(self, story, answers, name="control.sock"):
        self.path = story.path(name)
        self.answers = answers
        self.lines = []         # every request that has come
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.bind(self.path)
        os.chmod(self.path, 0o666)
        self.sock.listen(64)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            peer, _ = self.sock.accept()
            threading.Thread(target=self.serve, args=(peer,),
                             daemon=True).start()

    def serve(self, peer):
        try:
            with peer, peer.makefile("rb") as file:
                line = file.readline().decode()
                self.lines.append(line)
                self.answer(peer, line)
        except OSError:
            pass                # the client has gone

    def answer(self, peer, line):
        answer = self.answers[line.split()[0]]
        if callable(answer):
            answer = answer(peer)
        if isinstance(answer, dict):
            answer = json.dumps(answer).encode() + b"\n"
        if answer is not None:
            peer.sendall(answer)

    def run(self, *words, **how):
        return run("-s", self.path, *words, **how)

    def start(self, *words, **how):
        return Program("-s", self.path, *words, **how)


def run(*words, env=None, within=20, input=b"", prepare=None, stdout=None,
        program=CTL):
    """Run socketserverctl to its end. The output is bytes."""
    try:
        done = subprocess.run(
            [program, *words], env=environment(env), input=input, cwd="/",
            timeout=seconds(within), preexec_fn=prepare,
            stdout=stdout or subprocess.PIPE, stderr=subprocess.PIPE)
    except subprocess.TimeoutExpired as error:
        raise Failure("socketserverctl %s has not ended: %r, %r"
                      % (" ".join(words), error.stdout, error.stderr))
    for stream in done.stdout or b"", done.stderr:
        expect(b"Sanitizer" not in stream, "%r", stream)
    return done


def expect_exit(done, status, *parts):
    """Its exit status, and what standard error says."""
    expect_equal(done.returncode, status, "exit status; %r, %r"
                 % (clip(done.stdout), clip(done.stderr)))
    for part in parts:
        expect(part.encode() in done.stderr, "%r is not in %r", part,
               done.stderr)
    return done


class Program:
    """A socketserverctl that is talked to: over pipes, or over a terminal."""

    def __init__(self, *words, terminal=False, env=None, stdout=None,
                 program=CTL):
        self.got = b""
        self.terminal = None
        if terminal:
            self.terminal, theirs = pty.openpty()
            ends = {"stdin": theirs, "stdout": theirs if stdout is None
                    else stdout, "stderr": theirs}
            self.stdin = self.stdout = self.terminal
        else:
            ends = dict.fromkeys(("stdin", "stdout"), subprocess.PIPE)
            ends["stderr"] = subprocess.STDOUT
        self.process = subprocess.Popen(
            [program, *words], env=environment(env), cwd="/",
            start_new_session=True, **ends)
        if terminal:
            self.slave = theirs         # its settings are looked at
        else:
            self.stdin = self.process.stdin.fileno()
            self.stdout = self.process.stdout.fileno()

    def send(self, data):
        os.write(self.stdin, data)
        return self

    def end_input(self):
        self.process.stdin.close()
        return self

    def close_output(self):
        self.process.stdout.close()
        return self

    def expect(self, wanted, within=20, count=1):
        """The output so far has these bytes; what comes up to and with them
        is taken away and returned."""
        deadline = Deadline(within)
        while self.got.count(wanted) < count:
            if not select.select([self.stdout], [], [], deadline.left())[0]:
                raise Failure("no %r in %r" % (wanted, self.got))
            data = os.read(self.stdout, 65536)
            if not data:
                raise Failure("end without %r in %r" % (wanted, self.got))
            self.got += data
        at = 0
        for _ in range(count):
            at = self.got.index(wanted, at) + len(wanted)
        taken, self.got = self.got[:at], self.got[at:]
        return taken

    def signal(self, number):
        self.process.send_signal(number)
        return self

    def is_running(self):
        return self.process.poll() is None

    def end(self, within=20):
        """Its exit status; the rest of its output is in got."""
        deadline = Deadline(within)
        while self.terminal is None and not self.process.stdout.closed:
            if not select.select([self.stdout], [], [], deadline.left())[0]:
                raise Failure("it has not ended; %r" % self.got)
            data = os.read(self.stdout, 65536)
            if not data:
                break
            self.got += data
        try:
            status = self.process.wait(deadline.left())
        except subprocess.TimeoutExpired:
            raise Failure("it has not ended; %r" % self.got)
        while self.terminal is not None and select.select(
                [self.terminal], [], [], 0)[0]:
            self.got += os.read(self.terminal, 65536)
        return status

    def expect_end(self, status=0):
        expect_equal(self.end(), status, "exit status; %r" % self.got)
        return self.got

