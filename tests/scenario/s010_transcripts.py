# SPDX-License-Identifier: ISC
"""What the bundled handlers say, under every model and transport."""

import os
import subprocess

import proc
from peers import DATAGRAMS, STREAMS, TCP4, TRANSPORTS
from scenario import (FORKING, MODELS, POOL, PREFORK2, SYNC, THREADED, WIDE,
                      Skip, listener, scenario, talk)
from until import expect, expect_equal

GREETING = "欢迎致电 10086,请输入1xxx,0转人工服务."
HUMAN = "通过可能会被录音.balabala一大推"
AGAIN = "请重新输入."
NO_ANSWER = "不要回答,不要回答,不要回答"


# uppercase

@scenario(model=MODELS, transport=STREAMS)
def uppercase_answers_and_closes(story, model, transport):
    daemon = story.serve(listener("up", "uppercase", transport, model))
    daemon.dial().send("hello world with TCP\n").expect(
        "HELLO WORLD WITH TCP").expect_end()
    daemon.dial().send("python is nice\n").expect(
        "PYTHON IS NICE").expect_end()
    daemon.dial().send("  \t strip me\r\n").expect("STRIP ME").expect_end()
    daemon.stop()
    expect_equal(daemon.totals().served, 3, "served")


@scenario(model=MODELS, transport=DATAGRAMS)
def uppercase_answers_each_datagram(story, model, transport):
    daemon = story.serve(listener("up", "uppercase", transport, model))
    client = daemon.datagrams()
    for text in ("hello world with UDP\n", "python is nice\n", "x"):
        expect_equal(client.ask(text), text.strip().upper().encode(), "reply")
    daemon.stop()
    expect_equal(daemon.totals().served, 3, "served")


@scenario(model=MODELS)
def uppercase_changes_ascii_letters_only(story, model):
    daemon = story.serve(listener("up", "uppercase", TCP4, model))
    daemon.dial().send("straße é 请\n").expect(
        "STRAßE é 请").expect_end()
    every = bytes(range(33, 256))
    daemon.dial().send(every).expect(every.upper()).expect_end()


@scenario(model=MODELS)
def uppercase_lines_stay_open(story, model):
    daemon = story.serve(listener("up", "uppercase", TCP4, model,
                                  {"mode": "line"}))
    client = daemon.dial()
    client.send("one\n").expect("ONE\n")
    client.send("two\nthree\n").expect("TWO\nTHREE\n")
    client.send("no newline").half_close().expect("NO NEWLINE")
    client.rest()


@scenario(model=MODELS)
def uppercase_can_keep_white_space(story, model):
    daemon = story.serve(listener("up", "uppercase", TCP4, model,
                                  {"strip": False}))
    daemon.dial().send(" a b \n").expect(" A B \n").expect_end()


# echo

@scenario(model=MODELS, transport=STREAMS)
def echo_answers_until_the_client_ends(story, model, transport):
    daemon = story.serve(listener("echo", "echo", transport, model))
    client = daemon.dial()
    for _ in range(20):
        client.send("Hello").expect("Hello")
    client.half_close().expect_end()


@scenario(model=MODELS, transport=DATAGRAMS)
def echo_returns_each_datagram(story, model, transport):
    daemon = story.serve(listener("echo", "echo", transport, model))
    client = daemon.datagrams()
    for size in (1, 2, 100, 1400, 9000, 60000):
        data = bytes(i % 256 for i in range(size))
        expect_equal(client.ask(data), data, "reply")
    daemon.stop()
    expect_equal(daemon.totals().served, 6, "served")


@scenario(model=MODELS, transport=STREAMS)
def three_clients_one_after_the_other_are_echoed(story, model, transport):
    daemon = story.serve(listener("echo", "echo", transport, model))
    for text in ("hello world\n", "second\n", "third\n"):
        client = daemon.dial()
        client.send(text).expect(text).half_close().expect_end()
        client.close()
    daemon.stop()
    expect_equal(daemon.totals().accepted, 3, "accepted")
    expect_equal(daemon.totals().served, 3, "served")


@scenario(model=MODELS, transport=STREAMS)
def echo_lines_answer_each_line(story, model, transport):
    daemon = story.serve(listener("echo", "echo", transport, model,
                                  {"mode": "line"}))
    client = daemon.dial()
    client.send("one\n").expect("one\n").send("tw").send("o\nthree\n")
    client.expect("two\nthree\n").send("end").half_close()
    client.expect("end").expect_end()


