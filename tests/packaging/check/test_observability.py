"""What an operator hangs on the wall: rules, dashboards and the systemd drop-in. Each query is asked of a
real Prometheus that holds what a real collectd with these plugins has sent."""

import json
import os
import re
import shutil
import subprocess

import pytest

from lib.process import wait_until
from lib.stack import TREE, Stack, http

CONF = os.path.join(TREE, "conf")
RULES = os.path.join(CONF, "prometheus", "spacelift.rules.yml")
DASHBOARD = os.path.join(CONF, "grafana", "spacelift-worker-pools.json")
METRIC = re.compile(r"\b(?:spacelift|collectd)_[a-z0-9_]+")


def said(*argv, cwd=None, status=0):
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=cwd,
                          check=False)
    assert done.returncode == status, done.stdout
    return done.stdout


def load_dashboard():
    with open(DASHBOARD, encoding="utf-8") as file:
        return json.load(file)


def dashboard_queries():
    board = load_dashboard()
    queries = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    return queries + [each["expr"] for each in board["annotations"]["list"]]


def rule_queries():
    with open(RULES, encoding="utf-8") as file:
        text = file.read()
    found = re.findall(r"(?m)^        expr: (?:\|\n((?:          .*\n)+)|(.*)\n)", text)
    assert len(found) == len(re.findall(r"(?m)^        expr:", text)) > 10
    return [block or line for block, line in found]


# ---- Prometheus rules ----------------------------------------------------------------------------

def test_rules_pass_their_unit_tests():
    folder = os.path.dirname(RULES)
    said("promtool", "check", "rules", os.path.basename(RULES), cwd=folder)
    said("promtool", "test", "rules", "spacelift.rules.test.yml", cwd=folder)


def test_every_alert_has_a_unit_test_and_says_what_to_do():
    with open(RULES, encoding="utf-8") as rules, \
            open(os.path.join(CONF, "prometheus", "spacelift.rules.test.yml"),
                 encoding="utf-8") as tests:
        text, tested = rules.read(), tests.read()
    alerts = re.findall(r"- alert: (\w+)\n(.*?)(?=\n      - alert|\n  - name|\Z)", text, re.DOTALL)
    assert len(alerts) >= 9
    for name, body in alerts:
        assert "summary:" in body and "fix:" in body and "severity:" in body, name
        assert re.search(rf"alertname: {name}\n *exp_alerts", tested), f"{name} never fires in a test"


# ---- Grafana -------------------------------------------------------------------------------------

