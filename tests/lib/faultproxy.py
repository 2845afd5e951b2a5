#!/usr/bin/python3
"""A reverse proxy that damages what passes through it, on request.

It stands between pitrkit and the S3 server of the tests.  The Host header is
passed on as received, so that signatures stay valid.

  faultproxy.py --upstream http://127.0.0.1:PORT --rules FILE --log FILE
                --port-file FILE [--cert FILE --key FILE] [--ceph DIR]
                [--owner PID]

Listens on a free port of 127.0.0.1 and writes its number to the port file
once it does; with --cert and --key it speaks TLS.  It ends when the process
given by --owner is gone.  --ceph is the directory of tests/servers/ceph; the
action "replace" needs it.

RULES: a JSON file, looked at again on every request (replace it by rename;
absent or empty: no faults).  A list of objects, each

  "method"  regular expression for the whole method       (default: any)
  "path"    regular expression searched in path?query as sent  (default: any)
  which of the matching requests, counted from 1 for each rule since the file
  was last changed (default: every one):
  "nth": N | "first": N | "after": N | "every": N
  "prob": 0..1 with "seed": N      same seed, same choices
  "times": N                       fires N times at most
  "action": what to do, with its own parameters

The first rule that selects a request decides, but latency, delay and slow
leave the decision to the rules that follow.

Before anything is forwarded:
  latency    "ms": N              wait
  delay      "seconds": N         wait
  status     "status": N, "body": TEXT (default: an S3 <Error>), "code": CODE,
             "headers": {..}      answer so, forward nothing
  empty200                        200 without a body
  200error   "code": CODE         200 with an S3 <Error> as body
  hang                            read the request, never answer
  drop-request  "reset": true     close (or reset) without reading the body
  flip-request  "offset": N, "bit": N   flip a bit of the request's body
After it was forwarded (the server did what it was asked):
  drop-response "reset": true     close before the answer
  after-status  "status": N, ...  as status, but stored first
  after-200error "code": CODE     as 200error, but forwarded first
  cut        "bytes": N, "reset": true  right headers, N bytes of body, close
  truncate   "bytes": N           a shorter body with matching Content-Length
  wronglen   "delta": N           Content-Length off by N; then close
  flip       "offset": N, "bit": N   flip a bit of the body; N < 0 from its end
  replace    "bucket": B, "key": K   the body of another object (ranges apply)
             or "file": PATH
  headers    "headers": {..}      set or (null) remove answer headers
  slow       "rate": N            N bytes per second of the answer's body

LOG: one line per request, written before the client can see its answer:
  METHOD PATH?QUERY RANGE|- STATUS|- BYTES-IN BYTES-OUT ACTION[,ACTION]|none
BYTES-IN and -OUT are the body bytes taken from and meant for the client; a
STATUS of - means that it gets no answer.
"""
import argparse
import json
import os
import random
import re
import select
import socket
import ssl
import struct
import sys
import threading
import time
import urllib.parse

BLOCK = 1 << 18
HEAD_LIMIT = 1 << 16
CONTINUING = ("latency", "delay", "slow")
BEFORE = ("status", "empty200", "200error", "hang", "drop-request",
          "flip-request")
AFTER = ("drop-response", "after-status", "after-200error", "cut",
         "truncate", "wronglen", "flip", "replace", "headers")


class Closed(Exception):
    """The peer closed the connection, or it is to be closed."""


class Rules:
    def __init__(self, path):
        self.path = path
        self.lock = threading.Lock()
        self.seen = None
        self.rules = []

    def load(self):
        try:
            st = os.stat(self.path)
        except FileNotFoundError:
            self.seen, self.rules = None, []
            return
        now = (st.st_mtime_ns, st.st_ino, st.st_size)
        if now == self.seen:
            return
        with open(self.path, encoding="utf-8") as f:
            text = f.read()
        rules = json.loads(text) if text.strip() else []
        for rule in rules:
            if rule["action"] not in CONTINUING + BEFORE + AFTER:
                raise ValueError(f"no such action: {rule['action']}")
            rule["count"] = rule["fired"] = 0
            rule["random"] = random.Random(rule.get("seed", 0))
        self.seen, self.rules = now, rules

    @staticmethod
    def selected(rule):
        n = rule["count"]
        if rule["fired"] >= rule.get("times", n):
            return False
        if n <= rule.get("after", 0) or n > rule.get("first", n):
            return False
        if n % rule.get("every", 1) or n != rule.get("nth", n):
            return False
        return "prob" not in rule or rule["random"].random() < rule["prob"]

    def choose(self, method, target):
        """The rules that apply to this request, the deciding one last."""
        chosen = []
        with self.lock:
            self.load()
            for rule in self.rules:
                if not re.fullmatch(rule.get("method", ".*"), method):
                    continue
                if not re.search(rule.get("path", ""), target):
                    continue
                rule["count"] += 1
                if not self.selected(rule):
                    continue
                rule["fired"] += 1
                chosen.append(rule)
                if rule["action"] not in CONTINUING:
                    break
        return chosen


