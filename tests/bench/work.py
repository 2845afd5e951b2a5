"""What is measured.  Each function makes one measurement of one tool and
returns its figures; a result that is not right in the store or on the disk
raises Failed and is none."""
import contextlib
import datetime
import filecmp
import os
import re
import shutil
import statistics
import time

import procs
import world as worlds
from procs import Failed

# name: unit, is more better, title
WORKS = {
    "drain": ("seg/s", True,
              "PostgreSQL's archiver drains {drain} segments"),
    "fetch": ("seg/s", True,
              "{fetch} consecutive segments back, one call each"),
    "lone": ("ms", False, "one segment arriving alone, call to exit"),
    "hit": ("ms", False, "archive_command when the look-ahead has done it"),
    "drain-long": ("seg/s", True,
                   "PostgreSQL's archiver drains {long} segments"),
    "replay": ("seg/s", True,
               "PostgreSQL replays {replay} segments, empty cache"),
    "backup": ("s", False, "full backup of {bytes} MB"),
    "restore": ("s", False, "restore of it"),
    "verify": ("s", False, "verify of it"),
}
# Those of one group share a repository, which the first of them fills.
GROUPS = (("drain", "fetch"), ("lone",), ("hit",), ("drain-long", "replay"),
          ("backup", "restore", "verify"))


class Meter:
    """CPU time of the tool's processes in the background and of the server,
    the peak memory, the requests, from now on."""

    def __init__(self, world, tool, store):
        self.reaper, self.store = world.reaper, store
        self.requests = store.requests()
        self.reaper.start(tool.comms)
        self.cpu = store.cpu()

    def figures(self, value, client_cpu=0.0, peak=0, **more):
        time.sleep(0.05)  # the gateway's log is written by a thread
        cpu, seen = self.reaper.stop()
        server = self.store.cpu() - self.cpu
        after = self.store.requests()
        return {"value": value, "client_cpu": client_cpu + cpu,
                "server_cpu": server, "peak_kb": max(peak, seen),
                "requests": None if after is None else after - self.requests,
                **more}


