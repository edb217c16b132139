"""Every way to log in, at once: one daemon with a cluster and a pool for each, on a real API server.
Then what must not be seen: no key and no token in a file we write, in the log, in argv or in the
environment of a child. Pods are in test_in_cluster.py, rotation and revocation also in
test_troubles.py."""

import base64
import json
import os
import shutil
import socket
import subprocess
import threading

import pytest

from cluster import ADMIN_TOKEN, NAMESPACE, SERVICE_ACCOUNT
from lib.process import wait_until
from lib.stack import (API_KEY_SECRET, Collectd, SpaceliftSimulator, account_block, block,
                       plugin_block)

HERE = os.path.dirname(os.path.abspath(__file__))


def encode(text):
    return base64.b64encode(text.encode()).decode()


class ConnectProxy:
    """A proxy that knows CONNECT."""

    def __init__(self):
        self.count = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(4096)
        host, _, port = head.split()[1].decode().rpartition(":")
        server = socket.create_connection((host, int(port)))
        client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        self.count += 1
        threading.Thread(target=self._copy, args=(server, client), daemon=True).start()
        self._copy(client, server)

    @staticmethod
    def _copy(source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
        except OSError:
            pass
        finally:
            target.close()

    def stop(self):
        self._listener.close()


class Ways:
    """Writes kubeconfigs; each goes with a pool of its name."""

    def __init__(self, folder, cluster):
        self.folder, self.cluster = folder, cluster
        self.secrets = []
        self.options = {}
        self.proxy = ConnectProxy()

    def path(self, name, file=""):
        folder = os.path.join(self.folder, name)
        os.makedirs(folder, exist_ok=True)
        return os.path.join(folder, file)

    def token(self):
        token = self.cluster.service_account_token()
        self.secrets.append(token)
        return token

    def write_secret(self, path, text):
        with open(path, "w", encoding="utf-8",
                  opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(text)

    def config(self, name, user, cluster=None, head=None, part=("clusters", "users", "contexts")):
        """JSON, which is YAML. user and cluster are the inner parts."""
        with open(self.cluster.ca, encoding="utf-8") as file:
            ca = encode(file.read())
        inner = {"server": self.cluster.url, "certificate-authority-data": ca, **(cluster or {})}
        lists = {
            "clusters": [{"name": "c", "cluster": {k: v for k, v in inner.items()
                                                   if v is not None}}],
            "users": [{"name": "u", "user": user}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u",
                                                   "namespace": NAMESPACE}}]}
        value = {"apiVersion": "v1", "kind": "Config", "current-context": "x"}
        value.update({key: lists[key] for key in part})
        value.update(head or {})
        return json.dumps(value)

    def add(self, name, user, **more):
        path = self.path(name, "kubeconfig")
        self.write_secret(path, self.config(name, user, **more))
        self.options[name] = {"KubeConfig": path}

    def add_exec(self, name, version, told=None, more=None, **config):
        folder = self.path(name)
        config = {"url": self.cluster.url, "ca": self.cluster.ca, "token": ADMIN_TOKEN,
                  "namespace": NAMESPACE, "account": SERVICE_ACCOUNT, **config}
        self.write_secret(self.path(name, "exec.json"), json.dumps(config))
        shutil.copy(os.path.join(HERE, "exec_token.py"), self.path(name, "login"))
        user = {"exec": {"apiVersion": f"client.authentication.k8s.io/{version}",
                         "command": "./login", "args": [folder],
                         "env": [{"name": "OF_THE_KUBECONFIG", "value": name}],
                         **({"interactiveMode": "Never"} if version == "v1" else {})}}
        user["exec"].update(told or {})
        self.add(name, user, **(more or {}))

    def runs(self, name):
        try:
            with open(self.path(name, "runs"), encoding="utf-8") as file:
                return [json.loads(line) for line in file]
        except FileNotFoundError:
            return []

    def add_all(self):
        certificate, key = self.cluster.client_certificate("of-a-certificate", "scalers")
        self.secrets.append(encode(key))
        self.secrets.append(key.splitlines()[1])
        self.add("token", {"token": self.token()})
        self.write_secret(self.path("token-file", "tok"), self.token() + "\n")
        self.add("token-file", {"tokenFile": "tok"})
        self.add("certificate-data", {"client-certificate-data": encode(certificate),
                                      "client-key-data": encode(key)})
        self.write_secret(self.path("certificate-files", "me.crt"), certificate)
        self.write_secret(self.path("certificate-files", "me.key"), key)
        shutil.copy(self.cluster.ca, self.path("certificate-files", "ca.crt"))
        self.add("certificate-files", {"client-certificate": "me.crt", "client-key": "me.key"},
                 cluster={"certificate-authority": "ca.crt", "certificate-authority-data": None})
        self.add("server-name", {"token": self.token()}, cluster={"tls-server-name": "localhost"})
        self.add("insecure", {"token": self.token()},
                 cluster={"insecure-skip-tls-verify": True, "certificate-authority-data": None})
        self.add("proxy", {"token": self.token()}, cluster={"proxy-url": self.proxy.url})
        self.add("context", {"token": self.token()}, head={"current-context": "no-such"})
        self.options["context"]["Context"] = "x"
        first, second = self.path("merged", "first"), self.path("merged", "second")
        self.write_secret(first, self.config("merged", {"token": self.token()}, part=("users",)))
        self.write_secret(second, self.config("merged", {"token": "hidden-by-the-first"},
                                              head={"current-context": "not-this"}))
        self.options["merged"] = {"KubeConfig": f"{first}:{self.path('merged')}none:{second}"}
        self.add_exec("exec-v1", "v1")
        self.add_exec("exec-v1beta1", "v1beta1")
        self.add_exec("exec-expires", "v1", expires_s=3)
        self.add_exec("exec-certificate", "v1", certificate=certificate, key=key)
        self.add_exec("exec-cluster-info", "v1", told={"provideClusterInfo": True}, more={
            "cluster": {"extensions": [{"name": "client.authentication.k8s.io/exec",
                                        "extension": {"audience": "it"}}]}})
        self.add_exec("exec-fails", "v1", fail=True)


