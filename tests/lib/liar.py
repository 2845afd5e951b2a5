#!/usr/bin/python3
"""Backups that lie, sealed as a host with the recipient part alone can do it.

	liar.py REPO KEYFILE RECIPIENTFILE TRUE-ID LIE ID [ARG]

puts the backup ID into the directory repository REPO (cluster main): a head
and a manifest as the true backup's, but for the LIE, and with its packs. What
the lies are tells LIES below. KEYFILE only opens the true backup.
"""
import json
import os
import struct
import subprocess
import sys

from backup import Bytes

HEAD, MANIFEST = 7, 6
TOOL = os.environ['BUILD'] + '/tests/tools/object'


def text(s):
    s = s.encode()
    return struct.pack('<H', len(s)) + s + b'\0'


class Entry:
    def __init__(self, kind, mode, mtime, path, link=None):
        self.kind, self.mode, self.mtime = kind, mode, mtime
        self.path, self.link = path, link

    def bytes(self):
        out = struct.pack('<Iq', self.mode, self.mtime) + text(self.path)
        return out if self.link is None else out + text(self.link)


class Pack:
    """files: [mode, mtime, size, path]; extents: [offset, stored, index,
    length, [[file, at, inside, length, xxh]]]"""
    kind = 'P'

    def __init__(self, b):
        self.name, self.size = b.string(), b.number('Q')
        self.files = [[b.number('I'), b.number('q'), b.number('Q'),
                       b.string()] for _ in range(b.number('I'))]
        n, _ = b.number('I'), b.number('I')
        self.extents = []
        for _ in range(n):
            e = [b.number('Q')] + [b.number('I') for _ in range(3)]
            e.append([[b.number('I'), b.number('Q'), b.number('I'),
                       b.number('I'), b.take(16)]
                      for _ in range(b.number('I'))])
            self.extents.append(e)

    def bytes(self):
        out = text(self.name) + struct.pack('<QI', self.size, len(self.files))
        for mode, mtime, size, path in self.files:
            out += struct.pack('<IqQ', mode, mtime, size) + text(path)
        out += struct.pack('<II', len(self.extents),
                           sum(len(e[4]) for e in self.extents))
        for *where, pieces in self.extents:
            out += struct.pack('<QIIII', *where, len(pieces))
            for p in pieces:
                out += struct.pack('<IQII', *p[:4]) + p[4]
        return out

    def pieces(self):
        return [p for e in self.extents for p in e[4]]

    def file(self, path):
        return next((f for f in self.files if f[3] == path), None)


class Backup:
    def __init__(self, repo, key, recipient, ident):
        self.root, = (os.path.join(repo, 'main', n)
                      for n in os.listdir(os.path.join(repo, 'main')))
        self.key, self.recipient, self.true = key, recipient, ident
        self.head = json.loads(self.object('open', key, HEAD, 'head', ident))
        self.rows, self.ended = [], True
        b = Bytes(self.object('open', key, MANIFEST, 'manifest', ident))
        while b.at < len(b.data):
            kind, n = b.take(1).decode(), b.number('I')
            r = Bytes(b.take(n))
            if kind == 'P':
                self.rows.append(Pack(r))
            elif kind != 'E':
                self.rows.append(Entry(
                    kind, r.number('I'), r.number('q'), r.string(),
                    r.string() if kind == 'L' else None))

    def object(self, verb, key, kind, what, ident, content=None):
        path = f'{self.root}/base/{ident}/{what}'
        data = content
        if data is None:
            with open(path, 'rb') as f:
                data = f.read()
        out = subprocess.run(
            [TOOL, verb, '-k', key, '-C', 'main', '-s',
             os.path.basename(self.root), '-t', str(kind), '-n',
             f'{ident}/{what}'], input=data, check=True,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
        if content is not None:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, 'wb') as f:
                f.write(out)
        return out

    def packs(self):
        return [r for r in self.rows if r.kind == 'P']

    def totals(self):
        packs = self.packs()
        pieces = [(p, f) for k in packs for p in k.pieces()
                  for f in [k.files[p[0]]]]
        return {
            'files': sum(r.kind == 'F' for r in self.rows) +
            sum(p[1] == 0 for p, _ in pieces),
            'folders': sum(r.kind == 'D' for r in self.rows),
            'links': sum(r.kind == 'L' for r in self.rows),
            'bytes': sum(p[3] for p, _ in pieces), 'packs': len(packs),
            'extents': sum(len(k.extents) for k in packs),
            'pieces': len(pieces), 'stored': sum(k.size for k in packs)}

    def write(self, ident, lie_of_head):
        totals = self.totals()
        self.head.update(id=ident, totals=totals)
        lie_of_head(self.head)
        out = b''.join(r.kind.encode() + struct.pack('<I', len(r.bytes())) +
                       r.bytes() for r in self.rows)
        if self.ended:
            out += b'E' + struct.pack('<I8Q', 64, *totals.values())
        self.object('seal', self.recipient, MANIFEST, 'manifest', ident, out)
        self.head['manifest_size'] = os.path.getsize(
            f'{self.root}/base/{ident}/manifest')
        self.object('seal', self.recipient, HEAD, 'head', ident,
                    json.dumps(self.head).encode())


