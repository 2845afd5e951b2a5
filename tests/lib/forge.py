#!/usr/bin/python3
"""Makes objects from pitrkit-format(5), with encryption off so that all in
them authenticates, that break one rule of the page each.

	forge.py DIR

puts them there, each named after its deviation; two-chunks and no-content
break no rule. Name, cluster and system id are those of tests/tools/object
(name, main, 1), the kind is 1. The content is "hello" and 3000 blanks.
"""
import hashlib
import os
import struct
import sys

import zstandard

import decode

PARTS = [b'hello', b' ' * 3000]
KEY = hashlib.sha256(b'forged').digest()


def zstd(data, **options):
    return zstandard.ZstdCompressor(level=3, **options).compress(data)


def seal(key, nonce, plain):
    return decode.AESGCM(key).encrypt(nonce, plain, None)


class Forged:
    bound = 'main', 1, 1, 'name'
    version, kind, compression, limit, count = 1, 1, 1, 4194304, 1
    key_id = bytes(8)
    fingerprint = bytes(32)
    meta = b'meta'
    stanzas = bytes(44) + KEY + bytes(16)
    header_extra = b''
    frames = [zstd(p) for p in PARTS]
    totals = struct.pack('<QI', 3005, 2)
    length_extra = 0
    end_field = 0x8000001c
    data_flag, end_flag = 0, 1
    trailer_secret = bytes(32)

    def make(self):
        length = (96 + len(self.stanzas) + len(self.header_extra) +
                  len(self.meta) + 16)
        head = (b'PITRKIT\n' + struct.pack(
            '<HBBIIHH', self.version, self.kind, self.compression, length,
            self.limit, self.count, len(self.meta)) +
            decode.binding_of(*self.bound) + self.key_id +
            self.fingerprint + self.stanzas + self.header_extra)
        head += seal(decode.expand(KEY, b'pitrkit-meta-1' +
                                   decode.sha256(head)), bytes(12), self.meta)
        key = decode.expand(
            KEY, b'pitrkit-payload-1' + decode.sha256(head))
        out = head
        for i, frame in enumerate(self.frames):
            c = seal(key, decode.nonce(i, self.data_flag), frame)
            out += struct.pack('<I', len(c)) + c
        out += struct.pack('<I', self.end_field) + seal(
            key, decode.nonce(len(self.frames), self.end_flag), self.totals)
        n = struct.pack('<Q', len(out) + 40 + self.length_extra)
        return out + n + decode.hmac(
            decode.Key(self.trailer_secret).trailer,
            b'pitrkit-trailer-1\0' + decode.sha256(head) + n)


def frames_of(*parts):
    return {'frames': [zstd(p) for p in parts],
            'totals': struct.pack('<QI', sum(map(len, parts)), len(parts))}


def fingerprint_of(bound, content):
    """With encryption off: the secret is 32 zeros."""
    return decode.hmac(
        decode.Key(bytes(32)).fingerprint, b'pitrkit-fingerprint-1\0' +
        decode.binding_of(*bound) + struct.pack('<Q', len(content)) +
        decode.xxhash.xxh3_128_digest(content))


STREAMED = zstandard.ZstdCompressor(write_content_size=False)
# A frame that zstd's readers pass over.
USERS_OWN = struct.pack('<II', 0x184d2a50, 4) + b'mine'
DEVIATIONS = {
    'two-chunks': {},
    'no-content': frames_of(),
    'version-0': {'version': 0},
    'version-2': {'version': 2},
    'other-kind': {'kind': 2},
    'compression-2': {'compression': 2},
    'limit-0': {'limit': 0},
    'limit-above-4-MiB': {'limit': 4194305},
    'no-stanza': {'count': 0, 'stanzas': b''},
    'two-clear-stanzas': {'count': 2, 'stanzas': 2 * Forged.stanzas},
    '17-stanzas': {'count': 17, 'stanzas': 17 * Forged.stanzas},
    'stanza-of-type-2': {'stanzas': b'\2' + Forged.stanzas[1:]},
    'key-id-in-clear-stanza': {
        'stanzas': bytes(4) + b'\1' + Forged.stanzas[5:]},
    'tag-in-clear-stanza': {'stanzas': Forged.stanzas[:-1] + b'\1'},
    'key-id-in-clear-header': {'key_id': b'\1' + bytes(7)},
    'gap-before-meta': {'header_extra': b'gap'},
    'meta-above-2048': {'meta': bytes(2049)},
    'empty-chunk': frames_of(b'hello', b'', b' ' * 3000),
    'no-frame': {'frames': [b'hello' * 601],
                 'totals': struct.pack('<QI', 3005, 1)},
    'two-frames-in-a-chunk': {'frames': [zstd(PARTS[0]) + zstd(PARTS[1])],
                              'totals': struct.pack('<QI', 3005, 1)},
    'bytes-behind-a-frame': {'frames': [zstd(PARTS[0]) + b'x',
                                        zstd(PARTS[1])]},
    'frame-of-the-user': {'frames': [USERS_OWN + zstd(PARTS[0]),
                                     zstd(PARTS[1])]},
    'cut-frame': {'frames': [zstd(PARTS[0]), zstd(PARTS[1])[:-1]]},
    'no-content-size': {'frames': [STREAMED.compress(p) for p in PARTS]},
    'content-above-limit': {'limit': 2999},
    'stored-above-limit': {
        'limit': 100, 'compression': 0, 'frames': [bytes(2000)],
        'totals': struct.pack('<QI', 2000, 1)},
    'too-many-content-bytes': {'totals': struct.pack('<QI', 3006, 2)},
    'too-many-chunks': {'totals': struct.pack('<QI', 3005, 3)},
    'longer-totals': {'totals': struct.pack('<QIB', 3005, 2, 0)},
    'end-as-data': {'end_flag': 0},
    'end-without-its-bit': {'end_field': 28},
    'end-with-another-length': {'end_field': 0x8000001d},
    'data-as-end': {'data_flag': 1},
    'length-of-another': {'length_extra': 1},
    'trailer-with-another-secret': {'trailer_secret': b'\1' * 32},
}


def main():
    for name, deviation in DEVIATIONS.items():
        forged = Forged()
        for attribute, value in deviation.items():
            assert hasattr(forged, attribute)
            setattr(forged, attribute, value)
        with open(os.path.join(sys.argv[1], name), 'wb') as f:
            f.write(forged.make())


if __name__ == '__main__':
    main()
