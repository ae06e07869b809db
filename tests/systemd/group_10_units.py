# SPDX-License-Identifier: ISC
"""The unit files by themselves, and the default one at work."""

import os
import shutil
import socket
import subprocess
import tempfile

from booted import (INSTANCE, PATIENCE, SERVICE, Failure, Skip, claim,
                    eventually, expect, expect_equal, listener)

PROFILES = ("socketserverd.service", "socketserverd-multiuser.service",
            "socketserverd@.service")
MOST_EXPOSED = 15       # tenths: an exposure level of 1.5

ECHO = "tcp://127.0.0.1:7"


def must_have(program):
    if not shutil.which(program):
        raise Skip("%s is missing" % program)


def said(command, folder=None):
    return subprocess.run(
        command, cwd=folder, stdout=subprocess.PIPE, text=True,
        stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
        env=dict(os.environ, SYSTEMD_LOG_LEVEL="info", SYSTEMD_COLORS="0"))


def units_of(folder):
    return sorted(name for name in os.listdir(folder)
                  if name.endswith((".service", ".socket")))


def with_true(text):
    """The programs are not installed where the unit says."""
    return "".join("%s=/bin/true\n" % line.partition("=")[0]
                   if line.startswith("Exec") else line
                   for line in text.splitlines(True))


@claim(is_booted=False)
def systemd_finds_no_fault_in_the_units(folder):
    must_have("systemd-analyze")
    with tempfile.TemporaryDirectory() as copies:
        names = units_of(folder)
        for name in names:
            with open(os.path.join(folder, name)) as file:
                text = with_true(file.read())
            with open(os.path.join(copies, name), "w") as file:
                file.write(text)
        done = said(["systemd-analyze", "verify", "--man=no"] + [
            name.replace("@.", "@shop.") for name in names], copies)
    ours = [line for line in done.stdout.splitlines() if "socketserver" in line]
    expect(done.returncode == 0 and not ours, "%d: %s", done.returncode,
           done.stdout)


@claim(is_booted=False)
def every_profile_is_exposed_by_at_most_one_and_a_half(folder):
    must_have("systemd-analyze")
    for name in PROFILES:
        done = said(["systemd-analyze", "security", "--offline=true",
                     "--no-pager", "--threshold=%d" % MOST_EXPOSED,
                     os.path.join(folder, name)])
        expect("Overall exposure level" in done.stdout, "%s: %s", name,
               done.stdout[-500:])
        expect_equal(done.returncode, 0, "%s: %s" % (
            name, done.stdout.splitlines()[-1]))


def serves(machine, address):
    try:
        machine.ask(address)
    except (Failure, OSError):
        return False
    return True


@claim
def the_unit_is_active_when_it_serves_and_says_so(machine):
    machine.configure(listener("echo", "echo", ECHO))
    machine.start(SERVICE)
    expect_equal(machine.show(SERVICE, "ActiveState"), "active", "state")
    machine.ask(ECHO)
    machine.expect_status(SERVICE, "1 listener ready, 0 failed")
    expect_equal(machine.show(SERVICE, "User"), "socketserverd", "user")


@claim
def the_unit_is_not_active_before_every_listener_serves(machine):
    mood = machine.write("/var/lib/mood", "wait\n")
    machine.configure(
        listener("echo", "echo", ECHO),
        listener("moody", machine.fixture("moody"), "tcp://127.0.0.1:8",
                 options={"mood": mood}))
    machine.units.append(SERVICE)
    machine.systemctl("start", "--no-block", SERVICE)
    # the other one serves already
    eventually("the echo serves", lambda: serves(machine, ECHO), PATIENCE)
    expect_equal(machine.show(SERVICE, "ActiveState"), "activating", "state")
    machine.write(mood, "\n")
    machine.expect_state(SERVICE, "active")
    machine.expect_status(SERVICE, "2 listeners ready, 0 failed")


@claim
def the_unit_fails_when_an_address_is_in_use(machine):
    machine.configure(listener("echo", "echo", ECHO))
    machine.drop_in(SERVICE, "[Service]\nRestart=no\n")
    machine.units.append(SERVICE)
    with socket.create_server(("127.0.0.1", 7)):
        done = machine.systemctl("start", SERVICE, check=False)
    expect(done.returncode != 0, "it started")
    expect_equal(machine.show(SERVICE, "ExecMainStatus"), "71", "exit status")
    expect_equal(machine.show(SERVICE, "Result"), "exit-code", "result")


