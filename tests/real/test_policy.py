"""What the policy does on a real API server: a shadow that asks with dryRun=All, and sizes that
somebody else writes."""

import json
import os

import pytest

from cluster import ADMIN_TOKEN
from lib.process import wait_until
from lib.stack import POOL, Stack


@pytest.fixture
def make(tmp_path, parts, cluster):
    made = []

    def start(**options):
        cluster.create_pool()
        made.append(POOL)
        stack = Stack(str(tmp_path), with_prometheus=False, pool_options=options,
                      kubernetes=(cluster.scaler_kubeconfig(),
                                  (cluster.url, ADMIN_TOKEN, cluster.ca)))
        parts.append(stack)
        return stack.start()
    yield start
    if made:
        cluster.delete_pool()


def status_of(stack):
    """The pool's line of the status file; {} while there is none."""
    path = os.path.join(stack.collectd.data, "workerpool_scaler", "prod.status")
    try:
        with open(path, encoding="utf-8") as file:
            return [json.loads(line) for line in file][1]
    except (OSError, IndexError, ValueError):
        return {}


def scale_by_hand(cluster, size):
    cluster.call("PATCH", cluster.pool_path(part="/scale"), {"spec": {"replicas": size}},
                 "application/merge-patch+json")


def test_a_shadow_asks_and_leaves_no_trace(make, cluster):
    stack = make(Shadow=True, ShadowDryRun=True)
    cluster.wait_settled(1)
    stack.spacelift.add_runs(3)
    stack.collectd.wait_line("shadow: 1 -> 3 workers", 20)
    assert cluster.pool_size() == 1
    wait_until(lambda: status_of(stack).get("desired") == 3, 15, lambda: str(status_of(stack)))
    assert status_of(stack)["shadow"] and status_of(stack)["size"] == 1
    stack.collectd.stop()
    patches = [entry for entry in cluster.audit() if entry["verb"] == "patch" and
               entry["objectRef"]["resource"] == "workerpools" and
               "dryRun=All" in entry["requestURI"]]
    assert patches and all(entry["responseStatus"]["code"] == 200 for entry in patches)
    assert cluster.pool_size() == 1


def test_a_size_by_hand_is_adopted_and_told_on_the_pool(make, cluster):
    stack = make(ForeignSize="adopt", ForeignHold=3600)
    stack.collectd.wait_line("busy 0 . pending 0 = 0", 20)
    scale_by_hand(cluster, 3)
    stack.collectd.wait_line("somebody else has changed its size from 1 to 3", 20)
    wait_until(lambda: status_of(stack).get("rule") == "adopted", 15, lambda: str(status_of(stack)))
    assert cluster.pool_size() == 3
    stack.spacelift.add_runs(4)
    wait_until(lambda: cluster.pool_size() == 4, 15, lambda: stack.collectd.output()[-2000:])
    wait_until(lambda: any(event["reason"] == "ExternalChange" for event in cluster.events()), 15,
               lambda: str(cluster.events()))


def test_a_size_by_hand_is_overridden(make, cluster):
    stack = make()
    stack.collectd.wait_line("busy 0 . pending 0 = 0", 20)
    scale_by_hand(cluster, 3)
    wait_until(lambda: cluster.pool_size() == 1 and
               stack.collectd.find("somebody else has changed its size from 1 to 3"), 20,
               lambda: stack.collectd.output()[-2000:])
