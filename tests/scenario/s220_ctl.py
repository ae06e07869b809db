# SPDX-License-Identifier: ISC
"""socketserverctl: against a control socket that answers what it is told to.
Every command, every exit status, hostile answers, closed pipes."""

import json
import os
import shutil
import signal
import socket
import subprocess
import termios
import threading

import ctl
from ctl import Control, expect_exit, no, ok
from scenario import scenario
from until import Skip, expect, expect_equal, seconds

LISTENERS = [
    {"name": "web", "state": "serving", "handler": "echo",
     "addresses": ["tcp://127.0.0.1:80", "tcp://[::1]:80"],
     "concurrency": "prefork", "io": None, "workers": [11, 12], "active": 3,
     "requests": 100, "errors": 5, "refused": {"rate": 4, "access": 3},
     "restarts": 1, "generation": 2, "uptime_seconds": 61, "draining": 0,
     "accepted": 107, "bytes_in": 1, "bytes_out": 2},
    {"name": "mail", "state": "failed", "handler": "bad",
     "addresses": ["unix:/run/m"], "concurrency": "sync", "io": None,
     "workers": [], "active": 0, "requests": 0, "errors": 0, "refused": {},
     "restarts": 7, "generation": 1, "uptime_seconds": 0},
]
STATUS = {"version": "0.1.0", "pid": 4711, "state": "serving",
          "uptime_seconds": 10920, "generation": 4, "config": "/etc/x.conf",
          "last_reload": None, "confirm_seconds": None,
          "listeners": LISTENERS}
LIST = [{key: one[key] for key in ("name", "state", "addresses")}
        for one in LISTENERS]
PLAN = {"changes": [
    {"name": "web", "action": "generation", "keys": ["workers", "options"]},
    {"name": "mail", "action": "keep", "keys": []}], "settings": []}
NO_PLAN = {"changes": [{"name": "web", "action": "keep", "keys": []}],
           "settings": []}

# command and words, result, lines of the text, exit status
COMMANDS = {
    "status": (["status"], STATUS, [
        "socketserverd 0.1.0, pid 4711, serving, up 3 h 2 min; configuration "
        "4 from /etc/x.conf",
        "web   tcp://127.0.0.1:80  prefork  echo     serving        2    3  "
        "     100        7       5         1    1m1s",
        "      tcp://[::1]:80"], 0),
    "show": (["show", "web"], LISTENERS[0], [
        "state        serving, up 1 min 1 s, generation 2",
        "refused      rate 4, access 3"], 0),
    "list": (["list"], LIST, ["NAME  STATE    ADDRESS",
                              "web   serving  tcp://127.0.0.1:80",
                              "mail  failed   unix:/run/m"], 0),
    "connections": (["connections"], [
        {"id": 17, "listener": "web", "peer": "1.2.3.4:5",
         "local": "127.0.0.1:80", "worker": "Thread-2", "seconds": 100,
         "bytes_in": 1, "bytes_out": 2}], [
        "17  web       1.2.3.4:5  127.0.0.1:80  Thread-2  1m40s   1    2"],
        0),
    "health": (["health"], {"health": "ready"}, ["ready"], 0),
    "ill health": (["health", "mail"], {"health": "failed"}, ["failed"], 1),
    "plan": (["plan"], PLAN, ["web: generation (workers, options)",
                              "mail: keep"], 2),
    "plan of nothing": (["plan"], NO_PLAN, ["web: keep"], 0),
    "plan of a setting": (["plan"], {"changes": [], "settings": ["log.level"]},
                          ["top level: log.level"], 2),
    "reload": (["reload"], {"changes": [
        {"name": "web", "action": "socket", "keys": ["listen"],
         "result": "done"}], "settings": [], "confirm_seconds": 60},
        ["web: socket (listen)", "undone in 1 min unless confirmed "
         "(socketserverctl confirm)"], 0),
    "confirm": (["confirm"], None, ["the configuration stays"], 0),
    "rollback": (["rollback"], NO_PLAN, ["web: keep"], 0),
    "start": (["start", "web"], {"name": "web", "state": "serving"},
              ["web: serving"], 0),
    "stop": (["stop", "web"], {"name": "web", "state": "stopped"},
             ["web: stopped"], 0),
    "restart": (["restart", "web"], {"name": "web", "state": "serving"},
                ["web: serving"], 0),
    "drain": (["drain", "web"], {"name": "web", "state": "drained"},
              ["web: drained"], 0),
    "kill": (["kill", "17"], {"id": 17}, ["request 17: told to end"], 0),
    "log-level": (["log-level", "debug"], {"level": "debug"},
                  ["the log's level is debug"], 0),
    "upgrade": (["upgrade"], {"version": "0.2.0", "pid": 4711},
                ["socketserverd 0.2.0, pid 4711"], 0),
    "ping": (["ping"], {"version": "0.1.0", "pid": 4711},
             ["socketserverd 0.1.0, pid 4711"], 0),
}


