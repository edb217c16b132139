"""What the simulators share: an HTTP/1.1 server with faults that can be switched on and off, and a
record of what was asked.

A fault is a name with how often it strikes: true until it is switched off, or a number of requests.
"""

import json
import socket
import ssl
import struct
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HANG_LIMIT_S = 600
REQUESTS_KEPT = 100_000


class Faults:
    """The faults of one server. Thread-safe."""

    def __init__(self, known):
        self.known = known
        self._active = {}
        self._changed = threading.Condition()

    def set(self, wanted):
        """wanted: {name: true, false or a number of requests}. Raises KeyError for an unknown name."""
        with self._changed:
            for name in wanted:
                if name not in self.known:
                    raise KeyError(f"unknown fault {name!r}; there are {', '.join(sorted(self.known))}")
            for name, value in wanted.items():
                if value:
                    self._active[name] = value
                else:
                    self._active.pop(name, None)
            self._changed.notify_all()

    def clear(self):
        with self._changed:
            self._active.clear()
            self._changed.notify_all()

    def strikes(self, name):
        """True if the fault is on; counts down one that is limited."""
        with self._changed:
            value = self._active.get(name)
            if value is None:
                return False
            if value is not True:
                self._active[name] = value - 1
                if self._active[name] <= 0:
                    del self._active[name]
            return True

    def wait_while(self, name):
        """Holds the caller for as long as the fault is on."""
        end = time.monotonic() + HANG_LIMIT_S
        with self._changed:
            while name in self._active and time.monotonic() < end:
                self._changed.wait(1)

    def active(self):
        with self._changed:
            return dict(self._active)


class Dropped(Exception):
    """The connection is to be closed without an answer."""


class Answer:
    def __init__(self, body, status=200, content_type="application/json", cut_at=None, headers=()):
        self.body = body if isinstance(body, bytes) else body.encode()
        self.status = status
        self.content_type = content_type
        self.cut_at = cut_at  # bytes after which the connection breaks
        self.headers = headers
        self.is_chunked = False
        self.is_reset = False  # where it is cut the connection is reset, not closed


def json_answer(value, status=200):
    return Answer(json.dumps(value, separators=(",", ":")), status)


class Simulator:
    """Base of both. Subclasses answer(method, path, query, headers, body) -> Answer and
    control(method, path, body) -> value for everything below /control/."""

    known_faults = frozenset()

    def __init__(self):
        self.faults = Faults(self.known_faults)
        self._requests = []
        self._requests_lock = threading.Lock()

    def note(self, **entry):
        """Into the record of /control/requests. at_ns is CLOCK_MONOTONIC, the same in every process
        of this machine."""
        entry.setdefault("at_ns", time.monotonic_ns())
        with self._requests_lock:
            if len(self._requests) < REQUESTS_KEPT:
                self._requests.append(entry)

    def control_common(self, method, path, body):
        if path == "/control/faults":
            if method == "DELETE":
                self.faults.clear()
            elif method == "POST":
                self.faults.set(body)
            return self.faults.active()
        if path == "/control/requests":
            with self._requests_lock:
                taken = list(self._requests)
                if method == "DELETE":
                    self._requests.clear()
            return taken
        return self.control(method, path, body)

    def serve(self, host, port, certificate=None, key=None):
        """Serves for ever. certificate and key: files, for https."""
        kind = _ServerV6 if ":" in host else _Server
        server = kind((host, port), _handler_of(self))
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate, key)
            server.socket = context.wrap_socket(server.socket, server_side=True,
                                                do_handshake_on_connect=False)
        try:
            server.serve_forever(poll_interval=0.5)
        except KeyboardInterrupt:
            pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


class _ServerV6(_Server):
    address_family = socket.AF_INET6


def _chunks(body, size=1000):
    parts = [body[begin:begin + size] for begin in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def _handler_of(simulator):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def _handle(self):
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length) if length else b""
            path, _, query = self.path.partition("?")
            try:
                if path.startswith("/control/"):
                    answer = self._control(path, body)
                else:
                    answer = simulator.answer(self.command, path, query, self.headers, body)
            except Dropped:
                self.close_connection = True
                return
            self._send(answer)

        def _control(self, path, body):
            try:
                value = json.loads(body) if body else None
                return json_answer(simulator.control_common(self.command, path, value))
            except (KeyError, TypeError, ValueError) as problem:
                return json_answer({"error": str(problem)}, 400)

        def _send(self, answer):
            try:
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.content_type)
                if answer.is_chunked:
                    self.send_header("Transfer-Encoding", "chunked")
                else:
                    self.send_header("Content-Length", str(len(answer.body)))
                for name, value in answer.headers:
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(_chunks(answer.body) if answer.is_chunked
                                 else answer.body[:answer.cut_at])
                self.wfile.flush()
                if answer.is_reset:
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                               struct.pack("ii", 1, 0))
            except OSError:
                self.close_connection = True
            if answer.cut_at is not None:
                self.close_connection = True

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _handle

        def log_message(self, *_):
            pass

        def handle_one_request(self):
            try:
                super().handle_one_request()
            except (ConnectionError, socket.timeout, ssl.SSLError):
                self.close_connection = True

    return Handler
