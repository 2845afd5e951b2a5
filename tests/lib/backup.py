#!/usr/bin/python3
"""Reads pitrkit's base backups. Written from pitrkit-format(5) alone.

	backup.py --key FILE --root CLUSTER-FOLDER --cluster C list
	backup.py ... head ID		the head as JSON
	backup.py ... manifest ID	one line per record
	backup.py ... unpack ID DIR	the tree, below DIR

CLUSTER-FOLDER is CLUSTER/SYSTEM-ID in a directory repository.
"""
import argparse
import json
import os
import struct
import sys

import xxhash
from decode import Refused, decode, need, read_keys


class Bytes:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        need(len(self.data) - self.at >= n, 'a record is too short')
        self.at += n
        return self.data[self.at - n:self.at]

    def number(self, form):
        return struct.unpack('<' + form, self.take(struct.calcsize(form)))[0]

    def string(self):
        n = self.number('H')
        need(n <= 1023, 'string too long')
        s = self.take(n)
        need(b'\0' not in s and self.take(1) == b'\0', 'NUL')
        return s.decode()

    def path(self):
        s = self.string()
        for part in s.split('/'):
            need(part not in ('', '.', '..'), 'path ' + s)
        return s


def pack_of(b):
    name, size = b.path(), b.number('Q')
    files = []
    for _ in range(b.number('I')):
        mode, mtime, length = b.number('I'), b.number('q'), b.number('Q')
        need(mode <= 0o7777, 'mode')
        files.append((b.path(), mode, mtime, length))
    n, total = b.number('I'), b.number('I')
    extents, end, last = [], 0, -1
    for _ in range(n):
        offset, stored = b.number('Q'), b.number('I')
        index, length = b.number('I'), b.number('I')
        need(offset >= end and offset + stored <= size, 'extent')
        need(index > last, 'index')
        end, last = offset + stored, index
        pieces, used = [], 0
        for _ in range(b.number('I')):
            file, at = files[b.number('I')], b.number('Q')
            inside, n_bytes = b.number('I'), b.number('I')
            need(n_bytes >= 1 and at + n_bytes <= file[3], 'piece in file')
            need(used <= inside and inside + n_bytes <= length, 'piece')
            used = inside + n_bytes
            pieces.append((file, at, inside, n_bytes, b.take(16)))
        total -= len(pieces)
        extents.append((offset, stored, index, length, pieces))
    need(total == 0, 'number of pieces')
    return name, size, extents


def records(data):
    """Yields (type, what); checks the totals at the end."""
    b = Bytes(data)
    files = folders = links = packs = extents = pieces = stored = 0
    length = announced = 0
    listed, folders_seen = set(), set()

    def fits(path, folder):
        parts = path.split('/')
        above = {'/'.join(parts[:i]) for i in range(1, len(parts))}
        need(not above & listed, 'below a file: ' + path)
        need(path not in listed, 'twice: ' + path)
        need(folder or path not in folders_seen, 'a folder, too: ' + path)
        folders_seen.update(above)
        (folders_seen if folder else listed).add(path)

    while True:
        kind, n = b.take(1).decode(), b.number('I')
        need(n <= 8388608, 'record too long')
        r = Bytes(b.take(n))
        if kind in 'DFL':
            mode, mtime, path = r.number('I'), r.number('q'), r.path()
            target = r.string() if kind == 'L' else None
            fits(path, kind == 'D')
            folders += kind == 'D'
            files += kind == 'F'
            links += kind == 'L'
            yield kind, (path, mode, mtime, target)
        elif kind == 'P':
            what = pack_of(r)
            packs += 1
            stored += what[1]
            for e in what[2]:
                extents += 1
                for file, at, _, n_bytes, _ in e[4]:
                    pieces += 1
                    length += n_bytes
                    if at == 0:
                        fits(file[0], False)
                        files += 1
                        announced += file[3]
            yield kind, what
        else:
            need(kind == 'E', 'type ' + kind)
            totals = [r.number('Q') for _ in range(8)]
            need(totals == [files, folders, links, length, packs, extents,
                            pieces, stored], 'totals')
            need(announced == length, 'files lack parts')
        need(r.at == len(r.data), 'record too long')
        if kind == 'E':
            need(b.at == len(data), 'bytes after the end')
            return


