#!/usr/bin/python3
"""A syslog daemon for tests: each message is a line of a file.

	devlog.py SOCKET FILE
"""
import socket
import sys

s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
with open(sys.argv[2], 'ab', buffering=0) as f:
    while True:
        f.write(s.recv(4096).rstrip(b'\0') + b'\n')
