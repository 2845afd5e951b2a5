"""What the tools are measured with: the cluster and its WAL, made once, and
the stores."""
import mmap
import os
import re
import shutil
import signal
import sys
import tempfile
import time

import procs
from procs import Failed

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests", "lib"))
import s3ctl  # noqa: E402

SEGMENT = 16 << 20
PAGE = 4096
# More than any measurement writes in the time in which a host takes it back.
WARM = 2 << 30
PGBIN = "/usr/lib/postgresql/15/bin"


def initdb(world, data, *more):
    world.reaper.run([f"{PGBIN}/initdb", "-D", data, "-U", "postgres", "-A",
                      "trust", "-E", "UTF8", "--no-locale", "-N", "-k", *more])


class Server:
    """A PostgreSQL that is our own child, on a Unix socket."""

    def __init__(self, world, data, port, settings):
        self.world, self.data, self.port = world, data, port
        self.log = data + ".log"
        with open(os.path.join(data, "postgresql.conf"), "a",
                  encoding="utf-8") as f:
            for name, value in {
                    "listen_addresses": "", "port": port,
                    "unix_socket_directories": world.sockets,
                    "fsync": "off", "wal_recycle": "off",
                    "log_line_prefix": "%n ", "timezone": "UTC",
                    **settings}.items():
                f.write(f"{name} = '{value}'\n")
        self.process = None

    def start(self, wait=True):
        with open(self.log, "ab") as log:
            self.process = self.world.reaper.popen(
                [f"{PGBIN}/postgres", "-D", self.data], stdout=log, stderr=log)
        while wait and not self.ready():
            if self.world.reaper.ended(self.process):
                raise Failed(f"PostgreSQL: {self.tail()}")
            time.sleep(0.05)

    def ready(self):
        try:
            with open(os.path.join(self.data, "postmaster.pid"),
                      encoding="utf-8") as f:
                return f.read().splitlines()[7:8] == ["ready   "]
        except OSError:
            return False

    def tail(self):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return f.read()[-1500:]

    def set(self, name, value):
        """By the file and SIGHUP: the moment is known to the microsecond."""
        with open(os.path.join(self.data, "postgresql.auto.conf"), "a",
                  encoding="utf-8") as f:
            quoted = value.replace("'", "''")
            f.write(f"{name} = '{quoted}'\n")
        os.kill(self.process.pid, signal.SIGHUP)

    def sql(self, text, db="postgres"):
        return self.world.reaper.run(
            [f"{PGBIN}/psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-h",
             self.world.sockets, "-p", str(self.port), "-U", "postgres",
             "-d", db, "-c", text]).strip()

    def child_soon(self, title):
        end = time.monotonic() + 30
        while time.monotonic() < end:
            pid = self.child(title)
            if pid:
                return pid
            time.sleep(0.02)
        raise Failed(f"PostgreSQL has no {title}: {self.tail()}")

    def child(self, title):
        """The process id of the server's process of that title."""
        for pid, _, _, parent, _, _ in procs.processes():
            if parent != self.process.pid:
                continue
            try:
                with open(f"/proc/{pid}/cmdline", encoding="latin-1") as f:
                    if f.read().startswith(f"postgres: {title}"):
                        return pid
            except OSError:
                continue
        return None

    def stop(self, sig=signal.SIGQUIT):
        if self.process is None:
            return
        if not self.world.reaper.ended(self.process):
            os.kill(self.process.pid, sig)
        end = time.monotonic() + 120
        while not self.world.reaper.ended(self.process):
            if time.monotonic() > end:
                raise Failed("PostgreSQL does not stop")
            time.sleep(0.01)
        self.process = None


