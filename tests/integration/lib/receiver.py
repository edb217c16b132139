"""A remote write receiver for tests: keeps every request, answers from a script, and hands what it
accepts to a real Prometheus if it is given one."""

import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Received:
    def __init__(self, headers, body, status):
        self.headers = headers
        self.body = body
        self.status = status


class Receiver:
    """script: statuses, or (status, headers), one for each request; afterwards 204."""

    def __init__(self, script=(), forward_to=None):
        self.requests = []
        self.forward_to = forward_to
        self._script = list(script)
        self._lock = threading.Lock()
        self._server = None

    def start(self):
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def stop(self):
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_address[1]}/api/v1/write"

    def _take(self, headers, body):
        with self._lock:
            step = self._script.pop(0) if self._script else 204
            status, answer_headers = step if isinstance(step, tuple) else (step, {})
            self.requests.append(Received(headers, body, status))
        if status == 204 and self.forward_to:
            request = urllib.request.Request(self.forward_to, body, dict(headers.items()))
            with urllib.request.urlopen(request, timeout=10) as answer:
                answer.read()
        return status, answer_headers

    def _handler(self):
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, headers = receiver._take(self.headers, body)
                text = b"" if status == 204 else b"the receiver's own words\n"
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        return Handler