@scenario(name=COMMANDS)
def a_command_is_sent_and_its_result_shown(story, name):
    words, result, lines, status = COMMANDS[name]
    daemon = Control(story, {words[0]: ok(result)})
    done = expect_exit(daemon.run(*words), status)
    expect_equal(daemon.lines, [" ".join(words) + "\n"], "the request")
    shown = done.stdout.decode().splitlines()
    for line in lines:
        expect(line in shown, "%r is not in %r", line, shown)
    expect_equal(done.stderr, b"", "standard error")


@scenario(name=COMMANDS)
def json_is_the_result_on_one_line(story, name):
    words, result, _, status = COMMANDS[name]
    daemon = Control(story, {words[0]: ok(result)})
    done = expect_exit(daemon.run(*words, "--json"), status)
    expect_equal(done.stdout.count(b"\n"), 1, "lines")
    expect_equal(json.loads(done.stdout), result, "the result")


# What goes wrong

REFUSALS = {1: 1, 2: 2, 4: 4, 3: 1, 0: 1, 77: 1, -1: 1, "x": 1}


@scenario(code=REFUSALS)
def a_refusal_is_an_exit_status(story, code):
    answer = no("it is so", code, faults=["a.conf:3: x", "b.conf:4: y"],
                result=PLAN)
    daemon = Control(story, {"reload": answer})
    done = expect_exit(daemon.run("reload"), REFUSALS[code],
                       "socketserverctl: it is so\n",
                       "\na.conf:3: x\nb.conf:4: y\n")
    expect(b"mail: keep\n" in done.stdout, "%r", done.stdout)
    done = expect_exit(daemon.run("--json", "reload"), REFUSALS[code])
    expect_equal(json.loads(done.stdout), answer, "the answer")


@scenario
def a_reload_tells_which_listener_failed(story):
    result = {"changes": [
        {"name": "web", "action": "generation", "keys": ["workers"],
         "result": "failed", "error": "it did not start"},
        {"name": "mail", "action": "live", "keys": ["backlog"],
         "result": "unchanged"}], "settings": []}
    daemon = Control(story, {"reload": no("failed", result=result)})
    done = expect_exit(daemon.run("reload"), 1)
    expect_equal(done.stdout.decode().splitlines(), [
        "web: generation (workers): failed: it did not start",
        "mail: live (backlog): not done"], "lines")


@scenario
def who_is_not_permitted_is_told_what_to_do(story):
    daemon = Control(story, {"stop": no("uid 7 may not", 4)})
    expect_exit(daemon.run("stop", "web"), 4, "uid 7 may not", "as root")


@scenario
def no_socket_means_that_no_daemon_answers(story):
    path = story.path("nothing.sock")
    expect_exit(ctl.run("-s", path, "ping"), 3, path, "no such socket",
                "systemctl status socketserverd", "-s SOCKET")


@scenario
def a_socket_without_a_listener_is_told(story):
    path = story.path("dead.sock")
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(path)
    expect_exit(ctl.run("-s", path, "ping"), 3, path, "nobody listens",
                "systemctl status socketserverd")


@scenario
def a_forbidden_socket_is_told(story):
    def become_nobody():
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
    daemon = Control(story, {})
    os.chmod(daemon.path, 0)
    expect_exit(daemon.run("ping", prepare=become_nobody), 4,
                "permission denied", "root", "group")


USAGE = [
    (), ("nosuch",), ("show",), ("show", "a", "b"), ("ping", "x"),
    ("reload", "now"), ("-x", "ping"), ("--nosuch", "ping"), ("-s",),
    ("-s", "", "ping"), ("-s", "/" + 200 * "x", "ping"),
    ("show", "a b"), ("show", "a\nstop"), ("show", ""),
    ("show", 2000 * "x"), ("reload", "--confirm-within", "soon"),
    ("reload", "--confirm-within", "0"), ("plan", "--confirm-within", "5s"),
    ("talk", "web", "--json"), ("--print", "nosuch"),
]


