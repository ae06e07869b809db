# SPDX-License-Identifier: ISC
"""Sockets of socket units, and sockets that outlive the daemon."""

import contextlib
import os
import signal
import stat

from booted import (PATIENCE, SERVICE, claim, eventually, expect,
                    expect_equal, listener)
from load import CLIENTS, Load, is_alive

TCP = "tcp://127.0.0.1:7"
UDP = "udp://127.0.0.1:7"
UNIX = "unix:/run/socketserverd/echo"
GRAM = "unixgram:/run/socketserverd/gram"

SOCKET_UNIT = """\
[Socket]
Service=%s
FileDescriptorName=%s
%s
"""


def socket_unit(machine, unit, name, *lines, service=SERVICE):
    machine.unit(unit, SOCKET_UNIT % (service, name, "\n".join(lines)))
    machine.systemctl("start", unit)


def expect_replaced(machine, old):
    """Another main process serves."""
    eventually("another main process", lambda: machine.main_pid() not in
               (0, old), PATIENCE)
    machine.expect_state(SERVICE, "active")


@claim
def two_socket_units_feed_one_service(machine):
    socket_unit(machine, "web.socket", "web", "ListenStream=127.0.0.1:7",
                "ListenStream=/run/web.sock", "SocketMode=0666")
    socket_unit(machine, "dns.socket", "dns", "ListenDatagram=127.0.0.1:7",
                "ListenDatagram=/run/dns.sock", "SocketMode=0666")
    machine.configure(listener("web", "echo", "fd:web"),
                      listener("dns", "echo", "fd:dns"))
    machine.units.append(SERVICE)
    expect_equal(machine.show(SERVICE, "ActiveState"), "inactive", "state")
    machine.ask(TCP)            # this starts it
    machine.expect_state(SERVICE, "active")
    machine.ask("unix:/run/web.sock")
    machine.ask_datagram(UDP)
    machine.ask_datagram("unixgram:/run/dns.sock")
    machine.systemctl("stop", SERVICE)
    expect(os.path.exists("/run/web.sock"), "systemd's socket file is gone")


@claim
def a_socket_unit_serves_again_after_a_restart(machine):
    socket_unit(machine, "web.socket", "web", "ListenStream=127.0.0.1:7")
    machine.configure(listener("web", "echo", "fd:web"),
                      log={"access": False})
    machine.start(SERVICE)
    with Load(TCP) as load:
        load.goes_on()
        machine.systemctl("restart", SERVICE)
        load.goes_on()
    load.expect_none("refused", "cut", "wrong")


@contextlib.contextmanager
def loaded(machine, *more):
    """The daemon, served over TCP and Unix under load: [loads]"""
    machine.configure(listener("echo", "echo", [TCP, UNIX] + list(more)),
                      log={"access": False})
    machine.start(SERVICE)
    with Load(TCP) as tcp, Load(UNIX) as unix:
        loads = [tcp, unix]
        for load in loads:
            load.goes_on()
        yield loads
        for load in loads:
            load.goes_on()


@claim
def a_restart_under_load_refuses_nobody(machine):
    with loaded(machine) as loads:
        for _ in range(3):
            machine.systemctl("restart", SERVICE)
            for load in loads:
                load.goes_on(50)
    for load in loads:
        load.expect_none("refused", "cut", "wrong")


# A request that the dead daemon was serving is lost, one a client at most: no
# new one is.
@claim
def a_daemon_that_is_killed_under_load_refuses_nobody(machine):
    with loaded(machine) as loads:
        main = machine.main_pid()
        before = machine.processes(SERVICE)
        os.kill(main, signal.SIGKILL)
        expect_replaced(machine, main)
        eventually("nothing is left of the killed daemon", lambda: not any(
            is_alive(pid) for pid in before), PATIENCE)
    for load in loads:
        load.expect_none("refused", "wrong")
        load.expect_none("cut", but=CLIENTS)
    expect_equal(machine.show(SERVICE, "NRestarts"), "1", "restarts")


