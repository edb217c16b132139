"""The ways in which a receiver may ask who is there, each against a receiver that checks it."""

import hashlib
import hmac
import os
import re
import socket
import subprocess
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from lib.process import Process, free_ports, wait_until
from lib.receiver import Receiver
from lib.stack import Collectd, block, make_certificate, plugin_block


def secret(directory, name, text):
    """The file, which may be read at any time: it is there as a whole, or not."""
    path = os.path.join(str(directory), name)
    with open(f"{path}.new", "w", encoding="utf-8",
              opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
        file.write(text + "\n")
    os.rename(f"{path}.new", path)
    return path


def node(receiver, name="n", **options):
    return block("Node", name, URL=receiver.url, **{"BatchSendDeadline": 0, **options})


def start(parts, directory, *nodes):
    collectd = Collectd(str(directory), "LoadPlugin load",
                        plugin_block("write_prometheus_remote", *nodes), stock_plugins=("load",))
    parts.append(collectd)
    return collectd.start()


def receive(receiver, count=1):
    """The first request that was answered with 2xx."""
    return wait_until(lambda: [r for r in receiver.requests if 200 <= r.status <= 299][count - 1:],
                      10, lambda: f"a request: {[r.status for r in receiver.requests]}")[0]


# ---- headers ---------------------------------------------------------------------------------------

def test_password_and_headers(tmp_path, parts):
    basic, plain = Receiver().start(), Receiver().start()
    parts.extend((basic, plain))
    start(parts, tmp_path,
          node(basic, "basic", User="me", PasswordFile=secret(tmp_path, "pw", "pass:word"),
               Header=["X-Scope-OrgID: my-team", "X-Empty:"]),
          node(plain, "plain"))
    headers = receive(basic).headers
    assert headers["Authorization"] == "Basic bWU6cGFzczp3b3Jk"
    assert headers["X-Scope-OrgID"] == "my-team" and headers["X-Empty"] == ""
    assert receive(plain).headers["Authorization"] is None
    basic.check_all()


def test_a_token_that_is_replaced_costs_nothing(tmp_path, parts):
    tokens = {"first", "second"}
    receiver = Receiver(authorize=lambda h: h["Authorization"].removeprefix("Bearer ") in tokens)
    receiver.start()
    parts.append(receiver)
    path = secret(tmp_path, "token", "first")
    collectd = start(parts, tmp_path, node(receiver, BearerTokenFile=path))
    receive(receiver)
    secret(tmp_path, "token", "second")
    tokens.remove("first")
    wait_until(lambda: receiver.requests[-1].headers["Authorization"] == "Bearer second"
               and receiver.requests[-1].status == 204, 10, "a request with the new token")
    refused = [r for r in receiver.requests if r.status == 401]
    accepted = {r.body for r in receiver.requests if r.status == 204}
    assert refused and all(r.body in accepted for r in refused)
    assert not collectd.find("refuses"), collectd.output()
    assert not collectd.find("first|second"), "a token is in the log"


@pytest.mark.parametrize("name", ["Content-Type", "x-prometheus-remote-write-version", "User-Agent",
                                  "Content-Encoding", "Authorization", "Host"])
def test_headers_of_the_protocol_cannot_be_set(tmp_path, name):
    collectd = Collectd(str(tmp_path), plugin_block(
        "write_prometheus_remote",
        block("Node", "n", URL="http://127.0.0.1:9/", Header=f"{name}: hidden-value")))
    status, said = collectd.test()
    assert status != 0 and f"may not set {name}" in said and "hidden-value" not in said


# ---- TLS -------------------------------------------------------------------------------------------

def client_certificate(directory):
    """(CA, certificate, key) of a client."""
    ca, ca_key, key, request, certificate = (
        os.path.join(directory, name)
        for name in ("ca.pem", "ca.key", "client.key", "client.csr", "client.pem"))
    ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    for arguments in (
            ["req", "-x509", *ec, "-keyout", ca_key, "-out", ca, "-days", "2", "-subj", "/CN=CA"],
            ["req", *ec, "-keyout", key, "-out", request, "-subj", "/CN=collectd"],
            ["x509", "-req", "-in", request, "-CA", ca, "-CAkey", ca_key, "-CAcreateserial",
             "-out", certificate, "-days", "2"]):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True)
    os.chmod(key, 0o600)
    return ca, certificate, key


def test_client_certificate(tmp_path, parts):
    tls = make_certificate(str(tmp_path))
    ca, certificate, key = client_certificate(str(tmp_path))
    receiver = Receiver(tls=tls, client_ca=ca).start()
    parts.append(receiver)
    collectd = start(
        parts, tmp_path,
        node(receiver, "known", CACert=tls[0], ClientCert=certificate, ClientKey=key),
        node(receiver, "unknown", CACert=tls[0], MaxBackoff=0.2))
    subject = dict(pair for part in receive(receiver).peer["subject"] for pair in part)
    assert subject["commonName"] == "collectd"
    # With TLS 1.3 the client learns of the refusal when it sends: from an alert or from the end.
    collectd.wait_line('node "unknown": .*(alert|handshake|certificate|reset|not connected|'
                       '[Bb]roken pipe|Empty reply)', 10)
    assert all(r.peer for r in receiver.requests)