@scenario
def a_wrong_command_line_is_a_usage_error(story):
    for words in USAGE:
        done = expect_exit(ctl.run(*words), 2)
        expect(done.stderr.startswith(b"socketserverctl: "), "%r: %r", words,
               done.stderr)
        expect_equal(done.stdout, b"", "output")


@scenario
def the_nearest_command_is_named(story):
    expect_exit(ctl.run("staus"), 2, 'did you mean "status"?')


@scenario
def help_and_version_are_told(story):
    for option in ("-h", "--help"):
        done = expect_exit(ctl.run(option), 0)
        for words, *_ in COMMANDS.values():
            expect(b"\n  %s " % words[0].encode() in done.stdout, "no %s",
                   words[0])
    for option in ("-V", "--version"):
        done = expect_exit(ctl.run(option), 0)
        expect(done.stdout.startswith(b"socketserverctl 0."), "%r",
               done.stdout)


# Hostile answers

def endless(peer):
    block = b"x" * (1 << 20)
    while True:
        peer.sendall(block)


HOSTILE = {
    "nothing": b"",
    "an empty line": b"\n",
    "no JSON": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "no newline": b'{"ok": true, "result": {}}',
    "cut": b'{"ok": true, "resu',
    "cut and ended": b'{"ok": true, "resu\n',
    "an array": b"[]\n",
    "no ok": b"{}\n",
    "ok of another type": b'{"ok": 1}\n',
    "no UTF-8": b'{"ok": true, "result": "\xff\xfe"}\n',
    "a zero byte": b'{"ok": true, "result": "\0"}\n',
    "deep": b'{"ok":true,"result":' + b"[" * 100000 + b"]" * 100000 + b"}\n",
    "endless": endless,
    "long": b'{"ok": true, "result": "' + b"x" * (17 << 20) + b'"}\n',
}


@scenario(kind=HOSTILE)
def what_is_no_answer_is_silence(story, kind):
    daemon = Control(story, {"status": HOSTILE[kind]})
    done = expect_exit(daemon.run("status"), 3, daemon.path)
    expect_equal(done.stdout, b"", "output")


EVIL = "\x1b]0;owned\x07\u009b31m\x7f\u202e\r\n\t"


def evil(value):
    """The same with every string spoilt."""
    if isinstance(value, str):
        return value + EVIL
    if isinstance(value, list):
        return [evil(one) for one in value]
    if isinstance(value, dict):
        return {key + EVIL if key in ("rate", "access") else key: evil(one)
                for key, one in value.items()}
    return value


def expect_clean(text):
    bad = [c for c in text.decode()
           if c != "\n" and (ord(c) < 32 or 127 <= ord(c) < 160
                             or ord(c) == 0x202e)]
    expect(not bad, "%r in %r", bad, text)


@scenario(name=COMMANDS)
def control_bytes_never_reach_the_terminal(story, name):
    words, result, _, _ = COMMANDS[name]
    daemon = Control(story, {words[0]: ok(evil(result))})
    expect_clean(daemon.run(*words).stdout)
    done = daemon.run(*words, "--json")
    expect_clean(done.stdout)
    expect_equal(json.loads(done.stdout), evil(result), "the result")
    daemon.answers[words[0]] = evil(no("so", 1, faults=["x", "y"]))
    done = expect_exit(daemon.run(*words), 1, "so\\x1b]0;owned\\x07")
    expect_clean(done.stdout + done.stderr)


@scenario(result=[None, 7, "x", [], {}, [[]], {"listeners": 3},
                  {"changes": [1, None]}])
def a_result_of_another_shape_is_no_crash(story, result):
    daemon = Control(story, {words[0]: ok(result)
                             for words, *_ in COMMANDS.values()})
    for words, *_ in COMMANDS.values():
        done = daemon.run(*words)
        # 1: no health; 2: a plan of something
        expect(done.returncode in (0, 1, 2), "%s: %d", words,
               done.returncode)


# Time

class Held:
    """An answer that is given when the story says so."""

    def __init__(self, answer):
        self.answer = answer
        self.asked = threading.Event()
        self.let_go = threading.Event()

    def __call__(self, peer):
        self.asked.set()
        self.let_go.wait()
        return self.answer


@scenario(deadline=60)
def only_reading_has_a_deadline(story):
    reload, ping = Held(ok(NO_PLAN)), Held(None)
    daemon = Control(story, {"reload": reload, "ping": ping})
    changing = daemon.start("reload")
    expect(reload.asked.wait(seconds(20)), "reload has not asked")
    expect_exit(daemon.run("ping", within=40), 3, "does not answer in time")
    expect(changing.is_running(), "reload did not wait")
    reload.let_go.set()
    expect_equal(changing.expect_end(0), b"web: keep\n", "output")


