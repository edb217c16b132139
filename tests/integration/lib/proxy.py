"""An HTTP proxy, plain or over TLS, that notes what it is asked for: CONNECT for https, and whole URLs
for http."""

import base64
import http.client
import select
import socket
import ssl
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def _is_refused(self):
        self.server.asked.append(f"{self.command} {self.path}")
        given = self.headers.get("Proxy-Authorization", "")
        wanted = self.server.login and "Basic " + base64.b64encode(self.server.login.encode()).decode()
        if wanted and given != wanted:
            self.send_response(407)
            self.send_header("Proxy-Authenticate", 'Basic realm="proxy"')
        elif self.server.is_strict:
            self.send_response(403)
        else:
            return False
        self.send_header("Content-Length", "0")
        self.end_headers()
        return True

    def do_CONNECT(self):  # pylint: disable=invalid-name
        if self._is_refused():
            return
        host, _, port = self.path.rpartition(":")
        with socket.create_connection((host.strip("[]"), int(port)), timeout=10) as there:
            self.send_response(200)
            self.end_headers()
            self._pass_on(self.connection, there)
        self.close_connection = True

    @staticmethod
    def _pass_on(here, there):
        while True:
            pending = isinstance(here, ssl.SSLSocket) and here.pending()
            ready = [here] if pending else select.select([here, there], [], [], 30)[0]
            for one in ready:
                data = one.recv(65536)
                if not data:
                    return
                (there if one is here else here).sendall(data)
            if not ready:
                return

    def do_POST(self):  # pylint: disable=invalid-name
        if self._is_refused():
            return
        url = urllib.parse.urlsplit(self.path)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        there = http.client.HTTPConnection(url.netloc, timeout=10)
        headers = {name: value for name, value in self.headers.items()
                   if not name.lower().startswith("proxy-") and name.lower() != "accept-encoding"}
        there.request("POST", url.path, body, headers)
        answer = there.getresponse()
        content = answer.read()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.headers["Content-Type"])
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        there.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """A client that goes away, or does not believe the certificate, is what is tested."""


class Proxy:
    """tls: (certificate, key). login: "user:password" that it asks for. Refuses all if is_strict."""

    def __init__(self, tls=None, login=None, is_strict=False):
        self.server = _Server(("127.0.0.1", 0), _Handler)
        self.server.asked, self.server.login, self.server.is_strict = [], login, is_strict
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True,
                                                     do_handshake_on_connect=False)
        user = f"{login}@" if login else ""
        self.url = f"{'https' if tls else 'http'}://{user}127.0.0.1:{self.server.server_port}"
        self.asked = self.server.asked
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
