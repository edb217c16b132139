"""What the scaler takes from collectd's threshold plugin, and what it tells: notifications and values
of its own, through the real daemon."""

import glob
import os

import pytest

from lib.process import wait_until
from lib.stack import (API_KEY_SECRET, NAMESPACE, POOL, Collectd, KubernetesSimulator,
                       SpaceliftSimulator, account_block, block, http, plugin_block)
from lib.unixsock import Values

THRESHOLD = """LoadPlugin threshold
<Plugin threshold>
  <Plugin spacelift>
    Instance "other"
    <Type worker_pool>
      DataSource "runs_pending"
      FailureMax 2
    </Type>
  </Plugin>
</Plugin>"""


@pytest.fixture
def host(tmp_path, parts):
    def make(*, stock_plugins=("csv", "threshold"), pool=(), more="", **options):
        directory = str(tmp_path)
        kubernetes = KubernetesSimulator(directory, pools=[f"{POOL}=1", "other=0"])
        account = SpaceliftSimulator(directory, pools=[POOL, "other"], kubernetes=kubernetes)
        secret = os.path.join(directory, "secret")
        with open(secret, "w", encoding="utf-8",
                  opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(API_KEY_SECRET)
        collectd = Collectd(
            directory, f'LoadPlugin csv\n<Plugin csv>\n  DataDir "{directory}/csv"\n</Plugin>',
            THRESHOLD if "threshold" in stock_plugins else "", more,
            plugin_block("spacelift", account_block(account.url, secret)),
            plugin_block("workerpool_scaler",
                         block("Cluster", "c", KubeConfig=kubernetes.kubeconfig),
                         block("Pool", POOL, *pool, Namespace=NAMESPACE, MaxWorkers=5, **options),
                         PublishInterval=1),
            # A value that is late is a notification, too.
            stock_plugins=stock_plugins, settings="Timeout 60")
        for part in (kubernetes, account, collectd):
            part.start()
            parts.append(part)
        return account, kubernetes, collectd
    return make


def newest(directory, kind):
    """{data source: value} of the last line that csv has written of a type."""
    folder = f"{directory}/csv/host/workerpool_scaler-{POOL}"
    lines = [line for name in glob.glob(f"{folder}/{kind}-*") for line in open(name, encoding="utf-8")
             if line.endswith("\n")]  # else it is being written
    if len(lines) < 2:
        return {}
    return dict(zip(lines[0].strip().split(",")[1:], lines[-1].strip().split(",")[1:]))


def test_a_threshold_that_people_have_raises_a_pool_and_the_change_is_told(host, tmp_path):
    account, kubernetes, collectd = host(
        pool=[block("Notification", "other queue", Plugin="spacelift", PluginInstance="other",
                    FailureMinWorkers=3)], ScaleInWindow=1)
    collectd.wait_line("has poolSize 1", 15)
    account.add_runs(4, pool="other")
    wait_until(lambda: account.pool()["size"] == 3, 20,
               lambda: f"poolSize 3:\n{collectd.output()[-3000:]}")
    collectd.wait_line('1 -> 3 workers: .*at least 3 by a failure of notification "other queue"', 10)
    collectd.wait_line(f"Notification: .*workerpool_scaler.*{POOL}.*1 -> 3 workers", 10)
    pool = wait_until(lambda: (told := newest(tmp_path, "worker_pool_scaler"))
                      and told.get("desired") == "3.000000" and told, 15,
                      lambda: str(newest(tmp_path, "worker_pool_scaler")))
    assert pool["min"] == "3.000000" and pool["max"] == "5.000000" and pool["leader"] == "1.000000"
    assert pool["demand"] == "0.000000" and pool["paused"] == "0.000000"
    wait_until(lambda: newest(tmp_path, "worker_pool_scaling").get("scaled_out") == "1", 10,
               lambda: str(newest(tmp_path, "worker_pool_scaling")))
    wait_until(lambda: set(newest(tmp_path, "worker_pool_decisions")) >= {"demand", "order", "hold"},
               10, lambda: str(newest(tmp_path, "worker_pool_decisions")))
    http("DELETE", f"{kubernetes.url}/control/pools", {"name": "other"})
    kubernetes.control("pools", name="other", size=4)  # they begin: OKAY
    wait_until(lambda: account.pool()["size"] == 1, 20, lambda: collectd.output()[-3000:])
    collectd.wait_line(f"Notification: .*workerpool_scaler.*{POOL}.*3 -> 1 workers", 10)
    assert len(kubernetes.patches()) == 2


def test_the_reaction_and_the_errors_are_published(host, tmp_path):
    account, kubernetes, collectd = host(stock_plugins=("csv",))
    collectd.wait_line("has poolSize 1", 15)
    account.add_runs(3)
    wait_until(lambda: account.pool()["size"] >= 3, 20, lambda: collectd.output()[-3000:])
    wait_until(lambda: newest(tmp_path, "worker_pool_reaction").get("count") == "1", 10,
               lambda: str(newest(tmp_path, "worker_pool_reaction")))
    assert newest(tmp_path, "worker_pool_reaction")["le_inf"] == "1"
    kubernetes.faults(forbidden=True)
    account.add_runs(2)
    wait_until(lambda: int(newest(tmp_path, "worker_pool_api_errors").get("http_403", 0)) > 0, 20,
               lambda: str(newest(tmp_path, "worker_pool_api_errors")))
    status, seconds = collectd.stop()
    assert status == 0 and seconds < 1


def test_a_notification_in_force_outlives_a_restart(host, tmp_path):
    """Who sent it does not repeat it: the floor must come from the state file."""
    socket = Values(tmp_path / "socket")
    account, kubernetes, collectd = host(
        stock_plugins=("csv", "unixsock"), more=socket.config(), ScaleInWindow=1,
        pool=[block("Notification", "broker", Plugin="amqp", FailureMinWorkers=3)])
    collectd.wait_line("has poolSize 1", 15)
    socket.notify("failure", host="h", plugin="amqp")
    wait_until(lambda: account.pool()["size"] == 3, 20, lambda: collectd.output()[-3000:])
    collectd.wait_line('at least 3 by a failure of notification "broker"', 15)
    assert collectd.stop()[0] == 0
    collectd.start()
    collectd.wait_line("has poolSize 3", 15)
    collectd.wait_line('at least 3 by a failure of notification "broker"', 15, count=2)
    socket.notify("okay", host="h", plugin="amqp")
    wait_until(lambda: account.pool()["size"] == 1, 20, lambda: collectd.output()[-3000:])
    assert [patch["body"].count('"replicas":3') for patch in kubernetes.patches()] == [1, 0]


def test_a_test_of_the_configuration_resizes_nothing(tmp_path, parts):
    """collectd -T runs everything for a moment, on hosts that are at work."""
    directory = str(tmp_path)
    kubernetes = KubernetesSimulator(directory, pools=[f"{POOL}=1"])
    account = SpaceliftSimulator(directory, pools=[POOL], kubernetes=kubernetes)
    for part in (kubernetes, account):
        part.start()
        parts.append(part)
    secret = os.path.join(directory, "secret")
    with open(secret, "w", encoding="utf-8",
              opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
        file.write(API_KEY_SECRET)
    account.add_runs(8, duration_s=60)
    collectd = Collectd(
        directory, plugin_block("spacelift", account_block(account.url, secret)),
        plugin_block("workerpool_scaler",
                     block("Cluster", "c", KubeConfig=kubernetes.kubeconfig, LeaderElection=True),
                     block("Pool", POOL, Namespace=NAMESPACE, MaxWorkers=5)))

    def decided():
        """It stops after one reading: at times before that has been looked at."""
        status, said = collectd.test()
        assert status == 0 and "sizes are decided, and none is written" in said, said
        return f'pool "{POOL}": shadow: 1 -> 5 workers' in said

    wait_until(decided, 30, "a decision")
    assert {r["method"] for r in kubernetes.requests()} <= {"GET", "POST"}
    assert not [r for r in kubernetes.requests() if "events" in r["path"] or "leases" in r["path"]]
    assert not os.path.exists(os.path.join(collectd.data, "workerpool_scaler"))
