"""The documentation is tried: every configuration in it starts a real collectd, every command runs, every
message it explains is one that the code can say, every link leads somewhere.

Commands run in a mount namespace with overlays on /etc and on the folders of collectd, so that they find the
paths they name; what would change the machine (systemctl, kubectl ...) is a stand-in that says yes."""

import base64
import glob
import json
import os
import re
import shutil
import subprocess

import pytest

from lib.process import wait_until
from lib.stack import (API_KEY_ID, API_KEY_SECRET, BUILD, NAMESPACE, PLUGINS, POOL, TREE, Collectd,
                       KubernetesSimulator, SpaceliftSimulator)

PAGES = sorted(["README.md", "CONTRIBUTING.md", "tests/sim/README.md",
                *(os.path.relpath(path, TREE) for path in glob.glob(f"{TREE}/docs/manual/*.md"))])
MAN_PAGES = sorted(os.path.basename(path) for path in glob.glob(f"{TREE}/docs/*.5.in"))

# Commands that are run, but elsewhere: too long for here.
ELSEWHERE = {
    "./demo": "a step of ./check --real and of anybody who tries it",
    "./check": "this",
    "autoreconf -i && ./configure": "make distcheck, and the packages",
    "packaging/build-deb": "tests/packaging/real/test_deb.py",
    "packaging/build-rpm": "tests/packaging/real/test_rpm.py",
    "tests/sim/": "the simulators run in every integration test, tests/sim/test_simulators.py",
    "curl -": "tests/sim/test_simulators.py",
}
STAND_INS = ("systemctl", "setsebool", "kubectl", "helm")

SCALED_OBJECT = f"""\
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {{name: workerpool-autoscaler, namespace: {NAMESPACE}}}
spec:
  scaleTargetRef: {{apiVersion: workers.spacelift.io/v1beta1, kind: WorkerPool, name: {POOL}}}
  minReplicaCount: 1
  maxReplicaCount: 5
  triggers:
    - type: prometheus
      metadata:
        serverAddress: http://prometheus.example:9090
        query: spacelift_worker_pool_runs_pending{{worker_pool_name="{POOL}"}}
        threshold: '1.0'
"""


def read(path):
    with open(os.path.join(TREE, path), encoding="utf-8") as file:
        return file.read()


def blocks(page, language):
    return re.findall(rf"(?m)^```{language}\n(.*?)^```", read(page), re.DOTALL)


def man_configurations(page):
    """Those between .nf and .fi that are configuration; a <Pool> alone gets what is around it."""
    for text in re.findall(r"(?ms)^\.nf\n(.*?)^\.fi", read(f"docs/{page}")):
        text = re.sub(r"\\f[BIRP]", "", text).replace("\\-", "-").replace("\\e", "\\")
        if not re.match(r"\s*(<|LoadPlugin)", text):
            continue
        plugin = re.match(r"collectd-(\w+)\.", page).group(1)
        if text.lstrip().startswith("<Pool"):
            text = f'<Cluster "prod">\n  KubeConfig "/etc/collectd/kubeconfig"\n</Cluster>\n{text}'
        if not re.search(r"(?m)^<Plugin ", text):
            text = f"<Plugin {plugin}>\n{text}</Plugin>\n"
        if "LoadPlugin" not in text:
            text = f"LoadPlugin {plugin}\n{text}"
        yield text


SPACECTL = """{"currentProfileAlias": "acme", "profiles": {"acme": {"alias": "acme", "credentials": {
    "type": 1, "endpoint": "%%s", "key_id": "%s", "key_secret": "%s"}}}}""" % (API_KEY_ID, API_KEY_SECRET)


def api_token(url):
    """The form of a token, with the address of its account; no server would take it."""
    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")
    return ".".join((part({"alg": "none"}), part({"aud": [url], "exp": 4102444800}), "c2lnbmF0dXJl"))


class Site:
    def __init__(self, directory, parts):
        self.directory = str(directory)
        self.kubernetes = KubernetesSimulator(self.directory)
        self.spacelift = SpaceliftSimulator(self.directory, kubernetes=self.kubernetes)
        for part in (self.kubernetes, self.spacelift):
            parts.append(part)
            part.start()
        self.secret = self.file("secret", API_KEY_SECRET + "\n")

    def file(self, name, text=""):
        path = os.path.join(self.directory, name)
        with open(path, "w", encoding="utf-8") as file:
            os.chmod(path, 0o600)
            file.write(text)
        return path

    def fill_in(self, text):
        """The values that differ from site to site."""
        values = {"APIKeyID": API_KEY_ID, "APIKeySecretFile": self.secret, "Namespace": NAMESPACE,
                  "KubeConfig": self.kubernetes.kubeconfig,
                  "CACert": "/etc/ssl/certs/ca-certificates.crt",
                  "BearerTokenFile": self.file("token", "token\n"),
                  "PasswordFile": self.file("password", "password\n"),
                  "APITokenFile": self.file("api-token", api_token(self.spacelift.url)),
                  "SpacectlConfig": self.file("spacectl.json", SPACECTL % self.spacelift.url)}
        lines, block = [], ""
        for line in text.splitlines():
            block = (re.match(r"\s*<(\w+)", line) or [None, block])[1]
            option = (re.match(r"\s*(\w+) +\"", line) or [None, ""])[1]
            value = self.spacelift.url if (block, option) == ("Account", "URL") else values.get(option)
            if value:
                line = re.sub(r'"[^"]*"', lambda _, v=value: f'"{v}"', line, count=1)
            lines.append(line)
        return "\n".join(lines) + "\n"


