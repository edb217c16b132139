"""What people get wrong and what servers send: each refused or survived with a message that names
the option, pool or URL and says what to do; never a crash, a leak or a resize."""

import os
import re
import time

import pytest

from lib.process import wait_until
from lib.stack import (API_KEY_ID, NAMESPACE, POOL, Collectd, KubernetesSimulator,
                       SpaceliftSimulator, account_block, block, plugin_block)

KUBECONFIG = """\
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "http://127.0.0.1:9"}}]
users: [{name: u, user: {token: t}}]
contexts: [{name: prod, context: {cluster: c, user: u}}]
current-context: prod
"""


def write(path, text, mode=0o600):
    with open(path, "w", encoding="utf-8",
              opener=lambda name, flags: os.open(name, flags, mode)) as file:
        file.write(text)
    return str(path)


def spacelift(tmp_path, **options):
    secret = write(tmp_path / "secret", "s\n")
    return plugin_block("spacelift", account_block(
        **{"url": "http://127.0.0.1:9", "secret_file": secret, **options}))


def scaler(tmp_path, *pools, cluster=None, **options):
    kubeconfig = write(tmp_path / "kubeconfig", KUBECONFIG)
    return plugin_block("workerpool_scaler",
                        block("Cluster", "prod", **{"KubeConfig": kubeconfig, **(cluster or {})}),
                        *(pools or [block("Pool", POOL, MaxWorkers=5, **options)]))


def writer(**options):
    return plugin_block("write_prometheus_remote",
                        block("Node", "prometheus",
                              **{"URL": "http://127.0.0.1:9/api/v1/write", **options}))


# name, configuration from tmp_path, what the message must contain
REFUSED = [
    ("unknown option of an account", lambda t: spacelift(t, Intervall=5),
     ['Account "acme"', "Intervall", "Interval"]),
    ("unknown option of a pool", lambda t: scaler(t, MaxWorker=5), [POOL, "MaxWorker", "MaxWorkers"]),
    ("unknown option of a node", lambda t: writer(Url="http://x/", BatchSize=3),
     ['Node "prometheus"', "BatchSize"]),
    ("unknown block", lambda t: plugin_block("spacelift", block("Acount", "a")), ["Acount"]),
    ("value out of range", lambda t: spacelift(t, Timeout=0), ["Timeout", "0", "1", "600000", "ms"]),
    ("minimum above maximum", lambda t: scaler(t, MinWorkers=9), [POOL, "MinWorkers", "MaxWorkers"]),
    ("number as text", lambda t: scaler(t, MinWorkers="many"), ["MinWorkers", "many"]),
    ("text as number", lambda t: spacelift(t, CACert=3), ["CACert"]),
    ("required option missing", lambda t: plugin_block("spacelift", block("Account", "acme")),
     ['Account "acme"', "URL"]),
    ("URL without a scheme", lambda t: spacelift(t, url="acme.app.spacelift.io"),
     ["URL", "acme.app.spacelift.io", "https://"]),
    ("two pools with one name",
     lambda t: scaler(t, block("Pool", POOL, MaxWorkers=5), block("Pool", POOL, MaxWorkers=6)),
     [POOL]),
    ("two accounts with one name",
     lambda t: plugin_block("spacelift",
                            account_block("http://127.0.0.1:9", write(t / "s1", "s")),
                            account_block("http://127.0.0.1:9", write(t / "s2", "s"))),
     ['"acme"', "rename"]),
    ("secret file missing", lambda t: spacelift(t, secret_file=f"{t}/nowhere"),
     ["APIKeySecretFile", "nowhere", "No such file"]),
    ("secret file empty", lambda t: spacelift(t, secret_file=write(t / "none", "\n")),
     ["APIKeySecretFile", "none", "empty"]),
    ("CA missing", lambda t: spacelift(t, CACert=f"{t}/ca.pem"), ["CACert", "ca.pem"]),
    ("CA that is none", lambda t: spacelift(t, CACert=write(t / "ca.pem", "hello\n")),
     ["CA", "certificate"]),
    ("CA of a node that is none", lambda t: writer(CACert=write(t / "ca.pem", "hello\n")),
     ['Node "prometheus"', "CA"]),
    ("kubeconfig missing", lambda t: scaler(t, cluster={"KubeConfig": f"{t}/nowhere"}),
     ['cluster "prod"', "nowhere", "No such file"]),
    ("kubeconfig without the context", lambda t: scaler(t, cluster={"Context": "staging"}),
     ['cluster "prod"', "staging", "prod"]),
    ("kubeconfig that is no YAML",
     lambda t: scaler(t, cluster={"KubeConfig": write(t / "k", "a: [b\n: c")}), ['cluster "prod"']),
    ("password without a user", lambda t: writer(Password="x"), ["Password", "User"]),
    ("two nodes with one name",
     lambda t: plugin_block("write_prometheus_remote",
                            block("Node", "a", URL="http://127.0.0.1:9/"),
                            block("Node", "a", URL="http://127.0.0.1:9/")), ['"a"', "rename"]),
    ("no account at all", lambda t: "LoadPlugin spacelift\n", ["<Account>"]),
    ("no node at all", lambda t: "LoadPlugin write_prometheus_remote\n", ["<Node>"]),
]


