"""An API server in trouble, one kind after another, with work for the scaler in each: what the plugin
said, whether it kept the size, and in what time it caught up. A table at the end.

In no case a pool becomes smaller than before it, and in none a size is written twice.
"""

import os
import re
import secrets
import signal
import subprocess
import time

from cluster import ADMIN_TOKEN, NAMESPACE, SERVICE_ACCOUNT, ApiError
from faulty_proxy import FaultyProxy
from lib.process import wait_until
from lib.stack import Stack

POOL = "my-amazing-worker-pool"
STATUS = (b'{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"%s","message":"%s",'
          b'"code":%d}')


class World:
    """A stack whose way to the API server leads through the proxy, with a token in a file."""

    def __init__(self, tmp_path, cluster):
        self.tmp_path, self.cluster = tmp_path, cluster
        self.proxy = FaultyProxy(cluster, cluster.path("pki/server.crt"),
                                 cluster.path("pki/server.key"))
        self.token_file = tmp_path / "token"
        self.ca_file = tmp_path / "ca.crt"
        self.ca_file.write_bytes(open(cluster.ca, "rb").read())
        self.new_token()
        kubeconfig = cluster.write_kubeconfig(str(tmp_path / "kubeconfig"), "collectd",
                                              tokenFile="token")
        text = open(kubeconfig, encoding="utf-8").read().splitlines()
        text = [line for line in text if "certificate-authority-data" not in line]
        text = [line.replace(cluster.url, self.proxy.url) +
                ("\n      certificate-authority: ca.crt" if "server:" in line else "")
                for line in text]
        open(kubeconfig, "w", encoding="utf-8").write("\n".join(text) + "\n")
        self.stack = Stack(str(tmp_path), with_prometheus=False, max_workers=100,
                           kubernetes=(kubeconfig, (cluster.url, ADMIN_TOKEN, cluster.ca)),
                           cluster_options={"Timeout": 1000, "Events": False})

    def new_token(self):
        """Bound to a Secret, so that deleting it revokes the token."""
        self.anchor = name = f"anchor-{secrets.token_hex(4)}"
        path = f"/api/v1/namespaces/{NAMESPACE}"
        self.cluster.create(f"{path}/secrets", {"apiVersion": "v1", "kind": "Secret",
                                                "metadata": {"name": name}})
        answer = self.cluster.create(f"{path}/serviceaccounts/{SERVICE_ACCOUNT}/token", {
            "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
            "spec": {"boundObjectRef": {"kind": "Secret", "apiVersion": "v1", "name": name}}})
        fresh = self.tmp_path / "token.new"
        fresh.write_text(answer["status"]["token"], encoding="utf-8")
        os.chmod(fresh, 0o600)
        os.rename(fresh, self.token_file)

    def revoke(self):
        token = self.token_file.read_text(encoding="utf-8")
        self.cluster.call("DELETE", f"/api/v1/namespaces/{NAMESPACE}/secrets/{self.anchor}")

        def is_refused():
            try:
                self.cluster.call("GET", self.cluster.pool_path(), token=token)
                return False
            except ApiError as error:
                return error.status == 401
        wait_until(is_refused, 30, "the revoked token refused")  # a server caches for ten seconds

    def replace_authority(self):
        """Another CA signs the server's certificate; the file that we trust is replaced as well."""
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-keyout", "new.key", "-out",
                        "new.crt", "-days", "2", "-subj", "/CN=new", "-addext",
                        "subjectAltName=IP:127.0.0.1"], cwd=self.tmp_path, check=True,
                       capture_output=True)
        self.proxy.use_certificate(self.tmp_path / "new.crt", self.tmp_path / "new.key")
        # The old one is kept alive by nobody: open connections are cut by the proxy's restart.
        self.proxy.fault = {"status": 503, "headers": {"Connection": "close"}}

    def trust_new_authority(self):
        os.replace(self.tmp_path / "new.crt", self.ca_file)
        self.proxy.fault = {}


def refuse(world, status, reason, retry_after=None, body=None):
    headers = {"Content-Type": "application/json" if body is None else "text/plain"}
    if retry_after:
        headers["Retry-After"] = str(retry_after)
    text = STATUS % (reason.encode(), b"said by the test", status) if body is None else body
    world.proxy.fault = {"status": status, "headers": headers, "body": text}


def heal(world):
    world.proxy.fault = {}