class Cluster:
    """empty: the cluster without tables, its WAL position behind all segments;
    full: with pgbench's tables, as it was before the first of the segments;
    wal: the segments, archived from it, oldest first."""

    def __init__(self, world, home, scale, segments):
        self.world, self.home = world, home
        self.scale, self.count = scale, segments
        self.empty = os.path.join(home, "empty")
        self.full = os.path.join(home, "full")
        self.wal = os.path.join(home, "wal")
        if not os.path.exists(os.path.join(home, "complete")):
            self.make()
        self.segments = sorted(
            n for n in os.listdir(self.wal)
            if re.fullmatch("[0-9A-F]{24}", n))[:segments]
        if len(self.segments) < segments:
            raise Failed(f"{home} holds {len(self.segments)} segments only, "
                         f"{segments} are wanted")

    def make(self):
        shutil.rmtree(self.home, ignore_errors=True)
        os.makedirs(self.wal)
        run, world = self.world.reaper.run, self.world
        data = os.path.join(self.home, "source")
        initdb(world, data)
        with open(os.path.join(data, "postgresql.conf"), "a",
                  encoding="utf-8") as f:
            f.write("shared_buffers = 256MB\nmax_connections = 30\n"
                    "max_wal_senders = 6\nmax_wal_size = 1GB\n"
                    "autovacuum = off\nsynchronous_commit = off\n"
                    "full_page_writes = on\n")
        world.copy(data, self.empty)
        server = Server(world, data, world.port(), {})
        server.start()
        pgbench = [f"{PGBIN}/pgbench", "-h", world.sockets, "-p",
                   str(server.port), "-U", "postgres"]
        run(pgbench + ["-i", "-q", "-s", str(self.scale), "postgres"])
        server.sql("CHECKPOINT")
        server.stop(signal.SIGINT)
        world.copy(data, self.full)
        server = Server(world, data, server.port, {
            "archive_mode": "on",
            # wal_recycle is off, so nobody writes to the linked file again.
            "archive_command": f'ln -f "%p" "{self.wal}/%f"'})
        server.start()
        while len(os.listdir(self.wal)) < self.count:
            if self.scale >= 30:
                run(pgbench + ["-n", "-c", "8", "-j", "2", "-M", "prepared",
                               "-T", "15", "postgres"])
            else:
                # Too small for OLTP that makes much WAL: quick.
                server.sql("UPDATE pgbench_accounts SET abalance = "
                           "abalance + 1; CHECKPOINT")
        server.stop(signal.SIGINT)
        shutil.rmtree(data)
        last = max(os.listdir(self.wal))
        run([f"{PGBIN}/pg_resetwal", "-f", "-l", last[:8] + "00000F0000000001",
             self.empty])
        with open(os.path.join(self.home, "complete"), "w",
                  encoding="utf-8"):
            pass

    def host(self, name, segments=(), ready=True):
        """A copy of the empty cluster whose pg_wal holds segments, which wait
        to be archived."""
        data = self.world.copy(self.empty, self.world.path(name))
        for s in segments:
            self.add(data, s, ready)
        return data

    def add(self, data, segment, ready=True):
        os.link(os.path.join(self.wal, segment),
                os.path.join(data, "pg_wal", segment))
        if ready:
            with open(os.path.join(data, "pg_wal", "archive_status",
                                   segment + ".ready"), "w",
                      encoding="utf-8"):
                pass


class FileStore:
    name, delay = "file", 0

    def __init__(self, world):
        self.world = world
        self.where = None

    def fresh(self, label):
        self.where = self.world.path("store-" + label)
        os.mkdir(self.where)

    def objects(self):
        for d, _, files in os.walk(self.where):
            for f in files:
                yield os.path.join(d, f)

    def cpu(self):
        return 0.0

    def requests(self):
        return None

    def files(self):
        """What of it the page cache holds."""
        return [self.where]

    def drop(self):
        shutil.rmtree(self.where)


class Gateway:
    """Ceph's gateway; one for the whole run."""

    def __init__(self, world):
        self.dir = os.environ.get("PITRKIT_CEPH_DIR")
        self.world = world
        self.own = self.dir is None
        if self.own:
            self.dir = os.path.join(world.dir, "ceph")
            world.reaper.run(
                [f"{TOP}/tests/servers/ceph", "start", self.dir],
                env={**os.environ, "PITRKIT_OWNER": str(os.getpid()),
                     "PITRKIT_CEPH_MEMORY": str(8 << 30)})
        self.env = s3ctl.settings(self.dir)
        self.pids = [int(p) for p in self.env["S3_CEPH_PIDS"].split()]
        self.port = int(self.env["S3_HTTPS"].rsplit(":", 1)[1])
        self.log = os.path.join(self.dir, "log", "client.rgw.log")
        self.relays = {}
        self.buckets = 0

    def relay(self, delay):
        """The port at which the gateway is delay milliseconds away."""
        if delay == 0:
            return self.port
        if delay not in self.relays:
            name = os.path.join(self.world.dir, f"delay-{delay}.port")
            self.world.reaper.popen(
                [os.path.join(self.world.build, "tests", "tools", "delay"),
                 name, str(self.port), str(delay)])
            while not os.path.exists(name) or not os.path.getsize(name):
                time.sleep(0.02)
            with open(name, encoding="utf-8") as f:
                self.relays[delay] = int(f.read())
        return self.relays[delay]

    def stop(self):
        if self.own:
            self.world.reaper.run(
                [f"{TOP}/tests/servers/ceph", "stop", self.dir])