@pytest.mark.parametrize("make, words", [case[1:] for case in REFUSED],
                         ids=[case[0].replace(" ", "-") for case in REFUSED])
def test_refused_at_start(tmp_path, make, words):
    """collectd -T fails, and says why; so does the daemon."""
    collectd = Collectd(str(tmp_path), make(tmp_path))
    status, output = collectd.test()
    assert status != 0, output
    said = [line for line in output.splitlines() if all(word in line for word in words)]
    assert said, f"{words} in one line of\n{output}"


def test_secret_is_never_said(tmp_path):
    """Neither in an error nor in the log."""
    collectd = Collectd(str(tmp_path), writer(Password="hunter2-hunter2", User=None))
    _, output = collectd.test()
    assert "hunter2" not in output


# ---- servers that misbehave ----------------------------------------------------------------------

# fault, what the log must say
ANSWERS = [
    ("html", [r"/graphql", r"HTML|<html|begins with"]),
    ("html_503", [r"/graphql", r"503"]),
    ("truncated_json", [r"/graphql|workerPools", r"cut off|truncated|premature|ends"]),
    ("null_field", [r"workerPools\[0\]\.pendingRuns is null"]),
    ("null_data", [r"workerPools|/graphql"]),
    ("huge", [r"larger than|more than", r"bytes"]),
    ("rate_limit", [r"429|rate limit"]),
    ("outage", [r"Empty reply"]),
]


@pytest.fixture
def host(tmp_path, parts):
    """Simulators and a collectd without remote write, with a pool at three busy workers."""
    kubernetes = KubernetesSimulator(str(tmp_path), pools=[f"{POOL}=1"])
    account = SpaceliftSimulator(str(tmp_path), kubernetes=kubernetes)
    secret = write(tmp_path / "secret", "secret-of-the-simulator\n")
    collectd = Collectd(
        str(tmp_path), plugin_block("spacelift", account_block(account.url, secret)),
        plugin_block("workerpool_scaler", block("Cluster", "prod", KubeConfig=kubernetes.kubeconfig),
                     block("Pool", POOL, Namespace=NAMESPACE, MinWorkers=1, MaxWorkers=5,
                           ScaleInWindow=1)))
    for part in (kubernetes, account, collectd):
        parts.append(part)
        part.start()
    account.add_runs(3)
    wait_until(lambda: account.pool()["busy"] == 3, 15, lambda: f"{account.pool()}")
    return kubernetes, account, collectd


@pytest.mark.parametrize("fault, patterns", ANSWERS, ids=[case[0] for case in ANSWERS])
def test_bad_answer(host, fault, patterns):
    """No resize, one message with the reason, recovery."""
    _, account, collectd = host
    account.faults(**{fault: True})
    collectd.wait_line("cannot read workerPools", 15)
    line = collectd.find("cannot read workerPools")[0]
    for pattern in patterns:
        assert re.search(pattern, line), f"{pattern!r} in {line}"
    account.finish(3)  # the queue is empty, and nobody can know
    time.sleep(4)  # longer than ScaleInWindow: what must not happen needs time to happen
    assert account.pool()["size"] == 3
    assert len(collectd.find("cannot read workerPools")) == 1
    account.no_faults()
    wait_until(lambda: account.pool()["size"] == 1, 20, lambda: collectd.output()[-3000:])


