"""spacelift-pool scale: what Telegraf's outputs.exec and outputs.execd do to a child, and that a
run for each batch decides as a process that stays."""

import datetime
import json
import time
import urllib.request

import pytest

from lib.process import wait_until
from lib.stack import (NAMESPACE, POOL, SCALER_TOKEN, KubernetesSimulator, block,
                       plugin_block)
from lib.telegraf_host import Execd, run_once

WINDOW_S = 5  # several runs of the program must fit into it, on a busy machine, too


@pytest.fixture
def kubernetes(tmp_path, parts):
    simulator = KubernetesSimulator(str(tmp_path))
    parts.append(simulator)
    return simulator.start()


@pytest.fixture
def config(tmp_path, kubernetes):
    path = tmp_path / "spacelift-pool.conf"
    path.write_text(plugin_block(
        "workerpool_scaler", block("Cluster", "prod", KubeConfig=kubernetes.kubeconfig),
        block("Pool", POOL, Namespace=NAMESPACE, MinWorkers=1, MaxWorkers=5,
              ScaleInWindow=WINDOW_S),
        StateDirectory=str(tmp_path / "state")))
    return str(path)


def line(pending, busy, age_s=0.0, pool=POOL, at_ns=None):
    """As Telegraf's serializer writes it: tags sorted, fields in any order, tags of the agent."""
    at_ns = at_ns or time.time_ns() - int(age_s * 1e9)
    name = pool.replace(" ", "\\ ")
    return (f"spacelift_worker_pool,host=h1,worker_pool_id=01H{len(pool)},worker_pool_name={name} "
            f"workers=4i,runs_pending={pending}i,workers_drained=0i,workers_busy={busy}i {at_ns}\n")


def size(kubernetes):
    return kubernetes.pool()["size"]


def scale(config, batch, *more):
    status, out, err = run_once("scale", "--config", config, *more, stdin=batch)
    assert status == 0, err
    return out


# ---- a run for each batch ------------------------------------------------------------------------

def test_out_and_in(config, kubernetes):
    """Out at once; in when nothing more was wanted for a window, counted over several runs."""
    scale(config, line(4, 0))
    assert size(kubernetes) == 4
    said = scale(config, line(0, 1))
    assert size(kubernetes) == 4 and "not smaller for" in said

    def smaller():
        scale(config, line(0, 1))
        return size(kubernetes) == 1
    begin = time.monotonic()
    wait_until(smaller, 10, "the pool is small again", poll_s=0.2)
    assert time.monotonic() - begin < 2 * WINDOW_S
    assert len(kubernetes.patches()) == 2


def test_batch_of_many(config, kubernetes):
    """The newest line of a pool counts, wherever it stands; the others are passed over."""
    batch = (line(5, 0, age_s=2) + line(3, 0) + line(1, 0, age_s=1) + line(9, 0, pool="another")
             + "spacelift_worker_pool,worker_pool_name=x runs_waiting=3i\n"
             + 'cpu,host=h1 usage=1,text="spacelift_worker_pool\nline two" 5\n# a comment\n\n')
    scale(config, batch)
    assert size(kubernetes) == 3
    assert len(kubernetes.patches()) == 1


def test_replayed(config, kubernetes):
    """The same batch again, an older one, a stale one: not even a request."""
    at_ns = time.time_ns()
    scale(config, line(3, 0, at_ns=at_ns))
    assert size(kubernetes) == 3
    before = len(kubernetes.requests())
    for batch in (line(3, 0, at_ns=at_ns), line(5, 0, at_ns=at_ns - 10**9),
                  line(5, 0, at_ns=at_ns) * 50):
        assert scale(config, batch) == ""
    assert len(kubernetes.requests()) == before
    assert size(kubernetes) == 3


def test_stale(config, kubernetes):
    """What lay in a buffer for an hour makes a pool neither larger nor smaller."""
    scale(config, line(5, 0, age_s=3600))
    assert size(kubernetes) == 1 and kubernetes.patches() == []
    # ... and it does not hide what comes next.
    scale(config, line(2, 0))
    assert size(kubernetes) == 2


