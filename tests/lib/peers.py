# SPDX-License-Identifier: ISC
"""Clients: the other end of every transport. Each wait has a deadline."""

import errno
import os
import select
import socket
import struct
import tempfile

from until import Deadline, Failure, Skip, clip, expect_equal, seconds

WAIT = 10


def split_host(rest):
    host, port = rest.rsplit(":", 1)
    return host.strip("[]"), int(port)


class Address:
    """An address as `listen` writes it."""

    def __init__(self, text):
        self.text = text
        scheme, rest = text.split(":", 1)
        self.scheme = scheme
        if scheme in ("tcp", "udp"):
            self.sockaddr = split_host(rest[2:])
            is_six = ":" in self.sockaddr[0]
            self.family = socket.AF_INET6 if is_six else socket.AF_INET
        else:
            self.family = socket.AF_UNIX
            self.sockaddr = "\0" + rest[1:] if rest.startswith("@") else rest
        self.is_stream = scheme in ("tcp", "unix")

    @property
    def port(self):
        return self.sockaddr[1]

    def at(self, host):
        """The same port of another host (a wildcard was bound)."""
        form = "%s://[%s]:%d" if ":" in host else "%s://%s:%d"
        return Address(form % (self.scheme, host, self.port))

    def __repr__(self):
        return self.text


class Stream:
    """A connection to the daemon."""

    def __init__(self, address, source=None, rcvbuf=None, wait=WAIT):
        self.address = address
        self.sock = socket.socket(address.family, socket.SOCK_STREAM)
        self.sock.settimeout(seconds(wait))
        if rcvbuf:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        if source:
            self.sock.bind((source, 0))
        try:
            self.sock.connect(address.sockaddr)
        except OSError:
            self.sock.close()
            raise

    @property
    def name(self):
        """As the daemon names this client."""
        if self.address.family == socket.AF_UNIX:
            return "unix:"
        host, port = self.sock.getsockname()[:2]
        return ("[%s]:%d" if ":" in host else "%s:%d") % (host, port)

    def send(self, data):
        if isinstance(data, str):
            data = data.encode()
        try:
            self.sock.sendall(data)
        except socket.timeout:
            raise Failure("%d bytes were not taken in time" % len(data))
        return self

    def expect(self, wanted):
        """Exactly these bytes come next."""
        if isinstance(wanted, str):
            wanted = wanted.encode()
        got = self.take(len(wanted))
        if got != wanted:
            raise Failure("expected %r, got %r" % (clip(wanted), clip(got)))
        return self

    def take(self, count):
        """count bytes, or fewer at the end."""
        got = bytearray()
        while len(got) < count:
            data = self.receive(count - len(got), bytes(got))
            if not data:
                break
            got += data
        return bytes(got)

    def receive(self, count=65536, so_far=b""):
        try:
            return self.sock.recv(count)
        except socket.timeout:
            raise Failure("nothing came in time after %r" % clip(so_far))
        except ConnectionResetError:
            raise Failure("reset by the daemon after %r" % clip(so_far))

    def line(self):
        got = bytearray()
        while not got.endswith(b"\n"):
            data = self.receive(1, bytes(got))
            if not data:
                raise Failure("end inside the line %r" % bytes(got))
            got += data
        return got[:-1].decode("utf-8", "replace")

    def rest(self):
        """All that comes until the daemon ends its side."""
        got = bytearray()
        while True:
            data = self.receive(1 << 20, bytes(got[-400:]))
            if not data:
                return bytes(got)
            got += data

    def expect_end(self):
        got = self.receive()
        if got:
            raise Failure("expected the end, got %r" % clip(got))
        return self

    def expect_silence(self, span):
        """Neither bytes nor the end come within span seconds."""
        if select.select([self.sock], [], [], span)[0]:
            raise Failure("expected silence, got %r" % clip(self.receive()))
        return self

    def ending(self):
        """("end"|"reset", bytes before it)."""
        got = bytearray()
        while True:
            try:
                data = self.sock.recv(1 << 20)
            except ConnectionResetError:
                return "reset", bytes(got)
            except socket.timeout:
                raise Failure("neither end nor reset in time")
            if not data:
                return "end", bytes(got)
            got += data

    def rest_or_reset(self):
        """Whatever still comes; how it ends does not matter."""
        try:
            return self.rest()
        except Failure:
            return b""

    def half_close(self):
        self.sock.shutdown(socket.SHUT_WR)
        return self

    def reset(self):
        if self.address.family != socket.AF_UNIX:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                 struct.pack("ii", 1, 0))
        self.sock.close()

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Datagrams:
    """A datagram socket that talks to the daemon."""

    def __init__(self, address, directory=None, source=None, wait=WAIT,
                 bound=True):
        self.address = address
        self.path = None
        self.sock = socket.socket(address.family, socket.SOCK_DGRAM)
        self.sock.settimeout(seconds(wait))
        if address.family == socket.AF_UNIX and bound:
            handle, self.path = tempfile.mkstemp(".client", dir=directory)
            os.close(handle)
            os.unlink(self.path)
            self.sock.bind(self.path)
            os.chmod(self.path, 0o777)
        elif source:
            self.sock.bind((source, 0))
        elif address.family == socket.AF_INET:
            self.sock.bind(("127.0.0.1", 0))
        elif address.family == socket.AF_INET6:
            self.sock.bind(("::1", 0))

    @property
    def name(self):
        if self.address.family == socket.AF_UNIX:
            return "unix:" + (self.path or "")
        host, port = self.sock.getsockname()[:2]
        return ("[%s]:%d" if ":" in host else "%s:%d") % (host, port)

    def send(self, data):
        if isinstance(data, str):
            data = data.encode()
        self.sock.sendto(data, self.address.sockaddr)
        return self

    def receive(self):
        """One reply; it comes from the address that was asked."""
        try:
            data, source = self.sock.recvfrom(1 << 18)
        except socket.timeout:
            raise Failure("no reply in time")
        if self.address.family == socket.AF_UNIX:
            wanted, source = self.address.sockaddr, decode_path(source)
        else:
            wanted, source = self.address.sockaddr[:2], source[:2]
        expect_equal(source, wanted, "source of the reply")
        return data

    def ask(self, data):
        return self.send(data).receive()

    def expect(self, wanted):
        if isinstance(wanted, str):
            wanted = wanted.encode()
        expect_equal(self.receive(), wanted, "reply")
        return self

    def expect_silence(self, span):
        if select.select([self.sock], [], [], span)[0]:
            raise Failure("expected no reply, got %r" % self.receive())
        return self

    def close(self):
        self.sock.close()
        if self.path:
            try:
                os.unlink(self.path)
            except FileNotFoundError:
                pass
            self.path = None


