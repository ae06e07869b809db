# SPDX-License-Identifier: ISC
"""socketserverctl talk: over every transport, from a pipe and at a terminal,
against servers of the test's own and against the daemon."""

import os
import socket
import threading

import ctl
from ctl import Control, expect_exit, no, ok
from peers import TCP4, TCP6, TRANSPORTS, UDP4, UNIX, Address, has_ipv6
from scenario import SYNC, THREADED, listener, scenario
from until import Skip, expect, expect_equal, seconds


def bound(transport, story, name="peer"):
    """A socket of the test's own, and its address as `listen` writes it."""
    address = Address(transport.listen(story.directory, name))
    sock = socket.socket(address.family, socket.SOCK_STREAM
                         if address.is_stream else socket.SOCK_DGRAM)
    sock.bind(address.sockaddr)
    if address.is_stream:
        sock.listen(8)
    if address.family == socket.AF_UNIX:
        return sock, address.text
    host, port = sock.getsockname()[:2]
    form = "%s://[%s]:%d" if ":" in host else "%s://%s:%d"
    return sock, form % (address.scheme, host, port)


def in_thread(function, *arguments):
    threading.Thread(target=function, args=arguments, daemon=True).start()


def named(*addresses, name="web"):
    """What `list` answers."""
    return {"list": ok([{"name": name, "state": "serving",
                         "addresses": list(addresses)}])}


def echo_datagrams(sock):
    while True:
        data, source = sock.recvfrom(65536)
        sock.sendto(data.upper(), source)


def after_the_end(sock, got):
    """One connection: answer only when the client has ended its side."""
    peer, _ = sock.accept()
    with peer:
        while data := peer.recv(65536):
            got.append(data)
        peer.sendall(b"".join(got).upper())


@scenario(transport=[t for t in TRANSPORTS if t.is_stream])
def a_pipe_is_sent_whole_and_the_answer_read_to_its_end(story, transport):
    sock, address = bound(transport, story)
    got = []
    in_thread(after_the_end, sock, got)
    daemon = Control(story, named(address))
    done = expect_exit(daemon.run("talk", "web", input="a\n請\n\nlast".encode()),
                       0)
    expect_equal(b"".join(got), "a\n請\n\nlast".encode(), "what was sent")
    expect_equal(done.stdout, "A\n請\n\nLAST".encode(), "what was shown")
    expect_equal(done.stderr, b"", "standard error")


@scenario(transport=[t for t in TRANSPORTS if not t.is_stream])
def a_line_is_a_datagram_without_its_newline(story, transport):
    sock, address = bound(transport, story)
    in_thread(echo_datagrams, sock)
    program = Control(story, named(address)).start("talk", "web")
    program.send(b"one\n\nlast\n")
    shown = program.expect(b"LAST\n")
    expect_equal(shown, b"ONE\n\nLAST\n", "what was shown")
    expect_equal(program.end_input().expect_end(0), b"", "more")


@scenario(transport=TRANSPORTS)
def the_daemons_echo_answers(story, transport):
    served = story.serve(listener("e", "echo", transport, SYNC))
    daemon = Control(story, named(served.address().text, name="e"))
    text = "first\n電話\nthird\n".encode()
    program = daemon.start("talk", "e").send(text)
    expect_equal(program.expect(b"third\n"), text, "what came back")
    expect_equal(program.end_input().expect_end(0), b"", "more")


@scenario
def the_hotline_talks(story):
    served = story.serve(listener("h", "bot10086", TCP4, THREADED))
    daemon = Control(story, named(served.address().text, name="h"))
    done = expect_exit(daemon.run("talk", "h", input=b"0\nexit\n"), 0)
    expect("欢迎致电 10086".encode() in done.stdout, "%r", done.stdout)
    expect("通过可能会被录音".encode() in done.stdout, "%r", done.stdout)


