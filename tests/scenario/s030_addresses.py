# SPDX-License-Identifier: ISC
"""Where a listener listens, and how its peers are called."""

import errno
import grp
import os
import pwd
import socket
import stat
import struct

import peers
import proc
from peers import (DATAGRAMS, STREAMS, TCP4, TCP6, TRANSPORTS, UDP4, UNIX,
                   UNIXGRAM, Stream, own)
from scenario import (MODELS, SYNC, THREADED, Failure, Skip, listener,
                      scenario, talk)
from until import eventually, expect, expect_equal


@scenario(transport=TRANSPORTS)
def the_published_address_is_the_one_that_answers(story, transport):
    daemon = story.serve(listener("echo", "echo", transport))
    text = daemon.address().text
    expect(not text.endswith(":0"), "port 0 was published: %s", text)
    client = talk(daemon, transport).send("x").expect("x")
    client.close()
    daemon.log.wait("listening on " + text)


@scenario
def address_file_is_written_whole_before_readiness(story):
    rows = [listener("one", "echo", [TCP4, UDP4]), listener("two", "echo")]
    daemon = story.serve(*rows)
    with open(daemon.address_file) as file:
        lines = file.read().splitlines()
    expect_equal([line.split("://")[0] for line in lines],
                 ["one tcp", "one udp", "two tcp"], "lines")


@scenario(model=MODELS)
def one_listener_serves_several_addresses(story, model):
    daemon = story.serve(listener("echo", "echo", [
        TCP4, "tcp://127.0.0.2:0", UNIX, "unix:@" + story.directory[5:]],
        model))
    expect_equal(len(daemon.addresses()), 4, "addresses")
    for address in daemon.addresses():
        client = Stream(address).send("x").expect("x")
        client.half_close().expect_end()
        client.close()


@scenario(model=MODELS)
def streams_and_datagrams_mix_in_one_listener(story, model):
    daemon = story.serve(listener("echo", "echo", [TCP4, UDP4, UNIXGRAM],
                                  model))
    tcp, udp, gram = daemon.addresses()
    for _ in range(3):
        expect_equal(daemon.datagrams(udp).ask(b"u"), b"u", "udp")
        client = Stream(tcp).send("t").expect("t")
        client.half_close().expect_end()
        client.close()
        expect_equal(daemon.datagrams(gram).ask(b"g"), b"g", "unixgram")


@scenario(scheme=("tcp", "udp"))
def a_star_is_one_ipv4_and_one_ipv6_socket(story, scheme):
    if not peers.has_ipv6():
        raise Skip("no IPv6 loopback")
    daemon = story.serve(listener("who", "inspect", scheme + "://*:0"))
    found = daemon.addresses()
    texts = sorted(a.text.rsplit(":", 1)[0] for a in found)
    expect_equal(texts, [scheme + "://0.0.0.0", scheme + "://[::]"], "sockets")
    for address in found:
        host = "127.0.0.1" if "0.0.0.0" in address.text else "::1"
        place = address.at(host)
        client = daemon.dial(place) if place.is_stream \
            else daemon.datagrams(place)
        client.send("names\n")
        if place.is_stream:
            answer = "".join(client.line() + "\n" for _ in range(5))
        else:
            answer = client.receive().decode()
        expect("peer " + client.name in answer, "%r not in %r", client.name,
               answer)
        expect("ffff" not in answer, "a mapped address: %r", answer)


@scenario(model=MODELS)
def an_ipv4_peer_is_never_mapped(story, model):
    if not peers.has_ipv6():
        raise Skip("no IPv6 loopback")
    daemon = story.serve(listener("echo", "echo", "tcp://*:0", model))
    four = [a for a in daemon.addresses() if "0.0.0.0" in a.text][0]
    client = daemon.dial(four.at("127.0.0.1")).send("x").expect("x")
    name = client.name
    client.half_close().expect_end()
    daemon.log.wait(lambda r: r.get("peer") == name)
    daemon.stop()
    expect(not any(b"ffff" in line for line in daemon.log.lines), "mapped")


@scenario
def an_ipv6_wildcard_does_not_take_ipv4(story):
    if not peers.has_ipv6():
        raise Skip("no IPv6 loopback")
    daemon = story.serve(listener("echo", "echo", "tcp://[::]:0"))
    expect(peers.is_refused(daemon.address().at("127.0.0.1")),
           "IPv4 is answered on an IPv6 socket")
    daemon.dial(daemon.address().at("::1")).send("x").expect("x")


@scenario(model=MODELS, host=("127.0.0.1", "127.0.0.2", "127.1.2.3"))
def a_udp_reply_leaves_from_the_address_that_was_asked(story, model, host):
    daemon = story.serve(listener("echo", "echo", "udp://0.0.0.0:0", model))
    client = daemon.datagrams(daemon.address().at(host), source="127.0.0.1")
    for _ in range(3):
        expect_equal(client.ask(b"where"), b"where", "reply")


