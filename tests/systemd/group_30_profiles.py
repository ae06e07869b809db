# SPDX-License-Identifier: ISC
"""The multi-user profile."""

import os
import pwd

from booted import (MULTIUSER, SERVICE, claim, expect, expect_equal, listener,
                    run)
from group_20_sockets import socket_unit


def add_user(name):
    try:
        pwd.getpwnam(name)
    except KeyError:
        run("useradd", "--system", name)
    return pwd.getpwnam(name).pw_uid


def prepare(machine):
    """Two listeners, a user and a socket unit each; the users' ids."""
    uids = [add_user("ssd-one"), add_user("ssd-two")]
    socket_unit(machine, "one.socket", "one", "ListenStream=127.0.0.1:7",
                service=MULTIUSER)
    socket_unit(machine, "two.socket", "two", "ListenStream=127.0.0.1:8",
                service=MULTIUSER)
    machine.configure(
        listener("one", "echo", "fd:one", user="ssd-one"),
        listener("two", "echo", "fd:two", user="ssd-two",
                 concurrency="prefork", workers=2))
    return uids


def users_of(machine):
    return {os.stat("/proc/%d" % pid).st_uid
            for pid in machine.processes(MULTIUSER)}


@claim
def the_multi_user_profile_serves_with_two_users(machine):
    uids = prepare(machine)
    machine.start(MULTIUSER)
    machine.ask("tcp://127.0.0.1:7")
    machine.ask("tcp://127.0.0.1:8")
    expect_equal(users_of(machine), set(uids) | {0}, "users")
    machine.systemctl("restart", MULTIUSER)
    machine.ask("tcp://127.0.0.1:7")
    machine.ask("tcp://127.0.0.1:8")
    machine.systemctl("stop", MULTIUSER)
    expect_equal(machine.show(MULTIUSER, "Result"), "success", "result")


# CAP_KILL is for this: the supervisor is root without any other right over
# the processes of those users.
@claim
def the_multi_user_profile_ends_a_process_of_another_user(machine):
    prepare(machine)
    machine.configure(listener("one", "echo", "fd:one", user="ssd-one",
                               drain_timeout=0.2, timeout=0))
    machine.start(MULTIUSER)
    client = machine.dial("tcp://127.0.0.1:7")
    client.send("x").expect("x")
    machine.systemctl("stop", MULTIUSER)
    client.close()
    expect_equal(machine.show(MULTIUSER, "Result"), "success", "result")


@claim
def the_two_profiles_take_turns(machine):
    prepare(machine)
    machine.start(MULTIUSER)
    machine.configure(listener("echo", "echo", "tcp://127.0.0.1:9"))
    machine.start(SERVICE)
    machine.ask("tcp://127.0.0.1:9")
    expect_equal(machine.show(MULTIUSER, "ActiveState"), "inactive", "state")
    expect(machine.main_pid() > 0, "no main process")


# The drop-ins of socketserverd(8)

@claim
def a_drop_in_opens_the_network_to_the_multi_user_profile(machine):
    prepare(machine)
    machine.drop_in(MULTIUSER, "[Service]\nPrivateNetwork=no\n"
                    "RestrictAddressFamilies=AF_INET AF_INET6\n"
                    "CapabilityBoundingSet=CAP_NET_BIND_SERVICE\n")
    machine.configure(listener("one", "echo", "tcp://127.0.0.1:80",
                               user="ssd-one"))
    machine.start(MULTIUSER)
    machine.ask("tcp://127.0.0.1:80")


@claim
def a_drop_in_allows_chroot_in_the_multi_user_profile(machine):
    prepare(machine)
    machine.drop_in(MULTIUSER, "[Service]\n"
                    "CapabilityBoundingSet=CAP_SYS_CHROOT\n"
                    "SystemCallFilter=chroot capset\n")
    machine.configure(listener("one", "echo", "fd:one", user="ssd-one",
                               chroot="/usr/share"))
    machine.start(MULTIUSER)
    machine.ask("tcp://127.0.0.1:7")
    roots = {os.readlink("/proc/%d/root" % pid)
             for pid in machine.processes(MULTIUSER)}
    expect_equal(roots, {"/", "/usr/share"}, "roots")


@claim
def a_drop_in_lets_the_multi_user_profile_give_files_away(machine):
    uids = prepare(machine)
    machine.drop_in(MULTIUSER, "[Service]\n"
                    "CapabilityBoundingSet=CAP_CHOWN\n"
                    "SystemCallFilter=@chown\n")
    machine.configure(listener("one", "echo", "unix:/run/socketserverd/one",
                               user="ssd-one", owner="ssd-two", mode="0600"))
    machine.start(MULTIUSER)
    machine.ask("unix:/run/socketserverd/one")
    expect_equal(os.stat("/run/socketserverd/one").st_uid, uids[1], "owner")
    machine.systemctl("restart", MULTIUSER)
    machine.ask("unix:/run/socketserverd/one")
