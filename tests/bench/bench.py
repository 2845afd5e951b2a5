"""tests/bench/run: chooses what to measure, measures in turns, reports."""
import argparse
import os
import re
import signal
import sys
import tempfile
import time

import record
import report
import scale
import tools
import work
import world as worlds
from procs import Failed, Mistaken

FULL = {"scale": 100, "drain": 64, "long": 512, "replay": 256,
        "fetch": 48, "lone": 11, "hit": 9}
QUICK = {"scale": 3, "drain": 10, "long": 14, "replay": 10,
         "fetch": 8, "lone": 4, "hit": 4}


def arguments():
    p = argparse.ArgumentParser(prog="tests/bench/run", allow_abbrev=False)
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--jobs", type=int,
                   help="of each tool, side by side (pitrkit's defaults; "
                   "peers: 2)")
    p.add_argument("--only", default="", metavar="REGEX",
                   help="of what WORK/STORE/DELAY/TOOL says; with --scale "
                   "SERIES/STORE/STEP")
    p.add_argument("--quick", action="store_true")
    p.add_argument("--store", default="file,s3")
    p.add_argument("--delay", default=None,
                   help="milliseconds, comma-separated "
                   "(0,20,80,200; quick: 0)")
    p.add_argument("--peers", default="pgbackrest,barman",
                   help="or none")
    p.add_argument("--out", required=True)
    p.add_argument("--data", help="keeps the cluster and its WAL there for "
                   "another run")
    p.add_argument("--tmp", default=os.environ.get("TMPDIR"),
                   help="where the rest is meanwhile")
    p.add_argument("--readme", nargs="?", const="", metavar="PART",
                   help="writes the figures into tests/bench/README, into a "
                   "part of that name")
    scale.options(p)
    a = p.parse_args()
    scale.check(p, a)
    if a.peers == "none":
        a.peers = ""
    if a.delay is None:
        a.delay = "0" if a.quick else "0,20,80,200"
    try:
        a.delay = [int(d) for d in a.delay.split(",") if d]
        a.only = re.compile(a.only)
    except (ValueError, re.error) as e:
        p.error(str(e))
    for name, known in (("store", {"file", "s3"}),
                        ("peers", {"pgbackrest", "barman"})):
        got = [x for x in getattr(a, name).split(",") if x]
        if not set(got) <= known:
            p.error(f"--{name}: one or more of {', '.join(sorted(known))}")
        setattr(a, name, got)
    if a.rounds < 1 or not a.store:
        p.error("at least one round and one store")
    if a.jobs is not None and not 1 <= a.jobs <= 8:
        p.error("--jobs: 1 to 8")
    return a


