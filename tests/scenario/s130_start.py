# SPDX-License-Identifier: ISC
"""How it starts: whatever the parent left, in the background, twice."""

import os
import re
import signal
import socket

import peers
import proc
from daemon import HANDLERS, PROGRAM
from peers import TCP4, UNIX
from scenario import (EVENT2, FORKING, MODELS, PREFORK2, THREADED, URING, Skip,
                      listener, scenario)
from until import eventually, expect, expect_equal


def ask(daemon, question):
    """The lines with which the inspect fixture answers."""
    client = daemon.dial().send(question + "\n")
    lines = []
    while True:
        line = client.line()
        if line == ".":
            client.close()
            return lines
        lines.append(line)


def close_standard():
    for fd in (0, 1, 2):
        os.close(fd)


@scenario(model=MODELS)
def it_starts_without_0_1_and_2(story, model):
    log = {"target": "file:" + story.path("log")}
    daemon = story.serve(listener("i", "inspect", TCP4, model), log=log,
                         prepare=close_standard)
    daemon.has_totals = False
    for line in ask(daemon, "fds"):
        number, _, what = line.split(" ", 2)
        if int(number) < 3:
            expect("socket" not in what, "descriptor %s is %s", number, what)
    for number in (0, 1, 2):
        expect("socket" not in proc.descriptors(daemon.pid)[number],
               "descriptor %d of the supervisor", number)


def leave_descriptors():
    """9 and 700 are open on something that a handler must not see."""
    fd = os.open("/etc/passwd", os.O_RDONLY)
    for number in (9, 700):
        os.dup2(fd, number)
    if fd not in (9, 700):
        os.close(fd)


@scenario(model=MODELS)
def stray_descriptors_do_not_reach_a_handler(story, model):
    def prepare():
        leave_descriptors()
        for number in (9, 700):
            os.set_inheritable(number, True)
    daemon = story.serve(listener("i", "inspect", TCP4, model),
                         prepare=prepare, close_fds=False)
    for line in ask(daemon, "fds"):
        expect("/etc/passwd" not in line, "a stray descriptor: %s", line)


@scenario(model=MODELS)
def a_handler_holds_few_descriptors_and_passes_none_on(story, model):
    daemon = story.serve(listener("i", "inspect", TCP4, model))
    lines = ask(daemon, "fds")
    for line in lines:
        number, flags, what = line.split(" ", 2)
        if int(number) > 2:
            expect_equal(flags, "1", "close-on-exec of %s" % line)
        expect(".conf" not in what and "address" not in what,
               "a file of the supervisor: %s", line)
    expect(len(lines) <= 20, "%d descriptors: %r", len(lines), lines)


@scenario(model=MODELS)
def the_environment_of_a_handler_is_clean(story, model):
    extra = {"SECRET": "x", "LD_BIND_NOW": "1", "MAINPID": "1",
             "WATCHDOG_USEC": "10000000", "CREDENTIALS_DIRECTORY": "/x",
             "LC_ALL": "C.UTF-8", "TZ": "UTC", "HOME": "/"}
    daemon = story.serve(listener("i", "inspect", TCP4, model), env=extra)
    names = {line.split("=", 1)[0] for line in ask(daemon, "environment")}
    allowed = {"PATH", "HOME", "LANG", "TZ"}
    strange = {name for name in names - allowed
               if not name.startswith("LC_")
               and not name.endswith("SAN_OPTIONS")}
    expect(not strange, "in the environment: %r", strange)
    expect({"PATH", "LC_ALL", "TZ"} <= names, "not kept: %r", names)


@scenario(model=(THREADED, FORKING, PREFORK2, EVENT2, URING))
def a_umask_of_0_is_not_inherited(story, model):
    def prepare():
        os.umask(0)
    path = story.path("log")
    daemon = story.serve(listener("i", "inspect", TCP4, model),
                         listener("u", "echo", UNIX),
                         log={"target": "file:" + path}, prepare=prepare,
                         umask=-1)
    daemon.has_totals = False
    mask = int(ask(daemon, "umask")[0], 8)
    expect(mask & 0o027 == 0o027, "umask %03o", mask)
    for name in (path, daemon.address_file):
        mode = os.stat(name).st_mode & 0o777
        expect(not mode & 0o022, "%s has mode %03o", name, mode)
    mode = os.stat(path).st_mode & 0o777
    expect(not mode & 0o007, "the log has mode %03o", mode)
    mode = os.stat(daemon.address("u").sockaddr).st_mode & 0o777
    expect(not mode & 0o002, "the socket has mode %03o", mode)


