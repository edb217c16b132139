"""What people type, on a real API server: manifests that it accepts, a token that dies with its
Secret, rights that are missing, rivals that fight, a ScaledObject read from the cluster."""

import json
import os
import re

import pytest
from cluster import NAMESPACE, POOL, ApiError
from lib.command import spacelift_pool
from lib.process import wait_until
from lib.stack import Prometheus, SpaceliftSimulator, block, plugin_block
from prometheus3 import Prometheus3

HERE = os.path.dirname(os.path.abspath(__file__))
TUTORIAL = os.path.join(os.path.dirname(HERE), "integration", "data", "tutorial-scaledobject.yaml")
FRESH = "people-fresh"

# As much of KEDA as its API server half: the kind, with any content.
KEDA = {
    "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
    "metadata": {"name": "scaledobjects.keda.sh"},
    "spec": {"group": "keda.sh", "scope": "Namespaced",
             "names": {"kind": "ScaledObject", "plural": "scaledobjects",
                       "singular": "scaledobject", "listKind": "ScaledObjectList"},
             "versions": [{"name": "v1alpha1", "served": True, "storage": True, "schema": {
                 "openAPIV3Schema": {"type": "object",
                                     "x-kubernetes-preserve-unknown-fields": True}}}]},
}


def apply(cluster, yaml):
    """kubectl apply --server-side --validate=strict: the server reads the YAML itself."""
    kinds = []
    for document in re.split(r"^---\n", yaml, flags=re.MULTILINE):
        kind = re.search(r"^kind: (\w+)$", document, re.MULTILINE)
        if not kind:
            continue
        name = re.search(r"^  name: (\S+)$", document, re.MULTILINE).group(1)
        path = cluster._path_of(kind.group(1), document)  # pylint: disable=protected-access
        cluster.call("PATCH", f"{path}/{name}?fieldManager=people&force=true"
                     "&fieldValidation=Strict", document, "application/apply-patch+yaml")
        kinds.append(kind.group(1))
    return kinds


def bound_token(cluster, namespace, secret):
    """As the comment in the manifests says."""
    uid = cluster.call("GET", f"/api/v1/namespaces/{namespace}/secrets/{secret}")["metadata"]["uid"]
    answer = cluster.create(
        f"/api/v1/namespaces/{namespace}/serviceaccounts/collectd-spacelift/token",
        {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {
            "expirationSeconds": 3600, "boundObjectRef": {
                "apiVersion": "v1", "kind": "Secret", "name": secret, "uid": uid}}})
    return answer["status"]["token"]


def pool_config(path, kubeconfig, namespace=NAMESPACE, **options):
    path.write_text("<Plugin workerpool_scaler>\n" + block("Cluster", "prod", KubeConfig=kubeconfig)
                    + "\n" + block("Pool", POOL, Namespace=namespace, MaxWorkers=5, **options)
                    + "\n</Plugin>\n")
    return path


def check(config):
    answer = spacelift_pool("check", "--config", config, "--output", "json")
    assert answer.err == "", answer
    told = json.loads(answer.out)
    return {verdict: [f"{c['text']}; {c['to_do']}" for c in told["checks"]
                      if c["verdict"] == verdict] for verdict in ("ok", "warning", "failed",
                                                                  "skipped")}


