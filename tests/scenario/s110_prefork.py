# SPDX-License-Identifier: ISC
"""The pool of processes: replaced, grown, shrunk."""

import signal

import proc
from peers import STREAMS, TCP4, UDP4
from scenario import Model, listener, scenario, talk
from until import eventually, expect, expect_equal


def prefork(workers, **keys):
    return Model("prefork", "prefork", workers, workers=workers, **keys)


def pid_of(client):
    return int(client.send("pid\n").line())


@scenario(workers=(1, 2, 5))
def there_are_as_many_processes_as_workers(story, workers):
    daemon = story.serve(listener("r", "rude", TCP4, prefork(workers)))
    daemon.wait_services(workers)
    clients = [daemon.dial() for _ in range(workers)]
    pids = {pid_of(client) for client in clients}
    expect_equal(pids, set(daemon.services()), "who serves")


@scenario
def there_are_four_workers_unless_said_otherwise(story):
    model = Model("prefork", "prefork")
    daemon = story.serve(listener("r", "rude", TCP4, model))
    daemon.wait_services(4)


@scenario(transport=STREAMS + (UDP4,))
def a_spent_worker_is_replaced_and_no_request_is_lost(story, transport):
    daemon = story.serve(listener("r", "rude", transport,
                                  prefork(2, max_requests=5)))
    pids = set()
    for _ in range(60):
        client = talk(daemon, transport)
        if transport.is_stream:
            pids.add(pid_of(client))
            client.send("quit\n").expect_end()
        else:
            pids.add(int(client.ask("pid\n")))
        client.close()
    expect(60 / 8 - 1 <= len(pids) <= 60 / 5 + 2, "%d workers for 60 requests",
           len(pids))
    daemon.wait_services(2)
    daemon.stop()
    expect_equal(daemon.totals().served, 60, "served")


@scenario
def a_killed_worker_is_replaced_and_the_others_go_on(story):
    daemon = story.serve(listener("r", "rude", TCP4, prefork(3),
                                  restart={"initial": 0.05, "maximum": 1}))
    daemon.may_crash = True
    before = daemon.wait_services(3)
    held = daemon.dial()
    keeper = pid_of(held)
    victims = [pid for pid in before if pid != keeper]
    for victim in victims:
        proc.kill(victim, signal.SIGKILL)
    eventually("replaced", lambda: len(daemon.services()) == 3
               and not set(victims) & set(daemon.services()), 10)
    expect_equal(pid_of(held), keeper, "the one that was spared")
    pid_of(daemon.dial())


@scenario
def a_worker_killed_in_a_request_loses_only_that(story):
    daemon = story.serve(listener("r", "rude", TCP4, prefork(2),
                                  restart={"initial": 0.05, "maximum": 1}))
    daemon.may_crash = True
    victim, other = daemon.dial(), daemon.dial()
    pids = pid_of(victim), pid_of(other)
    proc.kill(pids[0], signal.SIGKILL)
    victim.ending()
    expect_equal(pid_of(other), pids[1], "the other")
    pid_of(daemon.dial())
    daemon.stop()
    expect_equal(daemon.totals().errors, 1, "errors")


@scenario(deadline=90)
def the_pool_grows_with_its_load_and_shrinks_again(story):
    daemon = story.serve(listener("r", "rude", TCP4, prefork(
        1, max_workers=4, min_spare=1, max_spare=2)))
    daemon.keeps_descriptors = False    # two workers may be left of one
    eventually("one or two workers", lambda: 1 <= len(daemon.services()) <= 2)
    clients = [daemon.dial() for _ in range(4)]
    pids = {pid_of(client) for client in clients}
    expect_equal(len(pids), 4, "processes for four clients")
    daemon.wait_services(4)
    fifth = daemon.dial().send("pid\n").expect_silence(0.2)
    expect_equal(len(daemon.services()), 4, "never over max_workers")
    for client in clients:
        client.send("quit\n").expect_end()
    fifth.line()
    fifth.send("quit\n").expect_end()
    eventually("shrunk: %r" % daemon.services(),
               lambda: len(daemon.services()) <= 2, 30)
    pid_of(daemon.dial())
    daemon.stop()
    expect_equal(daemon.totals().served, 6, "served")


@scenario
def a_stopped_worker_does_not_stop_the_others(story):
    daemon = story.serve(listener("r", "rude", TCP4, prefork(2)))
    one, two = daemon.dial(), daemon.dial()
    first, second = pid_of(one), pid_of(two)
    proc.kill(first, signal.SIGSTOP)
    expect_equal(pid_of(two), second, "the other")
    expect(daemon.services(), "none left")
    proc.kill(first, signal.SIGCONT)
    expect_equal(pid_of(one), first, "the stopped one")


@scenario
def eight_workers_share_a_thousand_connections(story):
    daemon = story.serve(listener("u", "uppercase", TCP4, prefork(8)))
    for _ in range(1000):
        client = daemon.dial().send("x").expect("X").expect_end()
        client.close()
    daemon.stop()
    expect_equal(daemon.totals().served, 1000, "served")
