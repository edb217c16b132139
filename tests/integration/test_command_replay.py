"""spacelift-pool replay: recordings from where people have them."""

import json
import time
import urllib.parse
import xml.etree.ElementTree as ElementTree

import pytest
from lib.command import spacelift_pool
from lib.process import wait_until
from lib.stack import Prometheus, http

# Twelve runs of two minutes come at once, and one worker is there.
BURST = "arrival_s,duration_s\n" + "0,120\n" * 12


def test_two_policies_side_by_side(tmp_path):
    old = tmp_path / "old.conf"
    old.write_text('<Plugin workerpool_scaler>\n  <Pool "builds">\n    MaxWorkers 2\n  </Pool>\n'
                   '</Plugin>\n')
    svg = tmp_path / "out.svg"
    answer = spacelift_pool("replay", "-", "--max-workers", 12, "--against", old, "--svg", svg,
                            "--worker-hour-price", 2, text=BURST)
    assert answer.status == 0 and answer.err == "", answer
    ours, theirs = [line.split() for line in answer.out.splitlines()[3:5]]
    assert ours[:2] == ["these", "options"] and theirs[0] == str(old)[:40]
    assert float(ours[2]) < 40 and float(theirs[1]) > 200, answer
    assert "\x1b" not in answer.out and "━ poolSize" in answer.out
    root = ElementTree.parse(svg).getroot()
    assert root.tag.endswith("svg") and len(root.findall("{*}path")) == 6


def test_json(tmp_path):
    told = json.loads(spacelift_pool("replay", "-", "--max-workers", 12, "--output", "json",
                                     text=BURST).out)
    assert told["runs"] == 12
    assert [p["policy"][:8] for p in told["policies"]] == ["these op", "tutorial"]
    assert told["bound"]["mean_wait_s"] == 0 <= told["policies"][0]["mean_wait_s"]
    assert told["policies"][0]["mean_wait_s"] < told["policies"][1]["mean_wait_s"]


@pytest.mark.parametrize("arguments, text, says", [
    (["-"], BURST, "--max-workers is missing"),
    (["-", "--max-workers", "5"], "a,b\n", "-: its first line says none of the forms"),
    (["-", "--max-workers", "5", "--against", "nobody"], BURST, "neither tutorial, chain or ec2"),
    (["/no/such", "--max-workers", "5"], "", "cannot open /no/such"),
    (["-", "--max-workers", "5", "--svg", "/no/such/x.svg"], BURST, "cannot write /no/such/x.svg"),
    ([], "", "RECORDING is missing"),
])
def test_messages(arguments, text, says):
    answer = spacelift_pool("replay", *arguments, text=text)
    assert answer.status == 2 and answer.out == "" and says in answer.err, answer


def test_a_real_prometheus_range_query(tmp_path, parts):
    """What Prometheus answers, not what we think it does."""
    prometheus = Prometheus(str(tmp_path))
    parts.append(prometheus)
    labels = {"worker_pool_name": "builds"}
    (tmp_path / "rules.yml").write_text(json.dumps({"groups": [{"name": "queue", "rules": [
        {"record": "spacelift_worker_pool_runs_pending", "expr": "vector(1)", "labels": labels},
        {"record": "spacelift_worker_pool_workers_busy", "expr": "vector(2)", "labels": labels},
    ]}]}))
    (tmp_path / "prometheus.yml").write_text(json.dumps({
        "global": {"evaluation_interval": "1s"}, "rule_files": [str(tmp_path / "rules.yml")]}))
    prometheus.start()
    wait_until(lambda: len(prometheus.query('{worker_pool_name="builds"}')) == 2, 20, "the rules")
    now = time.time()
    query = urllib.parse.urlencode({
        "query": '{__name__=~"spacelift_worker_pool_(runs_pending|workers_busy)"}',
        "start": now - 60, "end": now, "step": 1})
    (tmp_path / "range.json").write_text(
        json.dumps(http("GET", f"{prometheus.url}/api/v1/query_range?{query}")))
    answer = spacelift_pool("replay", tmp_path / "range.json", "--max-workers", 5)
    assert answer.status == 0 and answer.out.startswith("3 runs in "), answer
