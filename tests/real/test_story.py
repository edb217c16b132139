"""The story once more, told to a real kube-apiserver with etcd, RBAC on, and a service account that
may do no more than conf/kubernetes/rbac.yaml grants; with the two minute outage of the issue."""

import json

import pytest

from cluster import ADMIN_TOKEN, NAMESPACE, POOL
from lib import acts
from lib.stack import Stack

OUTAGE_S = 120


@pytest.fixture
def stack(tmp_path, parts, cluster):
    cluster.create_pool()
    try:
        stack = Stack(str(tmp_path), kubernetes=(cluster.scaler_kubeconfig(),
                                                 (cluster.url, ADMIN_TOKEN, cluster.ca)))
        parts.append(stack)
        stack.audited = len(cluster.audit())  # what others have asked for is not the story's
        yield stack.start()
    finally:
        cluster.delete_pool()


def test_story(stack, cluster):
    acts.two_runs(stack)
    acts.burst(stack)
    acts.tutorial_query(stack)
    acts.outage(stack, OUTAGE_S)
    acts.never_below_busy(stack)
    assert cluster.pool_size() == 1
    status, seconds = stack.collectd.stop()
    assert status == 0 and seconds < 1
    only_what_was_granted(cluster.audit()[stack.audited:])


def only_what_was_granted(asked):
    """The audit log: GET of one pool, PATCH of its scale, events about it and the question about
    rights; nothing else, and nothing refused."""
    allowed = {("get", "workerpools", None), ("patch", "workerpools", "scale"),
               ("create", "events", None), ("patch", "events", None)}
    assert asked
    for entry in asked:
        thing = entry["objectRef"]
        what = (entry["verb"], thing["resource"], thing.get("subresource"))
        assert entry["responseStatus"]["code"] in (200, 201, 409), json.dumps(entry)[:2000]
        if what == ("create", "selfsubjectaccessreviews", None):
            continue
        assert what in allowed and thing["namespace"] == NAMESPACE, entry
        assert thing["resource"] == "events" or thing["name"] == POOL, entry
    assert any(entry["objectRef"]["resource"] == "events" for entry in asked)


def test_poolsize_never_set(tmp_path, parts, cluster):
    """A pool whose spec.poolSize was never set is given its first size."""
    cluster.create_pool(size=None)
    stack = Stack(str(tmp_path), with_prometheus=False,
                  kubernetes=(cluster.scaler_kubeconfig(),
                              (cluster.url, ADMIN_TOKEN, cluster.ca)))
    try:
        parts.append(stack)
        stack.start()
        stack.spacelift.add_runs(3)
        stack.wait_size(3, 15)
        assert cluster.pool_size() == 3
    finally:
        cluster.delete_pool()


def test_not_granted(tmp_path, parts, cluster):
    """A token without rights: 403, said once with the words of the server, no resize."""
    cluster.create_pool()
    try:
        certificate, key = cluster.client_certificate("nobody")
        files = {}
        for name, text in (("certificate", certificate), ("key", key)):
            files[name] = str(tmp_path / name)
            with open(files[name], "w", encoding="utf-8") as file:
                file.write(text)
        kubeconfig = cluster.write_kubeconfig(
            str(tmp_path / "kubeconfig"), "nobody", client_certificate=files["certificate"],
            client_key=files["key"])
        stack = Stack(str(tmp_path), with_prometheus=False,
                      kubernetes=(kubeconfig, (cluster.url, ADMIN_TOKEN, cluster.ca)))
        parts.append(stack)
        stack.start()
        stack.spacelift.add_runs(3)
        stack.collectd.wait_line(r'HTTP 403 Forbidden.*cannot get resource "workerpools"', 15)
        assert cluster.pool_size() == 1
    finally:
        cluster.delete_pool()
