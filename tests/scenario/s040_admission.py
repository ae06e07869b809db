# SPDX-License-Identifier: ISC
"""Who is served, who waits, who is refused, and under which word."""

import peers
from peers import DATAGRAMS, STREAMS, TCP4, TCP6, UDP4, UNIX, Stream
from scenario import (EVENT1, EVENT2, EVENTS, FORKING, MODELS, POOL, PREFORK1,
                      PREFORK2, SYNC, THREADED, Skip, listener, scenario)
from until import eventually, expect, expect_equal

GREETING = "hi"


def bot(transport, model, **keys):
    return listener("bot", "bot10086", transport, model,
                    {"greeting": GREETING, "fallback": "?"}, **keys)


def refused(record, reason):
    return record.get("result") == "refused" and record.get("reason") == reason


# allow and deny

@scenario(model=MODELS)
def a_denied_peer_is_refused_and_others_are_served(story, model):
    daemon = story.serve(bot(TCP4, model, deny=["127.0.0.3"],
                             refuse_text="no entry\n"))
    address = daemon.address()
    denied = daemon.dial(address, source="127.0.0.3")
    name = denied.name
    denied.expect("no entry\n").expect_end()
    daemon.dial(address, source="127.0.0.4").expect(GREETING)
    line = daemon.log.wait(lambda r: refused(r, "access"))
    expect_equal(line.get("peer"), name, "peer in the access line")
    daemon.stop()
    expect_equal(daemon.totals().reasons, {"access": 1}, "reasons")


@scenario(model=MODELS)
def only_allowed_peers_are_served(story, model):
    daemon = story.serve(bot(TCP4, model, allow=["127.0.0.8/29"]))
    address = daemon.address()
    for last in (7, 16):
        denied = daemon.dial(address, source="127.0.0.%d" % last)
        expect_equal(denied.rest(), b"", "refused")
    for last in (8, 15):
        client = daemon.dial(address, source="127.0.0.%d" % last)
        client.expect(GREETING).send("exit").expect_end()


@scenario
def deny_wins_over_allow(story):
    daemon = story.serve(bot(TCP4, THREADED, allow=["127.0.0.0/8"],
                             deny=["127.0.0.9"]))
    address = daemon.address()
    daemon.dial(address, source="127.0.0.10").expect(GREETING)
    expect_equal(daemon.dial(address, source="127.0.0.9").rest(), b"", "deny")


@scenario(model=MODELS)
def a_denied_datagram_is_dropped(story, model):
    daemon = story.serve(listener("echo", "echo", UDP4, model,
                                  deny=["127.0.0.3"]))
    address = daemon.address()
    denied = daemon.datagrams(address, source="127.0.0.3").send("x")
    expect_equal(daemon.datagrams(address, source="127.0.0.4").ask(b"y"),
                 b"y", "reply")
    denied.expect_silence(0.05)
    daemon.stop()
    expect_equal(daemon.totals().reasons, {"access": 1}, "reasons")


@scenario
def an_ipv4_rule_holds_on_a_star(story):
    if not peers.has_ipv6():
        raise Skip("no IPv6 loopback")
    daemon = story.serve(bot("tcp://*:0", THREADED, deny=["127.0.0.0/8"]))
    for address in daemon.addresses():
        if "0.0.0.0" in address.text:
            expect_equal(daemon.dial(address.at("127.0.0.1")).rest(), b"",
                         "denied")
        else:
            daemon.dial(address.at("::1")).expect(GREETING)


@scenario
def an_ipv6_rule_holds(story):
    daemon = story.serve(bot(TCP6, THREADED, deny=["::1"]))
    expect_equal(daemon.dial().rest(), b"", "denied")


@scenario
def a_mapped_rule_is_an_ipv4_rule(story):
    daemon = story.serve(bot(TCP4, THREADED, deny=["::ffff:127.0.0.1"]))
    expect_equal(daemon.dial().rest(), b"", "denied")


@scenario
def rules_do_not_touch_unix_peers(story):
    daemon = story.serve(bot(UNIX, THREADED, allow=["192.0.2.1"]))
    daemon.dial().expect(GREETING)


# verify

@scenario(model=MODELS, transport=STREAMS)
def a_handler_can_refuse_a_peer(story, model, transport):
    daemon = story.serve(listener("s", "story", transport, model,
                                  {"refuse": "verify"}, refuse_text="go\n"))
    daemon.dial().expect("go\n").expect_end()
    daemon.log.wait(lambda r: refused(r, "verify"))
    daemon.stop()
    expect_equal(daemon.totals().reasons, {"verify": 1}, "reasons")
    expect_equal(daemon.totals().served, 0, "served")


@scenario(model=MODELS, transport=DATAGRAMS)
def a_handler_can_refuse_a_datagram(story, model, transport):
    daemon = story.serve(listener("s", "story", transport, model,
                                  {"refuse": "verify"}))
    client = daemon.datagrams().send("x")
    daemon.log.wait(lambda r: refused(r, "verify"))
    client.expect_silence(0.05)
    daemon.stop()
    expect_equal(daemon.totals().reasons, {"verify": 1}, "reasons")