@scenario(model=MODELS)
def dispositions_and_masks_of_the_parent_do_no_harm(story, model):
    def prepare():
        for number in (signal.SIGCHLD, signal.SIGHUP, signal.SIGPIPE,
                       signal.SIGTERM, signal.SIGUSR1):
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    daemon = story.serve(listener("i", "inspect", TCP4, model),
                         prepare=prepare)
    said = dict(line.split(":\t", 1) for line in ask(daemon, "status")
                if ":\t" in line)
    # 32 and 33 are the C library's own: nobody can change what they do.
    kept = [signal.SIGPIPE, 32, 33]
    ignored = int(said["SigIgn"], 16) & ~sum(1 << (n - 1) for n in kept)
    expect(not ignored, "ignored signals: %s", said["SigIgn"])


@scenario
def a_working_directory_that_is_gone_does_no_harm(story):
    gone = story.path("gone")

    def prepare():
        os.mkdir(gone)
        os.chdir(gone)
        os.rmdir(gone)
    daemon = story.serve(listener("i", "inspect"), prepare=prepare)
    expect(ask(daemon, "directory")[0] in ("/", "none"), "directory")


@scenario
def it_does_not_keep_a_directory_busy(story):
    daemon = story.serve(listener("i", "inspect"))
    expect_equal(ask(daemon, "directory"), ["/"], "working directory")


@scenario
def a_child_that_it_did_not_start_does_no_harm(story):
    """PY-13: the parent's own child is there before main() begins."""
    def prepare():
        if os.fork() == 0:
            os.closerange(0, 1024)
            signal.pause()
            os._exit(72)
    daemon = story.serve(listener("e", "echo"), prepare=prepare)
    strange = [one for one in daemon.tree()
               if not one.name.startswith("socketserver")]
    expect_equal(len(strange), 1, "strangers in %r" % daemon.tree())
    os.kill(strange[0].pid, signal.SIGKILL)
    daemon.dial().send("x").expect("x")
    expect(proc.is_alive(daemon.pid), "it has ended")


@scenario
def hang_up_does_not_kill_it(story):
    daemon = story.serve(listener("e", "echo"))
    for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2,
                   signal.SIGCHLD, signal.SIGPIPE, signal.SIGWINCH):
        daemon.signal(number)
    daemon.dial().send("x").expect("x")


# The pidfile and a second instance

@scenario
def a_second_instance_is_refused_with_the_pid_of_the_first(story):
    pidfile = story.path("d1.pid")
    daemon = story.serve(listener("e", "echo"), args=["-p", pidfile])
    with open(pidfile) as file:
        expect_equal(file.read(), "%d\n" % daemon.pid, "pidfile")
    conf = story.configure(listener("f", "echo"))
    done = story.run("-c", conf, "-p", pidfile)
    expect_equal(done.returncode, 71, "exit status; " + done.stderr)
    expect(str(daemon.pid) in done.stderr, "no pid in %r", done.stderr)
    with open(pidfile) as file:
        expect_equal(file.read(), "%d\n" % daemon.pid, "pidfile")
    daemon.dial().send("x").expect("x")


@scenario
def a_stale_pidfile_is_replaced(story):
    story.write("d1.pid", "99999999\n")
    daemon = story.serve(listener("e", "echo"),
                         args=["-p", story.path("d1.pid")])
    with open(story.path("d1.pid")) as file:
        expect_equal(file.read(), "%d\n" % daemon.pid, "pidfile")


@scenario
def a_symbolic_link_is_not_followed_by_the_pidfile(story):
    story.write("victim", "precious")
    os.symlink(story.path("victim"), story.path("x.pid"))
    conf = story.configure(listener("e", "echo"))
    done = story.run("-c", conf, "-p", story.path("x.pid"))
    expect_equal(done.returncode, 71, "exit status; " + done.stderr)
    with open(story.path("victim")) as file:
        expect_equal(file.read(), "precious", "victim")


@scenario
def a_pidfile_that_cannot_be_written_is_said(story):
    conf = story.configure(listener("e", "echo"))
    done = story.run("-c", conf, "-p", "/nonexistent/x.pid")
    expect_equal(done.returncode, 71, "exit status; " + done.stderr)
    expect("/nonexistent/x.pid" in done.stderr, "no path in %r", done.stderr)


# In the background

@scenario
def detached_it_serves_when_the_parent_returns(story):
    pidfile, addresses = story.path("x.pid"), story.path("addresses")
    log = story.path("log")
    conf = story.configure(listener("e", "echo"), address_file=addresses,
                           log={"target": "file:" + log})
    done = story.run("-d", "-c", conf, "-p", pidfile)
    expect_equal(done.returncode, 0, "exit status; " + done.stderr)
    with open(pidfile) as file:
        pid = int(file.read())
    with open(addresses) as file:
        address = peers.Address(file.read().split()[1])
    stream = peers.Stream(address).send("x").expect("x")
    stat = proc.stat(pid)
    expect(stat.session != os.getsid(0), "it is still in our session")
    for number in (0, 1, 2):
        expect_equal(proc.descriptors(pid)[number], "/dev/null",
                     "descriptor %d" % number)
    stream.half_close().expect_end()
    stream.close()
    os.kill(pid, signal.SIGTERM)
    status = eventually("its end", lambda: wait_any(pid))
    expect_equal(os.waitstatus_to_exitcode(status[1]), 0, "exit status")
    expect(not os.path.exists(pidfile), "the pidfile is left")
    expect(not proc.ours(), "left: %r", proc.ours())
    expect(peers.is_refused(address), "%s still listens", address)


