"""The simulators keep their promises: what they refuse the real APIs refuse, and runs and workers
behave. The tests of the plugins rest on it."""

import json
import os
import sys
import urllib.error
import urllib.request

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "integration")]
from account import Account  # noqa: E402
from lib.stack import (API_KEY_ID, API_KEY_SECRET, NAMESPACE, POOL, SCALER_TOKEN,  # noqa: E402
                       KubernetesSimulator, SpaceliftSimulator)


# ---- the model, with a clock of its own ----------------------------------------------------------

def account_with(size, registration_s=0):
    account = Account(registration_s)
    account.add_pool("p", 0, 0, size)
    return account, account.pools["p"]


def test_runs_wait_for_workers_and_end():
    account, pool = account_with(2)
    account.add_runs("p", 3, 10, now=1, wall=1)
    assert (len(pool.waiting), len(pool.busy())) == (1, 2)
    account.advance(11, 11)
    assert (len(pool.waiting), len(pool.busy()), len(pool.finished)) == (0, 1, 2)
    account.advance(21, 21)
    assert len(pool.finished) == 3


def test_workers_need_time_to_register():
    account, pool = account_with(1, registration_s=5)
    account.add_runs("p", 1, None, now=0, wall=0)
    assert account.actual_size("p", 4) == 0 and not pool.busy()
    account.advance(5, 5)
    assert account.actual_size("p", 5) == 1 and len(pool.busy()) == 1


def test_busy_workers_finish_before_they_leave():
    account, pool = account_with(3)
    account.add_runs("p", 2, None, now=0, wall=0)
    account.set_size("p", 2, 1, 1)
    assert len(pool.workers) == 2 and pool.shortfalls == 0  # the idle one went
    account.set_size("p", 1, 2, 2)
    assert len(pool.busy()) == 2 and pool.shortfalls == 1
    account.add_runs("p", 1, None, now=3, wall=3)
    account.finish("p", 2, 4, 4)
    assert len(pool.workers) == 1 and len(pool.busy()) == 1


# ---- Spacelift -----------------------------------------------------------------------------------

@pytest.fixture
def spacelift(tmp_path):
    simulator = SpaceliftSimulator(str(tmp_path), pools=[f"{POOL}=1"]).start()
    yield simulator
    simulator.stop()


def ask(simulator, query, token=None, variables=None):
    body = json.dumps({"query": query, "variables": variables}).encode()
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(f"{simulator.url}/graphql", body, headers)
    with urllib.request.urlopen(request, timeout=5) as answer:
        return json.load(answer)


LOGIN = "mutation($id:ID!,$secret:String!){apiKeyUser(id:$id,secret:$secret){jwt,validUntil}}"


def login(simulator):
    return ask(simulator, LOGIN, variables={"id": API_KEY_ID, "secret": API_KEY_SECRET})[
        "data"]["apiKeyUser"]["jwt"]


def test_key_and_token(spacelift):
    assert ask(spacelift, "{workerPools{id}}")["errors"][0]["message"] == "unauthorized"
    wrong = ask(spacelift, LOGIN, variables={"id": API_KEY_ID, "secret": "no"})
    assert wrong["errors"][0]["message"] == "unauthorized" and wrong["data"] == {"apiKeyUser": None}
    unknown = ask(spacelift, LOGIN, variables={"id": "01X", "secret": "no"})
    assert unknown == {"data": {"apiKeyUser": None}}
    pools = ask(spacelift, "{workerPools{name,workers{drained}}}", login(spacelift))
    assert pools == {"data": {"workerPools": [{"name": POOL, "workers": [{"drained": False}]}]}}


@pytest.mark.parametrize("query, message", [
    ("{workerPools{nonsense}}", "nonsense"),
    ("{workerPools}", "selection"),
    ("{workerPool{id}}", "id"),
    ("{", "yntax"),
])
def test_wrong_queries_are_refused(spacelift, query, message):
    answer = ask(spacelift, query, login(spacelift))
    assert "data" not in answer and message in answer["errors"][0]["message"]


def test_faults_end(spacelift):
    token = login(spacelift)
    spacelift.faults(html=1)
    with pytest.raises(ValueError):
        ask(spacelift, "{viewer{id}}", token)
    assert ask(spacelift, "{viewer{id}}", token)["data"]["viewer"]["id"] == API_KEY_ID
    with pytest.raises(urllib.error.HTTPError):
        spacelift.faults(no_such_fault=True)


