#!/usr/bin/python3
"""A small stand-in for the Kubernetes API: WorkerPools with their scale subresource, Leases, Events
and SelfSubjectAccessReviews, answering as a kube-apiserver does. For the demo and the quick tests; ./check --real uses a real one.

    tests/sim/kubernetes_sim.py --port 8081 --pool my-amazing-worker-pool=1 --write-kubeconfig FILE

See README.md beside this file for the control endpoint and the faults.
"""

import argparse
import copy
import itertools
import json
import os
import re
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from simlib import Answer, Dropped, Simulator, json_answer  # noqa: E402

GROUP = "workers.spacelift.io"
POOLS = re.compile(r"^/apis/workers\.spacelift\.io/v1beta1/namespaces/([^/]+)/workerpools"
                   r"(?:/([^/]+)(/scale|/status)?)?$")
OTHERS = re.compile(r"^/apis/(coordination\.k8s\.io|events\.k8s\.io)/v1/namespaces/([^/]+)/"
                    r"(leases|events)(?:/([^/]+))?$")
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
REASONS = {400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound",
           405: "MethodNotAllowed", 409: "Conflict", 415: "UnsupportedMediaType", 422: "Invalid",
           500: "InternalError", 503: "ServiceUnavailable"}
UNSET = ('Internal error occurred: the spec replicas field ".spec.poolSize" does not exist')
KUBECONFIG = """\
apiVersion: v1
kind: Config
clusters:
  - name: simulator
    cluster: {{server: "{url}"{ca}}}
users:
  - name: collectd
    user: {{token: "{token}"}}
contexts:
  - name: simulator
    context: {{cluster: simulator, user: collectd, namespace: "{namespace}"}}
current-context: simulator
"""


class Refused(Exception):
    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


def status_answer(status, message):
    answer = json_answer({"kind": "Status", "apiVersion": "v1", "metadata": {},
                          "status": "Failure", "message": message, "reason": REASONS[status],
                          "code": status}, status)
    if status in (429, 503):
        answer.headers = (("Retry-After", "1"),)
    return answer


def merge(target, patch):
    """RFC 7396."""
    for key, value in patch.items():
        if value is None:
            target.pop(key, None)
        elif isinstance(value, dict) and isinstance(target.get(key), dict):
            merge(target[key], value)
        else:
            target[key] = value


