"""What a real API server refuses for good: 422 from an admission policy, 415, 400 and 410 because a
proxy spoils what we send. Each with what the plugin said, and that it goes on afterwards.
"""

import re
import time

import pytest

from cluster import ADMIN_TOKEN, ApiError, moment
from lib.process import wait_until
from test_troubles import POOL, World, size_of

ADMISSION = "/apis/admissionregistration.k8s.io/v1"
POLICIES = f"{ADMISSION}/validatingadmissionpolicies"
BINDINGS = f"{ADMISSION}/validatingadmissionpolicybindings"
POLICY_NAME = "no-more-than-three"


@pytest.fixture
def world(tmp_path, parts, own_cluster):
    own_cluster.create_pool()
    world = World(tmp_path, own_cluster)
    parts += [world.proxy, world.stack]
    world.stack.start()
    world.wanted = 2
    world.stack.spacelift.add_runs(2)
    world.stack.wait_size(2, 20)
    yield world
    own_cluster.delete_pool()


def limit_size(cluster, size):
    """An admission policy of the cluster's administrator."""
    cluster.create(POLICIES, {
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": POLICY_NAME},
        "spec": {"failurePolicy": "Fail",
                 "matchConstraints": {"resourceRules": [{
                     "apiGroups": ["workers.spacelift.io"], "apiVersions": ["v1beta1"],
                     "operations": ["UPDATE"], "resources": ["workerpools/scale"]}]},
                 "validations": [{"expression": f"object.spec.replicas <= {size}",
                                  "message": f"this cluster has room for {size} workers"}]}})
    cluster.create(BINDINGS, {
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": POLICY_NAME},
        "spec": {"policyName": POLICY_NAME, "validationActions": ["Deny"]}})


def unlimit_size(cluster):
    for path in (BINDINGS, POLICIES):
        cluster.call("DELETE", f"{path}/{POLICY_NAME}")


def is_limited(cluster, size):
    try:
        cluster.call("PATCH", cluster.pool_path(part="/scale") + "?dryRun=All",
                     {"spec": {"replicas": size}}, "application/merge-patch+json")
        return False
    except ApiError as error:
        return error.status == 422


def refused(world, name, begin, end, said):
    """More work comes, the server refuses, says why, is not asked again and again; then it is taken."""
    cluster, stack = world.cluster, world.stack
    lines = len(stack.collectd.output())
    begin()
    since = time.time()
    stack.spacelift.add_runs(1)
    line = wait_until(lambda: next((line for line in stack.collectd.output()[lines:].splitlines()
                                    if re.search(said, line)), None), 25,
                      lambda: f"{name}: {said}: {stack.collectd.output()[lines:]}")
    assert size_of(cluster) == world.wanted
    end()
    world.wanted += 1
    healed = time.monotonic()
    wait_until(lambda: size_of(cluster) == world.wanted, 40, lambda: f"{name}: {world.wanted} workers: "
               f"{stack.collectd.output()[lines:]}")
    tries = sum(entry["verb"] == "patch" and moment(entry["requestReceivedTimestamp"]) > since
                for entry in cluster.audit())
    words = re.sub(r"\S+://\S+", "URL", line.partition("keeps its size: ")[2])
    print(f"\n{name:28} tried {tries} times, caught up in {time.monotonic() - healed:.1f} s; said: "
          f"{words}")
    assert tries <= 6


def fault(world, **what):
    return lambda: setattr(world.proxy, "fault", what)


def test_codes_of_the_real_server(world):
    cluster, heal = world.cluster, fault(world)

    def limit():
        limit_size(cluster, 2)
        wait_until(lambda: is_limited(cluster, 3), 20, "the policy holds")

    def unlimit():
        unlimit_size(cluster)
        wait_until(lambda: not is_limited(cluster, 3), 20, "the policy is gone")

    refused(world, "422, an admission policy", limit, unlimit,
            r"HTTP 422 Invalid: .*this cluster has room for 2 workers.*admission rule")
    refused(world, "415, another Content-Type", fault(
        world, content_type="application/strategic-merge-patch+json"), heal,
        r"HTTP 415 UnsupportedMediaType: .*; nothing is written until the server takes it")
    refused(world, "400, half a body", fault(world, body_of=lambda body: body[:len(body) // 2]),
            heal, r"HTTP 400 BadRequest: .*; nothing is written until the server takes it")
    cluster.forget_history()
    refused(world, "410, a version of long ago", fault(
        world, token=ADMIN_TOKEN, path_of=lambda path: path.replace(
            f"/{POOL}", "?resourceVersion=2&resourceVersionMatch=Exact")
        if path.endswith(f"/{POOL}") else path), heal,
            r"HTTP 410 Expired: .*; the server no longer has this version of it")
