# SPDX-License-Identifier: ISC
"""What the claims are written with: they run inside a systemd that was booted
for them, as root, with a network of their own, so that ports are theirs.

    @claim
    def the_unit_is_active_only_when_it_serves(machine):
        machine.configure(listener("echo", "echo", "tcp://127.0.0.1:7"))
        machine.start(SERVICE)
"""

import json
import os
import shutil
import signal
import subprocess

import libconf
import peers
from until import Failure, Skip, eventually, expect, expect_equal, seconds

SERVICE = "socketserverd.service"
MULTIUSER = "socketserverd-multiuser.service"
INSTANCE = "socketserverd@shop.service"
UNITS = "/etc/systemd/system"
# What becomes true only a moment later may take this long on a machine that
# has much else to do.
PATIENCE = 60

registry = []


class Claim:
    def __init__(self, function, needs, deadline, is_booted):
        self.function = function
        self.name = function.__name__
        self.needs = needs
        self.deadline = deadline
        self.is_booted = is_booted


def claim(function=None, needs=None, deadline=120, is_booted=True):
    """Register a claim. needs: a program of ours that must be installed."""
    def register(function):
        registry.append(Claim(function, needs, deadline, is_booted))
        return function
    return register(function) if function else register


def listener(name, handler, listen, **keys):
    return dict(keys, name=name, handler=handler, listen=listen)


def run(*command, check=True):
    done = subprocess.run(command, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True,
                          stdin=subprocess.DEVNULL)
    if check and done.returncode != 0:
        raise Failure("%s: exit status %d\n%s" % (
            " ".join(command), done.returncode, done.stdout))
    return done


