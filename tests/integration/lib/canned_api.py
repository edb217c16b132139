"""The least that a Spacelift account can be: answers that are always the same, over kept connections,
as fast as Python gets. For what is measured by the thousand; the simulator is for everything else."""

import json
import re
import socket
import ssl
import threading
import time


def pool(identifier, name, pending=0):
    return {"id": identifier, "name": name, "pendingRuns": pending, "busyWorkers": 1,
            "workers": [{"drained": False}]}


class CannedApi:
    """Knows the worker pools and nothing else: ONLY_POOLS are the options that go with it."""

    ONLY_POOLS = ("--public-worker-pool=false", "--usage=false", "--aggregates=false")

    def __init__(self, pools, tls=None):
        """tls: (certificate, key), for https."""
        login = {"apiKeyUser": {"jwt": "a.b.c", "validUntil": int(time.time()) + 10**6}}
        self._login = self._answer(login)
        self.set_pools(pools)
        self._socket = socket.create_server(("127.0.0.1", 0))
        scheme = "https" if tls else "http"
        self.url = f"{scheme}://127.0.0.1:{self._socket.getsockname()[1]}"
        self._tls = None
        if tls:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(*tls)
        self.busy_s = 0.0
        threading.Thread(target=self._accept, daemon=True).start()

    def set_pools(self, pools):
        self._pools = self._answer({"workerPools": pools})

    @staticmethod
    def _answer(data):
        body = json.dumps({"data": data}).encode()
        return (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                % len(body)) + body

    def _accept(self):
        while True:
            connection = self._socket.accept()[0]
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        text = b""
        if self._tls:
            begin = time.monotonic()
            try:
                connection = self._tls.wrap_socket(connection, server_side=True)
            except OSError:
                return
            self.busy_s += time.monotonic() - begin
        while part := connection.recv(65536):
            begin = time.monotonic()
            text += part
            head, found, body = text.partition(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: (\d+)", head)
            if not found or len(body) < int(length.group(1)):
                continue
            text = b""
            connection.sendall(self._login if b"_Login" in body else self._pools)
            self.busy_s += time.monotonic() - begin