@scenario(model=(THREADED, POOL))
def threads_say_their_names(story, model):
    daemon = story.serve(listener("echo", "echo", TCP4, model,
                                  {"prefix": "worker"}))
    clients = [daemon.dial() for _ in range(3)]
    names = set()
    for number, client in enumerate(clients, 1):
        text = "Hello World %d" % number
        client.send(text)
        first = client.take(len("Thread-"))
        expect_equal(first, b"Thread-", "prefix")
        rest = client.take(len("1: " + text))
        name, _, said = rest.partition(b": ")
        expect(name.isdigit(), "no thread number: %r", rest)
        expect_equal(said, text.encode(), "echo")
        names.add(name)
    expect_equal(len(names), 3, "different threads")


@scenario(model=(FORKING, PREFORK2))
def processes_say_their_names(story, model):
    daemon = story.serve(listener("echo", "echo", TCP4, model,
                                  {"prefix": "worker", "mode": "line"}))
    clients = [daemon.dial() for _ in range(2)]
    names = []
    for client in clients:
        name, _, said = client.send("Hello\n").line().partition(": ")
        expect_equal(said, "Hello", "echo")
        expect(name.startswith("Process-"), "no process name: %r", name)
        names.append(int(name[8:]))
    expect_equal(len(set(names)), 2, "different processes")
    alive = [one.pid for one in daemon.tree()]
    expect(set(names) <= set(alive), "%r are not among %r", names, alive)


@scenario(model=MODELS)
def an_empty_datagram_is_echoed_as_one(story, model):
    daemon = story.serve(listener("echo", "echo", DATAGRAMS[0], model))
    client = daemon.datagrams()
    expect_equal(client.ask(b""), b"", "reply")
    expect_equal(client.ask(b"after"), b"after", "reply")


@scenario(transport=DATAGRAMS)
def the_largest_datagram_is_echoed(story, transport):
    size = {"udp4": 65507, "udp6": 65527, "unixgram": 65535}[transport.name]
    daemon = story.serve(listener("echo", "echo", transport))
    data = os.urandom(size)
    expect_equal(daemon.datagrams().ask(data), data, "reply")


@scenario(model=MODELS, transport=DATAGRAMS)
def a_datagram_over_max_datagram_is_dropped_and_counted(story, model,
                                                        transport):
    daemon = story.serve(listener("echo", "echo", transport, model,
                                  max_datagram=1000))
    client = daemon.datagrams()
    client.send(b"x" * 1001)
    expect_equal(client.ask(b"y" * 1000), b"y" * 1000, "reply")
    daemon.log.wait(lambda r: r.get("reason") == "datagram_too_long")
    daemon.stop()
    totals = daemon.totals()
    expect_equal(totals.reasons, {"datagram_too_long": 1}, "reasons")
    expect_equal(totals.served, 1, "served")


@scenario(model=MODELS)
def every_byte_value_survives_the_echo(story, model):
    daemon = story.serve(listener("echo", "echo", TCP4, model,
                                  {"mode": "line"}))
    data = bytes(i for i in range(256) if i != 10) + b"\r\n\0\r\n\n"
    daemon.dial().send(data).expect(data).half_close().expect_end()


# bot10086

@scenario(model=MODELS, transport=STREAMS)
def the_hotline_talks(story, model, transport):
    daemon = story.serve(listener("bot", "bot10086", transport, model))
    client = daemon.dial().expect(GREETING)
    client.send("0").expect(HUMAN)
    client.send("abc").expect(AGAIN)
    client.send("0\n").expect(HUMAN)
    client.send("0\r\n").expect(HUMAN)
    client.send("exit").expect_end()


@scenario(model=MODELS, transport=STREAMS)
def the_hotline_takes_each_line_of_a_packet(story, model, transport):
    daemon = story.serve(listener("bot", "bot10086", transport, model))
    client = daemon.dial().expect(GREETING)
    client.send("0\nabc\nexit\n").expect(HUMAN + AGAIN).expect_end()


@scenario(model=MODELS, transport=STREAMS)
def the_hotline_ends_when_the_caller_hangs_up(story, model, transport):
    daemon = story.serve(listener("bot", "bot10086", transport, model))
    daemon.dial().expect(GREETING).half_close().expect_end()
    daemon.dial().expect(GREETING).close()
    daemon.dial().expect(GREETING).send("exit").expect_end()


@scenario(model=MODELS, transport=DATAGRAMS)
def the_hotline_answers_datagrams(story, model, transport):
    daemon = story.serve(listener("bot", "bot10086", transport, model))
    client = daemon.datagrams()
    expect_equal(client.ask("0").decode(), HUMAN, "0")
    client.send("exit")
    expect_equal(client.ask("abc").decode(), AGAIN, "abc")
    expect_equal(client.ask("0\n").decode(), HUMAN, "0 with newline")


