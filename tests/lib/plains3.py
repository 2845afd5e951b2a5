#!/usr/bin/python3
"""A small S3 server with the habits of stores that are not Amazon's.

  plains3.py --dir DIR --port-file FILE --log FILE --mode FILE [--owner PID]

Objects are files below DIR, DIR/BUCKET/KEY.  Signatures are not looked at.
Speaks HTTP on a free port of 127.0.0.1 and ends when --owner is gone.

MODE, looked at on every request, holds words:

  (nothing)   If-None-Match is honoured
  ignore      If-None-Match is passed over: a second PUT writes anew
  refuse      If-None-Match is answered with 501 NotImplemented
  portal      every request is answered 200 with an ETag and an HTML page
  puts        with portal: only every PUT
  garbage     what comes back is no HTTP
  endless     every request is answered 500 with a page that does not end
  redirect    every request is answered 307, to the URL that follows
  taken       every PUT is answered with the status and the ETag that follow,
              and nothing is stored
  length      a GET is answered with the Content-Length that follows

LOG: "METHOD KEY STATUS [conditional]" for each request; with endless
"METHOD KEY BYTES endless", the bytes that were taken.
"""
import argparse
import hashlib
import http.server
import os
import re
import threading
import time
import urllib.parse

PAGE = b"<!DOCTYPE html><html><body>Please log in.</body></html>"


def error(code):
    return (f'<?xml version="1.0"?><Error><Code>{code}</Code>'
            f"<Message>{code}</Message></Error>").encode()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status, body=b"", **fields):
        condition = self.headers.get("If-None-Match")
        with LOCK, open(ARGS.log, "a") as f:
            print(self.command, self.key(), status,
                  *(["conditional"] if condition else []), file=f)
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def key(self):
        return urllib.parse.unquote(self.path.partition("?")[0]).lstrip("/")

    def mode(self):
        try:
            with open(ARGS.mode) as f:
                return f.read().split()
        except FileNotFoundError:
            return []

    def endless(self):
        block, sent = b"10000\r\n" + b" " * 65536 + b"\r\n", 0
        self.send_response(500)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            while True:
                self.wfile.write(block)
                sent += len(block)
        except OSError:
            with LOCK, open(ARGS.log, "a") as f:
                print(self.command, self.key(), sent, "endless", file=f)
        self.close_connection = True

    def odd(self):
        """0: an ordinary answer is to be given."""
        mode = self.mode() or [""]
        if mode[0] == "garbage":
            self.wfile.write(b"\x15\x03\x03\x00\x02\x02\x46")
            self.close_connection = True
        elif mode[0] == "endless":
            self.endless()
        elif mode[0] == "redirect":
            self.answer(307, Location=mode[1] + self.path)
        elif mode[0] == "taken" and self.command == "PUT":
            self.answer(int(mode[1]), ETag=mode[2])
        elif mode[0] == "length" and self.command == "GET":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nETag: \"x\"\r\n"
                             b"Content-Length: " + mode[1].encode() +
                             b"\r\n\r\n" + b" " * 70)
            self.close_connection = True
        else:
            return False
        return True

    def do_PUT(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.odd():
            return None
        etag = '"' + hashlib.md5(body).hexdigest() + '"'
        path = os.path.join(ARGS.dir, self.key())
        condition = self.headers.get("If-None-Match")
        if "portal" in self.mode():
            return self.answer(200, PAGE, ETag='"5f3c-6123"')
        if condition and "refuse" in self.mode():
            return self.answer(501, error("NotImplemented"))
        with LOCK:
            there = os.path.exists(path)
            taken = condition and there and "ignore" not in self.mode()
            if not taken:
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "wb") as f:
                    f.write(body)
        if taken:
            return self.answer(412, error("PreconditionFailed"))
        return self.answer(200, ETag=etag)

    def do_GET(self):
        if self.odd():
            return None
        path = os.path.join(ARGS.dir, self.key())
        if "portal" in self.mode() and "puts" not in self.mode():
            return self.answer(200, PAGE, ETag='"5f3c-6123"')
        try:
            with open(path, "rb") as f:
                body = f.read()
        except OSError:
            return self.answer(404, error("NoSuchKey"))
        etag = '"' + hashlib.md5(body).hexdigest() + '"'
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)",
                              self.headers.get("Range", ""))
        if not wanted:
            return self.answer(200, body, ETag=etag)
        first = int(wanted[1])
        last = min(int(wanted[2] or len(body)), len(body) - 1)
        if first >= len(body):
            return self.answer(416, error("InvalidRange"))
        return self.answer(
            206, body[first:last + 1], ETag=etag,
            Content_Range=f"bytes {first}-{last}/{len(body)}")

    do_HEAD = do_GET


def watch(owner):
    while True:
        try:
            os.kill(owner, 0)
        except OSError:
            os._exit(0)
        time.sleep(1)


parser = argparse.ArgumentParser()
for option in ("--dir", "--port-file", "--log", "--mode"):
    parser.add_argument(option, required=True)
parser.add_argument("--owner", type=int)
ARGS = parser.parse_args()
LOCK = threading.Lock()
if ARGS.owner:
    threading.Thread(target=watch, args=(ARGS.owner,), daemon=True).start()
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
with open(ARGS.port_file + ".new", "w") as port_file:
    print(server.server_address[1], file=port_file)
os.rename(ARGS.port_file + ".new", ARGS.port_file)
server.serve_forever()