class Peer:
    """A socket with a read buffer for heads."""

    def __init__(self, sock):
        self.sock = sock
        self.buf = b""

    def head(self):
        """Reads up to the empty line; returns start line and header list."""
        while b"\r\n\r\n" not in self.buf:
            if len(self.buf) > HEAD_LIMIT:
                raise Closed("head too long")
            data = self.sock.recv(BLOCK)
            if not data:
                raise Closed("end of connection")
            self.buf += data
        raw, self.buf = self.buf.split(b"\r\n\r\n", 1)
        lines = raw.decode("latin-1").split("\r\n")
        headers = []
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers.append((name.strip(), value.strip()))
        return lines[0], headers

    def line(self):
        while b"\r\n" not in self.buf:
            data = self.sock.recv(BLOCK)
            if not data or len(self.buf) > HEAD_LIMIT:
                raise Closed("bad chunk")
            self.buf += data
        line, self.buf = self.buf.split(b"\r\n", 1)
        return line

    def body(self, length):
        """Yields exactly length bytes in large blocks."""
        if self.buf and length:
            part, self.buf = self.buf[:length], self.buf[length:]
            length -= len(part)
            yield part
        space = bytearray(min(BLOCK, length) or 1)
        view = memoryview(space)
        while length:
            n = self.sock.recv_into(view[:min(len(space), length)])
            if n == 0:
                raise Closed("body ended early")
            length -= n
            yield view[:n]

    def chunked(self):
        """The whole of a chunked body."""
        data = b""
        while True:
            size = int(self.line().split(b";")[0], 16)
            data += b"".join(bytes(b) for b in self.body(size))
            if size:
                self.line()
                continue
            while self.line():
                pass
            return data

    def close(self, reset=False):
        try:
            if reset:
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                     struct.pack("ii", 1, 0))
            else:
                self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()


def header(headers, name):
    for n, value in headers:
        if n.lower() == name:
            return value
    return None


def with_headers(headers, changes):
    kept = [(n, v) for n, v in headers
            if n.lower() not in {c.lower() for c in changes}]
    return kept + [(n, v) for n, v in changes.items() if v is not None]


def flipped(blocks, length, rule):
    """Passes blocks on with one bit changed."""
    offset = rule.get("offset", 0)
    offset = offset + length if offset < 0 else offset
    pos = 0
    for block in blocks:
        if pos <= offset < pos + len(block):
            block = bytearray(block)
            block[offset - pos] ^= 1 << rule.get("bit", 0)
        pos += len(block)
        yield block


def limited(blocks, count):
    for block in blocks:
        if count <= 0:
            return
        yield block[:count]
        count -= len(block)


def slowed(blocks, rate):
    """Not more than rate bytes a second, in pieces of a tenth of it."""
    piece = max(1, int(rate / 10))
    for block in blocks:
        for i in range(0, len(block), piece):
            part = block[i:i + piece]
            time.sleep(len(part) / rate)
            yield part


def error_body(code):
    return (f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}'
            "</Code><Message>made by the fault proxy</Message>"
            "</Error>").encode()


CODES = {400: "BadRequest", 403: "AccessDenied", 404: "NoSuchKey",
         408: "RequestTimeout", 409: "OperationAborted",
         412: "PreconditionFailed", 429: "TooManyRequests",
         500: "InternalError", 503: "SlowDown"}


