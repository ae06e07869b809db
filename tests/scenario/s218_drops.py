# SPDX-License-Identifier: ISC
"""Datagrams that came while a socket's queue was full: none of them is lost
without being counted."""

import ctl
from peers import TCP4, UDP4, UDP6, UNIXGRAM
from scenario import MODELS, SYNC, Model, listener, scenario
from until import eventually, expect, expect_equal

SMALL = 8192                    # bytes of a queue
MANY = 500
WARNING = "the kernel dropped"
DEALT = Model("dealt", "prefork", 3, workers=3, reuse_port=True)


def show(daemon, name="e"):
    return daemon.told("show " + name)


def dropped(daemon, name="e"):
    return show(daemon, name)["datagrams_dropped"]


def flood(daemon, clients=8):
    """From several ports, so that each of several sockets gets some."""
    senders = [daemon.datagrams("e") for _ in range(clients)]
    for number in range(MANY):
        senders[number % clients].send(b"x" * 500)


def served(daemon, count):
    eventually(lambda: "%d served: %r" % (count, show(daemon)),
               lambda: show(daemon)["requests"] == count, 20)


@scenario(model=MODELS + (DEALT,), transport=(UDP4, UDP6))
def what_a_full_queue_drops_is_counted(story, model, transport):
    """While nobody serves; all the others are served later. The count goes on
    over reloads and upgrades."""
    row = listener("e", "discard", transport, model, rcvbuf=SMALL)
    daemon = story.serve(row, log={"access": False})
    expect_equal(dropped(daemon), 0, "at the start")
    daemon.told("drain e")
    flood(daemon)
    lost = dropped(daemon)
    expect(0 < lost < MANY, "%d dropped", lost)
    daemon.log.wait("%s %d datagrams, %d in all" % (WARNING, lost, lost))
    shown = ctl.run("-s", daemon.control_socket, "show", "e").stdout.decode()
    expect("%d datagrams" % lost in shown, "%s", shown)
    daemon.told("start e")
    served(daemon, MANY - lost)
    daemon.rewrite(dict(row, timeout=61))
    daemon.reload()
    daemon.told("upgrade")
    expect_equal(dropped(daemon), lost, "after a reload and an upgrade")
    daemon.told("drain e")
    flood(daemon)
    more = dropped(daemon)
    expect(lost < more < 2 * MANY, "%d dropped, then %d", lost, more)
    daemon.told("start e")
    served(daemon, 2 * MANY - more)
    expect_equal(len(daemon.log.find(WARNING)), 1, "warnings in a minute")


@scenario
def a_listener_that_loses_its_socket_keeps_the_count(story):
    row = listener("e", "discard", UDP4, SYNC, rcvbuf=SMALL)
    other = listener("other", "discard", UDP4, SYNC)
    daemon = story.serve(row, other, log={"access": False})
    daemon.told("drain e")
    flood(daemon)
    lost = dropped(daemon)
    daemon.told("stop e")
    expect_equal(dropped(daemon), lost, "when it is stopped")
    daemon.told("start e")
    expect_equal(dropped(daemon), lost, "with a new socket")
    expect_equal(dropped(daemon, "other"), 0, "of the other")


@scenario(transport=(TCP4, UNIXGRAM))
def others_drop_none(story, transport):
    daemon = story.serve(listener("e", "discard", transport, SYNC))
    expect_equal(dropped(daemon), 0, "dropped")
    shown = ctl.run("-s", daemon.control_socket, "show", "e").stdout.decode()
    expect("datagrams" not in shown, "%s", shown)