@scenario(host=["0.0.0.0", "[::]"])
def a_wildcard_is_reached_over_the_loopback(story, host):
    if host == "[::]" and not has_ipv6():
        raise Skip("no IPv6 loopback")
    sock, address = bound(TCP6 if host == "[::]" else TCP4, story)
    in_thread(after_the_end, sock, [])
    port = address.rsplit(":", 1)[1]
    daemon = Control(story, named("tcp://%s:%s" % (host, port)))
    done = expect_exit(daemon.run("talk", "web", input=b"x\n"), 0)
    expect_equal(done.stdout, b"X\n", "what was shown")


@scenario
def one_of_several_addresses_is_chosen(story):
    first, one = bound(UDP4, story)
    second, two = bound(UNIX, story)
    in_thread(echo_datagrams, first)
    in_thread(after_the_end, second, [])
    daemon = Control(story, named(one, two))
    done = expect_exit(daemon.run("talk", "web", two, input=b"x"), 0)
    expect_equal(done.stdout, b"X", "over the stream")
    program = daemon.start("talk", "web").send(b"x\n")
    expect_equal(program.expect(b"\n"), b"X\n", "over the first")
    program.end_input().expect_end(0)
    expect_exit(daemon.run("talk", "web", "tcp://127.0.0.1:1"), 1,
                "has no address tcp://127.0.0.1:1", one)


@scenario
def a_listener_that_is_not_there_is_told(story):
    daemon = Control(story, named("tcp://127.0.0.1:1"))
    expect_exit(daemon.run("talk", "wep"), 1, 'did you mean "web"')
    expect_exit(daemon.run("talk", "other"), 1, "socketserverctl list")
    daemon.answers = named()
    expect_exit(daemon.run("talk", "web"), 1, "has no address")
    daemon.answers = named("not\x1b[31man address")
    done = expect_exit(daemon.run("talk", "web"), 1)
    expect(b"\x1b" not in done.stderr, "%r", done.stderr)
    daemon.answers = {"list": no("may not", 4)}
    expect_exit(daemon.run("talk", "web"), 4, "may not")
    expect_exit(ctl.run("-s", story.path("none"), "talk", "web"), 3,
                "no such socket")


@scenario
def nobody_at_the_address_is_told(story):
    stream, one = bound(TCP4, story)
    stream.close()
    gone, two = bound(UDP4, story)
    gone.close()
    for address in one, two, "unix:" + story.path("none"):
        daemon = Control(story, named(address), "%d" % len(address) +
                         address.split(":")[0])
        done = expect_exit(daemon.run("talk", "web", input=b"x\n"), 1)
        expect(done.stderr.startswith(b"socketserverctl: "), "%r",
               done.stderr)


@scenario
def a_peer_that_ends_first_ends_the_talk(story):
    sock, address = bound(TCP4, story)

    def hang_up():
        peer, _ = sock.accept()
        peer.sendall(b"bye\n")
        peer.close()
    in_thread(hang_up)
    program = Control(story, named(address)).start("talk", "web")
    expect_equal(program.expect_end(0), b"bye\n", "output")


@scenario
def much_goes_both_ways_at_once(story):
    served = story.serve(listener("e", "echo", UNIX, THREADED))
    daemon = Control(story, named(served.address().text, name="e"))
    lines = b"".join(b"%d\n" % number for number in range(400000))
    longest = b"x" * 1000000 + b"\n"
    done = expect_exit(daemon.run("talk", "e", input=lines + longest,
                                  within=35), 0)
    expect(done.stdout == lines + longest, "%d of %d bytes",
           len(done.stdout), len(lines + longest))


@scenario
def a_closed_output_ends_the_talk(story):
    sock, address = bound(TCP4, story)
    read_on = threading.Event()

    def chatter():
        peer, _ = sock.accept()
        with peer:
            peer.sendall(b"hello\n")
            read_on.wait()
            peer.sendall(b"more\n")
            peer.recv(1)
    in_thread(chatter)
    program = Control(story, named(address)).start("talk", "web")
    program.expect(b"hello\n")
    program.close_output()
    read_on.set()
    expect_equal(program.process.wait(seconds(20)), 1, "exit status")