class Backup:
    def __init__(self, a, ident):
        self.a, self.id = a, ident
        self.system_id = int(os.path.basename(os.path.abspath(a.root)))
        with open(a.key) as f:
            self.keys = read_keys([f.read()])

    def object(self, what, kind):
        with open(f'{self.a.root}/base/{what}', 'rb') as f:
            data = f.read()
        return data, decode(data, self.keys, self.a.cluster, self.system_id,
                            kind, what)[1]

    def head(self):
        h = json.loads(self.object(self.id + '/head', 7)[1])
        need(h['format'] == 1 and h['id'] == self.id, 'head')
        return h

    def manifest(self):
        return records(self.object(self.id + '/manifest', 6)[1])

    def unpack(self, root):
        for kind, what in self.manifest():
            if kind == 'D':
                # folders of tablespaces have no record of their own
                parts = what[0].split('/')
                if parts[0] == 'pg_tblspc' and len(parts) == 3:
                    os.makedirs(f'{root}/{parts[0]}/{parts[1]}', exist_ok=True)
                os.mkdir(f'{root}/{what[0]}')
            elif kind == 'F':
                open(f'{root}/{what[0]}', 'xb').close()
            elif kind == 'L':
                raise Refused('a link: ' + what[0])
            else:
                self.unpack_pack(root, what)

    def unpack_pack(self, root, what):
        name, size, extents = what
        data, content = self.object(name, 5)
        need(len(data) == size, 'length of the pack')
        at = 0  # in a full backup's packs every chunk is an extent
        for i, (offset, stored, index, length, pieces) in enumerate(extents):
            need(index == i, 'index of a chunk')
            need(struct.unpack_from('<I', data, offset)[0] + 4 == stored,
                 'length of a chunk')
            need(i == 0 or offset == extents[i - 1][0] + extents[i - 1][1],
                 'a chunk between extents')
            for (path, _, _, _), to, inside, n, xxh in pieces:
                full = f'{root}/{path}'
                here = content[at + inside:at + inside + n]
                need(xxhash.xxh3_128_digest(here) == xxh, 'XXH3-128 of a piece')
                fd = os.open(full, os.O_WRONLY | os.O_CREAT, 0o600)
                os.pwrite(fd, here, to)
                os.close(fd)
            at += length
        need(at == len(content), 'extents are not all of the pack')


def main():
    p = argparse.ArgumentParser()
    p.add_argument('--key', required=True)
    p.add_argument('--root', required=True)
    p.add_argument('--cluster', default='main')
    p.add_argument('what', choices=['list', 'head', 'manifest', 'unpack'])
    p.add_argument('args', nargs='*')
    a = p.parse_args()
    if a.what == 'list':
        base = a.root + '/base'
        for name in sorted(os.listdir(base)) if os.path.isdir(base) else []:
            if os.path.exists(f'{base}/{name}/head'):
                print(name)
        return
    b = Backup(a, a.args[0])
    try:
        if a.what == 'head':
            print(json.dumps(b.head(), indent=1, sort_keys=True))
        elif a.what == 'manifest':
            for kind, what in b.manifest():
                if kind == 'P':
                    print(kind, what[0], what[1], len(what[2]))
                    for e in what[2]:
                        for file, at, inside, n, _ in e[4]:
                            print(' ', file[0], file[3], at, n)
                else:
                    print(kind, what[0])
        else:
            b.unpack(a.args[1])
    except Refused as e:
        sys.exit(f'backup.py: {b.id}: {e}')


if __name__ == '__main__':
    main()