# ---- AWS Signature Version 4 -----------------------------------------------------------------------

ACCESS, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"


def sigv4(request, path, region, service):
    """The signature that AWS would compute (docs.aws.amazon.com, "Create a signed API request")."""
    def sign(key, text):
        return hmac.new(key, text.encode(), hashlib.sha256).digest()
    headers = request.headers
    signed = re.search(r"SignedHeaders=([^,]+)", headers["Authorization"])[1]
    lines = "".join(f"{name}:{' '.join(headers[name].split())}\n" for name in signed.split(";"))
    canonical = "\n".join(["POST", urllib.parse.quote(path), "", lines, signed,
                           hashlib.sha256(request.body).hexdigest()])
    stamp = headers["X-Amz-Date"]
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope,
                      hashlib.sha256(canonical.encode()).hexdigest()])
    key = sign(("AWS4" + SECRET).encode(), stamp[:8])
    for part in (region, service, "aws4_request"):
        key = sign(key, part)
    return scope, signed, sign(key, text).hex()


def test_aws_signature(tmp_path, parts):
    receiver = Receiver().start()
    parts.append(receiver)
    collectd = start(
        parts, tmp_path,
        node(receiver, SigV4Region="eu-central-1", SigV4AccessKeyID=ACCESS, Header="X-Own: a  b",
             SigV4SecretKeyFile=secret(tmp_path, "aws", SECRET),
             SigV4SessionTokenFile=secret(tmp_path, "session", "session-token")))
    request = receive(receiver)
    scope, signed, signature = sigv4(request, "/api/v1/write", "eu-central-1", "aps")
    authorization = request.headers["Authorization"]
    assert authorization.startswith(f"AWS4-HMAC-SHA256 Credential={ACCESS}/{scope}, ")
    assert authorization.endswith(f"Signature={signature}"), authorization
    assert {"host", "x-amz-date", "x-amz-security-token", "content-type"} <= set(signed.split(";"))
    assert request.headers["X-Amz-Security-Token"] == "session-token"
    assert not collectd.find("EXAMPLEKEY|session-token"), "a secret is in the log"
    receiver.check_all()


# ---- ways to the receiver --------------------------------------------------------------------------

class Proxy:
    """A proxy for plain HTTP, which hands on what it is given."""

    def __init__(self):
        self.asked = []
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                proxy.asked.append(self.path)
                body = self.rfile.read(int(self.headers["Content-Length"]))
                host = urllib.parse.urlsplit(self.path)
                lines = [f"POST {host.path} HTTP/1.1", "Connection: close"]
                lines += [f"{name}: {value}" for name, value in self.headers.items()]
                with socket.create_connection((host.hostname, host.port)) as target:
                    target.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
                    while data := target.recv(65536):
                        self.wfile.write(data)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self):
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def stop(self):
        self._server.shutdown()
        self._server.server_close()


def test_proxy(tmp_path, parts):
    receiver, proxy = Receiver().start(), Proxy().start()
    parts.extend((receiver, proxy))
    start(parts, tmp_path, node(receiver, Proxy=proxy.url))
    receive(receiver)
    assert proxy.asked[0] == receiver.url
    receiver.check_all()


def test_ipv6(tmp_path, parts):
    try:
        receiver = Receiver(address="::1").start()
    except OSError as error:
        pytest.skip(f"no IPv6 here: {error}")
    parts.append(receiver)
    start(parts, tmp_path, node(receiver))
    assert receive(receiver).headers["Host"] == f"[::1]:{receiver.port}"
    receiver.check_all()


def test_http2(tmp_path, parts):
    """nghttpd takes HTTP/2 only, and shows the headers it gets."""
    certificate, key = make_certificate(str(tmp_path))
    (tmp_path / "write").write_text("")
    port, = free_ports(1)
    server = Process("nghttpd", ["nghttpd", "--verbose", "--no-content-length", "-a", "127.0.0.1",
                                 "-d", tmp_path, port, key, certificate], str(tmp_path / "h2.log"))
    parts.append(server)
    server.start().wait_ready(lambda: "listen" in server.output(), 10)
    receiver = type("Server", (), {"url": f"https://127.0.0.1:{port}/write"})
    start(parts, tmp_path, node(receiver, HTTP2=True, CACert=certificate))
    for line in (":method: POST", ":path: /write", "content-encoding: snappy",
                 "content-type: application/x-protobuf"):
        wait_until(lambda text=line: text in re.sub(r"\x1b\[[0-9;]*m", "", server.output()), 10,
                   lambda text=line: f"{text} in a request:\n{server.output()}")
