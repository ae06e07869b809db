# SPDX-License-Identifier: ISC
"""Pools that grow as soon as nobody is free, and shrink again."""

import proc
from peers import TCP4, UNIX
from scenario import Model, listener, scenario
from until import Deadline, eventually, expect, expect_equal

GREETING = "欢迎致电 10086,请输入1xxx,0转人工服务."


def threads_of(service):
    return len(proc.threads(service))


def threads(**keys):
    return Model("threads", "threaded", **keys)


def processes(**keys):
    return Model("processes", "prefork", keys["workers"], **keys)


GROWING = (threads(workers=1, max_workers=32),
           processes(workers=1, max_workers=32))


def bot(transport, model, **keys):
    return listener("b", "bot10086", transport, model, **keys)


@scenario(model=GROWING)
def a_pool_grows_to_its_limit_at_once(story, model):
    """Six doublings: not one a second."""
    daemon = story.serve(bot(TCP4, model))
    daemon.keeps_descriptors = False
    soon = Deadline(4)
    clients = [daemon.dial() for _ in range(32)]
    for client in clients:
        client.expect(GREETING)
    expect(not soon.passed(), "it took more than 4 s")
    over = daemon.dial().expect_silence(0.2)
    clients[7].send("exit").expect_end()
    over.expect(GREETING)


@scenario(transport=(TCP4, UNIX), deadline=90)
def idle_threads_of_a_pool_end(story, transport):
    daemon = story.serve(bot(transport, threads(workers=2, max_workers=16)))
    service, = daemon.services()
    before = threads_of(service)
    clients = [daemon.dial() for _ in range(16)]
    for client in clients:
        client.expect(GREETING)
    expect_equal(threads_of(service), before + 14, "threads")
    for client in clients:
        client.send("exit").expect_end()
    eventually("shrunk", lambda: threads_of(service) <= before + 1, 40)
    clients = [daemon.dial() for _ in range(16)]
    for client in clients:
        client.expect(GREETING)
    expect_equal(threads_of(service), before + 14, "threads")
    daemon.stop()