def test_dashboard_is_one_page_that_grafana_can_import():
    board = load_dashboard()
    assert board["uid"] and board["title"] and board["schemaVersion"] >= 36 and "id" not in board
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids))
    cells = set()
    variables = {each["name"] for each in board["templating"]["list"]}
    for panel in board["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        mine = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                for y in range(place["y"], place["y"] + place["h"])}
        assert not mine & cells, f"{panel['title']} lies on another panel"
        cells |= mine
        assert panel["type"] in ("stat", "timeseries")
        assert panel["datasource"]["uid"] == "${datasource}"
        refs = [target["refId"] for target in panel["targets"]]
        assert refs and len(refs) == len(set(refs))
        for target in panel["targets"]:
            used = set(re.findall(r"\$(\w+)", target["expr"])) - {"__rate_interval"}
            assert used <= variables, target["expr"]
            labels = re.findall(r"{{(\w+)}}", target["legendFormat"])
            assert all(label in target["expr"] for label in labels), target["legendFormat"]


# ---- both, asked of real data ----------------------------------------------------------------------

def filled_in(expression):
    """As Grafana does before it asks."""
    return expression.replace("$pool", ".*").replace("$__rate_interval", "1m")


# What the dashboard of Spacelift's own exporter asks for, metric by metric, with the labels it groups by.
# (It also asks for ..._used_private_workers, which the exporter calls ..._used_workers.)
POOL_LABELS = ("worker_pool_id", "worker_pool_name")
OFFICIAL = {
    "spacelift_current_billing_period_start_timestamp_seconds": (),
    "spacelift_current_billing_period_end_timestamp_seconds": (),
    "spacelift_current_billing_period_used_public_seconds": (),
    "spacelift_current_billing_period_used_private_seconds": (),
    "spacelift_current_billing_period_used_seats": (),
    "spacelift_public_worker_pool_parallelism": (),
    "spacelift_public_worker_pool_workers_busy": (),
    "spacelift_public_worker_pool_runs_pending": (),
    "spacelift_worker_pool_workers": POOL_LABELS,
    "spacelift_worker_pool_workers_busy": POOL_LABELS,
    "spacelift_worker_pool_workers_drained": POOL_LABELS,
    "spacelift_worker_pool_runs_pending": POOL_LABELS,
}


# Published where a credential says when it ends, which the key and the token of this test do not.
WITHOUT_DATA_HERE = {
    "spacelift_credential_expiry_timestamp_seconds": "tests/integration/test_credential_expiry.py",
    "spacelift_scaler_credential_expiry_timestamp_seconds":
        "tests/integration/test_credential_expiry.py",
}


def test_every_query_finds_our_data(tmp_path, parts):
    stack = Stack(str(tmp_path), batch_deadline_s=0.2)
    parts.append(stack)
    with open(stack.collectd.config, encoding="utf-8") as file:
        text = file.read()
    with open(stack.collectd.config, "w", encoding="utf-8") as file:
        file.write(text.replace("  APIKeyID", "  Queue true\n  QueueInterval 1\n  APIKeyID"))
    stack.start()
    stack.spacelift.add_runs(3)
    stack.wait_size(3, 20)
    ask = stack.prometheus.query
    expressions = [filled_in(each) for each in dashboard_queries() + rule_queries()]
    names = {name for each in expressions for name in METRIC.findall(each)}
    assert len(names) > 20
    names |= set(OFFICIAL)
    assert set(WITHOUT_DATA_HERE) <= names
    names -= set(WITHOUT_DATA_HERE)
    assert all(os.path.exists(os.path.join(TREE, path)) for path in WITHOUT_DATA_HERE.values())

    def missing():
        there = set(http("GET", f"{stack.prometheus.url}/api/v1/label/__name__/values")["data"])
        return sorted(names - there)
    wait_until(lambda: not missing(), 30,
               lambda: f"no series of {missing()}\n{stack.collectd.output()[-2000:]}")

    # A query that compares may find nothing to say of a healthy pool; the others may not. A daemon
    # that pauses for two intervals ends its series, and begins them anew.
    def silent():
        return [each for each in expressions
                if not re.search(r"[<>]|==|unless|increase|rate\(|deriv", each) and not ask(each)]
    wait_until(lambda: not silent(), 30, lambda: str(silent()), poll_s=1)
    for metric, labels in OFFICIAL.items():
        found = wait_until(lambda m=metric, of=", ".join(labels): ask(f"max by ({of}) ({m})"), 30,
                           metric, poll_s=0.5)
        assert set(found[0]["metric"]) == set(labels), metric
    variable = load_dashboard()["templating"]["list"][1]["definition"]
    metric, label = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable).groups()
    found = wait_until(lambda: ask(f"count by ({label}) ({metric})"), 30, variable, poll_s=0.5)
    assert found[0]["metric"][label]


# ---- systemd ---------------------------------------------------------------------------------------

DROP_IN = os.path.join(CONF, "systemd", "collectd-spacelift.conf")
UNIT = "/lib/systemd/system/collectd.service"


@pytest.fixture
def unit(tmp_path):
    if not shutil.which("systemd-analyze") or not os.path.exists(UNIT):
        pytest.skip("no systemd-analyze, or collectd has no unit here")
    shutil.copy(UNIT, tmp_path)
    folder = tmp_path / "collectd.service.d"
    folder.mkdir()
    shutil.copy(DROP_IN, folder)
    return str(tmp_path / "collectd.service")


def test_systemd_understands_the_drop_in(unit):
    text = said("systemd-analyze", "verify", "--man=no", unit)
    assert "spacelift" not in text, text


def test_drop_in_takes_most_of_the_exposure_away(unit):
    def exposure(path):
        text = said("systemd-analyze", "security", "--offline=true", "--no-pager", path)
        return float(re.search(r"Overall exposure level for \S+: ([\d.]+)", text).group(1))
    before, after = exposure(UNIT), exposure(unit)
    assert before > 9 and after < 3.5, (before, after)


def test_works_without_privileges(tmp_path, parts):
    """The drop-in's capabilities, where no systemd can set them: a root that has next to nothing."""
    with open(DROP_IN, encoding="utf-8") as file:
        kept = re.search(r"(?m)^CapabilityBoundingSet=CAP_(\w+)$", file.read()).group(1).lower()
    wrapper = ("setpriv", "--no-new-privs", f"--bounding-set=-all,+{kept}", f"--inh-caps=-all,+{kept}")
    if subprocess.run([*wrapper, "true"], capture_output=True, check=False).returncode:
        pytest.skip("setpriv may not drop capabilities here")
    stack = Stack(str(tmp_path), with_prometheus=False, wrapper=wrapper)
    parts.append(stack)
    stack.start()
    stack.spacelift.add_runs(2)
    stack.wait_size(2, 20)
