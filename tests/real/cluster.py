#!/usr/bin/python3
"""A real Kubernetes API: etcd and kube-apiserver with RBAC on, made for one test and thrown away.

It has the namespace of the tutorial, the WorkerPool CRD of workerpool-crd.yaml, the service account
and the rights of conf/kubernetes/rbac.yaml, and a kubeconfig for the scaler that uses them. An
audit log says afterwards who asked for what. There is no controller manager and no kubelet: the
simulator plays the worker pool controller with the administrator's token.

Alone: tests/real/cluster.py --keep
"""

import argparse
import base64
import datetime
import http.client
import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
TREE = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(TREE, "tests", "integration"))
from lib.process import Process, free_ports, wait_until  # noqa: E402

NAMESPACE = "spacelift-worker-pool-controller-system"
SERVICE_ACCOUNT = "collectd-spacelift"
POOL = "my-amazing-worker-pool"
GROUP = "/apis/workers.spacelift.io/v1beta1"
ADMIN_TOKEN = "token-of-the-administrator-of-this-test"

AUDIT_POLICY = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - level: Request
    resources:
      - {group: workers.spacelift.io}
      - {group: coordination.k8s.io, resources: [leases]}
  - level: Metadata
    users: ["system:serviceaccount:%s:%s"]
  - level: None
""" % (NAMESPACE, SERVICE_ACCOUNT)

KUBECONFIG = """\
apiVersion: v1
kind: Config
clusters:
  - name: test
    cluster:
      server: {server}
      certificate-authority-data: {ca}
users:
  - name: {user}
    user:
{credentials}
contexts:
  - name: test
    context:
      cluster: test
      user: {user}
      namespace: {namespace}