@scenario(transport=STREAMS + DATAGRAMS)
def peer_and_local_are_named(story, transport):
    daemon = story.serve(listener("who", "inspect", transport, THREADED))
    client = talk(daemon, transport).send("names\n")
    if transport.is_stream:
        lines = [client.line() for _ in range(5)]
    else:
        lines = client.receive().decode().splitlines()
    said = dict(line.split(" ", 1) for line in lines if " " in line)
    expect_equal(said["peer"], client.name, "peer")
    local = daemon.address().text.replace("tcp://", "").replace("udp://", "")
    expect_equal(said["local"], local.replace("unixgram:", "unix:"), "local")
    expect(said["worker"].startswith("Thread-"), "worker %r", said["worker"])
    expect(int(said["id"]) >= 1, "id %r", said["id"])
    expect(int(said["pid"]) in [p.pid for p in daemon.tree()], "pid")


# Unix sockets

@scenario(transport=(UNIX, UNIXGRAM), mode=("0600", "0660", "0666"))
def a_unix_socket_has_its_mode(story, transport, mode):
    daemon = story.serve(listener("echo", "echo", transport, mode=mode))
    path = daemon.address().sockaddr
    expect_equal("%04o" % stat.S_IMODE(os.stat(path).st_mode), mode, "mode")
    daemon.stop()
    expect(not os.path.lexists(path), "%s is left", path)


@scenario(root=True, transport=(UNIX, UNIXGRAM))
def a_unix_socket_has_its_owner(story, transport):
    daemon = story.serve(listener("echo", "echo", transport, owner="nobody",
                                  group_owner="nogroup", mode="0640"))
    path = daemon.address().sockaddr
    found = os.stat(path)
    expect_equal(found.st_uid, pwd.getpwnam("nobody").pw_uid, "owner")
    expect_equal(found.st_gid, grp.getgrnam("nogroup").gr_gid, "group")
    talk(daemon, transport).send("x").expect("x")


@scenario(transport=(UNIX, UNIXGRAM))
def a_stale_unix_socket_is_replaced(story, transport):
    kind = socket.SOCK_STREAM if transport is UNIX else socket.SOCK_DGRAM
    path = story.path("stale.sock")
    with socket.socket(socket.AF_UNIX, kind) as old:
        old.bind(path)
    daemon = story.serve(listener(
        "echo", "echo", "%s:%s" % (transport.name, path)))
    talk(daemon, transport).send("x").expect("x")


def fails_to_start(story, row, *words):
    conf = story.configure(row)
    done = story.run("-c", conf)
    expect_equal(done.returncode, 71, "exit status; " + done.stderr)
    for word in words:
        expect(word in done.stderr, "%r not in %r", word, done.stderr)
    return done


@scenario(transport=(UNIX, UNIXGRAM))
def a_live_unix_socket_is_refused(story, transport):
    kind = socket.SOCK_STREAM if transport is UNIX else socket.SOCK_DGRAM
    path = story.path("live.kept")
    with socket.socket(socket.AF_UNIX, kind) as other:
        other.bind(path)
        if transport is UNIX:
            other.listen(5)
        fails_to_start(story, listener(
            "echo", "echo", "%s:%s" % (transport.name, path)), "live.kept")
        expect(os.path.exists(path), "the other's socket is gone")
        with socket.socket(socket.AF_UNIX, kind) as client:
            client.connect(path)


@scenario(transport=(UNIX, UNIXGRAM))
def a_plain_file_is_not_replaced_by_a_socket(story, transport):
    path = story.write("precious", "do not lose me")
    fails_to_start(story, listener(
        "echo", "echo", "%s:%s" % (transport.name, path)), "precious")
    with open(path) as file:
        expect_equal(file.read(), "do not lose me", "contents")


@scenario
def a_symbolic_link_is_not_followed_by_a_socket(story):
    os.symlink(story.path("elsewhere"), story.path("link"))
    fails_to_start(story, listener("echo", "echo",
                                   "unix:" + story.path("link")), "link")
    expect(not os.path.lexists(story.path("elsewhere")), "followed")


@scenario
def a_second_daemon_does_not_steal_a_unix_socket(story):
    daemon = story.serve(listener("echo", "echo", UNIX))
    fails_to_start(story, listener("echo", "echo", daemon.address().text))
    daemon.dial().send("x").expect("x")


