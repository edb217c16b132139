"""The daemon with plugins built with the thread sanitizer: two hosts that share a pool by a Lease,
with events, an exec program, a server in trouble, a hand-over and stops. Unit tests cannot show the
threads of a whole plugin at work together."""

import json
import os
import subprocess

import pytest

import lib.stack
from lib.process import wait_until
from lib.stack import (API_KEY_SECRET, NAMESPACE, POOL, SCALER_TOKEN, Collectd,
                       KubernetesSimulator, SpaceliftSimulator, account_block, block,
                       plugin_block)

BUILD = os.path.join(lib.stack.TREE, "build", "variant-enable-tsan")
LEASE = {"LeaderElection": True, "LeaseDuration": 3, "RenewDeadline": 2, "RetryPeriod": 0.5}
LOGIN = """#!/bin/sh
echo '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":
{"token":"%s","expirationTimestamp":"2001-01-01T00:00:00Z"}}'
""" % SCALER_TOKEN


def tsan_library():
    done = subprocess.run(["gcc", "-print-file-name=libtsan.so"], capture_output=True, text=True,
                          check=False)
    return done.stdout.strip()


def exec_kubeconfig(folder, url):
    """A program whose credential has always expired: it runs before every request."""
    login = folder / "login"
    login.write_text(LOGIN, encoding="utf-8")
    login.chmod(0o700)
    path = folder / "kubeconfig"
    path.write_text(json.dumps({
        "current-context": "x",
        "clusters": [{"name": "c", "cluster": {"server": url}}],
        "users": [{"name": "u", "user": {"exec": {
            "apiVersion": "client.authentication.k8s.io/v1", "command": "./login",
            "interactiveMode": "Never",
            # A shell does not bear the sanitizer.
            "env": [{"name": "LD_PRELOAD", "value": ""}]}}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u",
                                               "namespace": NAMESPACE}}]}), encoding="utf-8")
    return path


def test_no_race(tmp_path, parts, monkeypatch):
    if not os.path.exists(os.path.join(BUILD, ".libs", "workerpool_scaler.so")):
        pytest.skip(f"no build with the thread sanitizer in {BUILD}: ./check --real makes it")
    monkeypatch.setattr(lib.stack, "BUILD", BUILD)
    kubernetes = KubernetesSimulator(str(tmp_path))
    spacelift = SpaceliftSimulator(str(tmp_path), registration_s=0.1, kubernetes=kubernetes)
    for part in (kubernetes, spacelift):
        parts.append(part)
        part.start()
    secret = tmp_path / "secret"
    secret.write_text(API_KEY_SECRET, encoding="utf-8")
    secret.chmod(0o600)

    def host(name):
        folder = tmp_path / name
        folder.mkdir()
        made = Collectd(str(folder), plugin_block(
            "spacelift", account_block(spacelift.url, str(secret))),
            plugin_block("workerpool_scaler",
                         block("Cluster", "c", KubeConfig=str(exec_kubeconfig(folder,
                                                                               kubernetes.url)),
                               Timeout=500, **LEASE),
                         block("Pool", POOL, Namespace=NAMESPACE, MinWorkers=1, MaxWorkers=9,
                               ScaleInWindow=0)),
            wrapper=("env", f"LD_PRELOAD={tsan_library()}",
                     f"TSAN_OPTIONS=log_path={tmp_path}/race exitcode=0"))
        parts.append(made)
        return made.start(ready_s=60)

    first = host("first")
    first.wait_line("leads from now on", 60)
    with open(f"/proc/{first.pid}/maps", encoding="utf-8") as file:
        assert "libtsan" in file.read()
    second = host("second")
    second.wait_line("another one leads", 60)

    def wait_size(size):
        wait_until(lambda: spacelift.pool()["size"] == size, 60,
                   lambda: f"{size}: {first.output()[-1500:]}{second.output()[-1500:]}")
    spacelift.add_runs(3)
    wait_size(3)
    for fault in ("conflict", "unavailable", "unauthorized", "truncated_json"):
        kubernetes.faults(**{fault: 2})
    spacelift.add_runs(2)
    wait_size(5)
    kubernetes.faults(hang=True)
    first.wait_line("leads no longer|all its pools keep their sizes", 60)
    first.stop()
    kubernetes.no_faults()
    second.wait_line("leads from now on", 60)
    spacelift.add_runs(1)
    wait_size(6)
    second.stop()
    reports = [path.read_text(encoding="utf-8") for path in tmp_path.glob("race.*")]
    assert not reports, reports[0][:5000]
