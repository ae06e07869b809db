# SPDX-License-Identifier: ISC
"""A strict reader of the daemon's log lines. What it does not accept is a
defect of the daemon: a log that cannot be parsed can be forged."""

import json
import re

from until import Failure

ORDER = ("time", "level", "listener", "generation", "worker", "peer",
         "request", "result", "reason", "bytes_in", "bytes_out", "seconds",
         "message")
LEVELS = ("debug", "info", "notice", "warning", "error")
RESULTS = ("ok", "error", "refused", "timeout", "reset", "crash")
REASONS = ("max_connections", "access", "verify", "descriptors",
           "datagram_too_long", "draining", "shed_idle")
NUMBERS = ("generation", "request", "bytes_in", "bytes_out", "seconds")
MAX_LINE = 4096

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z\Z")
BARE = re.compile(r"[A-Za-z0-9._:/@+-]+")
KEY = re.compile(r"[a-z_]+")
NUMBER = re.compile(r"\d+(\.\d+)?\Z")


class Record(dict):
    """One line: its fields; .message; .line as it was written."""

    line = ""

    @property
    def message(self):
        return self.get("message", "")

    @property
    def level(self):
        return self.get("level", "")


def unquote(text, at):
    """The value of a quoted string that begins at text[at]; its end."""
    out, i = bytearray(), at + 1
    data = text
    while True:
        if i >= len(data):
            raise Failure("unterminated value in log line %r" % text)
        char = data[i]
        if char == '"':
            return out.decode("utf-8", "surrogateescape"), i + 1
        if char != "\\":
            out += char.encode("utf-8")
            i += 1
            continue
        pair = data[i + 1:i + 2]
        if pair in ('"', "\\"):
            out += pair.encode()
            i += 2
        elif pair == "x" and re.match(r"[0-9a-f]{2}", data[i + 2:i + 4]):
            out.append(int(data[i + 2:i + 4], 16))
            i += 4
        else:
            raise Failure("bad escape in log line %r" % text)


def parse_text(line):
    """A logfmt line as a list of pairs."""
    pairs, at = [], 0
    while True:
        key = KEY.match(line, at)
        if not key or line[key.end():key.end() + 1] != "=":
            raise Failure("no key=value at %d in log line %r" % (at, line))
        at = key.end() + 1
        if line[at:at + 1] == '"':
            value, at = unquote(line, at)
        else:
            bare = BARE.match(line, at)
            if not bare:
                raise Failure("no value at %d in log line %r" % (at, line))
            value, at = bare.group(), bare.end()
        pairs.append((key.group(), value))
        if at == len(line):
            return pairs
        if line[at] != " ":
            raise Failure("no space at %d in log line %r" % (at, line))
        at += 1


def parse_json(line):
    def pairs_of(pairs):
        return pairs
    try:
        pairs = json.loads(line, object_pairs_hook=pairs_of,
                           parse_float=str)
    except ValueError as error:
        raise Failure("log line is not JSON (%s): %r" % (error, line))
    if not isinstance(pairs, list):
        raise Failure("log line is not an object: %r" % line)
    return pairs


def check_fields(pairs, line):
    keys = [key for key, _ in pairs]
    known = [key for key in ORDER if key in keys]
    if keys != known:
        raise Failure("fields %r are unknown, double or out of order: %r"
                      % (keys, line))
    values = dict(pairs)
    if not TIME.match(str(values.get("time", ""))):
        raise Failure("bad time in log line %r" % line)
    if values.get("level") not in LEVELS:
        raise Failure("bad level in log line %r" % line)
    if "message" not in values:
        raise Failure("no message in log line %r" % line)
    if values.get("result", "ok") not in RESULTS:
        raise Failure("bad result in log line %r" % line)
    if values.get("reason", "access") not in REASONS:
        raise Failure("bad reason in log line %r" % line)
    for key in NUMBERS:
        if key in values and not NUMBER.match(str(values[key])):
            raise Failure("%s is no number in log line %r" % (key, line))


def parse(data, form="text"):
    """Bytes of one line, without its newline, as a Record."""
    if len(data) > MAX_LINE:
        raise Failure("log line of %d bytes: %r..." % (len(data), data[:200]))
    try:
        line = data.decode("utf-8")
    except UnicodeDecodeError:
        raise Failure("log line is not UTF-8: %r" % data)
    for char in line:
        if ord(char) < 32 or 127 <= ord(char) < 160:
            raise Failure("control byte in log line %r" % data)
    pairs = parse_text(line) if form == "text" else parse_json(line)
    check_fields(pairs, line)
    record = Record(pairs)
    record.line = line
    return record