QUEUE = """query($id:ID!,$input:SearchInput!){workerPool(id:$id){searchSchedulableRuns(input:$input){
edges{node{run{state,type,driftDetection,history{state}}}},pageInfo{endCursor,hasNextPage}}}}"""


def test_queue_is_paged(spacelift):
    token = login(spacelift)
    spacelift.add_runs(2)
    spacelift.control("runs", pool=POOL, count=1, blocked=True, drift_detection=True)
    pool = spacelift.pool()["id"]
    seen, cursor, pages = [], None, 0
    while True:
        answer = ask(spacelift, QUEUE, token,
                     {"id": pool, "input": {"first": 2, "after": cursor}})["data"]["workerPool"]
        found = answer["searchSchedulableRuns"]
        seen += [edge["node"]["run"]["state"] for edge in found["edges"]]
        cursor, pages = found["pageInfo"]["endCursor"], pages + 1
        if not found["pageInfo"]["hasNextPage"]:
            break
    assert (seen, pages) == (["PLANNING", "READY", "QUEUED"], 2)


def test_refused_fields(spacelift):
    token = login(spacelift)
    assert ask(spacelift, "{usage{usedSeats}}", token) == {"data": {"usage": {"usedSeats": 42}}}
    spacelift.control("refuse", usage="not available for machine sessions")
    answer = ask(spacelift, "{usage{usedSeats}}", token)
    assert answer == {"errors": [{"message": "not available for machine sessions",
                                  "path": ["usage"]}], "data": None}


def test_old_release_lacks_the_newer_fields(tmp_path):
    old = SpaceliftSimulator(str(tmp_path), extra=["--old-release"]).start()
    try:
        token = login(old)
        assert "data" in ask(old, "{workerPools{pendingRuns}}", token)
        for query in ("{seats{user{limit}}}", "{workerPools{schedulableRunsCount}}"):
            assert "Cannot query field" in ask(old, query, token)["errors"][0]["message"]
    finally:
        old.stop()


# ---- Kubernetes ----------------------------------------------------------------------------------

@pytest.fixture
def kubernetes(tmp_path):
    simulator = KubernetesSimulator(str(tmp_path), pools=[f"{POOL}=0", "unset"]).start()
    yield simulator
    simulator.stop()


def scale(simulator, name=POOL, patch=None, token=SCALER_TOKEN):
    url = (f"{simulator.url}/apis/workers.spacelift.io/v1beta1/namespaces/{NAMESPACE}"
           f"/workerpools/{name}/scale")
    request = urllib.request.Request(
        url, None if patch is None else json.dumps(patch).encode(),
        {"Authorization": f"Bearer {token}", "Content-Type": "application/merge-patch+json"},
        method="GET" if patch is None else "PATCH")
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as problem:
        return problem.code, json.load(problem)


def test_scale(kubernetes):
    status, first = scale(kubernetes)
    assert (status, first["spec"]) == (200, {})  # zero is left out
    version = first["metadata"]["resourceVersion"]
    status, second = scale(kubernetes, patch={"metadata": {"resourceVersion": version},
                                              "spec": {"replicas": 3}})
    assert (status, second["spec"]) == (200, {"replicas": 3})
    assert second["metadata"]["resourceVersion"] != version
    status, third = scale(kubernetes, patch={"spec": {"replicas": 3}})
    assert third["metadata"]["resourceVersion"] == second["metadata"]["resourceVersion"]


@pytest.mark.parametrize("name, patch, token, status, reason", [
    (POOL, {"metadata": {"resourceVersion": "1"}, "spec": {"replicas": 3}}, SCALER_TOKEN, 409,
     "Conflict"),
    (POOL, {"spec": {"replicas": -1}}, SCALER_TOKEN, 422, "Invalid"),
    (POOL, {"spec": {"replicas": "2"}}, SCALER_TOKEN, 422, "Invalid"),
    ("nobody", None, SCALER_TOKEN, 404, "NotFound"),
    ("unset", None, SCALER_TOKEN, 500, "InternalError"),
    (POOL, None, "wrong", 401, "Unauthorized"),
])
def test_scale_refused(kubernetes, name, patch, token, status, reason):
    got, answer = scale(kubernetes, name, patch, token)
    assert (got, answer["kind"], answer["reason"]) == (status, "Status", reason)
