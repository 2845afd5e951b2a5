#!/usr/bin/python3
"""Years of backups and pruning in a directory repository, on a clock that is
set: after each pruning the objects that are there must be those that the rules
of retention-prune(1) keep of all that ever were there.

	years.py REPO CONF CLOCK DAYS EVERY PRUNE

A backup each day, a WAL segment every four hours, and the program PRUNE every so
many days. CLOCK_LIB in the environment is clockjump.c's library, CLOCK its file.
The objects are real ones (encryption off), made from pitrkit-format(5), of
cluster main and system id 1. The model below knows single backups and single
segments, and takes its calendar from Python.
Prints a line for each pruning that went wrong, and figures at the end.
"""
import datetime
import json
import os
import struct
import subprocess
import sys
import time

import forge

UTC = datetime.timezone.utc
HOUR = datetime.timedelta(hours=1)
DAY = 24 * HOUR
SEGMENT = 16 << 20
PER_DAY = 6
# The settings of the test: the defaults, but for the archive's years.
FULL, WAL, ARCHIVE = 30 * DAY, 14 * DAY, 3 * 365 * DAY
TIERS = 30, 12, 12, 7
MINIMUM = 2
BEGIN = datetime.datetime(2019, 6, 3, tzinfo=UTC)


def micros(t):
    return (t - datetime.datetime(1970, 1, 1, tzinfo=UTC)) // \
        datetime.timedelta(microseconds=1)


# -- objects --------------------------------------------------------------------

def put(repo, folder, kind, name, at, content=b'x', meta=b''):
    o = forge.Forged()
    o.bound, o.kind, o.meta = ('main', 1, kind, name), kind, meta
    o.fingerprint = forge.fingerprint_of(o.bound, content)
    for attribute, value in forge.frames_of(content).items():
        setattr(o, attribute, value)
    path = f'{repo}/main/1/{folder}'
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'wb') as f:
        f.write(o.make())
    os.utime(path, ns=(micros(at) * 1000,) * 2)
    return folder