class Connection:
    """One client connection, with one to the server behind it."""

    def __init__(self, proxy, sock):
        self.proxy = proxy
        self.client = Peer(sock)
        self.server = None

    def connect(self):
        """A usable server connection; an idle one may have been closed."""
        if self.server:
            readable, _, _ = select.select([self.server.sock], [], [], 0)
            if not readable:
                return
            self.server.close()
        sock = socket.create_connection(self.proxy.upstream, timeout=None)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.server = Peer(sock)

    def run(self):
        try:
            while True:
                self.request()
        except (Closed, OSError, ssl.SSLError):
            pass
        finally:
            self.client.close()
            if self.server:
                self.server.close()

    # -- the request -------------------------------------------------------

    def request(self):
        start, headers = self.client.head()
        self.method, self.target, _ = start.split(" ", 2)
        self.headers = headers
        self.keep = (header(headers, "connection") or "").lower() != "close"
        self.length = int(header(headers, "content-length") or 0)
        self.expect = header(headers, "expect") is not None
        if header(headers, "transfer-encoding"):
            self.rules = []
            self.answer(501, b"chunked requests are not supported")
            raise Closed
        self.rules = self.proxy.rules.choose(self.method, self.target)
        self.rate = 0
        for rule in self.rules:
            if rule["action"] == "latency":
                time.sleep(rule.get("ms", 0) / 1000)
            elif rule["action"] == "delay":
                time.sleep(rule.get("seconds", 0))
            elif rule["action"] == "slow":
                self.rate = rule.get("rate", 1 << 20)
        rule = self.rules[-1] if self.rules else {"action": "none"}
        action = rule["action"]
        if action == "drop-request":
            self.log("-", 0, 0)
            self.client.close(rule.get("reset", False))
            raise Closed
        if action == "hang":
            self.hang()
        if action in ("status", "empty200", "200error"):
            # Who waits for "100 Continue" sends no body after a refusal.
            if self.expect and self.length:
                self.keep = False
            else:
                for _ in self.client.body(self.length):
                    pass
            self.made_up(rule)
        else:
            self.forward(rule)
        if not self.keep:
            raise Closed

    def hang(self):
        self.log("-", self.length, 0)
        if self.expect:
            self.client.sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        for _ in self.client.body(self.length):
            pass
        while self.client.sock.recv(1):
            pass
        raise Closed

    def made_up(self, rule):
        action = rule["action"].replace("after-", "")
        if action == "empty200":
            self.answer(200, b"")
        elif action == "200error":
            self.answer(200, error_body(rule.get("code", "InternalError")))
        else:
            status = rule.get("status", 503)
            code = rule.get("code", CODES.get(status, "InternalError"))
            body = (rule["body"].encode() if "body" in rule
                    else error_body(code))
            self.answer(status, body, rule.get("headers"))

    # -- the answer --------------------------------------------------------

    def log(self, status, came, goes):
        actions = ",".join(r["action"] for r in self.rules) or "none"
        self.proxy.log(f"{self.method} {self.target} "
                       f"{header(self.headers, 'range') or '-'} "
                       f"{status} {came} {goes} {actions}\n")

    def answer(self, status, body, extra=None):
        """An answer of our own."""
        headers = [("Content-Length", str(len(body)))]
        if body.startswith(b"<"):
            headers.append(("Content-Type", "application/xml"))
        if not self.keep:
            headers.append(("Connection", "close"))
        headers = with_headers(headers, extra or {})
        if self.method == "HEAD":
            body = b""
        self.log(status, self.length, len(body))
        self.send_head(f"HTTP/1.1 {status} Made Up", headers)
        self.client.sock.sendall(body)

    def send_head(self, start, headers):
        text = "".join([start, "\r\n"]
                       + [f"{n}: {v}\r\n" for n, v in headers] + ["\r\n"])
        self.client.sock.sendall(text.encode("latin-1"))

    def forward(self, rule):
        try:
            self.connect()
        except OSError as e:
            self.keep = False
            self.answer(502, str(e).encode())
            return
        start, headers, length, blocks = self.exchange(rule)
        action = rule["action"]
        status = start.split(" ")[1]
        if action in ("drop-response", "after-status", "after-200error"):
            for _ in blocks:
                pass
        if action == "drop-response":
            self.log("-", self.length, 0)
            self.client.close(rule.get("reset", False))
            raise Closed
        if action.startswith("after-"):
            self.made_up(rule)
            return
        said = length
        if action == "replace":
            headers, blocks, length = self.replaced(rule, status, headers,
                                                    blocks)
            said = length
        elif action == "headers":
            headers = with_headers(headers, rule["headers"])
        elif action == "flip":
            blocks = flipped(blocks, length, rule)
        elif action in ("cut", "truncate"):
            short = min(length, rule.get("bytes", 0))
            blocks = limited(blocks, short)
            said = length if action == "cut" else short
            length = short
        elif action == "wronglen":
            said = max(0, length + rule.get("delta", 1))
        if self.method != "HEAD":
            headers = with_headers(headers, {"Content-Length": str(said)})
        ends = action in ("cut", "truncate", "wronglen")
        self.log(status, self.length, length)
        self.send_head(start, headers)
        for block in slowed(blocks, self.rate) if self.rate else blocks:
            self.client.sock.sendall(block)
        if ends:
            # Not all of the server's answer was read.
            self.client.close(rule.get("reset", False))
            raise Closed

    def exchange(self, rule):
        """Sends the request on; returns the answer's start line, headers,
        body length and an iterator over the body."""
        server = self.server
        passed = [(n, v) for n, v in self.headers if n.lower() != "expect"]
        text = "".join([f"{self.method} {self.target} HTTP/1.1\r\n"]
                       + [f"{n}: {v}\r\n" for n, v in passed] + ["\r\n"])
        server.sock.sendall(text.encode("latin-1"))
        if self.expect and self.length:
            self.client.sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        blocks = self.client.body(self.length)
        if rule["action"] == "flip-request":
            blocks = flipped(blocks, self.length, rule)
        refused = False
        for block in blocks:
            # A server that has said no already may stop listening: its
            # answer still counts.
            if not refused:
                try:
                    server.sock.sendall(block)
                except OSError:
                    refused = True
        start, headers = server.head()
        while start.split(" ")[1].startswith("1"):
            start, headers = server.head()
        if (header(headers, "connection") or "").lower() == "close" or refused:
            self.keep = False
        status = start.split(" ")[1]
        if self.method == "HEAD" or status in ("204", "304"):
            return start, headers, 0, iter(())
        if header(headers, "transfer-encoding"):
            data = server.chunked()
            headers = with_headers(headers, {"Transfer-Encoding": None})
            return start, headers, len(data), iter([data])
        length = int(header(headers, "content-length") or 0)
        return start, headers, length, server.body(length)

    def replaced(self, rule, status, headers, blocks):
        for _ in blocks:
            pass
        if "file" in rule:
            with open(rule["file"], "rb") as f:
                data = f.read()
        else:
            data = self.proxy.object(rule["bucket"], rule["key"])
        span = re.fullmatch(r"bytes=(\d+)-(\d*)",
                            header(self.headers, "range") or "")
        if status == "206" and span:
            first, last = int(span[1]), int(span[2] or len(data) - 1)
            whole = len(data)
            data = data[first:last + 1]
            headers = with_headers(headers, {
                "Content-Range":
                    f"bytes {first}-{first + len(data) - 1}/{whole}"})
        return headers, iter([data]), len(data)