def cases(world):
    """(name, begin, end, what the log says, seconds within which it has caught up)"""
    cluster = world.cluster
    yield ("stopped and started", lambda: cluster.server.stop(), cluster.start_server,
           r"all its pools keep their sizes|HTTP 50", 80)
    yield ("hung", lambda: cluster.server.signal(signal.SIGSTOP),
           lambda: cluster.server.signal(signal.SIGCONT), r"all its pools keep their sizes", 15)
    yield ("slow, 3 s an answer", lambda: setattr(world.proxy, "fault", {"delay_s": 3}),
           lambda: heal(world), r"timed out|Timeout|all its pools", 15)
    yield ("429, text, Retry-After 2", lambda: refuse(
        world, 429, "", 2, b"Too many requests, please try again later."),
        lambda: heal(world), r"HTTP 429.*Too many requests", 20)
    yield ("429 without Retry-After", lambda: refuse(world, 429, "TooManyRequests"),
           lambda: heal(world), r"HTTP 429 TooManyRequests: said by the test", 20)
    yield ("500", lambda: refuse(world, 500, "InternalError"), lambda: heal(world),
           r"HTTP 500 InternalError: said by the test", 20)
    yield ("500, Retry-After 2", lambda: refuse(world, 500, "InternalError", 2),
           lambda: heal(world), r"HTTP 500", 20)
    yield ("503", lambda: refuse(world, 503, "ServiceUnavailable"), lambda: heal(world),
           r"HTTP 503 ServiceUnavailable: said by the test", 20)
    yield ("503, Retry-After 2", lambda: refuse(world, 503, "ServiceUnavailable", 2),
           lambda: heal(world), r"HTTP 503", 20)
    yield ("answers to PATCH lost", lambda: setattr(world.proxy, "fault", {"drop_answer": True}),
           lambda: heal(world), r"nobody knows whether it was carried out|-> \d+ workers", 15)
    yield ("certificate of another CA", world.replace_authority, world.trust_new_authority,
           r"HTTP 503|SSL|certificate", 20)
    yield ("token revoked", world.revoke, world.new_token, r"HTTP 401 Unauthorized.*not valid", 20)
    yield ("token rotated", world.new_token, lambda: None, None, 20)
    yield ("etcd gone", lambda: cluster.etcd.signal(signal.SIGSTOP),
           lambda: cluster.etcd.signal(signal.SIGCONT), r"all its pools keep their sizes", 30)


def test_troubles(tmp_path, parts, own_cluster):
    cluster = own_cluster
    cluster.create_pool()
    world = World(tmp_path, cluster)
    parts += [world.proxy, world.stack]
    stack = world.stack
    stack.start()
    stack.spacelift.add_runs(2)
    stack.wait_size(2, 20)
    wanted = 2
    rows = []
    for name, begin, end, said, limit_s in cases(world):
        lines = len(stack.collectd.output())
        begin()
        stack.spacelift.add_runs(1)
        wanted += 1
        if said:
            wait_until(lambda: any(line for line in stack.collectd.output()[lines:].splitlines()
                                   if re.search(said, line)), 25,
                       lambda: f"{name}: {said}: {stack.collectd.output()[lines:]}")
        end()
        healed = time.monotonic()
        wait_until(lambda: size_of(cluster) == wanted, limit_s,
                   lambda: f"{name}: {wanted} workers: {stack.collectd.output()[lines:]}",
                   is_limit=True)
        text = [line for line in stack.collectd.output()[lines:].splitlines()
                if "workerpool_scaler" in line]
        rows.append((name, time.monotonic() - healed, first_words(text)))
    sizes = [entry["requestObject"]["spec"]["replicas"] for entry in cluster.audit()
             if entry["verb"] == "patch" and entry["responseStatus"]["code"] == 200]
    print()
    for name, seconds, words in rows:
        print(f"{name:28} caught up in {seconds:4.1f} s; said: {words}")
    assert sizes == list(range(sizes[0], wanted + 1)), sizes  # never smaller, none twice
    cluster.delete_pool()


def size_of(cluster):
    try:
        return cluster.pool_size()
    except (OSError, ApiError):
        return None


def first_words(lines):
    for line in lines:
        words = line.partition("workerpool_scaler")[2].lstrip(" :plugin")
        if "keep" in words or "HTTP" in words:
            return re.sub(r"\S+://\S+", "URL", words.partition("): ")[2] or words)[:150]
    return lines[0].partition("workerpool_scaler")[2][:150] if lines else "(nothing)"
