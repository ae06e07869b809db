# SPDX-License-Identifier: ISC
"""A handler that kills its process in its first instruction: the request was
handed to its thread before it was counted as being served."""

from peers import TCP4
from scenario import MODELS, listener, scenario
from until import expect_equal

CRASHES = 25


@scenario(model=MODELS)
def a_crash_at_once_is_counted_once(story, model):
    daemon = story.serve(
        listener("r", "rude", TCP4, model,
                 restart={"initial": 0.01, "maximum": 0.01}),
        env={"ASAN_OPTIONS": "handle_abort=0",
             "TSAN_OPTIONS": "handle_abort=0"})
    daemon.may_crash = True
    for _ in range(CRASHES):
        daemon.dial().send("abort\n").ending()
    daemon.log.wait("SIGABRT", count=CRASHES)
    client = daemon.dial().send("pid\n")
    client.line()
    client.send("quit\n").expect_end()
    daemon.stop()
    totals = daemon.totals()
    expect_equal((totals.accepted, totals.errors, totals.served),
                 (CRASHES + 1, CRASHES, 1), "accepted, errors, served")