def piece_of(b, least):
    """A pack, and a file in it of at least so many pieces."""
    for k in b.packs():
        for i, f in enumerate(k.files):
            own = [p for p in k.pieces() if p[0] == i]
            if len(own) >= least and not f[3].endswith('pg_control'):
                return k, f, sorted(own, key=lambda p: p[1])
    raise SystemExit('no such file')


def hole(b, _):
    """The second piece of a file once more at the place of the third."""
    k, f, own = piece_of(b, 3)
    own[2][1] = own[1][1]


def round_the_clock(b, _):
    """Sizes of files that add up modulo 2^64."""
    k, f, own = piece_of(b, 1)
    h, g = [x for x in k.files if x is not f and x[2] > 0][:2]
    whole = f[2] + g[2] + h[2]
    f[2] = g[2] = 1 << 63
    h[2] = whole


def far_end(b, _):
    """A file of one byte at 2^63."""
    k, f, own = piece_of(b, 1)
    f[2] = (1 << 63) + f[2]
    own[-1][1] += 1 << 63


def other_path(path):
    def lie(b, arg):
        k, f, _ = piece_of(b, 1)
        f[3] = path or arg
    return lie


def entry(kind, path, link=None):
    def lie(b, arg):
        b.rows.append(Entry(kind, 0o777 if kind == 'L' else 0o700, 0,
                            path or arg, link or (arg if kind == 'L'
                                                  else None)))
    return lie


def instead(path):
    """A link to ARG in the place of a folder or file."""
    def lie(b, arg):
        below = path + '/'
        b.rows = [r for r in b.rows if r.kind == 'P' or
                  not (r.path + '/').startswith(below)]
        for k in b.packs():
            for f in k.files:
                if (f[3] + '/').startswith(below):
                    f[3] = 'moved_' + f[3].replace('/', '_')
        b.rows.append(Entry('L', 0o777, 0, path, arg))
    return lie


def pack_name(name):
    def lie(b, arg):
        k = b.packs()[0]
        k.name = (name or arg).replace('TRUE', b.true)
    return lie


def twice(b, _):
    """A pack's files, twice."""
    b.rows.append(b.packs()[0])


def cut(b, _):
    b.ended = False


def space(b, arg):
    """A tablespace that was in ARG, and a file in it."""
    k, f, _ = piece_of(b, 1)
    f[3] = 'pg_tblspc/4242/authorized_keys'
    b.rows.insert(0, Entry('D', 0o700, 0, 'pg_tblspc/4242'))
    b.head['tablespaces'] = [{'oid': 4242, 'path': arg, 'size': 1}]


def head(**members):
    return lambda h: h.update(members)


def times(us):
    return head(start_us=us, stop_us=us, done_us=us)


def nothing(_, __=None):
    pass


HEADS = {
    'future': times(4070908800000000),
    'backwards': lambda h: h.update(stop_us=h['start_us'] - 3600 * 10**6),
    'timeline-77': head(timeline=77, stop_timeline=77),
    'last-timeline': head(timeline=4294967295, stop_timeline=4294967295),
    'far-lsn': head(start_lsn='FFFFFFFF/F0000028',
                    stop_lsn='FFFFFFFF/FFFFFFFF'),
    'all-lsn': head(start_lsn='0/1', stop_lsn='FFFFFFFF/FFFFFFFF'),
    'segment-1g': head(segment_size=1 << 30),
    '2^63-bytes': lambda h: h['totals'].update(bytes=1 << 63),
    '2^64-files': lambda h: h['totals'].update(files=(1 << 64) - 1),
    'no-pack': lambda h: h['totals'].update(packs=0),
}
MANIFESTS = {
    'truth': nothing,
    'hole': hole,
    'wrap': round_the_clock,
    'far-end': far_end,
    'twice': twice,
    'file-twice': entry('F', 'PG_VERSION'),
    'file-folder': entry('D', 'PG_VERSION'),
    'folder-file': entry('F', 'base'),
    'below-file': entry('F', 'PG_VERSION/x'),
    'cut': cut,
    'dots': other_path('../../../../tmp/pitrkit-liar'),
    'absolute': other_path('/tmp/pitrkit-liar'),
    'file': other_path(None),
    'dots-link': entry('L', '../pitrkit-liar', '/tmp'),
    'dots-folder': entry('D', '../pitrkit-liar'),
    'folder': entry('D', None),
    'empty-file': entry('F', None),
    'auto-conf': instead('postgresql.auto.conf'),
    'conf': instead('postgresql.conf'),
    'global': instead('global'),
    'wal': instead('pg_wal'),
    'spaces': instead('pg_tblspc'),
    'pack': pack_name(None),
    'space': space,
}


def main():
    repo, key, recipient, true, lie, ident, *arg = sys.argv[1:]
    b = Backup(repo, key, recipient, true)
    arg = arg[0] if arg else None
    if lie in HEADS:
        b.write(ident, HEADS[lie])
    else:
        MANIFESTS[lie](b, arg)
        b.write(ident, nothing)


if __name__ == '__main__':
    main()