def test_manifests_are_accepted_and_enough(cluster, tmp_path):
    (tmp_path / "key").write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    (tmp_path / "token").write_text("dG9rZW4=")
    (tmp_path / "api").write_text("api_key_secret = s3cret\n")
    arguments = ("manifests", "--worker-pool", POOL, "--namespace", FRESH, "--private-key", "key",
                 "--pool-config", "token", "--api-key-config", "api")
    yaml = spacelift_pool(*arguments, cwd=tmp_path).out
    kinds = apply(cluster, yaml)
    assert kinds == ["Namespace", "Secret", "Secret", "WorkerPool", "ServiceAccount", "Role",
                     "RoleBinding", "Secret"]
    apply(cluster, yaml)  # once more changes nothing and fails nothing

    # The token of the account, bound to the Secret, may do everything that check asks for.
    token = bound_token(cluster, FRESH, "collectd-spacelift-token")
    kubeconfig = cluster.write_kubeconfig(tmp_path / "kubeconfig", "collectd", token=token)
    config = pool_config(tmp_path / "pool.conf", kubeconfig, FRESH)
    told = check(config)
    assert told["failed"] == [] and told["warning"] == [], told
    assert any("may patch workerpools/scale" in line for line in told["ok"])
    assert any("poolSize is 1" in line for line in told["ok"])
    assert not any("list workerpools" in line for line in told["ok"]), told  # a single one
    with open(config, encoding="utf-8") as file:
        text = file.read()
    two = tmp_path / "two.conf"
    two.write_text(text.replace(f'<Pool "{POOL}">', f'<Pool "x">\n    Namespace "{FRESH}"\n'
                                f'    MaxWorkers 2\n  </Pool>\n  <Pool "{POOL}">'))
    said = [line for line in check(two)["ok"] if "list workerpools" in line]
    assert len(said) == 1 and said[0].startswith("may not list workerpools, and need not: the 2 "), said
    # Nothing else is his: a secret of the namespace stays one.
    with pytest.raises(ApiError) as refused:
        cluster.call("GET", f"/api/v1/namespaces/{FRESH}/secrets/spacelift-worker-pool-credentials",
                     token=token)
    assert refused.value.status == 403

    # Deleting the Secret revokes the token (the server believes it for ten seconds more).
    cluster.call("DELETE", f"/api/v1/namespaces/{FRESH}/secrets/collectd-spacelift-token")
    wait_until(lambda: any("make a new token" in line for line in check(config)["failed"]), 40,
               "the token is refused", poll_s=0.5)


@pytest.fixture
def pool(cluster):
    """For one test: the API server is shared with others, which make it themselves."""
    yield cluster.create_pool()
    cluster.delete_pool()


def test_rights_that_are_missing(cluster, tmp_path):
    cluster.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace",
                                          "metadata": {"name": "people-poor"}})
    yaml = spacelift_pool("manifests", "--worker-pool", POOL, "--namespace", "people-poor").out
    poor = re.sub(r"^    verbs: \[patch\]$", "    verbs: [get]", yaml, flags=re.MULTILINE)
    assert poor != yaml
    apply(cluster, poor)
    token = bound_token(cluster, "people-poor", "collectd-spacelift-token")
    kubeconfig = cluster.write_kubeconfig(tmp_path / "kubeconfig", "collectd", token=token)
    config = pool_config(tmp_path / "pool.conf", kubeconfig, "people-poor")
    # The server comes to know a role some moments after it has taken it.
    wait_until(lambda: any("may get workerpools" in line for line in check(config)["ok"]), 20,
               "the role is in force")
    [failed] = check(config)["failed"]
    assert "may not patch workerpools/scale" in failed and "verbs: [patch]" in failed
    assert "spacelift-pool manifests prints the Role" in failed


