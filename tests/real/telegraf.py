"""The real Telegraf with the drop-in files that are shipped, as a user without rights."""

import os
import re
import shutil
import subprocess
import tempfile

from lib.process import Process, free_ports, wait_until
from lib.stack import BUILD, TREE, account_block, block, plugin_block

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAM = os.path.join(BUILD, "spacelift-pool")
NOBODY = 65534


def binary():
    """The Telegraf of the cache; build-telegraf makes it."""
    done = subprocess.run([os.path.join(HERE, "build-telegraf"), "--print"], capture_output=True,
                          text=True, check=False)
    if done.returncode != 0:
        raise FileNotFoundError("no Telegraf yet: run tests/real/build-telegraf")
    return done.stdout.strip()


def drop_in(name, *changes):
    """A file of conf/telegraf.d at a test's pace. changes: pairs of a text and its replacement, each
    of which must be found."""
    with open(os.path.join(TREE, "conf", "telegraf.d", name), encoding="utf-8") as file:
        text = file.read()
    for old, new in changes:
        assert old in text, (name, old)
        text = text.replace(old, new)
    return re.sub(r'(?m)^( *interval = )"\w+"', r'\1"1s"', text)


class Telegraf(Process):
    """In the directory of a Host, which its user may enter."""

    def __init__(self, directory, *parts, name="telegraf"):
        self.config = os.path.join(directory, f"{name}.conf")
        with open(self.config, "w", encoding="utf-8") as file:
            file.write('[agent]\n  interval = "1s"\n  flush_interval = "1s"\n  hostname = "h1"\n'
                       + "\n".join(parts))
        drop = [] if os.geteuid() else ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}",
                                        "--clear-groups"]
        telegraf = os.path.join(directory, os.path.basename(binary()))
        super().__init__(name, [*drop, telegraf, "--config", self.config],
                         os.path.join(directory, f"{name}.log"), cwd="/")

    def find(self, pattern):
        return [line for line in self.output().splitlines() if re.search(pattern, line)]

    def errors(self):
        """What it and the commands report as failures. Not that a pipe was closed while Telegraf was
        reading it: it closes the pipes of a command by itself once that is gone, and complains if it
        had not come to see their end, which on a busy machine may take longer than the command
        waits for it."""
        return [line for line in self.find(r" E! ")
                if not re.search(r"Error reading std(out|err): read \|0: file already closed", line)]

    def wait_line(self, pattern, deadline_s):
        wait_until(lambda: self.find(pattern), deadline_s,
                   lambda: f"{pattern!r} in the log:\n{self.output()[-3000:]}")
        return self.find(pattern)[-1]


class Host:
    """What a host with Telegraf has: a directory for its user, the secret, spacelift-pool.conf. To be
    stopped, as a process is."""

    def __init__(self, spacelift_url, kubeconfig=None, pool=None, **pool_options):
        # Not below pytest's own folder, which is closed to other users again and again.
        self.directory = tempfile.mkdtemp(prefix="spacelift-telegraf-")
        os.chmod(self.directory, 0o755)
        os.mkdir(os.path.join(self.directory, "state"))
        secret = self._give(os.path.join(self.directory, "secret"), "secret-of-the-simulator\n")
        parts = [plugin_block("spacelift", account_block(spacelift_url, secret))]
        if pool:
            with open(kubeconfig, encoding="utf-8") as file:
                mine = self._give(os.path.join(self.directory, "kubeconfig"), file.read())
            parts.append(plugin_block("workerpool_scaler",
                                      block("Cluster", "prod", KubeConfig=mine),
                                      block("Pool", pool, **pool_options),
                                      StateDirectory=os.path.join(self.directory, "state")))
        self.config = self._give(os.path.join(self.directory, "spacelift-pool.conf"),
                                 "\n".join(parts) + "\n")
        # Neither the tree nor the cache need be open to other users.
        for program in (PROGRAM, binary()):
            shutil.copy(program, self.directory)
        self.paths = (("/usr/bin/spacelift-pool",
                       os.path.join(self.directory, os.path.basename(PROGRAM))),
                      ("/etc/spacelift-pool.conf", self.config))
        if os.geteuid() == 0:
            os.chown(os.path.join(self.directory, "state"), NOBODY, NOBODY)

    def stop(self):
        shutil.rmtree(self.directory, ignore_errors=True)

    @staticmethod
    def _give(path, text):
        """As a package would: root's, and readable by the group of Telegraf's user."""
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        if os.geteuid() == 0:
            os.chown(path, 0, NOBODY)
        os.chmod(path, 0o640)
        return path


def port():
    return free_ports(1)[0]
