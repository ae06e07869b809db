# SPDX-License-Identifier: ISC
"""The daemon under test: started in the foreground on port 0, ready when it
says so over the notify socket, its log read as it is written, and looked at
once more after it has stopped."""

import fcntl
import os
import re
import select
import signal
import socket
import stat as stat_mode
import subprocess
import threading

import control
import libconf
import logline
import peers
import proc
from until import (Deadline, Failure, eventually, expect, expect_equal,
                   seconds)

BUILD = os.path.abspath(os.environ.get("BUILDDIR", "."))
PROGRAM = os.path.join(BUILD, "socketserverd")
HANDLERS = os.path.join(BUILD, "src", "handlers", ".libs")

READY_WITHIN = 15
STOP_WITHIN = 6
F_SETPIPE_SZ = 1031
STOPPED = re.compile(
    r"stopped: accepted (\d+), served (\d+), errors (\d+), refused (\d+)"
    r"(?: \(([a-z_]+ \d+(?:, [a-z_]+ \d+)*)\))?, cut short (\d+)\Z")
# LeakSanitizer's, of a process that is killed while it looks for leaks.
KILLED_AT_EXIT = re.compile(
    rb"==\d+==Unable to get registers from thread \d+\.\s*")
SANITIZER = re.compile(
    rb"(Address|Leak|Thread|Memory|UndefinedBehavior)Sanitizer|"
    rb"runtime error:|ERROR SUMMARY: [1-9]")
ASSERT = re.compile(rb"Assertion .* failed|assertion failed|"
                    rb"stack smashing detected|buffer overflow detected|"
                    rb"double free|malloc\(\)|free\(\): ", re.I)

# A crash that is meant: no sanitizer catches and reports it.
QUIET_ASAN = {"ASAN_OPTIONS": "handle_segv=0:handle_abort=0:handle_sigbus=0:"
              "handle_sigfpe=0:handle_sigill=0:detect_leaks=0:"
              "detect_stack_use_after_return=0",
              "TSAN_OPTIONS": "handle_segv=0:handle_abort=0:handle_sigfpe=0:"
              "handle_sigbus=0:handle_sigill=0",
              "UBSAN_OPTIONS": "handle_segv=0:handle_abort=0"}

running = set()                 # pids of the daemons of this scenario


class Totals:
    """What a listener counted, from its last line."""

    def __init__(self, match):
        numbers = [int(match.group(i)) for i in (1, 2, 3, 4, 6)]
        (self.accepted, self.served, self.errors, self.refused,
         self.cut_short) = numbers
        pairs = (item.rsplit(" ", 1)
                 for item in (match.group(5) or "").split(", ") if item)
        self.reasons = {word: int(count) for word, count in pairs}

    def __repr__(self):
        return "Totals(%r)" % self.__dict__


class Log:
    """Lines of the daemon, in the order of their arrival."""

    def __init__(self, form):
        self.form = form
        self.lines = []         # bytes, without the newline
        self.records = []       # as many, parsed; None where it cannot be
        self.tail = b""         # after the last newline
        self.changed = threading.Condition()

    def feed(self, data):
        with self.changed:
            *lines, self.tail = (self.tail + data).split(b"\n")
            for line in lines:
                self.lines.append(line)
                try:
                    self.records.append(logline.parse(line, self.form))
                except Failure:
                    self.records.append(None)
            self.changed.notify_all()

    def find(self, wanted, since=0):
        """Records that match: a text within the message, or a function."""
        with self.changed:
            return [r for r in self.records[since:]
                    if r is not None and matches(r, wanted)]

    def mark(self):
        with self.changed:
            return len(self.records)

    def wait(self, wanted, within=10, since=0, count=1):
        """The first record that matches, when count of them are there."""
        deadline = Deadline(within)
        with self.changed:
            while True:
                found = [r for r in self.records[since:]
                         if r is not None and matches(r, wanted)]
                if len(found) >= count:
                    return found[0]
                if deadline.passed():
                    raise Failure("the log has %d of %d lines like %r"
                                  % (len(found), count, describe(wanted)))
                self.changed.wait(deadline.left())

    def check(self):
        """Every line parses."""
        for line in self.lines:
            logline.parse(line, self.form)
        expect(not self.tail, "the log ends in the middle of a line: %r",
               self.tail)


def is_crash(record):
    return record.level in ("warning", "error") and (
        "was killed by" in record.message
        or "exited with status" in record.message)


def describe(wanted):
    return wanted if isinstance(wanted, str) else getattr(
        wanted, "claim", wanted.__name__)


def matches(record, wanted):
    if isinstance(wanted, str):
        return wanted in record.message
    return wanted(record)