def test_failure_comes_again(config, kubernetes):
    """Telegraf keeps a batch that failed and sends it again: it must still count."""
    batch = line(4, 0)
    kubernetes.faults(unavailable=True)
    status, _, err = run_once("scale", "--config", config, stdin=batch)
    assert status == 1
    assert POOL in err.splitlines()[0] and "503" in err.splitlines()[0]
    kubernetes.no_faults()
    scale(config, batch)
    assert size(kubernetes) == 4


def test_hanging_server(config, kubernetes):
    kubernetes.faults(hang=True)
    begin = time.monotonic()
    status, _, err = run_once("scale", "--config", config, "--deadline", "0.5", stdin=line(4, 0))
    assert status == 1 and "not done in time" in err
    assert time.monotonic() - begin < 5


def test_state_must_be_kept(config, kubernetes, tmp_path):
    """Without a state no pool would ever become smaller, and nobody would hear of it."""
    (tmp_path / "state").write_text("a file, no folder")
    status, _, err = run_once("scale", "--config", config, stdin=line(4, 0))
    assert status == 1 and f"{tmp_path}/state" in err
    assert size(kubernetes) == 4


def test_what_stands_in_the_queue(kubernetes, tmp_path):
    """The lines about a pool's queue go with those about the pool, as for collectd's plugin."""
    queue = line(0, 0).replace("workers=4i,runs_pending=0i,workers_drained=0i,workers_busy=0i",
                               "runs_waiting=4i,runs_waiting_drift_detection=3i,runs_blocked=0i")
    assert "drift" in queue
    status, out, err = run_once(
        "scale", POOL, "--kubeconfig", kubernetes.kubeconfig, "--namespace", NAMESPACE,
        "--min-workers", "1", "--max-workers", "5", "--drift-detection-weight", "0",
        "--state-directory", str(tmp_path / "s"), stdin=line(4, 1) + queue)
    assert status == 0, err
    assert size(kubernetes) == 2, out


def test_events(config, kubernetes):
    """What was written is told on the WorkerPool; what a run that forgets would tell again is not."""
    scale(config, line(9, 0))
    scale(config, line(9, 0))
    events = [json.loads(r["body"]) for r in kubernetes.requests() if r["path"].endswith("/events")]
    assert [(e["reason"], e["note"]) for e in events] == [
        ("ScaledOut", "1 -> 5 workers: busy 0 + pending 9 = 9, held at "
                      "MaxWorkers 5 (4 more would be used)")], events
    assert size(kubernetes) == 5

    kubernetes.faults(forbidden=True)  # nobody waits for events that are not wanted
    status, _, err = run_once("scale", "--config", config, stdin=line(0, 1))
    assert status == 1 and "403" in err


