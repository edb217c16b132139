"""A proxy in front of a real API server that can be told to misbehave: answer for it, delay it, drop
the answer, change its certificate, spoil what is asked so that the real server refuses it. What it
does not spoil is the real server's."""

import http.client
import http.server
import ssl
import threading
import time


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass

    def handle_one_request(self):
        try:
            super().handle_one_request()
        except OSError:
            self.close_connection = True

    def relay(self):
        proxy = self.server.owner
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = proxy.fault if proxy.only is None or proxy.only in self.path else {}
        proxy.seen.append((time.time(), self.command, self.path))
        if "delay_s" in fault:
            proxy.wait(fault["delay_s"])
        if "status" in fault:
            self.answer(fault["status"], fault.get("headers", {}), fault.get("body", b""))
            return
        if self.command == "PATCH":
            body = fault.get("body_of", lambda whole: whole)(body)
            if "content_type" in fault:
                self.headers.replace_header("Content-Type", fault["content_type"])
        if "token" in fault:
            self.headers.replace_header("Authorization", f"Bearer {fault['token']}")
        path = fault.get("path_of", lambda whole: whole)(self.path)
        status, headers, text = proxy.ask(self.command, path, self.headers, body)
        if fault.get("drop_answer") and self.command == "PATCH" and "/scale" in self.path:
            self.close_connection = True
            self.connection.close()
            return
        self.answer(status, headers, text)

    do_GET = do_PATCH = do_POST = do_PUT = relay  # noqa: N815

    def answer(self, status, headers, body):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        pass  # a client that goes away is what is tested


class FaultyProxy:
    def __init__(self, cluster, certificate, key):
        self.cluster = cluster
        self.fault = {}
        self.only = None  # a part of the path that the fault is for
        self.seen = []
        self._over = threading.Event()
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)
        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.owner = self
        self._server.socket = self._context.wrap_socket(self._server.socket, server_side=True,
                                                        do_handshake_on_connect=False)
        self.url = f"https://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def use_certificate(self, certificate, key):
        """For connections from now on; those that are open stay as they are."""
        self._context.load_cert_chain(certificate, key)

    def wait(self, seconds):
        self._over.wait(seconds)

    def ask(self, method, path, headers, body):
        context = ssl.create_default_context(cafile=self.cluster.ca)
        connection = http.client.HTTPSConnection("127.0.0.1", self.cluster.port, timeout=30,
                                                 context=context)
        try:
            wanted = {name: headers[name] for name in ("Authorization", "Accept", "Content-Type")
                      if headers.get(name)}
            connection.request(method, path, body or None, wanted)
            answer = connection.getresponse()
            kept = {name: answer.headers[name] for name in ("Content-Type", "Retry-After")
                    if answer.headers.get(name)}
            return answer.status, kept, answer.read()
        except OSError:
            return 502, {"Content-Type": "text/html"}, b"<html><body>Bad Gateway</body></html>"
        finally:
            connection.close()

    def stop(self):
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
