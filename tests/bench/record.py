"""What was measured so far, on the disk after each measurement, and what the
figures depend on."""
import os
import platform
import shlex
import subprocess
import sys

import work
import world as worlds


def load():
    with open("/proc/loadavg", encoding="ascii") as f:
        return " ".join(f.read().split()[:3])


def environment(chosen, first_load):
    """What the figures depend on, in lines."""
    cpu = "unknown processor"
    with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as f:
        for line in f:
            if line.startswith("model name"):
                cpu = line.split(":", 1)[1].strip()
    command = ["tests/bench/run"]
    names_path = False
    for a in sys.argv[1:]:
        # Where files are on this machine is of no interest to others.
        if names_path or a.startswith(("--out=", "--data=", "--tmp=")):
            names_path = False
        elif a in ("--out", "--data", "--tmp"):
            names_path = True
        else:
            command.append(shlex.quote(a))
    postgres = subprocess.run([f"{worlds.PGBIN}/postgres", "--version"],
                              text=True, stdout=subprocess.PIPE,
                              check=True).stdout.split()[2]
    commit = os.environ.get("PITRKIT_BENCH_COMMIT", "")
    lines = [f"{work.today()}: {' '.join(command)}",
             f"{os.cpu_count()} shared cores of {cpu}, Linux "
             f"{platform.release().split('-')[0]}, PostgreSQL {postgres}, "
             f"pitrkit {chosen[0].version()}"
             + (f" ({commit})" if commit else "")
             + "; client, server and store on this machine",
             f"load average at the start {first_load}, now {load()}"]
    for t in chosen:
        lines.append(f"{t.label}: {t.note}")
    return lines


class Record:
    """A run of the bench: its results, and what failed.  Its class has the
    heading under which README has its figures, and save()."""
    heading = None

    def __init__(self, args, world, out, chosen):
        self.args, self.world, self.out = args, world, out
        self.chosen = chosen
        self.results, self.failures = [], []
        self.load = load()

    def environment(self):
        return environment(self.chosen, self.load)

    def add(self, line, found, value):
        self.results.append(found)
        print(f"bench: {found['round'] + 1} {line}: {value}, load "
              + load().split()[0], flush=True)
        self.save()

    def failed(self, line):
        self.failures.append(line)
        print(f"bench: FAILED: {line}", file=sys.stderr, flush=True)