@claim
def a_bad_configuration_fails_once_and_is_not_tried_again(machine):
    machine.configure(text="listeners = ( { name = \"x\"; nonsense = 1; } );\n")
    machine.units.append(SERVICE)
    done = machine.systemctl("start", SERVICE, check=False)
    expect(done.returncode != 0, "it started")
    machine.expect_state(SERVICE, "failed")
    expect_equal(machine.show(SERVICE, "ExecMainStatus"), "78", "exit status")
    expect_equal(machine.show(SERVICE, "NRestarts"), "0", "restarts")
    lines = [entry["MESSAGE"] for entry in machine.journal(
        "_SYSTEMD_UNIT=" + SERVICE)]
    expect(any("nonsense" in line and "socketserverd.conf:1" in line
               for line in lines), "the fault is not in the journal: %r",
           lines)


@claim
def a_stop_ends_well_and_leaves_nothing(machine):
    machine.configure(listener("echo", "echo",
                               "unix:/run/socketserverd/echo"))
    machine.start(SERVICE)
    machine.ask("unix:/run/socketserverd/echo")
    machine.systemctl("stop", SERVICE)
    expect_equal(machine.show(SERVICE, "ActiveState"), "inactive", "state")
    expect_equal(machine.show(SERVICE, "Result"), "success", "result")
    expect(not os.path.exists("/run/socketserverd"), "/run/socketserverd "
           "is still there")
    expect_equal(machine.processes(SERVICE), [], "processes")


@claim
def access_lines_are_fields_of_the_journal(machine):
    machine.configure(
        listener("echo", "echo", ECHO),
        listener("closed", "echo", "tcp://127.0.0.1:8", deny=["127.0.0.1"]))
    machine.start(SERVICE)
    machine.ask(ECHO)
    machine.dial("tcp://127.0.0.1:8").expect_end()

    def entries(name):
        return [e for e in machine.journal(
            "SOCKETSERVERD_LISTENER=" + name) if "SOCKETSERVERD_RESULT" in e]
    served = eventually("an access line", lambda: entries("echo"),
                        PATIENCE)[0]
    refused = eventually("a refusal's line", lambda: entries("closed"),
                         PATIENCE)[0]
    expect(served["SOCKETSERVERD_PEER"].startswith("127.0.0.1:"), "%r", served)
    expect(served["SOCKETSERVERD_WORKER"].startswith("Thread-"), "%r", served)
    expect_equal(served["SOCKETSERVERD_REQUEST"], "1", "request")
    expect_equal(served["SOCKETSERVERD_GENERATION"], "1", "generation")
    expect_equal(served["SOCKETSERVERD_RESULT"], "ok", "result")
    expect_equal(served["SYSLOG_IDENTIFIER"], "socketserverd", "identifier")
    expect_equal(served["PRIORITY"], "6", "priority")
    expect_equal(served["_SYSTEMD_UNIT"], SERVICE, "unit")
    expect_equal(refused["SOCKETSERVERD_REASON"], "access", "reason")
    expect_equal(refused["SOCKETSERVERD_RESULT"], "refused", "result")


@claim
def an_instance_serves_as_a_user_of_its_own(machine):
    machine.configure(listener("echo", "echo", [
        "tcp://127.0.0.1:7007", "unix:/run/socketserverd-shop/echo"]),
        instance="shop")
    machine.start(INSTANCE)
    machine.ask("tcp://127.0.0.1:7007")
    machine.ask("unix:/run/socketserverd-shop/echo")
    uids = {os.stat("/proc/%d" % pid).st_uid
            for pid in machine.processes(INSTANCE)}
    # systemd.exec(5), DynamicUser=: from 61184 to 65519
    expect(len(uids) == 1 and 61184 <= min(uids) and max(uids) <= 65519,
           "users: %r", uids)


@claim
def an_instance_takes_the_socket_of_its_socket_unit(machine):
    machine.configure(listener("echo", "echo", "fd:socket"), instance="shop")
    machine.start("socketserverd@shop.socket")
    expect_equal(machine.show(INSTANCE, "ActiveState"), "inactive", "state")
    machine.units.append(INSTANCE)
    machine.ask("unix:/run/socketserverd-shop.sock")
    expect_equal(machine.show(INSTANCE, "ActiveState"), "active", "state")