@scenario(time={"60s": 60000, "5m": 300000, "1h": 3600000, "1500ms": 1500,
                "90": 90000, "0.5": 500})
def confirm_within_is_sent_in_milliseconds(story, time):
    wanted = {"60s": 60000, "5m": 300000, "1h": 3600000, "1500ms": 1500,
              "90": 90000, "0.5": 500}[time]
    daemon = Control(story, {"reload": ok(NO_PLAN)})
    expect_exit(daemon.run("reload", "--confirm-within", time), 0)
    expect_equal(daemon.lines, ["reload confirm-within %d\n" % wanted],
                 "the request")


@scenario
def stop_returns_when_the_connection_ends(story):
    gone = threading.Event()

    def stopping(peer):
        peer.sendall(json.dumps(ok({"state": "stopping"})).encode() + b"\n")
        gone.wait()
    daemon = Control(story, {"stop": stopping})
    program = daemon.start("stop")
    program.expect(b"socketserverd: stopping\n")
    expect(program.is_running(), "it did not wait for the daemon's end")
    gone.set()
    expect_equal(program.expect_end(0), b"socketserverd: stopped\n", "output")


# Pipes and terminals

@scenario
def a_closed_output_is_an_error(story):
    daemon = Control(story, {"status": ok(STATUS), "ping": ok({})})
    reader, writer = os.pipe()
    os.close(reader)
    for words in (("status",), ("status", "--json"), ("ping",)):
        expect_exit(daemon.run(*words, stdout=writer), 1, "standard output")
    expect_exit(ctl.run("--help", stdout=writer), 1, "standard output")
    os.close(writer)
    with open("/dev/full", "wb") as full:
        expect_exit(daemon.run("status", stdout=full), 1, "standard output")
    expect_exit(daemon.run("ping", prepare=lambda: os.close(1)), 1,
                "standard output")


@scenario
def states_have_colour_on_a_terminal(story):
    daemon = Control(story, {"status": ok(STATUS)})
    term = {"TERM": "xterm"}
    program = daemon.start("status", terminal=True, env=term)
    expect_equal(program.end(), 0, "exit status")
    expect(b"\x1b[32mserving\x1b[0m" in program.got, "%r", program.got)
    expect(b"\x1b[31mfailed\x1b[0m" in program.got, "%r", program.got)
    for env in ({"TERM": "dumb"}, dict(term, NO_COLOR="1"), {}):
        program = daemon.start("status", terminal=True, env=env)
        expect_equal(program.end(), 0, "exit status")
        expect(b"\x1b" not in program.got, "%r: %r", env, program.got)


@scenario
def json_is_indented_on_a_terminal(story):
    daemon = Control(story, {"ping": ok({"version": "請", "pid": 1})})
    program = daemon.start("ping", "--json", terminal=True)
    expect_equal(program.end(), 0, "exit status")
    expect_equal(program.got.decode().replace("\r", ""),
                 '{\n  "version": "請",\n  "pid": 1\n}\n', "output")


# top

def counting(story):
    """A daemon whose first listener serves ten requests more each time."""
    state = {"requests": 90}

    def answer(peer):
        state["requests"] += 10
        first = dict(LISTENERS[0], requests=state["requests"])
        return ok(dict(STATUS, listeners=[first]))
    return Control(story, {"status": answer})


@scenario
def top_prints_one_status_after_the_other(story):
    program = counting(story).start("top")
    first = program.expect(b"1m1s\n      tcp://[::1]:80\n")
    second = program.expect(b"1m1s\n      tcp://[::1]:80\n")
    expect(b"\x1b" not in first + second, "escapes in %r", first + second)
    expect(b"REQ/S" in first, "%r", first)
    row = [line for line in first.decode().splitlines()
           if line.startswith("web")][0].split()
    expect_equal(row[7:9], ["100", "-"], "requests and rate at first")
    row = [line for line in second.decode().splitlines()
           if line.startswith("web")][0].split()
    expect_equal(row[7], "110", "requests")
    expect(float(row[8]) > 0, "the rate is %s", row[8])
    program.signal(signal.SIGINT)
    expect_equal(program.end(), -signal.SIGINT, "exit status")


@scenario
def top_goes_on_without_input(story):
    program = counting(story).start("top")
    program.end_input()
    program.expect(b"UPTIME", count=3)
    program.close_output()
    expect_equal(program.process.wait(seconds(20)), 1, "exit status")


