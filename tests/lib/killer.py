"""Kills programs at random moments of the time that they take here and now.

    killer.py SPAN CMD...
        Runs CMD and kills it within the first SPAN seconds; where SPAN is
        empty it may end. Prints how it ended, "killed" or its exit status, and
        the span for the next call. Its standard output goes to standard error.
    killer.py --workers PROGRAM PLACE LIMIT OUT
        Kills each lingering worker of PROGRAM with PLACE in its arguments that
        it finds, until LIMIT are dead; writes how many to the file OUT.

How long a program takes is learned with each call. One that ended before its kill
says it exactly; each that was killed lets the next one run a little longer, for
the machine may have become slower. So most kills hit, on any machine.
"""
import glob
import os
import random
import signal
import subprocess
import sys
import time

LONGER = 1.1


class Killer:
    """The calls of one command."""

    def __init__(self, span=None):
        self.span = span  # seconds in which the kills fall

    def run(self, command, **options):
        """Returns how it ended: negative, as subprocess has it, if killed."""
        begin = time.monotonic()
        with subprocess.Popen(command, **options) as p:
            if self.span is not None:
                try:
                    p.wait(random.random() * self.span)
                except subprocess.TimeoutExpired:
                    p.kill()
            p.wait()
        if p.returncode == -signal.SIGKILL:
            self.span *= LONGER
        else:
            self.span = time.monotonic() - begin
        return p.returncode


def workers(program, place):
    """The process ids of those that linger."""
    for comm in glob.glob('/proc/[0-9]*/comm'):
        try:
            pid = comm.split('/')[2]
            with open(comm, encoding='utf-8') as f:
                named = f.read().strip() == program + '-linger'
            with open(f'/proc/{pid}/cmdline', encoding='utf-8') as f:
                if named and place in f.read():
                    yield int(pid)
        except OSError:
            pass


def kill_workers(program, place, limit, out):
    """Sooner and sooner, if they end before their kills."""
    pause = 0.15
    killed = set()
    while len(killed) < limit:
        seen = set(workers(program, place))
        time.sleep(random.random() * pause)
        for pid in seen | set(workers(program, place)):
            try:
                os.kill(pid, signal.SIGKILL)
                killed.add(pid)
                pause = min(pause * LONGER, 0.3)
            except OSError:
                pause = max(pause / 2, 0.001)
        with open(out + '.new', 'w', encoding='utf-8') as f:
            print(len(killed), file=f)
        os.rename(out + '.new', out)


def main():
    """By its arguments."""
    if sys.argv[1] == '--workers':
        program, place, limit, out = sys.argv[2:]
        kill_workers(program, place, int(limit), out)
        return
    killer = Killer(float(sys.argv[1]) if sys.argv[1] else None)
    end = killer.run(sys.argv[2:], stdout=sys.stderr)
    print('killed' if end == -signal.SIGKILL else end, f'{killer.span:.4f}')


if __name__ == '__main__':
    main()