def make_pools(cluster, names):
    for name in names:
        cluster.create_pool(name)
    cluster.call("PATCH", f"/apis/rbac.authorization.k8s.io/v1/namespaces/{NAMESPACE}/roles/"
                 "collectd-spacelift", {"rules": [
                     {"apiGroups": ["workers.spacelift.io"], "resources": ["workerpools"],
                      "resourceNames": names, "verbs": ["get"]},
                     {"apiGroups": ["workers.spacelift.io"], "resources": ["workerpools/scale"],
                      "resourceNames": names, "verbs": ["patch"]},
                     {"apiGroups": ["events.k8s.io"], "resources": ["events"],
                      "verbs": ["create", "patch"]}]}, "application/merge-patch+json")


def test_every_way(tmp_path, parts, own_cluster, monkeypatch):
    cluster = own_cluster
    ways = Ways(str(tmp_path / "ways"), cluster)
    parts.append(ways.proxy)
    ways.add_all()
    names = sorted(ways.options)
    make_pools(cluster, names)
    monkeypatch.setenv("SPACELIFT_API_KEY_SECRET", "secret-in-the-environment")
    spacelift = SpaceliftSimulator(str(tmp_path), pools=names,
                                   kubernetes=(cluster.url, ADMIN_TOKEN, cluster.ca))
    parts.append(spacelift)
    spacelift.start()
    ways.write_secret(tmp_path / "secret", API_KEY_SECRET)
    blocks = []
    for name in names:
        blocks += [block("Cluster", name, **ways.options[name]),
                   block("Pool", name, Cluster=name, Namespace=NAMESPACE, MinWorkers=1,
                         MaxWorkers=5, ScaleInWindow=0)]
    daemon = tmp_path / "daemon"
    daemon.mkdir()
    collectd = Collectd(str(daemon), plugin_block(
        "spacelift", account_block(spacelift.url, str(tmp_path / "secret"))),
        plugin_block("workerpool_scaler", *blocks))
    parts.append(collectd)
    collectd.start()
    wait_until(lambda: all(cluster.pool_size(name) == 1 for name in names), 10, "the pools")
    good = [name for name in names if name != "exec-fails"]
    for name in names:
        spacelift.add_runs(2, pool=name)
    wait_until(lambda: all(cluster.pool_size(name) == 2 for name in good), 40,
               lambda: f"{ {name: cluster.pool_size(name) for name in good} } "
                       f"{collectd.output()[-3000:]}")
    collectd.wait_line(r'cluster "exec-fails": .*cannot log in: .*said: nobody is logged in', 10)
    assert cluster.pool_size("exec-fails") == 1
    wait_until(lambda: len(ways.runs("exec-expires")) >= 3, 30, "a credential renewed twice")
    assert len(ways.runs("exec-v1")) == 1 and len(ways.runs("exec-v1beta1")) == 1
    info = json.loads(ways.runs("exec-cluster-info")[0]["environment"]["KUBERNETES_EXEC_INFO"])
    assert info["spec"]["cluster"]["server"] == cluster.url
    assert info["spec"]["cluster"]["config"] == {"audience": "it"}
    assert ways.proxy.count >= 1
    repair_exec(ways, cluster, spacelift)
    for name in good:
        print(f"{name}: 1 -> 2 workers")
    nothing_is_seen(ways, collectd, daemon)
    status, seconds = collectd.stop()
    assert status == 0 and seconds < 1


