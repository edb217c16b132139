"""A remote write receiver for tests: keeps every request, answers from a script, checks what it gets
against the specification, and hands what it accepts to a real Prometheus if it is given one."""

import socket
import ssl
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from . import remote_write
from .remote_write import Order, Violation


OWN = "collectd_remote_write_"  # names of what the remote writer says of itself


class Received:
    def __init__(self, headers, body, status, peer=None):
        self.headers = headers
        self.body = body
        self.status = status
        self.peer = peer
        self.spoken = ()  # the protocols that the receiver spoke then
        self.time = time.monotonic()
        self._decoded = None

    @property
    def protocol(self):
        return remote_write.protocol_of(self.headers)

    def decode(self):
        """Decoded and checked against every rule of the specification, once."""
        if self._decoded is None:
            self._decoded = remote_write.check(self.headers, self.body)
        return self._decoded


class Receiver:
    """script: one step for each request, afterwards what a receiver of `speaks` answers. A step is a
    status, (status, headers), (status, headers, body) - a header may be a function that gives its
    value when it is sent - or "reset" and "hang" for a connection that
    ends without an answer and one that gets none.

    speaks: the protocols it takes; it answers 415 to the others. With legacy it answers 204 to
    everything, without Written headers, as receivers do that look at nothing (Prometheus 2.42)."""

    def __init__(self, script=(), forward_to=None, speaks=("1.0", "2.0"), legacy=False, tls=None,
                 client_ca=None, address="127.0.0.1", port=0, authorize=None):
        """tls: (certificate, key); client_ca: whose client certificates it demands.
        authorize: a function of a request's headers; 401 where it is false."""
        self.requests = []
        self.violations = []
        self.forward_to = forward_to
        self.speaks = speaks
        self.legacy = legacy
        self.authorize = authorize
        self._script = list(script)
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._server = None
        self._tls = tls
        self._client_ca = client_ca
        self._address = address
        self._port = port

    def start(self):
        class Server(ThreadingHTTPServer):
            daemon_threads = True
            address_family = socket.AF_INET6 if ":" in self._address else socket.AF_INET

            def handle_error(self, request, client_address):
                pass  # senders that are stopped hang up

        self._server = Server((self._address, self._port), self._handler())
        if self._tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self._tls)
            if self._client_ca:
                context.load_verify_locations(self._client_ca)
                context.verify_mode = ssl.CERT_REQUIRED
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def script(self, *steps):
        """What the next requests get."""
        with self._lock:
            self._script.extend(steps)

    def forget_script(self):
        with self._lock:
            self._script.clear()

    def stop(self):
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def port(self):
        return self._server.server_address[1]

    @property
    def url(self):
        host = f"[{self._address}]" if ":" in self._address else self._address
        return f"{'https' if self._tls else 'http'}://{host}:{self.port}/api/v1/write"

    def accepted(self):
        """The decoded requests that were answered with 2xx, without those of a protocol that the
        receiver does not speak."""
        return [r.decode() for r in list(self.requests)
                if 200 <= r.status <= 299 and r.protocol in r.spoken]

    def series(self, stale=False, own=False):
        """{text: [samples]} of all that was accepted, in the order of arrival; own: what the remote
        writer says of itself as well."""
        found = {}
        for request in self.accepted():
            for series in request.series:
                if not own and series.name.startswith(OWN):
                    continue
                found.setdefault(series.text(), []).extend(
                    sample for sample in series.samples if stale or not sample.is_stale)
        return {text: samples for text, samples in found.items() if samples}

    def check_all(self):
        """Every request obeys the specification, and what was accepted is in order."""
        assert not self.violations, self.violations
        order = Order()
        for request in self.accepted():
            order.check(request)

    def _usual(self, request):
        if self.legacy:
            return 204, {}
        protocol = request.protocol
        if protocol not in self.speaks:
            return 415, {}
        if protocol == "1.0":
            return 204, {}
        count = request.decode().sample_count()
        return 204, {"X-Prometheus-Remote-Write-Samples-Written": str(count),
                     "X-Prometheus-Remote-Write-Histograms-Written": "0",
                     "X-Prometheus-Remote-Write-Exemplars-Written": "0"}

    def _take(self, headers, body, peer):
        with self._lock:
            step = self._script.pop(0) if self._script else None
            request = Received(headers, body, 0, peer)
            try:
                request.decode()
            except Violation as wrong:
                self.violations.append(str(wrong))
            if step is None and self.authorize and not self.authorize(headers):
                step = 401
            if step is None:
                step = self._usual(request)
            status = step if isinstance(step, int) else 0 if isinstance(step, str) else step[0]
            request.status = status
            request.spoken = self.speaks
            self.requests.append(request)
        if 200 <= status <= 299 and self.forward_to:
            request = urllib.request.Request(self.forward_to, body, dict(headers.items()))
            with urllib.request.urlopen(request, timeout=10) as answer:
                answer.read()
        return step

    def _handler(self):
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                step = receiver._take(self.headers, body, self._peer())
                if step == "hang":
                    receiver._stopping.wait(120)
                if isinstance(step, str):
                    self.close_connection = True
                    self.connection.close()
                    return
                parts = (step, {}, None) if isinstance(step, int) else (*step, None)[:3]
                status, headers, text = parts
                if text is None:
                    text = b"" if status == 204 else b"the receiver's own words\n"
                self.send_response(status)
                for name, value in headers.items():
                    value = value() if callable(value) else value
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def _peer(self):
                return (self.connection.getpeercert()
                        if isinstance(self.connection, ssl.SSLSocket) else None)

            def log_message(self, *_):
                pass

        return Handler