@scenario(transport=(UNIX, UNIXGRAM))
def a_unix_socket_is_replaced_after_a_kill(story, transport):
    first = story.serve(listener("echo", "echo", transport))
    address = first.address().text
    first.signal(9)
    first.wait_exit()
    eventually("all gone", lambda: not proc.ours(), 3)
    second = story.serve(listener("echo", "echo", address))
    talk(second, transport).send("x").expect("x")


@scenario
def an_unbound_unix_datagram_client_harms_nobody(story):
    daemon = story.serve(listener("echo", "echo", UNIXGRAM))
    daemon.datagrams(bound=False).send("nobody to answer")
    expect_equal(daemon.datagrams().ask(b"x"), b"x", "reply")
    daemon.stop()
    expect_equal(daemon.totals().accepted, 2, "accepted")


@scenario
def a_long_unix_path_is_a_configuration_fault(story):
    path = "unix:/tmp/" + "x" * 120
    done = story.run("-t", "-c", story.configure(listener("e", "echo", path)))
    expect_equal(done.returncode, 78, "exit status; " + done.stderr)
    expect("listen" in done.stderr, "no key named in %r", done.stderr)


# TCP and UDP

@scenario
def a_udp_port_cannot_be_joined(story):
    daemon = story.serve(listener("echo", "echo", UDP4))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as thief:
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            thief.bind(daemon.address().sockaddr)
        except OSError as error:
            expect_equal(error.errno, errno.EADDRINUSE, "errno")
        else:
            raise Failure("a second socket was bound to the port")
    expect_equal(daemon.datagrams().ask(b"x"), b"x", "reply")


@scenario(scheme=("tcp", "udp"))
def a_port_in_use_is_said(story, scheme):
    kind = socket.SOCK_STREAM if scheme == "tcp" else socket.SOCK_DGRAM
    with socket.socket(socket.AF_INET, kind) as other:
        other.bind(("127.0.0.1", 0))
        if scheme == "tcp":
            other.listen()
        address = "%s://127.0.0.1:%d" % (scheme, other.getsockname()[1])
        fails_to_start(story, listener("busy", "echo", address), "busy",
                       address)


@scenario(model=MODELS)
def a_port_in_time_wait_can_be_bound_again(story, model):
    first = story.serve(listener("no", "reply", own(TCP4), model,
                                 {"text": "bye"}))
    address = first.address()
    first.dial().send("x").expect("bye").expect_end()
    first.stop()
    second = story.serve(listener("no", "reply", address.text, model,
                                  {"text": "again"}))
    second.dial().send("x").expect("again").expect_end()


@scenario
def an_address_that_is_not_here_is_said(story):
    done = fails_to_start(story, listener("far", "echo",
                                          "tcp://192.0.2.1:0"), "far")
    expect("192.0.2.1" in done.stderr, "no address in %r", done.stderr)


@scenario
def freebind_binds_an_address_that_is_not_here(story):
    story.serve(listener("far", "echo", "tcp://192.0.2.1:0", freebind=True))


@scenario
def a_host_name_is_resolved(story):
    daemon = story.serve(listener("echo", "echo", "tcp://localhost:0"))
    Stream(daemon.addresses()[0]).send("x").expect("x").close()


@scenario(transport=(TCP4, TCP6))
def socket_options_reach_the_connection(story, transport):
    daemon = story.serve(listener(
        "echo", "echo", transport, SYNC, nodelay=True, keepalive=30,
        rcvbuf="32K", sndbuf="32K", defer_accept=1, fastopen=16,
        backlog=7, reuse_address=True))
    daemon.dial().send("x").expect("x")


@scenario
def a_datagram_from_the_listener_itself_is_not_answered(story):
    """A reply to oneself would go round for ever."""
    if os.geteuid() != 0:
        raise Skip("needs root")
    daemon = story.serve(listener("echo", "echo", UDP4))
    port = daemon.address().port
    forge(port, port)
    expect_equal(daemon.datagrams().ask(b"x"), b"x", "reply")
    daemon.stop()
    expect(daemon.totals().served <= 1, "served %r", daemon.totals())


@scenario
def a_datagram_from_port_0_is_dropped(story):
    if os.geteuid() != 0:
        raise Skip("needs root")
    daemon = story.serve(listener("echo", "echo", UDP4))
    forge(0, daemon.address().port)
    expect_equal(daemon.datagrams().ask(b"x"), b"x", "reply")
    daemon.stop()
    expect(daemon.totals().served <= 1, "served %r", daemon.totals())


def forge(source, target):
    """One UDP datagram with a source port of our choice."""
    data = b"loop"
    with socket.socket(socket.AF_INET, socket.SOCK_RAW,
                       socket.IPPROTO_UDP) as raw:
        raw.bind(("127.0.0.1", 0))
        header = struct.pack("!HHHH", source, target, 8 + len(data), 0)
        raw.sendto(header + data, ("127.0.0.1", 0))
