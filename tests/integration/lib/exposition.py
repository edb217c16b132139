"""An endpoint that exposes whatever text a test gives it, as a program with a /metrics page does."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Exposition:
    """text may be changed at any time; it may be a function of the number of the scrape (from 0)."""

    def __init__(self, text="", content_type="text/plain; version=0.0.4", status=200):
        self.text = text
        self.content_type = content_type
        self.status = status
        self.scrapes = []  # headers
        self._server = None
        self._hang = threading.Event()
        self._hang.set()

    def start(self):
        exposition = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                number = len(exposition.scrapes)
                exposition.scrapes.append(self.headers)
                exposition._hang.wait(60)
                text = exposition.text(number) if callable(exposition.text) else exposition.text
                body = text.encode()
                self.send_response(exposition.status)
                self.send_header("Content-Type", exposition.content_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                pass

        self._server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def hang(self):
        """From now on scrapes get no answer."""
        self._hang.clear()

    def stop(self):
        self._hang.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def address(self):
        return f"127.0.0.1:{self._server.server_address[1]}"

    @property
    def url(self):
        return f"http://{self.address}/metrics"
