"""A name server that does not answer: every lookup takes the C library ten seconds, in which nothing can
end it. Neither the other servers nor the end of collectd wait for it."""

import json
import socket
import threading

import pytest

import mounts
from lib.process import wait_until
from lib.stack import (API_KEY_SECRET, NAMESPACE, POOL, SCALER_TOKEN, Collectd, SpaceliftSimulator,
                       account_block, block, plugin_block)
from test_reader import write

NAMES = ("spacelift", "kubernetes", "receiver", "target")


class NameServer:
    """It hears the questions."""

    def __init__(self, address):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, 53))
        self.asked = set()
        self.thread = threading.Thread(target=self._listen, daemon=True)
        self.thread.start()

    def _listen(self):
        while True:
            try:
                question = self.socket.recv(1500)
            except OSError:
                return
            self.asked |= {name for name in NAMES if name.encode() in question}

    def stop(self):
        self.socket.close()


@pytest.fixture
def name_server(tmp_path, parts):
    why_not = mounts.enter_namespace()
    if why_not:
        pytest.skip(why_not)
    server = NameServer("127.9.9.9")
    parts.append(server)
    (tmp_path / "resolv.conf").write_text("nameserver 127.9.9.9\n")
    mounts.run("mount", "--bind", tmp_path / "resolv.conf", "/etc/resolv.conf")
    yield server
    mounts.run("umount", "/etc/resolv.conf")


def test_a_name_server_that_hangs(tmp_path, parts, name_server):
    account = SpaceliftSimulator(str(tmp_path))
    parts.append(account.start())
    secret = write(tmp_path / "secret", API_KEY_SECRET)
    kubeconfig = write(tmp_path / "kubeconfig", json.dumps({
        "current-context": "x", "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": "https://kubernetes.example.test"}}],
        "users": [{"name": "u", "user": {"token": SCALER_TOKEN}}]}))
    collectd = Collectd(
        str(tmp_path),
        plugin_block("spacelift", account_block(account.url, secret),
                     block("Account", "far", URL="https://spacelift.example.test",
                           APIKeyID="01KEY", APIKeySecretFile=secret, Timeout=1000)),
        plugin_block("workerpool_scaler", block("Cluster", "c", KubeConfig=kubeconfig, Timeout=1000,
                                                LeaderElection=True),
                     block("Pool", POOL, Namespace=NAMESPACE, MaxWorkers=5)),
        plugin_block("prometheus_scrape",
                     block("Target", "t", URL="http://target.example.test/metrics", Timeout=1000)),
        plugin_block("write_prometheus_remote",
                     block("Node", "n", URL="http://receiver.example.test/", BatchSendDeadline=0,
                           Timeout=1000)),
        settings="FQDNLookup false")
    parts.append(collectd)
    collectd.start()
    wait_until(lambda: name_server.asked == set(NAMES), 30, lambda: f"asked: {name_server.asked}")
    collectd.wait_line('account "far": cannot read workerPools', 30)
    collectd.wait_line('node "n": .*[Tt]im', 30)
    collectd.wait_line('cluster "c": .*[Tt]im', 30)
    polls = len(account.requests())
    wait_until(lambda: len(account.requests()) >= polls + 2, 10, "polls of the account that is near")
    status, seconds = collectd.stop()
    print(f"the end while names are looked up: {seconds:.2f} s")
    assert status == 0 and seconds < 1