@claim
def a_daemon_that_hangs_is_replaced_by_the_watchdog(machine):
    machine.configure(listener("echo", "echo", [TCP, UNIX]))
    machine.drop_in(SERVICE, "[Service]\nWatchdogSec=5\n")
    machine.start(SERVICE)
    main = machine.main_pid()
    os.kill(main, signal.SIGSTOP)
    expect_replaced(machine, main)
    machine.ask(TCP)
    machine.ask(UNIX)
    said = [entry["MESSAGE"] for entry in machine.journal("UNIT=" + SERVICE)]
    expect(any("Watchdog timeout" in line for line in said), "%r", said)


@claim
def a_daemon_that_turns_is_left_alone_by_the_watchdog(machine):
    machine.configure(listener("echo", "echo", TCP))
    machine.drop_in(SERVICE, "[Service]\nWatchdogSec=10\n")
    machine.start(SERVICE)
    first = int(machine.show(SERVICE, "WatchdogTimestampMonotonic"))
    eventually("a sign of life comes", lambda: int(machine.show(
        SERVICE, "WatchdogTimestampMonotonic")) > first, PATIENCE)
    expect_equal(machine.show(SERVICE, "NRestarts"), "0", "restarts")


@claim
def the_store_holds_what_was_opened_here(machine):
    socket_unit(machine, "web.socket", "web", "ListenStream=127.0.0.1:9")
    machine.configure(listener("web", "echo", "fd:web"),
                      listener("any", "echo", "tcp://127.0.0.1:0"),
                      listener("echo", "echo", [TCP, UDP, UNIX, GRAM]))
    machine.start(SERVICE)
    machine.expect_stored(SERVICE, 4)
    machine.systemctl("restart", SERVICE)
    machine.ask(TCP)
    machine.ask_datagram(UDP)
    machine.ask(UNIX)
    machine.ask_datagram(GRAM)
    machine.ask("tcp://127.0.0.1:9")
    machine.expect_stored(SERVICE, 4)
    machine.systemctl("stop", SERVICE)
    machine.expect_stored(SERVICE, 0)


@claim
def datagrams_wait_for_a_daemon_that_is_down(machine):
    machine.configure(listener("echo", "echo", [TCP, UDP]))
    # as long as nobody says that it may start again
    machine.drop_in(SERVICE, "[Service]\nExecStartPre=/bin/sh -c "
                    "'while [ -e /run/wait ]; do read -t 0.1 x </dev/null; "
                    "done'\n")
    machine.start(SERVICE)
    machine.write("/run/wait", "")
    machine.systemctl("restart", "--no-block", SERVICE)
    eventually("the daemon is down", lambda: machine.show(
        SERVICE, "SubState") == "start-pre", PATIENCE)
    client = machine.datagrams(UDP)
    client.send(b"patience")
    os.unlink("/run/wait")
    expect_equal(client.receive(), b"patience", "reply")
    client.close()


@claim
def a_stored_socket_that_nobody_wants_is_given_up(machine):
    machine.configure(listener("echo", "echo", [TCP, UNIX]))
    machine.start(SERVICE)
    machine.configure(listener("echo", "echo", TCP))
    machine.systemctl("restart", SERVICE)
    machine.ask(TCP)
    expect(not os.path.exists("/run/socketserverd/echo"),
           "the socket's file is still there")
    machine.expect_stored(SERVICE, 1)


@claim
def a_stored_unix_socket_takes_a_changed_mode(machine):
    machine.configure(listener("echo", "echo", UNIX, mode="0600"))
    machine.start(SERVICE)
    inode = os.stat("/run/socketserverd/echo").st_ino
    machine.configure(listener("echo", "echo", UNIX, mode="0666"))
    machine.systemctl("restart", SERVICE)
    machine.ask(UNIX)
    now = os.stat("/run/socketserverd/echo")
    expect_equal(now.st_ino, inode, "inode")
    expect_equal(stat.S_IMODE(now.st_mode), 0o666, "mode")


@claim
def a_stored_unix_socket_without_its_file_is_opened_anew(machine):
    machine.configure(listener("echo", "echo", [TCP, UNIX]))
    machine.start(SERVICE)
    os.unlink("/run/socketserverd/echo")
    machine.systemctl("restart", SERVICE)
    machine.ask(UNIX)
    machine.expect_stored(SERVICE, 2)