def test_wrong_key(tmp_path, parts):
    account = SpaceliftSimulator(str(tmp_path))
    parts.append(account.start())
    secret = write(tmp_path / "secret", "not-the-secret\n")
    collectd = Collectd(str(tmp_path), plugin_block("spacelift", account_block(account.url, secret)))
    status, output = collectd.test()
    assert status != 0
    assert re.search(rf"refused.*APIKeyID.*{API_KEY_ID}", output), output
    assert "not-the-secret" not in output
    parts.append(collectd.start())
    time.sleep(5)  # it polls every second and must not try the key every second
    asked = [r for r in account.requests() if r["operation"] == "CollectdSpacelift_Login"]
    assert len(asked) <= 4


def test_unknown_pool_name(tmp_path, parts):
    """Neither Spacelift nor Kubernetes knows it: said by name, with the names there are."""
    kubernetes = KubernetesSimulator(str(tmp_path), pools=[f"{POOL}=1"])
    account = SpaceliftSimulator(str(tmp_path), pools=[f"{POOL}=1"])
    secret = write(tmp_path / "secret", "secret-of-the-simulator\n")
    collectd = Collectd(
        str(tmp_path), plugin_block("spacelift", account_block(account.url, secret)),
        plugin_block("workerpool_scaler", block("Cluster", "prod", KubeConfig=kubernetes.kubeconfig),
                     block("Pool", "my-amazing-worker-poll", Namespace=NAMESPACE, MaxWorkers=5)))
    for part in (kubernetes, account, collectd):
        parts.append(part)
        part.start()
    collectd.wait_line(r'my-amazing-worker-poll.*HTTP 404 NotFound', 10)
    collectd.wait_line(rf'pool "my-amazing-worker-poll".*{POOL}', 60)
    assert not kubernetes.patches()


# ---- stopping ------------------------------------------------------------------------------------

@pytest.mark.parametrize("hung", ["spacelift", "kubernetes", "receiver"])
def test_stops_within_a_second(tmp_path, parts, hung):
    kubernetes = KubernetesSimulator(str(tmp_path))
    receiver = SpaceliftSimulator(str(tmp_path))  # any server that can hang
    account = SpaceliftSimulator(str(tmp_path), kubernetes=kubernetes)
    secret = write(tmp_path / "secret", "secret-of-the-simulator\n")
    collectd = Collectd(
        str(tmp_path), plugin_block("spacelift", account_block(account.url, secret)),
        plugin_block("workerpool_scaler", block("Cluster", "prod", KubeConfig=kubernetes.kubeconfig),
                     block("Pool", POOL, Namespace=NAMESPACE, MaxWorkers=5)),
        plugin_block("write_prometheus_remote",
                     block("Node", "hung", URL=f"{receiver.url}/graphql", BatchSendDeadline=0)))
    servers = {"spacelift": account, "kubernetes": kubernetes, "receiver": receiver}
    for part in servers.values():
        parts.append(part.start())
    servers[hung].faults(hang=True)
    parts.append(collectd.start())
    wait_until(lambda: len(collectd_connections(collectd.pid, servers[hung].port)) > 0, 10,
               "a request that hangs")
    status, seconds = collectd.stop()
    assert status == 0 and seconds < 1, f"status {status} after {seconds:.2f} s"


def collectd_connections(pid, port):
    """Established connections of a process to a port of 127.0.0.1."""
    with open(f"/proc/{pid}/net/tcp", encoding="ascii") as table:
        rows = [line.split() for line in table][1:]
    inodes = {f"socket:[{row[9]}]" for row in rows if row[3] == "01" and
              int(row[2].split(":")[1], 16) == port}
    names = set()
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            names.add(os.readlink(f"/proc/{pid}/fd/{fd}"))
        except OSError:
            pass
    return inodes & names
