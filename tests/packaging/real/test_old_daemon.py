"""The same files that are built here, loaded by a real collectd 5.9: Ubuntu 20.04's, the oldest that a
supported distribution has (EPEL 8 has 5.9.0)."""

import http.client
import lzma
import os
import re
import subprocess
import urllib.request

import pytest

from lib.process import wait_until
from lib.stack import (API_KEY_SECRET, NAMESPACE, POOL, Collectd, KubernetesSimulator, Prometheus,
                       SpaceliftSimulator, account_block, block, plugin_block)
import lib.stack

MIRROR = "http://archive.ubuntu.com/ubuntu"
HERE = os.path.dirname(os.path.abspath(__file__))


def get(path):
    try:
        with urllib.request.urlopen(f"{MIRROR}/{path}", timeout=30) as answer:
            return answer.read()
    except (OSError, http.client.HTTPException) as error:
        return pytest.skip(f"{MIRROR} cannot be reached: {error}")


@pytest.fixture
def old_daemon(tmp_path):
    """Its daemon alone; it runs with this machine's C library."""
    index = lzma.decompress(get("dists/focal/universe/binary-amd64/Packages.xz")).decode()
    path = re.search(r"(?m)^Filename: (.*/collectd-core_5\.9.*)$", index).group(1)
    deb = tmp_path / "collectd-core.deb"
    deb.write_bytes(get(path))
    subprocess.run(["dpkg-deb", "-x", str(deb), str(tmp_path / "old")], check=True)
    return str(tmp_path / "old")


def test_works_in_collectd_5_9(old_daemon, tmp_path, parts, monkeypatch):
    daemon = f"{old_daemon}/usr/sbin/collectd"
    said = subprocess.run([daemon, "-h"], capture_output=True, text=True, check=False).stdout
    assert "collectd 5.9" in said
    with open(os.path.join(os.path.dirname(HERE), "collectd-api.txt"), encoding="ascii") as file:
        api = {line.strip() for line in file if not line.startswith("#")}
    exported = subprocess.run(["nm", "-D", "--defined-only", daemon], capture_output=True, text=True,
                              check=True).stdout
    assert api <= {line.split()[-1] for line in exported.splitlines()}

    monkeypatch.setattr(lib.stack, "COLLECTD", daemon)
    monkeypatch.setattr(lib.stack, "COLLECTD_PLUGINS", f"{old_daemon}/usr/lib/collectd")
    kubernetes, prometheus = KubernetesSimulator(str(tmp_path)), Prometheus(str(tmp_path))
    spacelift = SpaceliftSimulator(str(tmp_path), kubernetes=kubernetes)
    secret = tmp_path / "secret"
    secret.write_text(API_KEY_SECRET + "\n", encoding="ascii")
    secret.chmod(0o600)
    collectd = Collectd(
        str(tmp_path), plugin_block("spacelift", account_block(spacelift.url, str(secret))),
        plugin_block("workerpool_scaler", block("Cluster", "prod", KubeConfig=kubernetes.kubeconfig),
                     block("Pool", POOL, Namespace=NAMESPACE, MaxWorkers=5)),
        plugin_block("write_prometheus_remote", block("Node", "prometheus", BatchSendDeadline=1,
                                                      URL=prometheus.write_url)),
        settings=f'TypesDB "{old_daemon}/usr/share/collectd/types.db"')
    for part in (kubernetes, prometheus, spacelift, collectd):
        parts.append(part)
        part.start()
    spacelift.add_runs(4)
    wait_until(lambda: spacelift.pool()["size"] == 4, 20, lambda: collectd.output()[-3000:])
    wait_until(lambda: prometheus.value(f'spacelift_worker_pool_workers{{worker_pool_name="{POOL}"}}')
               == 4, 20, lambda: collectd.output()[-3000:])
    status, seconds = collectd.stop()
    assert status == 0 and seconds < 5