current-context: test
"""


def moment(text):
    """Seconds since 1970 of a time in the audit log."""
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


class ApiError(Exception):
    """An answer of the API server that is not 2xx."""

    def __init__(self, method, path, status, body):
        super().__init__(f"{method} {path}: {status}: {body[:500]}")
        self.status = status


def binary():
    """The kube-apiserver of the cache; build-kube-apiserver makes it."""
    done = subprocess.run([os.path.join(HERE, "build-kube-apiserver"), "--print"],
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise FileNotFoundError("no kube-apiserver yet: run tests/real/build-kube-apiserver")
    return done.stdout.strip()


class Cluster:
    """`directory` takes certificates, data and logs."""

    def __init__(self, directory):
        self.directory = directory
        etcd_client, etcd_peer, self.port = free_ports(3)
        self._etcd_url = f"http://127.0.0.1:{etcd_client}"
        self._etcd_peer_url = f"http://127.0.0.1:{etcd_peer}"
        self.url = f"https://127.0.0.1:{self.port}"
        self.ca = self.path("pki/ca.crt")
        self.audit_log = self.path("audit.log")
        self.etcd = None
        self.server = None

    def path(self, name):
        return os.path.join(self.directory, name)

    # ---- start and stop ------------------------------------------------------------------------

    def start(self):
        os.makedirs(self.path("pki"), exist_ok=True)
        self._make_pki()
        self._start_etcd()
        self.start_server()
        self._install()
        return self

    def stop(self):
        for each in (self.server, self.etcd):
            if each:
                each.stop()

    def _openssl(self, *arguments):
        done = subprocess.run(["openssl", *arguments], cwd=self.path("pki"),
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"openssl {' '.join(arguments)}: {done.stderr}")

    def _make_certificate(self, name, subject, extensions):
        with open(self.path(f"pki/{name}.ext"), "w", encoding="utf-8") as file:
            file.write(extensions)
        self._openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                      "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", subject)
        self._openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key",
                      "-set_serial", str(int.from_bytes(os.urandom(8), "big")), "-days", "2",
                      "-extfile", f"{name}.ext",
                      "-out", f"{name}.crt")

    def _make_pki(self):
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                      "-nodes", "-keyout", "ca.key", "-out", "ca.crt", "-days", "2",
                      "-subj", "/CN=test cluster CA")
        self._make_certificate("server", "/CN=kube-apiserver",
                               "subjectAltName=IP:127.0.0.1,DNS:localhost\n"
                               "extendedKeyUsage=serverAuth\n")
        self._openssl("ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", "sa.key")
        self._openssl("ec", "-in", "sa.key", "-pubout", "-out", "sa.pub")
        with open(self.path("tokens.csv"), "w", encoding="utf-8") as file:
            file.write(f'{ADMIN_TOKEN},admin,admin,"system:masters"\n')
        with open(self.path("audit-policy.yaml"), "w", encoding="utf-8") as file:
            file.write(AUDIT_POLICY)

    def _start_etcd(self):
        self.etcd = Process("etcd", [
            "etcd", "--data-dir", self.path("etcd"), "--unsafe-no-fsync", "--logger", "zap",
            "--listen-client-urls", self._etcd_url, "--advertise-client-urls", self._etcd_url,
            "--listen-peer-urls", self._etcd_peer_url,
            "--initial-advertise-peer-urls", self._etcd_peer_url,
            "--initial-cluster", f"default={self._etcd_peer_url}",
        ], self.path("etcd.log")).start()

    def start_server(self):
        """Also starts it again, on the same port and with the same data, after server.stop()."""
        self.server = Process("kube-apiserver", [
            binary(), f"--etcd-servers={self._etcd_url}",
            "--bind-address=127.0.0.1", "--advertise-address=127.0.0.1",
            f"--secure-port={self.port}", f"--cert-dir={self.path('pki')}",
            f"--tls-cert-file={self.path('pki/server.crt')}",
            f"--tls-private-key-file={self.path('pki/server.key')}",
            f"--client-ca-file={self.ca}", f"--token-auth-file={self.path('tokens.csv')}",
            "--authorization-mode=RBAC",
            f"--service-account-key-file={self.path('pki/sa.pub')}",
            f"--service-account-signing-key-file={self.path('pki/sa.key')}",
            "--service-account-issuer=https://kubernetes.default.svc",
            "--api-audiences=https://kubernetes.default.svc",
            "--service-cluster-ip-range=10.0.0.0/24",
            # Nobody makes the default service accounts here, and nobody needs them.
            "--disable-admission-plugins=ServiceAccount", "--endpoint-reconciler-type=none",
            f"--audit-policy-file={self.path('audit-policy.yaml')}",
            f"--audit-log-path={self.audit_log}",
        ], self.path("kube-apiserver.log")).start()
        self.server.wait_ready(self._is_ready, 180)

    def _is_ready(self):
        try:
            return self.call("GET", "/readyz", parse=False) == "ok"
        except (OSError, ApiError, http.client.HTTPException):
            return False

    def _install(self):
        self.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace",
                                           "metadata": {"name": NAMESPACE}})
        self.apply_file(os.path.join(HERE, "workerpool-crd.yaml"))
        self.apply_file(os.path.join(TREE, "conf", "kubernetes", "rbac.yaml"))
        wait_until(self._crd_served, 20, "the WorkerPool CRD is served")

    def _crd_served(self):
        try:
            return "items" in self.call("GET", f"{GROUP}/namespaces/{NAMESPACE}/workerpools")
        except ApiError:
            return False

    # ---- the API -------------------------------------------------------------------------------

    def call(self, method, path, body=None, content_type="application/json", token=ADMIN_TOKEN,
             parse=True):
        """One request; `body` is text or something to write as JSON. Raises ApiError unless 2xx."""
        context = ssl.create_default_context(cafile=self.ca)
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=20,
                                                 context=context)
        try:
            if body is not None and not isinstance(body, str):
                body = json.dumps(body)
            headers = {"Accept": "application/json", "Content-Type": content_type}
            if token:
                headers["Authorization"] = f"Bearer {token}"
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        if not 200 <= answer.status < 300:
            raise ApiError(method, path, answer.status, text)
        return json.loads(text) if parse else text

    def create(self, path, body, content_type="application/json"):
        return self.call("POST", path, body, content_type)

    def apply_file(self, path):
        """Creates each object of a YAML file. Only the kinds of our own files."""
        with open(path, encoding="utf-8") as file:
            documents = re.split(r"^---\n", file.read(), flags=re.MULTILINE)
        for document in documents:
            kind = re.search(r"^kind: (\w+)$", document, re.MULTILINE)
            if kind:
                self.create(self._path_of(kind.group(1), document), document, "application/yaml")

    @staticmethod
    def _path_of(kind, document):
        found = re.search(r"^  namespace: (\S+)$", document, re.MULTILINE)
        inside = f"/namespaces/{found.group(1)}" if found else ""
        version = re.search(r"^apiVersion: (\S+)$", document, re.MULTILINE).group(1)
        root = f"/apis/{version}" if "/" in version else f"/api/{version}"
        return f"{root}{inside}/{kind.lower()}s"

    # ---- worker pools --------------------------------------------------------------------------

    @staticmethod
    def pool_path(name=POOL, part=""):
        return f"{GROUP}/namespaces/{NAMESPACE}/workerpools/{name}{part}"

    def create_pool(self, name=POOL, size=1):
        """size None leaves poolSize out, as the real CRD allows."""
        secret = {"secretKeyRef": {"name": "spacelift-worker-pool-credentials"}}
        spec = {"token": {"secretKeyRef": {**secret["secretKeyRef"], "key": "token"}},
                "privateKey": {"secretKeyRef": {**secret["secretKeyRef"], "key": "privateKey"}}}
        if size is not None:
            spec["poolSize"] = size
        return self.create(f"{GROUP}/namespaces/{NAMESPACE}/workerpools", {
            "apiVersion": "workers.spacelift.io/v1beta1", "kind": "WorkerPool",
            "metadata": {"name": name, "namespace": NAMESPACE}, "spec": spec})

    def delete_pool(self, name=POOL):
        self.call("DELETE", self.pool_path(name))

    def pool_size(self, name=POOL):
        """spec.poolSize, None where it is not set."""
        return self.call("GET", self.pool_path(name))["spec"].get("poolSize")

    def forget_history(self):
        """Compacts etcd: of no object an older version is known any more."""
        def ask(path, body):
            request = urllib.request.Request(f"{self._etcd_url}/v3/kv/{path}",
                                             json.dumps(body).encode())
            with urllib.request.urlopen(request, timeout=10) as answer:
                return json.load(answer)
        revision = ask("range", {"key": base64.b64encode(b"/").decode()})["header"]["revision"]
        ask("compaction", {"revision": revision, "physical": True})

    # ---- identities ----------------------------------------------------------------------------

    def service_account_token(self, duration_s=3600):
        path = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/{SERVICE_ACCOUNT}/token"
        answer = self.create(path, {"apiVersion": "authentication.k8s.io/v1",
                                    "kind": "TokenRequest",
                                    "spec": {"expirationSeconds": duration_s}})
        return answer["status"]["token"]

    def client_certificate(self, user, group=None):
        """(certificate, key) in PEM of a user who has no rights but those of the group."""
        name = f"client-{user}"
        self._make_certificate(name, f"/O={group}/CN={user}" if group else f"/CN={user}",
                               "extendedKeyUsage=clientAuth\n")
        return tuple(self._read(f"pki/{name}.{part}") for part in ("crt", "key"))

    def _read(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()

    def write_kubeconfig(self, path, user, **credentials):
        """credentials: the members of the user entry with "-" written as "_", say token="..."."""
        with open(self.ca, "rb") as file:
            ca = base64.b64encode(file.read()).decode()
        lines = "\n".join(f"      {key.replace('_', '-')}: {value}"
                          for key, value in credentials.items())
        with open(path, "w", encoding="utf-8") as file:
            os.chmod(path, 0o600)
            file.write(KUBECONFIG.format(server=self.url, ca=ca, user=user, credentials=lines,
                                         namespace=NAMESPACE))
        return path

    def bind_group(self, group):
        """The rights of conf/kubernetes/rbac.yaml for a group of users."""
        self.create(f"/apis/rbac.authorization.k8s.io/v1/namespaces/{NAMESPACE}/rolebindings", {
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
            "metadata": {"name": group, "namespace": NAMESPACE},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role",
                        "name": SERVICE_ACCOUNT},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group",
                          "name": group}]})

    def member_kubeconfig(self, path, user, group):
        certificate, key = self.client_certificate(user, group)
        return self.write_kubeconfig(
            path, user,
            client_certificate_data=base64.b64encode(certificate.encode()).decode(),
            client_key_data=base64.b64encode(key.encode()).decode())

    def scaler_kubeconfig(self):
        return self.write_kubeconfig(self.path("scaler.kubeconfig"), "collectd",
                                     token=self.service_account_token())

    def admin_kubeconfig(self):
        return self.write_kubeconfig(self.path("admin.kubeconfig"), "admin", token=ADMIN_TOKEN)

    def audit(self, user=f"system:serviceaccount:{NAMESPACE}:{SERVICE_ACCOUNT}"):
        """The requests of a user so far (None: of all), as the audit log has them."""
        with open(self.audit_log, encoding="utf-8") as file:
            entries = [json.loads(line) for line in file if line.endswith("\n")]
        return [entry for entry in entries if user in (None, entry["user"].get("username"))]

    def annotate(self, name=POOL, **annotations):
        """Sets annotations of a pool; "/" is written "__", "-" is "_", None removes one."""
        keys = {key.replace("__", "/").replace("_", "-"): value
                for key, value in annotations.items()}
        self.call("PATCH", self.pool_path(name), {"metadata": {"annotations": keys}},
                  "application/merge-patch+json")

    def wait_settled(self, size, name=POOL):
        """Until the simulator, which is the controller here, has no more to write about that size:
        what it writes is a new version of the pool, and a PATCH of the old one is refused by 409."""
        wait_until(lambda: self.call("GET", self.pool_path(name)).get("status", {})
                   .get("actualPoolSize") == size, 30, f"{name} with {size} workers")

    def events(self, name=POOL):
        path = f"/apis/events.k8s.io/v1/namespaces/{NAMESPACE}/events"
        return [event for event in self.call("GET", path)["items"]
                if event["regarding"]["name"] == name]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--keep", action="store_true",
                        help="start it and keep it until Ctrl-C (the only thing to do alone)")
    parser.add_argument("--directory", help="for data, logs and kubeconfigs (a new one in /tmp, "
                                            "removed at the end)")
    arguments = parser.parse_args()
    if not arguments.keep:
        parser.error("say --keep")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    directory = arguments.directory or tempfile.mkdtemp(prefix="collectd-spacelift-cluster-")
    os.makedirs(directory, exist_ok=True)
    cluster = Cluster(directory)
    try:
        cluster.start()
        cluster.create_pool()
        print(f"server      {cluster.url}\n"
              f"CA          {cluster.ca}\n"
              f"admin       token {ADMIN_TOKEN}, kubeconfig {cluster.admin_kubeconfig()}\n"
              f"scaler      kubeconfig {cluster.scaler_kubeconfig()} (an hour)\n"
              f"pool        {NAMESPACE}/{POOL}, poolSize 1\n"
              f"audit log   {cluster.audit_log}\n"
              "Ctrl-C ends it.", flush=True)
        signal.pause()
    except KeyboardInterrupt:
        pass
    finally:
        cluster.stop()
        if not arguments.directory:
            shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
