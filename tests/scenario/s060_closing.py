# SPDX-License-Identifier: ISC
"""How connections end, and that no byte is lost on the way."""

import os
import signal
import threading

import proc
from peers import STREAMS, TCP4, UNIX
from scenario import MODELS, THREADED, listener, scenario
from until import expect, expect_equal

MIB = 1 << 20


@scenario(model=MODELS, transport=STREAMS)
def a_half_closed_client_gets_its_whole_answer(story, model, transport):
    daemon = story.serve(listener("echo", "echo", transport, model))
    data = os.urandom(3 * MIB)
    client = daemon.dial()
    sender = threading.Thread(target=lambda: client.send(data).half_close())
    sender.start()
    expect(client.rest() == data, "the echo differs")
    sender.join()


@scenario(model=MODELS, transport=STREAMS)
def a_handler_can_end_its_own_side_first(story, model, transport):
    daemon = story.serve(listener("half", "half", transport, model))
    client = daemon.dial().expect("last words").expect_end()
    client.send(b"x" * 1000).half_close()
    daemon.log.wait("read 1000 after the end")


@scenario(model=MODELS, transport=STREAMS)
def unread_input_does_not_eat_the_reply(story, model, transport):
    daemon = story.serve(listener("deaf", "deaf", transport, model))
    client = daemon.dial()

    def send():
        try:
            client.sock.sendall(b"x" * MIB)
        except OSError:
            pass
    sender = threading.Thread(target=send)
    sender.start()
    expect(client.take(4096) == b"b" * 4096, "the reply is cut")
    client.rest_or_reset()
    sender.join()
    daemon.stop()
    expect_equal(daemon.totals().served, 1, "served")


@scenario(model=MODELS, transport=STREAMS)
def first_bytes_are_left_to_who_reads_by_itself(story, model, transport):
    daemon = story.serve(listener("deaf", "deaf", transport, model))
    expect(daemon.dial().send("x").take(4096) == b"b" * 4096, "no reply")
    daemon.stop()
    expect_equal(daemon.totals().served, 1, "served")


@scenario(model=MODELS, transport=(TCP4, UNIX))
def a_great_write_survives_a_storm_of_signals(story, model, transport):
    daemon = story.serve(listener("big", "big", transport, model))
    client = daemon.dial().send("go")
    done = threading.Event()
    storm = threading.Thread(target=storm_of_signals, args=(daemon, done))
    storm.start()
    try:
        data = client.rest()
    finally:
        done.set()
        storm.join()
    expect_equal(len(data), 16 * MIB, "length")
    pattern = bytes(range(251))
    expect(data == (pattern * (len(data) // 251 + 1))[:len(data)],
           "the bytes differ")


def storm_of_signals(daemon, done):
    """USR1 to the supervisor and URG to everybody, every millisecond."""
    pids = [one.pid for one in daemon.tree()]
    while not done.wait(0.001):
        daemon.signal(signal.SIGUSR1)
        for pid in pids:
            proc.kill(pid, signal.SIGURG)
            proc.kill(pid, signal.SIGWINCH)


@scenario(model=MODELS, transport=(TCP4, UNIX))
def a_reset_in_the_middle_harms_nobody(story, model, transport):
    daemon = story.serve(listener("big", "big", transport, model))
    client = daemon.dial().send("go")
    client.take(100000)
    client.reset()
    daemon.log.wait("write failed")
    daemon.dial().send("go").expect(bytes(range(251)))


@scenario(model=MODELS)
def a_write_to_a_gone_client_raises_no_signal(story, model):
    daemon = story.serve(listener("rude", "rude", TCP4, model))
    client = daemon.dial().send("writetwice\n")
    client.take(10)
    client.reset()
    line = daemon.log.wait("write ended with")
    expect(line.message.rsplit(" ", 1)[1] in ("EPIPE", "ECONNRESET"),
           "unexpected: %s", line.message)
    daemon.dial().send("pid\n").line()


@scenario(model=MODELS)
def a_client_that_resets_at_once_is_no_fault(story, model):
    daemon = story.serve(listener("up", "uppercase", TCP4, model))
    for _ in range(50):
        daemon.dial().reset()
    daemon.dial().send("x").expect("X").expect_end()
    daemon.stop()
    expect(not daemon.log.find(lambda r: r.level == "error"),
           "error lines for resets")


@scenario(model=MODELS)
def a_reset_before_the_first_byte_is_told(story, model):
    """Of a connection that nobody had taken yet."""
    daemon = story.serve(listener("echo", "echo", TCP4, model))
    held = daemon.services()
    for pid in held:
        proc.stop(pid)
    clients = [daemon.dial() for _ in range(5)]
    names = [client.name for client in clients]
    for client in clients:
        client.reset()
    for pid in held:
        os.kill(pid, signal.SIGCONT)
    for name in names:
        line = daemon.log.wait(lambda r: r.get("peer") == name
                               and "result" in r)
        expect_equal((line["result"], line["bytes_in"]), ("reset", "0"),
                     "of %r" % line)
    daemon.dial().send("x").half_close().expect("x").expect_end()
    daemon.stop()
    expect_equal((daemon.totals().served, daemon.totals().errors), (1, 5),
                 "served and errors")


@scenario(model=MODELS)
def a_write_buffer_delays_nothing_for_ever(story, model):
    """What is buffered goes out before the handler reads or returns."""
    daemon = story.serve(listener("up", "uppercase", TCP4, model,
                                  {"mode": "line"}, write_buffer=65536))
    client = daemon.dial().send("one\ntwo\n").half_close()
    expect_equal(client.rest(), b"ONE\nTWO\n", "answers")


@scenario(size=(1, 7, 8192, 1 << 20))
def a_read_buffer_of_any_size_gives_the_same_lines(story, size):
    daemon = story.serve(listener("up", "uppercase", TCP4, THREADED,
                                  {"mode": "line"}, read_buffer=size))
    text = "".join("%d-%s\n" % (i, "x" * (i % 100)) for i in range(500))
    client = daemon.dial().send(text).half_close()
    expect_equal(client.rest().decode(), text.upper(), "answers")
