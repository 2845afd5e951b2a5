#!/usr/bin/python3
"""Makes a directory repository large: empty objects of 1 MiB segments that
were archived sixty days ago, from 000000010000010000000000 on.  Nothing keeps
them but their number; retention-prune looks at names and times only.

  oldwal.py DIR N     N of them in DIR, the wal/TIMELINE of a repository
"""
import os
import sys
import time

FIRST = 0x100
DAYS = 60


def make(wal, begin, end):
    """Those from number begin to before number end."""
    old = time.time() - DAYS * 86400
    for i in range(begin, end):
        log, seg = FIRST + i // 4096, i % 4096
        folder = f'{wal}/00000001{log:08X}'
        if seg == 0:
            os.mkdir(folder, 0o700)
        name = f'{folder}/00000001{log:08X}{seg:08X}'
        os.close(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        os.utime(name, (old, old))


if __name__ == '__main__':
    make(sys.argv[1], 0, int(sys.argv[2]))
