"""What grows from step to step in the scaling series, and what is measured at
each step.  One series is one cluster or one repository, which only grows; what
a measurement fills is removed after it."""
import glob
import os
import re
import shutil
import signal
import sys

import tools
import work
import world as worlds
from procs import Failed

sys.path.insert(0, os.path.join(worlds.TOP, "tests", "lib"))
import oldwal  # noqa: E402

PAGE = 8192
CHUNK = 1000000  # rows of one table
# Some 150 bytes each, of which a compressor leaves a third: numbers, names and
# words that come again, and a reference that does not.
ROWS = """
    SELECT i AS id, timestamptz '2026-01-01' + i * interval '7 s' AS at,
        (i * 7919 % 1000003) / 100.0 AS amount,
        i * 104729 % 50021 AS customer, md5(i::text) AS reference,
        (ARRAY['ordered', 'paid', 'sent', 'returned'])[1 + i % 4] AS state,
        'Delivery to the door, street number ' || i % 997 AS note
    FROM generate_series({first}::bigint, {last}) AS i"""


class Series:
    """grow(step) brings it to that size and returns how many units it has;
    measure() yields the name of a work and its figures, value in seconds.

    name       it has, as in --scale-NAME
    steps      it takes, and with --quick
    counted    what a step is a number of
    titles     of the works measured
    cost       the unit of cost; so many of what counts (of), and the factor
               that makes its seconds readable
    room       bytes and files that so many rounds of the steps need
    """
    stores = ("file",)
    of = factor = 1

    def __init__(self, world, sizes):
        self.world, self.sizes = world, sizes
        self.bench = work.Bench(world, None, sizes)
        self.made = []

    def path(self, label):
        """Goes with the series."""
        self.made.append(self.world.path(label))
        return self.made[-1]

    def stop(self):
        if self.bench.live:
            self.bench.live.stop(signal.SIGINT)
            self.bench.live = None

    def close(self):
        self.stop()
        for path in self.made:
            shutil.rmtree(path)


class Grown(Series):
    """Of backups: a cluster of its own; each has its own repository."""
    def __init__(self, world, sizes, _data):
        super().__init__(world, sizes)
        self.data = self.path("grown")
        worlds.initdb(world, self.data)
        self.port = world.port()

    def started(self, settings):
        server = worlds.Server(self.world, self.data, self.port, {
            "autovacuum": "off", "shared_buffers": "256MB",
            "max_wal_size": "1GB", **settings})
        server.start()
        return server

    def grow(self, step):
        self.stop()
        # Makes no WAL of what a new table gets.
        server = self.started({"wal_level": "minimal", "max_wal_senders": 0,
                               "archive_mode": "off"})
        try:
            self.fill(server, step)
        finally:
            server.stop(signal.SIGINT)
        self.bench.live = self.started({
            "wal_level": "replica", "max_wal_senders": 6,
            "archive_mode": "on"})
        return self.unit_count()

    def unit_count(self):
        return self.units(self.bench.tree(self.data))

    def measure(self, works, _step, _store):
        tool, place = tools.Pitrkit(self.world.build), worlds.FileStore(
            self.world)
        try:
            for w in self.titles:
                # The backup fills the repository in any case.
                if w == "backup" or w in works:
                    yield w, self.one(w, tool, place)
        finally:
            self.bench.end_group(tool)

    def one(self, name, tool, place):
        return self.bench.measure(name, tool, place)

    @staticmethod
    def room(steps, _rounds):
        """Bytes and files: the cluster, as much for a repository in which
        nothing shrinks, and the restored copy."""
        return 3 * steps[-1] * 10**9 + 3 * 10**9, 20000


class Size(Grown):
    """Tables of business data."""
    name, counted = "sizes", "GB"
    steps, quick = "1,4,16", "0.04,0.08"
    titles = {"backup": "full backup of a cluster of so many GB",
              "restore": "restore of it", "verify": "verify of it"}
    cost = "s/GB"

    def __init__(self, world, sizes, data):
        super().__init__(world, sizes, data)
        self.rows, self.per_row = 0, 150.0

    @staticmethod
    def units(tree):
        return sum(tree.values()) / 1e9

    def fill(self, server, step):
        left = step * 1e9 - self.unit_count() * 1e9
        while left > 1e6:
            n = min(CHUNK, max(1000, int(left / self.per_row)))
            first, self.rows = self.rows + 1, self.rows + n
            name = f"orders_{first}"
            server.sql(f"CREATE TABLE {name} AS" + ROWS.format(
                first=first, last=self.rows))
            size = int(server.sql(f"SELECT pg_relation_size('{name}')"))
            self.per_row = size / n
            left -= size


