#!/usr/bin/python3
"""Walks the audit trail of a directory repository. Written from
pitrkit-format(5) alone.

	trail.py [--key FILE]... DIRECTORY CLUSTER SYSTEM-ID

prints each record as a line of JSON, writer by writer, and refuses what breaks
a rule of the page.
"""
import argparse
import hashlib
import json
import os
import re
import sys

from decode import Refused, decode, need, read_keys

WRITER = re.compile(r'[A-Za-z0-9_-][A-Za-z0-9._-]{0,62}-[0-9a-f]{8}')
OPERATION = re.compile(r'[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}')
TEXTS = ('host', 'user', 'object', 'checksum', 'reason', 'approved_by',
         'message', 'began')
WORDS = ('program', 'version', 'action')


def is_number(value, most):
    if isinstance(value, str):
        need(value.isdecimal(), 'a number in a string')
        value = int(value)
    return type(value) is int and 0 <= value <= most


def is_text(value, most=1023):
    return isinstance(value, str) and len(value.encode()) <= most and \
        not any(c < ' ' or '\x7f' <= c < '\xa0' for c in value)


def no_doubles(pairs):
    need(len({name for name, _ in pairs}) == len(pairs), 'a member twice')
    return dict(pairs)


def check_record(content, writer, number):
    need(len(content) <= 65536, 'length of a record')
    r = json.loads(content, object_pairs_hook=no_doubles)
    need(r['format'] == 1, 'format')
    need(r['writer'] == writer and r['sequence'] == number, 'whose it is')
    need(all(is_text(r[t]) for t in TEXTS), 'a text')
    need(all(is_text(r[w], 63) and r[w] for w in WORDS), 'a word')
    need(re.fullmatch('[0-9a-f]{64}', r['previous']), 'previous')
    need((r['previous'] == '0' * 64) == (number == 1), 'previous of the first')
    need((r['began'] != '') == (number == 1), 'began')
    need(is_number(r['at_us'], 7258118400000000), 'at_us')
    need(is_number(r['pid'], 2**32 - 1), 'pid')
    need(OPERATION.fullmatch(r['operation']), 'operation')
    need(r['phase'] in ('begun', 'ended', 'done'), 'phase')
    for name in ('objects', 'bytes', 'stored'):
        need(r[name] is None or is_number(r[name], 2**64 - 2), name)
    need(len(r['details']) <= 16, 'details')
    for d in r['details']:
        need(is_text(d['name'], 63) and d['name'] and is_text(d['value']),
             'a detail')
    if r.get('settings') is not None:
        need(re.fullmatch('[0-9a-f]{64}', r['settings']), 'settings')
        changed = r.get('settings_changed')
        if changed is not None:
            need(1 <= len(changed) <= 16, 'settings_changed')
            need(all(is_text(c['name'], 63) and c['name'] and
                     is_text(c['from'], 127) and is_text(c['to'], 127)
                     for c in changed), 'a change')
    need(r['duration_ms'] is None or is_number(r['duration_ms'], 2**63 - 1),
         'duration_ms')
    need((r['status'] is None) == (r['phase'] == 'begun'), 'status')
    need(r['status'] is None or is_number(r['status'], 255), 'status')
    return r


def walk(root, keys, cluster, system_id):
    trail = os.path.join(root, cluster, str(system_id), 'audit')
    for writer in sorted(os.listdir(trail)):
        need(WRITER.fullmatch(writer), 'name of a writer')
        before, number = '0' * 64, 0
        for name in sorted(os.listdir(os.path.join(trail, writer))):
            number += 1
            need(name == '%012d' % number, 'numbers')
            with open(os.path.join(trail, writer, name), 'rb') as f:
                data = f.read()
            meta, content = decode(data, keys, cluster, system_id, 11,
                                   writer + '/' + name)
            need(meta == b'', 'meta')
            record = check_record(content, writer, number)
            need(record['previous'] == before, 'chain')
            before = hashlib.sha256(data).hexdigest()
            yield record


def main():
    p = argparse.ArgumentParser()
    p.add_argument('--key', action='append', default=[])
    p.add_argument('root')
    p.add_argument('cluster')
    p.add_argument('system_id', type=int)
    a = p.parse_args()
    texts = []
    for path in a.key:
        with open(path, encoding='ascii') as f:
            texts.append(f.read())
    try:
        for r in walk(a.root, read_keys(texts), a.cluster, a.system_id):
            print(json.dumps(r, sort_keys=True))
    except (Refused, KeyError, ValueError) as e:
        sys.exit(f'trail.py: refused: {e}')


if __name__ == '__main__':
    main()