@pytest.fixture
def site(tmp_path, parts):
    return Site(tmp_path, parts)


def check_starts(text, site, where):
    status, said = Collectd(site.directory, site.fill_in(text)).test()
    assert status == 0 and "[error]" not in said, f"{where}\n{text}\n{said}"


def test_every_configuration_of_the_pages_starts_collectd(site):
    tried = 0
    for page in PAGES:
        for text in blocks(page, "apache"):
            check_starts(text, site, page)
            tried += 1
    assert tried >= 4


@pytest.mark.parametrize("page", MAN_PAGES)
def test_collectd_takes_every_configuration_of_a_manual_page(page, site, monkeypatch):
    """Takes: what a page's example reads may be elsewhere, but no option is refused."""
    found = list(man_configurations(page))
    assert found
    site.file("spacelift-secret", API_KEY_SECRET + "\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", site.directory)
    for text in found:
        _, said = Collectd(site.directory, site.fill_in(text)).test()
        assert "Parsing the config file failed" not in said and "successfully loaded" in said, \
            f"{page}\n{text}\n{said}"


def runs_elsewhere(block):
    return any(line.strip().startswith(start) for line in block.splitlines() for start in ELSEWHERE)


class Sandbox:
    """Where the commands of a page run: a folder that looks like a clone, and this machine's /etc and
    collectd folders under overlays that are thrown away."""

    def __init__(self, site):
        self.site = site
        self.clone = os.path.join(site.directory, "clone")
        self.bin = os.path.join(site.directory, "bin")
        os.makedirs(self.clone)
        os.makedirs(self.bin)
        for name in os.listdir(TREE):
            os.symlink(os.path.join(TREE, name), os.path.join(self.clone, name))
        with open(os.path.join(self.clone, "scaledobject.yaml"), "w", encoding="utf-8") as file:
            file.write(SCALED_OBJECT)
        for name in STAND_INS:
            self._program(name, f'echo "{name} $*"')
        self._program("sudo", 'exec "$@"')
        self._program("editor", f'cat {site.secret} >"$1"')
        self._program("apt-get", 'shift; for p; do case $p in -*) ;; *) set -- "$@" "$p" ;; esac; done; '
                                 'apt-cache show --no-all-versions "$@" >/dev/null')
        os.symlink(os.path.join(BUILD, "spacelift-pool"), os.path.join(self.bin, "spacelift-pool"))

    def _program(self, name, body):
        path = os.path.join(self.bin, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\n{body}\n")
        os.chmod(path, 0o755)

    def run(self, commands, drop_in, with_daemon):
        conf = os.path.join(self.site.directory, "drop-in.conf")
        with open(conf, "w", encoding="utf-8") as file:
            file.write(drop_in)
        libexec = os.path.join(BUILD, "packaging", "common", "loadplugin")
        prepare = f"""
set -e
lay() {{ mkdir -p "$2.up" "$2.work"; mount -t overlay overlay -o "lowerdir=$1,upperdir=$2.up,workdir=$2.work" "$1"; }}
mount -t tmpfs tmpfs /mnt
lay /etc /mnt/etc; lay /usr/lib/collectd /mnt/plugins; lay /usr/libexec /mnt/libexec
mount -t tmpfs tmpfs /var/lib/collectd
cp {" ".join(os.path.join(BUILD, ".libs", f"{name}.so") for name in PLUGINS)} /usr/lib/collectd/
mkdir -p /usr/libexec/collectd-spacelift /etc/collectd/collectd.conf.d
cp {libexec} /usr/libexec/collectd-spacelift/
printf 'Hostname "host"\\nFQDNLookup false\\nInterval 1\\nLoadPlugin logfile\\n<Plugin logfile>\\n  File STDOUT\\n</Plugin>\\n<Include "/etc/collectd/collectd.conf.d">\\n  Filter "*.conf"\\n</Include>\\n' >/etc/collectd/collectd.conf
rm -f /etc/collectd/collectd.conf.d/*
cp {conf} /etc/collectd/collectd.conf.d/spacelift.conf
cp {self.site.kubernetes.kubeconfig} /etc/collectd/kubeconfig
install -m 600 {self.site.secret} /etc/collectd/spacelift.secret
if [ -n "$WITH_DAEMON" ]; then
    collectd -f -C /etc/collectd/collectd.conf >/mnt/log 2>&1 &
    for i in $(seq 100); do spacelift-pool why {POOL} >/dev/null 2>&1 && break; sleep 0.1; done
fi
cd {self.clone}
exec bash -euo pipefail "$@"
"""
        script = os.path.join(self.site.directory, "commands")
        with open(script, "w", encoding="utf-8") as file:
            file.write(commands)
        return subprocess.run(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", prepare, "sh", script],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", timeout=120,
            check=False, env={**os.environ, "PATH": f"{self.bin}:/usr/sbin:/usr/bin:/sbin:/bin",
                              "NEW_SECRET": API_KEY_SECRET,
                              "WITH_DAEMON": "1" if with_daemon else ""})


def has_overlays():
    return subprocess.run(["unshare", "--mount", "sh", "-c",
                           "mount -t tmpfs t /mnt && mkdir /mnt/u /mnt/w && mount -t overlay o "
                           "-o lowerdir=/etc,upperdir=/mnt/u,workdir=/mnt/w /etc"],
                          capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("page", PAGES)
def test_every_command_runs(page, site):
    commands = [block for block in blocks(page, "sh") if not runs_elsewhere(block)]
    if not commands:
        assert page in ("tests/sim/README.md", "docs/manual/README.md", "docs/manual/sizing.md",
                        "README.md"), f"{page} has no command"
        return
    if not has_overlays():
        pytest.skip("no overlays here: unshare -m or mount is refused")
    text = "".join(block if block.endswith("\n") else block + "\n" for block in commands)
    configurations = blocks(page, "apache") or blocks("README.md", "apache")
    drop_in = next((each for each in configurations if "LoadPlugin workerpool_scaler" in each),
                   blocks("README.md", "apache")[0])
    # Of a page's site only the account is another one; its paths are those that the page names.
    drop_in = re.sub(r'URL "https://acme[^"]*"', f'URL "{site.spacelift.url}"', drop_in)
    drop_in = re.sub(r'(?s)LoadPlugin write_prometheus_remote.*?</Plugin>\n', "", drop_in)
    shown = "\n".join(f"( {block.strip()}\n)" for block in commands)
    done = Sandbox(site).run(shown, drop_in, with_daemon="spacelift-pool status" in text)
    assert done.returncode == 0, f"{page}:\n{shown}\n{done.stdout[-3000:]}"


def test_every_link_leads_somewhere():
    for page in [*PAGES, "docs/architecture.md", "CHANGELOG.md"]:
        for link in re.findall(r"\]\(([^)#]+)[^)]*\)", read(page)):
            if not link.startswith("http"):
                target = os.path.join(os.path.dirname(page), link)
                assert os.path.exists(os.path.join(TREE, target)), f"{page}: {link}"


def test_every_file_that_is_named_exists():
    for page in PAGES:
        for name in re.findall(r"`((?:conf|docs|tests|packaging|src)/[\w./-]+)`", read(page)):
            assert glob.glob(os.path.join(TREE, name)) or os.path.exists(
                os.path.join(BUILD, name)), f"{page}: {name}"


def test_every_message_that_is_explained_can_be_said():
    """Ours are in the sources, collectd's in its daemon."""
    sources = ""
    for folder, _, names in os.walk(os.path.join(TREE, "src")):
        for name in names:
            sources += read(os.path.join(folder, name)) if name.endswith(".c") else ""
    # Texts that the compiler joins, and what is filled in.
    sources = re.sub(r'"\s*\n\s*"', "", sources).replace('\\"', '"')
    theirs = ('Could not find plugin', "undefined symbol", "Permission denied", "HTTP 40",
              "out of order sample")
    rows = re.findall(r"(?m)^\| (`.*?) \|", read("docs/manual/troubleshooting.md"))
    assert len(rows) > 15
    for row in rows:
        for message in re.findall(r"`([^`]+)`", row):
            if not message.startswith(theirs):
                shape = re.escape(re.sub(r"\d+", "%", message)).replace("%", r"(%\w+|\d+)")
                assert re.search(shape, sources), f"nothing says: {message}"


def test_metric_reference_has_every_metric_of_rules_and_dashboard():
    reference = read(os.path.join(BUILD, "docs/manual/metrics.md"))
    for path in ("conf/prometheus/spacelift.rules.yml", "conf/grafana/spacelift-worker-pools.json"):
        for name in set(re.findall(r"\b(?:spacelift|collectd_remote_write)_[a-z0-9_]{4,}", read(path))):
            assert f"`{name}" in reference, f"{path}: {name}"
