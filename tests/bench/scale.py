"""The scaling series: the same work on more and more, to show whether the cost
of a unit grows.  Of pitrkit alone; what each series is, is in series.py."""
import json
import os
import statistics

import record
import report
import tools
from procs import Failed, Mistaken
from series import ALL

FULL = {"drain": 64, "scale": 30}
QUICK = {"drain": 8, "scale": 3}


def titles():
    return {f"{name}-{w}": title for name, c in ALL.items()
            for w, title in c.titles.items()}


def series_of(name):
    return ALL[name.split("-")[0]]


def options(p):
    p.add_argument("--scale", action="store_true",
                   help="the scaling series instead")
    for name, c in ALL.items():
        p.add_argument(f"--scale-{name}", metavar="N,N...",
                       help=f"{c.counted} ({c.steps}; quick: {c.quick})")


def number(text):
    return int(text) if text.isdigit() else float(text)


def check(p, a):
    """The steps become rising numbers."""
    for name, c in ALL.items():
        option = f"scale_{name}"
        given = getattr(a, option)
        if given is not None and not a.scale:
            p.error(f"--scale-{name} needs --scale")
        try:
            got = sorted({number(x) for x in (
                given or (c.quick if a.quick else c.steps)).split(",")})
            if got[0] <= 0 or (name != "sizes" and
                               any(isinstance(x, float) for x in got)):
                raise ValueError
        except ValueError:
            p.error(f"--scale-{name}: numbers, comma-separated")
        setattr(a, option, got)


class Scaling(record.Record):
    """Series by series, step by step; at each step the rounds."""
    heading = "Scaling, last measured"

    def __init__(self, args, world, out):
        super().__init__(args, world, out, [tools.Pitrkit(world.build)])
        self.sizes = dict(QUICK if args.quick else FULL)
        self.steps = {name: getattr(args, f"scale_{name}") for name in ALL}

    def wanted(self, name, store, step):
        return [w for w in ALL[name].titles
                if self.args.only.search(f"{name}-{w}/{store}/{step}")]

    def places(self, name, step):
        """Stores and works of a step."""
        for store in ALL[name].stores:
            works = self.wanted(name, store, step)
            if works and store in self.args.store:
                yield store, works

    def plan(self):
        """The steps of each series in which there is something to measure."""
        found = {}
        for name, steps in self.steps.items():
            mine = [s for s in steps if any(self.places(name, s))]
            if mine:
                found[name] = mine
        return found

    def go(self):
        plan = self.plan()
        if not plan:
            raise Mistaken(
                f"--only '{self.args.only.pattern}' finds nothing in "
                f"SERIES/STORE/STEP, where SERIES is {', '.join(titles())}, "
                f"STORE {', '.join(self.args.store)} (s3: jobs-drain only) "
                f"and STEP one of its sizes")
        self.room(plan)
        for name, steps in plan.items():
            try:
                self.one_series(name, steps)
            except Failed as e:
                self.failed(f"{name}: {e}")

    def room(self, plan):
        """One series after the other: what the largest needs is enough."""
        needs = [ALL[name].room(steps, self.args.rounds)
                 for name, steps in plan.items()]
        disk, files = (max(n[i] for n in needs) for i in range(2))
        fs = os.statvfs(self.world.dir)
        free = fs.f_bavail * fs.f_frsize
        line = (f"{disk / 1e9:.0f} GB and {files} files are needed below "
                f"{os.path.dirname(self.world.dir)}, {free / 1e9:.0f} GB "
                f"are free")
        if free < disk or (fs.f_files and fs.f_favail < files):
            raise Failed(line + f", for {fs.f_favail} files: another --tmp, "
                         "or fewer steps (--scale-sizes, --scale-files)")
        print(f"bench: {line}", flush=True)

    def one_series(self, name, steps):
        on = ALL[name](self.world, self.sizes, self.args.data)
        try:
            for step in steps:
                units = on.grow(step)
                for turn in range(self.args.rounds):
                    for store, works in self.places(name, step):
                        self.one_step(on, turn, (name, store, step), works,
                                      units)
        finally:
            on.close()

    def one_step(self, on, turn, where, works, units):
        name, store, step = where
        try:
            for w, found in on.measure(works, step, store):
                if w in works:
                    self.add(f"{name}-{w}/{store}/{step}", {
                        "work": f"{name}-{w}", "store": store, "step": step,
                        "round": turn, "units": units, **found},
                        f"{report.number(found['value'])} s")
        except Failed as e:
            self.failed(f"{name}/{store}/{step}: {e}")

    def save(self):
        lines, found = self.environment(), rows(self.results)
        report.save(os.path.join(self.out, "scaling.json"), json.dumps({
            "environment": lines, "sizes": self.sizes, "steps": self.steps,
            "rounds": self.args.rounds, "results": self.results,
            "rows": found, "failures": self.failures}, indent=1) + "\n")
        text = "\n".join(lines) + "\n\n" + table(found, self.sizes)
        report.save(os.path.join(self.out, "scaling.txt"), text)
        return text


def rows(results):
    """One per work, store and step: medians over the rounds, what a unit
    costs, and how many times what it costs at the smallest step."""
    groups = {}
    for r in results:
        groups.setdefault((r["work"], r["store"], r["step"]), []).append(r)
    found, first = [], {}
    for (name, store, step), rounds in groups.items():
        def middle(key, rounds=rounds):
            return statistics.median(r[key] for r in rounds)
        c = series_of(name)
        row = {"work": name, "store": store, "step": step,
               "rounds": len(rounds), "units": rounds[0]["units"],
               "unit": c.cost, "wall": middle("value"),
               "least": min(r["value"] for r in rounds),
               "most": max(r["value"] for r in rounds),
               "client_cpu": middle("client_cpu"),
               "peak_kb": middle("peak_kb")}
        smallest = first.setdefault((name, store), row)
        for key in ("wall", "client_cpu"):
            row[f"{key}_per_unit"] = row[key] * c.of / row["units"]
            row[f"{key}_ratio"] = (
                row[f"{key}_per_unit"] / smallest[f"{key}_per_unit"]
                if smallest[f"{key}_per_unit"] else None)
        found.append(row)
    order = list(titles())
    found.sort(key=lambda r: (order.index(r["work"]), r["store"], r["step"]))
    return found


def ratio(value):
    return "-" if value is None else f"{value:.2f} x"


def table(found, sizes):
    """One table per work, a line per step."""
    out = []
    for name, title in titles().items():
        mine = [r for r in found if r["work"] == name]
        if not mine:
            continue
        c = series_of(name)
        lines = [["store", c.counted, "s", "range", c.cost, "to the first",
                  "client CPU " + c.cost, "to the first", "peak MiB"]]
        for r in mine:
            lines.append([
                report.place({**r, "delay": 0}), str(r["step"]),
                report.number(r["wall"]),
                f"{report.number(r['least'])}-{report.number(r['most'])}",
                report.number(r["wall_per_unit"] * c.factor),
                ratio(r["wall_ratio"]),
                report.number(r["client_cpu_per_unit"] * c.factor),
                ratio(r["client_cpu_ratio"]),
                report.number(r["peak_kb"] / 1024)])
        out += [title.format(**sizes), "", *report.aligned(lines), ""]
    return "\n".join(out)