class Bench:
    def __init__(self, world, cluster, sizes):
        self.world, self.cluster, self.sizes = world, cluster, sizes
        self.live = None
        self.spent = None

    def leave(self, tree):
        """What was measured goes; or at the end, with all that is listed in
        spent."""
        if self.spent is None:
            shutil.rmtree(tree)
        else:
            self.spent.append(tree)

    def call(self, commands, cwd):
        """Runs commands back to back as PostgreSQL would; one tuple of
        seconds, CPU seconds and peak kB for each."""
        report = self.world.path("report")
        listed = self.world.path("commands")
        with open(listed, "w", encoding="utf-8") as f:
            f.writelines(c + "\n" for c in commands)
        with open(listed, "rb") as stdin, \
                open(report + ".out", "wb") as out:
            p = procs.subprocess.Popen(
                [os.path.join(self.world.build, "tests", "tools", "measure"),
                 report], stdin=stdin, stdout=out, stderr=out, cwd=cwd)
            p.wait()
        with open(report, encoding="ascii") as f:
            rows = [[int(x) for x in line.split()] for line in f]
        for row, command in zip(rows, commands):
            if row[4] != 0:
                with open(report + ".out", encoding="utf-8",
                          errors="replace") as f:
                    raise Failed(f"{command}: status {row[4]}: "
                                 + f.read()[-1500:])
        return [(r[0] / 1e9, (r[1] + r[2]) / 1e6, r[3]) for r in rows]

    def segments(self, tool, size):
        return self.cluster.segments[:tool.count(self.sizes[size])]

    def stored(self, store, segments):
        """Those of segments of which the store has an object."""
        names = {m[0] for m in (
            re.match("[0-9A-F]{24}", os.path.basename(o))
            for o in store.objects()) if m}
        return [s for s in segments if s in names]

    def check_archive(self, tool, store, segments, data):
        if self.stored(store, segments) != list(segments):
            raise Failed("not every segment is in the store")
        tool.forget()
        tool.configure()
        self.check_fetched(tool, [segments[0], segments[-1]], data)
        tool.forget()
        tool.configure()

    def check_fetched(self, tool, segments, data):
        self.call([tool.restore_of(s, f"pg_wal/{s}.got") for s in segments],
                  data)
        self.same(segments, data)

    def same(self, segments, data):
        for s in segments:
            got = os.path.join(data, "pg_wal", s + ".got")
            if not filecmp.cmp(got, os.path.join(self.cluster.wal, s), False):
                raise Failed(f"{s} comes back with other content")
            os.unlink(got)

    # -- WAL ---------------------------------------------------------------

    def drain(self, tool, store, size="drain"):
        segments = self.segments(tool, size)
        data = self.cluster.host("host", segments)
        server = worlds.Server(self.world, data, self.world.port(), {
            "archive_mode": "on", "shared_buffers": "32MB"})
        tool.setup(self.world, store, data)
        status = os.path.join(data, "pg_wal", "archive_status")
        try:
            server.start()
            archiver = server.child_soon("archiver")
            self.world.warm(os.path.join(data, "pg_wal"))
            meter = Meter(self.world, tool, store)
            before = sum(procs.stat(archiver)[3:])
            begin = time.monotonic()
            server.set("archive_command", tool.archive)
            self.until_archived(os.path.join(status, segments[-1] + ".done"),
                                server, 60 + 15 * len(segments))
            wall = time.monotonic() - begin
            self.world.reaper.stragglers(5)
            if server.child("archiver") != archiver:
                raise Failed("the archiver was restarted")
            cpu = sum(procs.stat(archiver)[3:]) - before
            result = meter.figures(len(segments) / wall, cpu,
                                   n=len(segments))
            last = server.sql("SELECT last_archived_wal, failed_count "
                              "FROM pg_stat_archiver")
        finally:
            server.stop()
        if last != segments[-1] + "|0" or any(
                f.endswith(".ready") for f in os.listdir(status)):
            raise Failed(f"the archiver is not through: {last}")
        for s in segments:
            os.unlink(os.path.join(data, "pg_wal", s))
        self.check_archive(tool, store, segments, data)
        return result

    def until_archived(self, mark, server, seconds):
        end = time.monotonic() + seconds
        look = 0.0
        while not os.path.exists(mark):
            now = time.monotonic()
            if now > end:
                raise Failed(f"no end after {seconds} s: {server.tail()}")
            if now > look:
                self.world.reaper.sample()
                look = time.monotonic() + 0.2
            time.sleep(0.002)

    def drain_long(self, tool, store):
        return self.drain(tool, store, "long")

    @contextlib.contextmanager
    def running(self, data):
        """Helpers in the background end with the server: so there is one,
        which archives nothing by itself."""
        server = worlds.Server(self.world, data, self.world.port(), {
            "archive_mode": "on", "archive_command": "",
            "shared_buffers": "32MB"})
        server.start()
        try:
            yield server
        finally:
            server.stop()

    def fetch(self, tool, store):
        """PostgreSQL's recovery can be told by its signal file."""
        signal_file = os.path.join(tool.data, "recovery.signal")
        with self.running(tool.data):
            with open(signal_file, "w", encoding="utf-8"):
                pass
            try:
                return self.fetch_all(tool, store)
            finally:
                os.unlink(signal_file)

    def fetch_all(self, tool, store):
        segments = self.segments(tool, "fetch")
        self.world.warm(*store.files())
        meter = Meter(self.world, tool, store)
        rows = self.call([tool.restore_of(s, f"pg_wal/{s}.got")
                          for s in segments], tool.data)
        self.world.reaper.stragglers(2)
        result = meter.figures(
            len(rows) / sum(r[0] for r in rows), sum(r[1] for r in rows),
            max(r[2] for r in rows), n=len(rows))
        self.same(segments, tool.data)
        return result

    def arrive(self, tool, data, segment):
        """One call of archive_command for a segment that is ready, and what
        PostgreSQL does with it afterwards."""
        row = self.call([tool.archive_of(f"pg_wal/{segment}")], data)[0]
        status = os.path.join(data, "pg_wal", "archive_status", segment)
        os.rename(status + ".ready", status + ".done")
        return row

    def lone(self, tool, store):
        """The first is the first of its repository and does not count."""
        segments = self.segments(tool, "lone")
        data = self.cluster.host("host")
        tool.setup(self.world, store, data)
        rows = []
        with self.running(data):
            for i, s in enumerate(segments):
                self.cluster.add(data, s)
                if i == 1:
                    meter = Meter(self.world, tool, store)
                rows.append(self.arrive(tool, data, s))
                self.world.reaper.stragglers(1)
                time.sleep(0.2)
                os.unlink(os.path.join(data, "pg_wal", s))
        del rows[0]
        result = meter.figures(
            statistics.median(r[0] for r in rows) * 1000,
            sum(r[1] for r in rows), max(r[2] for r in rows), n=len(rows),
            samples=[r[0] * 1000 for r in rows])
        self.check_archive(tool, store, segments, data)
        return result

    def hit(self, tool, store):
        """None when the tool did nothing ahead."""
        segments = self.segments(tool, "hit")
        data = self.cluster.host("host", segments + self.cluster.segments[
            len(segments):2 * len(segments)])
        tool.setup(self.world, store, data)
        with self.running(data):
            ahead = self.looked_ahead(tool, store, data, segments)
            if len(ahead) < 2:
                return None
            meter = Meter(self.world, tool, store)
            rows = [self.arrive(tool, data, s) for s in ahead]
            self.world.reaper.stragglers(3)
        result = meter.figures(
            statistics.median(r[0] for r in rows) * 1000,
            sum(r[1] for r in rows), max(r[2] for r in rows), n=len(rows),
            samples=[r[0] * 1000 for r in rows])
        for s in self.cluster.segments[:2 * len(segments)]:
            os.unlink(os.path.join(data, "pg_wal", s))
        self.check_archive(tool, store, [segments[0], *ahead], data)
        return result

    def looked_ahead(self, tool, store, data, segments):
        """Calls for the first; which of the others are stored by then."""
        self.world.reaper.start(tool.comms)
        self.arrive(tool, data, segments[0])
        found, end = [], time.monotonic() + 15
        while len(found) < len(segments) - 1 and time.monotonic() < end:
            # Not for long: helpers do not linger for ever.
            time.sleep(0.5)
            before, found = found, self.stored(store, segments[1:])
            if found == before and not self.world.reaper.busy():
                break
        self.world.reaper.stragglers(3)
        return [s for a, s in zip(found, segments[1:]) if a == s]

    def replay(self, tool, store):
        """From the start of recovery to the place in the last segment."""
        segments = self.cluster.segments[:self.sizes["replay"]]
        data = self.world.copy(self.cluster.full, self.world.path("replay"))
        tool.repoint(data)
        log, seg = int(segments[-1][8:16], 16), int(segments[-1][16:], 16)
        server = worlds.Server(self.world, data, self.world.port(), {
            "shared_buffers": "512MB", "max_wal_size": "16GB",
            "hot_standby": "off", "restore_command": tool.restore,
            "recovery_target_lsn": f"{log:X}/{seg * worlds.SEGMENT + 0x800000:X}",
            "recovery_target_timeline": "current",
            "recovery_target_action": "shutdown"})
        with open(os.path.join(data, "recovery.signal"), "w",
                  encoding="utf-8"):
            pass
        self.world.reaper.run(["sync", "-f", data])
        self.world.warm(data, *store.files())
        meter = Meter(self.world, tool, store)
        cpu = 0.0
        try:
            server.start(wait=False)
            startup = None
            while not self.world.reaper.ended(server.process):
                startup = startup or server.child("startup")
                try:
                    cpu = sum(procs.stat(startup)[4:]) if startup else 0.0
                except OSError:
                    pass
                self.world.reaper.sample()
                time.sleep(0.1)
            result = meter.figures(0, cpu, n=len(segments))
        finally:
            server.stop()
        with open(server.log, encoding="utf-8", errors="replace") as f:
            log = f.read()
        begin = re.search(r"^([\d.]+) .*starting point-in-time recov", log,
                          re.M)
        end = re.search(r"^([\d.]+) .*recovery stopping (before|after)", log,
                        re.M)
        got = set(re.findall('restored log file "([0-9A-F]{24})"', log))
        if not begin or not end or not got.issuperset(segments):
            raise Failed(f"recovery did not reach its target: {log[-1500:]}")
        result["value"] = len(segments) / (float(end[1]) - float(begin[1]))
        shutil.rmtree(data)
        return result

    # -- base backups ------------------------------------------------------

    def server(self):
        if self.live is None:
            data = self.world.copy(self.cluster.full,
                                   self.world.path("live"))
            self.live = worlds.Server(
                self.world, data, self.world.port(),
                {"archive_mode": "on", "shared_buffers": "256MB"})
            self.live.start()
        return self.live

    def server_cpu(self):
        pid = self.live.process.pid
        return sum(own + below for p, _, _, parent, own, below
                   in procs.processes() if pid in (p, parent))

    def backup(self, tool, store):
        live = self.server()
        tool.setup(self.world, store, live.data, live)
        live.set("archive_command", tool.archive)
        live.sql("CHECKPOINT")
        self.world.reaper.run(["sync", "-f", live.data])
        self.world.warm(live.data)
        meter = Meter(self.world, tool, store)
        postgres = self.server_cpu()
        row = self.call([tool.backup], self.world.dir)[0]
        return meter.figures(row[0], row[1] + self.server_cpu() - postgres,
                             row[2])

    def restore(self, tool, store):
        target = self.world.path("restored")
        self.world.reaper.run(["sync", "-f", self.world.dir])
        command = tool.restore_tree(target)
        self.world.warm(*store.files())
        meter = Meter(self.world, tool, store)
        row = self.call([command], self.world.dir)[0]
        result = meter.figures(row[0], row[1], row[2])
        want, got = self.tree(self.live.data), self.tree(target)
        if want != got:
            wrong = sorted(set(want.items()) ^ set(got.items()))[:4]
            raise Failed(f"the restored tree differs: {wrong}")
        self.leave(target)
        return result

    def verify(self, tool, store):
        self.world.warm(*store.files())
        meter = Meter(self.world, tool, store)
        row = self.call([tool.verify], self.world.dir)[0]
        return meter.figures(row[0], row[1], row[2])

    @staticmethod
    def tree(data):
        """Path and size of every relation's file: the server is idle, so a
        restored tree must hold the very same."""
        found = {}
        for d, _, files in os.walk(os.path.join(data, "base")):
            for f in files:
                if f != "pg_internal.init":
                    path = os.path.join(d, f)
                    found[os.path.relpath(path, data)] = os.path.getsize(path)
        return found

    def measure(self, work, tool, store):
        return getattr(self, work.replace("-", "_"))(tool, store)

    @staticmethod
    def archived(live):
        """An archive_command that is still at work when its repository goes
        would hold up the next tool's archiver for as long as it waits."""
        status = os.path.join(live.data, "pg_wal", "archive_status")
        end = time.monotonic() + 60
        while any(f.endswith(".ready") for f in os.listdir(status)):
            if time.monotonic() > end:
                raise Failed("the server does not archive its last files")
            time.sleep(0.05)

    def end_group(self, tool):
        if self.live:
            self.archived(self.live)
            self.live.set("archive_command", "")
        tool.done()
        for name in os.listdir(self.world.dir):
            if re.search(r"^\d+-(host|replay|restored|report|commands)",
                         name):
                path = os.path.join(self.world.dir, name)
                if path in (self.spent or ()):
                    continue
                if os.path.isdir(path):
                    shutil.rmtree(path)
                else:
                    os.unlink(path)


def today():
    return datetime.date.today().isoformat()