class Lease:
    """Of the other host; its times are written by a clock that may be anything."""
    URL = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases"

    def __init__(self, kubernetes):
        self.url = kubernetes.url + self.URL
        self.name = "collectd-workerpool-scaler"

    def call(self, method, url, value=None):
        request = urllib.request.Request(
            url, None if value is None else json.dumps(value).encode(),
            {"Authorization": f"Bearer {SCALER_TOKEN}", "Content-Type": "application/json"},
            method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def spec(self):
        return self.call("GET", f"{self.url}/{self.name}")["spec"]

    def hold(self, holder, age_s, duration_s=15):
        at = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=age_s)
        lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
                 "metadata": {"name": self.name, "namespace": NAMESPACE},
                 "spec": {"holderIdentity": holder, "leaseDurationSeconds": duration_s,
                          "renewTime": at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")}}
        try:
            stored = self.call("GET", f"{self.url}/{self.name}")
        except OSError:
            self.call("POST", self.url, lease)
        else:
            lease["metadata"]["resourceVersion"] = stored["metadata"]["resourceVersion"]
            self.call("PUT", f"{self.url}/{self.name}", lease)


def test_lease(config, kubernetes):
    """Somebody else leads: his size stays. He is gone: the pool is ours, and stays so."""
    with open(config, encoding="utf-8") as file:
        text = file.read()
    with open(config, "w", encoding="utf-8") as file:
        file.write(text.replace("KubeConfig", "LeaderElection true\n  KubeConfig", 1))
    lease = Lease(kubernetes)
    for age_s in (1, -3600):  # a clock that is ahead, too
        lease.hold("other_1", age_s)
        assert "another one leads" in scale(config, line(4, 0))
        assert size(kubernetes) == 1 and lease.spec()["holderIdentity"] == "other_1"

    lease.hold("other_1", 16)
    assert "leads from now on" in scale(config, line(4, 0))
    assert size(kubernetes) == 4
    ours = lease.spec()
    assert ours["holderIdentity"].endswith("_spacelift-pool") and ours["leaseTransitions"] == 1

    assert "leads" not in scale(config, line(5, 0))
    assert size(kubernetes) == 5
    again = lease.spec()
    assert again["holderIdentity"] == ours["holderIdentity"]
    assert again["leaseTransitions"] == 1 and again["renewTime"] > ours["renewTime"]


def test_on_the_command_line(kubernetes, tmp_path):
    status, out, err = run_once(
        "scale", POOL, "--kubeconfig", kubernetes.kubeconfig, "--namespace", NAMESPACE,
        "--min-workers", "1", "--max-workers=3", "--state-directory", str(tmp_path / "s"),
        stdin=line(9, 0))
    assert status == 0, err
    assert size(kubernetes) == 3 and "held at MaxWorkers 3" in out


@pytest.mark.parametrize("arguments, message", [
    ([], "no pool: name one on the command line"),
    (["--min-workers", "1"], "which pool are the options for?"),
    (["a", "--max-workers", "2", "--min-workers", "3"], "MinWorkers"),
    (["a", "--max-workers", "2", "--kubeconfig", "/nonexistent"], "/nonexistent"),
])
def test_usage(arguments, message):
    """Refused, and the input is read to its end all the same."""
    status, _, err = run_once("scale", *arguments, stdin=line(1, 1) * 5000)
    assert status != 0
    assert message in err


def test_what_is_no_line_protocol(config):
    status, _, err = run_once("scale", "--config", config, stdin='{"metrics":[]}\n' * 3)
    assert status == 1
    assert 'data_format must be "influx"' in err


# ---- a process that stays ------------------------------------------------------------------------

@pytest.fixture
def execd(parts, config):
    child = Execd("scale", "--execd", "--config", config)
    parts.append(child)
    return child


def wait_size(kubernetes, wanted, child):
    def look():
        child.pump()
        return size(kubernetes) == wanted
    wait_until(look, 10, lambda: f"size {wanted}\n{child.out}\n{child.log}")


def test_execd(execd, kubernetes):
    """A batch line by line is one decision; news go to standard output, failures to standard
    error; the end of input is the end."""
    sent = []
    for pending in range(1, 6):
        execd.send(line(pending, 0))
        sent.append(time.monotonic())
    wait_size(kubernetes, 5, execd)
    # A silence ends a batch, and so does a second: one is due if this test was made to pause.
    pauses = sum(b - a > 0.1 for a, b in zip(sent, sent[1:])) + int(sent[-1] - sent[0])
    assert len(kubernetes.patches()) <= 1 + pauses
    execd.send("junk\n" + line(0, 1))
    execd.wait(lambda: "-> 1 workers" in execd.out if execd.send(line(0, 1)) is None else False, 10,
               "small again")
    assert "not line protocol" in execd.log and execd.log.count("\n") == 1
    assert "-> 5 workers" in execd.out
    status, seconds = execd.leave()
    assert status == 0 and seconds < 1


def test_its_last_words_are_read(config):
    """Also where the start has failed."""
    assert "spacelift-pool " in Execd.check_last_words("scale", "--execd", "--config", config)
    assert "/not/there" in Execd.check_last_words("scale", "--execd", "--config", "/not/there")


def test_execd_drains_while_the_server_hangs(execd, kubernetes):
    """outputs.execd has no write deadline: a child that stops reading stops Telegraf's shutdown."""
    kubernetes.faults(hang=True)
    begin = time.monotonic()
    for _ in range(20):
        execd.send(line(4, 0) * 100)  # a third of a megabyte: five pipes full
    assert time.monotonic() - begin < 5
    status, seconds = execd.leave()
    assert status == 0 and seconds < 2


def test_execd_and_exec_share_their_state(config, kubernetes):
    """What one has decided the other goes on with: the same file, the same window."""
    child = Execd("scale", "--execd", "--config", config)
    try:
        child.send(line(4, 0))
        wait_size(kubernetes, 4, child)
        assert child.leave()[0] == 0
    finally:
        child.stop()
    said = scale(config, line(0, 0))
    assert size(kubernetes) == 4 and "ScaleInWindow" in said