class Daemon:
    """One socketserverd and all that it started."""

    def __init__(self, directory, name, listeners, top=None, log=None,
                 args=(), env=None, prepare=None, log_level="info",
                 program=PROGRAM, run=None, **popen):
        self.directory, self.name = directory, name
        self.may_crash = False          # a service process may die badly
        self.keeps_descriptors = True   # the supervisor's count is checked
        self.cuts_short = False         # requests may be cut at the stop
        self.has_totals = True          # the end is logged whole
        self.exit_status = None
        self.streams = []
        self.log = Log((log or {}).get("format", "text"))
        self.stderr_is_log = (log or {}).get("target", "stderr") == "stderr"
        self.notified = []
        self.address_file = self.path("addresses")
        self.control_socket = self.path("control")
        self.listeners = listeners
        self.conf = self.path("conf")
        if run is None:
            self.write(top, log, log_level)
            command = [program, "-c", self.conf]
        else:
            command = [program] + list(run)
        self.open_notify()
        self.start(command + list(args), env, prepare, popen)

    def path(self, ending):
        return os.path.join(self.directory, "%s.%s" % (self.name, ending))

    # Configuration

    def write(self, top, log, log_level):
        """The configuration file."""
        self.written = (top, log, log_level)
        settings = {
            "module_path": [HANDLERS, fixtures_directory()],
            "address_file": self.address_file,
            "control": {"socket": self.control_socket},
            "drain_timeout": 10,
            "log": dict({"target": "stderr", "level": log_level},
                        **(log or {})),
        }
        settings.update(top or {})
        settings["listeners"] = [self.resolve(one) for one in self.listeners]
        with open(self.conf, "w") as file:
            file.write(libconf.settings(settings))
        os.chmod(self.conf, 0o644)

    def rewrite(self, *listeners, log=None, **top):
        """Another configuration file, for a reload. The rest stays."""
        was_top, was_log, log_level = self.written
        self.listeners = list(listeners)
        self.write(dict(was_top or {}, **top), dict(was_log or {},
                   **(log or {})), log_level)

    def resolve(self, listener):
        """Transports in `listen` become addresses."""
        def one(item):
            if isinstance(item, peers.Transport):
                return item.listen(self.directory, self.name + "-"
                                   + listener["name"])
            return item
        listen = listener["listen"]
        many = isinstance(listen, (list, tuple))
        return dict(listener, listen=[one(item) for item in listen] if many
                    else one(listen))

    # Start

    def open_notify(self):
        self.notify_path = self.path("notify")
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(self.notify_path)
        os.chmod(self.notify_path, 0o777)

    def environment(self, extra):
        report = os.path.join(self.directory, "sanitizer")
        os.makedirs(report, exist_ok=True)
        os.chmod(report, 0o1777)
        env = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8",
            "NOTIFY_SOCKET": self.notify_path,
        }
        for name in ("ASAN", "UBSAN", "TSAN", "LSAN"):
            given = os.environ.get(name + "_OPTIONS")
            options = "log_path=%s/%s" % (report, name.lower())
            env[name + "_OPTIONS"] = ":".join(filter(None, [given, options]))
        for name in ("TMPDIR", "LD_LIBRARY_PATH"):
            if name in os.environ:
                env[name] = os.environ[name]
        for key, item in (extra or {}).items():
            is_options = key.endswith("SAN_OPTIONS")
            env[key] = env[key] + ":" + item if is_options else item
        return {key: item for key, item in env.items() if item is not None}

    def start(self, command, env, prepare, popen):
        reader, writer = os.pipe()
        fcntl.fcntl(writer, F_SETPIPE_SZ, 1 << 20)
        how = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL,
               "stderr": writer, "cwd": self.directory, "umask": 0o022}
        how.update(popen)
        self.process = subprocess.Popen(
            command, env=self.environment(env), preexec_fn=prepare, **how)
        os.close(writer)
        self.pid = self.process.pid
        running.add(self.pid)
        self.pidfd = os.pidfd_open(self.pid)
        self.changed = threading.Condition()
        self.log_ended = threading.Event()
        self.stderr = reader
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def be(self, pid):
        """The daemon is not what was started, but a process below it."""
        os.close(self.pidfd)
        running.add(pid)
        self.pid, self.pidfd = pid, os.pidfd_open(pid)

    def read(self):
        """The reader thread."""
        try:
            self.read_all()
        except OSError:
            pass                # end_hard() has closed the notify socket

    def read_all(self):
        """The log and the notifications."""
        poll = select.poll()
        poll.register(self.stderr, select.POLLIN)
        poll.register(self.notify, select.POLLIN)
        while True:
            for fd, _ in poll.poll():
                if fd == self.stderr:
                    data = os.read(fd, 1 << 16)
                    if not data:
                        poll.unregister(fd)
                        self.log_ended.set()
                    self.log.feed(data)
                else:
                    text = self.notify.recv(65536).decode()
                    with self.changed:
                        self.notified.extend(text.splitlines())
                        self.changed.notify_all()

    def wait_notified(self, line, within=READY_WITHIN):
        """The daemon says so to its service manager."""
        deadline = Deadline(within)
        with self.changed:
            while not any(one.startswith(line) for one in self.notified):
                if deadline.passed() or not proc.is_alive(self.pid):
                    raise Failure("no %r over the notify socket; %r\n%s"
                                  % (line, self.notified, self.shown()))
                self.changed.wait(min(0.2, deadline.left()))

    def wait_ready(self, within=READY_WITHIN):
        self.wait_notified("READY=1", within)
        self.at_ready = proc.descriptors(self.pid)
        return self

    # While it runs

    def addresses(self, name=None):
        """Every address of a listener, as bound."""
        name = name or self.listeners[0]["name"]
        with open(self.address_file) as file:
            rows = [line.split(" ", 1) for line in file.read().splitlines()]
        found = [peers.Address(row[1]) for row in rows if row[0] == name]
        expect(found, "address_file has no line for %s: %r", name, rows)
        return found

    def address(self, name=None):
        return self.addresses(name)[0]

    def dial(self, name=None, **how):
        """A new connection to a listener."""
        address = name if isinstance(name, peers.Address) \
            else self.address(name)
        stream = peers.Stream(address, **how)
        self.streams.append(stream)
        return stream

    def datagrams(self, name=None, **how):
        address = name if isinstance(name, peers.Address) \
            else self.address(name)
        client = peers.Datagrams(address, self.directory, **how)
        self.streams.append(client)
        return client

    def control(self, command):
        """The answer to a command of the control socket."""
        return control.ask(self.control_socket, command)

    def told(self, command):
        """The result of a command that must succeed."""
        answer = self.control(command)
        expect(answer["ok"], "%s: %r", command, answer)
        return answer["result"]

    def reload(self):
        """It must succeed; {listener: the action}."""
        return {one["name"]: one["action"]
                for one in self.told("reload")["changes"]}

    def workers(self, name):
        """The service processes of a listener's generation."""
        return self.told("show " + name)["workers"]

    def controller(self):
        """A connection to the control socket that stays."""
        client = control.Client(self.control_socket)
        self.streams.append(client)
        return client

    def tree(self):
        """Every process below the supervisor."""
        return proc.descendants(self.pid)

    def services(self):
        """The service processes, oldest first."""
        return sorted(one.pid for one in self.tree()
                      if one.parent == self.pid and not one.is_zombie)

    def wait_services(self, count, within=10):
        return eventually(
            lambda: "%d service processes: %r" % (count, self.tree()),
            lambda: self.services() if len(self.services()) == count else None,
            within)

    def signal(self, number):
        signal.pidfd_send_signal(self.pidfd, number)

    def wait_exit(self, within=STOP_WITHIN):
        """Its exit status (negative: the signal)."""
        if not select.select([self.pidfd], [], [], seconds(within))[0]:
            raise Failure("the daemon has not ended within %g s: %r"
                          % (seconds(within), self.tree()))
        self.exit_status = self.process.wait()
        running.discard(self.pid)
        self.log_ended.wait(seconds(5))
        return self.exit_status

    # The end

    def close_clients(self):
        for stream in self.streams:
            stream.close()
        self.streams = []

    def is_running(self):
        return self.exit_status is None

    def stop(self, within=STOP_WITHIN):
        """TERM, as an operator would; every post-condition holds."""
        self.close_clients()
        self.check_running()
        try:
            addresses = self.every_address()
        except OSError:
            addresses = []
        self.signal(signal.SIGTERM)
        self.finish(addresses, within)
        return self

    def every_address(self):
        with open(self.address_file) as file:
            return [peers.Address(line.split(" ", 1)[1])
                    for line in file.read().splitlines()]

    def check_running(self):
        """Before a stop: no zombie, no descriptor lost."""
        eventually(lambda: "no zombie: %r" % self.tree(),
                   lambda: not any(one.is_zombie and one.name.startswith(
                       "socketserver") for one in self.tree()), 3)
        if self.keeps_descriptors and hasattr(self, "at_ready"):
            eventually(lambda: "descriptors of the supervisor as at ready:"
                       " %r, then %r" % (self.at_ready,
                                         proc.descriptors(self.pid)),
                       lambda: len(proc.descriptors(self.pid))
                       <= len(self.at_ready), 3)

    def finish(self, addresses=(), within=STOP_WITHIN, status=0):
        """Wait for the end that was asked for, then look around."""
        got = self.wait_exit(within)
        expect_equal(got, status, "exit status of the daemon")
        self.check_nothing_left(addresses)
        self.check_texts()
        if self.has_totals:
            self.check_totals()

    @staticmethod
    def still_listens(address):
        """Nobody dials a port to find out: the kernel may have given it to
        another story's daemon, which would count the connection."""
        if address.scheme == "tcp":
            holder = proc.listener_of(address.port)
            return holder is not None and holder.pid in {
                one.pid for one in proc.descendants(os.getpid())}
        return address.is_stream and not peers.is_refused(address)

    def check_nothing_left(self, addresses=()):
        others = {one.pid for pid in running for one in proc.descendants(pid)}
        left = [one for one in proc.ours()
                if one.pid not in running | others]
        expect(not left, "processes left after the stop: %r", left)
        proc.reap_strangers(known=running)
        for address in addresses:
            expect(not self.still_listens(address), "%s still listens",
                   address)
            path = address.sockaddr
            if isinstance(path, str) and path.startswith("/"):
                expect(not os.path.lexists(path), "%s is left", path)
        expect(not os.path.lexists(self.path("pid")), "a pidfile is left")
        for path in (self.control_socket, self.control_socket + ".lock"):
            expect(not os.path.lexists(path), "%s is left", path)
        for name in os.listdir(self.directory):
            mode = os.lstat(os.path.join(self.directory, name)).st_mode
            expect(not name.startswith("core"), "a core file: %s", name)
            if name.startswith(self.name) and not name.endswith(
                    (".notify", ".client", ".kept")):
                expect(not stat_mode.S_ISSOCK(mode), "%s is left", name)

    def check_texts(self):
        """No sanitizer report, no assert; every log line parses."""
        folder = os.path.join(self.directory, "sanitizer")
        for name in sorted(os.listdir(folder)):
            data = proc.read(os.path.join(folder, name))
            if not data or KILLED_AT_EXIT.fullmatch(data):
                continue
            raise Failure("sanitizer report %s:\n%s" % (
                name, data.decode("utf-8", "replace")[:6000]))
        for line in self.log.lines:
            if SANITIZER.search(line) or ASSERT.search(line):
                raise Failure("in the log: %r" % line)
        if not self.stderr_is_log:
            return
        self.log.check()
        if not self.may_crash:
            bad = self.log.find(is_crash)
            expect(not bad, "a service process crashed: %s",
                   bad and bad[0].line)

    def totals(self, name=None):
        """The counters of a listener, after the stop."""
        name = name or self.listeners[0]["name"]
        found = [STOPPED.match(r.message)
                 for r in self.log.find("stopped: accepted")
                 if r.get("listener") == name]
        expect(len(found) == 1, "listener %s has %d totals", name, len(found))
        expect(found[0], "totals of %s cannot be read", name)
        return Totals(found[0])

    def check_totals(self):
        """Accepted = served + errors + refused, for every listener."""
        for listener in self.listeners:
            if not listener.get("enabled", True):
                continue
            one = self.totals(listener["name"])
            expect(one.accepted == one.served + one.errors + one.refused,
                   "%s: what was accepted is not what was served, failed and "
                   "refused: %r", listener["name"], one)
            expect_equal(sum(one.reasons.values()), one.refused,
                         "refusals by reason of " + listener["name"])
            if not self.cuts_short:
                expect_equal(one.cut_short, 0, "requests cut short")

    def end_hard(self):
        """Leave nothing, whatever happened."""
        self.close_clients()
        if self.exit_status is None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.exit_status = self.process.returncode
        os.close(self.pidfd)
        self.notify.close()

    def shown(self):
        lines = [line.decode("utf-8", "backslashreplace")
                 for line in self.log.lines[-60:]]
        return "\n".join(["--- log of %s" % self.name] + lines)


def fixtures_directory():
    return os.environ.get("SCENARIO_FIXTURES", "/nonexistent")


def command(*args, env=None, cwd="/", within=20, input=None, prepare=None,
            pass_fds=()):
    """Run socketserverd to its end: a CompletedProcess with text output."""
    full = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
    for name, item in os.environ.items():
        if name.endswith("SAN_OPTIONS") or name == "LD_LIBRARY_PATH":
            full[name] = item
    full.update(env or {})
    try:
        return subprocess.run([PROGRAM] + list(args), capture_output=True,
                              text=True, errors="backslashreplace", env=full,
                              cwd=cwd, timeout=seconds(within),
                              stdin=subprocess.DEVNULL, preexec_fn=prepare,
                              pass_fds=pass_fds)
    except subprocess.TimeoutExpired as error:
        raise Failure("socketserverd %s has not ended: %r"
                      % (" ".join(args), error.stderr))


def missing():
    """A program that has not been built, or None."""
    for name in ("socketserverd", "socketserver-service", "socketserverctl"):
        if not os.access(os.path.join(BUILD, name), os.X_OK):
            return os.path.join(BUILD, name)
    return None
