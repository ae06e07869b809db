# SPDX-License-Identifier: ISC
"""Workers that start together each read the whole configuration: they had one
memory file, and so one offset, in common."""

from peers import TCP4
from scenario import Model, listener, scenario
from until import expect


@scenario
def sixteen_workers_that_start_together_all_serve(story):
    model = Model("prefork", "prefork", 16, workers=16)
    for _ in range(5):
        daemon = story.serve(listener("e", "echo", TCP4, model))
        daemon.wait_services(16)
        daemon.dial().send("x").expect("x")
        daemon.stop()
        expect(not daemon.log.find(lambda r: r.level in ("warning", "error")),
               "a worker had to be started again")