def decode_path(path):
    return path.decode() if isinstance(path, bytes) else path


def is_refused(address):
    """Does nobody listen there?"""
    try:
        Stream(address, wait=2).close()
        return False
    except OSError as error:
        return error.errno in (errno.ECONNREFUSED, errno.ENOENT)


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as sock:
            sock.bind(("::1", 0))
        return True
    except OSError:
        return False


class Transport:
    """One of the seven ways to reach a listener."""

    def __init__(self, name, pattern):
        self.name = name
        self.pattern = pattern
        scheme = pattern.split(":")[0]
        self.is_stream = scheme in ("tcp", "unix")
        self.is_unix = scheme in ("unix", "unixgram")

    def listen(self, directory, name):
        if self.name == "tcp6" or self.name == "udp6":
            if not has_ipv6():
                raise Skip("no IPv6 loopback")
        return self.pattern.format(dir=directory, name=name, pid=os.getpid())

    def __str__(self):
        return self.name


TCP4 = Transport("tcp4", "tcp://127.0.0.1:0")
TCP6 = Transport("tcp6", "tcp://[::1]:0")
UDP4 = Transport("udp4", "udp://127.0.0.1:0")
UDP6 = Transport("udp6", "udp://[::1]:0")
UNIX = Transport("unix", "unix:{dir}/{name}.sock")
ABSTRACT = Transport("abstract", "unix:@scenario-{pid}-{name}")
UNIXGRAM = Transport("unixgram", "unixgram:{dir}/{name}.gram")


def own(transport):
    """A transport of IPv4 on a loopback address that only this process uses:
    the kernel gives its port to nobody else while it is closed."""
    pid = os.getpid()
    return transport.pattern.replace("127.0.0.1", "127.%d.%d.%d" % (
        64 + (pid >> 16 & 63), pid >> 8 & 255, pid & 255))


STREAMS = (TCP4, TCP6, UNIX, ABSTRACT)
DATAGRAMS = (UDP4, UDP6, UNIXGRAM)
TRANSPORTS = STREAMS + DATAGRAMS


__all__ = ["Address", "Stream", "Datagrams", "Deadline", "Transport",
           "TCP4", "TCP6", "UDP4", "UDP6", "UNIX", "ABSTRACT", "UNIXGRAM",
           "STREAMS", "DATAGRAMS", "TRANSPORTS", "is_refused", "has_ipv6",
           "own"]
