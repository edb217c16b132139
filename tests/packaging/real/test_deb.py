"""The Debian packages: what is in them, and that a host's collectd survives whatever is done with them.

Each life is played in a root of its own, with the real daemon under Debian's own init script, and with
the plugins at work: runs that are queued in the simulated account make the pool larger."""

import glob
import os
import re
import shutil
import subprocess

import pytest

from lib.stack import (API_KEY_ID, API_KEY_SECRET, NAMESPACE, PLUGINS, POOL, KubernetesSimulator,
                       SpaceliftSimulator)
from lib.process import wait_until
from root import Root

SECRET = "/etc/collectd/spacelift.secret"
DROP_IN = "/etc/collectd/collectd.conf.d/spacelift.conf"
STATE = "/var/lib/collectd/workerpool_scaler"
MARK = "#collectd-spacelift-removed# "
CONF = f"""\
# The operator's own file.
<LoadPlugin spacelift>
  Interval 1
</LoadPlugin>
<Plugin spacelift>
  <Account "acme">
    URL "@URL@"
    APIKeyID "{API_KEY_ID}"
    APIKeySecretFile "{SECRET}"
  </Account>
</Plugin>
LoadPlugin "workerpool_scaler"  # quotes are allowed
<Plugin workerpool_scaler>
  <Cluster "prod">
    KubeConfig "/etc/collectd/kubeconfig"
  </Cluster>
  <Pool "{POOL}">
    Namespace "{NAMESPACE}"
    MaxWorkers 9
    ScaleInWindow 3600
  </Pool>
</Plugin>
"""


def one(pattern):
    found = glob.glob(pattern)
    assert len(found) == 1, f"{pattern}: {found}"
    return found[0]


@pytest.fixture
def debs(once, tarball):
    return once("deb", "build-deb", tarball, DEB_BUILD_OPTIONS="nocheck")


def plugin_deb(debs):
    return one(f"{debs}/collectd-plugin-spacelift_*.deb")


def older(deb, directory, version="0.0.1-1"):
    """The same package under an older version: what an upgrade starts from."""
    tree = os.path.join(directory, "older")
    subprocess.run(["dpkg-deb", "-R", deb, tree], check=True)
    control = os.path.join(tree, "DEBIAN", "control")
    with open(control, encoding="utf-8") as file:
        text = re.sub(r"(?m)^Version: .*$", f"Version: {version}", file.read())
    with open(control, "w", encoding="utf-8") as file:
        file.write(text)
    name = os.path.join(directory, f"collectd-plugin-spacelift_{version}_amd64.deb")
    subprocess.run(["dpkg-deb", "--root-owner-group", "-b", tree, name], check=True,
                   capture_output=True)
    shutil.rmtree(tree)
    return name


