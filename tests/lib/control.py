# SPDX-License-Identifier: ISC
"""A client of the control socket: a line out, a JSON object on a line back."""

import json
import os
import socket

from until import Deadline, Failure, expect, seconds

WAIT = 15

class Client:
    """A connection to the control socket of a daemon."""

    def __init__(self, path, wait=WAIT):
        self.wait = wait
        self.received = b""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(seconds(wait))
        self.sock.connect(path)

    def send(self, data):
        """Bytes as they are. One that is turned away may not get through."""
        try:
            self.sock.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass
        return self

    def receive(self):
        """What comes next; b"" at the end."""
        try:
            return self.sock.recv(65536)
        except ConnectionResetError:
            return b""
        except TimeoutError:
            raise Failure("nothing came over the control socket; so far %r"
                          % self.received[-200:])

    def line(self):
        """The next answer's text; None at the end."""
        deadline = Deadline(self.wait)
        while b"\n" not in self.received:
            expect(not deadline.passed(), "half an answer: %r",
                   self.received[-200:])
            data = self.receive()
            if not data:
                expect(not self.received, "the end came after %r",
                       self.received[-200:])
                return None
            self.received += data
        line, self.received = self.received.split(b"\n", 1)
        return line

    def answer(self):
        """The next answer."""
        line = self.line()
        if line is None:
            raise Failure("the control socket was closed without an answer")
        return parsed(line)

    def ask(self, command):
        return self.send(command.encode() + b"\n").answer()

    def expect_end(self):
        line = self.line()
        expect(line is None, "instead of the end came %r", line)
        return self

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def parsed(line):
    """An answer, and it has the form that all have."""
    answer = json.loads(line)
    if answer["ok"]:
        expect("result" in answer and "code" not in answer, "%r", answer)
    else:
        expect(answer["code"] in (1, 2, 4) and answer["error"], "%r", answer)
    return answer


def ask(path, command, wait=WAIT):
    """One command over a connection of its own."""
    with Client(path, wait) as client:
        return client.ask(command)


def ask_as(path, command, uid, gid, groups=()):
    """The same as somebody else; None: the file's mode forbids it."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        answer_as(writer, path, command, uid, gid, groups)
    os.close(writer)
    with open(reader, "rb") as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    if said == b"EACCES":
        return None
    expect(said.startswith(b"{"), "as user %d: %r", uid, said)
    return parsed(said)


def answer_as(writer, path, command, uid, gid, groups):
    """In the child, which ends here. It may read no file of ours any more."""
    try:
        os.setgroups(list(groups))
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
        with Client(path) as client:
            os.write(writer, client.send(command.encode() + b"\n").line())
    except PermissionError:
        os.write(writer, b"EACCES")
    except BaseException as error:
        os.write(writer, repr(error).encode())
    finally:
        os._exit(0)