@pytest.mark.usefixtures("pool")
def test_rivals_and_migration_from_the_cluster(cluster, tmp_path):
    cluster.create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", KEDA)
    path = f"/apis/keda.sh/v1alpha1/namespaces/{NAMESPACE}/scaledobjects"

    def served():
        try:
            return "items" in cluster.call("GET", path)
        except ApiError:
            return False
    wait_until(served, 20, "ScaledObjects are served")
    with open(TUTORIAL, encoding="utf-8") as file:
        cluster.create(path, file.read(), "application/yaml")
    hpa = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
           "metadata": {"name": "keda-hpa", "labels": {
               "app.kubernetes.io/managed-by": "keda-operator"}},
           "spec": {"scaleTargetRef": {"apiVersion": "workers.spacelift.io/v1beta1",
                                       "kind": "WorkerPool", "name": POOL}, "maxReplicas": 5}}
    autoscalers = f"/apis/autoscaling/v2/namespaces/{NAMESPACE}/horizontalpodautoscalers"
    cluster.create(autoscalers, hpa)
    admin = cluster.admin_kubeconfig()
    try:
        # From the cluster, the same as from the file; KEDA's own HPA is passed over.
        fetched = spacelift_pool("migrate", "--kube-config", admin, "--namespace", NAMESPACE,
                                 "--output", "json")
        assert fetched.status == 0, fetched
        [told] = json.loads(fetched.out)
        [same] = json.loads(spacelift_pool("migrate", TUTORIAL, "--output", "json").out)
        assert told == same
        assert [f["kind"] for f in told["findings"]].count("inert") == 5

        told = check(pool_config(tmp_path / "pool.conf", admin))
        [failed] = told["failed"]
        assert 'the ScaledObject "workerpool-autoscaler" resizes it too: they fight' in failed
        told = check(pool_config(tmp_path / "shadow.conf", admin, Shadow=True))
        assert told["failed"] == []

        # An HPA of somebody's own is a rival as well.
        del hpa["metadata"]["labels"]
        cluster.create(autoscalers, {**hpa, "metadata": {"name": "mine"}})
        told = check(pool_config(tmp_path / "pool.conf", admin))
        assert any('the HorizontalPodAutoscaler "mine" resizes it too' in line
                   for line in told["failed"])

        # The scaler's own account may not look for rivals, and says so.
        told = check(pool_config(tmp_path / "own.conf", cluster.scaler_kubeconfig()))
        assert told["failed"] == [] and len(told["skipped"]) >= 2, told
        assert any("the account may not list them" in line for line in told["skipped"])
    finally:
        for name in ("keda-hpa", "mine"):
            try:
                cluster.call("DELETE", f"{autoscalers}/{name}")
            except ApiError:
                pass
        cluster.call("DELETE",
                     "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/scaledobjects.keda.sh")


@pytest.mark.usefixtures("pool")
def test_check_sees_what_the_pool_would_get(cluster, tmp_path, parts):
    spacelift = SpaceliftSimulator(str(tmp_path))
    parts.append(spacelift)
    spacelift.start()
    spacelift.add_runs(4, duration_s=600)
    secret = tmp_path / "secret"
    secret.touch(0o600)
    secret.write_text("secret-of-the-simulator\n")
    before = cluster.call("GET", cluster.pool_path())["metadata"]["resourceVersion"]
    answer = spacelift_pool(
        "check", POOL, "--url", spacelift.url, "--api-key-id", "01HQZX9K7P2M3N4Q5R6S7T8U9V",
        "--api-key-secret-file", secret, "--max-workers", 5, "--namespace", NAMESPACE,
        "--cluster-kube-config", cluster.scaler_kubeconfig())
    assert answer.status == 0, answer
    assert re.search(r"it would get 4 workers now: busy \d \+ pending \d = 4", answer.out), answer
    assert cluster.call("GET", cluster.pool_path())["metadata"]["resourceVersion"] == before


@pytest.mark.parametrize("make, protocol, says", [
    (Prometheus3, "auto", "ok      remote write 2.0"),
    (Prometheus, "auto", "ok      remote write 1.0"),
    (Prometheus, "2.0", "failed  remote write 2.0"),
    # A receiver that is told to refuse 2.0 says 415.
    (lambda directory: Prometheus3(
        directory, "--web.remote-write-receiver.accepted-protobuf-messages=prometheus.WriteRequest"),
     "auto", "ok      remote write 1.0"),
])
def test_check_knows_what_a_receiver_takes(tmp_path, parts, make, protocol, says):
    prometheus = make(str(tmp_path)).start()
    parts.append(prometheus)
    config = tmp_path / "node.conf"
    config.write_text(plugin_block("write_prometheus_remote", block(
        "Node", "p", URL=prometheus.write_url, Protocol=protocol)) + "\n")
    answer = spacelift_pool("check", "--config", config)
    verdict, what = says.split(maxsplit=1)
    assert re.search(rf"(?m)^{verdict} +remote write \"p\": .*take.? {re.escape(what)}", answer.out), \
        answer
