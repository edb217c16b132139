"""The pages and manual pages of the tree, what stands in them, and where their commands can run."""

import base64
import glob
import json
import os
import re
import shutil
import subprocess

from lib.stack import (API_KEY_ID, API_KEY_SECRET, BUILD, NAMESPACE, PLUGINS, POOL, TREE,
                       KubernetesSimulator, SpaceliftSimulator)

PAGES = sorted(["README.md", "CONTRIBUTING.md", "tests/sim/README.md",
                *(os.path.relpath(path, TREE) for path in glob.glob(f"{TREE}/docs/manual/*.md"))])
MAN_PAGES = sorted(os.path.relpath(path, TREE) for path in glob.glob(f"{TREE}/docs/*.[15].in"))

# Commands that are run, but elsewhere: too long for here.
ELSEWHERE = {
    "./demo": "a step of ./check --real and of anybody who tries it",
    "./check": "this",
    "autoreconf -i && ./configure": "make distcheck, and the packages",
    "packaging/build-deb": "tests/packaging/real/test_deb.py",
    "packaging/build-rpm": "tests/packaging/real/test_rpm.py",
}
# What stands in a block of its own and is neither a command nor a configuration, by how it begins.
NO_COMMAND = {
    "README.md": {"┌": "a picture", "workerpool_scaler plugin:": "a line of the log"},
    "docs/collectd-workerpool_scaler.5.in": {"tutorial    repaired": "a table of measurements"},
    "docs/collectd-write_prometheus_remote.5.in": {
        "accepted = acked": "a formula", "host/write_prometheus_remote-node/": "names of values",
        "collectd_plugin_type{": "names of series"},
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
# What Prometheus' /api/v1/query_range says of an hour in which a pool had two runs, and a third waited.
RECORDING = json.dumps({"status": "success", "data": {"resultType": "matrix", "result": [
    {"metric": {"__name__": f"spacelift_worker_pool_{name}", "worker_pool_name": POOL},
     "values": [[1700000000 + 60 * minute, value] for minute in range(60)]}
    for name, value in (("runs_pending", "1"), ("workers_busy", "2"))]}})
NEW_POLICY = f"""\
<Plugin workerpool_scaler>
  <Pool "{POOL}">
    MinWorkers 1
    MaxWorkers 5
  </Pool>
</Plugin>
"""


def read(path):
    with open(os.path.join(TREE, path), encoding="utf-8") as file:
        return file.read()


def blocks(page, language):
    return re.findall(rf"(?m)^```{language}\n(.*?)^```", read(page), re.DOTALL)


def logical_commands(text):
    """One for each line, with the lines it goes on in."""
    return [line.strip() for line in text.replace("\\\n", " ").splitlines() if line.strip()]


def commands(page):
    """For each block of a page what can be run here."""
    found = ([each for each in logical_commands(text) if not each.startswith(tuple(ELSEWHERE))]
             for text in blocks(page, "sh"))
    return ["\n".join(each) for each in found if each]


def man_blocks(page):
    """What stands between .nf and .fi, or .EX and .EE, as a reader sees it."""
    for _, text in re.findall(r"(?ms)^\.(nf|EX)\n(.*?)^\.(?:fi|EE)", read(page)):
        text = re.sub(r"(?m)^\.R[SE]\n", "", text)
        yield re.sub(r"\\f[BIRP]", "", text).replace("\\-", "-").replace("\\e", "\\")


def is_configuration(text):
    return re.match(r"\s*(<|LoadPlugin)", text) is not None


def man_commands(page):
    return [text for text in man_blocks(page)
            if re.match(r"\s*(install|collectd|spacelift-pool) ", text)]


def man_configurations(page):
    """A <Pool> alone gets what is around it."""
    for text in man_blocks(page):
        if not is_configuration(text):
            continue
        plugin = re.match(r"docs/collectd-(\w+)\.", page).group(1)
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


class Sandbox:
    """Where the commands of a page run: a folder that looks like a clone, and this machine's /etc, programs
    and collectd folders under overlays that are thrown away."""

    def __init__(self, site):
        self.site = site
        self.clone = os.path.join(site.directory, "clone")
        self.bin = os.path.join(site.directory, "bin")
        os.makedirs(self.clone)
        os.makedirs(self.bin)
        for name in os.listdir(TREE):
            os.symlink(os.path.join(TREE, name), os.path.join(self.clone, name))
        for name, text in (("scaledobject.yaml", SCALED_OBJECT), ("queue.json", RECORDING),
                           ("new.conf", NEW_POLICY), ("worker-pool-ID.config", "dG9rZW4=\n")):
            with open(os.path.join(self.clone, name), "w", encoding="utf-8") as file:
                file.write(text)
        shutil.copy(site.secret, os.path.join(self.clone, "api-key.config"))
        for name in STAND_INS:
            self._program(name, f'echo "{name} $*"; case "$*" in *" -f -") cat >/dev/null ;; esac')
        self._program("sudo", 'exec "$@"')
        self._program("editor", f'cat {site.secret} >"$1"')
        self._program("apt-get", 'shift; for p; do case $p in -*) ;; *) set -- "$@" "$p" ;; esac; done; '
                                 'apt-cache show --no-all-versions "$@" >/dev/null')

    def _program(self, name, body):
        path = os.path.join(self.bin, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\n{body}\n")
        os.chmod(path, 0o755)

    def run(self, commands, drop_in, with_daemon):
        conf = self.site.file("drop-in.conf", drop_in)
        for_telegraf = self.site.file("spacelift-pool.conf",
                                      self.site.fill_in(read("conf/spacelift-pool.conf")))
        libexec = os.path.join(BUILD, "packaging", "common", "loadplugin")
        prepare = f"""
set -e
lay() {{ mkdir -p "$2.up" "$2.work"; mount -t overlay overlay -o "lowerdir=$1,upperdir=$2.up,workdir=$2.work" "$1"; }}
mount -t tmpfs tmpfs /mnt
lay /etc /mnt/etc; lay /usr/lib/collectd /mnt/plugins; lay /usr/libexec /mnt/libexec
lay /usr/bin /mnt/programs
cp {os.path.join(BUILD, "spacelift-pool")} /usr/bin/
mount -t tmpfs tmpfs /var/lib/collectd
cp {" ".join(os.path.join(BUILD, ".libs", f"{name}.so") for name in PLUGINS)} /usr/lib/collectd/
mkdir -p /usr/libexec/collectd-spacelift /etc/collectd/collectd.conf.d
cp {libexec} /usr/libexec/collectd-spacelift/
printf 'Hostname "host"\\nFQDNLookup false\\nInterval 1\\nLoadPlugin logfile\\n<Plugin logfile>\\n  File STDOUT\\n</Plugin>\\n<Include "/etc/collectd/collectd.conf.d">\\n  Filter "*.conf"\\n</Include>\\n' >/etc/collectd/collectd.conf
rm -f /etc/collectd/collectd.conf.d/*
cp {conf} /etc/collectd/collectd.conf.d/spacelift.conf
cp {self.site.kubernetes.kubeconfig} /etc/collectd/kubeconfig
install -m 600 {self.site.secret} /etc/collectd/spacelift.secret
install -m 600 {for_telegraf} /etc/spacelift-pool.conf
mkdir -p /etc/telegraf/telegraf.d
cp {TREE}/conf/telegraf.d/spacelift_execd.conf /etc/telegraf/telegraf.d/
if [ -n "$WITH_DAEMON" ]; then
    collectd -f -C /etc/collectd/collectd.conf >/mnt/log 2>&1 &
    for i in $(seq 600); do spacelift-pool why {POOL} >/dev/null 2>&1 && break; sleep 0.1; done
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
