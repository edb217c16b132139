"""A small Debian or Ubuntu system of its own: file tree, mounts and processes. What runs in it ends with
it. It shares the network of this machine, so simulators of the test can be reached."""

import os
import shutil
import signal
import subprocess

import pytest

from lib.process import Process, wait_until
from lib.stack import TREE

HERE = os.path.dirname(os.path.abspath(__file__))
LOG = "/var/log/collectd/test.log"
# A host that its operator has configured: Debian's own file loads plugins whose libraries are only
# recommended.
CONF = """\
Hostname "host"
FQDNLookup false
Interval 1
LoadPlugin memory
<Include "/etc/collectd/collectd.conf.d">
  Filter "*.conf"
</Include>
"""
LOG_CONF = f"""\
LoadPlugin logfile
<Plugin logfile>
  LogLevel info
  File "{LOG}"
</Plugin>
"""


class Root:
    def __init__(self, directory, suite):
        self.directory = os.path.join(directory, suite)
        self.suite = suite
        self._init = None

    def start(self):
        self._unpack()
        self._boot()
        self.write_collectd_conf()
        return self

    def _unpack(self):
        if subprocess.run(["unshare", "-mpf", "true"], capture_output=True, check=False).returncode:
            pytest.skip("no namespaces here: unshare -mp is refused")
        done = subprocess.run([os.path.join(HERE, "base-root"), self.suite], capture_output=True,
                              text=True, check=False)
        if done.returncode == 77:
            pytest.skip(done.stderr.strip())
        assert done.returncode == 0, done.stderr
        os.makedirs(self.directory)
        subprocess.run(["tar", "-C", self.directory, "-xf", done.stdout.strip()], check=True)
        # Nothing of it has to survive a power cut.
        self.write("/etc/dpkg/dpkg.cfg.d/test", "force-unsafe-io\n")

    def _boot(self):
        self._init = Process("init", [
            "unshare", "--mount", "--pid", "--fork", "--kill-child=SIGKILL",
            "chroot", self.directory, "sh", "-c",
            "mount -t proc proc /proc && touch /ready; sleep infinity & wait"],
            self.directory + ".log").start()
        self._init.wait_ready(lambda: os.path.exists(self.path("/ready")), 20)
        # invoke-rc.d does nothing where there is no init system: this root says it has one.
        for name, text in (("/usr/sbin/policy-rc.d", "exit 0"), ("/sbin/runlevel", "echo N 2")):
            if os.path.lexists(self.path(name)):
                os.unlink(self.path(name))  # a link to systemctl
            self.write(name, f"#!/bin/sh\n{text}\n", 0o755)

    def write_collectd_conf(self):
        self.write("/etc/collectd/collectd.conf", CONF)
        self.write("/etc/collectd/collectd.conf.d/00-logfile.conf", LOG_CONF)

    def stop(self):
        if self._init and self._init.alive():
            # unshare(1) takes no SIGTERM while it waits; with its first process a root ends.
            os.kill(int(self._first_process()), signal.SIGKILL)
            self._init.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def path(self, inside):
        return self.directory + inside

    def read(self, inside):
        with open(self.path(inside), encoding="utf-8", errors="replace") as file:
            return file.read()

    def write(self, inside, text, mode=0o644):
        os.makedirs(os.path.dirname(self.path(inside)), exist_ok=True)
        with open(self.path(inside), "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self.path(inside), mode)

    def exists(self, inside):
        return os.path.exists(self.path(inside))

    def run(self, *argv, status=0, limit_s=300):
        """A command inside; its output. Fails the test if the command does not end with `status`."""
        done = subprocess.run(
            ["nsenter", "-t", self._first_process(), "-m", "-p", "-r", "-w", *argv], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
            timeout=limit_s, check=False,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C",
                 "DEBIAN_FRONTEND": "noninteractive"})
        assert status is None or done.returncode == status, f"{argv}: {done.returncode}\n{done.stdout}"
        return done.stdout

    def _first_process(self):
        with open(f"/proc/{self._init.pid}/task/{self._init.pid}/children", encoding="ascii") as file:
            return file.read().split()[0]

    def apt(self, *argv, **more):
        return self.run("apt-get", "-q", "-y", "-o", "Dpkg::Options::=--force-confold",
                        "-o", "Dpkg::Use-Pty=0", "-o", "Acquire::Retries=3",
                        "--no-install-recommends", *argv, **more)

    def install(self, *debs):
        """Files of this machine, or names."""
        names = []
        for deb in debs:
            if os.path.exists(deb):
                shutil.copy(deb, self.path("/root"))
                deb = "/root/" + os.path.basename(deb)
            names.append(deb)
        return self.apt("install", "--allow-downgrades", *names)

    # ---- its collectd --------------------------------------------------------------------------

    def collectd_pid(self):
        """As this machine counts; None if it does not run."""
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                try:
                    if (os.readlink(f"/proc/{entry}/root") == self.directory
                            and os.readlink(f"/proc/{entry}/exe").endswith("/sbin/collectd")):
                        return int(entry)
                except OSError:
                    continue
        return None

    def start_collectd(self):
        """Stops the one that runs and starts it anew, as an operator would after an edit; fails the
        test if it does not come up."""
        self.run("/etc/init.d/collectd", "stop", status=None)
        wait_until(lambda: self.collectd_pid() is None, 20, "collectd has stopped")
        self.write(LOG, "")
        self.run("/etc/init.d/collectd", "start")
        wait_until(lambda: "Initialization complete" in self.read(LOG), 20,
                   lambda: f"collectd starts:\n{self.read(LOG)[-3000:]}\n"
                           f"{self.run('collectd', '-T', status=None)}")
        assert self.collectd_pid()

    def log(self):
        return self.read(LOG)


class BootedRoot(Root):
    """One whose first process is its own systemd."""

    def _boot(self):
        subprocess.run([os.path.join(TREE, "tests", "tools", "install-packages"), "systemd-container"],
                       check=True)
        self._init = Process("init", [
            "systemd-nspawn", "--quiet", "--directory", self.directory, "--boot", "--register=no",
            "--keep-unit", "--console=pipe", "--resolv-conf=off", "--timezone=off"],
            self.directory + ".log").start()
        wait_until(lambda: self._is_up() or not self._init.alive(), 60,
                   lambda: f"systemd is up\n{self._init.output()[-2000:]}")
        if not self._init.alive():
            pytest.skip(f"systemd does not boot here: {self._init.output()[-500:]}")

    def _is_up(self):
        try:
            said = self.run("systemctl", "is-system-running", status=None)
        except (IndexError, FileNotFoundError):
            return False  # nspawn has not got that far
        return said.strip() in ("running", "degraded")

    def start_collectd(self):
        self.write(LOG, "")
        self.run("systemctl", "restart", "collectd")
        wait_until(lambda: "Initialization complete" in self.read(LOG), 20,
                   lambda: f"collectd starts:\n{self.read(LOG)[-3000:]}\n"
                           f"{self.run('journalctl', '-u', 'collectd', '-n', '40', status=None)}")
