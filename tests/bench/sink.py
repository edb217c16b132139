#!/usr/bin/python3
"""A remote write receiver that reads requests and takes them all, without looking at them, or that
reads them and never answers (--hang). Says its port on standard output; GET /count says how many
requests and bytes there were. It costs as little as it
can, because it runs beside what is measured."""

import socket
import sys
import threading

ANSWER = (b"HTTP/1.1 204 No Content\r\nX-Prometheus-Remote-Write-Samples-Written: 1000000\r\n\r\n")


def serve(connection, hangs, totals):
    buffer = bytearray(1 << 20)
    with connection:
        head = b""
        while True:
            while b"\r\n\r\n" not in head:
                more = connection.recv(65536)
                if not more:
                    return
                head += more
            headers, _, rest = head.partition(b"\r\n\r\n")
            if headers.startswith(b"GET /count"):
                text = b"%d %d" % tuple(totals)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"
                                   % (len(text), text))
                head = rest
                continue
            length = next(int(line.split(b":")[1]) for line in headers.split(b"\r\n")
                          if line.lower().startswith(b"content-length:"))
            left = length - len(rest)
            while left > 0:
                count = connection.recv_into(buffer, min(left, len(buffer)))
                if not count:
                    return
                left -= count
            head = rest[length:] if left <= 0 else b""
            totals[0] += 1
            totals[1] += length
            if hangs:
                threading.Event().wait()
            connection.sendall(ANSWER)


def main():
    listener = socket.create_server(("127.0.0.1", 0))
    print(f"port {listener.getsockname()[1]}", flush=True)
    totals = [0, 0]
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(connection, "--hang" in sys.argv, totals),
                         daemon=True).start()


if __name__ == "__main__":
    main()
