#!/usr/bin/python3
"""walmeta.py HEX: what the meta of a WAL object says, one NAME VALUE a line.
walmeta.py HEX NEXT: and what file NEXT, the segment behind it, adds to the CRC
of the record that lies in both.

Written from pitrkit-format(5) alone, without pitrkit's own code.
"""
import struct
import sys

FIXED = [('size', 'Q'), ('archived', 'q'), ('program', '24s'), ('flags', 'H'),
         ('magic', 'H'), ('timeline', 'I'), ('lsn', 'Q'),
         ('segment_size', 'I'), ('end', 'Q'), ('first_commit', 'q'),
         ('newest_commit', 'q'), ('commits', 'I'), ('xid_first', 'I'),
         ('xid_last', 'I'), ('xid_lowest', 'I'), ('xid_highest', 'I'),
         ('points', 'I'), ('told', 'H'), ('carried', 'I'),
         ('carried_crc', 'I'), ('first', 'Q'), ('first_prev', 'Q'),
         ('last', 'Q'), ('whole', 'Q'), ('left', 'I'), ('owed', 'I')]


def register(crc, data):
    """CRC-32C's register, bit by bit."""
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc


def continued(path, left):
    """So many bytes of a record from a segment's beginning on."""
    with open(path, 'rb') as f:
        data = f.read()
    out = b''
    for page in range(0, len(data), 8192):
        begin = page + (40 if page == 0 else 24)
        out += data[begin:page + 8192][:left - len(out)]
    return out


def main():
    data = bytes.fromhex(sys.argv[1])
    version, fixed = struct.unpack_from('<HH', data, 0)
    form = '<' + ''.join(f for _, f in FIXED)
    if version != 1 or fixed < 4 + struct.calcsize(form):
        sys.exit('not version 1')
    values = struct.unpack_from(form, data, 4)
    meta = dict(zip((n for n, _ in FIXED), values))
    meta['program'] = meta['program'].rstrip(b'\0').decode()
    for name, value in meta.items():
        print(name, value)
    at = fixed
    for _ in range(meta['told']):
        n, lsn, time, length = struct.unpack_from('<HQqB', data, at)
        name = data[at + 19:at + 19 + length].decode()
        print('point', f'{lsn >> 32:X}/{lsn & 0xffffffff:X}', time, name)
        at += 2 + n
    while len(data) - at >= 4:
        kind, n = struct.unpack_from('<HH', data, at)
        section = data[at + 4:at + 4 + n]
        if len(section) < n:
            break
        at += 4 + n
        if kind == 1:
            pushes(section)
    if len(sys.argv) > 2:
        rest = continued(sys.argv[2], meta['left'])
        crc = register(0xffffffff, rest) ^ 0xffffffff
        print('added', register(crc, bytes(20)))


def pushes(section):
    count, size = struct.unpack_from('<HH', section, 0)
    if count > 32 or size < 32 or len(section) < 4 + count * size:
        sys.exit('a section of pushes that is none')
    for i in range(count):
        timeline, log, seg, flags, asked, quorum, held, duration, durable = \
            struct.unpack_from('<IIIHBBIIq', section, 4 + i * size)
        print('push', f'{timeline:08X}{log:08X}{seg:08X}', durable, duration,
              flags, asked, quorum, held)


main()