class Proxy:
    def __init__(self, args):
        url = urllib.parse.urlsplit(args.upstream)
        if url.scheme != "http":
            raise ValueError("the server behind must be http://")
        self.upstream = (url.hostname, url.port)
        self.rules = Rules(args.rules)
        self.ceph = args.ceph
        self.logfd = os.open(args.log, os.O_WRONLY | os.O_CREAT
                             | os.O_APPEND | os.O_CLOEXEC, 0o644)
        self.tls = None
        if args.cert:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(args.cert, args.key)
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        temporary = args.port_file + ".new"
        with open(temporary, "w", encoding="ascii") as f:
            f.write(f"{self.listener.getsockname()[1]}\n")
        os.rename(temporary, args.port_file)

    def log(self, line):
        os.write(self.logfd, line.encode("latin-1", "replace"))

    def object(self, bucket, key):
        sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
        import s3ctl
        s3 = s3ctl.S3(s3ctl.settings(self.ceph))
        return s3.call("GET", bucket, key)[1]

    def serve(self, sock):
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.tls:
                sock = self.tls.wrap_socket(sock, server_side=True)
        except (OSError, ssl.SSLError):
            sock.close()
            return
        Connection(self, sock).run()

    def run(self):
        while True:
            sock, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(sock,),
                             daemon=True).start()


def watch(owner):
    while os.path.isdir(f"/proc/{owner}"):
        time.sleep(0.5)
    os._exit(0)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    for name in ("upstream", "rules", "log", "port-file"):
        parser.add_argument("--" + name, required=True)
    for name in ("cert", "key", "ceph", "owner"):
        parser.add_argument("--" + name)
    args = parser.parse_args()
    proxy = Proxy(args)
    if args.owner:
        threading.Thread(target=watch, args=(args.owner,),
                         daemon=True).start()
    proxy.run()


if __name__ == "__main__":
    main()