@scenario
def top_prints_json_a_line_each_time(story):
    program = counting(story).start("top", "--json")
    lines = program.expect(b"\n", count=2).splitlines()
    expect_equal([json.loads(line)["listeners"][0]["requests"]
                  for line in lines], [100, 110], "requests")
    program.signal(signal.SIGINT).end()


ENDS = {"q": b"q", "ctrl-d": b"\x04", "interrupt": signal.SIGINT,
        "term": signal.SIGTERM}


@scenario(end=ENDS)
def top_gives_the_terminal_back(story, end):
    daemon = counting(story)
    program = daemon.start("top", terminal=True, env={"TERM": "xterm"})
    program.expect(b"\x1b[?1049h")
    program.expect(b"tcp://[::1]:80")
    before = termios.tcgetattr(program.slave)
    expect(not before[3] & termios.ECHO, "the terminal echoes")
    if isinstance(ENDS[end], bytes):
        program.send(ENDS[end])
    else:
        program.signal(ENDS[end])
    expect_equal(program.end(), 0, "exit status; %r" % program.got)
    expect(program.got.endswith(b"\x1b[?25h\x1b[?1049l"), "%r", program.got)
    after = termios.tcgetattr(program.slave)
    expect(after[3] & termios.ECHO and after[3] & termios.ICANON,
           "the terminal is left raw")


@scenario
def top_ends_with_the_daemon(story):
    daemon = counting(story)
    program = daemon.start("top", terminal=True, env={"TERM": "xterm"})
    program.expect(b"tcp://[::1]:80")
    os.unlink(daemon.path)
    expect_equal(program.end(), 3, "exit status; %r" % program.got)
    given, said = program.got.rsplit(b"\x1b[?1049l", 1)
    expect(b"no such socket" in said, "%r", program.got)


# Completion

TREE = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
BASH = os.path.join(TREE, "completion", "bash", "socketserverctl")
ZSH = os.path.join(TREE, "completion", "zsh", "_socketserverctl")
OFFER = """
. "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_socketserverctl "$1"
printf '%s\\n' "${COMPREPLY[@]}"
"""


def offered(*words):
    """What bash offers for the last word."""
    if not shutil.which("bash"):
        raise Skip("bash is not installed")
    done = subprocess.run(
        ["bash", "--norc", "-c", OFFER, "bash", BASH, ctl.CTL, *words],
        env=ctl.environment(), capture_output=True, text=True,
        timeout=seconds(20))
    expect_equal(done.stderr, "", "standard error of bash")
    return done.stdout.split()


@scenario
def bash_completes_commands_and_options(story):
    expect_equal(offered("st"), ["status", "start", "stop"], "st")
    every = {words[0] for words, *_ in COMMANDS.values()} | {"top", "talk"}
    expect_equal(set(offered("")), every, "commands")
    expect_equal(offered("--j"), ["--json"], "--j")
    expect_equal(offered("reload", "--c"), ["--confirm-within"], "--c")
    expect_equal(offered("log-level", ""), "debug info notice warning "
                 "error".split(), "levels")
    expect_equal(offered("ping", ""), [], "ping")


@scenario
def bash_completes_listeners_as_the_daemon_names_them(story):
    daemon = Control(story, {"list": ok(LIST)})
    for words in (("-s", daemon.path, "show"), ("talk", "--socket",
                  daemon.path), ("-s", daemon.path, "--json", "stop")):
        expect_equal(offered(*words, ""), ["web", "mail"], "listeners")
        expect_equal(offered(*words, "m"), ["mail"], "m")
    expect_equal(offered("-s", daemon.path, "show", "web", ""), [],
                 "after the name")
    expect_equal(offered("-s", story.path("none"), "show", ""), [],
                 "without a daemon")
    expect_equal(offered("-s", story.path("contr")), [daemon.path], "a file")


@scenario
def zsh_reads_its_completion(story):
    if not shutil.which("zsh"):
        raise Skip("zsh is not installed")
    done = subprocess.run(["zsh", "-n", ZSH], capture_output=True, text=True,
                          timeout=seconds(20))
    expect_equal((done.returncode, done.stderr), (0, ""), "zsh -n")


@scenario()
def a_list_that_is_not_whole_says_so(story):
    daemon = Control(story, {"connections": dict(ok([]), left_out=12)})
    expect_exit(daemon.run("connections"), 0, "12 more are left out")