def repair_exec(ways, cluster, spacelift):
    """A program that works again is found without a restart."""
    path = ways.path("exec-fails", "exec.json")
    with open(path, encoding="utf-8") as file:
        config = json.load(file)
    del config["fail"]
    ways.write_secret(path, json.dumps(config))
    spacelift.add_runs(1, pool="exec-fails")
    wait_until(lambda: cluster.pool_size("exec-fails") == 3, 45, "the repaired program")


def nothing_is_seen(ways, collectd, daemon):
    secrets = [*ways.secrets, ADMIN_TOKEN, API_KEY_SECRET, "secret-in-the-environment"]
    for folder, _, files in os.walk(daemon):
        for name in files:
            try:
                with open(os.path.join(folder, name), "rb") as file:
                    text = file.read()
            except FileNotFoundError:
                continue  # renamed meanwhile: it is read under its other name, now or next
            for secret in secrets:
                assert secret.encode() not in text, (folder, name)
    with open(f"/proc/{collectd.pid}/cmdline", encoding="utf-8") as file:
        seen = file.read()
    for name in ways.options:
        for run in ways.runs(name):
            assert run["environment"]["OF_THE_KUBECONFIG"] == name
            seen += json.dumps(run)
    for secret in secrets:
        assert secret not in seen


@pytest.mark.parametrize("user, words", [
    ({"username": "me", "password": "hidden-password"}, "user name and password"),
    ({"auth-provider": {"name": "gcp"}}, "auth-provider"),
    ({"exec": {"apiVersion": "client.authentication.k8s.io/v1alpha1", "command": "x"}}, "v1alpha1"),
    ({"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "x",
               "interactiveMode": "Always"}}, "Always"),
], ids=["basic", "auth-provider", "exec-v1alpha1", "exec-that-asks"])
def test_refused(tmp_path, own_cluster, user, words):
    """A clear word at the start, not a mystery at night."""
    ways = Ways(str(tmp_path), own_cluster)
    ways.proxy.stop()
    ways.add("refused", user)
    collectd = Collectd(str(tmp_path), plugin_block(
        "workerpool_scaler", block("Cluster", "c", **ways.options["refused"]),
        block("Pool", "p", Namespace=NAMESPACE, MinWorkers=1, MaxWorkers=2)))
    done = subprocess.run(collectd.argv, capture_output=True, text=True, timeout=30, check=False)
    said = done.stdout + done.stderr + collectd.output()
    assert done.returncode != 0 and words in said, said
    assert "hidden-password" not in said
