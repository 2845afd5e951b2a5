"""Processes: what they cost, and that none stays behind.

The bench is the subreaper of everything it starts. So the CPU time of helpers
that a command leaves in the background comes to us to the microsecond when
they end, and nothing outlives us.
"""
import ctypes
import os
import signal
import subprocess
import time

TICK = os.sysconf("SC_CLK_TCK")
PR_SET_CHILD_SUBREAPER = 36


class Failed(Exception):
    """A command or a check failed: the measurement does not count."""


def stat(pid):
    """comm, state, parent, own CPU seconds, those of ended children."""
    with open(f"/proc/{pid}/stat", encoding="latin-1") as f:
        text = f.read()
    comm = text[text.index("(") + 1:text.rindex(")")]
    rest = text[text.rindex(")") + 2:].split()
    cpu = [int(x) / TICK for x in rest[11:15]]
    return comm, rest[0], int(rest[1]), cpu[0] + cpu[1], cpu[2] + cpu[3]


def processes():
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                yield int(name), *stat(name)
            except (OSError, ValueError):
                continue


def peak_kb(pid):
    try:
        with open(f"/proc/{pid}/status", encoding="latin-1") as f:
            for line in f:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1])
    except OSError:
        pass
    return 0


class Mistaken(Failed):
    """What was asked for does not exist."""


class Reaper:
    """Adds up the orphans whose program's name begins with one of names."""

    def __init__(self):
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl")
        self.known = {}
        self.names = ()
        self.cpu = 0.0
        self.peak = 0

    def popen(self, argv, **more):
        p = subprocess.Popen(argv, stdin=subprocess.DEVNULL, **more)
        self.known[p.pid] = p
        return p

    def ended(self, p):
        if p.poll() is None:
            return False
        self.known.pop(p.pid, None)
        return True

    def run(self, argv, **more):
        """A command of no interest to the figures; its output."""
        p = subprocess.run(argv, stdin=subprocess.DEVNULL, text=True,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           check=False, **more)
        if p.returncode != 0:
            raise Failed(f"{argv[0]}: status {p.returncode}: "
                         + p.stdout[-1500:])
        return p.stdout

    def start(self, names):
        self.stragglers(0)
        self.names = tuple(n[:15] for n in names)
        self.cpu, self.peak = 0.0, 0
        self.base = self.living()

    def living(self):
        """CPU of the orphans that still run; waits for those that do not."""
        total = 0.0
        for pid, comm, state, parent, own, below in processes():
            if parent != os.getpid() or pid in self.known:
                continue
            if state == "Z":
                try:
                    got, _, ru = os.wait4(pid, os.WNOHANG)
                except ChildProcessError:
                    continue
                if got and comm.startswith(self.names):
                    self.cpu += ru.ru_utime + ru.ru_stime
                    self.peak = max(self.peak, ru.ru_maxrss)
            elif comm.startswith(self.names):
                total += own + below
                self.peak = max(self.peak, peak_kb(pid))
        return total

    def sample(self):
        """The largest of our programs that run now, at its largest; those
        of somebody else on this machine are not ours."""
        found = {p[0]: p for p in processes()}
        for pid, comm, _, parent, _, _ in found.values():
            if not comm.startswith(self.names):
                continue
            while parent in found and parent != os.getpid():
                parent = found[parent][3]
            if parent == os.getpid():
                self.peak = max(self.peak, peak_kb(pid))

    def busy(self):
        return any(comm.startswith(self.names) and parent == os.getpid()
                   and state != "Z" and pid not in self.known
                   for pid, comm, state, parent, _, _ in processes())

    def stragglers(self, seconds):
        """Lets what works in the background come to its end, or to rest: no
        CPU time used for longer than a round trip."""
        end = time.monotonic() + seconds
        used, since = -1.0, time.monotonic()
        while self.busy() and time.monotonic() < end:
            now = self.cpu + self.living()
            if now != used:
                used, since = now, time.monotonic()
            elif time.monotonic() > since + 0.6:
                break
            time.sleep(0.02)
        return self.living()

    def stop(self):
        """CPU seconds of all orphans since start, and the peak in kB."""
        alive = self.stragglers(0)
        return max(0.0, self.cpu + alive - self.base), self.peak

    def end_orphans(self):
        """Ends what still runs in the background for a tool."""
        for sig in (signal.SIGTERM, signal.SIGKILL):
            for pid, comm, state, parent, _, _ in processes():
                if (parent == os.getpid() and comm.startswith(self.names)
                        and pid not in self.known and state != "Z"):
                    os.kill(pid, sig)
            self.stragglers(2)
            if not self.busy():
                return

    def end_all(self):
        for sig in (signal.SIGTERM, signal.SIGQUIT, signal.SIGKILL):
            left = [pid for pid, _, state, parent, _, _ in processes()
                    if parent == os.getpid() and state != "Z"]
            for pid in left:
                os.kill(pid, sig)
            end = time.monotonic() + 3
            while left and time.monotonic() < end:
                time.sleep(0.05)
                self.living()
                for p in list(self.known.values()):
                    self.ended(p)
                left = [pid for pid in left if os.path.isdir(f"/proc/{pid}")]
