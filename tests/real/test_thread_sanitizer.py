"""The daemon with plugins built with the thread sanitizer: two hosts that share a pool by a Lease,
with events, an exec program, a server in trouble, a hand-over and stops; and the remote writer under
load. Unit tests cannot show the threads of a whole plugin at work together."""

import json
import os
import shutil
import subprocess
import time

import pytest

import lib.stack
from lib.exposition import Exposition
from lib.process import Process, wait_until
from lib.receiver import Receiver
from lib.stack import (API_KEY_SECRET, NAMESPACE, POOL, SCALER_TOKEN, Collectd,
                       KubernetesSimulator, SpaceliftSimulator, account_block, block,
                       plugin_block)
from lib.unixsock import Values
from test_reader import EVERYTHING

BUILD = os.path.join(lib.stack.TREE, "build", "variant-enable-tsan")
LEASE = {"LeaderElection": True, "LeaseDuration": 6, "RenewDeadline": 4.5, "RetryPeriod": 0.5}
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


def needs_sanitizer(plugin):
    if not os.path.exists(os.path.join(BUILD, ".libs", f"{plugin}.so")):
        pytest.skip(f"no build with the thread sanitizer in {BUILD}: ./check --real makes it")


def check_no_race(directory):
    reports = [path.read_text(encoding="utf-8") for path in directory.glob("race.*")]
    assert not reports, reports[0][:5000]


def test_no_race(tmp_path, parts, monkeypatch):
    needs_sanitizer("workerpool_scaler")
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
            "spacelift", account_block(spacelift.url, str(secret), **EVERYTHING)),
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
    check_no_race(tmp_path)


def test_no_race_in_remote_write(tmp_path, parts, monkeypatch):
    """Five threads in the write callback as fast as the sanitizer lets them, collectd's own write
    threads beside them, and three receivers: one takes all, one hangs, one refuses by turns. Series
    end; then the daemon stops, and takes over what it has left in the spools."""
    needs_sanitizer("write_prometheus_remote")
    monkeypatch.setattr(lib.stack, "BUILD", BUILD)
    subprocess.run(["make", "-s", "-C", BUILD, "feed_load.la"], check=True,
                   stdout=subprocess.DEVNULL)
    for name, value in (("FEED_HOSTS", 10), ("FEED_RATE", 20000), ("FEED_SECONDS", 3)):
        monkeypatch.setenv(name, str(value))
    sinks = [Process("sink", [os.path.join(lib.stack.TREE, "tests", "bench", "sink.py"), *words],
                     str(tmp_path / f"sink{number}")) for number, words in enumerate(([], ["--hang"]))]
    for sink in sinks:
        parts.append(sink.start())
        wait_until(lambda: "port " in sink.output(), 20, "the sink's port")
    takes, hangs = (f"http://127.0.0.1:{sink.output().split()[1]}/" for sink in sinks)
    picky = Receiver(script=[415, 503, "reset", 413, (429, {"Retry-After": "1"}), 400] * 3).start()
    exposition = Exposition(lambda number: "a 1\n" * (number % 2) + f"b {number}\n").start()
    parts.extend((picky, exposition))
    values = Values(tmp_path / "sock")
    few = block("WriteRelabelConfig", None, SourceLabels=["__name__", "load"],
                Regex="collectd_(load|test|remote).*|[ab];", Action="keep")
    part = block("WriteRelabelConfig", None, SourceLabels="instance", Modulus=2,
                 TargetLabel="__tmp_part", Action="hashmod")
    collectd = Collectd(
        str(tmp_path), values.config(),
        plugin_block("prometheus_scrape", block("Target", "test", URL=exposition.url)),
        plugin_block("write_prometheus_remote",
                     block("Node", "takes", part, URL=takes, BatchSendDeadline=0.1),
                     block("Node", "hangs", URL=hangs, SpoolSize=4, Timeout=500),
                     block("Node", "picky", few, URL=picky.url, BatchSendDeadline=0,
                           ProtocolRetry=1, RejectedFile=str(tmp_path / "rejected"))),
        "LoadPlugin feed_load", stock_plugins=("unixsock",),
        wrapper=("env", f"LD_PRELOAD={tsan_library()}",
                 f"TSAN_OPTIONS=log_path={tmp_path}/race exitcode=0"))
    shutil.copy(os.path.join(BUILD, ".libs", "feed_load.so"), collectd.plugin_dir)
    parts.append(collectd.start(ready_s=60))
    values.put(*[f"test/gauge-ends{number} {time.time():.3f}:1" for number in range(50)],
               interval_s=1)
    collectd.wait_line("fed samples", 60)
    stale = 'collectd_test_gauge{instance="host",test="ends1"}'
    wait_until(lambda: any(sample.is_stale
                           for sample in picky.series(stale=True).get(stale, [])), 60, "its end")
    collectd.stop()
    collectd.start(ready_s=60)
    taken_over = len(picky.requests)
    wait_until(lambda: len(picky.requests) > taken_over, 60, "requests")
    collectd.wait_line("fed samples", 60, count=2)  # its threads would not stop for collectd
    collectd.stop()
    check_no_race(tmp_path)