class Run(record.Record):
    """Work by work, tool by tool, in turns."""
    heading = "Last measured"

    def __init__(self, args, world, out):
        chosen, missing = tools.choose(world.build, args.peers,
                                       args.jobs)
        super().__init__(args, world, out, chosen)
        self.sizes = dict(QUICK if args.quick else FULL)
        for line in missing:
            print(f"bench: {line}", flush=True)

    def wanted(self, works, store, delay, tool, number):
        class Place:
            name = store
        if tool.once and number > 0 and "backup" in works:
            return []
        return [w for w in works if tool.does(w, Place)
                and self.args.only.search(f"{w}/{store}/{delay}/{tool.key}")]

    def plan(self):
        for number in range(self.args.rounds):
            for store in self.args.store:
                for delay in self.args.delay if store == "s3" else [0]:
                    for works in work.GROUPS:
                        for tool in self.chosen:
                            found = self.wanted(works, store, delay, tool,
                                                number)
                            if found:
                                yield (number, store, delay, works[0], found,
                                       tool)

    def go(self):
        plan = list(self.plan())
        if not plan:
            raise Mistaken(
                f"--only '{self.args.only.pattern}' finds nothing in "
                f"WORK/STORE/DELAY/TOOL, where WORK is {', '.join(work.WORKS)}"
                f", STORE {', '.join(self.args.store)}, DELAY "
                f"{', '.join(str(d) for d in self.args.delay)} (0 for file) "
                f"and TOOL {', '.join(t.key for t in self.chosen)}")
        # Only as much WAL, and only as large a cluster, as will be used.
        works = {w for p in plan for w in (p[3], *p[4])}
        need = max([2 * self.sizes["hit"], self.sizes["lone"],
                    self.sizes["drain"], self.sizes["fetch"]]
                   + [self.sizes["long"]] * ("drain-long" in works))
        if not works & {"backup", "restore", "replay"}:
            self.sizes["scale"] = min(self.sizes["scale"], 30)
        home = self.args.data or os.path.join(self.world.dir, "data")
        began = time.monotonic()
        cluster = worlds.Cluster(self.world, home, self.sizes["scale"], need)
        self.sizes["bytes"] = round(sum(
            work.Bench.tree(cluster.full).values()) / 1e6)
        print(f"bench: {need} segments and {self.sizes['bytes']} MB of "
              f"tables, {time.monotonic() - began:.0f} s", flush=True)
        bench = work.Bench(self.world, cluster, self.sizes)
        for number, store, delay, first, wanted, tool in plan:
            place = (worlds.FileStore(self.world) if store == "file"
                     else worlds.S3Store(self.world, delay))
            # The first of a group fills the repository in any case.
            works = wanted if wanted[0] == first else [first, *wanted]
            for w in works:
                try:
                    found = bench.measure(w, tool, place)
                except Failed as e:
                    self.failed(f"{w}/{store}/{delay}/{tool.key}: {e}")
                    break
                if found is not None and w in wanted:
                    self.found(number, w, store, delay, tool, found)
            bench.end_group(tool)

    def found(self, number, name, store, delay, tool, found):
        found = {"work": name, "store": store, "delay": delay,
                 "tool": tool.key, "label": tool.label_for(name),
                 "round": number, **found}
        self.add(f"{name}/{store}/{delay}/{tool.key}", found,
                 f"{report.number(found['value'])} {work.WORKS[name][0]}")

    def save(self):
        lines = self.environment()
        return report.write(self.out, {
            "environment": lines, "sizes": self.sizes,
            "rounds": self.args.rounds, "results": self.results,
            "failures": self.failures}, self.sizes, lines)


def main():
    args = arguments()
    if os.geteuid() == 0:
        print("bench: PostgreSQL does not run as root: use tests/bench/run",
              file=sys.stderr)
        return 2
    os.makedirs(args.out, exist_ok=True)
    build = os.environ.get("BUILD") or os.path.join(worlds.TOP, "build")
    signals = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)

    def leave(*_):
        # A second one must not cut the tidying short.
        for sig in signals:
            signal.signal(sig, signal.SIG_IGN)
        sys.exit(130)
    for sig in signals:
        signal.signal(sig, leave)
    world = worlds.World(
        os.path.realpath(tempfile.mkdtemp(prefix="pitrkit-bench.",
                                          dir=args.tmp)),
        build, worlds.WARM // 64 if args.quick else worlds.WARM)
    try:
        run = (scale.Scaling if args.scale else Run)(args, world, args.out)
        run.go()
        text = run.save()
        print("\n" + text)
        if args.readme is not None:
            heading = run.heading + (args.readme and f", {args.readme}")
            source = os.path.join(worlds.TOP, "tests", "bench", "README")
            report.readme(source, args.out, heading, text)
            if "PITRKIT_BENCH_LENT" not in os.environ:
                os.replace(os.path.join(args.out, "README"), source)
        return 1 if run.failures else 0
    except Failed as e:
        print(f"bench: {e}", file=sys.stderr)
        return 2 if isinstance(e, Mistaken) else 1
    finally:
        for sig in signals:
            signal.signal(sig, signal.SIG_IGN)
        world.close()


if __name__ == "__main__":
    sys.exit(main())
