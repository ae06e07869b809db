# SPDX-License-Identifier: ISC
"""What the daemon promises to a handler."""

import shutil

from peers import DATAGRAMS, STREAMS, TCP4, UDP4
from scenario import (EVENT2, FORKING, MODELS, PREFORK2, SYNC, THREADED, URING,
                      listener, scenario, talk)
from until import eventually, expect, expect_equal


def told(daemon, transport):
    """What the story fixture says to one client."""
    client = talk(daemon, transport).send("x")
    if not transport.is_stream:
        return client.receive().decode()
    return client.rest().decode()


@scenario(model=MODELS, transport=STREAMS + DATAGRAMS)
def setup_handle_finish_are_called_in_order(story, model, transport):
    daemon = story.serve(listener("s", "story", transport, model))
    for _ in range(2):
        expect_equal(told(daemon, transport),
                     "setup handle(setup) finish(setup)", "story")
    daemon.stop()
    expect_equal(daemon.totals().served, 2, "served")


@scenario(model=MODELS, transport=STREAMS + DATAGRAMS)
def finish_follows_an_error_of_handle(story, model, transport):
    daemon = story.serve(listener("s", "story", transport, model,
                                  {"refuse": "handle"}))
    for _ in range(2):
        expect_equal(told(daemon, transport),
                     "setup handle(setup) error(7) finish(setup)", "story")
    daemon.log.wait(lambda r: r.get("result") == "error", count=2)
    expect_equal(len(daemon.log.find("error hook 7")), 2, "error hooks")
    daemon.stop()
    expect_equal(daemon.totals().errors, 2, "errors")


@scenario(model=MODELS, transport=STREAMS + DATAGRAMS)
def a_failing_setup_skips_handle_and_finish(story, model, transport):
    daemon = story.serve(listener("s", "story", transport, model,
                                  {"refuse": "setup"}))
    for _ in range(2):
        expect_equal(told(daemon, transport), " error(5)", "story")
    daemon.log.wait(lambda r: r.get("result") == "error", count=2)
    daemon.stop()
    expect_equal(daemon.totals().errors, 2, "errors")


@scenario(model=MODELS, transport=(TCP4, UDP4))
def an_error_without_a_hook_is_logged_once(story, model, transport):
    daemon = story.serve(listener("p", "plain", transport, model))
    client = talk(daemon, transport).send("x")
    if transport.is_stream:
        client.expect_end()
    name = client.name
    daemon.log.wait(lambda r: r.get("result") == "error")
    lines = daemon.log.find(lambda r: r.get("peer") == name
                            and r.level in ("warning", "error", "notice")
                            and "result" not in r)
    expect_equal(len(lines), 1, "lines of the default error hook: %r"
                 % [line.line for line in lines])
    daemon.stop()
    expect_equal(daemon.totals().errors, 1, "errors")


def counts(daemon):
    client = daemon.dial().send("?\n")
    numbers = list(map(int, client.line().split()))
    client.half_close().expect_end()
    client.close()
    return dict(zip(("ticks", "requests", "opened_by", "pid"), numbers))


@scenario(model=MODELS)
def the_handler_ticks(story, model):
    daemon = story.serve(listener("t", "ticking", TCP4, model, tick=0.05))
    first = counts(daemon)["ticks"]
    eventually("more ticks", lambda: counts(daemon)["ticks"] > first + 3, 10)


@scenario(model=MODELS)
def without_a_tick_there_is_none(story, model):
    daemon = story.serve(listener("t", "ticking", TCP4, model))
    client = daemon.dial().expect_silence(0.2)
    client.send("?\n")
    expect_equal(client.line().split()[0], "0", "ticks")


@scenario(model=MODELS)
def open_and_close_are_called_once_a_process(story, model):
    daemon = story.serve(listener("t", "ticking", TCP4, model))
    for _ in range(6):
        now = counts(daemon)
        if model is FORKING:
            expect(now["opened_by"] != now["pid"], "opened in the child")
        else:
            expect_equal(now["opened_by"], now["pid"], "opened by")
        expect(now["opened_by"] in daemon.services(), "not by a service")
    daemon.stop()
    expect_equal(len(daemon.log.find("opened")), model.processes, "opens")
    expect_equal(len(daemon.log.find("closed")), model.processes, "closes")


@scenario(model=(SYNC, THREADED, PREFORK2, EVENT2, URING))
def options_arrive_typed(story, model):
    daemon = story.serve(listener("t", "typed", TCP4, model, {
        "must": "given", "number": -5, "flag": False, "span": "250ms",
        "choice": "blue",
        "rows": [{"word": "a"}, {"word": "b", "count": 9, "flag": True,
                                 "span": 2}]}))
    expect_equal(daemon.dial().rest().decode(),
                 "text=none must=given number=-5 flag=0 span=0.25 choice=blue"
                 " rows=2 [a 1 0 0.5] [b 9 1 2]", "options")


@scenario
def request_numbers_are_never_given_twice(story):
    daemon = story.serve(listener("w", "inspect", UDP4, PREFORK2),
                         listener("t", "inspect", UDP4, THREADED))
    for name in ("w", "t"):
        seen = set()
        for _ in range(50):
            answer = daemon.datagrams(name).ask("names\n").decode()
            number = dict(line.split(" ", 1) for line in answer.splitlines()
                          if " " in line)["id"]
            expect(number not in seen, "%s twice", number)
            seen.add(number)


@scenario
def one_module_serves_two_listeners_apart(story):
    daemon = story.serve(
        listener("a", "ticking", TCP4, THREADED),
        listener("b", "ticking", TCP4, THREADED))
    for name, count in (("a", 3), ("b", 1)):
        for number in range(count):
            client = daemon.dial(name).send("?\n")
            expect_equal(client.line().split()[1], str(number + 1), name)


@scenario
def a_handler_is_not_touched_by_a_change_of_its_file(story):
    """Overwritten and cut in place while it is being served."""
    target = story.path("mine.so")
    shutil.copy(story.fixture("stream_only"), target)
    daemon = story.serve(listener("m", target, TCP4, FORKING))
    daemon.dial().send("x").expect("x")
    with open(target, "r+b") as file:
        file.write(b"\0" * 4096)
        file.truncate(4096)
    for _ in range(3):
        daemon.dial().send("y").expect("y")