def wait_any(pid):
    try:
        found = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return None
    return found if found[0] else None


@scenario
def detached_it_tells_why_it_did_not_start(story):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        conf = story.configure(listener("busy", "echo",
                                        "tcp://127.0.0.1:%d" % port),
                               log={"target": "file:" + story.path("log")})
        done = story.run("-d", "-c", conf)
    expect_equal(done.returncode, 71, "exit status; " + done.stderr)
    expect("busy" in done.stderr and str(port) in done.stderr,
           "no reason in %r", done.stderr)
    eventually("nobody is left", lambda: not proc.ours())


@scenario
def detached_a_bad_configuration_is_told(story):
    conf = story.configure(listener("e", "no_such_handler"))
    done = story.run("-d", "-c", conf)
    expect_equal(done.returncode, 78, "exit status; " + done.stderr)
    expect("no_such_handler" in done.stderr, "%r", done.stderr)
    # who was detached ends after its starter has been told
    eventually("nobody is left", lambda: not proc.ours(), 10)


@scenario
def detached_it_holds_nobody_s_pipe_open(story):
    """`$(socketserverd -d ...)` returns: nothing inherited our stdout."""
    pidfile = story.path("x.pid")
    conf = story.configure(listener("e", "echo"),
                           log={"target": "file:" + story.path("log")})
    done = story.run("-d", "-c", conf, "-p", pidfile, within=15)
    expect_equal(done.returncode, 0, "exit status; " + done.stderr)
    with open(pidfile) as file:
        pid = int(file.read())
    os.kill(pid, signal.SIGTERM)
    eventually("its end", lambda: wait_any(pid))


# Without a file

@scenario(model=("sync", "threaded", "forking", "prefork"))
def one_listener_is_served_without_a_file(story, model):
    handler = os.path.join(HANDLERS, "bot10086.so")
    daemon = story.launch(run=["-r", "tcp://127.0.0.1:0", handler, "-m",
                               model, "-o", "greeting=hello there"])
    daemon.has_totals = False
    daemon.wait_ready()
    line = daemon.log.wait("listening on tcp://")
    address = re.search(r"tcp://\S+", line.message).group()
    client = daemon.dial(peers.Address(address)).expect("hello there")
    client.send("exit").expect_end()


@scenario
def the_line_of_the_manual_serves_the_hotline(story):
    if "bot10086" not in story.run("-L").stdout:
        raise Skip("the bundled handlers are not installed")
    daemon = story.launch(run=["-r", "tcp://127.0.0.1:0", "bot10086", "-m",
                               "threaded"])
    daemon.has_totals = False
    daemon.wait_ready()
    line = daemon.log.wait("listening on tcp://")
    address = re.search(r"tcp://\S+", line.message).group()
    daemon.dial(peers.Address(address)).expect("欢迎致电")


class Usage:
    def __init__(self, status, *arguments):
        self.status, self.arguments = status, arguments

    def __str__(self):
        return " ".join(self.arguments).replace("/", "|")


USAGES = (
    Usage(64, "-r"),
    Usage(64, "-r", "tcp://127.0.0.1:0"),
    Usage(64, "-r", "tcp://127.0.0.1:0", "echo", "extra"),
    Usage(78, "-r", "tcp://127.0.0.1:0", "echo", "-m", "magic"),
    Usage(64, "-r", "tcp://127.0.0.1:0", "echo", "-o", "novalue"),
    Usage(78, "-r", "tcp://127.0.0.1:0", "echo", "-o", "no_such=1"),
    Usage(78, "-r", "tcp://127.0.0.1:0", "no_such"),
    Usage(78, "-r", "tcp://127.0.0.1:0", "reply"),
    Usage(78, "-r", "ftp://127.0.0.1:0", "echo"),
    Usage(78, "-r", "nonsense", "echo"),
    Usage(64, "--no-such-option"),
    Usage(64, "-l", "loud"),
    Usage(64, "stray"),
    Usage(66, "-c", "/nonexistent/file.conf"),
    Usage(66, "-t", "-c", "/nonexistent/file.conf"),
    Usage(64, "-t", "-L"),
    Usage(64, "-c"),
)


@scenario(usage=USAGES)
def a_wrong_command_line_is_said(story, usage):
    done = story.run(*usage.arguments)
    expect_equal(done.returncode, usage.status, "exit status; " + done.stderr)
    expect(done.stderr.strip(), "it says nothing")
    expect_equal(done.stdout, "", "standard output")
    expect(os.path.exists(PROGRAM), "program")
