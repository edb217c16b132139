"""Child processes that cannot outlive the test, and waiting that polls instead of sleeping.

Every real server of the tests is started through here: output goes to a log file that the test can
read, the end is bounded, and if the test runner itself is killed the kernel kills the child.
"""

import ctypes
import fcntl
import os
import random
import signal
import socket
import subprocess
import tempfile
import time

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class Timeout(AssertionError):
    """A deadline passed before what the test waited for."""


# What is waited for comes within its deadline on a machine that is at rest. It is waited for as long as
# this at least, since nothing is lost by it where it comes, and a machine may be busy.
PATIENCE_S = 60


def wait_until(condition, deadline_s, what, poll_s=0.02, is_limit=False):
    """Returns the first true value of condition(); after deadline_s, which is stretched to PATIENCE_S
    unless it is_limit of what is tested, raises Timeout, which says what was waited for. `what` may
    be a function, asked only on failure."""
    deadline_s = deadline_s if is_limit else max(deadline_s, PATIENCE_S)
    end = time.monotonic() + deadline_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= end:
            text = what() if callable(what) else what
            raise Timeout(f"not within {deadline_s:g} s: {text}")
        time.sleep(poll_s)


def nap(seconds=0.005):
    """Sleeps, and returns the seconds for which the scheduler kept this process from going on: what is
    timed meanwhile is not to blame for them."""
    begin = time.monotonic()
    time.sleep(seconds)
    return max(time.monotonic() - begin - 2 * seconds, 0)


# Ports that the kernel gives to nobody's outgoing connection (net.ipv4.ip_local_port_range).
_PORTS = range(12000, 32000)
_claims = []


def _claim(port):
    """True if no other test on this machine has the port, nor anybody else. The claim is a lock that
    ends with this process, so that no two runs meet on a port between its choice and its use."""
    directory = os.path.join(tempfile.gettempdir(), f"collectd-spacelift-ports-{os.getuid()}")
    os.makedirs(directory, exist_ok=True)
    claim = os.open(os.path.join(directory, str(port)), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
    except OSError:
        os.close(claim)
        return False
    _claims.append(claim)
    return True


def free_ports(count):
    """Ports of 127.0.0.1 that nobody listens on, all different, for this process alone."""
    found = []
    while len(found) < count:
        port = random.choice(_PORTS)
        if _claim(port):
            found.append(port)
    return found


def _die_with_parent():
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Process:
    """One child. `log` is the path of what it writes to standard output and standard error."""

    def __init__(self, name, argv, log, env=None, cwd=None):
        self.name = name
        self.argv = [str(word) for word in argv]
        self.log = log
        self._env = {**os.environ, **(env or {})}
        self._cwd = cwd
        self._child = None

    def start(self):
        with open(self.log, "ab") as out:
            self._child = subprocess.Popen(
                self.argv, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                env=self._env, cwd=self._cwd, preexec_fn=_die_with_parent, start_new_session=True)
        return self

    @property
    def pid(self):
        return self._child.pid

    @property
    def returncode(self):
        """None while it runs."""
        return self._child.poll() if self._child else None

    def alive(self):
        return self._child is not None and self._child.poll() is None

    def output(self):
        try:
            with open(self.log, encoding="utf-8", errors="replace") as log:
                return log.read()
        except FileNotFoundError:
            return ""

    def wait_ready(self, condition, deadline_s):
        """Waits for condition() to be true; a child that ends before is reported at once."""
        def ready():
            if not self.alive():
                raise AssertionError(f"{self.name} ended with status {self.returncode} before it "
                                     f"was ready:\n{self.output()[-3000:]}")
            return condition()
        wait_until(ready, deadline_s, lambda: f"{self.name} ready\n{self.output()[-3000:]}")

    def wait(self, deadline_s):
        """Waits for its own end, as wait_until() does; returns the exit status."""
        deadline_s = max(deadline_s, PATIENCE_S)
        try:
            return self._child.wait(deadline_s)
        except subprocess.TimeoutExpired:
            raise Timeout(f"{self.name} still runs after {deadline_s:g} s") from None

    def signal(self, number):
        if self.alive():
            self._child.send_signal(number)

    def stop(self, deadline_s=PATIENCE_S):
        """SIGTERM, then SIGKILL after deadline_s. Returns (exit status, seconds it took)."""
        if self._child is None:
            return None, 0.0
        begin = time.monotonic()
        self.signal(signal.SIGTERM)
        try:
            self._child.wait(deadline_s)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait(10)
        return self._child.returncode, time.monotonic() - begin
