"""The drop-in under a systemd that runs: hardening that is in force, secrets that come as credentials, and
the package's life where units and not init scripts start the daemon."""

import os
import re
import shutil

import pytest

from lib.process import free_ports, wait_until
from lib.stack import (API_KEY_ID, API_KEY_SECRET, NAMESPACE, POOL, TREE, KubernetesSimulator,
                       SpaceliftSimulator)
from root import BootedRoot
from test_deb import debs, one, plugin_deb  # pylint: disable=unused-import

DROP_IN = os.path.join(TREE, "conf", "systemd", "collectd-spacelift.conf")
SPOOL = "/var/lib/collectd/write_prometheus_remote/nowhere"
CONF = f"""\
<LoadPlugin spacelift>
  Interval 1
</LoadPlugin>
<Plugin spacelift>
  <Account "acme">
    URL "@URL@"
    APIKeyID "{API_KEY_ID}"
    APIKeySecretCredential "spacelift.secret"
  </Account>
</Plugin>
LoadPlugin workerpool_scaler
<Plugin workerpool_scaler>
  <Cluster "prod">
    KubeConfig "/run/credentials/collectd.service/kubeconfig"
  </Cluster>
  <Pool "{POOL}">
    Namespace "{NAMESPACE}"
    MaxWorkers 9
    ScaleInWindow 3600
  </Pool>
</Plugin>
LoadPlugin write_prometheus_remote
<Plugin write_prometheus_remote>
  <Node "nowhere">
    URL "http://127.0.0.1:@PORT@/"
  </Node>
</Plugin>
"""


class Host(BootedRoot):
    def __init__(self, directory, parts):
        super().__init__(directory, "bookworm")
        parts.append(self)
        self.start()
        self.kubernetes = KubernetesSimulator(directory)
        self.spacelift = SpaceliftSimulator(directory, kubernetes=self.kubernetes)
        for simulator in (self.kubernetes, self.spacelift):
            parts.append(simulator)
            simulator.start()

    def configure(self):
        shutil.copy(self.kubernetes.kubeconfig, self.path("/etc/collectd/kubeconfig"))
        self.write("/etc/collectd/spacelift.secret", API_KEY_SECRET + "\n", 0o600)
        self.write("/etc/collectd/collectd.conf.d/spacelift.conf", CONF.replace(
            "@URL@", self.spacelift.url).replace("@PORT@", str(free_ports(1)[0])))
        with open(DROP_IN, encoding="utf-8") as file:
            text = file.read().replace("#LoadCredential=kubeconfig", "LoadCredential=kubeconfig")
        self.write("/etc/systemd/system/collectd.service.d/spacelift.conf", text)
        self.run("systemctl", "daemon-reload")

    def property(self, name):
        return self.run("systemctl", "show", "--value", "-p", name, "collectd").strip()

    def exposure(self):
        text = self.run("systemd-analyze", "security", "--no-pager", "collectd.service", status=None)
        return float(re.search(r"Overall exposure level for \S+: ([\d.]+)", text)[1])

    def check_scales(self):
        before = self.spacelift.pool()
        wanted = max(before["size"], before["pending"] + before["busy"] + 1)
        self.spacelift.add_runs(1)
        wait_until(lambda: self.spacelift.pool()["size"] == wanted, 30,
                   lambda: f"{self.spacelift.pool()}\n{self.log()[-3000:]}")


def test_under_systemd(debs, tmp_path, parts):
    deb = plugin_deb(debs)
    host = Host(str(tmp_path), parts)
    host.start_collectd()
    before = host.exposure()
    host.install(deb)
    host.configure()
    host.start_collectd()

    # It works with what the drop-in leaves, the mapped spool included.
    host.check_scales()
    wait_until(lambda: host.exists(SPOOL) and os.listdir(host.path(SPOOL)), 20, "the spool's files")
    status = host.run("cat", f"/proc/{host.property('MainPID')}/status")
    bounding = int(re.search(r"(?m)^CapBnd:\s+(\w+)", status)[1], 16)
    assert bounding == 1 << 2, status  # CAP_DAC_READ_SEARCH
    assert re.search(r"(?m)^NoNewPrivs:\s+1$", status) and re.search(r"(?m)^Seccomp:\s+2$", status)
    after = host.exposure()
    print(f"exposure {before} -> {after}")
    assert before > 9 and after < 3.5

    # systemd copies a credential when it starts the unit: a new secret needs a restart.
    copy = "/run/credentials/collectd.service/spacelift.secret"
    host.write("/etc/collectd/spacelift.secret", "another\n", 0o600)
    running = host.property("MainPID")
    assert host.run("nsenter", "-t", running, "-m", "cat", copy).strip() == API_KEY_SECRET
    host.write("/etc/collectd/spacelift.secret", API_KEY_SECRET + "\n", 0o600)

    # Upgraded: restarted. Removed: restarted without the plugins. Both by the unit.
    host.apt("install", "--reinstall", f"/root/{os.path.basename(deb)}")
    wait_until(lambda: host.property("MainPID") not in ("0", running), 20, "collectd was restarted")
    host.check_scales()
    host.apt("remove", "collectd-plugin-spacelift")
    assert host.property("ActiveState") == "active"
    host.start_collectd()
    assert "workerpool_scaler plugin" not in host.log()

    # A secret that is missing is said by systemd, before collectd starts.
    os.unlink(host.path("/etc/collectd/spacelift.secret"))
    host.run("systemctl", "restart", "collectd", status=1)
    assert host.property("Result") == "exit-code"
    wait_until(lambda: "credential" in host.run("journalctl", "-u", "collectd", "-n", "20").lower(), 20,
               "a line about the credential")
