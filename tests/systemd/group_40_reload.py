# SPDX-License-Identifier: ISC
"""systemctl reload: it answers when the new configuration serves, and fails
when that does not."""

import os

from booted import SERVICE, claim, expect, expect_equal, listener, run
from load import Load

TCP = "tcp://127.0.0.1:7"
UNIX = "unix:/run/socketserverd/echo"
CONTROL = "socketserverctl"


def reply(text, **keys):
    return listener("reply", "reply", "tcp://127.0.0.1:8",
                    options={"text": text, "read_first": False}, **keys)


def told(machine):
    return machine.dial("tcp://127.0.0.1:8").rest()


def expect_untouched(machine, main):
    expect_equal(machine.show(SERVICE, "ActiveState"), "active", "state")
    expect_equal(machine.main_pid(), main, "main process")
    expect_equal(machine.show(SERVICE, "NRestarts"), "0", "restarts")


@claim(needs=CONTROL)
def a_reload_that_returned_is_in_force(machine):
    machine.configure(reply("old"))
    machine.start(SERVICE)
    main = machine.main_pid()
    expect_equal(told(machine), b"old", "reply")
    for text in ("new", "newer"):
        machine.configure(reply(text))
        machine.systemctl("reload", SERVICE)
        expect_equal(told(machine), text.encode(), "reply")
        expect_equal(machine.show(SERVICE, "ReloadResult"), "success",
                     "reload result")
    expect_untouched(machine, main)


@claim(needs=CONTROL)
def a_reload_of_a_bad_file_fails_and_changes_nothing(machine):
    machine.configure(reply("old"))
    machine.start(SERVICE)
    main = machine.main_pid()
    machine.configure(text="listeners = ( { nonsense = 1; } );\n")
    done = machine.systemctl("reload", SERVICE, check=False)
    expect(done.returncode != 0, "it was reloaded")
    expect_equal(machine.show(SERVICE, "ReloadResult"), "exit-code",
                 "reload result")
    expect_untouched(machine, main)
    expect_equal(told(machine), b"old", "reply")
    machine.configure(reply("new"))
    machine.systemctl("reload", SERVICE)
    expect_equal(told(machine), b"new", "reply")


@claim(needs=CONTROL, deadline=240)
def reloads_under_load_lose_nothing(machine):
    def echo(concurrency):
        return listener("echo", "echo", [TCP, UNIX], concurrency=concurrency)
    machine.configure(echo("threaded"), log={"access": False})
    machine.start(SERVICE)
    main = machine.main_pid()
    with Load(TCP) as tcp, Load(UNIX) as unix:
        for concurrency in ("forking", "prefork", "sync", "threaded") * 3:
            machine.configure(echo(concurrency), log={"access": False})
            machine.systemctl("reload", SERVICE)
            tcp.goes_on(20)
            unix.goes_on(20)
    tcp.expect_none("refused", "cut", "wrong")
    unix.expect_none("refused", "cut", "wrong")
    expect_untouched(machine, main)


@claim(needs=CONTROL, deadline=240)
def upgrades_under_load_lose_nothing(machine):
    machine.configure(listener("echo", "echo", [TCP, UNIX]),
                      log={"access": False})
    machine.start(SERVICE)
    main = machine.main_pid()
    before = machine.processes(SERVICE)
    with Load(TCP) as tcp, Load(UNIX) as unix:
        for _ in range(5):
            run(os.path.join(machine.directories["bindir"], CONTROL), "-s",
                "/run/socketserverd/control.sock", "upgrade")
            tcp.goes_on(20)
            unix.goes_on(20)
    tcp.expect_none("refused", "cut", "wrong")
    unix.expect_none("refused", "cut", "wrong")
    expect_untouched(machine, main)
    expect_equal(sorted(machine.processes(SERVICE)), sorted(before),
                 "processes")
    machine.expect_stored(SERVICE, 2)
    machine.systemctl("restart", SERVICE)
    machine.ask(TCP)
    machine.ask(UNIX)


@claim(needs=CONTROL)
def the_store_follows_a_reload(machine):
    machine.configure(listener("echo", "echo", [TCP, UNIX]))
    machine.start(SERVICE)
    machine.configure(listener("echo", "echo", TCP),
                      listener("more", "echo", "tcp://127.0.0.1:9"),
                      listener("most", "echo", "udp://127.0.0.1:9"))
    machine.systemctl("reload", SERVICE)
    machine.expect_stored(SERVICE, 3)
    machine.systemctl("restart", SERVICE)
    machine.ask(TCP)
    machine.ask("tcp://127.0.0.1:9")
    machine.ask_datagram("udp://127.0.0.1:9")
    machine.expect_stored(SERVICE, 3)
