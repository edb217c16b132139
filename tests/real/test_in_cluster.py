"""Without KubeConfig: the credentials of the pod. The daemon gets the files and the environment that
a pod has, in a mount namespace of its own."""

import os
import subprocess

import pytest

from cluster import ADMIN_TOKEN, NAMESPACE
from lib.stack import Stack

POD = "/run/secrets/kubernetes.io/serviceaccount"


def test_pod_credentials(tmp_path, parts, cluster, monkeypatch):
    if subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode:
        pytest.skip("no mount namespaces here: unshare -m is refused")
    files = {"token": cluster.service_account_token(), "namespace": NAMESPACE}
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    os.chmod(tmp_path / "token", 0o600)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(cluster.port))
    pod = (f"mount -t tmpfs tmpfs /run && mkdir -p {POD} && cp {tmp_path}/token "
           f"{tmp_path}/namespace {POD} && cp {cluster.ca} {POD}/ca.crt && exec \"$@\"")
    cluster.create_pool()
    try:
        stack = Stack(str(tmp_path), with_prometheus=False,
                      wrapper=("unshare", "-m", "sh", "-c", pod, "sh"),
                      kubernetes=(None, (cluster.url, ADMIN_TOKEN, cluster.ca)))
        parts.append(stack)
        stack.start()
        stack.spacelift.add_runs(2)
        stack.wait_size(2, 20)
        assert cluster.pool_size() == 2
    finally:
        cluster.delete_pool()