class Files(Grown):
    """Relations of one page each, beside those of the database postgres and
    named like them; the catalog does not know them.

    What was restored is kept to the end: ext4 without a journal does not use
    an inode again for minutes after its file went, and each new file has to
    pass by all of those, which is much more than a restore costs."""
    name, counted = "files", "files"
    steps, quick = "1000,100000,500000", "1000,2000"
    titles = {"backup": "full backup of a cluster of so many small files",
              "restore": "restore of it", "verify": "verify of it",
              "floor": "as many such files by open, write and close, and one "
                       "sync: the file system's part of the restore"}
    cost, of, factor = "ms/1000 files", 1000, 1000
    units = staticmethod(len)

    def __init__(self, world, sizes, data):
        super().__init__(world, sizes, data)
        self.extra = 0
        self.bench.spent = self.made

    def fill(self, server, step):
        oid = server.sql("SELECT oid FROM pg_database "
                         "WHERE datname = 'postgres'")
        folder = os.path.join(self.data, "base", oid)
        # The checksum of a page depends on its place in the file only.
        pages = list(self.pages(folder))
        for _ in range(step - self.unit_count()):
            name = os.path.join(folder, str(10**9 + self.extra))
            with open(name, "xb", opener=lambda p, f: os.open(p, f, 0o600)
                      ) as f:
                f.write(pages[self.extra % len(pages)])
            self.extra += 1

    def one(self, name, tool, place):
        return (self.floor() if name == "floor"
                else super().one(name, tool, place))

    def floor(self):
        """As many files, by the plainest calls."""
        target = self.world.path("floor")
        program = os.path.join(self.world.build, "tests", "tools", "pages")
        self.world.reaper.run(["sync", "-f", self.world.dir])
        self.world.warm()
        value, cpu, peak = self.bench.call(
            [f'exec "{program}" "{target}" {self.unit_count()}'],
            self.world.dir)[0]
        self.bench.leave(target)
        return {"value": value, "client_cpu": cpu, "peak_kb": peak}

    @staticmethod
    def pages(folder):
        for name in sorted(os.listdir(folder)):
            path = os.path.join(folder, name)
            if name.isdigit() and os.path.getsize(path) == PAGE:
                with open(path, "rb") as f:
                    yield f.read()

    @staticmethod
    def room(steps, rounds):
        """The cluster, its repository, and twice what each step has in each
        round: restored, and made by open, write and close."""
        made = 2 * rounds * sum(steps)
        return ((2 * steps[-1] + made) * PAGE + 3 * 10**9,
                steps[-1] + made + 20000)


class Drain(Series):
    """Of the WAL in data, or of its own."""
    name, counted = "jobs", "push_jobs"
    steps, quick = "1,2,4,8", "1,4"
    titles = {"drain": "PostgreSQL's archiver drains {drain} segments"}
    cost, factor = "ms/segment", 1000
    stores = ("file", "s3")

    def __init__(self, world, sizes, data):
        super().__init__(world, sizes)
        self.bench.cluster = worlds.Cluster(
            world, data or self.path("data"), sizes["scale"], sizes["drain"])

    def grow(self, _step):
        return self.sizes["drain"]

    def measure(self, _works, step, store):
        tool = tools.Pitrkit(self.world.build,
                             settings=f"push_jobs = {step}\n")
        place = (worlds.FileStore(self.world) if store == "file"
                 else worlds.S3Store(self.world, 0))
        try:
            found = self.bench.drain(tool, place)
            found["value"] = found["n"] / found["value"]
            yield "drain", found
        finally:
            self.bench.end_group(tool)

    @staticmethod
    def room(_steps, _rounds):
        return 6 * 10**9, 20000


class Plan(Series):
    """retention-prune --dry-run, over WAL that is older than the backup."""
    name, counted = "objects", "objects"
    steps, quick = "10000,100000,1000000", "1000,5000"
    titles = {"plan": "retention-prune --dry-run in a repository of so many "
                      "objects"}
    cost, of, factor = "ms/1000 objects", 1000, 1000

    def __init__(self, world, sizes, _data):
        super().__init__(world, sizes)
        self.objects = 0
        data = self.path("planned")
        # Names for a million segments before the first of ours.
        worlds.initdb(world, data, "--wal-segsize=1")
        world.reaper.run([f"{worlds.PGBIN}/pg_resetwal", "-l",
                          "000000010000040000000001", data])
        self.tool = tools.Pitrkit(world.build)
        self.place = worlds.FileStore(world)
        self.bench.live = worlds.Server(world, data, world.port(), {
            "archive_mode": "on"})
        self.bench.live.start()
        self.bench.backup(self.tool, self.place)
        self.stop()
        self.wal, = glob.glob(f"{self.place.where}/main/*/wal/00000001")

    def grow(self, step):
        oldwal.make(self.wal, self.objects, step)
        self.objects = step
        return step

    def measure(self, _works, step, _store):
        plan = self.world.path("report.plan")
        row = self.bench.call([f'{self.tool.plan} >"{plan}"'],
                              self.world.dir)[0]
        with open(plan, encoding="utf-8") as f:
            n = sum(re.search('"key":.*/wal/', line) is not None
                    for line in f)
        os.unlink(plan)
        if n != step:
            raise Failed(f"{n} of {step} old segments are planned to go")
        yield "plan", {"value": row[0], "client_cpu": row[1],
                       "peak_kb": row[2]}

    def close(self):
        self.bench.end_group(self.tool)
        super().close()

    @staticmethod
    def room(steps, _rounds):
        # A folder's entries, an inode each; the plan's lines.
        return 2 * 10**9 + 1000 * steps[-1], steps[-1] + 20000


ALL = {c.name: c for c in (Size, Files, Drain, Plan)}
