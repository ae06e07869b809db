# SPDX-License-Identifier: ISC
"""Who a service process is, and what it may."""

import grp
import os
import pwd

import proc
from peers import TCP4, UDP4
from scenario import (FORKING, MODELS, POOL, THREADED, listener, scenario)
from until import expect, expect_equal

NOTHING = "0" * 16


def fields(daemon, name=None):
    """/proc/self/status as the handler sees it."""
    client = daemon.dial(name).send("status\n")
    found = {}
    while True:
        line = client.line()
        if line == ".":
            return found
        key, _, value = line.partition(":")
        found[key] = value.split()


def identity(name, group=None):
    entry = pwd.getpwnam(name)
    gid = grp.getgrnam(group).gr_gid if group else entry.pw_gid
    return str(entry.pw_uid), str(gid)


def check_dropped(found, uid, gid):
    expect_equal(found["Uid"], [uid] * 4, "Uid")
    expect_equal(found["Gid"], [gid] * 4, "Gid")
    expect(set(found.get("Groups", [])) <= {gid}, "Groups %r",
           found.get("Groups"))
    for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        expect_equal(found[name], [NOTHING], name)
    expect_equal(found["CapBnd"], [NOTHING], "CapBnd")
    expect_equal(found["NoNewPrivs"], ["1"], "NoNewPrivs")


@scenario(root=True, model=MODELS)
def a_service_of_root_runs_as_nobody(story, model):
    daemon = story.serve(listener("i", "inspect", TCP4, model))
    check_dropped(fields(daemon), *identity("nobody"))
    daemon.log.wait("nobody")


@scenario(root=True, model=MODELS)
def a_service_runs_as_its_user(story, model):
    daemon = story.serve(listener("i", "inspect", TCP4, model, user="daemon"))
    check_dropped(fields(daemon), *identity("daemon"))
    for one in daemon.tree():
        uids = proc.status(one.pid)["Uid"].split()
        expect_equal(uids, [identity("daemon")[0]] * 4, "%r" % one)


@scenario(root=True, model=MODELS)
def a_respawned_service_is_dropped_too(story, model):
    daemon = story.serve(listener("i", "inspect", TCP4, model,
                                  restart={"initial": 0.05, "maximum": 1}))
    daemon.may_crash = True
    before = daemon.services()
    for pid in before:
        proc.kill(pid)
    daemon.log.wait("SIGKILL", count=len(before))
    check_dropped(fields(daemon), *identity("nobody"))


@scenario(root=True)
def user_and_group_can_be_set_apart(story):
    daemon = story.serve(
        listener("a", "inspect", TCP4, THREADED, user="daemon",
                 group="mail"),
        listener("b", "inspect", TCP4, FORKING, group="mail"),
        listener("c", "inspect", TCP4, POOL),
        top={"user": "bin", "group": "games"})
    check_dropped(fields(daemon, "a"), *identity("daemon", "mail"))
    check_dropped(fields(daemon, "b"), *identity("bin", "mail"))
    check_dropped(fields(daemon, "c"), *identity("bin", "games"))


@scenario(root=True)
def root_must_be_asked_for_and_is_warned_about(story):
    daemon = story.serve(listener("i", "inspect", user="root"))
    expect_equal(fields(daemon)["Uid"], ["0"] * 4, "Uid")
    line = daemon.log.wait("root")
    expect_equal(line.level, "warning", "level")


@scenario(root=True)
def a_user_that_is_not_there_is_a_fault(story):
    conf = story.configure(listener("i", "echo", user="no-such-user"))
    done = story.run("-t", "-c", conf)
    expect_equal(done.returncode, 78, "exit status; " + done.stderr)


def become_nobody():
    entry = pwd.getpwnam("nobody")
    os.setgroups([])
    os.setresgid(entry.pw_gid, entry.pw_gid, entry.pw_gid)
    os.setresuid(entry.pw_uid, entry.pw_uid, entry.pw_uid)


class Key:
    def __init__(self, name, value):
        self.name, self.value = name, value

    def __str__(self):
        return self.name


@scenario(root=True, key=(Key("user", "daemon"), Key("group", "daemon"),
                          Key("chroot", "/tmp"), Key("owner", "daemon")))
def who_is_not_root_cannot_name_somebody_else(story, key):
    conf = story.configure(listener("i", "echo", "unix:" + story.path("s"),
                                    **{key.name: key.value}))
    done = story.run("-t", "-c", conf, prepare=become_nobody)
    expect_equal(done.returncode, 78, "exit status; " + done.stderr)
    expect(" %s: " % key.name in done.stderr, "%r", done.stderr)


@scenario(root=True, model=MODELS)
def it_serves_without_being_root(story, model):
    os.chmod(story.directory, 0o777)
    daemon = story.serve(listener("i", "inspect", TCP4, model),
                         listener("u", "echo", UDP4, model),
                         prepare=become_nobody)
    uid = identity("nobody")[0]
    expect_equal(fields(daemon, "i")["Uid"], [uid] * 4, "Uid")
    expect_equal(daemon.datagrams("u").ask(b"x"), b"x", "reply")


@scenario(root=True)
def a_chroot_holds(story):
    root = story.path("jail")
    os.mkdir(root)
    # The leak checker needs /proc, and a place for its report.
    daemon = story.serve(listener("i", "inspect", TCP4, THREADED,
                                  chroot=root),
                         env={"ASAN_OPTIONS": "detect_leaks=0"})
    client = daemon.dial().send("directory\n")
    expect_equal(client.line(), "/", "working directory")
    client.expect(".\n").send("status\n")
    expect_equal(client.line(), "cannot open /proc/self/status", "outside")


@scenario(model=MODELS)
def a_service_is_a_process_group_of_its_own(story, model):
    daemon = story.serve(listener("e", "echo", TCP4, model))
    daemon.dial().send("x").expect("x")
    for pid in daemon.services():
        one = proc.Stat(pid)
        expect_equal(one.group, pid, "group of %r" % one)