@scenario
def bytes_in_a_pipe_stay_as_they_are(story):
    sock, address = bound(UNIX, story)
    every = bytes(range(256))

    def answer():
        peer, _ = sock.accept()
        with peer:
            peer.sendall(every)
    in_thread(answer)
    done = expect_exit(Control(story, named(address)).run("talk", "web"), 0)
    expect_equal(done.stdout, every, "what was shown")


# At a terminal

class Peer:
    """The other end of one connection, as the story plays it."""

    def __init__(self, story, transport=TCP4):
        self.sock, self.address = bound(transport, story)
        self.sock.settimeout(seconds(20))

    def accept(self):
        self.peer, _ = self.sock.accept()
        self.peer.settimeout(seconds(20))
        return self

    def expect(self, wanted):
        got = b""
        while len(got) < len(wanted):
            got += self.peer.recv(len(wanted) - len(got)) or b"(end)"
        expect_equal(got, wanted, "from the terminal")


def at_terminal(story, **how):
    peer = Peer(story)
    program = Control(story, named(peer.address)).start(
        "talk", "web", terminal=True, **how)
    peer.accept()
    return program, peer


@scenario
def a_terminal_has_a_prompt(story):
    program, peer = at_terminal(story)
    program.expect(b"> ")
    program.send("電話\n".encode())
    peer.expect("電話\n".encode())
    peer.peer.sendall(b"reply without a newline")
    shown = program.expect(b"newline\r\n> ")
    expect(b"\r\x1b[Kreply" in shown, "the prompt is not erased: %r", shown)
    program.send(b"\x04")
    peer.expect(b"(end)")
    peer.peer.close()
    expect_equal(program.end(), 0, "exit status; %r" % program.got)


@scenario
def what_comes_cannot_steer_the_terminal(story):
    program, peer = at_terminal(story)
    program.expect(b"> ")
    peer.peer.sendall(b"\x1b]0;owned\x07\xc2\x9b31m\ta\r\nb\xff")
    peer.peer.close()
    expect_equal(program.end(), 0, "exit status")
    wanted = b"\\x1b]0;owned\\x07\\xc2\\x9b31m\ta\r\nb\\xff"
    expect(wanted in program.got, "%r", program.got)
    expect(b"has ended the connection" in program.got, "%r", program.got)


@scenario
def a_character_may_come_in_pieces(story):
    program, peer = at_terminal(story)
    program.expect(b"> ")
    text = "請😀"
    for byte in text.encode():
        peer.peer.sendall(b"%c" % byte)
    peer.peer.sendall(b"\n")
    shown = program.expect(b"\n").decode()
    while "😀" not in shown:
        shown += program.expect(b"\n").decode()
    expect("請" in shown.replace("\r\n> \r\x1b[K", ""), "%r", shown)
    expect("\\x" not in shown, "%r", shown)
    program.send(b"\x04")
    peer.peer.close()
    program.end()


@scenario
def without_a_terminal_there_is_no_prompt(story):
    sock, address = bound(TCP4, story)
    in_thread(after_the_end, sock, [])
    done = expect_exit(Control(story, named(address)).run(
        "talk", "web", input=b"a\n"), 0)
    expect_equal(done.stdout, b"A\n", "output")


@scenario
def the_prompt_does_not_go_into_a_file(story):
    reader, writer = os.pipe()
    program, peer = at_terminal(story, stdout=writer)
    os.close(writer)
    program.expect(b"> ")
    peer.peer.sendall(b"\x1b raw\n")
    peer.peer.close()
    expect_equal(program.end(), 0, "exit status")
    with os.fdopen(reader, "rb") as file:
        expect_equal(file.read(), b"\x1b raw\n", "what is in the file")