def test_lintian(debs):
    done = subprocess.run(["lintian", "--allow-root", "--fail-on", "error,warning",
                           one(f"{debs}/*.changes")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_built_twice_gives_the_same_bytes(debs, once):
    """The release as well: this one is made anew, elsewhere, in another time zone and language."""
    again = once("deb-again", "build-deb", DEB_BUILD_OPTIONS="nocheck", TZ="Asia/Kathmandu",
                 LC_ALL="C")
    names = sorted(os.path.basename(path) for path in glob.glob(f"{debs}/*.deb")
                   + glob.glob(f"{debs}/*.tar.xz"))
    assert len(names) >= 4
    for name in names:
        with open(f"{debs}/{name}", "rb") as first, open(f"{again}/{name}", "rb") as second:
            assert first.read() == second.read(), f"{name} differs"


def test_debug_symbols_match(debs, tmp_path):
    """The plugin's build ID has its file in the -dbgsym package, with line numbers."""
    for deb in (plugin_deb(debs), one(f"{debs}/collectd-plugin-spacelift-dbgsym_*.deb")):
        subprocess.run(["dpkg-deb", "-x", deb, str(tmp_path)], check=True)
    for plugin in glob.glob(f"{tmp_path}/usr/lib/collectd/*.so"):
        notes = subprocess.run(["readelf", "-n", plugin], capture_output=True, text=True,
                               check=True).stdout
        build_id = re.search(r"Build ID: (\w+)", notes).group(1)
        debug = f"{tmp_path}/usr/lib/debug/.build-id/{build_id[:2]}/{build_id[2:]}.debug"
        sections = subprocess.run(["readelf", "-SW", debug], capture_output=True, text=True,
                                  check=True).stdout
        assert ".debug_line" in sections, plugin


class Host(Root):
    """A root with a running collectd, and an account and a cluster it can reach."""

    def __init__(self, directory, suite, parts):
        super().__init__(directory, suite)
        parts.append(self)
        self.start()
        self.kubernetes = KubernetesSimulator(directory)
        self.spacelift = SpaceliftSimulator(directory, kubernetes=self.kubernetes)
        for simulator in (self.kubernetes, self.spacelift):
            parts.append(simulator)
            simulator.start()
        self.start_collectd()

    def configure(self):
        shutil.copy(self.kubernetes.kubeconfig, self.path("/etc/collectd/kubeconfig"))
        self.write(SECRET, API_KEY_SECRET + "\n", 0o600)
        self.write(DROP_IN, CONF.replace("@URL@", self.spacelift.url))

    def check_scales(self):
        """One more run, one more worker."""
        before = self.spacelift.pool()
        wanted = max(before["size"], before["pending"] + before["busy"] + 1)
        self.spacelift.add_runs(1)
        wait_until(lambda: self.spacelift.pool()["size"] == wanted, 30,
                   lambda: f"{self.spacelift.pool()}\n{self.log()[-3000:]}")

    def plugin_files(self):
        return [name for name in PLUGINS if self.exists(f"/usr/lib/collectd/{name}.so")]


@pytest.mark.parametrize("suite", ["bookworm", "trixie", "noble"])
def test_life_of_the_package(suite, debs, tmp_path, parts):
    deb = plugin_deb(debs)
    host = Host(str(tmp_path), suite, parts)
    running = host.collectd_pid()

    # Installed: nothing is switched on, nothing restarted.
    host.install(older(deb, str(tmp_path)))
    assert host.collectd_pid() == running
    assert host.plugin_files() == list(PLUGINS)
    host.start_collectd()
    assert "spacelift" not in host.log()

    # Configured: -T says yes, and it works after a restart.
    host.configure()
    host.run("collectd", "-T", "-C", "/etc/collectd/collectd.conf")
    host.start_collectd()
    host.check_scales()
    running = host.collectd_pid()

    # Upgraded, with files that the operator has changed: they stay as they are, and the daemon that
    # runs is restarted, for it would keep the old plugin.
    conf = "/etc/collectd/collectd.conf"
    host.write(conf, host.read(conf) + "# changed by the operator\n")
    mine = {path: host.read(path) for path in (conf, DROP_IN, SECRET)}
    host.install(deb)
    wait_until(lambda: host.collectd_pid() not in (None, running), 20, "collectd was restarted")
    assert {path: host.read(path) for path in mine} == mine
    host.check_scales()
    host.start_collectd()
    host.check_scales()

    # Removed: collectd runs on without the plugins and would start again.
    host.apt("remove", "collectd-plugin-spacelift")
    assert not host.plugin_files()
    wait_until(host.collectd_pid, 20, "collectd runs on")
    disabled = host.read(DROP_IN)
    assert disabled.replace(MARK, "") == mine[DROP_IN]
    assert host.read(SECRET) == mine[SECRET] and host.exists(STATE)
    host.start_collectd()
    assert "workerpool_scaler plugin" not in host.log()

    # Installed again: as it was before.
    host.install(deb)
    assert {path: host.read(path) for path in mine} == mine
    host.start_collectd()
    host.check_scales()

    # Purged: state goes, the operator's files and secrets stay.
    host.apt("purge", "collectd-plugin-spacelift")
    assert not host.exists(STATE)
    assert host.read(SECRET) == mine[SECRET] and host.exists(DROP_IN)
    host.start_collectd()
    host.install(deb)
    host.start_collectd()
    host.check_scales()


def test_collectd_goes_first(debs, tmp_path, parts):
    """However collectd itself comes and goes, it starts again afterwards."""
    deb = plugin_deb(debs)
    host = Host(str(tmp_path), "bookworm", parts)
    host.install(deb)
    host.configure()
    host.start_collectd()

    # apt takes the plugins along; collectd comes back alone, then they do.
    host.apt("update")
    host.apt("remove", "collectd-core")
    assert not host.exists("/usr/sbin/collectd") and not host.plugin_files()
    host.apt("install", "collectd")
    host.start_collectd()
    host.install(deb)
    host.start_collectd()
    host.check_scales()

    # By force from under them, and then they are removed without it.
    host.run("dpkg", "--force-depends", "--remove", "collectd", "collectd-core")
    host.run("dpkg", "--remove", "collectd-plugin-spacelift")
    host.apt("install", "collectd")
    host.start_collectd()

    # Purging collectd deletes /etc/collectd, as its own scripts say.
    host.install(deb)
    host.apt("purge", "collectd-core", "collectd", "collectd-plugin-spacelift")
    assert not host.exists("/etc/collectd")
    host.install("collectd", deb)
    host.write_collectd_conf()
    host.start_collectd()
