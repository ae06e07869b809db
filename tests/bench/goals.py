# SPDX-License-Identifier: ISC
"""What socketserverd is to reach: each row's limits, workload by workload.

A limit is a ratio to another row of the same run (server CPU per request), or
a plain figure in the workload's own unit.
"""

ELSEWHERE = 1.15        # of the model's first row, where nothing is said
NOISE = 1.03            # a ratio that much above its limit is still as good


def _ratios(floor, **limits):
    return {name.replace("_", " "): [(floor, limit)]
            for name, limit in limits.items()}


RING, EPOLL = "bare io_uring", "bare epoll"
OURS_EPOLL = "socketserverd event epoll"
DEAF_US = 10_000        # p99 of a new client

GOALS = {
    OURS_EPOLL: {
        **_ratios("bare fiber", rr_1=1.05, rr_64=1.05, rr_1000=1.05,
                  stream=1.05),
        **_ratios(EPOLL, crr_32=1.08),
        "idle 1000": [(None, 4.5)],
    },
    "socketserverd event io_uring": {
        **_ratios(RING, rr_64=1.05, crr_32=1.05),
        **_ratios(OURS_EPOLL, rr_1=1.05, stream=1.05),
        "rr 1000": [(RING, 1.05), (EPOLL, 1.0)],
        "idle 1000": [(None, 4.5)],
    },
    "socketserverd sync": _ratios("bare sync", crr_32=1.08),
    "socketserverd threaded": {
        **_ratios("bare thread", rr_64=1.05, crr_32=0.60),
        "idle 1000": [(None, 25)],      # 16 of them its kernel stack
    },
    "socketserverd threaded 64": _ratios("bare pool", rr_64=1.05, crr_32=1.08),
    "socketserverd threaded 64, shed_idle": {"deaf 200": [(None, DEAF_US)]},
    "socketserverd prefork 64": _ratios("bare prefork", rr_64=1.05,
                                        crr_32=1.08),
    "socketserverd prefork 64, shed_idle": {"deaf 200": [(None, DEAF_US)]},
    "socketserverd forking": {
        **_ratios("bare fork", rr_64=1.05, crr_32=0.85),
        "idle 1000": [(None, 92)],
    },
    "socketserverd udp sync": _ratios("bare udp", udp_16=1.05),
    "socketserverd udp event": _ratios("bare udp", udp_16=1.05),
}


def limits_of(row, workload, floor):
    """[(row to compare with, or None: as it is; limit)]"""
    said = GOALS.get(row.name, {}).get(workload.title)
    if said:
        return said
    return [(floor, ELSEWHERE)] \
        if row.role == "ours" and workload.has_goal else []