class KubernetesSimulator(Simulator):
    known_faults = frozenset({"outage", "hang", "html", "unavailable", "unauthorized", "forbidden",
                              "conflict", "drop_answer", "truncated_json"})

    def __init__(self, token, controller_token, namespace):
        super().__init__()
        self.token = token
        self.controller_token = controller_token
        self.namespace = namespace
        self.lock = threading.Lock()
        self.pools = {}
        self.others = {}  # leases and events by (kind, namespace, name)
        self._versions = itertools.count(1000)

    def add_pool(self, name, size):
        """size None: spec.poolSize is not set."""
        self.pools[name] = {
            "apiVersion": f"{GROUP}/v1beta1", "kind": "WorkerPool",
            "metadata": {"name": name, "namespace": self.namespace,
                         "uid": f"00000000-0000-0000-0000-{len(self.pools):012d}",
                         "creationTimestamp": "2026-01-01T00:00:00Z",
                         "resourceVersion": str(next(self._versions))},
            "spec": {} if size is None else {"poolSize": size},
        }

    # ---- HTTP ----------------------------------------------------------------------------------

    def answer(self, method, path, query, headers, body):
        del query
        token = (headers.get("Authorization") or "").removeprefix("Bearer ")
        is_controller = token == self.controller_token
        arrived_ns = time.monotonic_ns()
        drop = False
        if not is_controller:  # the faults are for the scaler
            fault = self._faulty_answer(method, path)
            if fault:
                self.note(at_ns=arrived_ns, method=method, path=path, status=fault.status)
                return fault
            drop = method == "PATCH" and GROUP in path and self.faults.strikes("drop_answer")
        try:
            if not is_controller and token != self.token:
                raise Refused(401, "Unauthorized")
            with self.lock:
                value = self._answer(method, path, headers, body)
            answer = json_answer(value)
        except Refused as problem:
            answer = status_answer(problem.status, str(problem))
        if not is_controller:
            self.note(at_ns=arrived_ns, answered_ns=time.monotonic_ns(), method=method, path=path,
                      status=answer.status,
                      body=body.decode(errors="replace") if body else None)
        if drop:
            raise Dropped()
        return answer

    def _faulty_answer(self, method, path):
        """Faults that count are for the pools; leases and events meet only what lasts."""
        lasting = self.faults.active()

        def strikes(name):
            return self.faults.strikes(name) if GROUP in path else lasting.get(name) is True

        if strikes("outage"):
            raise Dropped()
        if strikes("hang"):
            self.faults.wait_while("hang")
            raise Dropped()
        if strikes("html"):
            return Answer("<html><body>Bad Gateway</body></html>", 502, "text/html")
        if strikes("truncated_json"):
            return Answer('{"kind":"Scale","apiVersion":"autoscaling/v1","spec":{"rep')
        if strikes("unavailable"):
            return status_answer(503, "the server is currently unable to handle the request")
        if strikes("unauthorized"):
            return status_answer(401, "Unauthorized")
        if strikes("forbidden"):
            return status_answer(403, f'workerpools.{GROUP} "x" is forbidden: User "system:'
                                      f'serviceaccount:{self.namespace}:collectd" cannot '
                                      f'{method.lower()} resource "workerpools/scale" in API group '
                                      f'"{GROUP}" in the namespace "{self.namespace}"')
        if method == "PATCH" and strikes("conflict"):
            return status_answer(409, f'Operation cannot be fulfilled on workerpools.{GROUP} "x": '
                                      "the object has been modified; please apply your changes to "
                                      "the latest version and try again")
        return None

    def _answer(self, method, path, headers, body):
        if path == "/version":
            return {"major": "1", "minor": "36", "gitVersion": "v1.36.0-simulator"}
        if path == REVIEWS and method == "POST":
            return {**json.loads(body), "status": {"allowed": True}}
        other = OTHERS.match(path)
        if other:
            return self._answer_other(method, *other.groups()[1:], body)
        found = POOLS.match(path)
        if not found or found.group(1) != self.namespace:
            raise Refused(404, "the server could not find the requested resource")
        name, part = found.group(2), found.group(3)
        if name is None:
            if method != "GET":
                raise Refused(405, "the server does not allow this method on the resource")
            return {"kind": "WorkerPoolList", "apiVersion": f"{GROUP}/v1beta1",
                    "metadata": {"resourceVersion": "1"}, "items": list(self.pools.values())}
        if name not in self.pools:
            raise Refused(404, f'workerpools.{GROUP} "{name}" not found')
        pool = self.pools[name]
        if method == "GET":
            return self._scale(pool) if part == "/scale" else pool
        if method != "PATCH":
            raise Refused(405, "the server does not allow this method on the resource")
        if headers.get("Content-Type", "").partition(";")[0] != "application/merge-patch+json":
            raise Refused(415, "the body of the request was in an unknown format")
        try:
            patch = json.loads(body)
        except ValueError:
            raise Refused(400, "the object provided is unrecognized") from None
        return self._patch_scale(pool, patch) if part == "/scale" else self._patch(pool, patch)

    def _answer_other(self, method, namespace, plural, name, body):
        """A store of objects with versions, as a kube-apiserver has them."""
        if method == "POST":
            given = json.loads(body)
            name = given["metadata"]["name"]
        key = (plural, namespace, name)
        stored = self.others.get(key)
        if method == "POST":
            if stored:
                raise Refused(409, f'{plural} "{name}" already exists')
            return self._store_other(key, given)
        if not stored:
            raise Refused(404, f'{plural} "{name}" not found')
        if method == "GET":
            return stored
        given = json.loads(body)
        if method == "PATCH":
            changed = copy.deepcopy(stored)
            merge(changed, given)
            return self._store_other(key, changed)
        if given["metadata"].get("resourceVersion") != stored["metadata"]["resourceVersion"]:
            raise Refused(409, f'Operation cannot be fulfilled on {plural} "{name}": the object has '
                               "been modified; please apply your changes to the latest version and "
                               "try again")
        return self._store_other(key, given)

    def _store_other(self, key, value):
        value["metadata"]["resourceVersion"] = str(next(self._versions))
        value["metadata"]["namespace"] = key[1]
        self.others[key] = value
        return value

    # ---- objects -------------------------------------------------------------------------------

    @staticmethod
    def _scale(pool):
        size = pool["spec"].get("poolSize")
        if size is None:
            raise Refused(500, UNSET)
        status = pool.get("status", {})
        scale_status = {"replicas": status.get("actualPoolSize", 0)}
        if status.get("selector"):
            scale_status["selector"] = status["selector"]
        meta = pool["metadata"]
        return {"kind": "Scale", "apiVersion": "autoscaling/v1",
                "metadata": {key: meta[key] for key in ("name", "namespace", "uid",
                                                        "resourceVersion", "creationTimestamp")},
                "spec": {"replicas": size} if size else {}, "status": scale_status}

    def _check_version(self, pool, patch):
        version = patch.get("metadata", {}).get("resourceVersion")
        if version is not None and version != pool["metadata"]["resourceVersion"]:
            name = pool["metadata"]["name"]
            raise Refused(409, f'Operation cannot be fulfilled on workerpools.{GROUP} "{name}": '
                               "the object has been modified; please apply your changes to the "
                               "latest version and try again")

    def _store(self, pool, changed):
        """Writing what is there already does not move the resourceVersion."""
        if changed != pool:
            changed["metadata"]["resourceVersion"] = str(next(self._versions))
            pool.clear()
            pool.update(changed)

    def _patch_scale(self, pool, patch):
        self._check_version(pool, patch)
        size = patch.get("spec", {}).get("replicas", pool["spec"].get("poolSize", 0)) or 0
        name = pool["metadata"]["name"]
        if not isinstance(size, int) or not 0 <= size < 2 ** 31:
            raise Refused(422, f'WorkerPool.{GROUP} "{name}" is invalid: spec.replicas: Invalid '
                               f"value: {size}: must be greater than or equal to 0")
        changed = copy.deepcopy(pool)
        changed["spec"]["poolSize"] = size
        self._store(pool, changed)
        return self._scale(pool)

    def _patch(self, pool, patch):
        self._check_version(pool, patch)
        changed = copy.deepcopy(pool)
        merge(changed, {key: patch[key] for key in ("spec", "status") if key in patch})
        self._store(pool, changed)
        return pool

    # ---- control -------------------------------------------------------------------------------

    def control(self, method, path, body):
        with self.lock:
            if path == "/control/state":
                return {"pools": {name: {"size": pool["spec"].get("poolSize"),
                                         "actual": pool.get("status", {}).get("actualPoolSize")}
                                  for name, pool in self.pools.items()},
                        "faults": self.faults.active()}
            if path == "/control/annotations" and method == "POST":
                pool = self.pools[body["pool"]]
                changed = copy.deepcopy(pool)
                merge(changed["metadata"], {"annotations": body["annotations"]})
                self._store(pool, changed)
                return {}
            if path == "/control/pools" and method == "POST":
                self.add_pool(body["name"], body.get("size"))
                return {}
            if path == "/control/pools" and method == "DELETE":
                del self.pools[body["name"]]
                return {}
            if path == "/control/size" and method == "POST":
                self._patch_scale(self.pools[body["pool"]], {"spec": {"replicas": body["size"]}})
                return {}
        raise KeyError(f"there is no {method} {path}")