def put_segment(repo, number, at):
    log, seg = divmod(number, (1 << 32) // SEGMENT)
    half = f'00000001{log:08X}'
    commit = micros(at - HOUR)
    meta = struct.pack(
        '<HHQq24sHHIQIQqqIIIIIIH', 1, 114, SEGMENT, micros(at), b'1', 1,
        0xd110, 1, number * SEGMENT, SEGMENT, (number + 1) * SEGMENT - 8,
        commit, commit, 1, number, number, number, number, 0, 0)
    name = f'{half}{seg:08X}'
    return put(repo, f'wal/00000001/{half}/{name}', 1, name, at, meta=meta)


def lsn(value):
    return f'{value >> 32:X}/{value & 0xffffffff:X}'


class Backup:
    def __init__(self, repo, day, number):
        self.start = BEGIN + day * DAY + datetime.timedelta(minutes=130)
        self.stop = self.start + HOUR / 2
        self.first = self.last = number
        self.kind = ('archive' if self.start.day == 15 else
                     'weekly' if self.start.isocalendar()[1:] == (20, 3)
                     else 'yearly' if day % 500 == 250 else '')
        self.whole = day % 40 != 7
        self.id = f'{self.start:%Y%m%dT%H%M%SZ}-full-{day:08x}'
        self.objects = [self.put(repo, 'pack/00000001', 5, b'x'),
                        self.put(repo, 'manifest', 6, b'x')]
        if self.whole:
            self.objects.append(self.put(repo, 'head', 7, self.head()))

    def put(self, repo, what, kind, content):
        name = f'{self.id}/{what}'
        return put(repo, f'base/{name}', kind, name, self.stop, content)

    def head(self):
        at = self.first * SEGMENT
        return json.dumps({
            'format': 1, 'id': self.id, 'type': 'full', 'class': self.kind,
            'label': '', 'version': '1', 'host': 'h', 'source': 'stream',
            'pg_version': 150000, 'system_id': 1, 'segment_size': SEGMENT,
            'checksums': True, 'from_standby': False, 'timeline': 1,
            'stop_timeline': 1, 'start_lsn': lsn(at + 40),
            'stop_lsn': lsn(at + SEGMENT // 2), 'tablespaces': [],
            'start_us': micros(self.start), 'stop_us': micros(self.stop),
            'done_us': micros(self.stop), 'manifest_size': 1,
            'totals': dict.fromkeys((
                'files', 'folders', 'links', 'bytes', 'packs', 'extents',
                'pieces', 'stored'), 1)}).encode()


# -- what must stay -----------------------------------------------------------

def bucket(t, unit):
    """A number that grows by one from each day, week, month or year to the
    next."""
    if unit < 2:
        days = t.toordinal() - 1  # 0001-01-01 was a Monday
        return days if unit == 0 else days // 7
    return t.year * 12 + t.month if unit == 2 else t.year


def kept(backups, now, held):
    whole = [b for b in backups if b.whole]
    newest = {}
    for b in whole:
        for unit in range(4):
            newest[unit, bucket(b.stop, unit)] = b
    before = [b for b in whole if b.stop <= now - WAL]
    first = before[-1] if before else whole[0]
    keep = {first, *whole[-MINIMUM:]}
    for b in whole:
        near = [bucket(now, u) - bucket(b.stop, u) <= TIERS[u]
                for u in range(4)]
        if (now - b.stop <= FULL or b.id in held or
                any(near[u] and newest[u, bucket(b.stop, u)] is b
                    for u in range(4)) or
                b.kind == 'archive' and now - b.stop <= ARCHIVE or
                b.kind == 'weekly' and near[1] or
                b.kind == 'yearly' and near[3]):
            keep.add(b)
    return keep, first.first


def expected(backups, segments, now, held):
    keep, begin = kept(backups, now, held)
    numbers = {n for b in keep for n in range(b.first, b.last + 1)}
    keep.update(b for b in backups if not b.whole and now - b.stop < DAY)
    return {o for b in keep for o in b.objects} | {
        o for n, (o, at) in enumerate(segments)
        if n >= begin or at >= now - WAL or n in numbers}


def there(repo):
    top = f'{repo}/main/1'
    return {os.path.relpath(os.path.join(folder, name), top)
            for part in ('base', 'wal')
            for folder, _, names in os.walk(f'{top}/{part}')
            for name in names}


# -- the years ----------------------------------------------------------------

class Years:
    def __init__(self, repo, conf, clock, command):
        self.repo, self.conf, self.clock, self.command = \
            repo, conf, clock, command
        self.backups, self.segments, self.held = [], [], {}
        self.runs = self.wrong = self.deleted = 0
        # A hold is placed where the archive's mark is.
        put(repo, 'archive', 8, 'archive', BEGIN, json.dumps(
            {'cluster': 'main', 'system_id': '1'}).encode())

    def tell(self, *what):
        """The first ones: a test shows the end of what is printed."""
        self.wrong += 1
        if self.wrong <= 10:
            print(*what)

    def tool(self, name, now, *args):
        with open(self.clock, 'w', encoding='ascii') as f:
            f.write(str(int(now.timestamp() - time.time())))
        done = subprocess.run(
            [name, '-c', self.conf, *args, '--system-id', '1'], text=True,
            capture_output=True, check=False, env={
                **os.environ, 'CLOCKJUMP': self.clock,
                'LD_PRELOAD': os.environ['CLOCK_LIB']})
        if done.returncode != 0:
            self.tell(f'{now}: {name}: {done.returncode}: {done.stderr}')
        return done.stdout.strip()

    def hold(self, now, day):
        """A backup that nothing else would keep, for three years."""
        if day == 400:
            b = next(b for b in self.backups[-20:] if b.start.weekday() == 1
                     and b.whole)
            self.held[b.id] = self.tool(
                'retention-hold', now, 'add', '--backup', b.id, '--holder',
                'Legal', '--reason', 'a case')
        if day == 1500:
            for hold in self.held.values():
                self.tool('retention-hold', now, 'release', hold,
                          '--reason', 'over')
            self.held.clear()

    def day(self, day):
        for n in range(PER_DAY):
            at = BEGIN + day * DAY + (n + 1) * 24 / PER_DAY * HOUR
            self.segments.append(
                (put_segment(self.repo, len(self.segments), at), at))
        self.backups.append(
            Backup(self.repo, day, len(self.segments) - PER_DAY))

    def prune(self, now):
        before = there(self.repo)
        self.tool(self.command, now)
        self.runs += 1
        have = there(self.repo)
        want = expected(self.backups, self.segments, now, self.held)
        self.deleted += len(before) - len(have)
        for what, objects in (('lost', want - have), ('left', have - want)):
            if objects:
                self.tell(f'{now}: {what}: {len(objects)}:',
                          *sorted(objects)[:5])


def main():
    repo, conf, clock, days, every = sys.argv[1:6]
    y = Years(repo, conf, clock, sys.argv[6])
    for day in range(int(days)):
        y.day(day)
        now = BEGIN + (day + 1) * DAY + datetime.timedelta(minutes=20)
        y.hold(now, day)
        if day % int(every) == int(every) - 1 or day == int(days) - 1:
            y.prune(now)
    whole = sum(name.endswith('/head') for name in there(repo))
    print(f'{y.runs} runs, {len(y.backups)} backups, {whole} of them left, '
          f'{len(y.segments)} segments, {y.deleted} objects deleted, '
          f'{y.wrong} runs wrong')
    return y.wrong > 0 or whole not in range(60, 130)


if __name__ == '__main__':
    sys.exit(main())
