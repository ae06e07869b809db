# SPDX-License-Identifier: ISC
"""Every server of the benchmark: how it is set up and started.

A row is one server under one model.  Peers run without access logs and with
their limits raised, so that what is compared is the serving.
"""

import os
import shutil
import socket
import subprocess
import sys
import time

from measure import BenchError, Process

HERE = os.path.dirname(os.path.abspath(__file__))
GREETING = "欢迎致电 10086,请输入1xxx,0转人工服务."
LINE = "0\\n"         # as socketserver-bench reads it
REPLY = "通过可能会被录音.balabala一大推"
WORKERS = 64
CONNECTIONS = 2048      # every limit on connections is raised to this
READY_SECONDS = 20
SBIN = "/usr/local/sbin:/usr/sbin:/sbin"
APACHE_MODULES = "/usr/lib/apache2/modules"


class Workload:
    """One of socketserver-bench's, and the figure that is taken from it."""

    unit = "us"
    has_goal = True
    is_fresh_server = False     # what was done before would be seen
    is_warmed = True

    def __init__(self, title, word, parallel, count, kind="echo", talk=()):
        self.title = title
        self.word = word
        self.parallel = parallel
        self.count = count
        self.kind = kind
        self.talk = talk
        self.is_kept = word not in ("crr", "greeting", "deaf")

    def words(self, count, port):
        scheme = "udp" if self.word == "udp" else "tcp"
        return ["-c", str(self.parallel), *self.length(count), *self.talk,
                self.word, f"{scheme}://127.0.0.1:{port}"]

    def length(self, count):
        return ["-n", str(count), "--warmup", "0"]

    def warm_words(self, count, port):
        """A load of its own before, whose connections end: a server's first
        end may change how it works (malloc's threshold in asyncio)."""
        return ["--no-probe", *self.words(max(100, count // 10), port)]

    def meter(self, process):
        return process.meter()

    def is_deaf(self, found):
        return False

    def value(self, found):
        return found["server_cpu_us_per_request"]


class Stream(Workload):
    """64 KiB blocks, four on their way: a block becomes 1,000,000 bytes."""

    unit = "us/MB"

    def value(self, found):
        return found["server_cpu_us_per_request"] * 1e6 / 65536


class Deaf(Workload):
    """A new client's latency (p99) while others are silent."""

    unit = "p99 us"
    has_goal = is_warmed = False

    def length(self, count):
        return ["-d", "1s"]

    def meter(self, process):
        return []

    def is_deaf(self, found):
        return set(found["errors_by_kind"]) <= {"timeout", "connect"}

    def value(self, found):
        is_deaf = found["errors"] or not found["requests"]
        return None if is_deaf else found["latency_us"]["p99"]


class Idle(Workload):
    """Memory of a connection: PSS, page tables and kernel stacks."""

    unit = "KiB"
    has_goal = is_warmed = False
    is_fresh_server = True

    def length(self, count):
        return ["-d", "100ms"]

    def meter(self, process):
        return ["--pid", str(process.pid)]

    def value(self, found):
        return found["bytes_per_connection"] / 1024


HOTLINE = ("--greeting", GREETING, "--line", LINE, "--reply", REPLY)
RR1 = Workload("rr 1", "rr", 1, 40_000)
RR64 = Workload("rr 64", "rr", 64, 60_000)
RR1000 = Workload("rr 1000", "rr", 1000, 60_000)
CRR = Workload("crr 32", "crr", 32, 12_000)
BOT = Workload("bot 32", "greeting", 32, 12_000, "bot", HOTLINE)
STREAM = Stream("stream", "stream", 1, 8_000)
UDP = Workload("udp 16", "udp", 16, 80_000)
DEAF = Deaf("deaf 200", "deaf", 200, 0)
IDLE = Idle("idle 1000", "idle", 1000, 0)


class Row:
    """One server: start(bench, kind) gives (Process, port)."""

    def __init__(self, name, start, kinds=("echo", "bot"), slowness=1,
                 role="peer", kept_only=None, without=(), may_fail=None):
        self.name = name
        self.start = start
        self.kinds = kinds
        self.slowness = slowness        # of a new connection: fewer are made
        self.role = role                # bare, ours, info or peer
        self.kept_only = kept_only      # why it cannot serve new connections
        self.without = without          # workloads that it cannot do
        # a peer's failure is its own; ours and the bare loops' are ours
        self.may_fail = role == "peer" if may_fail is None else may_fail

    def can(self, workload):
        return workload.kind in self.kinds and (
            workload.is_kept or not self.kept_only) and \
            workload not in self.without

    def count(self, workload):
        if workload.is_kept:
            return workload.count
        return max(200, workload.count // self.slowness)


class Model:
    """Rows that are compared with the first of them, a bare loop."""

    def __init__(self, name, workloads, rows):
        self.name = name
        self.workloads = workloads
        self.rows = rows


# Ready

def port_printed(process):
    line = process.popen.stdout.readline()
    if not line.strip().isdigit():
        raise BenchError("it ended before it printed its port")
    return int(line)


def port_free():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def check_running(process):
    status = process.popen.poll()
    if status is not None:
        raise BenchError(
            f"it ended with status {status}: {process.last_error()}")


def port_answers(process, port):
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        check_running(process)
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return port
        except OSError:
            time.sleep(0.02)
    raise BenchError(f"no answer on its port in {READY_SECONDS} s")


def started(process, ready, *args):
    """(process, port), or no process left behind."""
    try:
        return process, ready(process, *args)
    except BaseException:
        process.stop()
        raise


# The bare loops

def bare(name):
    def start(bench, kind):
        argv = [bench.program(name), "-w", str(WORKERS)]
        if kind == "bot":
            argv += ["-g", GREETING, "-r", REPLY]
        process = Process(bench, argv, stdout=subprocess.PIPE, text=True)
        return started(process, port_printed)
    return start


def _compile(bench, name, libraries):
    """The compiler's complaint, or None."""
    sources = [os.path.join(HERE, one)
               for one in (f"{name}.c", "bare.c", "bare_event.c")]
    result = subprocess.run(
        ["cc", "-std=gnu11", "-D_GNU_SOURCE", "-O2", "-pthread", "-Wl,-z,lazy",
         "-o", os.path.join(bench.folder, name), *sources,
         *(f"-l{one}" for one in libraries)], capture_output=True, text=True)
    bench.errors.write(result.stderr.encode())
    return result.stderr if result.returncode else None


def compiled(name, package, *libraries):
    """A program that needs a library: compiled when it is first started."""
    def start(bench, kind):
        program = os.path.join(bench.folder, name)
        if not os.path.exists(program) and _compile(bench, name, libraries):
            if bench.is_installing and shutil.which("apt-get"):
                _apt(bench, "install", package)
            if _compile(bench, name, libraries):
                raise BenchError(f"the Debian package {package} is missing")
        argv = [program]
        if kind == "bot":
            argv += ["-g", GREETING, "-r", REPLY]
        process = Process(bench, argv, stdout=subprocess.PIPE, text=True)
        return started(process, port_printed)
    return start


# socketserverd

def _config(bench, kind, transport, settings, access):
    log = os.path.join(bench.folder, "socketserverd.log")
    return f"""
module_path = [ "{bench.builddir}/src/handlers/.libs" ];
address_file = "{bench.folder}/addresses";
log = {{ target = "file:{log}"; access = {access}; }};
listeners = ( {{
  name = "bench";
  listen = "{transport}://127.0.0.1:0";
  handler = "{"echo" if kind == "echo" else "bot10086"}";
  max_connections = {CONNECTIONS};
  limits = {{ nofile = {4 * CONNECTIONS}; }};
  {settings}
}} );
"""


def _notify_socket(bench):
    path = os.path.join(bench.folder, "notify")
    if os.path.exists(path):
        os.unlink(path)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sock.bind(path)
    sock.settimeout(1)
    return sock


def port_notified(process, bench, sock):
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        check_running(process)
        try:
            if b"READY=1" in sock.recv(4096).split(b"\n"):
                break
        except socket.timeout:
            pass
    else:
        raise BenchError(f"not ready in {READY_SECONDS} s")
    with open(os.path.join(bench.folder, "addresses")) as file:
        return int(file.read().rstrip().rpartition(":")[2])


def ours(settings, transport="tcp", access="true"):
    def start(bench, kind):
        program = os.path.join(bench.builddir, "socketserverd")
        if not os.access(program, os.X_OK):
            raise BenchError("not built")
        path = os.path.join(bench.folder, "socketserverd.conf")
        with open(path, "w") as file:
            file.write(_config(bench, kind, transport, settings, access))
        with _notify_socket(bench) as sock:
            env = dict(os.environ, NOTIFY_SOCKET=sock.getsockname())
            process = Process(bench, [program, "-c", path], env=env)
            return started(process, port_notified, bench, sock)
    return start


# Peers

PACKAGES = {
    "apache2": "apache2-bin", "tcpserver": "ucspi-tcp", "socat": "socat",
    "ncat": "ncat", "xinetd": "xinetd", "systemd-socket-activate": "systemd",
    "go": "golang-go", "haproxy": "haproxy",
}


def _apt(bench, *words, **options):
    result = subprocess.run(
        ["apt-get", "-y", "--no-install-recommends", *words],
        stdin=subprocess.DEVNULL, capture_output=True, text=True,
        env=dict(os.environ, DEBIAN_FRONTEND="noninteractive"), **options)
    bench.errors.write((result.stdout + result.stderr).encode())
    return result.returncode == 0


def _xinetd_unpack(bench):
    """Unpacked, not installed: its package starts a daemon of its own."""
    folder = os.path.join(bench.folder, "xinetd-package")
    program = os.path.join(folder, "usr/sbin/xinetd")
    if os.path.exists(program):
        return program
    os.makedirs(folder, exist_ok=True)
    _apt(bench, "install", "libtirpc3", "libwrap0", "libselinux1")
    if _apt(bench, "download", "xinetd", cwd=folder):
        subprocess.run("dpkg -x xinetd*.deb .", shell=True, cwd=folder)
    return program


def program_find(bench, name):
    """The path of a peer's program; installed when that is possible."""
    path = shutil.which(name, path=f"{os.environ['PATH']}:{SBIN}")
    if path is None and bench.is_installing and shutil.which("apt-get"):
        if name == "xinetd":
            path = shutil.which(_xinetd_unpack(bench))
        else:
            _apt(bench, "install", PACKAGES[name])
            path = shutil.which(name, path=f"{os.environ['PATH']}:{SBIN}")
    if path is None:
        raise BenchError(f"the Debian package {PACKAGES[name]} is missing")
    return path


def python(name):
    def start(bench, kind):
        argv = [sys.executable, os.path.join(HERE, "peers.py"), name]
        if kind == "bot":
            argv += [GREETING, REPLY]
        process = Process(bench, argv, stdout=subprocess.PIPE, text=True)
        return started(process, port_printed)
    return start


APACHE_LIMITS = {
    "prefork": f"""
StartServers {2 * WORKERS}
MinSpareServers 1
MaxSpareServers {CONNECTIONS}
""",
    "worker": f"""
StartServers 2
ThreadsPerChild {WORKERS}
MinSpareThreads 1
MaxSpareThreads {CONNECTIONS}
""",
}
APACHE_LIMITS["event"] = APACHE_LIMITS["worker"]


def apache(mpm):
    def start(bench, _kind):
        program = program_find(bench, "apache2")
        port = port_free()
        path = os.path.join(bench.folder, "apache.conf")
        with open(path, "w") as file:
            file.write(f"""
ServerRoot "{bench.folder}"
ServerName localhost
PidFile "{bench.folder}/apache.pid"
DefaultRuntimeDir "{bench.folder}"
LoadModule mpm_{mpm}_module {APACHE_MODULES}/mod_mpm_{mpm}.so
LoadModule echo_module {APACHE_MODULES}/mod_echo.so
User nobody
Group nogroup
Listen 127.0.0.1:{port}
ListenBacklog 4096
ErrorLog "{bench.folder}/apache.log"
LogLevel error
KeepAlive On
Timeout 60
ServerLimit {CONNECTIONS}
MaxRequestWorkers {CONNECTIONS}
MaxConnectionsPerChild 0
{APACHE_LIMITS[mpm]}
ProtocolEcho On
""")
        process = Process(bench, [program, "-f", path, "-DFOREGROUND"])
        return started(process, port_answers, port)
    return start


def xinetd(is_builtin):
    def start(bench, _kind):
        program = program_find(bench, "xinetd")
        port = port_free()
        path = os.path.join(bench.folder, "xinetd.conf")
        what = "type = INTERNAL UNLISTED\n  id = echo-stream"
        if not is_builtin:
            what = f"type = UNLISTED\n  server = {bench.program('bare_exec')}"
        with open(path, "w") as file:
            file.write(f"""
defaults
{{
  log_type = FILE {bench.folder}/xinetd.log
  log_on_success =
  log_on_failure =
  instances = UNLIMITED
  per_source = UNLIMITED
  cps = 0 0
}}
service echo
{{
  {what}
  port = {port}
  bind = 127.0.0.1
  socket_type = stream
  protocol = tcp
  user = {"root" if os.getuid() == 0 else os.getuid()}
  wait = no
  disable = no
}}
""")
        process = Process(bench, [
            program, "-dontfork", "-f", path,
            "-pidfile", os.path.join(bench.folder, "xinetd.pid")])
        return started(process, port_answers, port)
    return start


def _exec_words(bench, kind):
    words = [bench.program("bare_exec")]
    return words + ([GREETING, REPLY] if kind == "bot" else [])


def tcpserver(bench, kind):
    port = port_free()
    argv = [program_find(bench, "tcpserver"), "-HRDl0", "-b", "4096",
            "-c", str(CONNECTIONS), "127.0.0.1", str(port),
            *_exec_words(bench, kind)]
    return started(Process(bench, argv), port_answers, port)


def socat(bench, _kind):
    port = port_free()
    argv = [program_find(bench, "socat"),
            f"TCP4-LISTEN:{port},bind=127.0.0.1,fork,backlog=4096", "PIPE"]
    return started(Process(bench, argv), port_answers, port)


def ncat(bench, _kind):
    port = port_free()
    argv = [program_find(bench, "ncat"), "-n", "-l", "-k",
            "-m", str(CONNECTIONS), "--exec", bench.program("bare_exec"),
            "127.0.0.1", str(port)]
    return started(Process(bench, argv), port_answers, port)


def socket_activate(bench, kind):
    port = port_free()
    argv = [program_find(bench, "systemd-socket-activate"), "--accept",
            "--inetd", "-l", f"127.0.0.1:{port}", *_exec_words(bench, kind)]
    return started(Process(bench, argv), port_answers, port)


def go(bench, kind):
    program = os.path.join(bench.folder, "peer_go")
    if not os.path.exists(program):
        env = dict(os.environ, GO111MODULE="off", GOFLAGS="",
                   GOCACHE=os.path.join(bench.folder, "go-cache"))
        result = subprocess.run(
            [program_find(bench, "go"), "build", "-o", program,
             os.path.join(HERE, "peer_go.go")], env=env, capture_output=True)
        bench.errors.write(result.stderr)
    argv = [program] + ([GREETING, REPLY] if kind == "bot" else [])
    process = Process(bench, argv, stdout=subprocess.PIPE, text=True)
    return started(process, port_printed)


def haproxy(bench, kind):
    program = program_find(bench, "haproxy")
    port = port_free()
    path = os.path.join(bench.folder, "haproxy.cfg")
    with open(path, "w") as file:
        file.write(f"""
global
  nbthread 1
  maxconn {CONNECTIONS}
  lua-load {os.path.join(HERE, "peer_haproxy.lua")}
defaults
  mode tcp
  timeout client 60s
  timeout server 60s
  timeout connect 5s
frontend talk
  bind 127.0.0.1:{port} backlog 4096
  tcp-request content use-service lua.talk
""")
    env = dict(os.environ)
    if kind == "bot":
        env.update(GREETING=GREETING, REPLY=REPLY)
    process = Process(bench, [program, "-db", "-f", path], env=env)
    return started(process, port_answers, port)


def _ours(name, settings, slowness=1, without=(), **options):
    """Our row as an installation runs it, and one without access lines."""
    how = {"slowness": slowness, "without": without}
    return [
        Row(f"socketserverd {name}", ours(settings, **options), role="ours",
            **how),
        Row(f"socketserverd {name}, access off",
            ours(settings, access="false", **options), role="info", **how),
    ]


ECHO = ("echo",)
SHEDS = 'when_full = "shed_idle";'        # or 200 idle clients fill the pool
MANY = (RR1000, IDLE)   # a program each: a thousand of them is no fair test
SLOW_FORK, SLOW_EXEC, SLOW_PYTHON = 3, 8, 30
SLOW_NCAT = 60          # its queue holds 10: others wait for their second SYN

MODELS = [
    Model("event", (RR1, RR64, RR1000, CRR, BOT, STREAM, DEAF, IDLE), [
        Row("bare epoll", bare("bare_epoll"), role="bare"),
        Row("bare fiber", compiled("bare_fiber", "libboost-context-dev",
                                   "boost_context"),
            role="bare", may_fail=True),
        Row("bare io_uring", compiled("bare_uring", "liburing-dev", "uring"),
            role="bare", may_fail=True),
        *_ours("event epoll", 'concurrency = "event"; io = "epoll";'),
        *_ours("event io_uring", 'concurrency = "event"; io = "io_uring";'),
        Row("libev", compiled("peer_libev", "libev-dev", "ev")),
        Row("libuv", compiled("peer_libuv", "libuv1-dev", "uv")),
        Row("libevent", compiled("peer_libevent", "libevent-dev",
                                 "event_core")),
        Row("Go net", go),
        Row("Python asyncio", python("asyncio")),
        Row("HAProxy Lua", haproxy, without=(STREAM,)),
    ]),
    Model("sync", (RR1, CRR, BOT, STREAM), [
        Row("bare sync", bare("bare_sync"), role="bare"),
        *_ours("sync", 'concurrency = "sync";'),
        Row("Python TCPServer", python("TCPServer")),
    ]),
    Model("threaded", (RR1, RR64, RR1000, CRR, BOT, STREAM, DEAF, IDLE), [
        Row("bare thread", bare("bare_thread"), role="bare"),
        *_ours("threaded", 'concurrency = "threaded";'),
        Row("Python ThreadingTCPServer", python("ThreadingTCPServer"),
            slowness=4),
    ]),
    Model("threaded, 64 workers", (RR1, RR64, CRR, BOT, STREAM, DEAF), [
        Row("bare pool", bare("bare_pool"), role="bare"),
        *_ours("threaded 64",
               f'concurrency = "threaded"; workers = {WORKERS};'),
        Row("socketserverd threaded 64, shed_idle",
            ours(f'concurrency = "threaded"; workers = {WORKERS}; {SHEDS}'),
            role="info"),
        Row("Apache worker", apache("worker"), ECHO),
        Row("Apache event", apache("event"), ECHO),
    ]),
    Model("prefork, 64 workers", (RR1, RR64, CRR, BOT, STREAM, DEAF), [
        Row("bare prefork", bare("bare_prefork"), role="bare"),
        *_ours("prefork 64", f'concurrency = "prefork"; workers = {WORKERS};'),
        Row("socketserverd prefork 64, shed_idle",
            ours(f'concurrency = "prefork"; workers = {WORKERS}; {SHEDS}'),
            role="info"),
        Row("Apache prefork", apache("prefork"), ECHO),
    ]),
    Model("forking", (RR1, RR64, RR1000, CRR, BOT, STREAM, DEAF, IDLE), [
        Row("bare fork", bare("bare_fork"), slowness=SLOW_FORK, role="bare"),
        *_ours("forking", 'concurrency = "forking";', slowness=SLOW_FORK),
        Row("Python ForkingTCPServer", python("ForkingTCPServer"),
            slowness=SLOW_PYTHON, without=(IDLE,)),
        Row("xinetd builtin", xinetd(True), ECHO, without=MANY,
            kept_only="hangs when 32 connect again and again"),
        Row("socat fork", socat, ECHO, slowness=SLOW_EXEC, without=MANY),
        Row("tcpserver exec", tcpserver, slowness=SLOW_EXEC, without=MANY),
        Row("xinetd exec", xinetd(False), ECHO, slowness=SLOW_EXEC,
            without=MANY),
        Row("systemd-socket-activate", socket_activate, slowness=SLOW_EXEC,
            without=MANY),
        Row("ncat exec", ncat, ECHO, slowness=SLOW_NCAT,
            without=(*MANY, DEAF)),
    ]),
    Model("udp", (UDP,), [
        Row("bare udp", bare("bare_udp"), role="bare"),
        *_ours("udp sync", 'concurrency = "sync";', transport="udp"),
        *_ours("udp event", 'concurrency = "event";', transport="udp"),
        Row("Python UDPServer", python("UDPServer")),
    ]),
]