def pool_argument(text):
    name, _, size = text.rpartition("=")
    return (name, int(size)) if name else (text, None)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8081)
    parser.add_argument("--namespace", default="spacelift-worker-pool-controller-system")
    parser.add_argument("--pool", action="append", default=[], type=pool_argument,
                        metavar="NAME[=SIZE]",
                        help="a WorkerPool; without a size its poolSize is not set")
    parser.add_argument("--token", default="token-of-the-scaler")
    parser.add_argument("--controller-token", default="token-of-the-controller",
                        help="for spacelift_sim.py; faults do not strike it")
    parser.add_argument("--write-kubeconfig", metavar="FILE")
    parser.add_argument("--tls-certificate", metavar="FILE")
    parser.add_argument("--tls-key", metavar="FILE")
    arguments = parser.parse_args()
    simulator = KubernetesSimulator(arguments.token, arguments.controller_token,
                                    arguments.namespace)
    for name, size in arguments.pool:
        simulator.add_pool(name, size)
    if arguments.write_kubeconfig:
        with open(arguments.write_kubeconfig, "w", encoding="utf-8",
                  opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            scheme = "https" if arguments.tls_certificate else "http"
            ca = (f', certificate-authority: "{arguments.tls_certificate}"'
                  if arguments.tls_certificate else "")
            file.write(KUBECONFIG.format(url=f"{scheme}://{arguments.host}:{arguments.port}", ca=ca,
                                         token=arguments.token, namespace=arguments.namespace))
    simulator.serve(arguments.host, arguments.port, arguments.tls_certificate, arguments.tls_key)


if __name__ == "__main__":
    main()