# max_connections

FULL = ((SYNC, 1), (THREADED, 2), (POOL, 4), (FORKING, 2), (PREFORK1, 1),
        (PREFORK2, 2), (EVENT1, 2), (EVENT2, 3))


class Full:
    """A model and a limit that so many clients reach."""

    def __init__(self, model, limit):
        self.model, self.limit = model, limit

    def __str__(self):
        return self.model.name


ALL_FULL = tuple(Full(*pair) for pair in FULL)
# The models whose listening process is not itself busy with a request.
FREE_FULL = tuple(f for f in ALL_FULL
                  if f.model in (THREADED, POOL, FORKING) + EVENTS)


@scenario(full=ALL_FULL, transport=STREAMS)
def when_full_the_next_waits_in_the_queue(story, full, transport):
    daemon = story.serve(bot(transport, full.model,
                             max_connections=full.limit))
    inside = [daemon.dial().expect(GREETING) for _ in range(full.limit)]
    waiting = daemon.dial().expect_silence(0.15)
    inside[0].send("exit").expect_end()
    waiting.expect(GREETING)
    for client in inside[1:] + [waiting]:
        client.send("x").expect("?").send("exit").expect_end()
    daemon.stop()
    expect_equal(daemon.totals().refused, 0, "refused")
    expect_equal(daemon.totals().served, full.limit + 1, "served")


@scenario(full=FREE_FULL, transport=STREAMS)
def when_full_the_next_is_refused_with_a_text(story, full, transport):
    daemon = story.serve(bot(transport, full.model, when_full="refuse",
                             max_connections=full.limit,
                             refuse_text="busy, call later\n"))
    inside = [daemon.dial().expect(GREETING) for _ in range(full.limit)]
    for _ in range(5):
        daemon.dial().expect("busy, call later\n").expect_end()
    daemon.log.wait(lambda r: refused(r, "max_connections"), count=5)
    for client in inside:
        client.send("exit").expect_end()
    served_again(daemon)
    daemon.stop()
    # served_again() may have been early once or twice.
    expect(daemon.totals().reasons["max_connections"] >= 5, "refusals")


@scenario(full=FREE_FULL)
def when_full_the_next_is_reset(story, full):
    daemon = story.serve(bot(TCP4, full.model, when_full="reset",
                             max_connections=full.limit,
                             refuse_text="never sent"))
    inside = [daemon.dial().expect(GREETING) for _ in range(full.limit)]
    expect_equal(ending(daemon), ("reset", b""), "ending")
    for client in inside:
        client.send("exit").expect_end()
    served_again(daemon)
    daemon.stop()
    expect(daemon.totals().reasons["max_connections"] >= 1, "refusals")


def ending(daemon):
    """The reset may come before connect() has returned."""
    try:
        return daemon.dial().ending()
    except ConnectionResetError:
        return "reset", b""


def served_again(daemon):
    """A place is free as soon as a request has ended: eventually served."""
    def tried():
        try:
            client = Stream(daemon.address())
        except ConnectionResetError:
            return False
        try:
            return client.sock.recv(100) == GREETING.encode()
        except OSError:
            return False
        finally:
            client.close()
    eventually("a client is served again", tried)


@scenario(full=FREE_FULL, when_full=("refuse", "queue"))
def a_datagram_over_the_limit_is_dropped_or_left(story, full, when_full):
    daemon = story.serve(listener(
        "p", "patient", UDP4, full.model, when_full=when_full,
        max_connections=full.limit))
    gate = story.path("gate")
    inside = daemon.datagrams()
    for _ in range(full.limit):
        inside.send("gate %s\n" % gate)
    outside = daemon.datagrams().send("ask\n").expect_silence(0.15)
    if when_full == "refuse":
        daemon.log.wait(lambda r: refused(r, "max_connections"))
    story.write("gate", "")
    for _ in range(full.limit):
        inside.expect("open\n")
    if when_full == "queue":
        outside.expect("serving\n")
    else:
        outside.expect_silence(0.05)
    daemon.stop()
    expect_equal(daemon.totals().refused, int(when_full == "refuse"),
                 "refused")


@scenario(model=MODELS)
def a_refusal_of_a_rude_client_does_not_block(story, model):
    """It never reads the refuse_text; the next one is served."""
    daemon = story.serve(bot(TCP4, model, deny=["127.0.0.3"],
                             refuse_text="x" * 4000))
    for _ in range(20):
        daemon.dial(daemon.address(), source="127.0.0.3", rcvbuf=2048)
    daemon.dial().expect(GREETING)


@scenario(model=MODELS)
def connections_over_and_over_leave_places_free(story, model):
    daemon = story.serve(bot(TCP4, model, max_connections=4))
    for _ in range(40):
        client = daemon.dial().expect(GREETING)
        client.send("exit").expect_end()
        client.close()
    daemon.stop()
    expect_equal(daemon.totals().served, 40, "served")