class S3Store:
    name = "s3"

    def __init__(self, world, delay):
        self.world, self.delay = world, delay
        self.gateway = world.gateway()
        self.env = self.gateway.env
        self.bucket = None

    def fresh(self, _):
        g = self.gateway
        g.buckets += 1
        self.bucket = f"bench-{os.getpid()}-{g.buckets}"
        s3ctl.S3(self.env).call("PUT", self.bucket)
        self.endpoint = f"https://127.0.0.1:{g.relay(self.delay)}"

    def objects(self):
        for key, _ in s3ctl.S3(self.env).objects(self.bucket):
            yield key

    def cpu(self):
        return sum(sum(procs.stat(p)[3:]) for p in self.gateway.pids)

    def requests(self):
        """How many requests the gateway has answered, by its log."""
        if not self.gateway.own or not os.path.exists(self.gateway.log):
            return None
        with open(self.gateway.log, "rb") as f:
            return sum(b" beast: " in line for line in f)

    def files(self):
        return []

    def drop(self):
        """Deletes all, and waits until the memory is free: the store's own
        tidying must not run into somebody's measurement."""
        s3 = s3ctl.S3(self.env)
        for key, _ in list(s3.objects(self.bucket)):
            s3.call("DELETE", self.bucket, key)
        self.world.reaper.run(
            ["radosgw-admin", "-c", os.path.join(self.gateway.dir,
                                                 "ceph.conf"),
             "-n", "client.rgw", "gc", "process", "--include-all"])


class World:
    def __init__(self, directory, build, warm):
        self.dir, self.build, self.warm_bytes = directory, build, warm
        self.sockets = os.path.join(directory, "s")
        os.mkdir(self.sockets)
        self.reaper = procs.Reaper()
        self._gateway = None
        self.ports = 5431
        self.names = 0

    def port(self):
        self.ports += 1
        return self.ports

    def path(self, label):
        """A name nobody had before."""
        self.names += 1
        return os.path.join(self.dir, f"{self.names}-{label}")

    def copy(self, source, target):
        self.reaper.run(["cp", "-a", "--reflink=auto", source, target])
        return target

    def warm(self, *dirs):
        """What is in them, and free memory.  A host may take from a virtual
        machine what it does not use for seconds: the first touch of a page
        costs several times as much as filling it, and it falls to whichever
        tool comes first."""
        with open("/proc/meminfo", encoding="ascii") as f:
            left = int(re.search(r"MemAvailable:\s+(\d+)", f.read())[1]) << 10
        size = min(self.warm_bytes, left // 2) // PAGE * PAGE
        with mmap.mmap(-1, size) as memory, memoryview(memory) as view:
            view[::PAGE] = bytes(size // PAGE)
        # What a process gave back is not what the kernel takes for files.
        block = bytes(1 << 20)
        with tempfile.TemporaryFile(dir=self.dir, buffering=0) as f:
            for _ in range(size // len(block)):
                f.write(block)
        for top in dirs:
            for d, _, files in os.walk(top):
                for name in files:
                    with open(os.path.join(d, name), "rb", 0) as f:
                        while f.read(1 << 20):
                            pass

    def gateway(self):
        if self._gateway is None:
            self._gateway = Gateway(self)
        return self._gateway

    def close(self):
        if self._gateway is not None:
            self._gateway.stop()
        self.reaper.end_all()
        shutil.rmtree(self.dir, ignore_errors=True)