class Machine:
    """The booted machine, as one claim sees it."""

    def __init__(self, directories):
        self.directories = directories
        self.made = []                  # files and directories to remove
        self.units = []                 # units to stop

    # Files

    def write(self, path, text, mode=0o644):
        folder = os.path.dirname(path)
        os.makedirs(folder, exist_ok=True)
        with open(path, "w") as file:
            file.write(text)
        os.chmod(path, mode)
        self.made.append(path)
        return path

    def configuration(self, *listeners, **top):
        """The text of a configuration file."""
        settings = dict(top)
        settings["listeners"] = list(listeners)
        return libconf.settings(settings)

    def configure(self, *listeners, instance=None, text=None, **top):
        folder = os.path.join(self.directories["sysconfdir"], "socketserverd")
        name = "instances/%s.conf" % instance if instance \
            else "socketserverd.conf"
        if text is None:
            text = self.configuration(*listeners, **top)
        return self.write(os.path.join(folder, name), text)

    def unit(self, name, text):
        """A unit of the claim's own; systemd reads it."""
        self.write(os.path.join(UNITS, name), text)
        self.units.append(name)
        self.reload_manager()

    def drop_in(self, unit, text):
        """Something added to a unit; systemd reads it."""
        folder = os.path.join(UNITS, unit + ".d")
        self.write(os.path.join(folder, "test.conf"), text)
        self.made.append(folder)
        self.reload_manager()

    def fixture(self, name):
        """The path of a misbehaving handler."""
        return "/opt/tests/handlers/%s.so" % name

    # systemd

    def systemctl(self, *arguments, check=True):
        return run("systemctl", *arguments, check=check)

    def reload_manager(self):
        self.systemctl("daemon-reload")

    def start(self, *units):
        self.units.extend(units)
        self.systemctl("start", *units)

    def show(self, unit, name):
        return self.systemctl("show", "-P", name, unit).stdout.strip()

    def main_pid(self, unit=SERVICE):
        return int(self.show(unit, "MainPID"))

    def expect_state(self, unit, wanted):
        eventually(lambda: "%s is %s, wanted %s" % (
            unit, self.show(unit, "ActiveState"), wanted),
            lambda: self.show(unit, "ActiveState") == wanted, PATIENCE)

    def expect_status(self, unit, wanted):
        """STATUS= is told by a message: systemd may read it later."""
        eventually(lambda: "the status text is %r, wanted %r" % (
            self.show(unit, "StatusText"), wanted),
            lambda: self.show(unit, "StatusText") == wanted, PATIENCE)

    def expect_stored(self, unit, count):
        """So many descriptors are in the unit's store."""
        def stored():
            return int(self.show(unit, "NFileDescriptorStore"))
        eventually(lambda: "%d in the store, wanted %d" % (stored(), count),
                   lambda: stored() == count, PATIENCE)

    def processes(self, unit):
        """The ids of all processes in the unit's cgroup, which is gone with
        the last of them."""
        cgroup = self.show(unit, "ControlGroup")
        if not cgroup:
            return []
        with open("/sys/fs/cgroup%s/cgroup.procs" % cgroup) as file:
            return [int(line) for line in file]

    def journal(self, *matches):
        """Records of this boot that match all of FIELD=VALUE..."""
        run("journalctl", "--sync")
        text = run("journalctl", "-q", "-b", "-o", "json", "--all",
                   *matches).stdout
        return [json.loads(line) for line in text.splitlines()]

    # Clients

    def dial(self, address):
        return peers.Stream(peers.Address(address), wait=PATIENCE)

    def ask(self, address, text="hello"):
        """One exchange with an echo over a stream."""
        client = self.dial(address)
        client.send(text).half_close().expect(text).expect_end()
        client.close()

    # The answer to a Unix socket is sent to its file, which the unit must be
    # able to see: it has a /tmp of its own.
    def datagrams(self, address):
        os.makedirs("/run/clients", exist_ok=True)
        return peers.Datagrams(peers.Address(address), "/run/clients",
                               wait=PATIENCE)

    def ask_datagram(self, address, text=b"hello"):
        client = self.datagrams(address)
        expect_equal(client.ask(text), text, "reply")
        client.close()

    # The end of a claim

    def clear(self):
        """As if nothing had been: the next claim finds a clean machine."""
        if self.units:
            # a daemon that hangs shall not hold up the next claim
            self.systemctl("kill", "-s", "KILL", *self.units, check=False)
            self.systemctl("stop", *self.units, check=False)
        for path in reversed(self.made):
            if os.path.isdir(path):
                shutil.rmtree(path, ignore_errors=True)
            elif os.path.exists(path):
                os.unlink(path)
        self.systemctl("daemon-reload", check=False)
        self.systemctl("reset-failed", check=False)

    def shown(self, since):
        """What a failure is looked into with."""
        parts = [run("systemctl", "--no-pager", "-l", "status", *self.units,
                     check=False).stdout] if self.units else []
        run("journalctl", "--sync", check=False)
        parts.append(run("journalctl", "-q", "-b", "--no-pager", "-o",
                         "short-precise", "--since", "@%.3f" % since,
                         check=False).stdout[-16000:])
        return "\n".join(parts)


class TooLate(Failure):
    pass


def too_late(*_):
    raise TooLate("the claim's deadline has passed")


def play(one, directories, now):
    """One claim in the booted machine: (verdict, text)."""
    machine = Machine(directories)
    if one.needs and not os.path.exists(os.path.join(
            directories["bindir"], one.needs)):
        return "skip", "needs the program %s" % one.needs
    signal.signal(signal.SIGALRM, too_late)
    signal.alarm(int(seconds(one.deadline)))
    since = now()
    try:
        one.function(machine)
        return "ok", ""
    except Skip as reason:
        return "skip", str(reason)
    except Exception as error:
        import traceback
        signal.alarm(0)
        return "fail", "%s\n%s\n%s" % (error, traceback.format_exc(),
                                       machine.shown(since))
    finally:
        signal.alarm(0)
        machine.clear()


__all__ = ["claim", "listener", "run", "registry", "Failure", "Skip",
           "eventually", "expect", "expect_equal", "SERVICE", "MULTIUSER",
           "INSTANCE", "PATIENCE", "UNITS", "seconds"]
