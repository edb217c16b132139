"""The example configurations work when the marked values are filled in: a real collectd takes them, asks
the (simulated) account, and has nothing to complain about."""

import os
import re

import pytest

from lib.stack import (API_KEY_ID, API_KEY_SECRET, BUILD, PLUGINS, POOL, TREE, Collectd,
                       KubernetesSimulator, Prometheus, SpaceliftSimulator)
from lib.process import wait_until

SCENARIOS = os.path.join(TREE, "conf", "scenarios")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


class Site:
    """An account, a cluster and a receiver; what an operator would fill in."""

    def __init__(self, directory, parts):
        self.directory = str(directory)
        self.kubernetes = KubernetesSimulator(self.directory, pools=(f"{POOL}=1", "experiments=1"))
        self.spacelift = SpaceliftSimulator(self.directory, pools=(POOL, "experiments"),
                                            kubernetes=self.kubernetes)
        self.prometheus = Prometheus(self.directory)
        for part in (self.kubernetes, self.spacelift, self.prometheus):
            parts.append(part)
            part.start()
        self.secret = os.path.join(self.directory, "secret")
        with open(self.secret, "w", encoding="ascii") as file:
            os.chmod(self.secret, 0o600)
            file.write(API_KEY_SECRET + "\n")

    def value(self, option):
        return {"APIKeyID": API_KEY_ID, "APIKeySecretFile": self.secret,
                "KubeConfig": self.kubernetes.kubeconfig}[option]

    def fill_in(self, text):
        """The values of the lines that are marked (1) to (4); a URL belongs to the block it is in."""
        block, lines, filled = None, [], 0
        for line in text.splitlines():
            block = (re.match(r"\s*<(Account|Cluster|Node)\b", line) or [None, block])[1]
            if re.search(r'"\s+# \([1-4]\)', line):
                option = line.split()[0]
                value = {"Account": self.spacelift.url, "Node": self.prometheus.write_url}[block] \
                    if option == "URL" else self.value(option)
                line = re.sub(r'"[^"]*"', lambda _, v=value: f'"{v}"', line, count=1)
                filled += 1
            lines.append(line)
        assert filled >= 4
        return "\n".join(lines) + "\n"


@pytest.fixture
def site(tmp_path, parts):
    return Site(tmp_path, parts)


def check(collectd):
    status, said = collectd.test()
    assert status == 0, said
    # Of ours: -T ends the daemon before its queue is empty, and it says so.
    trouble = [line for line in said.splitlines()
               if re.search(rf"\[(error|warning)\] ({'|'.join(PLUGINS)}) plugin:", line)]
    assert not trouble, trouble


@pytest.mark.parametrize("name", sorted(os.listdir(SCENARIOS)))
def test_scenario(name, site, tmp_path, monkeypatch):
    if name.startswith("inside"):
        # Its cluster is that of the pod: tests/real/test_in_cluster.py. Here the rest of it.
        text = read(os.path.join(SCENARIOS, name)).replace(
            "  # No <Cluster>: the one this pod runs in.",
            f'  <Cluster "here">\n    KubeConfig "{site.kubernetes.kubeconfig}"\n  </Cluster>')
    else:
        text = read(os.path.join(SCENARIOS, name))
    check(Collectd(str(tmp_path), site.fill_in(text)))


def test_generated_examples_together(site, tmp_path, parts):
    """With every option at its default or example, in one daemon, and at work."""
    values = {"https://acme.app.spacelift.io": site.spacelift.url,
              "/etc/collectd/spacelift.secret": site.secret,
              "/etc/collectd/kubeconfig": site.kubernetes.kubeconfig,
              "http://prometheus.example:9090/api/v1/write": site.prometheus.write_url}
    texts = []
    for plugin in ("spacelift", "workerpool_scaler", "write_prometheus_remote"):
        text = read(os.path.join(BUILD, "conf", "collectd.conf.d", f"{plugin}.conf"))
        for example, value in values.items():
            text = text.replace(f'"{example}"', f'"{value}"')
        texts.append(text)
    collectd = Collectd(str(tmp_path), *texts)
    check(collectd)
    parts.append(collectd)
    collectd.start()
    site.spacelift.add_runs(2)
    wait_until(lambda: site.spacelift.pool()["size"] == 2, 20, lambda: collectd.output()[-3000:])
    wait_until(lambda: site.prometheus.value(
        f'spacelift_worker_pool_workers{{worker_pool_name="{POOL}"}}') == 2, 20,
        lambda: collectd.output()[-3000:])


def test_every_plugin_has_an_example_and_a_manual_page():
    for plugin in PLUGINS:
        assert f"LoadPlugin {plugin}\n" in read(
            os.path.join(BUILD, "conf", "collectd.conf.d", f"{plugin}.conf"))
        page = read(os.path.join(BUILD, "docs", f"collectd-{plugin}.5"))
        for option in re.findall(r'(?m)^ +#?([A-Z]\w+) (?:"|-?\d|true|false)', read(
                os.path.join(BUILD, "conf", "collectd.conf.d", f"{plugin}.conf"))):
            assert option in page, f"{plugin}: {option} is not in its manual page"
