# SPDX-License-Identifier: ISC
"""Scenarios: a claim, a story that tries it, and the post-conditions that
hold after every one of them.

    @scenario(model=MODELS, transport=STREAMS)
    def uppercase_answers_and_closes(story, model, transport):
        daemon = story.serve(listener("up", "uppercase", transport, model))
        daemon.dial().send("python is nice\\n").expect(...).expect_end()

becomes uppercase_answers_and_closes[sync/tcp4] and its relatives.
"""

import inspect
import itertools
import os
import shutil
import sys
import tempfile

import daemon as daemon_module
import fixture
import libconf
import peers
import proc
from daemon import Daemon, command
from until import Failure, Skip

DEADLINE = 40

registry = []


class Model:
    """A concurrency model and the keys that choose it."""

    def __init__(self, name, concurrency, processes=1, **keys):
        self.name = name
        self.concurrency = concurrency
        self.processes = processes
        self.keys = dict(keys, concurrency=concurrency)
        # How many requests it serves at once by itself.
        self.width = {"sync": 1, "prefork": processes, "event": 1000}.get(
            concurrency, keys.get("workers") or 1000)

    def __str__(self):
        return self.name


SYNC = Model("sync", "sync")
THREADED = Model("threaded", "threaded")
POOL = Model("pool", "threaded", workers=4)
FORKING = Model("forking", "forking")
PREFORK1 = Model("prefork1", "prefork", 1, workers=1)
PREFORK2 = Model("prefork2", "prefork", 2, workers=2)
EVENT1 = Model("event1", "event", 1, workers=1, io="epoll")
EVENT2 = Model("event2", "event", 2, workers=2, io="epoll")
# Where the kernel forbids io_uring this is epoll, as the daemon says. A process
# alone has the kernel accept for it; of two each takes for itself.
URING = Model("uring", "event", 1, workers=1, io="io_uring")
URING2 = Model("uring2", "event", 2, workers=2, io="io_uring")

EVENTS = (EVENT1, EVENT2, URING)
MODELS = (SYNC, THREADED, POOL, FORKING, PREFORK1, PREFORK2) + EVENTS
# Serve a second client while a first one is being served.
WIDE = (THREADED, POOL, FORKING, PREFORK2) + EVENTS


class Claim:
    def __init__(self, function, arguments, deadline, needs_root, parallel):
        self.function = function
        self.arguments = arguments
        self.deadline = deadline
        self.needs_root = needs_root
        self.is_alone = not parallel
        axes = "/".join(str(item) for item in arguments.values())
        self.name = function.__name__ + ("[%s]" % axes if axes else "")

    def run(self, story):
        if self.needs_root and os.geteuid() != 0:
            raise Skip("needs root")
        self.function(story, **self.arguments)
        story.stop()


def scenario(function=None, deadline=DEADLINE, root=False, parallel=True,
             **axes):
    """Register a claim, once for each point of the axes."""
    def register(function):
        wanted = list(inspect.signature(function).parameters)[1:]
        for point in itertools.product(*(axes[name] for name in wanted)):
            registry.append(Claim(function, dict(zip(wanted, point)),
                                  deadline, root, parallel))
        return function
    return register(function) if function else register


def listener(name, handler, listen=peers.TCP4, model=None, options=None,
             **keys):
    """A listener's group of the configuration."""
    row = {"name": name, "listen": listen, "handler": handler}
    if model is not None:
        row.update(model.keys)
    if options is not None:
        row["options"] = options
    row.update(keys)
    return row


class Story:
    """What one scenario makes, and the promise to clear it away."""

    def __init__(self, keep=False):
        self.directory = tempfile.mkdtemp(prefix="ss-story-")
        os.chmod(self.directory, 0o755)
        self.keep = keep
        self.daemons = []

    def path(self, name):
        return os.path.join(self.directory, name)

    def write(self, name, text, mode=0o644):
        path = self.path(name)
        with open(path, "w" if isinstance(text, str) else "wb") as file:
            file.write(text)
        os.chmod(path, mode)
        return path

    def fixture(self, name):
        """The path of a misbehaving handler, compiled."""
        return fixture.build(name, daemon_module.fixtures_directory())

    def prepare(self, row):
        """A fixture is named by its file in tests/fixtures."""
        handler = row["handler"]
        source = os.path.join(fixture.SOURCE, handler + ".c")
        if "/" not in handler and os.path.exists(source):
            row = dict(row, handler=self.fixture(handler))
        return row

    def launch(self, *listeners, **how):
        """Start a daemon and do not wait."""
        rows = [self.prepare(row) for row in listeners]
        name = "d%d" % (len(self.daemons) + 1)
        daemon = Daemon(self.directory, name, rows, **how)
        self.daemons.append(daemon)
        return daemon

    def serve(self, *listeners, **how):
        """Start a daemon; it is ready."""
        return self.launch(*listeners, **how).wait_ready()

    def rewrite(self, daemon, *listeners, **how):
        """Another configuration file for a daemon that runs."""
        daemon.rewrite(*(self.prepare(row) for row in listeners), **how)

    def configure(self, *listeners, name="file.conf", text=None, **top):
        """Write a configuration file; its path."""
        if text is None:
            settings = {"module_path": [daemon_module.HANDLERS,
                                        daemon_module.fixtures_directory()]}
            settings.update(top)
            settings["listeners"] = [self.plain(self.prepare(row))
                                     for row in listeners]
            text = libconf.settings(settings)
        return self.write(name, text)

    def plain(self, row):
        listen = row["listen"]
        if isinstance(listen, peers.Transport):
            row = dict(row, listen=listen.listen(self.directory, row["name"]))
        return row

    def run(self, *args, **how):
        """Run the program to its end."""
        return command(*args, **how)

    def stop(self):
        """Every daemon that still runs stops well."""
        for daemon in self.daemons:
            if daemon.is_running():
                daemon.stop()
            else:
                daemon.check_texts()

    def clear(self):
        for daemon in self.daemons:
            daemon.end_hard()
        me = os.getpid()
        for one in proc.descendants(me):
            proc.kill(one.pid)
        if self.keep:
            print("# kept: " + self.directory, file=sys.stderr)
        else:
            shutil.rmtree(self.directory, ignore_errors=True)

    def shown(self):
        texts = []
        for daemon in self.daemons:
            if os.path.exists(daemon.conf):
                texts.append("--- %s\n%s" % (daemon.conf, proc.read(
                    daemon.conf).decode("utf-8", "replace")))
            texts.append(daemon.shown())
        folder = self.path("sanitizer")
        for name in os.listdir(folder) if os.path.isdir(folder) else ():
            texts.append("--- %s\n%s" % (name, proc.read(os.path.join(
                folder, name)).decode("utf-8", "replace")[:8000]))
        return "\n".join(texts)


def talk(daemon, transport, name=None):
    """A client of either kind."""
    return (daemon.dial if transport.is_stream else daemon.datagrams)(name)


__all__ = ["scenario", "listener", "talk", "Model", "Story", "Skip",
           "Failure", "MODELS", "WIDE", "SYNC", "THREADED", "POOL",
           "FORKING", "PREFORK1", "PREFORK2", "EVENT1", "EVENT2", "EVENTS",
           "URING", "URING2", "registry"]
