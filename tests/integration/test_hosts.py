"""Two hosts and one pool: the Lease decides who writes. On the stand-in, with a short lease; the real
API server, a hundred kills and the audit log are in tests/real/test_election.py."""

import os
import signal

from lib.process import wait_until
from lib.stack import (API_KEY_SECRET, NAMESPACE, POOL, Collectd, KubernetesSimulator,
                       SpaceliftSimulator, account_block, block, plugin_block)

# Long enough that no pause of a busy machine makes a leader lose its lease.
LEASE = {"LeaderElection": True, "LeaseDuration": 6, "RenewDeadline": 4.5, "RetryPeriod": 0.3}


class World:
    def __init__(self, tmp_path, parts):
        self.tmp_path, self.parts = tmp_path, parts
        self.kubernetes = KubernetesSimulator(str(tmp_path))
        self.spacelift = SpaceliftSimulator(str(tmp_path), registration_s=0.1,
                                            kubernetes=self.kubernetes)
        for part in (self.kubernetes, self.spacelift):
            parts.append(part)
            part.start()
        self.secret = tmp_path / "secret"
        self.secret.write_text(API_KEY_SECRET)
        os.chmod(self.secret, 0o600)

    def host(self, name, **options):
        folder = self.tmp_path / name
        folder.mkdir()
        host = Collectd(str(folder), plugin_block(
            "spacelift", account_block(self.spacelift.url, str(self.secret))),
            plugin_block("workerpool_scaler",
                         block("Cluster", "c", KubeConfig=self.kubernetes.kubeconfig, **options),
                         block("Pool", POOL, Namespace=NAMESPACE, MinWorkers=1, MaxWorkers=9,
                               ScaleInWindow=0)))
        self.parts.append(host)
        return host.start()

    def size(self):
        return self.spacelift.pool()["size"]

    def wait_size(self, size, *hosts):
        wait_until(lambda: self.size() == size, 20,
                   lambda: f"{size}, not {self.size()}: {[h.output()[-1500:] for h in hosts]}")


def test_one_writes_and_the_other_takes_over(tmp_path, parts):
    world = World(tmp_path, parts)
    first = world.host("first", **LEASE)
    first.wait_line("leads from now on and writes sizes", 20)
    second = world.host("second", **LEASE)
    second.wait_line("another one leads, no sizes are written here", 20)
    world.spacelift.add_runs(3)
    world.wait_size(3, first, second)
    first.wait_line("-> 3 workers", 10)
    assert not second.find("->")
    assert not first.find("somebody else") and not second.find("somebody else")

    status, seconds = first.stop()  # a clean stop gives the lease back
    assert status == 0 and seconds < 1
    second.wait_line("leads from now on and writes sizes", 20)
    world.spacelift.add_runs(2)
    world.wait_size(5, second)
    second.wait_line("-> 5 workers", 10)

    third = world.host("third", **LEASE)
    third.wait_line("another one leads", 20)
    second.signal(signal.SIGKILL)  # a crash lets it run out
    third.wait_line("leads from now on and writes sizes", 20)
    world.spacelift.finish(2)
    world.wait_size(3, third)


def test_a_hung_server_takes_the_lead_away(tmp_path, parts):
    """Who cannot renew stops writing; a stop is quick whatever hangs."""
    world = World(tmp_path, parts)
    host = world.host("host", Timeout=500, **LEASE)
    host.wait_line("leads from now on", 20)
    world.kubernetes.faults(hang=True)
    host.wait_line("leads no longer and writes no sizes", 20)
    world.kubernetes.no_faults()
    host.wait_line("leads from now on", 20, count=2)
    world.spacelift.add_runs(3)
    world.wait_size(3, host)
    world.kubernetes.faults(hang=True)
    status, seconds = host.stop()
    assert status == 0 and seconds < 1.2
    world.kubernetes.no_faults()


def test_options_that_do_not_fit(tmp_path, parts):
    world = World(tmp_path, parts)
    folder = tmp_path / "refused"
    folder.mkdir()
    host = Collectd(str(folder), plugin_block(
        "workerpool_scaler",
        block("Cluster", "c", KubeConfig=world.kubernetes.kubeconfig, LeaderElection=True,
              LeaseDuration=10),
        block("Pool", POOL, MinWorkers=1, MaxWorkers=2)))
    status, said = host.test()
    assert status != 0 and "LeaseDuration (10 s) must be longer than RenewDeadline (10 s)" in said
