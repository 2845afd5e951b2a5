#!/usr/bin/python3
"""A TCP relay that records every byte, in both directions, in one file.

	relay.py --upstream HOST:PORT --record FILE --port-file FILE --owner PID

Listens on a free port of 127.0.0.1 and writes its number to the port file once
it does. It ends when the process given by --owner is gone.
"""
import argparse
import os
import select
import socket
import threading


def pump(a, b, record, lock):
    try:
        while data := a.recv(1 << 16):
            with lock:
                record.write(data)
                record.flush()
            b.sendall(data)
    except OSError:
        pass
    for s in (a, b):
        try:
            s.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def main():
    p = argparse.ArgumentParser()
    for name in 'upstream', 'record', 'port-file', 'owner':
        p.add_argument('--' + name, required=True)
    o = p.parse_args()
    host, port = o.upstream.rsplit(':', 1)
    record, lock = open(o.record, 'ab'), threading.Lock()
    server = socket.create_server(('127.0.0.1', 0))
    with open(o.port_file + '.new', 'w') as f:
        f.write(str(server.getsockname()[1]))
    os.rename(o.port_file + '.new', o.port_file)
    while os.path.exists('/proc/' + o.owner):
        if not select.select([server], [], [], 1)[0]:
            continue
        near, _ = server.accept()
        far = socket.create_connection((host, int(port)))
        for ends in (near, far), (far, near):
            threading.Thread(target=pump, args=(*ends, record, lock),
                             daemon=True).start()


main()
