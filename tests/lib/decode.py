#!/usr/bin/python3
"""Opens pitrkit's sealed objects. Written from pitrkit-format(5) alone.

	decode.py [--key FILE]... --cluster C --system-id N --kind K --name NAME
	    [--meta] FILE

prints the content of the object FILE, or its meta in hexadecimal. Without
--key only objects open that were written with encryption off. As a module:
keys = read_keys([text]); meta, content = decode(data, keys, C, N, K, NAME).
Raises Refused for everything that breaks a rule of the page.
"""
import argparse
import base64
import hashlib
import hmac as _hmac
import struct
import sys

import xxhash
import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import (
    X25519PrivateKey, X25519PublicKey)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand


class Refused(Exception):
    pass


def need(condition, what):
    if not condition:
        raise Refused(what)


def sha256(data):
    return hashlib.sha256(data).digest()


def hmac(key, data):
    return _hmac.new(key, data, hashlib.sha256).digest()


def extract(salt, data):
    return hmac(salt, data)


def expand(key, info, length=32):
    return HKDFExpand(hashes.SHA256(), length, info).derive(key)


def raw(public):
    return public.public_bytes(
        serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def opened(key, nonce, sealed, aad=None):
    try:
        return AESGCM(key).decrypt(nonce, sealed, aad)
    except InvalidTag:
        raise Refused('authentication') from None


class Key:
    """A block of a key file."""

    def __init__(self, secret, key_id=bytes(8), private=None):
        base = extract(b'pitrkit-1', secret)
        self.id = key_id
        self.private = private
        self.psk = expand(base, b'psk')
        self.fingerprint = expand(base, b'fingerprint')
        self.trailer = expand(base, b'trailer')


def block(kind, fields):
    own = {'pitrkit-key-1': 'private', 'pitrkit-recipient-1': 'public'}[kind]
    known = {'id', own, 'secret'}
    need(known <= set(fields), 'a line is missing in a key file')
    if own == 'private':
        known.add('created')
    need(set(fields) <= known, 'unknown line in a key file')
    key = base64.b64decode(fields[own], validate=True)
    secret = base64.b64decode(fields['secret'], validate=True)
    need(len(key) == 32 and len(secret) == 32, 'length of a key')
    need(secret != bytes(32), 'a secret of zeros')
    private = None
    if own == 'private':
        private = X25519PrivateKey.from_private_bytes(key)
        key = raw(private.public_key())
    key_id = bytes.fromhex(fields['id'])
    need(key_id == sha256(b'pitrkit-key-id-1' + key)[:8], 'key id')
    return Key(secret, key_id, private)


def read_keys(texts):
    """{key id: Key} of the texts of key files; None for no file at all."""
    if not texts:
        return None
    keys, blocks = {}, []
    for text in texts:
        for line in text.split('\n'):
            line = line.strip(' \t\r')
            if line == '' or line.startswith('#'):
                continue
            if line in ('pitrkit-key-1', 'pitrkit-recipient-1'):
                blocks.append((line, {}))
                continue
            need(blocks, 'no key file')
            name, equals, value = line.partition('=')
            name = name.strip(' \t')
            need(equals and name not in blocks[-1][1], 'line of a key file')
            blocks[-1][1][name] = value.strip(' \t')
    for kind, fields in blocks:
        key = block(kind, fields)
        need(key.id not in keys, 'a key comes twice')
        keys[key.id] = key
    return keys


# RFC 9180: mode_psk, KEM 0x0020, KDF 0x0001, AEAD 0x0002, one message.

KEM = b'KEM\x00\x20'
SUITE = b'HPKE\x00\x20\x00\x01\x00\x02'


def labeled_extract(suite, salt, label, data):
    return extract(salt, b'HPKE-v1' + suite + label + data)


def labeled_expand(suite, prk, label, info, length):
    return expand(prk, struct.pack('>H', length) + b'HPKE-v1' + suite +
                  label + info, length)


def hpke_open(private, psk, psk_id, info, aad, enc, sealed):
    try:
        dh = private.exchange(X25519PublicKey.from_public_bytes(enc))
    except ValueError:
        raise Refused('encapsulated key') from None
    prk = labeled_extract(KEM, b'', b'eae_prk', dh)
    shared = labeled_expand(
        KEM, prk, b'shared_secret', enc + raw(private.public_key()), 32)
    context = (b'\x01' +
               labeled_extract(SUITE, b'', b'psk_id_hash', psk_id) +
               labeled_extract(SUITE, b'', b'info_hash', info))
    secret = labeled_extract(SUITE, shared, b'secret', psk)
    key = labeled_expand(SUITE, secret, b'key', context, 32)
    nonce = labeled_expand(SUITE, secret, b'base_nonce', context, 12)
    return opened(key, nonce, sealed, aad)


def binding_of(cluster, system_id, kind, name):
    return sha256(b'pitrkit-binding-1\0' + cluster.encode() + b'\0' +
                  b'%d\0' % system_id + bytes([kind]) + b'\0' + name.encode())


class Header:
    def __init__(self, data, keys, binding, kind):
        need(len(data) >= 96 and data[:8] == b'PITRKIT\n', 'magic')
        (version, self.kind, self.compression, length, self.limit, stanzas,
         meta) = struct.unpack('<HBBIIHH', data[8:24])
        need(version == 1, 'version')
        need(self.compression in (0, 1), 'compression')
        need(1 <= self.limit <= 4194304, 'chunk limit')
        need(1 <= stanzas <= 16 and meta <= 2048, 'stanzas or meta')
        need(length == 96 + 92 * stanzas + meta + 16 and length <= 4096 and
             length <= len(data), 'header length')
        self.bytes = data[:length]
        self.binding, self.key_id = data[24:56], data[56:64]
        self.fingerprint = data[64:96]
        need(self.kind == kind and self.binding == binding, 'binding')
        self.stanzas = [data[96 + 92 * i:188 + 92 * i]
                        for i in range(stanzas)]
        at = length - meta - 16
        self.object_key = self.unwrap(keys)
        self.meta = opened(
            expand(self.object_key, b'pitrkit-meta-1' + sha256(data[:at])),
            bytes(12), data[at:length])

    def unwrap(self, keys):
        if self.stanzas[0][0] == 0:
            s = self.stanzas[0]
            need(len(self.stanzas) == 1 and s[:44] == bytes(44) and
                 s[76:] == bytes(16) and self.key_id == bytes(8),
                 'clear stanza')
            need(keys is None, 'written with encryption off')
            return s[44:76]
        for s in self.stanzas:
            need(s[:4] == b'\1\0\0\0', 'type of a stanza')
        need(keys is not None, 'encrypted, and no key')
        for s in self.stanzas:
            key = keys.get(s[4:12])
            if key is not None and key.private is not None:
                return hpke_open(
                    key.private, key.psk, key.id,
                    b'pitrkit-object-1\0' + self.binding, self.bytes[:96],
                    s[12:44], s[44:])
        raise Refused('no private key for it')


def nonce(index, end):
    return struct.pack('<Q3xB', index, end)


def content_of(header, frame):
    if header.compression == 0:
        return frame
    size = zstandard.get_frame_parameters(frame).content_size
    need(0 < size <= header.limit, 'size of a frame')
    d = zstandard.ZstdDecompressor().decompressobj()
    out = d.decompress(frame)
    need(d.unused_data == b'' and len(out) == size, 'one whole frame')
    return out


def chunks_of(data, header):
    """Content and the offset of the trailer."""
    key = expand(header.object_key,
                 b'pitrkit-payload-1' + sha256(header.bytes))
    at, out, count = len(header.bytes), [], 0
    while True:
        need(len(data) - at >= 4, 'cut off')
        n, = struct.unpack_from('<I', data, at)
        end = n >> 31
        n &= 0x7fffffff
        need(n == 28 if end else
             4 + n <= header.limit + header.limit // 128 + 1024,
             'length of a chunk')
        need(len(data) - at - 4 >= n, 'cut off')
        plain = opened(key, nonce(count, end), data[at + 4:at + 4 + n])
        at += 4 + n
        if end:
            break
        part = content_of(header, plain)
        need(1 <= len(part) <= header.limit, 'content of a chunk')
        out.append(part)
        count += 1
    content = b''.join(out)
    need(struct.unpack('<QI', plain) == (len(content), count), 'totals')
    return content, at


def decode(data, keys, cluster, system_id, kind, name):
    """(meta, content) of the object; every rule of the page is checked."""
    header = Header(
        data, keys, binding_of(cluster, system_id, kind, name), kind)
    content, at = chunks_of(data, header)
    need(len(data) - at == 40, 'length of the trailer')
    length = struct.unpack_from('<Q', data, at)[0]
    need(length == len(data), 'length in the trailer')
    if header.key_id == bytes(8):
        key = Key(bytes(32))
    else:
        key = keys.get(header.key_id)
    if key is not None:
        need(data[at + 8:] == hmac(
            key.trailer, b'pitrkit-trailer-1\0' + sha256(header.bytes) +
            struct.pack('<Q', length)), 'trailer')
    if key is not None and header.fingerprint != bytes(32):
        need(header.fingerprint == hmac(
            key.fingerprint, b'pitrkit-fingerprint-1\0' + header.binding +
            struct.pack('<Q', len(content)) +
            xxhash.xxh3_128_digest(content)), 'fingerprint')
    return header.meta, content


def main():
    p = argparse.ArgumentParser()
    p.add_argument('--key', action='append', default=[])
    p.add_argument('--cluster', required=True)
    p.add_argument('--system-id', type=int, required=True)
    p.add_argument('--kind', type=int, required=True)
    p.add_argument('--name', required=True)
    p.add_argument('--meta', action='store_true')
    p.add_argument('file')
    a = p.parse_args()
    try:
        texts = []
        for path in a.key:
            with open(path, encoding='ascii') as f:
                texts.append(f.read())
        with open(a.file, 'rb') as f:
            data = f.read()
        meta, content = decode(data, read_keys(texts), a.cluster,
                               a.system_id, a.kind, a.name)
    except Refused as e:
        sys.exit(f'decode.py: {a.file}: refused: {e}')
    if a.meta:
        print(meta.hex())
    else:
        sys.stdout.buffer.write(content)


if __name__ == '__main__':
    main()