@scenario
def the_hotline_has_its_own_menu(story):
    daemon = story.serve(listener("bot", "bot10086", options={
        "greeting": "hi", "fallback": "what?", "exit": "bye",
        "menu": [{"input": "a", "reply": "A!"}, {"input": "", "reply": "-"}],
    }))
    client = daemon.dial().expect("hi")
    client.send("a\n").expect("A!").send("0\n").expect("what?")
    client.send("\n").expect("-").send("exit\n").expect("what?")
    client.send("bye\n").expect_end()


# reply

@scenario(model=MODELS, transport=STREAMS)
def reply_answers_and_closes(story, model, transport):
    daemon = story.serve(listener("no", "reply", transport, model,
                                  {"text": NO_ANSWER}))
    daemon.dial().send("请求占领地球").expect(NO_ANSWER).expect_end()


@scenario(model=MODELS, transport=DATAGRAMS)
def reply_answers_each_datagram_once(story, model, transport):
    daemon = story.serve(listener("no", "reply", transport, model,
                                  {"text": NO_ANSWER}))
    client = daemon.datagrams()
    for _ in range(3):
        expect_equal(client.ask("请求占领地球").decode(), NO_ANSWER, "reply")
    client.expect_silence(0.1)


@scenario(model=MODELS)
def curl_reads_hello_world(story, model):
    if not os.path.exists("/usr/bin/curl"):
        raise Skip("no curl")
    text = "HTTP/1.1 200 OK\r\n\r\nHello, World"
    daemon = story.serve(listener("web", "reply", TCP4, model,
                                  {"text": text}))
    for _ in range(3):
        done = subprocess.run(
            ["/usr/bin/curl", "-sS", "--max-time", "10",
             "http://127.0.0.1:%d/" % daemon.address().port],
            capture_output=True, text=True)
        expect_equal(done.stdout, "Hello, World", "curl: " + done.stderr)
        expect_equal(done.returncode, 0, "exit status of curl")


@scenario(model=WIDE)
def reply_need_not_read_first(story, model):
    daemon = story.serve(listener("no", "reply", TCP4, model,
                                  {"text": "go away", "read_first": False}))
    daemon.dial().expect("go away").expect_end()


# discard

@scenario(model=MODELS, transport=TRANSPORTS)
def discard_answers_nothing_and_can_log(story, model, transport):
    daemon = story.serve(listener("sink", "discard", transport, model,
                                  {"log": True}))
    client = talk(daemon, transport)
    client.send("into the void")
    daemon.log.wait("into the void")
    if transport.is_stream:
        client.half_close().expect_end()
    else:
        client.expect_silence(0.05)


# one after the other, or side by side

@scenario(transport=STREAMS)
def sync_is_deaf_to_a_second_client_until_the_first_is_done(story, transport):
    daemon = story.serve(listener("bot", "bot10086", transport, SYNC))
    first = daemon.dial().expect(GREETING)
    second = daemon.dial().send("0").expect_silence(0.2)
    first.send("0").expect(HUMAN)
    second.expect_silence(0.1)
    first.send("exit").expect_end()
    second.expect(GREETING).expect(HUMAN)


@scenario(model=WIDE, transport=STREAMS)
def the_other_models_serve_two_clients_at_once(story, model, transport):
    daemon = story.serve(listener("bot", "bot10086", transport, model))
    first = daemon.dial().expect(GREETING)
    second = daemon.dial().expect(GREETING).send("0").expect(HUMAN)
    first.send("0").expect(HUMAN)
    second.send("exit").expect_end()
    first.send("exit").expect_end()


@scenario
def the_forking_process_has_one_thread(story):
    daemon = story.serve(listener("echo", "echo", TCP4, FORKING))
    daemon.dial().send("x").expect("x")
    if b"libtsan" in proc.read("/proc/%d/maps" % daemon.pid):
        raise Skip("ThreadSanitizer has a thread of its own")
    for one in daemon.tree():
        expect_equal(proc.Stat(one.pid).threads, 1, "threads of %r" % one)


@scenario(model=MODELS, transport=STREAMS)
def a_thousand_lines_in_one_packet_are_all_answered(story, model, transport):
    daemon = story.serve(listener("up", "uppercase", transport, model,
                                  {"mode": "line"}))
    lines = "".join("line %d\n" % i for i in range(1000))
    client = daemon.dial().send(lines).half_close()
    expect_equal(client.rest().decode(), lines.upper(), "answers")


@scenario(model=MODELS)
def a_message_split_at_every_offset_gets_the_same_answer(story, model):
    daemon = story.serve(listener("up", "uppercase", TCP4, model,
                                  {"mode": "line"}))
    message = "split me\r\n"
    client = daemon.dial()
    for at in range(1, len(message)):
        client.send(message[:at]).expect_silence(0.005)
        client.send(message[at:]).expect("SPLIT ME")
        client.line()
