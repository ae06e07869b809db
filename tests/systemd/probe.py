# SPDX-License-Identifier: ISC
"""No claim about socketserverd: can a systemd be booted here at all?"""

from booted import claim, run


@claim
def boots(_):
    run("systemctl", "is-active", "sysinit.target")
    run("journalctl", "--sync")
